"""The attributes and methods of `numpy.ufunc` for functions with parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numact._functions.parameters import PYTHON_NUMBERS
from numact._kernels.messages import shown


class UfuncMethods:
    """What a ufunc has beside its call, for a class that holds one whose last operands are parameters."""

    __name__: str
    ufunc: np.ufunc
    nin: int
    nout: int
    __call__: Callable[..., Any]

    @property
    def nargs(self) -> int:
        """Number of operands before the parameters and of results."""
        return self.nin + self.nout

    @property
    def types(self) -> list[str]:
        """The types of the operands and results, as in `numpy.ufunc.types`, without those of the parameters."""
        signatures = (types.split("->") for types in self.ufunc.types)
        return [f"{operands[: self.nin]}->{results}" for operands, results in signatures]

    @property
    def ntypes(self) -> int:
        """Number of entries of `types`."""
        return int(self.ufunc.ntypes)

    @property
    def identity(self) -> None:
        """None: no value leaves its neighbour unchanged."""
        return None

    signature = identity

    def outer(self, a: Any, b: Any, /, **keywords: Any) -> Any:
        """The function of all pairs of elements of a and b, for a function of two operands.

        Parameters
        ----------
        a, b : array_like
            Operands.
        **keywords
            Parameters by name, and the keywords of the function.

        Returns
        -------
        ndarray
            Of the shape ``a.shape + b.shape``.

        Raises
        ------
        ValueError
            For a function of one operand.

        """
        if self.nin != 2:
            raise ValueError(f"{self.__name__}.outer: the function must have two operands, it has {self.nin}")
        if not isinstance(a, np.generic):
            a = np.asanyarray(a)
        return self(a.reshape(a.shape + (1,) * np.ndim(b)), b, **keywords)

    def reduce(self, *arguments: Any, **keywords: Any) -> Any:
        """As `numpy.ufunc.reduce`, for a function of two operands without parameters."""
        return self._binary("reduce")(*arguments, **keywords)

    def accumulate(self, *arguments: Any, **keywords: Any) -> Any:
        """As `numpy.ufunc.accumulate`, for a function of two operands without parameters."""
        return self._binary("accumulate")(*arguments, **keywords)

    def reduceat(self, *arguments: Any, **keywords: Any) -> Any:
        """As `numpy.ufunc.reduceat`, for a function of two operands without parameters."""
        return self._binary("reduceat")(*arguments, **keywords)

    def _binary(self, method: str) -> Callable[..., Any]:
        """A method of the ufunc that exists for two operands."""
        if self.ufunc.nin != 2 or self.nin != 2:
            raise ValueError(f"{self.__name__}.{method}: the function must have two operands and no parameters")
        found: Callable[..., Any] = getattr(self.ufunc, method)
        return found

    def at(self, a: Any, indices: Any, b: Any = None, /, **parameters: Any) -> None:
        """Apply the function in place to elements of a, once for each time that an element is indexed.

        Parameters
        ----------
        a : ndarray
            Array to change.
        indices : array_like or tuple
            Which elements, as in ``a[indices]``.
        b : array_like, optional
            Second operand, of a function that has two; it broadcasts to the shape of ``a[indices]``.
        **parameters : array_like
            Parameters by name.

        Raises
        ------
        TypeError
            If a is no array.
        ValueError
            If b is missing, or given to a function of one operand.

        """
        if not isinstance(a, np.ndarray):
            raise TypeError(f"{self.__name__}.at: a must be an array, got {shown(a)}")
        if (b is None) is not (self.nin == 1):
            raise ValueError(f"{self.__name__}.at: the function has {self.nin} operands, got {1 if b is None else 2}")
        places = np.arange(a.size).reshape(a.shape)[indices]
        if type(b) in PYTHON_NUMBERS:
            b = np.asarray(b, a.dtype)
        second: tuple[Any, ...] = () if b is None else (np.broadcast_to(np.asanyarray(b), places.shape).ravel(),)
        places = places.ravel()
        while places.size:
            unique, first = np.unique(places, return_index=True)
            a.flat[unique] = self(a.flat[unique], *(operand[first] for operand in second), **parameters)
            places = np.delete(places, first)
            second = tuple(np.delete(operand, first) for operand in second)
