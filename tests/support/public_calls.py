"""One call or more of every public function, with what it may write: for the tests that repeat calls under failures."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import numact
from numact import diagnostics, init, norm
from numact._functions import ufuncs
from numact._functions.catalogue import row as find_row
from numact._functions.masks.masked import MaskedActivation
from numact._functions.names import FUNCTIONS
from numact._functions.parametric import ParametricUfunc
from numact._kernels import core, targets
from numact.commands.inputs import parameter_sets

Array = np.ndarray[Any, np.dtype[Any]]

RNG = np.random.default_rng(7)


@dataclass
class Call:
    """A call of a public function.

    `operands` and `keywords` are what is given; `writes` those of them that the call may write.  `in_part` says that,
    by its docstring, a call without memory may have written them in part.
    """

    name: str
    form: str
    function: Callable[..., Any]
    operands: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    writes: tuple[Any, ...] = ()
    in_part: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {self.form}"

    def __call__(self) -> Any:
        """Make the call."""
        return self.function(*self.operands, **self.keywords)


def numbers(*shape: int, dtype: Any = np.float32) -> Array:
    """Random numbers of both signs."""
    x: Array = RNG.normal(0, 2, shape).astype(dtype)
    return x


def transposed(*shape: int, dtype: Any = np.float32) -> Array:
    """The same in Fortran order."""
    return np.asfortranarray(numbers(*shape, dtype=dtype))


# The activations of the catalogue.

SHAPE = (37, 41)  # elements enough for csrc/runtime/strided.c, in neither order


def of_ufunc(name: str, parameters: dict[str, float], results: int, inputs: int) -> Iterator[Call]:
    """Calls of an elementwise or gated function, or of its gradient."""
    function = getattr(numact, name)
    required = {key: value for key, value in parameters.items() if function.defaults[key] is None} if parameters else {}

    def call(form: str, arrays: tuple[Any, ...], outs: tuple[Array, ...] = (), **keywords: Any) -> Call:
        if outs:
            keywords["out"] = outs if results > 1 else outs[0]
        return Call(name, form, function, arrays, {**required, **keywords}, outs)

    def operands(make: Callable[..., Array] = numbers, *shape: int, **dtype: Any) -> tuple[Array, ...]:
        return tuple(make(*(shape or SHAPE), **dtype) for _ in range(inputs))

    def outs(make: Callable[..., Array] = numbers, **dtype: Any) -> tuple[Array, ...]:
        return tuple(make(*SHAPE, **dtype) for _ in range(results))

    yield call("contiguous", operands(numbers, 19))
    yield call("float16", operands(numbers, 19, dtype=np.float16))
    yield call("a list", tuple(array.tolist() for array in operands(numbers, 3)))
    yield call("in Fortran order into C order", operands(transposed), outs())
    yield call("every other column", tuple(array[:, ::2] for array in operands(numbers, 37, 82)))
    yield call("converted, into an array", operands(numbers, dtype=np.int16), outs(dtype=np.float64))
    if results == 1:
        yield call("where", operands(numbers, 19), (numbers(19),), where=np.arange(19) % 2 == 0)
    x = operands(numbers, 19)
    yield call("in place", x, x[-results:])
    if parameters:
        given: dict[str, Any] = dict(parameters)
        yield call("parameters that are numbers", operands(numbers, 19), **given)
        chosen: dict[str, Any] = {key: np.float64(value) for key, value in parameters.items()}
        yield call("parameters that are scalars", operands(numbers, 19), **chosen)
        arrays: dict[str, Any] = {key: np.full(19, value, np.float32) for key, value in parameters.items()}
        yield call("parameters that are arrays", operands(numbers, 19), **arrays)


def of_catalogue() -> Iterator[Call]:
    """Calls of the elementwise and gated functions and of what is derived from them."""
    for row in numact.catalogue():
        if row.family not in ("elementwise", "gated"):
            continue
        gated = row.family == "gated"
        values = dict(zip((name for name, _ in row.parameters), parameter_sets(row)[-1], strict=True))
        for suffix in ("", "_grad", "_grad_y"):
            if row.name + suffix in FUNCTIONS:
                arrays = len(row.arguments) + bool(suffix)
                yield from of_ufunc(row.name + suffix, values, 2 if gated and suffix else 1, arrays)
        if row.kink:
            grad, x = getattr(numact, f"{row.name}_grad"), numbers(19)
            first = {key: value for key, value in values.items() if grad.defaults[key] is None} if values else {}
            yield Call(f"{row.name}_grad", "at_zero", grad, (x, x), {**first, "at_zero": 0.5})
        if row.masked:
            name, x, out = f"{row.name}_masked", numbers(19), numbers(19)
            masked = getattr(numact, name)
            yield Call(name, "contiguous", masked, (x,))
            yield Call(name, "into an array", masked, (x,), {"out": out}, (out,))
            yield Call(name, "in place", masked, (out,), {"out": out}, (out,))
            yield Call(name, "every other column", masked, (numbers(4, 8)[:, ::2],))
        if gated:
            name, x, dy, out = f"{row.name}_split", numbers(6, 8), numbers(6, 4), numbers(6, 4)
            split, split_grad = getattr(numact, name), getattr(numact, f"{name}_grad")
            yield Call(name, "the last axis", split, (x,))
            yield Call(name, "the first axis, into an array", split, (x.T,), {"axis": 0, "out": out.T}, (out.T,))
            yield Call(name, "float16", split, (x.astype(np.float16),))
            yield Call(f"{name}_grad", "the last axis", split_grad, (dy, x))
            yield Call(f"{name}_grad", "in place", split_grad, (dy, x), {"out": x}, (x,))


# The functions along an axis, of which rows without order are long enough for scratch beyond the stack.

AXIS = (7, 1500)


def of_axis(name: str, function: Any, operands: int, forms: dict[str, dict[str, Any]]) -> Iterator[Call]:
    """Calls of a function along an axis, for arrays of all kinds."""

    def arrays(*shape: int, **dtype: Any) -> tuple[Array, ...]:
        return tuple(abs(numbers(*shape, **dtype)) for _ in range(operands))

    reduces = name == "logsumexp"
    yield Call(name, "rows", function, arrays(3, 5))
    yield Call(name, "float16", function, arrays(3, 5, dtype=np.float16))
    yield Call(name, "a list", function, tuple(array.tolist() for array in arrays(3, 5)))
    yield Call(name, "columns", function, arrays(1500, 7), {"axis": 0})
    yield Call(name, "rows without order", function, tuple(array[:, ::3] for array in arrays(7, 9000)))
    yield Call(name, "the middle axis", function, arrays(3, 1500, 2), {"axis": 1})
    out = numbers(1500, 4) if not reduces else numbers(4)
    yield Call(name, "columns, into an array", function, arrays(1500, 4), {"axis": 0, "out": out}, (out,), in_part=True)
    turned = numbers(4, 1500).T if not reduces else numbers(8)[::2]
    yield Call(
        name, "columns, into a view", function, arrays(1500, 4), {"axis": 0, "out": turned}, (turned,), in_part=True
    )
    if not reduces:
        x = arrays(1500, 4)
        yield Call(name, "in place", function, x, {"axis": 0, "out": x[-1]}, (x[-1],), in_part=True)
        x, out = arrays(3, 5000, 2), numbers(3, 5000, 2)
        yield Call(name, "the middle axis, into an array", function, x, {"axis": 1, "out": out}, (out,), in_part=True)
        x = arrays(2, 5000, 2, 4)
        x = tuple(array[..., ::2] for array in x)
        yield Call(name, "an axis of a view, in place", function, x, {"axis": 1, "out": x[-1]}, (x[-1],), in_part=True)
    if name in {"softmax", "log_softmax", "softmax_grad", "sparsemax", "logsumexp"}:
        yield Call(name, "two axes", function, arrays(3, 4, 5), {"axis": (0, 2)})
        yield Call(name, "all axes", function, arrays(3, 4), {"axis": None})
    for form, keywords in forms.items():
        yield Call(name, form, function, arrays(*AXIS), keywords)


def of_axes() -> Iterator[Call]:
    """Calls of all functions along an axis."""
    where = {"where": RNG.random(AXIS) < 0.5}
    temperature = {"temperature": 0.7}
    many = {"temperature": np.linspace(0.5, 2, 7)}
    both: dict[str, dict[str, Any]] = {"a mask": where, "a temperature": temperature, "temperatures": many}
    for name in ("softmax", "softmin", "log_softmax"):
        yield from of_axis(name, getattr(numact, name), 1, both)
        yield from of_axis(f"{name}_grad", getattr(numact, f"{name}_grad"), 2, {"temperatures": many})
    weights = {"b": abs(numbers(*AXIS)), "keepdims": True}
    signed = {"b": numbers(*AXIS), "return_sign": True}
    yield from of_axis("logsumexp", numact.logsumexp, 1, {"a mask": where, "weights": weights, "signs": signed})
    yield from of_axis("sparsemax", numact.sparsemax, 1, {"a mask": where})
    yield from of_axis("sparsemax_grad", numact.sparsemax_grad, 2, {})
    yield from of_axis("hardmax", numact.hardmax, 1, {})
    bias = {"mask": np.where(where["where"], np.float32(0), np.float32(-1)), "scale": 0.3}
    causal: dict[str, dict[str, Any]] = {"causal": {"causal": True}, "a mask": {"mask": where["where"]}, "a bias": bias}
    yield from of_axis("attention_softmax", numact.attention_softmax, 1, causal)
    yield from of_axis("attention_softmax_grad", numact.attention_softmax_grad, 2, {"scale": {"scale": 0.5}})
    soft: dict[str, dict[str, Any]] = {"soft": {}, "hard": {"hard": True}, "columns": {"axis": 0, "tau": 0.5}}
    for form, keywords in soft.items():
        yield Call("gumbel_softmax", form, numact.gumbel_softmax, (numbers(9, 5),), {"rng": 3, **keywords})
    for form, axis, x in (
        ("rows", -1, numbers(5, 12)),
        ("columns", 0, numbers(1500, 7)),
        ("float16", 1, numbers(2, 6)),
    ):
        x = x.astype(np.float16) if form == "float16" else x
        y, which = numact.maxout(x, 3, axis)
        yield Call("maxout", form, numact.maxout, (x, 3, axis), {"index_dtype": np.int32})
        yield Call("maxout_grad", form, numact.maxout_grad, (y, which, 3, axis))


# Masks, slopes, sums with a bias, losses.


def of_others() -> Iterator[Call]:
    """Calls of the other functions of the package itself."""
    x, dy, out = numbers(6, 8), numbers(6, 8), numbers(6, 8)
    mask = numact.BitMask.pack(x > 0)
    half, strided = x.astype(np.float16), numbers(6, 16)[:, ::2]
    for form, array in (("float32", x), ("float16", half), ("every other column", strided), ("a list", x.tolist())):
        yield Call("dropout", form, numact.dropout, (array, 0.3, 1))
        yield Call("masked_grad", form, numact.masked_grad, (array, mask, 0.7, 0.2))
        yield Call("prelu", form, numact.prelu, (array, numbers(8), 1))
        yield Call("prelu_grad", form, numact.prelu_grad, (array, x, numbers(6), 0))
        yield Call("rrelu", form, numact.rrelu, (array,))
        yield Call("rrelu", f"{form}, drawn", numact.rrelu, (array,), {"rng": 1})
        yield Call("rrelu_grad", form, numact.rrelu_grad, (array, x))
    generator = np.random.default_rng(1)
    yield Call("dropout", "a generator", numact.dropout, (x, 0.3, generator), {}, (generator,))
    yield Call("dropout", "channels, in place", numact.dropout, (x, 0.3, 1), {"out": x, "shared_axes": 1}, (x,))
    yield Call("masked_grad", "in place", numact.masked_grad, (x, mask), {"out": x}, (x,))
    yield Call("prelu", "in place", numact.prelu, (x, numbers(8)), {"out": x}, (x,))
    slopes = numbers(8)
    yield Call(
        "prelu_grad", "into arrays", numact.prelu_grad, (dy, x, numbers(8)), {"out": (out, slopes)}, (out, slopes)
    )
    yield Call("rrelu", "into an array", numact.rrelu, (x,), {"out": out}, (out,))
    yield Call("rrelu_grad", "slopes", numact.rrelu_grad, (dy, x, abs(numbers(6, 8))), {"out": out}, (out,))

    arrays = {"rows": (numbers(40, 50), -1), "planes": (numbers(3, 10, 50), 1), "float16": (half, -1)}
    for form, (array, axis) in arrays.items():
        bias = numbers(array.shape[axis]).astype(array.dtype)
        for activation in ("gelu", "relu"):
            both = (array, bias, activation)
            yield Call("bias_activation", f"{activation}, {form}", numact.bias_activation, both, {"axis": axis})
            residual = {"axis": axis, "residual": array[::-1]}
            yield Call("bias_activation", f"{activation}, {form}, residual", numact.bias_activation, both, residual)
            grads = (array[::-1], *both)
            yield Call(
                "bias_activation_grad", f"{activation}, {form}", numact.bias_activation_grad, grads, {"axis": axis}
            )
            residual = {"axis": axis, "residual": array}
            function = numact.bias_activation_grad
            yield Call("bias_activation_grad", f"{activation}, {form}, residual", function, grads, residual)
    into: dict[str, Any] = {"out": out}
    yield Call("bias_activation", "into an array", numact.bias_activation, (x, numbers(8), "mish"), into, (out,))
    both_outs = (out, slopes)
    given = (dy, x, numbers(8), "mish")
    yield Call("bias_activation_grad", "into arrays", numact.bias_activation_grad, given, {"out": both_outs}, both_outs)

    labels, targets = RNG.integers(0, 8, 6), (x > 0).astype(np.float32)
    for reduction in ("none", "sum", "mean"):
        with_grad = {"reduction": reduction, "return_grad": True, "label_smoothing": 0.1}
        name, weight = f"{reduction}, with the gradient", {"weight": abs(numbers(8))}
        yield Call(
            "softmax_cross_entropy", reduction, numact.softmax_cross_entropy, (x, labels), {"reduction": reduction}
        )
        yield Call("softmax_cross_entropy", name, numact.softmax_cross_entropy, (x, labels), {**with_grad, **weight})
        yield Call(
            "sigmoid_cross_entropy", reduction, numact.sigmoid_cross_entropy, (x, targets), {"reduction": reduction}
        )
        yield Call("sigmoid_cross_entropy", name, numact.sigmoid_cross_entropy, (x, targets), {**with_grad, **weight})
    yield Call("softmax_cross_entropy", "probabilities", numact.softmax_cross_entropy, (x, abs(dy)))

    yield Call("catalogue", "all", numact.catalogue)
    yield Call("get", "by another name", numact.get, ("torch.LeakyReLU",))
    yield Call("derivative", "with parameters", lambda: numact.derivative("elu", alpha=0.5)(x))
    yield Call("get_include", "the path", numact.get_include)
    yield Call("show_config", "as a dict", numact.show_config, ("dicts",))
    yield Call("get_num_threads", "the number", numact.get_num_threads)
    yield Call("set_num_threads", "one", numact.set_num_threads, (1,))
    yield Call("num_threads", "a block", within, (numact.num_threads, 1, x))
    yield Call("BitMask", "from bytes", numact.BitMask, (mask.packed, mask.shape))
    yield Call("BitMask", "packed", numact.BitMask.pack, (x > 0,))
    yield Call("BitMask", "unpacked and counted", lambda: (mask.unpack(), mask.count(), mask.mean(0), mask.any(1)))
    yield Call("Activation", "rules", lambda: [str(row) for row in numact.catalogue()])
    ufunc = numact.elu.ufunc
    yield Call("ParametricUfunc", "made", lambda: ParametricUfunc(ufunc, {"alpha": 1.0}, "alpha >= 0")(x))


def within(manager: Callable[..., Any], argument: Any, x: Array) -> Any:
    """Compute in a with block."""
    with manager(argument):
        return numact.gelu(x)


# The companions.


def of_norm() -> Iterator[Call]:
    """Calls of numact.norm."""
    shapes = {"rows": (6, 8), "planes": (4, 6, 10), "float16": (6, 8), "long rows": (3, 5000)}
    for form, shape in shapes.items():
        x, dy = (numbers(*shape, dtype=np.float16 if form == "float16" else np.float32) for _ in range(2))
        weight, bias = numbers(shape[-1]), numbers(shape[-1])
        by_channel, shift = numbers(shape[1]), numbers(shape[1])
        mean, var = numbers(shape[1]), abs(numbers(shape[1]))
        out = np.empty_like(x)
        yield Call("layer_norm", form, norm.layer_norm, (x, weight, bias))
        yield Call("layer_norm", f"{form}, activation", norm.layer_norm, (x, weight, bias), {"activation": "gelu"})
        yield Call("layer_norm", f"{form}, statistics", norm.layer_norm, (x,), {"return_stats": True})
        yield Call("layer_norm", f"{form}, into an array", norm.layer_norm, (x, weight, bias), {"out": out}, (out,))
        yield Call("layer_norm", f"{form}, in place", norm.layer_norm, (x, weight), {"out": x}, (x,))
        yield Call("layer_norm_grad", form, norm.layer_norm_grad, (dy, x, weight))
        yield Call("rms_norm", form, norm.rms_norm, (x, weight))
        yield Call("rms_norm", f"{form}, in place", norm.rms_norm, (x, weight), {"out": x}, (x,))
        yield Call("rms_norm_grad", form, norm.rms_norm_grad, (dy, x, weight))
        yield Call("batch_norm", form, norm.batch_norm, (x, mean, var, by_channel, shift))
        yield Call("batch_norm", f"{form}, in place", norm.batch_norm, (x, mean, var), {"out": x}, (x,))
        given = (x, mean, var, by_channel, shift)
        yield Call("batch_norm_train", form, norm.batch_norm_train, given, {}, ((mean, var),))
        running = (x, mean.astype(np.float64), var.astype(np.float64)[::-1])
        yield Call("batch_norm_train", f"{form}, float64", norm.batch_norm_train, running, {}, (running[1:],))
        saved = norm.batch_norm_train(x, None, None)[1]
        yield Call("batch_norm_grad", form, norm.batch_norm_grad, (dy, x, saved, by_channel))
        yield (
            Call("group_norm", form, norm.group_norm, (x, 2, by_channel, shift))
            if shape[1] % 2 == 0
            else Call("group_norm", form, norm.group_norm, (x, 1, by_channel, shift))
        )
        yield Call("group_norm_grad", form, norm.group_norm_grad, (dy, x, 1, by_channel))
    x, dy = numbers(4, 6, 10), numbers(4, 6, 10)
    yield Call("instance_norm", "planes", norm.instance_norm, (x, numbers(6), numbers(6)))
    yield Call("instance_norm_grad", "planes", norm.instance_norm_grad, (dy, x, numbers(6)))
    yield Call("layer_norm", "two axes of a view", norm.layer_norm, (x.transpose(1, 0, 2),), {"axis": (0, 2)})
    yield Call("BatchStatistics", "made", norm.BatchStatistics, (numbers(3), numbers(3), numbers(3)))


def of_init() -> Iterator[Call]:
    """Calls of numact.init."""
    for name in init.__all__:
        if name in ("gain", "second_moment"):
            yield Call(name, "relu", getattr(init, name), ("relu",))
            yield Call(name, "elu", getattr(init, name), ("elu",), {"alpha": 0.5})
            continue
        shape = ((6, 8), 0.5) if name == "sparse" else ((6, 8),)
        generator = np.random.default_rng(1)
        for dtype in (np.float64, np.float16):
            drawn = {"rng": generator, "dtype": dtype}
            yield Call(name, np.dtype(dtype).name, getattr(init, name), shape, drawn, (generator,))
    yield Call("he_uniform", "a seed", init.he_uniform, ((6, 8),), {"rng": 1})


def of_diagnostics() -> Iterator[Call]:
    """Calls of numact.diagnostics."""
    x, long = numact.relu(numbers(6, 70)), numbers(40, 5000)
    for name in ("dead_units", "sparsity", "summary"):
        for form, array in {
            "float32": x,
            "float16": x.astype(np.float16),
            "long": long,
            "a view": long[:, ::2],
        }.items():
            yield Call(name, form, getattr(diagnostics, name), (array,))
    yield Call("saturation", "float32", diagnostics.saturation, (x, -1.0, 1.0))
    yield Call("Summary", "made", diagnostics.Summary, (1, 0.0, 1.0, 0.0, 0.0, 0.0))
    yield Call("ActivationMonitor", "made", diagnostics.ActivationMonitor)
    monitor, other = diagnostics.ActivationMonitor(3, 2), diagnostics.ActivationMonitor(3, 4)
    for k in range(5):
        monitor.update("first", np.roll(x, k, 1), activation="relu")
        other.update("first", np.roll(x, k + 1, 1))
        other.update("second", x)
    known, fresh = (copy.deepcopy(monitor) for _ in range(2))
    out = np.empty_like(x)
    yield Call("ActivationMonitor", "update", known.update, ("first", x), {}, (known,))
    yield Call(
        "ActivationMonitor", "update of a new layer", fresh.update, ("second", x), {"activation": "tanh"}, (fresh,)
    )
    fused, plain = (copy.deepcopy(monitor) for _ in range(2))
    yield Call("ActivationMonitor", "forward", fused.forward, ("first", "gelu", x), {"out": out}, (fused, out))
    yield Call("ActivationMonitor", "forward of a list", plain.forward, ("third", "elu", x.tolist()), {}, (plain,))
    merged = copy.deepcopy(monitor)
    yield Call("ActivationMonitor", "merge", merged.merge, (other,), {}, (merged,))
    yield Call("ActivationMonitor", "read", lambda: (monitor.to_dict(), monitor.advice(), monitor.dead_units("first")))


def of_memory() -> Iterator[Call]:
    """Calls of numact.memory."""
    memory, large = numact.memory, numbers(40_000)

    def turned_on() -> Any:
        try:
            memory.set_reuse("1MiB")
            return numact.gelu(large)
        finally:
            memory.set_reuse(None)

    def figures() -> Any:
        return sorted(memory.stats())

    yield Call("reuse", "a block", within, (memory.reuse, "1MiB", large))
    yield Call("set_reuse", "on and off", turned_on)
    yield Call("stats", "names", figures)


def of_first_use() -> Iterator[Call]:
    """What makes functions when they are first read."""
    level = targets.LEVEL
    yield Call("first use", "ufuncs", lambda: core.build(level, ("gelu", "glu_grad", "elu_grad_y")))
    yield Call("first use", "generalised ufuncs", lambda: core.build_axis(level))
    yield Call("first use", "loops with masks", lambda: sorted(core.build_masked(level)))
    for name in ("gelu", "elu_grad", "glu_split", "swiglu_grad"):
        yield Call("first use", name, lambda name=name: ufuncs._make_public(name).__name__)
    yield Call("first use", "relu_masked", lambda: MaskedActivation(find_row("relu")).__name__)


GROUPS: dict[str, Callable[[], Iterator[Call]]] = {
    "activations": of_catalogue,
    "axes": of_axes,
    "others": of_others,
    "norm": of_norm,
    "init": of_init,
    "diagnostics": of_diagnostics,
    "memory": of_memory,
    "first_use": of_first_use,
}


def public_names() -> set[str]:
    """The names that have to be in the calls."""
    modules = (numact, norm, init, diagnostics, numact.memory)
    places = {"diagnostics", "init", "memory", "norm", "adapters", "threads"}
    return {name for module in modules for name in module.__all__} - places
