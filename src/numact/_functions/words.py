"""The words of other libraries for parameters, and the messages for keywords that a function does not have."""

from collections.abc import Iterable
from inspect import CO_VARKEYWORDS
from typing import Any

from numact._functions.catalogue import Activation, row

SUFFIXES = "_grad_at_zero", "_grad_y", "_grad", "_masked"
UFUNC_KEYWORDS = "where", "dtype", "casting", "order", "subok", "signature", "sig"

# The name of a parameter in numact, what others call it, and the functions that mean the same by it; those of all
# functions where there are none.  A row counts for a function that has the parameter, but no other of the word's name;
# of several the first.
WORDS = [
    # of a formula
    ("negative_slope", "alpha slope leak leakiness", ""),
    ("weight", "alpha a slope negative_slope", "prelu"),
    ("lower", "min minimum l low", "rrelu"),
    ("upper", "max maximum u high", "rrelu"),
    ("min_val", "min minimum min_value a_min lower low clip_min", "hard_tanh clipped_linear clipped_swish"),
    ("max_val", "max maximum max_value a_max upper high clip_max n", "hard_tanh clipped_linear clipped_swish"),
    ("max_value", "max maximum max_val upper", "general_relu"),
    ("slope", "alpha scale", "clipped_linear clipped_swish hard_sigmoid hard_swish"),
    ("offset", "beta bias shift", "clipped_linear clipped_swish hard_sigmoid hard_swish"),
    ("lambd", "lambda_ lmbda lambda threshold", "hard_shrink soft_shrink"),
    ("value", "default_value fill_value", "threshold"),
    ("alpha", "theta threshold", "thresholded_relu"),
    ("alpha", "a", "elu celu selu"),
    ("scale", "gamma lambda_ lambd", "selu"),
    ("beta", "alpha scale", "swish swiglu"),
    ("beta", "sharpness", "softplus"),
    # along an axis
    ("axis", "dim dims axes", ""),
    ("axis", "normalized_axes reduction_axes", "layer_norm rms_norm"),
    ("axis", "feature_axis channel_axis", "batch_norm batch_norm_train batch_norm_grad group_norm instance_norm"),
    ("keepdims", "keepdim keep_dims", ""),
    ("where", "mask", ""),
    ("temperature", "tau T t", ""),
    ("tau", "temperature T t", ""),
    ("pieces", "num_pieces k nP", "maxout"),
    # of normalisation
    ("eps", "epsilon variance_epsilon", ""),
    ("weight", "gamma scale weights g", ""),
    ("bias", "beta offset shift biases b", ""),
    ("mean", "running_mean moving_mean", ""),
    ("running_mean", "mean moving_mean", ""),
    ("var", "variance running_var moving_variance moving_var", ""),
    ("running_var", "var variance moving_variance moving_var running_variance", ""),
    ("groups", "num_groups", ""),
    ("num_groups", "groups", ""),
    # of random numbers
    ("p", "rate prob probability ratio drop_prob drop_rate dropout dropout_prob dropout_rate", "dropout"),
    ("rng", "seed key generator random_state rng_key prng_key seed_generator rngs", ""),
    ("shared_axes", "broadcast_dims", ""),
    ("shape", "size", ""),
    ("gain", "nonlinearity activation", ""),
    ("mode", "fan_mode", ""),
    # of losses
    ("labels", "target targets label y_true y", ""),
    ("targets", "target labels label y_true y", ""),
    ("logits", "input inputs y_pred predictions x", ""),
    # of operands
    ("out", "output_array destination dst", ""),
    ("x", "input inputs a X features data tensor logits z self array arr", ""),
    ("dy", "grad grads gradient gradients grad_output dY dout g upstream cotangent", ""),
    ("y", "output outputs Y", ""),
]

