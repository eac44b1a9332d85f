"""numact.init: gains, scale and distribution of the weights, and what they are for: the scale survives many layers."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import CHOSEN, ROWS, name_of

import numact
from numact import Activation, init
from numact.commands.verify.exact import EXACT, REFERENCE, density
from numact.init.gain import expectation

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), BFLOAT16]
NORMAL: list[Callable[..., Any]] = [init.he_normal, init.xavier_normal, init.lecun_normal]
UNIFORM: list[Callable[..., Any]] = [init.he_uniform, init.xavier_uniform, init.lecun_uniform]
ALL: list[Callable[..., Any]] = [*NORMAL, *UNIFORM, init.orthogonal]
every_initialiser = pytest.mark.parametrize("initialiser", ALL, ids=name_of)
every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
PYTORCH = {"tanh": 5 / 3, "sigmoid": 1, "selu": 3 / 4, "relu": math.sqrt(2), "identity": 1}
DEPTH, WIDTH, SAMPLES = 50, 384, 128


def chosen(row: Activation) -> dict[str, float]:
    """Values for the parameters without default."""
    return {name: CHOSEN[name] for name, default in row.parameters if default is None}


def exact(row: Activation) -> float:
    """E[f(z)^2] by mpmath, from the reference of the tests, on intervals that end where formulas change."""
    values = [CHOSEN[name] if default is None else default for name, default in row.parameters]
    edges = [-40, -12, -6, -3, -2.5, -1, -0.5, 0, 0.5, 1, 2.5, 3, 6, 12, 40]
    parameters = [EXACT.mpf(value) for value in values]
    reference = REFERENCE[row.name].forward
    return float(EXACT.quad(lambda z: reference(EXACT, z, *parameters) ** 2 * density(EXACT, z), edges))


@every_row
def test_second_moment(row: Activation) -> None:
    """The quadrature agrees with mpmath's."""
    assert init.second_moment(row.name, **chosen(row)) == pytest.approx(exact(row), rel=1e-9)


@pytest.mark.parametrize("edge", [1 / 3, 0.99, 1 - 1e-4, 1 - 1e-6, 1 - 1e-9, 1 + 1e-6, 1.0, 2.7])
def test_second_moment_beside_kinks(edge: float) -> None:
    """Jumps and kinks in any place, also just beside the end of an interval."""
    density, beyond = math.exp(-edge * edge / 2) / math.sqrt(2 * math.pi), math.erfc(edge / math.sqrt(2)) / 2
    squares = edge * density + beyond  # E[z^2] over z > edge
    approx = pytest.approx
    assert init.second_moment("thresholded_relu", alpha=edge) == approx(squares, rel=1e-9)
    assert init.second_moment("hard_shrink", lambd=edge) == approx(2 * squares, rel=1e-9)
    clipped = 1 - 2 * squares + 2 * edge * edge * beyond
    assert init.second_moment("hard_tanh", min_val=-edge, max_val=edge) == approx(clipped, rel=1e-9)


def test_second_moment_of_the_extreme() -> None:
    """Functions that grow fast, or turn within a thousandth of a point."""
    assert init.second_moment("exponential") == pytest.approx(math.exp(2), rel=1e-12)
    assert init.second_moment("relu_squared") == pytest.approx(1.5, rel=1e-12)
    assert init.second_moment("swish", beta=1e6) == pytest.approx(0.5, rel=1e-9)


@every_row
def test_gain(row: Activation) -> None:
    """PyTorch's table, and 1 / sqrt(E[f^2]) for all others; aliases count."""
    want = PYTORCH.get(row.name, 1 / math.sqrt(init.second_moment(row.name, **chosen(row))))
    for name in (row.name, row.name.upper(), *row.aliases):
        assert init.gain(name, **chosen(row)) == pytest.approx(want, rel=1e-12)


