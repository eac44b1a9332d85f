"""NumactOps beside NumpyOps: every method, in place and strided, and a training step."""

import inspect
from typing import Any

import numpy as np
import pytest

thinc = pytest.importorskip("thinc.api")

import numact  # noqa: E402
from numact.adapters.thinc import NumactOps  # noqa: E402

OURS, THEIRS = NumactOps(), thinc.NumpyOps()
METHODS = [name for name, value in vars(NumactOps).items() if inspect.isfunction(value)]
# Thinc's own approximations: it clips sigmoid, rounds the constants of gelu_approx, and has an erf good to 1.5e-7.
ATOL = 5e-6
pytestmark = pytest.mark.filterwarnings("ignore")


def arguments(name: str, dtype: Any, strided: bool) -> dict[str, Any]:
    """Arrays for the parameters of a method."""
    rng = np.random.default_rng(0)

    def array() -> Any:
        x = (rng.normal(size=(12, 9, 4) if name == "maxout" else (12, 18)) * 3).astype(dtype)
        return x if strided else np.ascontiguousarray(x)

    given: dict[str, Any] = {}
    for parameter in inspect.signature(getattr(THEIRS, name)).parameters:
        if parameter in ("X", "x", "dY"):
            given[parameter] = array()
        elif parameter == "Y":
            given[parameter] = 1 / (1 + np.exp(-array()))
        elif parameter == "which":
            given[parameter] = rng.integers(0, 3, (12, 18)).astype(np.int32)
        elif parameter == "P":
            given[parameter] = 3
    if name == "backprop_swish":
        given["Y"] = THEIRS.swish(given["X"])
    if name == "backprop_softmax":
        given["Y"] = THEIRS.softmax(given["Y"])
    if strided:
        given = {k: np.repeat(v, 2, 1)[:, ::2] if isinstance(v, np.ndarray) else v for k, v in given.items()}
    return given


def test_methods() -> None:
    """All activations of Thinc are covered, but its own hard_swish and what calls the others."""
    assert len(METHODS) >= 24
    for name in METHODS:
        assert hasattr(THEIRS, name), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_method(name: str, dtype: Any) -> None:
    """The results of Thinc, to its rounding."""
    want = getattr(THEIRS, name)(**arguments(name, dtype, False))
    for strided in (False, True):
        got = getattr(OURS, name)(**arguments(name, dtype, strided))
        for a, b in zip(*((r if isinstance(r, tuple) else (r,)) for r in (got, want)), strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=ATOL)


@pytest.mark.parametrize(
    "name", [name for name in METHODS if "inplace" in inspect.signature(getattr(THEIRS, name)).parameters]
)
def test_in_place(name: str) -> None:
    """``inplace=True`` overwrites the argument that Thinc overwrites, and gives the same."""
    want = getattr(OURS, name)(**arguments(name, np.float32, False))
    given = arguments(name, np.float32, False)
    got = getattr(OURS, name)(**given, inplace=True)
    written = "Y" if name == "backprop_sigmoid" else "dY" if "dY" in given else next(iter(given))
    assert got is given[written]
    np.testing.assert_array_equal(got, want)


def test_shapes_are_checked() -> None:
    """A gradient of another shape is refused, as by Thinc."""
    with pytest.raises(ValueError, match=r"incompatible shapes: \(2, 3\) and \(3, 2\)"):
        OURS.backprop_gelu(np.ones((2, 3)), np.ones((3, 2)))


def test_selected_by_name() -> None:
    """use_ops finds it, and a model computes with it."""
    X = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    for layer in (thinc.Relu, thinc.Gelu, thinc.Mish, thinc.Maxout, thinc.Swish):
        model = thinc.chain(layer(16), thinc.Softmax(4))
        model.initialize(X=X)
        want = model.predict(X)
        with thinc.use_ops("numact"):
            assert isinstance(thinc.get_current_ops(), NumactOps)
            model._to_ops(thinc.get_current_ops())
            got, backward = model.begin_update(X)
            np.testing.assert_allclose(got, want, atol=1e-5)
            assert backward(np.ones_like(got)).shape == X.shape
    assert thinc.get_current_ops().name == "numpy"
    assert numact.gelu(X).dtype == np.float32
