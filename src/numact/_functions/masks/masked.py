"""NAME_masked, the activations that keep one bit per element for their gradient, and the gradient, `masked_grad`."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import number
from numact._functions.catalogue import Activation, literal, row, rules
from numact._functions.docstrings import EXAMPLE_INPUT
from numact._functions.foreign import call, kind_of
from numact._functions.lazy import Lazy
from numact._functions.masks.bit_mask import BitMask
from numact._functions.masks.loops import LOOPS, Pass, empty_bits
from numact._functions.parameters import Rule
from numact._functions.public import set_module
from numact._functions.words import explain
from numact._kernels import core
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

DOCUMENTATION = """\
`{row.name}` with a bit mask for its gradient: {row.formula}, element by element.

Parameters
----------
x : array_like
    Input, of any shape; integers and booleans are converted as by `numpy.exp`.
{parameters}out : ndarray, tuple of one ndarray or `...`, optional
    Array to write y into, of the shape of x; it may be x, which computes in place.

Returns
-------
y : ndarray or scalar
    `{row.name}` of x, bit for bit, of the shape of x.
mask : BitMask
    Where the derivative is 1: there `masked_grad` multiplies by its first factor, elsewhere by its second.

Raises
------
TypeError
    If x has neither floating-point numbers, integers nor booleans{no_number};
    if out is not an array or has a dtype to which y does not cast.
ValueError
    If out has another shape or is read-only{rules}.  Nothing is written then.

See Also
--------
masked_grad : The gradient from the mask.
{row.name} : The activation alone.
{row.name}_grad : The gradient from the input.
BitMask : The class of masks.

Notes
-----
The gradient is ``masked_grad(dy, mask{off})``, dy times the derivative: {row.derivative}.
With the mask, neither x nor y needs to be kept for it: the mask has one bit for each element, where float32 has 32.

x and out may have any strides and byte order; the mask is always in C order.  Memory that is not C-contiguous is copied
on the way, and a new y is C-contiguous.  Subclasses of arrays are treated as plain arrays, and out is returned as it
is.  A parameter is a number, and float32 beside float16 and bfloat16.

