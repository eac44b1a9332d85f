"""Optimisers: stochastic gradient descent with momentum, and Adam."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from numact._functions.arguments import number_between
from numact.init.arguments import as_finite
from numact.study.checks import items, portion
from numact.study.layers import Array


class SGD:
    """Stochastic gradient descent with momentum: v = momentum v + g, w -= rate v.

    Parameters
    ----------
    rate : float
        Learning rate.
    momentum : float, default 0.9
        Share of the last step.

    """

    def __init__(self, rate: float, momentum: float = 0.9) -> None:
        self.rate, self.momentum = as_finite("SGD", "rate", rate), as_finite("SGD", "momentum", momentum)
        self._velocities: list[Array] = []

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the parameters in place."""
        self._velocities = self._velocities or [np.zeros_like(p) for p in parameters]
        for p, g, v in zip(parameters, gradients, self._velocities, strict=True):
            v *= np.asarray(self.momentum, v.dtype)
            v += g
            p -= np.asarray(self.rate, p.dtype) * v


class Adam:
    """Adam (Kingma and Ba, 2015).

    Parameters
    ----------
    rate : float, default 1e-3
        Learning rate.
    betas : tuple of float, default (0.9, 0.999)
        Shares of the running means of gradients and of their squares.
    eps : float, default 1e-8
        Added to the root.

    """

    def __init__(self, rate: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
        shares = [portion("Adam", "betas", beta) for beta in items("Adam", "betas", betas)]
        if len(shares) != 2:
            raise ValueError(f"Adam: betas must be two numbers, got {len(shares)}")
        self.rate, self.betas = as_finite("Adam", "rate", rate), (shares[0], shares[1])
        self.eps = number_between("Adam", "eps", eps, 0, inf)
        self._means: list[Any] = []
        self._steps = 0

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the parameters in place."""
        self._means = self._means or [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        self._steps += 1
        first, second = self.betas
        scale = self.rate * (1 - second**self._steps) ** 0.5 / (1 - first**self._steps)
        for p, g, (m, v) in zip(parameters, gradients, self._means, strict=True):
            m += np.asarray(1 - first, m.dtype) * (g - m)
            v += np.asarray(1 - second, v.dtype) * (g * g - v)
            p -= np.asarray(scale, p.dtype) * m / (np.sqrt(v) + np.asarray(self.eps, p.dtype))
