from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

import numpy as np

MAX_THREADS: Final[int]
SUFFIXES: Final[tuple[str, ...]]

def levels() -> list[str]: ...
def level() -> str: ...
def compiler() -> str: ...
def dtypes() -> list[str]: ...
def rows() -> list[dict[str, Any]]: ...
def outline() -> list[tuple[str, str, list[str], bool]]: ...
def row(name: str) -> dict[str, Any]: ...
def build(
    level_name: str,
    names: Collection[str] | None = None,
    document: Callable[[dict[str, Any], str, np.ufunc], str] | None = None,
) -> dict[str, np.ufunc]: ...
def register_bfloat16(dtype: np.dtype[Any]) -> None: ...
def build_axis(level_name: str) -> dict[str, np.ufunc]: ...

FACTORS: tuple[float, float]

def call_axis(level_name: str, name: str, operands: tuple[Any, ...], axis: Any, out: Any, keepdims: bool) -> Any: ...
def axis_bounds() -> dict[str, float]: ...

class Bits:
    packed: bytes
    shape: tuple[int, ...]
    def __init__(self, packed: bytes, shape: tuple[int, ...]) -> None: ...

class MaskedFunction:
    def random(
        self, x: Any, out: Any, values: tuple[float, ...], kind: type[_Bits], threshold: int, generator: Any
    ) -> tuple[Any, _Bits] | None: ...
    def gradient(self, dy: Any, out: Any, values: tuple[float, ...], mask: Bits) -> Any: ...
    def __call__(
        self,
        x: np.ndarray[Any, Any],
        bits: np.ndarray[Any, np.dtype[np.uint8]],
        out: np.ndarray[Any, Any],
        values: tuple[float, ...],
    ) -> None: ...

class MaskedCall:
    def __init__(
        self,
        functions: dict[str, MaskedFunction],
        name: str,
        defaults: dict[str, float | None],
        conditions: list[Any],
        kind: type[Bits],
    ) -> None: ...
    def __call__(self, *given: Any, **keywords: Any) -> Any: ...

def build_masked(level_name: str) -> dict[str, MaskedFunction]: ...
def random_bits(
    bits: np.ndarray[Any, np.dtype[np.uint8]], count: int, threshold: int, generator: np.random.BitGenerator
) -> None: ...
def run_norm_task(
    level_name: str,
    name: str,
    across: bool,
    arrays: dict[str, np.ndarray[Any, np.dtype[Any]]],
    vectors: dict[str, np.ndarray[Any, np.dtype[np.float64]]],
    eps: float,
    activation: tuple[str, np.ndarray[Any, np.dtype[Any]]] | None = None,
) -> None: ...
def get_num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...
def force_workers(forced: bool) -> None: ...

class ParametricCall:
    @property
    def ufunc(self) -> np.ufunc: ...
    @property
    def nin(self) -> int: ...
    @property
    def nout(self) -> int: ...
    def __init__(
        self,
        ufunc: np.ufunc,
        defaults: dict[str, float | None],
        conditions: list[tuple[int, Callable[[Any, Any], Any], int | None, float]],
        at_zero: np.ufunc | None,
        first: int,
    ) -> None: ...
    def __call__(self, *operands: Any, **keywords: Any) -> Any: ...

class FunctionCall:
    def __init__(self, function: Callable[..., Any]) -> None: ...
    def __call__(self, *given: Any, **keywords: Any) -> Any: ...

def foreign_with(
    call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any], kind_of: Callable[[type], str | None]
) -> None: ...
def explain_with(explain: Callable[[Any, tuple[str, ...]], str | None]) -> None: ...

_Bits = TypeVar("_Bits", bound=Bits)
_Class = TypeVar("_Class", bound=type[ParametricCall] | type[MaskedCall] | type[FunctionCall])

def widened(level_name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]: ...
def narrowed(
    level_name: str, array: np.ndarray[Any, np.dtype[np.float32]], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]: ...

PADDING: int

def normalise_plain_rows(
    level_name: str, name: str, given: object, weight: object, bias: object, eps: float, out: object
) -> np.ndarray[Any, Any] | None: ...
def normalise_plain_channels(
    level_name: str,
    given: object,
    mean: object,
    var: object,
    weight: object,
    bias: object,
    eps: float,
    axis: object,
    out: object,
) -> np.ndarray[Any, Any] | None: ...

_Arrays = tuple[np.ndarray[Any, Any], ...]

def of_sums(
    level_name: str,
    ufunc: np.ufunc,
    arrays: _Arrays,
    terms: _Arrays,
    term_of: tuple[int, ...],
    parameters: np.ndarray[Any, Any],
    out: np.ndarray[Any, Any] | None,
) -> np.ndarray[Any, Any] | None: ...
def gradient_of_sums(
    level_name: str,
    ufunc: np.ufunc,
    arrays: _Arrays,
    biases: _Arrays,
    residuals: tuple[np.ndarray[Any, Any] | None, ...],
    parameters: np.ndarray[Any, Any],
    out: _Arrays,
) -> list[np.ndarray[Any, np.dtype[np.float64]]]: ...
def called_by_vector(cls: _Class) -> _Class: ...
def is_simple(given: object, out: object) -> bool: ...
def is_observable(given: object) -> bool: ...

class Observer:
    @property
    def overflowed(self) -> bool: ...
    def __init__(self, level_name: str, low: float, high: float, wanted: str) -> None: ...
    def observe(
        self,
        y: np.ndarray[Any, Any],
        kinds: tuple[bool, ...],
        activation: str | None = None,
        x: np.ndarray[Any, Any] | None = None,
        parameters: tuple[np.ndarray[Any, Any], ...] = (),
    ) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
    @property
    def figures(self) -> tuple[float, float, int, int, int, int]: ...

def count_silent(
    silent: np.ndarray[Any, np.dtype[np.int64]], dead: np.ndarray[Any, np.dtype[np.bool_]], least: int
) -> int: ...
def use_block_cache() -> Any: ...
def use_allocator(allocator: Any) -> None: ...
def set_block_limit(limit: int) -> None: ...
def block_statistics() -> dict[str, int]: ...
def use_in_api(level_name: str) -> None: ...

C_API: object
