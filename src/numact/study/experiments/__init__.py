"""The questions, one file each; `QUESTIONS` lists them by number."""

from numact.study.experiments import (
    cost,
    dead_units,
    derivative_at_zero,
    explosion,
    others,
    sparse_layers,
    training_speed,
    vanishing,
    zero_mean,
)
from numact.study.experiments.question import Question

QUESTIONS: dict[int, Question] = {
    question.number: question
    for question in (
        zero_mean.QUESTION,
        training_speed.QUESTION,
        vanishing.QUESTION,
        sparse_layers.QUESTION,
        dead_units.QUESTION,
        derivative_at_zero.QUESTION,
        cost.QUESTION,
        others.QUESTION,
        explosion.QUESTION,
    )
}
