"""The library of an adapter: found, and of a version for which the adapter was made."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def require(extra: str, module: str, package: str, least: str, below: str) -> Any:
    """Import a module of a library.

    Parameters
    ----------
    extra : str
        The name of the adapter, and of the extra that installs its library.
    module : str
        The module.
    package : str
        The name of the library in the package index.
    least, below : str
        The versions for which the adapter is made: from the first on, below the second.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If the library is not installed, or is of another version.

    """
    try:
        found = version(package)
    except PackageNotFoundError:
        raise ImportError(
            f'numact.adapters.{extra} needs {package}, which is not installed: pip install "numact[{extra}]"'
        ) from None
    if not _numbers(least) <= _numbers(found) < _numbers(below):
        raise ImportError(f"numact.adapters.{extra} supports {package} from {least} to below {below}, found {found}")
    return import_module(module)


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: (3, 12) of "3.12.0rc1"."""
    numbers = []
    for part in text.split(".")[:2]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(int(digits or 0))
    return tuple(numbers)