Examples
--------
>>> x = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
>>> y, mask = numact.{row.name}_masked(x{values})
>>> y
{y!r}
>>> mask.unpack()
{mask!r}
>>> numact.masked_grad(np.ones_like(y), mask{off_value})
{dx!r}
"""


@core.called_by_vector
class MaskedActivation(core.MaskedCall):
    """The function NAME_masked for a row of the catalogue: the activation, and a bit mask for its gradient."""

    def __init__(self, row: Activation) -> None:
        self.__name__ = self.__qualname__ = name = f"{row.name}_masked"
        self.__module__ = "numact"
        self._names = names = tuple(parameter for parameter, _ in row.parameters)
        self._checks = [Rule(text, names) for text in rules(row.domain, "").split(", ") if text]
        conditions = [(rule.left, rule.compare, rule.right, rule.bound) for rule in self._checks]
        super().__init__(LOOPS, name, dict(row.parameters), conditions, BitMask)
        kind = Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = Signature(
            [
                Parameter("x", kind),
                *(Parameter(parameter, kind, default=default) for parameter, default in row.parameters),
                Parameter("out", kind, default=None),
            ]
        )
        example = {name: 0.2 if name == "negative_slope" else default for name, default in row.parameters}
        y, mask = self(EXAMPLE_INPUT, **example)
        allowed = rules(row.domain, "")
        other = "negative_slope" if "negative_slope" in names else ""
        self.__doc__ = DOCUMENTATION.format(
            row=row,
            y=y,
            mask=mask.unpack(),
            dx=np.where(mask.unpack(), 1.0, example.get("negative_slope") or 0.0),
            parameters="".join(
                f"{parameter} : float, default {default}\n    Parameter of the formula.\n"
                for parameter, default in row.parameters
            ),
            no_number=f", or if {' or '.join(names)} is not a number" if names else "",
            rules=f", or unless {allowed}" if allowed else "",
            off=f", off={other}" if other else "",
            off_value=", off=0.2" if other else "",
            values=", negative_slope=0.2"
            if other
            else "".join(f", {p}={literal(v or 0.0)}" for p, v in row.parameters),
        )

    def _compute(self, *given: Any, **keywords: Any) -> tuple[Any, BitMask]:
        """Any call; the base class answers the usual ones itself."""
        name = self.__name__
        if any(kind_of(type(value)) for value in (*given, *keywords.values())):
            found: tuple[Any, BitMask] = call(self, given, keywords)
            return found
        try:
            bound = self.__signature__.bind(*given, **keywords)
        except TypeError as error:
            raise TypeError(explain(self, tuple(keywords)) or f"{name}: {error}") from None
        bound.apply_defaults()
        x, *parameters, out = bound.args
        values = [number(name, *pair) for pair in zip(self._names, parameters, strict=True)]
        for check in self._checks:
            check.check(name, values)
        work = Pass(name, "x", x, out)
        shape = work.source.shape
        bits = empty_bits(shape)
        return work.run(name, bits, values), BitMask._of(bits, shape)

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        return f"<numact.MaskedActivation {self.__name__}{self.__signature__}>"


ACTIVATIONS = Lazy(
    [f"{name}_masked" for name, _, _, masked in ufuncs.OUTLINE if masked],
    lambda name: MaskedActivation(row(name.removesuffix("_masked"))),
)


def __getattr__(name: str) -> MaskedActivation:
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


@set_module("numact")
def masked_grad(dy: ArrayLike, mask: BitMask, on: float = 1.0, off: float = 0.0, out: Any = None) -> Any:
    """Gradient from a bit mask: dy times one of two factors.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of the mask.
    mask : BitMask
        What the forward pass returned.
    on, off : float, default 1.0 and 0.0
        The factors where the bit is set, and where it is not.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array to write into, of the shape of dy; it may be dy, which computes in place.

    Returns
    -------
    dx : ndarray or scalar
        Gradient by the input, of the shape of dy.

    Raises
    ------
    TypeError
        If mask is not a `BitMask` or a factor is not a number, if dy has neither floating-point numbers, integers nor
        booleans, or if out is not an array or has a dtype to which dx does not cast.
    ValueError
        If mask or out has another shape than dy, or out is read-only.  Nothing is written then.

    See Also
    --------
    relu_masked, relu6_masked, hard_tanh_masked : Their gradients have the default factors.
    leaky_relu_masked : Its gradient has the slope as `off`.
    dropout : Its gradient has 1 / (1 - p) as `on`.

    Notes
    -----
    A factor of 0 gives 0 for every dy, NaN and infinities included.  A factor of 1 gives dy itself.  With the factors
    of its activation the result is that of ``NAME_grad``, bit for bit, except that ``leaky_relu_grad`` multiplies by a
    negative_slope of 0: there a negative dy gives -0 and an infinite one NaN.

    Factors are float32 beside float16 and bfloat16.  A product that overflows is infinite, without a warning.  Strides
    and subclasses of arrays are treated as in `relu_masked`.

    Examples
    --------
    >>> y, mask = numact.leaky_relu_masked(np.linspace(-1, 1, 5), negative_slope=0.2)
    >>> y
    array([-0.2, -0.1,  0. ,  0.5,  1. ])
    >>> mask.unpack()
    array([False, False, False,  True,  True])
    >>> numact.masked_grad(np.ones(5), mask, off=0.2)
    array([0.2, 0.2, 0.2, 1. , 1. ])

    """
    if not isinstance(mask, BitMask):
        raise TypeError(f"masked_grad: mask must be a BitMask, as BitMask.pack makes of booleans, got {shown(mask)}")
    factors = number("masked_grad", "on", on), number("masked_grad", "off", off)
    if (found := LOOPS["masked_grad"].gradient(dy, out, factors, mask)) is not None:
        return found
    work = Pass("masked_grad", "dy", dy, out)
    if work.source.shape != mask.shape:
        raise ValueError(f"masked_grad: mask must have the shape of dy, {work.source.shape}, got {mask.shape}")
    return work.run("masked_grad", mask.bits, factors)
