"""Values in messages."""

from typing import Any

import numpy as np


def shown(value: Any, most: int = 200) -> str:
    """A value as repr writes it, cut where it is long."""
    if isinstance(value, np.ndarray) and value.size > most:  # repr may write all elements of many dimensions
        return f"an array of {value.dtype} and shape {value.shape}"
    if isinstance(value, tuple | list) and any(isinstance(one, np.ndarray) for one in value):
        return f"a {type(value).__name__} of {len(value)}, arrays among them"
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = object.__repr__(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
