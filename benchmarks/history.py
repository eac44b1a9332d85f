"""What benchmarks/results keeps of chosen commits: a small part of the suite, to be measured in about two minutes."""

from __future__ import annotations

from . import activations, habits, others

USED = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "silu", "gelu", "gelu_tanh", "mish", "hard_swish"]
PAGE, BATCH = (4096, 1024), 4_194_304


class Rates(activations.Rates):
    params = (["copy", *USED], ["float32"], [262_144, BATCH])


class Ratios(activations.Ratios):
    params = ([name for name in USED if name not in ("gelu_tanh", "mish")], ["float32", "float64"], [16_384, 262_144])


class Axis(others.Axis):
    params = (["softmax", "log_softmax", "softmax_grad"], ["float32"], [PAGE])


class Layer(habits.Layer):
    params = (["relu", "gelu"], [PAGE])


class Reused(habits.Reused):
    params = (["relu", "gelu"], [PAGE])


class Gates(habits.Gates):
    params = (["swiglu"], ["float32"], [PAGE])


class Layouts(habits.Layouts):
    params = (["relu_grad"], ["float64"], ["same", "mixed"])


class Attention(habits.Attention):
    params = (["plain", "where", "causal"], [(6, 256, 256)])


class Small(habits.Small):
    params = ("softmax", "softmax where", "layer_norm", "batch_norm", "dropout", "relu_masked")


class Largest(habits.Largest):
    params = (["maxout", "hardmax"], [(1000, 384)])


class HalfRows(habits.HalfRows):
    params = (["softmax"], ["float16"])


class Rows(others.Rows):
    params = (["layer_norm", "rms_norm"], ["float32"], [PAGE])


class Masks(others.Masks):
    params = (["relu"], ["float32"], [BATCH])


class Dropout(others.Dropout):
    params = ([0.1, 0.5], [BATCH])


class Calls(others.Calls):
    pass


class Threads(others.Threads):
    params = (["relu", "gelu", "softmax"], [1, 2], [BATCH])


class Memory(others.Memory):
    pass


class Import(others.Import):
    pass


class Size(others.Size):
    pass
