"""The functions of numact on tensors of PyTorch in the memory of the CPU, with gradients.

Tensors and arrays share their memory, so that nothing is copied.  Values and gradients have the bits that numact has
everywhere.  float32, float64 and float16 are computed as they are, and bfloat16 where ml_dtypes is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numact.adapters._differentiable import Differentiable, find
from numact.adapters._require import require

torch: Any = require("torch", "torch", "torch", "2.2", "3.0")


def _array(tensor: Any) -> Any:
    """The memory of a tensor as an array."""
    tensor = tensor.detach()
    if tensor.dtype != torch.bfloat16:
        return tensor.numpy()
    import ml_dtypes

    return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)


def _tensor(array: Any) -> Any:
    """The memory of an array as a tensor."""
    array = np.asarray(array)
    if array.dtype.name != "bfloat16":
        return torch.from_numpy(array)
    return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)


class _Function(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any, function: Differentiable) -> Any:
        y = _tensor(function.forward(_array(x)))
        context.save_for_backward(y if function.along_axis else x)
        context.function = function
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(context: Any, dy: Any) -> tuple[Any, None]:
        (saved,) = map(_array, context.saved_tensors)
        return _tensor(context.function.backward(_array(dy), saved, saved)), None


def apply(function: str | Callable[..., Any], x: Any, **parameters: Any) -> Any:
    """Compute a function of numact on a tensor; it can be differentiated once.

    Parameters
    ----------
    function : str or function of numact
        An elementwise activation, softmax, softmin, log_softmax or sparsemax, by a name that `numact.get` knows.
    x : torch.Tensor
        In the memory of the CPU, of any strides.
    **parameters : float
        Parameters of the function; ``axis=`` and ``temperature=`` of those along an axis.

    Returns
    -------
    torch.Tensor
        Of the shape and dtype of x.

    Raises
    ------
    ValueError
        For a function that is unknown or none of these, and a tensor on another device.
    TypeError
        For what is no tensor of floating-point numbers, and a parameter that the function does not have.

    See Also
    --------
    Activation : The same as a module.

    Notes
    -----
    The result and the gradient are those of ``numact.NAME`` and ``numact.NAME_grad``, bit for bit.  A second derivative
    raises RuntimeError.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    >>> numact.adapters.torch.apply("gelu", x).sum().backward()
    >>> x.grad
    tensor([-0.0833,  0.5000,  1.0833])

    """
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise TypeError(f"apply: x must be a tensor of floating-point numbers, got {x!r}")
    if x.device.type != "cpu":
        raise ValueError(f"apply: x must be in the memory of the CPU, got a tensor on {x.device}: give x.cpu()")
    found = find("apply", function, parameters)
    if not (x.requires_grad and torch.is_grad_enabled()):
        return _tensor(found.forward(_array(x)))
    return _Function.apply(x, found)


class Activation(torch.nn.Module):  # type: ignore[misc]
    """`apply` as a module.

    Parameters
    ----------
    function : str or function of numact
        As for `apply`.
    **parameters : float
        Parameters of the function.

    Raises
    ------
    ValueError, TypeError
        As `apply`, when it is made.

    See Also
    --------
    apply : The function.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), numact.adapters.torch.Activation("mish"))
    >>> model(torch.zeros(2, 8)).shape
    torch.Size([2, 16])

    """

    def __init__(self, function: str | Callable[..., Any], **parameters: Any) -> None:
        super().__init__()
        self.function = find("Activation", function, parameters)

    def forward(self, x: Any) -> Any:
        """Compute it.

        Parameters
        ----------
        x : torch.Tensor
            In the memory of the CPU.

        Returns
        -------
        torch.Tensor

        """
        return apply(self.function.name, x, **self.function.parameters)

    def extra_repr(self) -> str:
        """What ``repr`` shows: the function and its parameters."""
        return ", ".join([self.function.name, *(f"{name}={value}" for name, value in self.function.parameters.items())])
