"""Initial weights that keep the scale of activations and gradients from layer to layer: He, Xavier, LeCun, orthogonal.

With weights of variance gain^2 / fan_in, the pre-activations of a layer have the second moment of those before it,
where gain^2 E[f(z)^2] = 1 for a standard normal z: `gain` gives this number for every activation of the catalogue.
"""

from numact.init.gain import gain, second_moment
from numact.init.he import he_normal, he_uniform
from numact.init.lecun import lecun_normal, lecun_uniform
from numact.init.orthogonal import orthogonal
from numact.init.xavier import xavier_normal, xavier_uniform

__all__ = [
    "gain",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "second_moment",
    "xavier_normal",
    "xavier_uniform",
]


def __dir__() -> list[str]:
    return __all__
