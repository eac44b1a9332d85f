"""Cross entropies: values with many digits, gradients, options, PyTorch's where it is installed, limits and errors."""

from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest
from support.cases import assert_same_bits, name_of

import numact

ALL_DTYPES = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)
every_reduction = pytest.mark.parametrize("reduction", ["none", "sum", "mean"])


def data(shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0, scale: float = 3) -> Any:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(0, scale, shape).astype(dtype)


def ulp(got: Any, want: Any) -> float:
    """The error in ULP of a number with many digits."""
    return float(abs(mpmath.mpf(float(got)) - want) / mpmath.mpf(float(np.spacing(abs(np.asarray(got))))))


# Values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_classes(dtype: Any) -> None:
    """2 ULP, of certain answers too, whose loss is tiny."""
    with mpmath.workprec(300):
        for scale in (1, 10, 60):
            x = data((40, 5), dtype, scale, scale)
            labels = x.argmax(-1)
            labels[::2] = 3
            got = numact.softmax_cross_entropy(x, labels, reduction="none")
            assert got.dtype == dtype
            for row, label, loss in zip(x, labels, got, strict=True):
                terms = [mpmath.mpf(float(v)) - mpmath.mpf(float(row[label])) for k, v in enumerate(row) if k != label]
                want = mpmath.log1p(sum(map(mpmath.exp, terms)))
                if want > 1e-35:
                    assert ulp(loss, want) <= 2


def test_a_certain_answer() -> None:
    """All digits are right, where 1 - p has none."""
    loss, grad = numact.softmax_cross_entropy(np.array([[30.0, 0.0]]), [0], return_grad=True)
    assert loss == pytest.approx(9.357622968839299e-14, rel=1e-15)
    assert grad[0, 0] == pytest.approx(-9.357622968839299e-14, rel=1e-12)


@every_dtype
def test_sigmoid(dtype: Any) -> None:
    """2 ULP for targets of 0 and 1 and between, tails included; float64 4."""
    x = np.concatenate([data((60,), dtype), data((60,), dtype, 1, 30), np.array([0, 80, -80, 1e-3], dtype)])
    for t in (np.zeros_like(x), np.ones_like(x), np.linspace(0, 1, x.size).astype(dtype)):
        got = numact.sigmoid_cross_entropy(x, t, reduction="none")
        assert got.dtype == dtype
        with mpmath.workprec(300):
            for value, target, loss in zip(x, t, got, strict=True):
                z, p = mpmath.mpf(float(value)), mpmath.mpf(float(target))
                want = p * mpmath.log1p(mpmath.exp(-z)) + (1 - p) * mpmath.log1p(mpmath.exp(z))
                if want > 1e-30 and dtype in (np.float32, np.float64):
                    assert ulp(loss, want) <= (2 if dtype is np.float32 else 4)
                elif want > 1e-3:
                    assert float(loss) == pytest.approx(float(want), rel=0.51 * float(ml_dtypes.finfo(dtype).eps))  # type: ignore[no-untyped-call]


@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_layouts(reduction: Any, smoothing: float) -> None:
    """No sum depends on the layout of logits, labels or targets; of so many that its last bits would."""
    x, rng = data((70, 5, 90)), np.random.default_rng(2)
    shares = np.moveaxis(rng.dirichlet(np.ones(5), (70, 90)), -1, 1).copy()
    classes = rng.integers(0, 5, (70, 90))
    order = {"reduction": reduction, "return_grad": True, "label_smoothing": smoothing}
    want = [
        numact.softmax_cross_entropy(x, shares, 1, **order),
        numact.softmax_cross_entropy(x, classes, 1, weight=np.arange(5.0), **order),
        numact.sigmoid_cross_entropy(x, shares, **order),
    ]
    for axes in ((1, 2, 0), (2, 0, 1), (0, 2, 1)):
        a, b = (np.array(z.transpose(axes), order="C").transpose(np.argsort(axes)) for z in (x, shares))
        got = [
            numact.softmax_cross_entropy(a, b, 1, **order),
            numact.softmax_cross_entropy(a, np.asfortranarray(classes), 1, weight=np.arange(5.0), **order),
            numact.sigmoid_cross_entropy(a, b, **order),
        ]
        for one, other in zip(got, want, strict=True):
            for result, wanted in zip(one, other, strict=True):
                assert_same_bits(result, wanted)


