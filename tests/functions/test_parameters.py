"""Parameters: positional, by keyword, by default or required; the rules that they obey; what they do to the dtype."""

import inspect
import math
from typing import Any

import numpy as np
import pytest
from support.cases import CHOSEN, FUNCTIONS, ROWS, Function, assert_same_bits, name_of

import numact
from numact import Activation, ParametricUfunc
from numact._functions.catalogue import parse_parameters, rules
from numact._functions.parameters import Rule
from numact._functions.ufuncs import PUBLIC, RAW

PARAMETRIC = [name for name, function in PUBLIC.items() if isinstance(function, ParametricUfunc)]
LIMITED = [row for row in ROWS if row.domain]


def values_of(function: ParametricUfunc) -> dict[str, float]:
    """Values for all parameters: the defaults, and chosen ones where there is none."""
    return {name: CHOSEN[name] if value is None else value for name, value in function.defaults.items()}


@pytest.mark.parametrize("name", PARAMETRIC)
def test_parameters(name: str) -> None:
    """Positional, by keyword and by default; a Python number never changes the dtype, an array broadcasts."""
    function: Any = PUBLIC[name]
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    arrays = (x,) * function.nin
    values = values_of(function)
    default = function(*arrays, **{key: values[key] for key, value in function.defaults.items() if value is None})
    assert default.dtype == np.float32
    assert_same_bits(function(*arrays, *values.values()), default)
    assert_same_bits(function(*arrays, **values), default)
    for number, parameter in enumerate(values):
        # Two, or what lies as far from the default as the rules allow for sure.
        two = 2.0 if number == len(values) - 1 else values[parameter] / 2
        for value in (two, np.float32(two), np.float64(two), np.array(two), *([2, True] if two == 2 else [])):
            assert function(*arrays, **{**values, parameter: value}).dtype == np.float32
        assert function(*arrays, **{**values, parameter: np.array([two])}).dtype == np.float64
        column = np.array([[two], [two], [values[parameter]]], np.float32)
        got = function(*arrays, **{**values, parameter: column})
        for i in range(3):
            single = {**values, parameter: column[i, 0]}
            assert_same_bits(got[i], function(*(array[i] for array in arrays), **single))
        with pytest.raises(TypeError, match=f"multiple.*{parameter}"):
            function(*arrays, *values.values(), **{parameter: two})
    with pytest.raises(TypeError, match="nonsense"):
        function(*arrays, *values.values(), nonsense=1)


@pytest.mark.parametrize("name", PARAMETRIC)
def test_signature(name: str) -> None:
    """inspect.signature tells operands, parameters and defaults; so does repr."""
    function: Any = PUBLIC[name]
    signature = inspect.signature(function)
    operands = {"": ["x"], "_grad": ["dy", "x"], "_grad_y": ["dy", "y"]}
    suffix = next(suffix for suffix in ("_grad_y", "_grad", "") if name.endswith(suffix))
    keywords = ["out", *(["at_zero"] if suffix == "_grad" and RAW.get(f"{name}_at_zero") else []), "keywords"]
    assert list(signature.parameters) == operands[suffix] + list(function.defaults) + keywords
    for parameter, default in function.defaults.items():
        assert signature.parameters[parameter].default == (inspect.Parameter.empty if default is None else default)
    for word in (*operands[suffix], *function.defaults):
        assert word in repr(function)
    assert not function.__doc__.startswith(name), "NumPy's signature, in which parameters have no name"


def test_signature_of_the_class() -> None:
    """The class has the signature of its constructor."""
    assert list(inspect.signature(ParametricUfunc).parameters) == ["ufunc", "defaults", "domain", "at_zero"]


# The usual calls, which have a way of their own