def test_gain_of_layers() -> None:
    """leaky_relu by its slope, in closed form; layers without activation have 1."""
    assert init.gain("leaky_relu", negative_slope=0.2) == pytest.approx(math.sqrt(2 / 1.04), rel=1e-14)
    for name in ("linear", "conv1d", "Conv2d", "conv_transpose3d"):
        assert init.gain(name) == 1


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("rleu", {}, ValueError, "relu"),
        ("softmax", {}, ValueError, "elementwise"),
        ("swiglu", {}, ValueError, "elementwise"),
        ("relu_grad", {}, ValueError, "elementwise"),
        (3, {}, TypeError, "name"),
        ("elu", {"beta": 1.0}, TypeError, "alpha"),
        ("elu", {"out": 1.0}, TypeError, "out"),
        ("elu", {"alpha": "1"}, TypeError, "alpha"),
        ("elu", {"alpha": math.nan}, ValueError, "alpha"),
        ("celu", {"alpha": 0.0}, ValueError, "alpha"),
        ("linear", {"alpha": 0.0}, TypeError, "alpha"),
        ("threshold", {"threshold": 1.0}, TypeError, "value"),
        ("hard_shrink", {"lambd": 100.0}, ValueError, "second moment"),
        ("leaky_relu", {"negative_slope": math.inf}, ValueError, "second moment"),
    ],
)
def test_gain_refuses(name: Any, parameters: dict[str, Any], error: type[Exception], message: str) -> None:
    """Bad names and parameters are named."""
    with pytest.raises(error, match=message):
        init.gain(name, **parameters)


