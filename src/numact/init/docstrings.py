"""The sections that the docstrings of the initialisers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numact._functions.docstrings import fill, parameter_names

F = TypeVar("F", bound=Callable[..., Any])

PARAMETERS = {
    "shape": """\
sequence of int
    Shape of the weights, two numbers or more.""",
    "rng": """\
None, int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
    Generator to draw from, or the seed of a new one, as `numpy.random.default_rng` takes them; None seeds one from the
    operating system.""",
    "dtype": """\
dtype, default float64
    float16, float32, float64, or bfloat16 of ml_dtypes.""",
    "gain": """\
float, str or (str, dict), default {default}
    Factor, or the name of the activation that follows, with its parameters if they are not the defaults:
    ``("leaky_relu", {"negative_slope": 0.2})``.""",
    "mode": """\
{"fan_in", "fan_out", "fan_avg"}, default "fan_in"
    Whether to keep the scale of the activations, of the gradients, or a mean of both.""",
    "layout": """\
{"in_out", "out_in"}, default "in_out"
    "in_out": the last two dimensions are inputs and outputs, as in ``x @ weights`` and in Keras and JAX, after those of
    the kernel of a convolution.  "out_in": the first two are outputs and inputs, as in PyTorch, before the kernel.""",
    "groups": """\
int, default 1
    Number of groups of a grouped convolution, whose weights have the inputs of one group; it divides the outputs.""",
    "truncated": """\
bool, default False
    Whether to draw from the normal distribution cut at two deviations, widened so that the deviation is the same: the
    default of Keras and JAX.""",
}

RAISES = """\
ValueError
    If shape has fewer than two numbers or a negative one, gain is not finite and positive or is an unknown name,
    groups do not divide the outputs, or {choices} is none of those above.
TypeError
    If dtype is none of those above, or an argument is of another type."""


def documented(function: F) -> F:
    """Fill in {parameters} and {raises} of a docstring, for the parameters of the function."""
    names = parameter_names(function) + tuple(function.__kwdefaults__ or ())
    positional = parameter_names(function)
    gain = dict(zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False))["gain"]
    parameters = "\n".join(f"{name} : {PARAMETERS[name]}" for name in names)
    parameters = parameters.replace("{default}", f'"{gain}"' if isinstance(gain, str) else str(gain))
    raises = RAISES.replace("{choices}", "mode or layout" if "mode" in names else "layout")
    fill(function, parameters=parameters, raises=raises)
    return function
