"""`ParametricUfunc`: a ufunc whose last operands are parameters with names and defaults."""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from sys import intern
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._kernels import core

if TYPE_CHECKING:
    from inspect import Signature

FLOAT16, FLOAT32, FLOAT64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
# Python numbers take the dtype of the arrays beside them (NEP 50); np.float64 does not, although it is a float.
PYTHON_NUMBERS = float, int, bool
ARRAYS = np.ndarray, np.generic


def differ(a: Any, b: Any) -> Any:
    """Compare like a != b, but give False for NaN, which no rule allows."""
    return (a < b) | (a > b)


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {">": gt, ">=": ge, "<": lt, "<=": le, "!=": differ}


class Rule:
    """A condition on the parameters of a function, such as "alpha >= 0" or "min_val <= max_val"."""

    __slots__ = ("bound", "compare", "left", "name", "right", "text")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self.name, comparison, right = text.split()
        self.text = f"{comparison} {right}"
        self.compare = COMPARISONS[comparison]
        self.left = names.index(self.name)
        self.right = names.index(right) if right in names else None
        self.bound = 0.0 if right in names else float(right)

    def check(self, function: str, values: list[Any]) -> None:
        """Raise ValueError unless every element of the values is allowed; a NaN is not."""
        right = self.bound if self.right is None else as_array(values[self.right])
        left = as_array(values[self.left])
        allowed = self.compare(left, right)
        if allowed is True or np.all(allowed):
            return
        # The message shows the first element that is not allowed.
        shape = np.shape(allowed)
        where = np.unravel_index(np.argmin(allowed), shape)
        got = f"{np.broadcast_to(left, shape)[where]}"
        if self.right is not None:
            got = f"{got} and {np.broadcast_to(right, shape)[where]}"
        raise ValueError(f"{function}: {self.name} must be {self.text}, got {got}")


def as_array(value: Any) -> Any:
    """The value as an array, unless it is a Python number: that compares faster, and in the dtype of the other side."""
    return value if type(value) in PYTHON_NUMBERS else np.asanyarray(value)


class OnDemand:
    """The attribute `__signature__` of an instance, for help() and editors, computed when it is read."""

    def __get__(self, instance: Any, owner: type) -> Signature:
        if instance is None:
            raise AttributeError("__signature__")
        signature: Signature = instance._signature()
        return signature