def usual_calls(function: Any, x: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Operands and keywords: parameters left out, by position, by keyword; out= and where=; at_zero=."""
    arrays, values = (x,) * function.nin, dict(zip(function.defaults, values_of(function).values(), strict=True))
    first, *rest = values.items() if values else [("", 0)]
    required = {key: values[key] for key, value in function.defaults.items() if value is None}
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        (arrays, required),
        ((*arrays, *values.values()), {}),
        (arrays, values),
        (arrays, dict(reversed(values.items()))),
        ((*arrays, *([first[1]] if values else [])), dict(rest)),
    ]
    if RAW.get(f"{function.__name__}_at_zero"):
        calls += [(arrays, {**required, "at_zero": value}) for value in (0.25, 1, True, None)]
    mask = x > 0
    return [
        (operands, {**keywords, **more})
        for operands, keywords in calls
        for more in ({}, {"out": np.zeros_like(x)}, {"out": np.zeros_like(x), "where": mask})
    ]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", PARAMETRIC)
def test_usual_calls(name: str, dtype: type[np.floating[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """They do without the Python code for all calls, and give the same."""
    function: Any = PUBLIC[name]
    if function._bounds and dtype is np.float16:
        return  # its parameters are rounded, which takes the Python code
    calls = usual_calls(function, np.linspace(-2, 2, 9, dtype=dtype))
    wanted = [function._compute(operands, {**keywords}).copy() for operands, keywords in calls]
    monkeypatch.delattr(ParametricUfunc, "_compute")
    for (operands, keywords), want in zip(calls, wanted, strict=True):
        got = function(*operands, **keywords)
        assert_same_bits(got, want)
        assert got is keywords.get("out", got)


def test_unusual_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be taken for a usual call is not."""
    x = np.ones(3, np.float32)
    function: Any = PUBLIC["elu_grad"]
    late = "".join(["al", "pha"])  # not interned
    seen = []
    monkeypatch.setattr(ParametricUfunc, "_compute", lambda self, *given: seen.append(given))
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((x, x.astype(">f4")), {}),
        ((x, x.astype(np.float64)), {}),
        ((x, x.view(np.ma.MaskedArray)), {}),
        ((x, 1.0), {}),
        ((x, x, x), {}),
        ((x, x, np.float32(1)), {}),
        ((x, x, np.float64(1)), {}),
        ((x, x, None), {}),
        ((x, x, -1.0, 2.0), {}),
        ((x, x, 2.0), {"alpha": 2.0}),
        ((x, x), {late: 2.0}),
        ((x, x), {"alpha": "2"}),
        ((x, x), {"alpha": 2.0, "dtype": np.float64}),
        ((x, x), {"at_zero": x}),
        ((x,), {}),
        ((), {}),
        ((), {"alpha": 2.0}),
    ]
    for operands, keywords in calls:
        function(*operands, **keywords)
    assert seen == calls
    seen.clear()
    for wrong in (-1.0, math.nan):
        PUBLIC["elu_grad_y"](x, x, wrong)
    assert len(seen) == 2


def test_numbers_of_usual_calls() -> None:
    """A number beyond the dtype is infinite with NumPy's warning, or an error where that is one, or beyond float64."""
    x, out = -np.ones(3, np.float32), np.full(3, 7, np.float32)
    leaky_relu: Any = numact.leaky_relu
    with pytest.warns(RuntimeWarning, match="overflow encountered in cast"):
        assert np.isneginf(leaky_relu(x, 1e300)).all()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        leaky_relu(x, 1e300, out=out)
    with pytest.raises(ValueError, match="negative_slope must be a number that float64 holds"):
        leaky_relu(x, 1 << 2000, out=out)
    np.testing.assert_array_equal(out, 7)


def test_subclass() -> None:
    """A class built on ParametricUfunc may have its own call."""

    class Doubled(ParametricUfunc):
        def __call__(self, *operands: Any, **keywords: Any) -> Any:
            return 2 * super().__call__(*operands, **keywords)

    class Plain(ParametricUfunc):
        pass

    x = np.array([-2, 4], np.float32)
    np.testing.assert_array_equal(Plain(RAW["leaky_relu"], {"slope": 0.5})(x), [-1, 4])
    np.testing.assert_array_equal(Doubled(RAW["leaky_relu"], {"slope": 0.5})(x), [-2, 8])
    np.testing.assert_array_equal(Doubled(RAW["leaky_relu"], {"slope": 0.5})(x, slope=1.0), [-4, 8])


# Rules


