"""The public interface: completeness, ufunc semantics, parameters, errors, configuration."""

import copy
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from support.cases import CHOSEN, LEVELS, ROWS, assert_same_bits
from support.processes import run
from support.reference import REFERENCE

import numact
from numact import ParametricUfunc
from numact._functions.lazy import Lazy
from numact._kernels import core

NAMES = [
    row.name + suffix
    for row in ROWS
    for suffix, exists in (("", True), ("_grad", True), ("_grad_y", row.from_output))
    if exists
]
every_name = pytest.mark.parametrize("name", NAMES)


def public(name: str) -> Any:
    """Get a function of numact."""
    return getattr(numact, name)


def operands(function: Any, x: Any) -> tuple[Any, ...]:
    """Give x as every operand that is no parameter, and values to the parameters that have no default."""
    parameters = getattr(function, "defaults", {})
    return (x,) * int(function.nin) + tuple(CHOSEN[name] for name, value in parameters.items() if value is None)


# Completeness


def test_every_row_has_a_reference() -> None:
    """An activation without reference, or a reference without activation, fails."""
    assert {row.name for row in ROWS} == set(REFERENCE)
    for row in ROWS:
        assert (REFERENCE[row.name].derivative_y is not None) == row.from_output, row.name


def test_names() -> None:
    """Every function is public, and numact.__all__ is right."""
    assert set(NAMES) <= set(numact.__all__)
    assert len(set(numact.__all__)) == len(numact.__all__)
    for name in numact.__all__:
        assert hasattr(numact, name), name
    assert [row for row in numact.catalogue() if row.family == "elementwise"] == ROWS


def test_rows() -> None:
    """Rows are immutable and within the contract of the design."""
    for row in ROWS:
        assert row.formula
        assert row.derivative
        assert 0.5 <= row.ulp <= (2 if row.name in {"sigmoid", "silu", "swish", "quick_gelu"} else 1.5)
        assert 0.5 <= row.ulp_gradient <= 2
        with pytest.raises((AttributeError, TypeError)):
            row.name = "other"  # type: ignore[misc]


@every_name
def test_kind(name: str) -> None:
    """Real ufuncs where there is no parameter, else ParametricUfunc around one; named and documented."""
    function = public(name)
    row = next(row for row in ROWS if row.name == name.removesuffix("_y").removesuffix("_grad"))
    at_zero = row.kink and name.endswith("_grad")
    assert isinstance(function, ParametricUfunc if row.parameters or at_zero else np.ufunc)
    assert function.__name__ == name
    assert function.nin == (2 if "_grad" in name else 1)
    assert function.nout == 1
    assert name in repr(function)
    assert function.__doc__
    if isinstance(function, ParametricUfunc):
        assert isinstance(function.ufunc, np.ufunc)
        assert function.defaults == dict(row.parameters)


# Ufunc semantics


@every_name
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pickle looks into all modules, mpmath too
def test_pickle_and_copy(name: str) -> None:
    """Functions survive pickle and copy as themselves."""
    function = public(name)
    for item in (function, getattr(function, "ufunc", function)):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(item, protocol)) is item
        assert copy.copy(item) is item
        assert copy.deepcopy([item])[0] is item


@every_name
@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "l", "L", "e", "f", "d", ">f2", ">f4", ">f8"])
def test_promotion(name: str, dtype: str) -> None:
    """Integers and booleans promote to the smallest float that holds them, as in np.exp."""
    function = public(name)
    x = np.array([0, 1, 1], dtype)
    want = np.exp(x).dtype
    got = function(*operands(function, x))
    assert got.dtype == want
    assert_same_bits(got, function(*operands(function, x.astype(want))))


@every_name
@pytest.mark.parametrize("x", [1j, np.array(None), "a", b"a", np.array([object()]), np.datetime64("2020-01-01")])
def test_wrong_types(name: str, x: Any) -> None:
    """Types without loop raise the TypeError of ufuncs."""
    function = public(name)
    with pytest.raises(TypeError):
        function(*operands(function, x))


@every_name
def test_keywords_of_ufuncs(name: str) -> None:
    """dtype=, casting=, order=, subok= and out= as a tuple work, wrong keywords and counts do not."""
    function = public(name)
    x = np.linspace(0.1, 0.9, 12).reshape(3, 4)
    arrays = operands(function, x)
    single = function(*arrays, dtype=np.float32, casting="same_kind")
    assert single.dtype == np.float32
    with pytest.raises(TypeError):
        function(*arrays, dtype=np.float32, casting="no")
    with pytest.raises(TypeError):
        function(*arrays, out=np.empty(x.shape, int))
    out = np.empty_like(x)
    assert function(*arrays, out=(out,)) is out
    assert function(*arrays, order="F").flags.f_contiguous
    with pytest.raises(TypeError):
        function(*arrays, nonsense=1)
    with pytest.raises(TypeError):
        function()
    with pytest.raises(TypeError):
        function(*arrays, *[1.0] * 9)
    with pytest.raises(ValueError, match="broadcast"):
        function(*arrays, out=np.empty((2, 2)))


class Tagged(np.ndarray[Any, Any]):
    """A subclass of arrays."""


class Overrider:
    """Takes over every ufunc."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Tell what was called."""
        return ufunc, method


@every_name
def test_subclasses_and_overrides(name: str) -> None:
    """Subclasses are kept, __array_ufunc__ takes over with the real ufunc."""
    function = public(name)
    x = np.ones(3).view(Tagged)
    assert type(function(*operands(function, x))) is Tagged
    assert type(function(*operands(function, x), subok=False)) is np.ndarray
    assert function(*operands(function, Overrider())) == (getattr(function, "ufunc", function), "__call__")
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    assert isinstance(function(*operands(function, masked)), np.ma.MaskedArray)


