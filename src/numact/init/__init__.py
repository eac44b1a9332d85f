"""Initial weights that keep the scale of activations and gradients from layer to layer: He, Xavier, LeCun, orthogonal.

With weights of variance gain^2 / fan_in, the pre-activations of a layer have the same second moment as those of the
layer before it if gain^2 E[f(z)^2] = 1, z standard normal.  `gain` gives this number for elementwise activations f.

`variance_scaling`, `orthogonal` and `truncated` draw weights, `gain` computes factors, `arguments` checks;
`docstrings` has the sections that the docstrings share.
"""

from numact.init.gain import gain, second_moment
from numact.init.orthogonal import orthogonal
from numact.init.truncated import sparse, truncated_normal
from numact.init.variance_scaling import (
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    xavier_normal,
    xavier_uniform,
)

__all__ = [
    "gain",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "second_moment",
    "sparse",
    "truncated_normal",
    "xavier_normal",
    "xavier_uniform",
]


def __dir__() -> list[str]:
    return sorted(__all__)
