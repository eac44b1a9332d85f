/* The list of all activations, then each of them as mathematics: NAME_forward(x), NAME_grad(dy, x) = dy f'(x), and
   NAME_grad_y(dy, y), the same from the output y = f(x).

   To add one: a row here, its two or three functions below, and what it is in numact/commands/verify/exact.py and
   csrc/reference/reference.c (CONTRIBUTING.md has an example).  Ufuncs, documentation, stubs, tests and benchmarks
   follow from the row.

   A row: the name, the number of parameters, then four words
     FROM_OUTPUT or FROM_INPUT: whether the derivative is also a function of the output,
     KINK or SMOOTH: whether the derivative jumps at x = 0, where at_zero= then sets its value,
     OVERFLOWS or BOUNDED: whether a finite input may overflow, which is reported,
     LATENCY_BOUND or THROUGHPUT_BOUND: whether the formula is a long chain of dependent instructions, as an exponential
     is, so that several vectors are interleaved; not where one division takes as long as all else,
   and fields of struct numact_activation by name; one that is left out is empty:
     .parameters with their defaults; .domain, what they may be ("y: " begins a rule of the gradient from the output);
     .ulp and .ulp_gradient, the bounds of the error;
     .formula, .derivative, .range, .kinks (where the derivative jumps) and .notes: the documentation;
     .aliases, other names; those that differ by case and underscores alone, such as PyTorch's, are found unlisted. */
#ifndef NUMACT_FORMULAS_ACTIVATIONS_H
#define NUMACT_FORMULAS_ACTIVATIONS_H

#include "math/elementary.h"

