"""The import of this module fails in a sub-interpreter: numact works in the main interpreter, as NumPy does.

It comes before that of NumPy, which, once a sub-interpreter has imported it, the main one never can.
"""

import sys
from importlib import import_module


def is_main() -> bool:
    """Whether this is the main interpreter of the process, or no other can be told from it."""
    try:
        interpreters = import_module("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


if not is_main():
    raise ImportError(
        "numact cannot be imported in a sub-interpreter: like NumPy, it works in the main interpreter of a process; "
        "use threads or processes",
        name="numact",
    )