def deep(function: Callable[[Any], Any], factor: float, layers: int = DEPTH) -> list[float]:
    """Second moments of the pre-activations of a random network, from the first layer on."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, WIDTH))
    moments = []
    for _ in range(layers):
        moments.append(float(np.mean(x * x)))
        x = function(x) @ init.he_normal((WIDTH, WIDTH), rng, gain=factor)
    return moments


def slope(row: Activation) -> float:
    """Derivative of the map from the second moment of one layer to that of the next, at its fixed point 1."""
    function, parameters = numact.get(row.name), chosen(row)

    def scaled(root: float) -> float:
        return expectation(lambda z: function(root * z, **parameters))

    step = 1e-4
    moments = [scaled(math.sqrt(1 + sign * step)) for sign in (-1, 1)]
    return (moments[1] - moments[0]) / (2 * step) / scaled(1.0)


ATTRACTING = [row for row in ROWS if slope(row) < 1.001]


@pytest.mark.parametrize("row", ATTRACTING, ids=name_of)
def test_deep(row: Activation) -> None:
    """With 1 / sqrt(E[f^2]) the second moment is kept through all layers, unless the fixed point 1 repels.

    In one layer the fluctuations are those of a network of this width; in all they add up where the slope is 1.
    """
    parameters = chosen(row)
    function = numact.get(row.name)
    factor = 1 / math.sqrt(init.second_moment(row.name, **parameters))
    moments = deep(lambda x: function(x, **parameters), factor)
    assert min(moments) > 0.25
    assert max(moments) < 4


@pytest.fixture(scope="module")
def ratios() -> dict[str, list[float]]:
    """Second moment behind each layer of a random network over that before it, for every function.

    Every layer begins with samples that are scaled to the second moment 1.
    """
    width, samples, rng = 1000, 4, np.random.default_rng(0)
    signals = rng.standard_normal((len(ROWS), samples, width))
    found: dict[str, list[float]] = {row.name: [] for row in ROWS}
    for _ in range(DEPTH):
        signals /= np.sqrt(np.mean(signals**2, axis=-1, keepdims=True))
        for row, x in zip(ROWS, signals, strict=True):
            x[...] = init.gain(row.name, **chosen(row)) * numact.get(row.name)(x, **chosen(row))
        signals = (signals.reshape(-1, width) @ init.he_normal((width, width), rng, gain=1.0)).reshape(signals.shape)
        for row, x in zip(ROWS, signals, strict=True):
            found[row.name].append(float(np.mean(x * x)))
    return found


@every_row
def test_layers(row: Activation, ratios: dict[str, list[float]]) -> None:
    """Each of 50 layers keeps the second moment in the mean, wherever a deviation would go from there.

    Where 1 is a repelling fixed point of the map from one layer's second moment to the next one's, a chance deviation
    grows by the slope of the map in each layer, whatever the gain: 2 for relu_squared and exponential, 1.83 for
    tanhshrink, 1.47 for soft_shrink, 1.30 for thresholded_relu, 1.05 to 1.22 for hard_shrink, mish, dish, quick_gelu,
    gelu, silu and hard_swish.  Even 1.08 makes 40 of 1 in 50 layers, which then show the chance and not the gain.
    Scaled before each layer, the ratios are independent, and their expectation is gain^2 E[f^2], which is 1 but for the
    three gains of PyTorch's table.  The variance of one is, in units of its square, (E[f^4] / E[f^2]^2 + 1) / width for
    a single sample: that of f^2, and 2 / width from the weights.  Their mean over the layers may be 4 standard
    deviations off, which is 3 to 6 % of the second moment, and 9 and 13 % for relu_squared and exponential.
    """
    parameters, function = chosen(row), numact.get(row.name)
    square = init.second_moment(row.name, **parameters)
    fourth = expectation(lambda z: function(z, **parameters) ** 2)
    error = math.sqrt((fourth / square**2 + 1) / (1000 * DEPTH))
    want = init.gain(row.name, **parameters) ** 2 * square
    assert np.mean(ratios[row.name]) == pytest.approx(want, rel=4 * error)
    if row.name not in PYTORCH or row.name in ("relu", "identity"):
        assert want == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "selu"])
def test_deep_with_pytorchs_gains(name: str) -> None:
    """Those of the table keep the second moment from vanishing and from exploding, not at 1."""
    moments = deep(numact.get(name), init.gain(name))
    assert min(moments) > 0.01
    assert max(moments) < 5


def fans(shape: tuple[int, ...], layout: str) -> tuple[int, int]:
    """Fans by another way: from the number of weights."""
    inputs, outputs = (shape[-2], shape[-1]) if layout == "in_out" else (shape[1], shape[0])
    return math.prod(shape) // outputs, math.prod(shape) // inputs


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((300, 200), "in_out"), ((300, 200), "out_in"), ((3, 3, 64, 100), "in_out"), ((64, 100, 5), "out_in")],
)
@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("initialiser", [*NORMAL, *UNIFORM], ids=name_of)
def test_moments(initialiser: Callable[..., Any], dtype: np.dtype[Any], shape: tuple[int, ...], layout: str) -> None:
    """Mean 0, the deviation of the formula, kurtosis and bounds of the distribution; the dtype that was asked for."""
    weights = initialiser(shape, 0, dtype, gain=1.25, layout=layout)
    assert weights.dtype == dtype
    assert weights.shape == shape
    values = weights.astype(np.float64)
    fan_in, fan_out = fans(shape, layout)
    xavier = initialiser.__name__.startswith("xavier")
    deviation = 1.25 / math.sqrt((fan_in + fan_out) / 2 if xavier else fan_in)
    count = values.size
    assert abs(values.mean()) < 5 * deviation / math.sqrt(count)
    assert values.std() == pytest.approx(deviation, rel=0.02)
    kurtosis = np.mean(values**4) / np.mean(values**2) ** 2
    assert kurtosis == pytest.approx(1.8 if initialiser in UNIFORM else 3, abs=0.15)
    if initialiser in UNIFORM:
        bound = float(np.array(math.sqrt(3) * deviation).astype(dtype).astype(np.float64))
        assert 0.99 * bound < np.abs(values).max() <= bound * (1 + 2e-7)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_modes(mode: str) -> None:
    """He's weights for either fan, and for the mean."""
    want = {"fan_in": 400, "fan_out": 100, "fan_avg": 250}[mode]
    for initialiser in (init.he_normal, init.he_uniform):
        assert initialiser((400, 100), 0, mode=mode).std() == pytest.approx(math.sqrt(2 / want), rel=0.02)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((60, 40), "in_out"),
        ((40, 60), "in_out"),
        ((3, 3, 4, 50), "in_out"),
        ((50, 4, 3, 3), "out_in"),
        ((9, 5), "out_in"),
    ],
)
def test_orthogonal(shape: tuple[int, ...], layout: Any, dtype: np.dtype[Any]) -> None:
    """The smaller of rows and columns are orthogonal, of length gain."""
    weights = init.orthogonal(shape, 0, dtype, gain=1.5, layout=layout)
    assert weights.dtype == dtype
    assert weights.shape == shape
    matrix = weights.astype(np.float64).reshape(-1, shape[-1] if layout == "in_out" else math.prod(shape[1:]))
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    tolerance = {"float64": 1e-13, "float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}[dtype.name]
    np.testing.assert_allclose(matrix.T @ matrix, 2.25 * np.eye(matrix.shape[1]), atol=tolerance)


def test_orthogonal_is_uniform() -> None:
    """Signs are not those of the QR algorithm: the diagonal is as often negative as positive."""
    diagonal = np.array([np.diagonal(init.orthogonal((4, 4), seed)) for seed in range(300)])
    assert np.all(np.abs((diagonal < 0).mean(axis=0) - 0.5) < 0.12)


@every_initialiser
def test_seeds(initialiser: Callable[..., Any]) -> None:
    """A seed and its generator give the same weights, a generator moves on, None differs."""
    a = initialiser((20, 30), 5)
    rng = np.random.default_rng(5)
    np.testing.assert_array_equal(a, initialiser((20, 30), rng))
    assert not np.array_equal(a, initialiser((20, 30), rng))
    assert not np.array_equal(initialiser((20, 30)), initialiser((20, 30)))
    assert initialiser((0, 3), 0).shape == (0, 3)


@every_initialiser
def test_gain_by_name(initialiser: Callable[..., Any]) -> None:
    """A gain is a number, a name, or a name with parameters."""
    unit = initialiser((20, 30), 0, gain=1)
    named = initialiser((20, 30), 0, gain="gelu")
    np.testing.assert_allclose(named, unit * init.gain("gelu"), rtol=1e-12)
    pair = initialiser((20, 30), 0, gain=("leaky_relu", {"negative_slope": 0.2}))
    np.testing.assert_allclose(pair, unit * init.gain("leaky_relu", negative_slope=0.2), rtol=1e-12)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"shape": (3,)}, ValueError, "shape"),
        ({"shape": (3, -1)}, ValueError, "shape"),
        ({"shape": 3}, TypeError, "shape"),
        ({"shape": (3, 2.5)}, TypeError, "shape"),
        ({"dtype": np.int32}, TypeError, "dtype"),
        ({"dtype": np.longdouble}, TypeError, "dtype"),
        ({"dtype": "nonsense"}, TypeError, "dtype"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"rng": -1}, ValueError, "rng"),
        ({"gain": 0.0}, ValueError, "gain"),
        ({"gain": math.inf}, ValueError, "gain"),
        ({"gain": None}, TypeError, "gain"),
        ({"gain": ("elu", 1.0)}, TypeError, "gain must be a number, a name or"),
        ({"gain": ("elu",)}, TypeError, "gain must be a number, a name or"),
        ({"gain": "nonsense"}, ValueError, "nonsense"),
        ({"layout": "oi"}, ValueError, "layout"),
    ],
)
@every_initialiser
def test_refuses(
    initialiser: Callable[..., Any], keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Bad arguments are named, and nothing is drawn."""
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    with pytest.raises(error, match=message):
        initialiser(**{"shape": (3, 4), "rng": rng, **keywords})
    assert rng.bit_generator.state == before


def test_modes_refused() -> None:
    """Another mode is refused."""
    with pytest.raises(ValueError, match="mode"):
        init.he_normal((3, 4), mode="fan")  # type: ignore[arg-type]


# Groups, cut and sparse weights


@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "lecun_normal"])
def test_groups(name: str) -> None:
    """The outputs of one group count; the shape has the inputs of one group already."""
    function = getattr(init, name)
    kernel = (64, 8, 3, 3)  # outputs, inputs of a group
    got = function(kernel, rng=0, layout="out_in", groups=4)
    one = function((16, 8, 3, 3), rng=0, layout="out_in")
    assert got.std() == pytest.approx(one.std(), rel=0.1)
    keras = function((3, 3, 8, 64), rng=0, groups=4)
    assert keras.std() == pytest.approx(got.std(), rel=0.1)
    for groups in (0, 3, 65):
        with pytest.raises(ValueError, match=f"{name}: groups must .* divide the 64 outputs, got {groups}"):
            function(kernel, layout="out_in", groups=groups)


@pytest.mark.parametrize(
    ("shape", "layout"), [((3, 3, 4, 60), "in_out"), ((60, 4, 3, 3), "out_in"), ((4, 9), "in_out")]
)
def test_orthogonal_groups(shape: tuple[int, ...], layout: Any) -> None:
    """The matrix of each group is orthogonal."""
    weights = init.orthogonal(shape, 0, gain=1.5, layout=layout, groups=3)
    assert weights.shape == shape
    for part in np.split(weights, 3, axis=-1 if layout == "in_out" else 0):
        matrix = part.reshape(-1, part.shape[-1]) if layout == "in_out" else part.reshape(part.shape[0], -1)
        matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        np.testing.assert_allclose(matrix.T @ matrix, 2.25 * np.eye(matrix.shape[1]), atol=1e-13)


@every_initialiser
@pytest.mark.parametrize(("groups", "error"), [(0, ValueError), (5, ValueError), (2.0, TypeError), ("2", TypeError)])
def test_wrong_groups(initialiser: Callable[..., Any], groups: Any, error: type[Exception]) -> None:
    """They are an integer that divides the outputs."""
    with pytest.raises(error, match=rf"^{initialiser.__name__}: groups must be .*got '?{groups}"):
        initialiser((3, 12), groups=groups)


@pytest.mark.parametrize("name", ["he_normal", "xavier_normal", "lecun_normal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_truncated(name: str, dtype: Any) -> None:
    """Cut at two deviations, widened to the same deviation."""
    function = getattr(init, name)
    plain = function((400, 600), rng=0, dtype=dtype)
    cut = function((400, 600), rng=0, dtype=dtype, truncated=True)
    assert cut.dtype == dtype
    assert cut.std() == pytest.approx(plain.std(), rel=0.01)
    assert abs(cut).max() <= 2 * plain.std() / 0.8796 * 1.01 < abs(plain).max()


def test_truncated_normal() -> None:
    """Bounds, mean and deviation."""
    weights = init.truncated_normal((300, 400), 0, mean=1.0, std=0.5)
    assert weights.min() >= 0
    assert weights.max() <= 2
    assert weights.mean() == pytest.approx(1, abs=0.01)
    assert weights.std() == pytest.approx(0.5 * 0.8796256610342398, rel=0.01)
    assert init.truncated_normal((3, 4), 0, np.float16).dtype == np.float16
    for high in (np.inf, 1e300):
        for dtype in (np.float16, np.float32, np.float64):
            assert init.truncated_normal((100, 100), 0, dtype, low=0.0, high=high).min() >= 0
    for shape in ((), (0,), (7,), (3, 0)):
        assert init.truncated_normal(shape, 0).shape == shape
    with pytest.raises(ValueError, match="truncated_normal: shape must be numbers that are not negative"):
        init.truncated_normal((-1,))
    for low, high in ((1.0, 1.0), (2.0, -2.0), (8.0, 9.0)):
        with pytest.raises(ValueError, match="truncated_normal: low and high must have numbers of the distribution"):
            init.truncated_normal((3, 4), low=low, high=high)
    with pytest.raises(ValueError, match="truncated_normal: std must be from 0"):
        init.truncated_normal((3, 4), std=-1.0)


def test_sparse() -> None:
    """The share of zeros of each input, and the deviation of the rest."""
    weights = init.sparse((200, 300), 0.9, 0, std=0.1)
    assert ((weights == 0).sum(1) == 270).all()
    assert weights[weights != 0].std() == pytest.approx(0.1, rel=0.05)
    turned = init.sparse((300, 200), 0.9, 0, std=0.1, layout="out_in")
    np.testing.assert_array_equal(turned, weights.T)
    assert not init.sparse((3, 4), 1.0, 0).any()
    assert init.sparse((3, 4), 0.0, 0).all()
    with pytest.raises(ValueError, match="sparse: shape must be two numbers"):
        init.sparse((3, 4, 5), 0.5)
    with pytest.raises(ValueError, match=r"sparse: sparsity must be from 0 to 1, got 1\.5"):
        init.sparse((3, 4), 1.5)


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan])
def test_finite(wrong: float) -> None:
    """A mean and a deviation are finite."""
    with pytest.raises(ValueError, match="truncated_normal: mean must be finite"):
        init.truncated_normal((3, 4), mean=wrong)
    with pytest.raises(ValueError, match="truncated_normal: std must be finite"):
        init.truncated_normal((3, 4), std=wrong)
    with pytest.raises(ValueError, match="sparse: std must be finite"):
        init.sparse((3, 4), 0.5, std=wrong)