@core.called_by_vector
class ParametricUfunc(core.ParametricCall):
    """A callable around an n-ary `numpy.ufunc` whose last operands are parameters.

    The parameters are given by position or by keyword, as Python numbers, which do not influence the dtype of the
    result, or as arrays, which broadcast like any operand.  Everything else (``out=``, ``where=``, ``dtype=``, ...)
    goes to the ufunc.

    Parameters
    ----------
    ufunc : numpy.ufunc
        The ufunc to call.
    defaults : dict of str to (float or None)
        Names and defaults of the parameters, in order; None if a call must give the parameter.
    domain : str, optional
        Rules that the parameters must obey, such as "alpha >= 0, lower <= upper".
    at_zero : numpy.ufunc, optional
        The ufunc to call instead, with one more operand, if ``at_zero=`` is given.

    Attributes
    ----------
    ufunc : numpy.ufunc
        The ufunc itself; its last operands are the parameters.
    defaults : dict of str to (float or None)
        As above.
    nin, nout : int
        Number of operands before the parameters, and of results.

    """

    __module__ = "numact"
    __signature__ = OnDemand()

    def __init__(
        self, ufunc: np.ufunc, defaults: dict[str, float | None], domain: str = "", at_zero: np.ufunc | None = None
    ) -> None:
        self._rules = [Rule(text, tuple(defaults)) for text in domain.split(", ") if text]
        conditions = [(rule.left, rule.compare, rule.right, rule.bound) for rule in self._rules]
        self.defaults = {intern(name): value for name, value in defaults.items()}
        super().__init__(ufunc, self.defaults, conditions, at_zero)
        self.__name__ = self.__qualname__ = ufunc.__name__
        self._operands = ("x",) if self.nin == 1 else ("dy", "y" if self.__name__.endswith("_grad_y") else "x")
        # Without the first lines, NumPy's signature with numbers for names.
        self.__doc__ = (ufunc.__doc__ or "").split("\n\n", 1)[-1]
        self._names = tuple(self.defaults)
        self._default_values = tuple(self.defaults.values())
        self._required = None in self._default_values
        self._at_zero = at_zero

    def _compute(self, operands: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Any call; the base class answers the usual ones itself."""
        ufunc = self.ufunc
        operands, values = operands[: self.nin], self._bind(operands, keywords)
        for rule in self._rules:
            rule.check(self.__name__, values)
        if self._at_zero is not None and (at_zero := keywords.pop("at_zero", None)) is not None:
            ufunc, values = self._at_zero, [*values, at_zero]
        arrays = [*operands, *[value for value in values if type(value) not in PYTHON_NUMBERS]]
        if (dtype := self._dtype_of_numbers(arrays, keywords)) is not None:
            values = [np.array(value, dtype) if type(value) in PYTHON_NUMBERS else value for value in values]
        return ufunc(*operands, *values, **keywords)

    def values(self, **parameters: Any) -> list[Any]:
        """The values of all parameters in order, checked: the given ones, and the defaults of the others.

        Parameters
        ----------
        **parameters : array_like
            Parameters by name.

        Returns
        -------
        list

        Raises
        ------
        TypeError
            For a name that no parameter has, or without one that has no default.
        ValueError
            For a value that the function does not allow.

        """
        values = self._bind((None,) * self.nin, parameters)
        if parameters:
            from numact._functions.words import hint

            name, word = self.__name__, next(iter(parameters))
            raise TypeError(f"{name} has no parameter {word}{hint(name, self.defaults, word)}")
        for rule in self._rules:
            rule.check(self.__name__, values)
        return values

    def _bind(self, operands: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
        """The values of the parameters, from the operands after the first `nin`, the keywords, or the defaults."""
        given = len(operands) - self.nin
        if given < 0 or given > len(self._names):
            allowed = str(self.nin) if not self._names else f"{self.nin} to {self.nin + len(self._names)}"
            raise self._refused(keywords, f"takes {allowed} positional arguments but {len(operands)} were given")
        values = [*operands[self.nin :], *self._default_values[given:]]
        if keywords:
            for index, name in enumerate(self._names):
                if name in keywords:
                    if index < given:
                        raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
                    values[index] = keywords.pop(name)
        if self._required:
            for name, value in zip(self._names, values, strict=True):
                if value is None:
                    raise self._refused(keywords, f"needs a value for the parameter {name!r}")
        return values

    def _refused(self, keywords: dict[str, Any], message: str) -> TypeError:
        """The exception for a call; a keyword that the function does not have is the first thing to say."""
        from numact._functions.words import explain

        return TypeError(explain(self, tuple(keywords)) or f"{self.__name__}() {message}")

    def _dtype_of_numbers(self, arrays: list[Any], keywords: dict[str, Any]) -> np.dtype[Any] | None:
        """The dtype in which the ufunc computes with these arrays, for converting Python numbers before the call.

        None leaves the numbers to the ufunc.  That is slower; beside integers, booleans and bfloat16 it would lead to
        a wider dtype.
        """
        if "signature" in keywords:
            return None
        if keywords.get("dtype") is not None:
            dtype = np.dtype(keywords["dtype"])
            return dtype if dtype.kind == "V" else None
        dtypes = [array.dtype for array in arrays if isinstance(array, ARRAYS)]
        if len(dtypes) < len(arrays):
            return None
        common = dtypes[0]
        if any(dtype is not common for dtype in dtypes):
            if any(dtype.kind == "V" for dtype in dtypes):
                missing = self.ufunc.nin - len(dtypes)
                return self.ufunc.resolve_dtypes((*dtypes, *dtypes[-1:] * missing, *[None] * self.nout))[0]
            common = np.result_type(*dtypes)
        if common is FLOAT32 or common is FLOAT64:
            return common
        if common.kind not in "biuV":
            return None
        return self.ufunc.resolve_dtypes((common,) * self.ufunc.nin + (None,) * self.nout)[0]

    def _signature(self) -> Signature:
        """The signature: operands by position only, parameters, then the usual keywords."""
        from inspect import Parameter, Signature

        parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in self._operands]
        for name, default in self.defaults.items():
            value = Parameter.empty if default is None else default
            parameters.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=value))
        keywords = ("out",) if self._at_zero is None else ("out", "at_zero")
        parameters += [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in keywords]
        return Signature([*parameters, Parameter("keywords", Parameter.VAR_KEYWORD)])

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        parameters = [name if default is None else f"{name}={default}" for name, default in self.defaults.items()]
        return f"<numact.ParametricUfunc {self.__name__}({', '.join([*self._operands, *parameters])})>"
