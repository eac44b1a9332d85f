"""The derivatives themselves, for those who write f'(x): `derivative`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from numact._functions.names import FUNCTIONS, find_argument
from numact._functions.public import set_module
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from collections.abc import Callable


@set_module("numact")
def derivative(activation: str | Callable[..., Any], **parameters: Any) -> Callable[..., Any]:
    """Find the derivative f' of an elementwise activation f, as a function of x.

    Parameters
    ----------
    activation : str or function of numact
        The activation by any name that `get` knows, or the function itself.
    **parameters
        Parameters of the activation by name, such as ``negative_slope=0.2``; of one with a kink at 0 also ``at_zero=``,
        the value of the derivative there.

    Returns
    -------
    slope : functools.partial
        ``derivative(f)(x)`` is ``f_grad(True, x)``, of the shape and dtype of ``f(x)``: True is the 1 that promotes
        nothing; keywords such as ``out=`` are those of the gradient.

    Raises
    ------
    ValueError
        If no activation has the name, or it is not elementwise.
    TypeError
        If activation is neither a string nor a function of numact.

    See Also
    --------
    get : Finds functions by name; ``get("gelu_grad")`` multiplies by dy in the same pass, which is what a backward pass
        needs.

    Notes
    -----
    A backward pass wants dy f'(x): the gradient computes both in one pass over the memory, rounded once.

    Examples
    --------
    >>> slope = numact.derivative("gelu")
    >>> slope(np.array([-1.0, 0.0, 1.0]))
    array([-0.08331547,  0.5       ,  1.08331547])

    """
    name, given = find_argument("derivative", "activation", activation)
    gradient = f"{name}_grad"
    if gradient not in FUNCTIONS or getattr(FUNCTIONS[gradient], "nin", 0) != 2:
        raise ValueError(f"derivative: activation must be an elementwise activation, got {shown(name)}")
    return partial(FUNCTIONS[gradient], True, **given, **parameters)