def violations(rule: str, values: dict[str, float]) -> list[tuple[dict[str, Any], str]]:
    """Parameters that a rule does not allow, each with the value that the message must show."""
    name, comparison, right = rule.split()
    bound = values.get(right)
    bound = float(right) if bound is None else bound
    wrong = bound + {">=": -0.25, ">": 0.0, "<=": 0.25, "<": 0.0, "!=": 0.0}[comparison]
    allowed = values[name]
    return [
        ({name: wrong}, str(wrong)),
        ({name: np.float32(wrong)}, str(wrong)),
        ({name: np.float64(wrong)}, str(wrong)),
        ({name: np.array([allowed, wrong, allowed])}, str(wrong)),
        ({name: [[allowed], [wrong]]}, str(wrong)),
        ({name: math.nan}, "nan"),
        ({name: np.array([allowed, math.nan, wrong], np.float32)}, "nan"),
    ]


def assert_raises(function: ParametricUfunc, rule: str, given: dict[str, Any], shown: str) -> None:
    """A ValueError that names function, parameter, rule and value, before anything is written."""
    name, comparison, right = rule.split()
    pattern = rf"^{function.__name__}: {name} must be {comparison} {right}, got {shown}"
    out = np.full((2, 3), 7, np.float32)
    arrays: tuple[Any, ...] = (np.ones(3, np.float32),) * function.nin
    with pytest.raises(ValueError, match=pattern):
        function(*arrays, out=out, **given)
    with pytest.raises(ValueError, match=pattern):
        function(*arrays, *given.values(), out=out)
    np.testing.assert_array_equal(out, 7)


@pytest.mark.parametrize("row", LIMITED, ids=name_of)
def test_domain(row: Activation) -> None:
    """A parameter that is not allowed raises, where the row says so, and the bounds that are allowed do not."""
    for suffix in ("", "_grad", "_grad_y"):
        function = PUBLIC.get(row.name + suffix)
        if function is None:
            continue
        assert isinstance(function, ParametricUfunc)
        values = values_of(function)
        for text in row.domain.split(", "):
            rule = text.removeprefix("y: ")
            for given, shown in violations(rule, values):
                if text.startswith("y: ") and suffix != "_grad_y":
                    function(*(1.0,) * function.nin, **{**values, **given})
                else:
                    assert_raises(function, rule, {**values, **given}, shown)
            name, comparison, right = rule.split()
            if comparison in (">=", "<="):
                bound = values[right] if right in values else float(right)
                function(*(1.0,) * function.nin, **{**values, name: bound})


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.row.domain], ids=name_of)
def test_parameters_of_tests(function: Function) -> None:
    """The parameters that tests use are allowed."""
    names = tuple(name for name, _ in function.row.parameters)
    for text in rules(function.row.domain, "_grad_y").split(", "):
        for parameters in function.parameters(float):
            Rule(text, names).check(function.name, list(parameters))


def between(domain: str, **defaults: float | None) -> ParametricUfunc:
    """A function of one operand and two parameters, called leaky_relu_grad: x if z > 0 else slope x."""
    return ParametricUfunc(RAW["leaky_relu_grad"], defaults, domain)


@pytest.mark.parametrize("comparison", [">", ">=", "<", "<=", "!="])
@pytest.mark.parametrize("right", ["0", "-1.5", "high"])
def test_comparisons(comparison: str, right: str) -> None:
    """Every comparison, with a number and with another parameter."""
    values = {"low": {"<": -8.0, ">": 8.0, "!": 8.0}[comparison[0]], "high": 1.0}
    function = between(f"low {comparison} {right}", **values)
    for given, shown in violations(f"low {comparison} {right}", values):
        assert_raises(function, f"low {comparison} {right}", {**values, **given}, shown)
    function(np.ones(3, np.float32), np.full((2, 1), values["low"]), values["high"])


def test_two_parameters() -> None:
    """Two parameters are compared element by element, as they broadcast, and the message shows both."""
    function = between("low <= high", low=-1.0, high=1.0)
    x = np.ones((2, 3), np.float32)
    low, high = np.array([[0], [1]], np.float32), np.array([1, 2, 3], np.float32)
    assert function(x, low, high).shape == (2, 3)
    with pytest.raises(ValueError, match=r"low must be <= high, got 1.0 and 0.5$"):
        function(x, low, np.array([1, 0.5, 3], np.float32))
    with pytest.raises(ValueError, match=r"low must be <= high, got 2 and 1.0$"):
        function(x, low=2)
    with pytest.raises(ValueError, match=r"low must be <= high, got nan and 1.0$"):
        function(x, low=math.nan)
    with pytest.raises(ValueError, match="broadcast"):
        function(x, np.ones(2), np.ones(3))
    # A Python number is compared in the precision of the array beside it.
    function(x, np.full(3, 0.1, np.float32), 0.1)
    function(x, np.empty((0, 1, 1)), 1.0)


