"""The functions and dtypes that the options --function and --dtype select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from numact._functions.catalogue import Activation, catalogue
from numact._functions.names import plain
from numact.commands.inputs import of_parameters, parameter_sets

# Bound for float16 and bfloat16, in ULP: 0.5 for the rounding, the rest for the error of the float32 result.
HALF_BOUND = 0.51


@dataclass(frozen=True)
class Function:
    """An activation (suffix "") or its gradient ("_grad", "_grad_y")."""

    row: Activation
    suffix: str

    @property
    def name(self) -> str:
        return self.row.name + self.suffix

    def bound(self, dtype: str) -> float:
        """The error bound of the catalogue, in ULP."""
        if dtype in ("float16", "bfloat16"):
            return HALF_BOUND
        return self.row.ulp_gradient if self.suffix else self.row.ulp

    def parameters(self, dtype: Any) -> list[tuple[Any, ...]]:
        """Sets of parameters to check with, the defaults first; float32 for the half types."""
        kind = of_parameters(dtype)
        return [tuple(kind(value) for value in values) for values in parameter_sets(self.row)]


class UsageError(Exception):
    """An option names something that does not exist or needs a package that is not installed."""


def output_path(option: str, file: str, suffixes: Sequence[str]) -> Path:
    """The path of a file that will be written; one that cannot be is an error before anything is computed."""
    path = Path(file)
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} must end with {', '.join(suffixes)}, got {file!r}")
    if not path.parent.is_dir():
        raise UsageError(f"{option}: there is no folder {str(path.parent)!r}")
    new = not path.exists()
    try:
        with path.open("ab"):
            pass
    except (OSError, ValueError) as error:
        raise UsageError(f"{option}: {file!r} cannot be written: {getattr(error, 'strerror', error)}") from None
    if new:
        path.unlink()
    return path


def functions(names: Sequence[str], families: Sequence[str], verb: str) -> list[Function]:
    """The functions of these names (default: all); "gelu" stands for its gradients, too."""
    every = [
        Function(row, suffix)
        for row in catalogue()
        if row.family in families
        for suffix, exists in (("", True), ("_grad", True), ("_grad_y", row.from_output))
        if exists
    ]
    chosen: dict[str, Function] = {}
    for name in names:
        wanted = plain(name)
        found = [
            function
            for function in every
            if wanted in (plain(function.name), plain(function.row.name), *map(plain, function.row.aliases))
        ]
        if not found:
            known = ", ".join(dict.fromkeys(function.row.name for function in every))
            raise UsageError(f"--function: {name!r} is none of the functions that can be {verb}: {known}")
        chosen.update((function.name, function) for function in found)
    return list(chosen.values()) if names else every


def dtypes(names: Sequence[str]) -> dict[str, Any]:
    """The types of these names (default: all that the installed packages allow)."""
    types: dict[str, Any] = {"float16": np.float16, "float32": np.float32, "float64": np.float64}
    try:
        import ml_dtypes

        types["bfloat16"] = ml_dtypes.bfloat16
    except ModuleNotFoundError:
        if "bfloat16" in names:
            raise UsageError("--dtype bfloat16 needs ml_dtypes: pip install ml_dtypes") from None
    for name in names:
        if name not in ("float16", "bfloat16", "float32", "float64"):
            raise UsageError(f"--dtype: must be one of float16, bfloat16, float32, float64; got {name!r}")
    return {
        name: types[name]
        for name in dict.fromkeys(names or ("float16", "bfloat16", "float32", "float64"))
        if name in types
    }
