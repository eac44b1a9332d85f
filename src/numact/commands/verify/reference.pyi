from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

def names() -> list[str]: ...
def evaluate(name: str, x: npt.NDArray[np.float32], parameters: Sequence[float] = ()) -> npt.NDArray[np.float64]: ...
def compare(
    got: npt.NDArray[np.float32],
    want: npt.NDArray[np.float64],
    digits: int,
    least: int,
    largest: int,
    partial: bool = False,
    signs: bool = False,
) -> tuple[float, int, int, int]: ...
