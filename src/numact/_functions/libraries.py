"""The names of activations in other libraries, and what they are in numact."""

from typing import Final


def _same(names: str) -> dict[str, str]:
    """The names of a library that mean the function of the same name."""
    return dict.fromkeys(names.split(), "")


# By library and name: the text for `numact.get`, with parameters where the defaults of the library differ; empty for
# the function of the same name.
LIBRARIES: Final[dict[str, dict[str, str]]] = {
    "torch": _same(
        "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish PReLU RReLU ReLU "
        "ReLU6 SELU SiLU Sigmoid Softmax Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold "
        "celu elu gelu gumbel_softmax hardshrink hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid mish "
        "prelu relu relu6 rrelu selu sigmoid silu softmax softmin softplus softshrink softsign tanh tanhshrink "
        "threshold celu_ elu_ hardtanh_ leaky_relu_ relu_ rrelu_ selu_ threshold_ logsumexp"
    )
    | {"GLU": "glu_split", "Softmax2d": "softmax(axis=-3)", "glu": "glu_split"},
    "keras": _same(
        "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh linear log_sigmoid "
        "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
        "sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold ELU PReLU ReLU Softmax"
    )
    | {
        "LeakyReLU": "leaky_relu(negative_slope=0.3)",
        "leaky_relu": "leaky_relu(negative_slope=0.2)",
        "glu": "glu_split",
    },
    "jax": _same(
        "celu elu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu log_sigmoid log_softmax "
        "mish relu relu6 selu sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus swish tanh"
    )
    | {"gelu": "gelu_tanh", "glu": "glu_split", "logsumexp": "logsumexp(axis=None)"},
    "onnx": _same(
        "Celu Elu Exp Gelu HardSwish Hardmax Identity LeakyRelu LogSoftmax Mish PRelu Relu Selu Sigmoid Softmax "
        "Softplus Softsign SwiGLU Swish Tanh ThresholdedRelu"
    )
    | {
        "Clip": "hard_tanh(min_val=-inf, max_val=inf)",
        "HardSigmoid": "clipped_linear(slope=0.2, offset=0.5)",
        "Shrink": "hard_shrink",
    },
    "transformers": _same(
        "gelu gelu_fast gelu_new gelu_python gelu_pytorch_tanh hardswish leaky_relu linear mish prelu quick_gelu relu "
        "relu2 relu6 sigmoid silu swish tanh"
    )
    | {"gelu_accurate": "gelu_tanh", "gelu_python_tanh": "gelu_tanh"},
    "sklearn": _same("exp identity logistic relu softmax tanh"),
    "thinc": _same(
        "ClippedLinear Dish Gelu HardSwishMobilenet HardTanh Logistic Maxout Mish Relu Sigmoid Softmax Swish "
        "clipped_linear dish gelu hard_swish_mobilenet hard_tanh logistic maxout mish relu sigmoid softmax swish"
    )
    | {
        "HardSigmoid": "clipped_linear(slope=0.2, offset=0.5)",
        "ReluK": "hard_tanh(min_val=0, max_val=6)",
        "gelu_approx": "gelu_tanh",
        "HardSwish": "clipped_swish",
        "hard_sigmoid": "clipped_linear(slope=0.2, offset=0.5)",
        "hard_swish": "clipped_swish",
        "relu_k": "hard_tanh(min_val=0, max_val=6)",
        "sigmoid_activation": "sigmoid",
        "softmax_activation": "softmax",
    },
}

# Names that numact has no function for: the formula, or why.
MISSING: Final[dict[str, dict[str, str]]] = {
    "torch": {"MultiheadAttention": "a layer with weights"},
    "jax": {"log1mexp": "log(1 - e^-x)", "logmeanexp": "logsumexp(x) - log n", "standardize": "norm.layer_norm"},
    "transformers": {
        "gelu_10": "gelu clipped to [-10, 10]",
        "laplace": "the distribution function of the normal distribution with mean 0.7071 and deviation 0.2821",
        "sqrtsoftplus": "the square root of softplus",
        "xielu": "a function with learned parameters",
    },
}
