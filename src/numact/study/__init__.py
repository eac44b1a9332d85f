"""Experiments with activations: networks in plain NumPy on numact's kernels, and the questions that people ask.

``python -m numact study`` answers the questions; `compare` trains networks on one's own data.  Needs the extra
``numact[study]``.
"""

from numact.study.comparison import Comparison, compare
from numact.study.data import Data, DataError, load, prepare, read
from numact.study.networks import Design, Network
from numact.study.optimisers import SGD, Adam
from numact.study.training import History, run, train

__all__ = [
    "SGD",
    "Adam",
    "Comparison",
    "Data",
    "DataError",
    "Design",
    "History",
    "Network",
    "compare",
    "load",
    "prepare",
    "read",
    "run",
    "train",
]


def __dir__() -> list[str]:
    return sorted(__all__)