def test_several_rules() -> None:
    """All rules of a domain are checked; those after "y: " by the gradient from the output alone."""
    function = between("low != 0, low <= high", low=-1.0, high=1.0)
    with pytest.raises(ValueError, match="low must be != 0, got 0"):
        function(1.0, 0, 1)
    with pytest.raises(ValueError, match="low must be <= high, got 3 and 1"):
        function(1.0, 3, 1)
    function(1.0, -0.1, 1)
    assert rules("a != 0, y: b > 0, a <= b", "") == "a != 0, a <= b"
    assert rules("a != 0, y: b > 0, a <= b", "_grad") == "a != 0, a <= b"
    assert rules("a != 0, y: b > 0, a <= b", "_grad_y") == "a != 0, b > 0, a <= b"
    assert rules("", "_grad_y") == ""


# Parameters without default


def test_parse_parameters() -> None:
    """Names and defaults, None where there is none."""
    assert parse_parameters("") == ()
    assert parse_parameters("threshold, value") == (("threshold", None), ("value", None))
    assert parse_parameters("a=-0.5, max_value=inf") == (("a", -0.5), ("max_value", math.inf))


def test_required() -> None:
    """A parameter without default must be given."""
    function = between("", threshold=None, value=None)
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    want = RAW["leaky_relu_grad"](x, np.float32(-1), np.float32(3))
    for got in (function(x, -1, 3), function(x, -1, value=3), function(x, value=3, threshold=-1.0)):
        assert_same_bits(got, want)
    for arguments, keywords, missing in (
        ((), {}, "threshold"),
        ((1,), {}, "value"),
        ((), {"value": 1}, "threshold"),
        ((1, None), {}, "value"),
    ):
        out = np.full(5, 7, np.float32)
        with pytest.raises(TypeError, match=rf"leaky_relu_grad\(\) needs a value for the parameter '{missing}'"):
            function(x, *arguments, out=out, **keywords)
        np.testing.assert_array_equal(out, 7)
    assert "(x, threshold, value)" in repr(function)
    assert str(inspect.signature(function)) == "(x, /, threshold, value, *, out=None, **keywords)"
    mixed = between("", threshold=None, value=2.0)
    assert_same_bits(mixed(x, -1), RAW["leaky_relu_grad"](x, np.float32(-1), np.float32(2)))
    with pytest.raises(TypeError, match="'threshold'"):
        mixed(x)


# dtypes


def test_number_beside_double() -> None:
    """A Python number keeps its digits where another parameter makes the result float64."""
    function = between("", low=-1.0, high=1.0)
    x = np.full(3, -1, np.float32)
    got = function(x, np.full(3, -1.0), 0.1)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, -0.1)
    np.testing.assert_array_equal(function(x.astype(np.int8), np.full(3, -1.0), 0.1), -0.1)
    assert function(x.astype(np.int8), -1, 0.1).dtype == np.float16
    assert function([-1, -1], -1, 0.1).dtype == np.float64


def test_integers_and_doubles() -> None:
    """A scalar of any kind leaves the dtype alone, beside integers too; an array takes part in it."""
    leaky_relu: Any = numact.leaky_relu
    assert leaky_relu(np.ones(3, np.int8), 0.5).dtype == np.float16
    assert leaky_relu(np.ones(3, np.int8), np.float64(0.5)).dtype == np.float16
    assert leaky_relu(np.ones(3, np.int8), np.full(3, 0.5)).dtype == np.float64