# Gradients


@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classes", "ignored", "probabilities"])
@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_softmax_gradient(reduction: Any, smoothing: float, weighted: bool, kind: str, axis: int) -> None:
    """The gradient is the derivative of the loss, by central differences."""
    x = data((4, 4, 4), scale=1)
    rng = np.random.default_rng(1)
    labels: Any = rng.integers(0, 4, (4, 4))
    options: dict[str, Any] = {"label_smoothing": smoothing, "axis": axis}
    if weighted:
        options["weight"] = np.array([0.5, 2, 0, 1])
    if kind == "ignored":
        options["ignore_index"] = 2
    if kind == "probabilities":
        labels = rng.dirichlet(np.ones(4), (4, 4))
        labels = np.moveaxis(labels, -1, axis)

    def total(z: Any) -> float:
        return float(np.sum(numact.softmax_cross_entropy(z, labels, reduction=reduction, **options)))

    loss, grad = numact.softmax_cross_entropy(x, labels, reduction=reduction, return_grad=True, **options)
    assert_same_bits(loss, numact.softmax_cross_entropy(x, labels, reduction=reduction, **options))
    assert grad.shape == x.shape
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        assert grad[place] == pytest.approx((total(x + step) - total(x - step)) / 2e-5, rel=1e-5, abs=1e-8)


@every_reduction
def test_sigmoid_gradient(reduction: Any) -> None:
    """The same of sigmoids, with weights of all kinds."""
    x, t = data((3, 5), scale=1), np.random.default_rng(1).random((3, 5))
    options: dict[str, Any] = {
        "weight": np.array([1.0, 2, 0.5, 0, 1]),
        "pos_weight": 3.0,
        "label_smoothing": 0.1,
        "reduction": reduction,
    }
    loss, grad = numact.sigmoid_cross_entropy(x, t, return_grad=True, **options)
    assert_same_bits(loss, numact.sigmoid_cross_entropy(x, t, **options))
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        up, down = (np.sum(numact.sigmoid_cross_entropy(x + s, t, **options)) for s in (step, -step))
        assert grad[place] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-8)


@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_as_pytorch(reduction: Any, smoothing: float) -> None:
    """PyTorch's results, with its options."""
    torch: Any = pytest.importorskip("torch")
    functional = torch.nn.functional
    x, weight = data((6, 5, 3)), np.array([0.5, 2, 1, 0, 1])
    labels = np.random.default_rng(0).integers(0, 5, (6, 3))
    options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    want = functional.cross_entropy(
        torch.tensor(x), torch.tensor(labels), torch.tensor(weight), ignore_index=4, **options
    )
    got = numact.softmax_cross_entropy(x, labels, 1, weight=weight, ignore_index=4, **options)
    np.testing.assert_allclose(got, want.numpy(), rtol=1e-12)
    shares = np.moveaxis(np.random.default_rng(0).dirichlet(np.ones(5), (6, 3)), -1, 1)
    want = functional.cross_entropy(torch.tensor(x), torch.tensor(shares), torch.tensor(weight), **options)
    got = numact.softmax_cross_entropy(x, shares, 1, weight=weight, **options)
    np.testing.assert_allclose(got, want.numpy(), rtol=1e-12)
    want = functional.binary_cross_entropy_with_logits(
        torch.tensor(x), torch.tensor(shares), pos_weight=torch.tensor(3.0), reduction=reduction
    )
    got = numact.sigmoid_cross_entropy(x, shares, pos_weight=3.0, reduction=reduction)
    np.testing.assert_allclose(got, want.numpy(), rtol=1e-12)


# Dtypes, limits, errors


