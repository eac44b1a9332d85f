"""Masked arrays: the mask is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.docstrings import parameter_names
from numact._functions.foreign.arguments import ELEMENTWISE, MASK_AWARE, argument, kind_of, replaced, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable


def call_masked(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    name = function.__name__
    if name in MASK_AWARE or name.endswith("_split"):
        return function(*given, **keywords)
    masked = [value for value in (*given, *keywords.values()) if kind_of(type(value)) == "masked"]
    mask = np.ma.getmaskarray(masked[0])
    by_element = name in ELEMENTWISE or name.endswith(("_masked", "_split_grad"))
    if not by_element and any(np.ma.is_masked(value) for value in masked):
        all_named = {**dict(zip(parameter_names(function), given, strict=False)), **keywords}
        wrong = next(key for key, value in all_named.items() if np.ma.is_masked(value))
        raise TypeError(
            f"{name}: an operand is masked, {wrong}, and masked entries cannot be left out: "
            f"give {wrong}.filled(...) or {wrong}.compressed()"
        )
    for value in masked[1:]:
        if value.shape == mask.shape:
            mask = mask | np.ma.getmaskarray(value)

    def data(value: Any) -> Any:
        return value.data if isinstance(value, np.ma.MaskedArray) else value

    arguments, named = replaced(given, keywords, data)
    results = function(*arguments, **named)
    if name.endswith("_split_grad"):
        mask = _mask_of_halves(*(argument(function, given, keywords, key) for key in ("dy", "x", "axis")))
    found = wrapped(results, mask.shape, lambda array: np.ma.array(array, mask=mask))
    return results if found is None else found


def _mask_of_halves(dy: Any, x: Any, axis: int | None) -> Any:
    """Where a gradient of NAME_split is masked: in both halves where one of the operands is."""
    along = -1 if axis is None else axis
    first, second = np.split(np.ma.getmaskarray(np.ma.asanyarray(x)), 2, along)
    either = first | second | np.ma.getmaskarray(np.ma.asanyarray(dy))
    return np.concatenate([either, either], along)