def test_where_decides_which_count() -> None:
    """A parameter counts only where ``where=`` is true."""
    x, out = np.ones(2, np.float32), np.zeros(2, np.float32)
    beta = np.array([1, -1], np.float32)
    numact.softplus(x, beta, where=[True, False], out=out)
    assert_same_bits(out, np.array([numact.softplus(np.float32(1)), 0], np.float32))
    with pytest.raises(ValueError, match=r"beta must be > 0, got -1\.0"):
        numact.softplus(x, beta, where=[False, True], out=out)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_beyond_the_range_of_the_dtype(dtype: Any) -> None:
    """A parameter that the dtype does not hold is not rounded, and no result but one that overflows warns."""
    x = np.array([-np.inf, -3, 0, 2, np.inf], dtype)
    bound = np.inf if dtype is np.float16 else 1e6
    assert_same_bits(numact.hard_tanh(x, -1e6, 1e6), np.array([-bound, -3, 0, 2, bound], dtype))
    bound = 1e300 if dtype is np.float64 else np.inf
    assert_same_bits(numact.hard_tanh(x, -1e300, 1e300), np.array([-bound, -3, 0, 2, bound], dtype))
    assert float(numact.elu(x, 1e-60)[1]) == float(dtype(1e-60 * np.expm1(-3))) or dtype is np.float64
    assert np.signbit(numact.elu(x, 1e-60)[1])
    out = np.full(5, 7, dtype)
    where = x > -5
    assert numact.hard_tanh(x, -1e60, 1e60, out=out, where=where) is out
    assert_same_bits(out[:4], np.array([7, -3, 0, 2], dtype))
    if dtype is not np.float64:
        with pytest.raises(RuntimeWarning, match="overflow"):
            numact.softplus(x, 1e-50)
    assert np.isfinite(numact.softplus(np.ones(1, dtype), np.array([1e-9]), dtype=np.float64)).all()


GRADIENTS = [name for name in numact.__all__ if isinstance(getattr(numact, name), ParametricUfunc)]


@pytest.mark.parametrize("name", GRADIENTS)
def test_methods_of_ufuncs(name: str) -> None:
    """Positional out, outer, at, types and the numbers of operands are those of a ufunc."""
    function: Any = getattr(numact, name)
    required = [0.5 for default in function.defaults.values() if default is None]
    values = [default for default in function.defaults.values() if default is not None] + required
    x = np.linspace(0.1, 0.9, 4, dtype=np.float32)
    arrays, out = (x,) * function.nin, np.empty(4, np.float32)
    want = function(*arrays, *values)
    assert function(*arrays, *values, out) is out
    assert_same_bits(out, want)
    assert function(*arrays, *values, None).dtype == np.float32
    with pytest.raises(TypeError, match="multiple values for argument 'out'"):
        function(*arrays, *values, out, out=out)
    with pytest.raises(TypeError, match="positional arguments"):
        function(*arrays, *values, out, out)
    assert function.nargs == function.nin + function.nout
    assert function.ntypes == len(function.types)
    assert "f" * function.nin + "->f" in function.types
    assert function.identity is function.signature is None
    named = dict(zip(function.defaults, values, strict=True))
    memory = x.copy()
    if function.nin == 2:
        assert_same_bits(function.outer(x, x[:3], **named), function(x[:, None], x[:3], **named))
        function.at(memory, [1, 1, 2], 0.5, **named)
    else:
        with pytest.raises(ValueError, match="two operands"):
            function.outer(x, x)
        function.at(memory, [1, 1, 2], **named)
    rest = (np.float32(0.5),) * (function.nin - 1)
    twice = function(function(x[1], *rest, **named), *rest, **named)
    assert_same_bits(memory, np.array([x[0], twice, function(x[2], *rest, **named), x[3]]))
    if function.nin == 2 and not named:
        assert_same_bits(function.accumulate(x), function.ufunc.accumulate(x))
    else:
        with pytest.raises(ValueError, match="two operands and no parameters"):
            function.reduce(x)


def test_at_errors() -> None:
    """What is no array, or has the wrong number of operands, is refused."""
    with pytest.raises(TypeError, match="must be an array"):
        numact.leaky_relu.at([1.0], [0])
    with pytest.raises(ValueError, match="has 1 operands, got 2"):
        numact.leaky_relu.at(np.ones(2), [0], 3.0)
    with pytest.raises(ValueError, match="has 2 operands, got 1"):
        numact.relu_grad.at(np.ones(2), [0])
