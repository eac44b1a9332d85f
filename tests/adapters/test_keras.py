"""numact behind the NumPy backend of Keras: each function beside that of Keras, and Keras's own tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "numpy")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "numpy":
    pytest.skip("NOT TESTED HERE: KERAS_BACKEND asks for another backend", allow_module_level=True)

from keras.src.backend.numpy import nn  # noqa: E402

import numact  # noqa: E402
from numact.adapters import keras as adapter  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ELEMENTWISE = [*adapter.SAME, "gelu"]
# Of Keras's own tests.
LAYERS = "activations", "attention", "normalization", "regularization", "rnn"
SUITE = ("ops/nn_test.py", "activations", "losses", *(f"layers/{name}" for name in LAYERS))
# These train, which Keras cannot on NumPy, or fail without numact as well.
NOT_ON_NUMPY = "not ignore_masked_values and not end_to_end and not mask_zero and not lora"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", [*ELEMENTWISE, "glu", "softmax", "log_softmax"])
def test_functions(name: str, dtype: str) -> None:
    """Values, dtypes and shapes are those of Keras, to its rounding."""
    import ml_dtypes

    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    x = (np.random.default_rng(0).normal(size=(6, 8)) * 3).astype(kind)
    extra = (0.5, 2.0) if name == "threshold" else ()
    want = getattr(nn, name)(x, *extra)
    with adapter.accelerate():
        got = getattr(nn, name)(x, *extra)
        assert type(got) is np.ndarray
        assert got.dtype == want.dtype
        tolerance = {"float16": 4e-3, "bfloat16": 4e-2, "float32": 3e-6, "float64": 1e-12}[got.dtype.name]
        np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=tolerance, atol=tolerance)
        assert getattr(nn, name).__name__ == name


def test_parameters_and_integers() -> None:
    """Parameters by position and keyword; integers and arrays as parameters stay with Keras."""
    x = np.linspace(-3, 3, 14).astype(np.float32)
    with adapter.accelerate():
        np.testing.assert_array_equal(nn.leaky_relu(x), numact.leaky_relu(x, 0.2))
        np.testing.assert_array_equal(nn.leaky_relu(x, negative_slope=0.1), numact.leaky_relu(x, 0.1))
        np.testing.assert_array_equal(nn.elu(x, np.float64(0.5)), numact.elu(x, 0.5))
        got = nn.threshold(x, default_value=2.0, threshold=0.5)
        np.testing.assert_array_equal(got, numact.threshold(x, threshold=0.5, value=2.0))
        np.testing.assert_array_equal(nn.celu(x=x, alpha=2), numact.celu(x, 2.0))
        np.testing.assert_allclose(nn.elu(x, -1.0)[x < 0], -np.expm1(x[x < 0]), rtol=1e-6)  # Keras's own
        with pytest.raises(TypeError, match="slope"):
            nn.leaky_relu(x, slope=0.1)
        np.testing.assert_array_equal(nn.gelu(x, approximate=False), numact.gelu(x))
        np.testing.assert_array_equal(
            nn.softmax(x.reshape(2, 7), axis=None), numact.softmax(x.reshape(2, 7), axis=None)
        )
        assert nn.relu(np.arange(-2, 3)).dtype.kind == "i"
        np.testing.assert_allclose(nn.sparsemax(np.array([1, 0.9, 0.8, -3])), [0.43333333, 0.33333333, 0.23333333, 0])
        mean, variance = np.array([0, 1], np.float32), np.array([1, 4], np.float32)
        got = nn.batch_normalization(x.reshape(7, 2), mean, variance, axis=-1)
        np.testing.assert_array_equal(got, numact.norm.batch_norm(x.reshape(7, 2), mean, variance, eps=1e-3))
        with np.errstate(all="ignore"):
            assert np.isnan(nn.batch_normalization(x.reshape(7, 2), mean, -variance, axis=1)).any()


def test_undone() -> None:
    """Behind the block the functions are Keras's own, also after an exception."""
    before = dict(vars(nn))
    with adapter.accelerate():
        assert nn.relu is not before["relu"]
    assert dict(vars(nn)) == before
    with pytest.raises(ZeroDivisionError), adapter.accelerate():
        1 / 0  # noqa: B018
    assert dict(vars(nn)) == before
    adapter.enable()
    adapter.disable()
    assert dict(vars(nn)) == before


def test_model() -> None:
    """A model predicts the same, through layers, losses and attention."""
    x = np.random.default_rng(1).normal(size=(5, 6, 8)).astype(np.float32)
    inputs = keras.Input((6, 8))
    z = keras.layers.MultiHeadAttention(2, 4)(inputs, inputs, use_causal_mask=True)
    z = keras.layers.Dense(16, activation="gelu")(keras.layers.BatchNormalization()(z))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(z))
    want = model(x)
    with adapter.accelerate():
        np.testing.assert_allclose(model(x), want, atol=1e-5)


def test_keras_own_tests(tmp_path: Path) -> None:
    """Keras's tests of operations, activations, losses and layers pass with its functions replaced."""
    (tmp_path / "accelerated.py").write_text("import numact.adapters.keras\nnumact.adapters.keras.enable()\n")
    root = Path(keras.__file__).parent / "src"
    present = [str(root / name) for name in SUITE if (root / name).exists()]
    if not present:
        pytest.skip("NOT TESTED HERE: this Keras comes without its own tests")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "accelerated", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["-k", NOT_ON_NUMPY]
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(
        [*command, *present], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_other_backend() -> None:
    """With another backend there is a clear error."""
    code = "import numact.adapters.keras as k\nk.enable()"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "the backend of Keras must be numpy, got jax" in done.stderr
