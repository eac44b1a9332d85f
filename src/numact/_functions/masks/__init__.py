"""Functions with one bit for each element: `BitMask`, the `NAME_masked` activations, `masked_grad` and `dropout`."""

from collections.abc import Callable
from typing import Any

from numact._functions.catalogue import catalogue
from numact._functions.masks.bit_mask import BitMask
from numact._functions.masks.dropout import dropout
from numact._functions.masks.masked import MaskedActivation, masked_grad

__all__ = ["PUBLIC", "BitMask", "MaskedActivation", "dropout", "masked_grad"]

PUBLIC: dict[str, Callable[..., Any]] = {
    **{f"{row.name}_masked": MaskedActivation(row) for row in catalogue() if row.masked},
    "masked_grad": masked_grad,
    "dropout": dropout,
}
for _public in (BitMask, masked_grad, dropout):
    _public.__module__ = "numact"  # where it is public, and where a pickle looks for it