def test_at_zero_needs_a_kink() -> None:
    """at_zero= is unknown to functions without kink."""
    for row in ROWS:
        if not row.kink:
            with pytest.raises(TypeError):
                public(f"{row.name}_grad")(1.0, 0.0, at_zero=1)
        with pytest.raises(TypeError):
            public(row.name)(0.0, at_zero=1)


# Configuration


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    """show_config prints, or returns, what runs here."""
    numact.show_config()
    printed = capsys.readouterr().out
    config = numact.show_config(mode="dicts")
    assert config is not None
    assert set(config) >= {"version", "level", "levels", "compiler", "numpy"}
    assert config["level"] in config["levels"] == LEVELS
    assert config["numpy"] == np.__version__
    assert config["version"] == numact.__version__
    assert str(config["compiler"]) in printed
    assert not capsys.readouterr().out
    with pytest.raises(ValueError, match="nonsense"):
        numact.show_config(mode="nonsense")  # type: ignore[call-overload]


@pytest.mark.parametrize("level", LEVELS)
def test_forced_level(level: str) -> None:
    """NUMACT_LEVEL chooses the level, silently."""
    code = "import numact, warnings; print(numact.show_config('dicts')['level'], numact._kernels.core.level())"
    process = run("import warnings; warnings.simplefilter('error');" + code, NUMACT_LEVEL=level)
    assert process.stdout.split() == [level, level]
    assert not process.stderr


def test_unknown_level_warns() -> None:
    """An unknown NUMACT_LEVEL warns once, with what is allowed, and changes nothing."""
    process = run("import numact; print(numact.show_config('dicts')['level'])", NUMACT_LEVEL="nonsense")
    assert process.stdout.split() == [LEVELS[-1]]
    assert process.stderr.count("RuntimeWarning") == 1
    for name in (*LEVELS, "nonsense"):
        assert name in process.stderr


def test_levels() -> None:
    """The baseline is always there, and other names raise."""
    assert LEVELS[0] == "baseline"
    with pytest.raises(ValueError, match="nonsense"):
        core.build("nonsense")


def test_import_is_light() -> None:
    """Importing numact imports numpy, the standard library without its slow parts, and nothing else."""
    process = run("import sys, numpy; before = set(sys.modules); import numact; print(*set(sys.modules) - before)")
    modules = set(process.stdout.split())
    assert "numact._functions.ufuncs" in modules
    assert modules & {"importlib.metadata", "email", "difflib", "numpy.random", "dataclasses", "inspect", "re"} == set()
    assert {name for name in modules if name.startswith("numact.")} == {
        f"numact.{name}"
        for name in (
            *("_interpreter", "_moved", "_functions", "_functions.lazy", "_kernels.config", "_kernels.targets"),
            *("_functions.arguments", "_functions.methods", "_functions.names", "_functions.parameters"),
            *("_functions.parametric", "_functions.public", "_functions.ufuncs"),
            *(
                "_kernels",
                "_kernels.bfloat16",
                "_kernels.core",
                "_kernels.locks",
                "_kernels.messages",
                "_kernels.on_import",
            ),
            "_kernels.threads",
        )
    }
    packages = {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names)
    packages -= {"_interpreters", "_xxsubinterpreters"}  # of the standard library, too
    assert {name for name in packages if not name.startswith("_cython_")} <= {"numact", "numpy", "cython_runtime"}


def test_functions_are_made_when_asked_for() -> None:
    """Importing numact makes no function; all have their names from the beginning, and stay what they are."""
    process = run(
        "import numact; from numact._functions import ufuncs as u, names as n;"
        "print(len(u.RAW._made), len(u.PUBLIC._made), len(n.FUNCTIONS._made), 'AXIS' in vars(u));"
        "print(set(numact.__all__) <= set(dir(numact)), 'elu' in vars(numact), numact.elu is vars(numact)['elu']);"
        "from numact import *; print(elu is numact.elu, set(numact.__all__) <= set(globals()))"
    )
    assert process.stdout.split("\n")[:3] == ["0 0 0 False", "True False True", "True True"]


@pytest.mark.parametrize(
    "name", ["relu", "elu", "elu.ufunc", "swiglu", "glu_split", "softmax", "_functions.ufuncs.AXIS['softmax']"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pickled_elsewhere(name: str) -> None:
    """What one process has pickled, another finds that has not used it."""
    pickled = pickle.dumps(eval(f"numact.{name}"))
    process = run(f"import pickle; f = pickle.loads({pickled!r}); import numact; print(f is numact.{name})")
    assert process.stdout.split() == ["True"]


def test_lazy() -> None:
    """A value is made once, when it is read, and is one for all threads; what is no key stays none."""
    begun = threading.Barrier(4)

    def make(name: str) -> list[str]:
        made.append(name)
        begun.wait(60)
        return [name]

    made: list[str] = []
    lazy = Lazy(["a", "b"], make)
    assert list(lazy) == ["a", "b"]
    assert "a" in lazy
    assert "c" not in lazy
    assert lazy.get("c") is None
    assert not made
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lazy.__getitem__, ["a"] * 4)
    assert made == ["a"] * 4
    assert all(other is first for other in others)
    assert lazy["a"] is first
    assert first == ["a"]
    with pytest.raises(KeyError):
        _ = lazy["c"]


def test_version() -> None:
    """The version is that of the installed package; other attributes do not exist."""
    assert numact.__version__ == version("numact")
    with pytest.raises(AttributeError, match="'numact' has no attribute 'nonsense'"):
        _ = numact.nonsense  # type: ignore[attr-defined]
