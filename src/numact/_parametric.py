"""`ParametricUfunc`: a ufunc whose last operands are parameters with names and defaults."""

from collections.abc import Callable
from operator import ge, gt
from typing import Any

import numpy as np

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {">": gt, ">=": ge}

NUMBERS = (float, int, bool)
FLOAT16, FLOAT32, FLOAT64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)


class Domain:
    """The allowed values of one parameter, such as "alpha >= 0"."""

    __slots__ = ("bound", "compare", "name", "text")

    def __init__(self, text: str) -> None:
        self.name, comparison, bound = text.split()
        self.text = f"{comparison} {bound}"
        self.compare = COMPARISONS[comparison]
        self.bound = float(bound)

    def check(self, function: str, value: Any) -> None:
        """Raise ValueError unless every element of value is allowed; a NaN is not."""
        allowed = self.compare(value, self.bound) if isinstance(value, float | int) else None
        if allowed is None:
            array = np.asanyarray(value)
            wrong = ~self.compare(array, self.bound)
            allowed = not wrong.any()
            value = value if array.ndim == 0 or allowed else array[wrong].flat[0]
        if not allowed:
            raise ValueError(f"{function}: {self.name} must be {self.text}, got {value}")


class ParametricUfunc:
    """A callable around an n-ary `numpy.ufunc` whose last operands are parameters.

    The parameters are given by position or by keyword, as Python numbers, which do not influence the dtype of the
    result, or as arrays, which broadcast like any operand.  Everything else (``out=``, ``where=``, ``dtype=``, ...)
    goes to the ufunc.

    Attributes
    ----------
    ufunc : numpy.ufunc
        The ufunc itself; its last operands are the parameters.
    defaults : dict of str to float
        Names and defaults of the parameters, in order.
    nin, nout : int
        Number of operands before the parameters, and of results.

    """

    def __init__(
        self, ufunc: np.ufunc, defaults: dict[str, float], domain: str = "", at_zero: np.ufunc | None = None
    ) -> None:
        self.ufunc = ufunc
        self.defaults = dict(defaults)
        self.nin = ufunc.nin - len(self.defaults)
        self.nout = ufunc.nout
        self.__name__ = self.__qualname__ = ufunc.__name__
        self.__module__ = "numact"
        self.__doc__ = ufunc.__doc__
        self._names = tuple(self.defaults)
        self._default_values = tuple(self.defaults.values())
        # A ufunc takes a zero-dimensional array faster than a Python float.
        self._defaults_f16 = tuple(np.array(value, FLOAT16) for value in self._default_values)
        self._defaults_f32 = tuple(np.array(value, FLOAT32) for value in self._default_values)
        self._defaults_f64 = tuple(np.array(value, FLOAT64) for value in self._default_values)
        self._domain = Domain(domain) if domain else None
        self._at_zero = at_zero

    def __call__(self, *operands: Any, **keywords: Any) -> Any:
        """Compute; see the documentation of the instance."""
        # The common call, short because small arrays feel every step: defaults, arrays of one dtype, at most out=.
        if len(operands) == self.nin and (not keywords or (len(keywords) == 1 and "out" in keywords)):
            first, last = operands[0], operands[-1]
            if type(first) is np.ndarray and type(last) is np.ndarray and (dtype := first.dtype) is last.dtype:
                if dtype is FLOAT32:
                    return self.ufunc(*operands, *self._defaults_f32, **keywords)
                if dtype is FLOAT64:
                    return self.ufunc(*operands, *self._defaults_f64, **keywords)
                if dtype is FLOAT16:
                    return self.ufunc(*operands, *self._defaults_f16, **keywords)
        ufunc = self.ufunc
        given = len(operands) - self.nin
        if given < 0 or given > len(self._names):
            allowed = str(self.nin) if not self._names else f"{self.nin} to {self.nin + len(self._names)}"
            raise TypeError(f"{self.__name__}() takes {allowed} positional arguments but {len(operands)} were given")
        values: tuple[Any, ...] = self._default_values[given:]
        if keywords:
            values = tuple(
                keywords.pop(name, default) for name, default in zip(self._names[given:], values, strict=True)
            )
            for name in self._names[:given]:
                if name in keywords:
                    raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
            if self._at_zero is not None and (at_zero := keywords.pop("at_zero", None)) is not None:
                ufunc, values = self._at_zero, (*values, at_zero)
        operands, values = operands[: self.nin], (*operands[self.nin :], *values)
        if (dtype := self._dtype_of_numbers(operands, keywords)) is not None:
            values = tuple(np.array(value, dtype) if type(value) in NUMBERS else value for value in values)
        operands = (*operands, *values)
        if self._domain is not None:
            self._domain.check(self.__name__, operands[self.nin + self._names.index(self._domain.name)])
        return ufunc(*operands, **keywords)

    def _dtype_of_numbers(self, operands: tuple[Any, ...], keywords: dict[str, Any]) -> np.dtype[Any] | None:
        """The dtype that Python numbers must have so as not to widen the result; None where NumPy sees to that.

        It does beside its own floating-point types, but not beside integers, booleans or bfloat16.
        """
        if "signature" in keywords:
            return None
        if keywords.get("dtype") is not None:
            dtype = np.dtype(keywords["dtype"])
            return dtype if dtype.kind == "V" else None
        if not all(isinstance(operand, np.ndarray | np.generic) for operand in operands):
            return None
        dtypes = [operand.dtype for operand in operands]
        if all(dtype.kind not in "biuV" for dtype in dtypes):
            return None
        return self.ufunc.resolve_dtypes((*dtypes, *dtypes[-1:] * len(self._names), *[None] * self.nout))[0]

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        parameters = "".join(f", {name}={default}" for name, default in self.defaults.items())
        return f"<numact.ParametricUfunc {self.__name__}({'x' if self.nin == 1 else 'dy, x'}{parameters})>"