#define ACTIVATIONS(ROW)                                                                                               \
    ROW(relu, 0, FROM_OUTPUT, KINK, BOUNDED, THROUGHPUT_BOUND,                                                         \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "max(x, 0)",                                                                                        \
        .derivative = "1 if x > 0 else 0",                                                                             \
        .range = "[0, inf)", .kinks = "0",                                                                             \
        .notes = "Nair and Hinton, 2010.  The derivative at 0 is 0, as in PyTorch, JAX and TensorFlow.")               \
    ROW(relu6, 0, FROM_OUTPUT, KINK, BOUNDED, THROUGHPUT_BOUND,                                                        \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "min(max(x, 0), 6)",                                                                                \
        .derivative = "1 if 0 < x < 6 else 0",                                                                         \
        .range = "[0, 6]", .kinks = "0, 6",                                                                            \
        .notes = "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010.")                                  \
    ROW(relu_squared, 0, FROM_OUTPUT, SMOOTH, OVERFLOWS, THROUGHPUT_BOUND,                                             \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "max(x, 0)^2",                                                                                      \
        .derivative = "2 max(x, 0)",                                                                                   \
        .range = "[0, inf)", .aliases = "squared_relu, relu2",                                                         \
        .notes = "So et al., Primer, 2021.")                                                                           \
    ROW(leaky_relu, 1, FROM_OUTPUT, KINK, BOUNDED, THROUGHPUT_BOUND,                                                   \
        .parameters = "negative_slope=0.01", .domain = "y: negative_slope >= 0",                                       \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x if x > 0 else negative_slope x",                                                                 \
        .derivative = "1 if x > 0 else negative_slope",                                                                \
        .range = "(-inf, inf)", .kinks = "0",                                                                          \
        .notes = "Maas et al., 2013.  PyTorch and JAX default to the slope 0.01, Keras to 0.2 or 0.3.  "               \
            "An array as slope makes it a PReLU.")                                                                     \
    ROW(elu, 1, FROM_OUTPUT, KINK, BOUNDED, LATENCY_BOUND,                                                             \
        .parameters = "alpha=1.0", .domain = "y: alpha >= 0",                                                          \
        .ulp = 1.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "x if x > 0 else alpha (e^x - 1)",                                                                  \
        .derivative = "1 if x > 0 else alpha e^x",                                                                     \
        .range = "(-alpha, inf)", .kinks = "0",                                                                        \
        .notes = "Clevert et al., 2016.")                                                                              \
    ROW(sigmoid, 0, FROM_OUTPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                       \
        .ulp = 2.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "1 / (1 + e^-x)",                                                                                   \
        .derivative = "sigmoid(x) sigmoid(-x)",                                                                        \
        .range = "(0, 1)", .aliases = "logistic, expit")                                                               \
    ROW(tanh, 0, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                       \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "tanh x",                                                                                           \
        .derivative = "1 / cosh^2 x",                                                                                  \
        .range = "(-1, 1)")                                                                                            \
    ROW(softplus, 1, FROM_OUTPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                      \
        .parameters = "beta=1.0", .domain = "beta > 0",                                                                \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "log(1 + e^(beta x)) / beta",                                                                       \
        .derivative = "sigmoid(beta x)",                                                                               \
        .range = "(0, inf)",                                                                                           \
        .notes = "Dugas et al., 2001.  Exact everywhere: there is no threshold beyond which it turns linear, "         \
            "as PyTorch has.")                                                                                         \
    ROW(silu, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                           \
        .ulp = 2.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "x sigmoid(x)",                                                                                     \
        .derivative = "sigmoid(x) (1 + x sigmoid(-x))",                                                                \
        .range = "[-0.2785, inf)",                                                                                     \
        .notes = "Elfwing et al., 2018.  Also called swish.")                                                          \
    ROW(gelu, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                           \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x Phi(x)",                                                                                         \
        .derivative = "Phi(x) + x phi(x)",                                                                             \
        .range = "[-0.1700, inf)", .aliases = "gelu_exact, gelu_python",                                               \
        .notes = "Hendrycks and Gimpel, 2016.  The exact form, as PyTorch's default; "                                 \
            "JAX defaults to the approximation by tanh.")                                                              \
    ROW(hard_swish, 0, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                  \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x min(max(x + 3, 0), 6) / 6",                                                                      \
        .derivative = "0 if x <= -3, 1 if x >= 3, else (2x + 3) / 6",                                                  \
        .range = "[-0.375, inf)", .kinks = "-3, 3", .aliases = "hard_silu, hard_swish_mobilenet",                      \
        .notes = "Howard et al., 2019.")                                                                               \
    ROW(hard_sigmoid, 0, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                               \
        .ulp = 1.0, .ulp_gradient = 1.0,                                                                               \
        .formula = "min(max(x + 3, 0), 6) / 6",                                                                        \
        .derivative = "1/6 if -3 < x < 3 else 0",                                                                      \
        .range = "[0, 1]", .kinks = "-3, 3",                                                                           \
        .notes = "PyTorch's and Keras 3's; Keras 2, Thinc and ONNX's default have the slope 0.2.")                     \
    ROW(selu, 2, FROM_OUTPUT, KINK, BOUNDED, LATENCY_BOUND,                                                            \
        .parameters = "alpha=1.6732632423543772, scale=1.0507009873554805", .domain = "scale > 0, y: alpha >= 0",      \
        .ulp = 1.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "scale x if x > 0 else scale alpha (e^x - 1)",                                                      \
        .derivative = "scale if x > 0 else scale alpha e^x",                                                           \
        .range = "(-scale alpha, inf)", .kinks = "0",                                                                  \
        .notes = "Klambauer et al., 2017.  ONNX calls scale gamma, and has both defaults rounded to float32.")         \
    ROW(log_sigmoid, 0, FROM_OUTPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                   \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "log sigmoid(x)",                                                                                   \
        .derivative = "sigmoid(-x)",                                                                                   \
        .range = "(-inf, 0)")                                                                                          \
    ROW(exponential, 0, FROM_OUTPUT, SMOOTH, OVERFLOWS, LATENCY_BOUND,                                                 \
        .ulp = 1.0, .ulp_gradient = 1.0,                                                                               \
        .formula = "e^x",                                                                                              \
        .derivative = "e^x",                                                                                           \
        .range = "(0, inf)", .aliases = "exp")                                                                         \
    ROW(sparse_plus, 0, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                 \
        .ulp = 1.0, .ulp_gradient = 0.5,                                                                               \
        .formula = "0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4",                                                    \
        .derivative = "0 if x <= -1, 1 if x >= 1, else (x + 1) / 2",                                                   \
        .range = "[0, inf)",                                                                                           \
        .notes = "As in JAX.")                                                                                         \
    ROW(sparse_sigmoid, 0, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                             \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "min(max(x + 1, 0), 2) / 2",                                                                        \
        .derivative = "1/2 if -1 < x < 1 else 0",                                                                      \
        .range = "[0, 1]", .kinks = "-1, 1",                                                                           \
        .notes = "As in JAX.")                                                                                         \
    ROW(hard_shrink, 2, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                 \
        .parameters = "lambd=0.5, bias=0.0", .domain = "lambd >= 0",                                                   \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x - bias sign(x) if |x| > lambd else 0",                                                           \
        .derivative = "1 if |x| > lambd else 0",                                                                       \
        .range = "(-inf, inf)", .kinks = "-lambd, lambd",                                                              \
        .notes = "Donoho and Johnstone, 1994: hard thresholding.  With bias = lambd it is soft_shrink.")               \
    ROW(soft_shrink, 1, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                \
        .parameters = "lambd=0.5", .domain = "lambd >= 0",                                                             \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x - lambd sign(x) if |x| > lambd else 0",                                                          \
        .derivative = "1 if |x| > lambd else 0",                                                                       \
        .range = "(-inf, inf)", .kinks = "-lambd, lambd",                                                              \
        .notes = "Donoho and Johnstone, 1994: soft thresholding.  A NaN is kept.")                                     \
    ROW(identity, 0, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                   \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x",                                                                                                \
        .derivative = "1",                                                                                             \
        .range = "(-inf, inf)", .aliases = "linear")                                                                   \
    ROW(tanhshrink, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                     \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x - tanh x",                                                                                       \
        .derivative = "tanh^2 x",                                                                                      \
        .range = "(-inf, inf)",                                                                                        \
        .notes = "Exact near 0, where x - tanh x cancels.")                                                            \
    ROW(softsign, 0, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                   \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x / (1 + |x|)",                                                                                    \
        .derivative = "1 / (1 + |x|)^2",                                                                               \
        .range = "(-1, 1)",                                                                                            \
        .notes = "Turian et al., 2009.")                                                                               \
    ROW(gelu_tanh, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                      \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2",                                                  \
        .derivative = "its derivative",                                                                                \
        .range = "[-0.1700, inf)", .aliases = "gelu_new, gelu_pytorch_tanh, gelu_approximate, gelu_fast",              \
        .notes = "The approximation of gelu in GPT-2 and as JAX's default, Hendrycks and Gimpel, 2016.")               \
    ROW(quick_gelu, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                     \
        .ulp = 2.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "x sigmoid(1.702 x)",                                                                               \
        .derivative = "s (1 + 1.702 x (1 - s)), s = sigmoid(1.702 x)",                                                 \
        .range = "[-0.1636, inf)", .aliases = "gelu_quick, gelu_sigmoid",                                              \
        .notes = "The approximation of gelu in CLIP, Hendrycks and Gimpel, 2016.")                                     \
    ROW(mish, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                           \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x tanh(log(1 + e^x))",                                                                             \
        .derivative = "t + x sigmoid(x) (1 - t^2), t = tanh(log(1 + e^x))",                                            \
        .range = "[-0.3088, inf)",                                                                                     \
        .notes = "Misra, 2019.")                                                                                       \
    ROW(dish, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                           \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "x (x / sqrt(1 + x^2) + 1) / 2",                                                                    \
        .derivative = "(1 + 2r - r^3) / 2, r = x / sqrt(1 + x^2)",                                                     \
        .range = "[-0.1501, inf)",                                                                                     \
        .notes = "As in Thinc: swish without an exponential.")                                                         \
    ROW(gaussian, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                       \
        .ulp = 1.5, .ulp_gradient = 2.0,                                                                               \
        .formula = "e^(-x^2)",                                                                                         \
        .derivative = "-2x e^(-x^2)",                                                                                  \
        .range = "(0, 1]")                                                                                             \
    ROW(erf, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                            \
        .ulp = 1.0, .ulp_gradient = 1.5,                                                                               \
        .formula = "erf x",                                                                                            \
        .derivative = "2 / sqrt(pi) e^(-x^2)",                                                                         \
        .range = "(-1, 1)",                                                                                            \
        .notes = "The error function, of which gelu is made: gelu(x) = x (1 + erf(x / sqrt(2))) / 2.")                 \
    ROW(ndtr, 0, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                           \
        .ulp = 1.5, .ulp_gradient = 1.0,                                                                               \
        .formula = "Phi(x)",                                                                                           \
        .derivative = "phi(x) = e^(-x^2 / 2) / sqrt(2 pi)",                                                            \
        .range = "(0, 1)", .aliases = "normal_cdf",                                                                    \
        .notes = "The distribution function of the normal distribution, as in SciPy: gelu(x) = x ndtr(x).")            \
    ROW(celu, 1, FROM_OUTPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                          \
        .parameters = "alpha=1.0", .domain = "alpha > 0",                                                              \
        .ulp = 1.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "x if x > 0 else alpha (e^(x / alpha) - 1)",                                                        \
        .derivative = "1 if x > 0 else e^(x / alpha)",                                                                 \
        .range = "(-alpha, inf)",                                                                                      \
        .notes = "Barron, 2017: the elu whose derivative is continuous for every alpha.")                              \
    ROW(squareplus, 1, FROM_OUTPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                    \
        .parameters = "b=4.0", .domain = "b >= 0",                                                                     \
        .ulp = 1.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "(x + sqrt(x^2 + b)) / 2",                                                                          \
        .derivative = "(1 + x / sqrt(x^2 + b)) / 2",                                                                   \
        .range = "(0, inf)",                                                                                           \
        .notes = "Barron, 2021.")                                                                                      \
    ROW(swish, 1, FROM_INPUT, SMOOTH, BOUNDED, LATENCY_BOUND,                                                          \
        .parameters = "beta=1.0",                                                                                      \
        .ulp = 2.0, .ulp_gradient = 2.0,                                                                               \
        .formula = "x sigmoid(beta x)",                                                                                \
        .derivative = "s (1 + beta x (1 - s)), s = sigmoid(beta x)",                                                   \
        .range = "[-0.2785 / beta, inf)",                                                                              \
        .notes = "Ramachandran et al., 2017.  With beta = 1 it is silu.")                                              \
    ROW(hard_tanh, 2, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                  \
        .parameters = "min_val=-1.0, max_val=1.0", .domain = "min_val <= max_val",                                     \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "min(max(x, min_val), max_val)",                                                                    \
        .derivative = "1 if min_val < x < max_val else 0",                                                             \
        .range = "[min_val, max_val]", .kinks = "min_val, max_val", .aliases = "clip, clamp")                          \
    ROW(clipped_linear, 4, FROM_OUTPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                             \
        .parameters = "slope=1.0, offset=0.0, min_val=0.0, max_val=1.0", .domain = "min_val <= max_val",               \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "min(max(slope x + offset, min_val), max_val)",                                                     \
        .derivative = "slope if min_val < slope x + offset < max_val else 0",                                          \
        .range = "[min_val, max_val]", .kinks = "where slope x + offset is min_val or max_val",                        \
        .notes = "As in Thinc.  ONNX's HardSigmoid is slope = 0.2, offset = 0.5.")                                     \
    ROW(clipped_swish, 4, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                               \
        .parameters = "slope=0.2, offset=0.5, min_val=0.0, max_val=1.0", .domain = "min_val <= max_val",               \
        .ulp = 1.5, .ulp_gradient = 1.0,                                                                               \
        .formula = "x min(max(slope x + offset, min_val), max_val)",                                                   \
        .derivative = "2 slope x + offset if min_val < slope x + offset < max_val, else the bound",                    \
        .range = "(-inf, inf)", .kinks = "where slope x + offset is min_val or max_val",                               \
        .notes = "x clipped_linear(x).  Thinc's hard_swish has these defaults; hard_swish is slope = 1/6.")            \
    ROW(threshold, 2, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                   \
        .parameters = "threshold, value",                                                                              \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x if x > threshold else value",                                                                    \
        .derivative = "1 if x > threshold else 0",                                                                     \
        .range = "(threshold, inf) and value", .kinks = "threshold")                                                   \
    ROW(thresholded_relu, 1, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                            \
        .parameters = "alpha=1.0",                                                                                     \
        .ulp = 0.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "x if x > alpha else 0",                                                                            \
        .derivative = "1 if x > alpha else 0",                                                                         \
        .range = "0 and (alpha, inf)", .kinks = "alpha",                                                               \
        .notes = "As in ONNX.")                                                                                        \
    ROW(general_relu, 3, FROM_INPUT, SMOOTH, BOUNDED, THROUGHPUT_BOUND,                                                \
        .parameters = "negative_slope=0.0, max_value=inf, threshold=0.0", .domain = "max_value >= 0, threshold >= 0",  \
        .ulp = 1.5, .ulp_gradient = 0.5,                                                                               \
        .formula = "min(x, max_value) if x > threshold else negative_slope (x - threshold)",                           \
        .derivative = "0 if x >= max_value, 1 if x > threshold, else negative_slope",                                  \
        .range = "(-inf, max_value]", .kinks = "threshold, max_value",                                                 \
        .notes = "Keras' relu with its parameters.")

/* Those that also exist as NAME_masked, with the number of their parameters.  Their derivative is 1 where NAME_passes
   is true and one other value elsewhere, so that the gradient needs one bit for each element. */
#define MASKED(MASK) MASK(relu, 0) MASK(relu6, 0) MASK(leaky_relu, 1) MASK(hard_tanh, 2)

/* The parameters p[0], p[1], ... as further arguments of a call. */
#define PARAMETERS_0(p)
#define PARAMETERS_1(p) , (p)[0]
#define PARAMETERS_2(p) , (p)[0], (p)[1]
#define PARAMETERS_3(p) , (p)[0], (p)[1], (p)[2]
#define PARAMETERS_4(p) , (p)[0], (p)[1], (p)[2], (p)[3]

/* x, limited where it is multiplied by a factor of 0, so that 0 times infinity is 0. */
INLINE real finite_for(real factor, real x) { return select(eq(factor, 0), clamp(x, 1), x); }

/* relu: the comparison is not x <= 0, so that a NaN passes, and so does its dy. */
INLINE mask relu_passes(real x) { return not_le(x, 0); }
INLINE real relu_forward(real x) { return select(relu_passes(x), x, 0); }
INLINE real relu_grad(real dy, real x) { return select(relu_passes(x), dy, 0); }
INLINE real relu_grad_y(real dy, real y) { return relu_grad(dy, y); }

INLINE real relu6_forward(real x) { return select(le(x, 0), 0, at_most(x, 6)); }
INLINE mask relu6_passes(real x) { return both(not_le(x, 0), not_ge(x, 6)); }
INLINE real relu6_grad(real dy, real x) { return select(relu6_passes(x), dy, 0); }
INLINE real relu6_grad_y(real dy, real y) { return relu6_grad(dy, y); }

/* relu_squared: a large negative x is limited before it is squared, since the compiler may compute the product before
   the selection, and its overflow would be reported.  2 (dy x), since 2x may overflow where 2 x dy does not; from the
   output, x = sqrt(y). */
INLINE real relu_squared_forward(real x) { return select(le(x, 0), 0, x * at_least(x, (scalar)-0.25)); }
INLINE real relu_squared_grad(real dy, real x) { return select(le(x, 0), 0, 2 * (dy * at_least(x, (scalar)-0.25))); }
INLINE real relu_squared_grad_y(real dy, real y) { return select(le(y, 0), 0, 2 * (dy * square_root(y))); }

INLINE mask leaky_relu_passes(real x, real slope)
{
    (void)slope;
    return gt(x, 0);
}
/* x is limited for a slope of 0, which so gives 0 at -infinity as well. */
INLINE real leaky_relu_forward(real x, real slope)
{
    real least = select(eq(slope, 0), -1, -(scalar)INFINITY);
    return select(leaky_relu_passes(x, slope), x, slope * at_least(x, least));
}
INLINE real leaky_relu_grad(real dy, real x, real slope) { return select(leaky_relu_passes(x, slope), dy, slope * dy); }
INLINE real leaky_relu_grad_y(real dy, real y, real slope) { return leaky_relu_grad(dy, y, slope); }

/* elu: alpha (e^x - 1) with e^x - 1 as a double-word.  f' = alpha e^x = y + alpha for x <= 0. */
INLINE real elu_forward(real x, real alpha)
{
    struct dw expm1 = expm1_dw(at_most(x, 0));
    return select(lt(x, 0), fma(alpha, expm1.hi, alpha * expm1.lo), x);
}
INLINE real elu_grad(real dy, real x, real alpha)
{
    return select(gt(x, 0), dy, dy * (alpha * exp_real(clamp(x, EXP_LIMIT))));
}
INLINE real elu_grad_y(real dy, real y, real alpha) { return select(gt(y, 0), dy, dy * (y + alpha)); }

/* sigmoid'(x) = sigmoid(x) sigmoid(-x) is even; from the output y - y^2. */
INLINE real sigmoid_forward(real x) { return logistic(splat(1), clamp(x, EXP_LIMIT), NO_LOW); }
INLINE real sigmoid_grad(real dy, real x) { return dy * logistic_density(at_most(absolute(x), EXP_LIMIT), 0); }
INLINE real sigmoid_grad_y(real dy, real y) { return dy * fma(-y, y, y); }

INLINE real tanh_forward(real x) { return tanh_real(x); }
/* tanh'(x) = 1 / cosh^2 x = 4 sigmoid'(2x); from the output 1 - y^2. */
INLINE real tanh_grad(real dy, real x) { return dy * logistic_density(at_most(2 * absolute(x), EXP_LIMIT), 2); }
INLINE real tanh_grad_y(real dy, real y) { return dy * fma(-y, y, 1); }

/* beta x as a double-word, its absolute value at most EXP_LIMIT; lo is 0 at the limit. */
INLINE struct dw beta_x(real beta, real x)
{
    real product = clamp(beta * x, EXP_LIMIT);
    return (struct dw){product, select(lt(absolute(product), EXP_LIMIT), fma(beta, x, -product), 0)};
}

/* softplus: log(1 + e^z) / beta = max(x, 0) + log(1 + e^-|z|) / beta, z = beta x: nothing overflows, and the left tail
   has a small relative error.  beta = 2^k fraction, 1 <= fraction < 2, and 1 / beta as a double-word, whatever its
   size; for |x| beyond `furthest` the logarithm rounds to 0.  The compiler moves what depends on beta alone out of the
   loop.  softplus' = sigmoid(beta x) = 1 - e^(-beta y). */
INLINE real softplus_forward(real x, real beta)
{
    beta = absolute(beta); /* beta < 0 is out of the domain; so it gives the same bits on every dispatch target */
    real k = exponent_of(beta), fraction = scale(beta, -k);
    real inverse = 1 / fraction, inverse_lo = fma_in_double(-inverse, fraction, 1) * inverse;
    real furthest = scale((EXP_LIMIT - (scalar)0.6875 * k) * inverse, -k);
    struct dw z = two_prod(beta, at_most(abs_at_most(x, LARGEST), furthest));
    struct scaled log = log1p_exp_neg_dw(z.hi, z.lo);
    real lo = fma(log.factor.hi, inverse_lo, log.factor.lo * inverse);
    return at_least(x, 0) + scale(fma(log.factor.hi, inverse, lo), log.n - k);
}
INLINE real softplus_grad(real dy, real x, real beta)
{
    struct dw z = beta_x(beta, x);
    return dy * logistic(splat(1), z.hi, -z.lo);
}
INLINE real softplus_grad_y(real dy, real y, real beta) { return dy * -expm1_real(at_most(-(beta * y), 0)); }

/* silu: x / (1 + e^-x).  The numerator is limited as well, so that silu(-inf) is -0, the limit. */
INLINE real silu_forward(real x)
{
    return logistic(at_least(x, -EXP_LIMIT), clamp(x, EXP_LIMIT), NO_LOW);
}

INLINE real silu_grad(real dy, real x)
{
    return dy * reflect(lt(x, 0), silu_derivative_neg(at_most(absolute(x), EXP_LIMIT)));
}

/* f(x) = max(x, 0) - tail for the activations with f(x) = x + f(-x), tail = -f(-|x|) >= 0: for x > 0 the sum has the
   relative error of its rounding.  max(x, -0) keeps the signs of zeros. */
INLINE real relu_minus(real x, real tail) { return at_least(x, -splat(0)) - tail; }

/* gelu: -gelu(-t) = t Phi(-t), t = |x|; beyond TAIL_LIMIT it rounds to 0. */
INLINE real gelu_forward(real x)
{
    real t = abs_at_most(x, TAIL_LIMIT);
    struct normal_tail tail = normal_tail(t);
    return relu_minus(x, exp_mul_scaled_exact(t, tail.e, tail.factor));
}

/* gelu'(-t) = Phi(-t) - t phi(t), for 0 <= t <= TAIL_FAR: e^(-t^2/2) times a piecewise polynomial, which changes its
   sign at the root t = 0.7518. */
INLINE struct scaled gelu_derivative_neg(real t)
{
    return exp_mul(exp_neg_half_square(t), normalized_sum(piecewise(t, GELU_FACTOR)));
}
INLINE real gelu_grad(real dy, real x)
{
    return dy * reflect(lt(x, 0), gelu_derivative_neg(at_most(absolute(x), TAIL_LIMIT)));
}

/* hard_swish: x (x + 3) / 6 for |x| < 3, x + 3 as a double-word.  The order of the sum keeps the sign of -0. */
INLINE real hard_swish_forward(real x)
{
    real sum = 3 + x, lo = (3 - sum) + x;
    real middle = divide_by_six(fma(x, sum, x * lo));
    return select(le(x, -3), -splat(0), select(ge(x, 3), x, middle));
}
INLINE real hard_swish_grad(real dy, real x)
{
    return select(le(x, -3), 0, select(ge(x, 3), dy, dy * divide_by_six(add_scaled(2, x, 3))));
}

/* hard_sigmoid: (x + 3) / 6 for |x| < 3, x + 3 and 1/6 as double-words. */
INLINE real hard_sigmoid_forward(real x)
{
    struct dw sum = fast_two_sum(splat(3), x);
    real middle = fma(sum.hi, SIXTH, fma(sum.hi, SIXTH_LOW, sum.lo * SIXTH));
    return select(le(x, -3), 0, select(ge(x, 3), 1, middle));
}
INLINE real hard_sigmoid_grad(real dy, real x) { return select(le(x, -3), 0, select(ge(x, 3), 0, dy / 6)); }
INLINE real hard_sigmoid_grad_y(real dy, real y) { return select(le(y, 0), 0, select(ge(y, 1), 0, dy / 6)); }

/* selu: scale and scale alpha as double-words.  Where alpha and scale are the defaults, rounded, the low parts are
   those of the defaults; else that of the scale is negligible, but not 0, which would be NaN times an infinite x.  From
   the output the derivative is y + scale alpha, which cancels near y = -scale alpha down to the low part. */
struct selu_factors {
    struct dw left, right;
};
INLINE struct selu_factors selu_factors(real alpha, real factor)
{
    mask defaults = both(eq(alpha, SELU_ALPHA), eq(factor, SELU_SCALE));
    struct dw left = {splat(SELU_LEFT), splat(SELU_LEFT_LOW)}, right = {splat(SELU_RIGHT), splat(SELU_RIGHT_LOW)};
    return (struct selu_factors){select_dw(defaults, left, two_prod(alpha, factor)),
                                 select_dw(defaults, right, (struct dw){factor, factor * (scalar)0x1p-60})};
}
INLINE real selu_forward(real x, real alpha, real factor)
{
    struct dw expm1 = expm1_dw(at_most(x, 0));
    struct selu_factors f = selu_factors(alpha, factor);
    real left = fma(f.left.hi, expm1.hi, fma(f.left.hi, expm1.lo, f.left.lo * expm1.hi));
    return select(lt(x, 0), left, fma(x, f.right.hi, x * f.right.lo));
}
INLINE real selu_grad(real dy, real x, real alpha, real factor)
{
    struct exp_split e = exp_split(clamp(x, EXP_LIMIT), NO_LOW);
    struct selu_factors f = selu_factors(alpha, factor);
    real left = scale(fma(f.left.hi, e.one_plus_q, f.left.lo * e.one_plus_q), e.n);
    return select(gt(x, 0), fma(dy, f.right.hi, dy * f.right.lo), dy * left);
}
INLINE real selu_grad_y(real dy, real y, real alpha, real factor)
{
    struct selu_factors f = selu_factors(alpha, factor);
    return select(gt(y, 0), fma(dy, f.right.hi, dy * f.right.lo), dy * ((y + f.left.hi) + f.left.lo));
}

/* log_sigmoid(x) = min(x, 0) - log(1 + e^-|x|), a sum of terms of the same sign.  Its derivative is
   sigmoid(-x) = 1 - e^y. */
INLINE real log_sigmoid_forward(real x)
{
    struct scaled log = log1p_exp_neg(abs_at_most(x, EXP_LIMIT));
    return at_most(x, -splat(0)) - scale(log.factor.hi, log.n);
}
INLINE real log_sigmoid_grad(real dy, real x) { return dy * logistic(splat(1), clamp(-x, EXP_LIMIT), NO_LOW); }
INLINE real log_sigmoid_grad_y(real dy, real y) { return dy * -expm1_real(at_most(y, 0)); }

/* exponential: an infinite x is passed around the arithmetic, which would report an overflow. */
INLINE real exponential_forward(real x)
{
    mask infinite = gt(x, LARGEST);
    return select(infinite, x, exp_real(clamp(select(infinite, 0, x), EXP_LIMIT)));
}
INLINE real exponential_grad(real dy, real x) { return dy * exponential_forward(x); }
INLINE real exponential_grad_y(real dy, real y) { return dy * y; }

/* sparse_plus: (x + 1)^2 / 4 for |x| < 1, x + 1 as a double-word hi + lo: hi^2 + 2 hi lo. */
INLINE real sparse_plus_forward(real x)
{
    struct dw sum = fast_two_sum(splat(1), x);
    real square = fma(sum.hi, sum.hi, 2 * sum.hi * sum.lo);
    return select(le(x, -1), 0, select(ge(x, 1), x, (scalar)0.25 * square));
}
INLINE real sparse_plus_grad(real dy, real x)
{
    return select(le(x, -1), 0, select(ge(x, 1), dy, dy * ((scalar)0.5 * (x + 1))));
}

INLINE real sparse_sigmoid_forward(real x)
{
    return select(le(x, -1), 0, select(ge(x, 1), 1, (scalar)0.5 * (x + 1)));
}
INLINE real sparse_sigmoid_grad(real dy, real x) { return select(le(x, -1), 0, select(ge(x, 1), 0, (scalar)0.5 * dy)); }
INLINE real sparse_sigmoid_grad_y(real dy, real y)
{
    return select(le(y, 0), 0, select(ge(y, 1), 0, (scalar)0.5 * dy));
}

INLINE real hard_shrink_forward(real x, real lambd, real bias)
{
    return select(le(absolute(x), lambd), 0, multiply_by_sign(absolute(x) - bias, x));
}
INLINE real hard_shrink_grad(real dy, real x, real lambd, real bias)
{
    (void)bias;
    return select(le(absolute(x), lambd), 0, dy);
}

INLINE real soft_shrink_forward(real x, real lambd)
{
    return select(le(absolute(x), lambd), 0, x - copy_sign(lambd, x));
}
INLINE real soft_shrink_grad(real dy, real x, real lambd) { return hard_shrink_grad(dy, x, lambd, lambd); }
INLINE real soft_shrink_grad_y(real dy, real y, real lambd)
{
    (void)lambd;
    return select(eq(y, 0), 0, dy);
}

/* tanhshrink, t = |x|: t - tanh t = t (t^2 P(t^2 - CENTRE)) for t < TANHSHRINK_SMALL, where the difference cancels.
   The bracket is the double-word, since t^3 may be subnormal; the polynomial is about the CENTRE, since one in t^2
   would have large terms that cancel.  Beyond, (t - 1) + (1 - tanh t): t - 1 is exact and 1 - tanh t at most 0.12. */
INLINE real tanhshrink_near(real t)
{
    struct dw square = two_prod(t, t), bracket = two_prod(square.hi, splat(TANHSHRINK_P[0]));
    real d = fma(t, t, -TANHSHRINK_CENTRE), more = d * horner(d, TANHSHRINK_P + 1, DEGREE(TANHSHRINK_P) - 1);
    bracket.lo = fma(square.hi, more, fma(square.lo, TANHSHRINK_P[0] + more, bracket.lo));
    return fma(t, bracket.hi, t * bracket.lo);
}
INLINE real tanhshrink_forward(real x)
{
    real t = absolute(x), far = (t - 1) + one_minus_tanh(abs_at_most(x, ONE_LIMIT));
    return copy_sign(select(lt(t, TANHSHRINK_SMALL), tanhshrink_near(t), far), x);
}
/* tanhshrink' = tanh^2 x, tanh t as a double-word: t - tanhshrink(t), or 1 - (1 - tanh t). */
INLINE real tanhshrink_grad(real dy, real x)
{
    real t = at_most(absolute(x), ONE_LIMIT);
    mask small = lt(t, TANHSHRINK_SMALL);
    struct dw tanh = fast_two_sum(select(small, t, 1), -select(small, tanhshrink_near(t), one_minus_tanh(t)));
    return dy * fma(tanh.hi, tanh.hi, 2 * tanh.hi * tanh.lo);
}

/* softsign, t = |x|: t / (1 + t) for t < 1; beyond, 1 - 1 / (1 + t), which is 1 at infinity. */
INLINE real softsign_forward(real x)
{
    real t = absolute(x);
    mask small = lt(t, 1);
    return copy_sign(select(small, t, -1) / (1 + t) + select(small, 0, 1), x);
}
/* softsign' = u^2, u = 1 / (1 + t) as a double-word; at infinity u is 0.  From the output u = 1 - |y|. */
INLINE real softsign_grad(real dy, real x)
{
    struct dw sum = two_sum(splat(1), absolute(x));
    real u = 1 / sum.hi;
    real lo = select(gt(u, 0), u * (fma(-u, sum.hi, 1) - u * sum.lo), 0);
    return dy * (u * (u + 2 * lo));
}
INLINE real softsign_grad_y(real dy, real y) { return dy * ((1 - absolute(y)) * (1 - absolute(y))); }

/* e^(-x^2), x^2 as a double-word without error: an error of x^2 would be a relative error of e^(-x^2). */
INLINE struct exp_split exp_neg_square(real x)
{
    struct dw square = two_prod(x, x);
    return exp_split(-square.hi, -square.lo);
}
/* gaussian: e^(-x^2) and -2x e^(-x^2); beyond EXP_NEG_SQUARE_LIMIT they round to 0. */
INLINE real gaussian_forward(real x)
{
    struct exp_split e = exp_neg_square(at_most(absolute(x), EXP_NEG_SQUARE_LIMIT));
    return scale(1 + e.q, e.n);
}
INLINE real gaussian_grad(real dy, real x)
{
    real bounded = clamp(x, EXP_NEG_SQUARE_LIMIT);
    struct exp_split e = exp_neg_square(bounded);
    return dy * scale(-2 * fma(bounded, e.q, bounded), e.n);
}

/* mish(x) = x tanh(log(1 + e^x)) = max(x, 0) - t e g(e), t = |x|, e = e^-t,

       g(e) = (2 + e) / (2 + 2e + e^2) for x < 0,   2e / (1 + 2e + 2e^2) for x >= 0,

   as a piecewise polynomial in e with segments of equal width, a table half for each sign. */
INLINE real mish_forward(real x)
{
    real t = abs_at_most(x, EXP_LIMIT);
    struct exp_split e = exp_neg(t, NO_LOW);
    struct dw factor = unevaluated_sum(piecewise_side_uniform(lt(x, 0), exp_value(e), MISH_FACTOR));
    return relu_minus(x, exp_mul_scaled(t, e, include_q_error(e, factor)));
}
/* mish'(-t) and 1 - mish'(t): e^-t times a piecewise polynomial in t, a table half for each sign. */
INLINE real mish_grad(real dy, real x)
{
    mask left = lt(x, 0);
    real t = at_most(absolute(x), EXP_LIMIT);
    struct dw factor = normalized_sum(piecewise_side(left, t, MISH_SLOPE_FACTOR));
    return dy * reflect(left, exp_mul(exp_neg(t, NO_LOW), factor));
}

/* q = t^2 + b and s = sqrt(q) as double-words, for a t whose square is finite. */
struct hypotenuse {
    struct dw square; /* q */
    real length, residual; /* s = length + residual / (2 length) */
};

INLINE struct hypotenuse hypotenuse(real t, real b)
{
    struct dw square = two_prod(t, t), sum = two_sum(square.hi, b);
    sum.lo = sum.lo + square.lo;
    real length = square_root(sum.hi);
    return (struct hypotenuse){sum, length, fma(-length, length, sum.hi) + sum.lo};
}

/* dish: x (1 + x/s) / 2, s = sqrt(1 + x^2), cancels for x < 0.  With t = |x|, dish(-t) = -t/(2D) and
   dish(t) = t - t/(2D), D = s (s + t) = q + t s as a double-word.  For t so large that D rounds to 2t^2, t/(2D) is
   1/(4t). */
INLINE real dish_forward(real x)
{
    real t = at_most(absolute(x), LARGEST);
    mask far = gt(t, 4 * ROUNDER);
    real near = select(far, 0, t);
    struct hypotenuse s = hypotenuse(near, splat(1));
    struct dw product = two_prod(near, s.length), d = two_sum(s.square.hi, product.hi);
    d.lo = select(far, 0, d.lo + (s.square.lo + product.lo));
    d.hi = select(far, t, d.hi);
    struct dw quotient = dw_div(dw_from_real(select(far, (scalar)0.25, (scalar)0.5 * t)), d);
    real left = select(gt(absolute(x), LARGEST), 0, quotient.hi + quotient.lo);
    return select(lt(x, 0), -left, x - left);
}

/* dish'(-t) = (g - t^2) (q + g) / (2 q (q + p) (1 + p)), q = 1 + t^2, p = t sqrt(q), g = (sqrt(5) - 1) / 2: the root
   t = sqrt(g) is a factor, g - t^2 = (sqrt(g) - t) (sqrt(g) + t), so that nothing cancels near it.  All factors are
   double-words.  dish'(t) = 1 - dish'(-t).  For t so large that q rounds to t^2, dish'(-t) is -1/(4t^2). */
INLINE real dish_grad(real dy, real x)
{
    real t = at_most(absolute(x), RANGE_ROOT * (scalar)0x1p27);
    mask far = gt(t * t, 64 * ROUNDER);
    real near = select(far, 0, t);
    struct hypotenuse s = hypotenuse(near, splat(1));
    struct dw q = s.square, p = two_prod(near, s.length);
    p.lo = fma(near, (scalar)0.5 * s.residual / s.length, p.lo);
    struct dw below = two_sum(splat(DISH_ROOT), -near), above = two_sum(splat(DISH_ROOT), near);
    below.lo = below.lo + DISH_ROOT_LOW;
    above.lo = above.lo + DISH_ROOT_LOW;
    struct dw golden = {splat(GOLDEN), splat(GOLDEN_LOW)};
    struct dw numerator = dw_mul(dw_mul(below, above), dw_add(q, golden));
    struct dw denominator = dw_mul(dw_add(q, p), dw_add(dw_from_real(splat(1)), p));
    denominator = dw_mul((struct dw){2 * q.hi, 2 * q.lo}, denominator);
    numerator = select_dw(far, dw_from_real(splat((scalar)-0.25 / RANGE_ROOT)), numerator);
    denominator = select_dw(far, two_prod(t / RANGE_ROOT, t), denominator);
    struct dw quotient = dw_div(numerator, denominator);
    real left = quotient.hi + quotient.lo;
    return dy * select(lt(x, 0), left, 1 - left);
}

/* gelu_tanh(x) = x sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x^3).

   e^-z at x = t >= 0 as 2^(t w), w = -SLOPE - CUBIC t^2 a double-word whose constants include 1 / ln 2.  SLOPE has six
   digits less than a number, so that -SLOPE - w is exact. */
INLINE struct exp_split gelu_tanh_exp(real t)
{
    struct dw square = two_prod(t, t);
    real w = fma(-GELU_TANH_CUBIC, square.hi, -GELU_TANH_SLOPE);
    real lo = fma(-GELU_TANH_CUBIC, square.hi, -GELU_TANH_SLOPE - w);
    lo = lo + fma(-GELU_TANH_CUBIC, square.lo, fma(-GELU_TANH_CUBIC_LOW, square.hi, -GELU_TANH_SLOPE_LOW));
    return exp2_product(t, w, lo);
}
/* -gelu_tanh(-t) = t e / (1 + e), e = e^-z = 2^n (1 + q): the numerator t (1 + q) as a double-word, the quotient
   corrected by its residual, numerator - quotient - quotient e.  1 + e is at most 2, so that the quotient is at least
   half of the numerator and their difference exact (Sterbenz). */
INLINE real gelu_tanh_forward(real x)
{
    real t = abs_at_most(x, GELU_TANH_LIMIT);
    struct exp_split e = gelu_tanh_exp(t);
    real e_hi = exp_value(e), inverse = 1 / (1 + e_hi);
    real numerator = fma(t, e.q, t), rounding_error = fma(t, e.q, t - numerator), quotient = numerator * inverse;
    real residual = fma(-quotient, e_hi, numerator - quotient) + rounding_error;
    return relu_minus(x, scale(fma(residual, inverse, quotient), e.n));
}
/* gelu_tanh'(-t), for 0 <= t <= GELU_TANH_FAR: e^-z times a piecewise polynomial, with the root t = 0.7525. */
INLINE struct scaled gelu_tanh_derivative_neg(real t)
{
    return exp_mul(gelu_tanh_exp(t), normalized_sum(piecewise_extended(t, GELU_TANH_FACTOR)));
}
INLINE real gelu_tanh_grad(real dy, real x)
{
    return dy * reflect(lt(x, 0), gelu_tanh_derivative_neg(at_most(absolute(x), GELU_TANH_LIMIT)));
}

/* d/dx (x sigmoid(z)) = silu'(z) for z = beta x as a double-word, |z| <= EXP_LIMIT. */
INLINE real swish_derivative(struct dw z)
{
    mask left = lt(z.hi, 0);
    return reflect(left, silu_derivative_neg_dw(absolute(z.hi), select(left, -z.lo, z.lo)));
}

/* quick_gelu: z = 1.702 x as a double-word; for |x| beyond the limit e^-z and x e^-z round to 0. */
#define QUICK_GELU_LIMIT ((scalar)0.5625 * EXP_LIMIT)
INLINE struct dw quick_gelu_argument(real x)
{
    real bounded = clamp(x, QUICK_GELU_LIMIT);
    struct dw z = two_prod(bounded, splat(QUICK_GELU_SLOPE));
    z.lo = fma(bounded, QUICK_GELU_SLOPE_LOW, z.lo);
    return z;
}
INLINE real quick_gelu_forward(real x)
{
    struct dw z = quick_gelu_argument(x);
    return logistic(at_least(x, -QUICK_GELU_LIMIT), z.hi, -z.lo);
}
INLINE real quick_gelu_grad(real dy, real x) { return dy * swish_derivative(quick_gelu_argument(x)); }

/* swish(x) = x sigmoid(beta x), 0 with the sign of x where e^(beta x) rounds to 0. */
INLINE real swish_forward(real x, real beta)
{
    struct dw z = beta_x(beta, finite_for(beta, x));
    return select(le(z.hi, -EXP_LIMIT), copy_sign(splat(0), x), logistic(x, z.hi, -z.lo));
}
INLINE real swish_grad(real dy, real x, real beta)
{
    return dy * swish_derivative(beta_x(beta, finite_for(beta, x)));
}

/* x / alpha as a double-word, its absolute value at most EXP_LIMIT; lo is 0 at the limit. */
INLINE struct dw x_over_alpha(real x, real alpha)
{
    real inverse = 1 / alpha, quotient = clamp(x * inverse, EXP_LIMIT);
    return (struct dw){quotient, select(lt(absolute(quotient), EXP_LIMIT), fma(-quotient, alpha, x) * inverse, 0)};
}
/* erf: x times a polynomial for |x| <= ERF_SMALL; beyond, 1 - erfc(t), t = |x|, where the subtrahend, at most 1/2, is
   2 Phi(-u), u = sqrt(2) t, with e^(-t^2) for e^(-u^2/2): the error of u only matters for the piecewise polynomial. */
INLINE real erf_forward(real x)
{
    real t = at_most(absolute(x), EXP_NEG_SQUARE_LIMIT), square = t * t;
    real near = fma(x, ERF_SLOPE, x * fma(square, polynomial(square, ERF_P), ERF_SLOPE_LOW));
    struct dw factor = normalized_sum(piecewise(SQRT2 * t, TAIL_FACTOR));
    real far = 1 - 2 * exp_mul_scaled_exact(splat(1), exp_neg_square(t), factor);
    /* A NaN passes through near. */
    return copy_sign(select(gt(t, ERF_SMALL), far, near), x);
}
INLINE real erf_grad(real dy, real x)
{
    struct dw slope = {splat(ERF_SLOPE), splat(ERF_SLOPE_LOW)};
    return dy * exp_mul_scaled_exact(splat(1), exp_neg_square(at_most(absolute(x), EXP_NEG_SQUARE_LIMIT)), slope);
}

/* ndtr: Phi(-t), t = |x|, as in struct normal_tail, or 1 - Phi(-t).  The factor is rounded with its error, since nothing
   follows in which the error of an unevaluated sum would be smaller. */
INLINE real ndtr_forward(real x)
{
    real t = at_most(absolute(x), TAIL_LIMIT);
    struct dw factor = normalized_sum(piecewise(t, TAIL_FACTOR));
    real value = exp_mul_scaled_exact(splat(1), exp_neg_half_square(t), factor);
    return select(lt(x, 0), value, 1 - value);
}
INLINE real ndtr_grad(real dy, real x)
{
    struct dw density = {splat(DENSITY), splat(DENSITY_LOW)};
    return dy * exp_mul_scaled_exact(splat(1), exp_neg_half_square(at_most(absolute(x), TAIL_LIMIT)), density);
}

/* celu: alpha (e^z - 1), z = x / alpha.  It is x where the next term, x z / 2, is below half an ulp of x; there z may
   be subnormal, with fewer digits. */
INLINE real celu_forward(real x, real alpha)
{
    struct dw z = x_over_alpha(at_most(x, 0), alpha);
    struct exp_split e = exp_split(at_least(z.hi, -ONE_LIMIT), select(gt(z.hi, -ONE_LIMIT), z.lo, 0));
    struct dw expm1 = expm1_from(e);
    real left = fma(alpha, expm1.hi, alpha * expm1.lo);
    return select(lt(z.hi, -1 / (2 * ROUNDER)), left, x);
}
INLINE real celu_grad(real dy, real x, real alpha)
{
    struct dw z = x_over_alpha(at_most(x, 0), alpha);
    struct exp_split e = exp_split(z.hi, z.lo);
    return dy * scale(1 + e.q, e.n);
}
INLINE real celu_grad_y(real dy, real y, real alpha) { return select(gt(y, 0), dy, dy * ((y + alpha) / alpha)); }

/* squareplus, t = |x|: squareplus(-t) = L, the solution of L (t + L) = b/4, and squareplus(t) = t + L = h.  With
   s^2 = t^2 + b, h = (s + t)/2.  L = b/(4h) from a rounded h is corrected by one step of Newton's method,
   L + (b/4 - L h)/(h + L), which removes the effect of all roundings before it but for a twelfth: 1/(h + L) is taken as
   (31/32 - z/2)/h, z = L/h in [0, 1].

   Against overflow and underflow, t is multiplied by 2^-k and b by 2^-2k, k = 0 unless b is huge or tiny; h is halved;
   and where t^2 would overflow, s is t. */
struct squareplus {
    real left, left_lo; /* L 2^-k */
    struct dw half; /* h 2^-k / 2 without the low part of L */
    real up; /* 2^k */
};

INLINE struct squareplus squareplus(real x, real b)
{
    real k = (EXPONENT_BIAS + 1) / 4 * round_to_int(exponent_of(b) / (EXPONENT_BIAS + 1));
    real down = power_of_two(-k), quarter = (scalar)0.25 * down * b * down;
    real half_t = absolute(x) * ((scalar)0.5 * down), root = at_most(half_t, RANGE_ROOT / 4);
    real half_s = at_least(square_root(fma(root, root, at_least(quarter, SMALLEST_NORMAL))), half_t);
    real inverse = 1 / (half_s + half_t), left = quarter * inverse, half_left = (scalar)0.5 * left;
    real finite = at_most(half_t, LARGEST / 2);
    struct dw half = fast_two_sum(at_least(finite, half_left), at_most(finite, half_left));
    real residual = fma(-left, half.lo, fma(-left, half.hi, (scalar)0.5 * quarter));
    real slope = inverse * fma(-inverse, left, (scalar)1.9375);
    return (struct squareplus){left, residual * slope, half, power_of_two(k)};
}
/* The maximum with x gives infinity, and x itself where the sum has overflowed. */
INLINE real squareplus_forward(real x, real b)
{
    struct squareplus s = squareplus(x, b);
    mask left = lt(x, 0);
    real value = select(left, s.left, 2 * s.half.hi), lo = fma(2, select(left, 0, s.half.lo), s.left_lo);
    return at_least((value + lo) * s.up, x);
}
/* squareplus'(-t) = L/(h + L), squareplus'(t) = 1 - squareplus'(-t); 1/2 at 0 for b = 0. */
INLINE real squareplus_grad(real dy, real x, real b)
{
    struct squareplus s = squareplus(x, b);
    struct dw half_left = {(scalar)0.5 * s.left, (scalar)0.5 * s.left_lo};
    struct dw half_s = fast_two_sum(s.half.hi, half_left.hi);
    half_s.lo = half_s.lo + (s.half.lo + s.left_lo);
    struct dw left = dw_div(half_left, half_s);
    real value = select(eq(half_s.hi, 0), (scalar)0.5, left.hi + left.lo);
    return dy * select(lt(x, 0), value, 1 - value);
}
/* From the output: y^2 / (y^2 + b/4) by double-words; a y so large that y^2 might overflow is limited, the quotient is
   1. */
INLINE real squareplus_grad_y(real dy, real y, real b)
{
    real bounded = clamp(y, RANGE_ROOT / 16);
    struct dw square = two_prod(bounded, bounded), sum = two_sum(square.hi, (scalar)0.25 * b);
    sum.lo = sum.lo + square.lo;
    struct dw quotient = dw_div(square, sum);
    return dy * select(eq(sum.hi, 0), 0, quotient.hi + quotient.lo);
}

INLINE real hard_tanh_forward(real x, real low, real high)
{
    return select(lt(x, low), low, select(gt(x, high), high, x));
}
/* x is limited to the largest number, so that an infinite x passes an infinite bound. */
INLINE mask hard_tanh_passes(real x, real low, real high)
{
    real finite = clamp(x, LARGEST);
    return both(not_le(finite, low), not_ge(finite, high));
}
INLINE real hard_tanh_grad(real dy, real x, real low, real high)
{
    return select(hard_tanh_passes(x, low, high), dy, 0);
}
INLINE real hard_tanh_grad_y(real dy, real y, real low, real high) { return hard_tanh_grad(dy, y, low, high); }

INLINE real clipped_linear_forward(real x, real slope, real offset, real low, real high)
{
    return hard_tanh_forward(fma(slope, finite_for(slope, x), offset), low, high);
}
/* slope x + offset is compared with a bound by the sign of slope x + (offset - bound), which an fma rounds without
   changing it. */
INLINE real clipped_linear_grad(real dy, real x, real slope, real offset, real low, real high)
{
    real bounded = finite_for(slope, x);
    mask below = le(fma(slope, bounded, offset - low), 0), above = ge(fma(slope, bounded, offset - high), 0);
    return select(below, 0, select(above, 0, slope * dy));
}
INLINE real clipped_linear_grad_y(real dy, real y, real slope, real offset, real low, real high)
{
    (void)offset;
    return hard_tanh_grad(slope * dy, y, low, high);
}

/* clipped_swish: the product is 0 where a bound of 0 meets an infinite x. */
INLINE real clipped_swish_forward(real x, real slope, real offset, real low, real high)
{
    real gate = clipped_linear_forward(x, slope, offset, low, high);
    return gate * finite_for(gate, x);
}
/* Inside the derivative is slope x + (slope x + offset). */
INLINE real clipped_swish_grad(real dy, real x, real slope, real offset, real low, real high)
{
    real bounded = finite_for(slope, x);
    mask below = le(fma(slope, bounded, offset - low), 0), above = ge(fma(slope, bounded, offset - high), 0);
    return dy * select(below, low, select(above, high, fma(2 * slope, bounded, offset)));
}

INLINE real threshold_forward(real x, real threshold, real value) { return select(le(x, threshold), value, x); }
INLINE real threshold_grad(real dy, real x, real threshold, real value)
{
    (void)value;
    return select(le(x, threshold), 0, dy);
}

INLINE real thresholded_relu_forward(real x, real alpha) { return threshold_forward(x, alpha, splat(0)); }
INLINE real thresholded_relu_grad(real dy, real x, real alpha) { return threshold_grad(dy, x, alpha, splat(0)); }

/* general_relu: adding 0 turns -0, the product with a slope of 0, into 0. */
INLINE real general_relu_forward(real x, real slope, real high, real threshold)
{
    real left = slope * (finite_for(slope, x) - threshold) + 0;
    return select(le(x, threshold), left, at_most(x, high));
}
INLINE real general_relu_grad(real dy, real x, real slope, real high, real threshold)
{
    return select(le(x, threshold), select(eq(slope, 0), 0, slope * dy), select(ge(at_most(x, LARGEST), high), 0, dy));
}

INLINE real identity_forward(real x) { return x; }
INLINE real identity_grad(real dy, real x)
{
    (void)x;
    return dy;
}
INLINE real identity_grad_y(real dy, real y) { return identity_grad(dy, y); }

#endif