@every_dtype
def test_dtypes(dtype: Any) -> None:
    """Results have the dtype of the logits, of the native byte order."""
    x, labels = data((6, 4), dtype), np.arange(6) % 4
    reduction: Any
    for reduction in ("none", "sum", "mean"):
        loss, grad = numact.softmax_cross_entropy(x, labels, reduction=reduction, return_grad=True)
        assert loss.dtype == grad.dtype == dtype
        loss, grad = numact.sigmoid_cross_entropy(x, x > 0, reduction=reduction, return_grad=True)
        assert loss.dtype == grad.dtype == dtype
    if dtype is not ml_dtypes.bfloat16:
        swapped = x.astype(np.dtype(dtype).newbyteorder())
        for reduction in ("none", "mean"):
            got = numact.softmax_cross_entropy(swapped, labels, reduction=reduction)
            assert got.dtype == dtype
            assert_same_bits(got, numact.softmax_cross_entropy(x, labels, reduction=reduction))
    assert numact.softmax_cross_entropy([[1, 2]], [0]).dtype == np.float64


def test_limits() -> None:
    """Infinite logits, and labels of probability 0, give limits in silence."""
    infinite = np.inf
    cross = numact.softmax_cross_entropy
    with np.errstate(all="raise"):
        assert cross([[infinite, 0.0]], [0], reduction="sum") == 0
        assert cross([[-infinite, 0.0]], [0], reduction="sum") == infinite
        assert cross([[-infinite, 0.0]], [[0.0, 1.0]], reduction="sum") == 0
        assert cross(np.array([[-3e38, 3e38]], np.float32), [1]) == 0
        for t, x, want in ((1, infinite, 0), (0, -infinite, 0), (1, -infinite, infinite), (0, infinite, infinite)):
            assert numact.sigmoid_cross_entropy(x, t) == want
    assert np.isnan(cross(np.ones((2, 3)), [1, 1], ignore_index=1))
    assert cross(np.ones((2, 3)), [1, 1], ignore_index=1, reduction="sum") == 0
    assert np.isnan(cross(np.ones((0, 3)), np.ones(0, int)))
    assert cross(np.ones((0, 3)), np.ones(0, int), reduction="none").shape == (0,)
    loss, grad = cross(np.ones((2, 3)), [-100, 1], ignore_index=-100, return_grad=True)
    assert loss == pytest.approx(np.log(3))
    assert not grad[0].any()


def test_errors() -> None:
    """The first label that is no class, and what does not fit, are named."""
    x = np.ones((2, 3))
    cross: Any = numact.softmax_cross_entropy
    sigmoid: Any = numact.sigmoid_cross_entropy
    labels: Any
    for labels, got in (([0, 3], r"got 3 at \(1,\)"), ([-1, 0], r"got -1 at \(0,\)")):
        with pytest.raises(ValueError, match=r"softmax_cross_entropy: labels must be in \[0, 3\), " + got):
            cross(x, labels)
    for labels in ([0, 1, 2], np.ones((3, 2)), [0.0, 1.0]):
        with pytest.raises(ValueError, match="labels must be integers of shape"):
            cross(x, labels)
    with pytest.raises(ValueError, match=r"weight must be of shape \(3,\), got \(2,\)"):
        cross(x, [0, 1], weight=[1, 2])
    for function, labels in ((cross, [0, 1]), (sigmoid, x)):
        name = function.__name__
        with pytest.raises(ValueError, match=f"{name}: reduction must be one of none, sum, mean, got 'max'"):
            function(x, labels, reduction="max")
        with pytest.raises(ValueError, match=f"{name}: label_smoothing must be from 0 to 1"):
            function(x, labels, label_smoothing=2)
        with pytest.raises(TypeError, match=f"{name}: logits must be real numbers, got complex"):
            function(x.astype(complex), labels)
        with pytest.raises(TypeError, match=f"{name}: an operand is masked"):
            function(np.ma.array(x, mask=x > 0), labels)
    with pytest.raises(TypeError, match="ignore_index is for labels that are integers"):
        cross(x, x, ignore_index=0)
    with pytest.raises(np.exceptions.AxisError):
        cross(x, [0, 1], axis=2)
    with pytest.raises(ValueError, match="targets must have the shape of logits"):
        sigmoid(x, [0.0, 1])
    with pytest.raises(ValueError, match="pos_weight must broadcast to"):
        sigmoid(x, x, pos_weight=np.ones(2))
