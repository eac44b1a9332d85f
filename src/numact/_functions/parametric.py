"""`ParametricUfunc`: a ufunc whose last operands are parameters with names and defaults."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import naming, number
from numact._functions.methods import UfuncMethods
from numact._functions.parameters import (
    FLOAT32,
    FLOAT64,
    Rule,
    as_operand,
    as_parameter,
    common_dtype,
    dtypes_of,
    fits,
    narrowed,
)
from numact._kernels import core
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from inspect import Signature


def values_of(function: str, argument: str, activation: ParametricUfunc, parameters: dict[str, Any]) -> list[Any]:
    """The values of the parameters of an argument of a function, which the messages name."""
    with naming(function, argument):
        return activation.values(**parameters)


class OnDemand:
    """The attribute `__signature__` of an instance, for help() and editors, computed when it is read."""

    def __get__(self, instance: Any, owner: type) -> Signature:
        if instance is None:
            raise AttributeError("__signature__")
        signature: Signature = instance._signature()
        return signature


@core.called_by_vector
class ParametricUfunc(UfuncMethods, core.ParametricCall):
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
        for name, value in (("ufunc", ufunc), ("at_zero", at_zero)):
            if not isinstance(value, np.ufunc) and not (name == "at_zero" and value is None):
                raise TypeError(f"ParametricUfunc: {name} must be a numpy.ufunc, got {shown(value)}")
        if not isinstance(defaults, dict) or not all(isinstance(name, str) for name in defaults):
            raise TypeError(f"ParametricUfunc: defaults must be a dict from names to numbers, got {shown(defaults)}")
        if not isinstance(domain, str):
            raise TypeError(f"ParametricUfunc: domain must be a string, got {shown(domain)}")
        defaults = {
            name: None if value is None else number("ParametricUfunc", f"the default of {name}", value)
            for name, value in defaults.items()
        }
        self._rules = [Rule(text, tuple(defaults)) for text in domain.split(", ") if text]
        conditions = [(rule.left, rule.compare, rule.right, rule.bound) for rule in self._rules]
        self.defaults = {intern(str(name)): value for name, value in defaults.items()}
        # Bounds, such as "min_val <= max_val", with which a rounded output is compared, must be rounded as it is.
        from_output = ufunc.__name__.endswith("_grad_y")
        self._bounds = {k for rule in self._rules if from_output and rule.right is not None for k in rule.indices}
        super().__init__(ufunc, self.defaults, conditions, at_zero, 1 if self._bounds else 0)
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
        values = self._operands_of(self._bind(operands, keywords))
        operands = operands[: self.nin]
        for rule in self._rules:
            rule.check(self.__name__, values, keywords.get("where", True))
        if self._at_zero is not None and (at_zero := keywords.pop("at_zero", None)) is not None:
            ufunc, values = self._at_zero, [*values, as_operand(self.__name__, "at_zero", at_zero)]
        if "signature" in keywords or "sig" in keywords:
            return ufunc(*operands, *values, **keywords)
        return self._call(ufunc, operands, values, keywords)

    def _call(self, ufunc: np.ufunc, operands: tuple[Any, ...], values: list[Any], keywords: dict[str, Any]) -> Any:
        """Call the ufunc with the parameters in the dtypes in which it takes them.

        Numbers do not count for the dtype of the result, arrays do.  The parameters of 16-bit arrays are float32.
        """
        if not values:
            return ufunc(*operands, **keywords)
        of_operands, of_values = dtypes_of(operands), dtypes_of(value for value in values if np.ndim(value))
        if of_operands is None or of_values is None or not of_operands + of_values:
            return ufunc(*operands, *values, **keywords)
        given = keywords.get("dtype")
        common = common_dtype(of_operands + of_values) if given is None else np.dtype(given)
        dtypes: tuple[np.dtype[Any], ...] = (common,) * (ufunc.nin + ufunc.nout)
        if common is not FLOAT32 and common is not FLOAT64:
            dtypes = ufunc.resolve_dtypes((*dtypes[: ufunc.nin], *(None,) * ufunc.nout))
        result, of_parameters = dtypes[-1], dtypes[len(operands) : ufunc.nin]
        if ufunc.nout == 1 and not all(map(fits, values, of_parameters)):
            return narrowed(ufunc, (*operands, *values), keywords, result)
        if given is None and of_values and any(dtype is not common for dtype in of_operands):
            keywords["dtype"] = result
        values = [
            as_parameter(value, dtype, result if k in self._bounds else dtype)
            for k, (value, dtype) in enumerate(zip(values, of_parameters, strict=True))
        ]
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
        values = self._operands_of(self._bind((None,) * self.nin, parameters))
        if parameters:
            from numact._functions.words import hint

            name, word = self.__name__, next(iter(parameters))
            raise TypeError(f"{name} has no parameter {word}{hint(name, self.defaults, word)}")
        for rule in self._rules:
            rule.check(self.__name__, values)
        return values

    def _operands_of(self, values: list[Any]) -> list[Any]:
        """The values of the parameters as numbers or arrays."""
        return [as_operand(self.__name__, name, value) for name, value in zip(self._names, values, strict=True)]

    def _bind(self, operands: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
        """The values of the parameters, from the operands after the first `nin`, the keywords, or the defaults."""
        given = len(operands) - self.nin
        results = operands[self.ufunc.nin :]
        if given < 0 or len(results) > self.nout:
            allowed = f"{self.nin} to {self.ufunc.nargs}"
            raise self._refused(keywords, f"takes {allowed} positional arguments but {len(operands)} were given")
        if results:
            if "out" in keywords:
                raise TypeError(f"{self.__name__}() got multiple values for argument 'out'")
            keywords["out"] = (*results, *(None,) * (self.nout - len(results)))
            operands = operands[: self.ufunc.nin]
            given = len(self._names)
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