# Where numact has no such parameter, what to do instead: the words, the functions that are meant, or a keyword that
# these have, and the advice.  {name} is the function without suffix, {suffix} its suffix, {x} its first operand.
ADVICE = [
    ("approximate", "gelu geglu", "", 'use {name}_tanh{suffix} for approximate="tanh", {name} is exact'),
    ("approximate", "gelu_tanh", "", 'it is that of approximate="tanh", gelu{suffix} is exact'),
    ("approximate", "geglu_split", "", 'use geglu_tanh_split{suffix} for approximate="tanh", geglu is exact'),
    ("negative_slope alpha slope", "relu", "", "use leaky_relu{suffix}, or general_relu"),
    ("max_value threshold", "relu", "", "use general_relu"),
    ("alpha beta scale slope offset bias", "hard_sigmoid", "", "use clipped_linear{suffix} with slope and offset"),
    ("alpha beta scale slope offset bias", "hard_swish", "", "use clipped_swish{suffix} with slope and offset"),
    ("alpha beta", "silu", "", "use swish{suffix}"),
    ("threshold", "softplus mish", "", "the formula is accurate for all x and needs none"),
    ("axis dim", "glu swiglu geglu geglu_tanh reglu", "", "use {name}_split{suffix} for both halves in one array"),
    ("training train is_training deterministic", "rrelu", "", "give rng= in training, and none in evaluation"),
    ("training train is_training deterministic", "dropout", "", "call it in training only, y = x in evaluation"),
    ("training train is_training use_running_average", "batch_norm", "", "use batch_norm_train in training"),
    ("training train is_training use_running_average", "batch_norm_train", "", "use batch_norm in evaluation"),
    ("training train is_training deterministic", "", "out", "it computes the same in training and in evaluation"),
    ("keep_prob", "dropout", "", "give p=1 - keep_prob"),
    ("noise_shape", "", "shared_axes", "give shared_axes=, the axes along which noise_shape is 1"),
    ("decay", "", "momentum", "give momentum=1 - decay"),
    ("normalized_shape", "layer_norm rms_norm", "", "give the axes as axis="),
    ("affine elementwise_affine", "", "weight", "leave out weight and bias"),
    ("from_logits", "", "logits", "logits are what it takes"),
    ("a param", "", "gain", 'give gain=("leaky_relu", {{"negative_slope": a}})'),
    ("in_axis out_axis", "", "layout", 'give layout="in_out" or layout="out_in"'),
    ("inplace", "", "out", "use out={x}"),
    ("dtype", "", "out", "convert {x}, as in {x}.astype(dtype)"),
]


def split_suffix(name: str) -> tuple[str, str]:
    """The name of an activation, and what makes it that of its gradient or the like."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix), suffix


def own_word(name: str, parameters: Iterable[str], word: str) -> str | None:
    """What numact calls a parameter of the function of that name; None if it is not known."""
    stem, has = split_suffix(name)[0], set(parameters)
    for own, words, functions in WORDS:
        if own in has and word in words.split() and (not functions or stem in functions.split()):
            return own
    return None


def hint(name: str, parameters: Iterable[str], word: str, positional: tuple[str, ...] = ()) -> str:
    """What the message for a keyword that a function does not have says about it.

    Parameters
    ----------
    name : str
        Name of the function.
    parameters : iterable of str
        The keywords that it takes.
    word : str
        The keyword that it does not.
    positional : tuple of str
        The operands that it takes by position only.

    Returns
    -------
    str
        The end of the message.

    """
    accepted = list(parameters)
    if word in positional or (own := own_word(name, [*positional, *accepted], word)) in positional:
        return ": numact takes it by position"
    if own is not None:
        return f": numact calls it {own}"
    if advice := _advice(name, [*positional, *accepted], word):
        return f": {advice}"
    return f"; {_nearest(accepted, word)}"


def _advice(name: str, accepted: list[str], word: str) -> str | None:
    """What to do instead of giving a parameter."""
    stem, suffix = split_suffix(name)
    for words, functions, needed, advice in ADVICE:
        if word in words.split() and (needed in accepted if needed else stem in functions.split()):
            return advice.format(name=stem, suffix=suffix, x=(*accepted, "x")[0])
    return None


def _nearest(accepted: list[str], word: str) -> str:
    """The keyword that was meant, if it is merely misspelt, or all that there are."""
    from difflib import get_close_matches  # slow to import

    by_case = {name.casefold(): name for name in accepted}
    if near := get_close_matches(word.casefold(), by_case, 1):
        return f"did you mean {by_case[near[0]]}?"
    return f"it takes {', '.join(accepted)}" if accepted else "it takes none"


def explain(function: Any, keywords: tuple[str, ...]) -> str | None:
    """The message for a call that failed with these keywords; None if the function has them all."""
    name = function.__name__.removesuffix("_at_zero")
    positional: tuple[str, ...] = ()
    if (code := getattr(getattr(function, "__wrapped__", None), "__code__", None)) is not None:
        accepted = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if code.co_flags & CO_VARKEYWORDS:
            return None
    else:
        stem, suffix = split_suffix(name)
        positional, accepted = _words_of(row(stem), suffix)
    wrong = next((word for word in keywords if word not in accepted), None)
    if wrong is None:
        return None
    return f"{name}() got an unexpected keyword argument {wrong!r}{hint(name, accepted, wrong, positional)}"


def _words_of(row: Activation, suffix: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The operands of a function of the tables that it takes by position only, and its keywords."""
    parameters = tuple(name for name, _ in row.parameters)
    if suffix == "_masked":
        return (), (*row.arguments, *parameters, "out")
    operands = ("y",) if suffix == "_grad_y" else row.arguments
    at_zero = ("at_zero",) if row.kink and suffix == "_grad" else ()
    return ("dy", *operands) if suffix else operands, (*parameters, "out", *at_zero, *UFUNC_KEYWORDS)
