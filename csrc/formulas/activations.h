/* THE file: the list of all activations, then each of them as mathematics.

   To add one: a row here, NAME_forward and NAME_grad below (NAME_grad_y too if the row says FROM_OUTPUT), and what it is
   in src/numact/_exact.py and csrc/reference.c.  Ufuncs, documentation, stubs, tests and benchmarks follow from the row.

   name, number of parameters, "parameters with defaults", "allowed parameters",
   FROM_OUTPUT: the derivative is also a function of the output; else FROM_INPUT,
   KINK: the derivative jumps at x = 0, where at_zero= chooses its value; else SMOOTH,
   OVERFLOWS: a finite input may overflow, which is reported; else BOUNDED,
   LONG: a long chain of steps, as of an exponential, so that several vectors are computed in turn; else SHORT, as also where
   a division takes as long as all the rest,
   bounds of the error in ULP: forward, gradient,
   "formula", "derivative",
   "range", "kinks": where the derivative jumps, "other names", "notes".  Names that differ from the row's by case and
   underscores alone, such as PyTorch's, are found without being listed. */
#ifndef NUMACT_ACTIVATIONS_H
#define NUMACT_ACTIVATIONS_H

#include "math/elementary.h"

#define ACTIVATIONS(ROW)                                                                                               \
    ROW(relu, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, SHORT, 0.5, 0.5,                                                  \
        "max(x, 0)", "1 if x > 0 else 0",                                                                              \
        "[0, inf)", "0", "", "Nair and Hinton, 2010.  The derivative at 0 is 0, as in PyTorch, JAX and TensorFlow.")   \
    ROW(relu6, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, SHORT, 0.5, 0.5,                                                 \
        "min(max(x, 0), 6)", "1 if 0 < x < 6 else 0",                                                                  \
        "[0, 6]", "0, 6", "", "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010.")                     \
    ROW(relu_squared, 0, "", "", FROM_OUTPUT, SMOOTH, OVERFLOWS, SHORT, 0.5, 0.5,                                      \
        "max(x, 0)^2", "2 max(x, 0)",                                                                                  \
        "[0, inf)", "", "squared_relu, relu2", "So et al., Primer, 2021.")                                             \
    ROW(leaky_relu, 1, "negative_slope=0.01", "y: negative_slope >= 0", FROM_OUTPUT, KINK, BOUNDED, SHORT, 0.5, 0.5,   \
        "x if x > 0 else negative_slope x", "1 if x > 0 else negative_slope",                                          \
        "(-inf, inf)", "0", "",                                                                                        \
        "Maas et al., 2013.  PyTorch and JAX default to the slope 0.01, Keras to 0.2 or 0.3.  "                        \
        "An array as slope makes it a PReLU.")                                                                         \
    ROW(elu, 1, "alpha=1.0", "y: alpha >= 0", FROM_OUTPUT, KINK, BOUNDED, LONG, 1.0, 2.0,                              \
        "x if x > 0 else alpha (e^x - 1)", "1 if x > 0 else alpha e^x",                                                \
        "(-alpha, inf)", "0", "", "Clevert et al., 2016.")                                                             \
    ROW(sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, LONG, 2.0, 2.0,                                              \
        "1 / (1 + e^-x)", "sigmoid(x) sigmoid(-x)",                                                                    \
        "(0, 1)", "", "logistic, expit", "")                                                                           \
    ROW(tanh, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 1.5, 2.0,                                                \
        "tanh x", "1 / cosh^2 x",                                                                                      \
        "(-1, 1)", "", "", "")                                                                                         \
    ROW(softplus, 1, "beta=1.0", "beta > 0", FROM_OUTPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                             \
        "log(1 + e^(beta x)) / beta", "sigmoid(beta x)",                                                               \
        "(0, inf)", "", "",                                                                                            \
        "Dugas et al., 2001.  Exact everywhere: there is no threshold beyond which it turns linear, as PyTorch has.")  \
    ROW(silu, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 2.0, 2.0,                                                  \
        "x sigmoid(x)", "sigmoid(x) (1 + x sigmoid(-x))",                                                              \
        "[-0.2785, inf)", "", "", "Elfwing et al., 2018.  Also called swish.")                                         \
    ROW(gelu, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                                  \
        "x Phi(x)", "Phi(x) + x phi(x)",                                                                               \
        "[-0.1700, inf)", "", "gelu_exact, gelu_python",                                                               \
        "Hendrycks and Gimpel, 2016.  The exact form, as PyTorch's default; JAX defaults to the approximation by tanh.")\
    ROW(hard_swish, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, SHORT, 1.5, 2.0,                                           \
        "x min(max(x + 3, 0), 6) / 6", "0 if x <= -3, 1 if x >= 3, else (2x + 3) / 6",                                 \
        "[-0.375, inf)", "-3, 3", "hard_silu, hard_swish_mobilenet", "Howard et al., 2019.")                           \
    ROW(hard_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 1.0, 1.0,                                        \
        "min(max(x + 3, 0), 6) / 6", "1/6 if -3 < x < 3 else 0",                                                       \
        "[0, 1]", "-3, 3", "", "PyTorch's and Keras 3's; Keras 2, Thinc and ONNX's default have the slope 0.2.")       \
    ROW(selu, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, LONG, 1.0, 2.0,                                                   \
        "lambda x if x > 0 else lambda alpha (e^x - 1)", "lambda if x > 0 else lambda alpha e^x",                      \
        "(-1.7581, inf)", "0", "", "Klambauer et al., 2017: alpha = 1.67326324..., lambda = 1.05070098...")            \
    ROW(log_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                          \
        "log sigmoid(x)", "sigmoid(-x)",                                                                               \
        "(-inf, 0)", "", "", "")                                                                                       \
    ROW(exponential, 0, "", "", FROM_OUTPUT, SMOOTH, OVERFLOWS, LONG, 1.0, 1.0,                                        \
        "e^x", "e^x",                                                                                                  \
        "(0, inf)", "", "exp", "")                                                                                     \
    ROW(sparse_plus, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, SHORT, 1.0, 0.5,                                          \
        "0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4", "0 if x <= -1, 1 if x >= 1, else (x + 1) / 2",                \
        "[0, inf)", "", "", "As in JAX.")                                                                              \
    ROW(sparse_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                                      \
        "min(max(x + 1, 0), 2) / 2", "1/2 if -1 < x < 1 else 0",                                                       \
        "[0, 1]", "-1, 1", "", "As in JAX.")                                                                           \
    ROW(hard_shrink, 1, "lambd=0.5", "lambd >= 0", FROM_INPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                       \
        "x if |x| > lambd else 0", "1 if |x| > lambd else 0",                                                          \
        "(-inf, inf)", "-lambd, lambd", "", "Donoho and Johnstone, 1994: hard thresholding.  A NaN is kept.")          \
    ROW(soft_shrink, 1, "lambd=0.5", "lambd >= 0", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                      \
        "x - lambd sign(x) if |x| > lambd else 0", "1 if |x| > lambd else 0",                                          \
        "(-inf, inf)", "-lambd, lambd", "", "Donoho and Johnstone, 1994: soft thresholding.  A NaN is kept.")          \
    ROW(identity, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                                            \
        "x", "1", "(-inf, inf)", "", "linear", "")                                                                     \
    ROW(tanhshrink, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                            \
        "x - tanh x", "tanh^2 x", "(-inf, inf)", "", "", "Exact near 0, where x - tanh x cancels.")                    \
    ROW(softsign, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 1.5, 2.0,                                            \
        "x / (1 + |x|)", "1 / (1 + |x|)^2", "(-1, 1)", "", "", "Turian et al., 2009.")                                 \
    ROW(gelu_tanh, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                             \
        "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2", "its derivative",                                           \
        "[-0.1700, inf)", "", "gelu_new, gelu_pytorch_tanh, gelu_approximate, gelu_fast",                              \
        "The approximation of gelu in GPT-2 and as JAX's default, Hendrycks and Gimpel, 2016.")                        \
    ROW(quick_gelu, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 2.0, 2.0,                                            \
        "x sigmoid(1.702 x)", "s (1 + 1.702 x (1 - s)), s = sigmoid(1.702 x)",                                         \
        "[-0.1636, inf)", "", "gelu_quick, gelu_sigmoid", "The approximation of gelu in CLIP, Hendrycks and Gimpel, 2016.")        \
    ROW(mish, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                                  \
        "x tanh(log(1 + e^x))", "t + x sigmoid(x) (1 - t^2), t = tanh(log(1 + e^x))",                                  \
        "[-0.3088, inf)", "", "", "Misra, 2019.")                                                                      \
    ROW(dish, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                                  \
        "x (x / sqrt(1 + x^2) + 1) / 2", "(1 + 2r - r^3) / 2, r = x / sqrt(1 + x^2)",                                  \
        "[-0.1501, inf)", "", "", "As in Thinc: swish without an exponential.")                                        \
    ROW(gaussian, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 1.5, 2.0,                                              \
        "e^(-x^2)", "-2x e^(-x^2)", "(0, 1]", "", "", "")                                                              \
    ROW(celu, 1, "alpha=1.0", "alpha > 0", FROM_OUTPUT, SMOOTH, BOUNDED, LONG, 1.0, 2.0,                               \
        "x if x > 0 else alpha (e^(x / alpha) - 1)", "1 if x > 0 else e^(x / alpha)",                                  \
        "(-alpha, inf)", "", "", "Barron, 2017: the elu whose derivative is continuous for every alpha.")              \
    ROW(squareplus, 1, "b=4.0", "b >= 0", FROM_OUTPUT, SMOOTH, BOUNDED, LONG, 1.0, 2.0,                                \
        "(x + sqrt(x^2 + b)) / 2", "(1 + x / sqrt(x^2 + b)) / 2", "(0, inf)", "", "", "Barron, 2021.")                 \
    ROW(swish, 1, "beta=1.0", "", FROM_INPUT, SMOOTH, BOUNDED, LONG, 2.0, 2.0,                                         \
        "x sigmoid(beta x)", "s (1 + beta x (1 - s)), s = sigmoid(beta x)",                                            \
        "[-0.2785 / beta, inf)", "", "", "Ramachandran et al., 2017.  With beta = 1 it is silu.")                      \
    ROW(hard_tanh, 2, "min_val=-1.0, max_val=1.0", "min_val <= max_val", FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,\
        "min(max(x, min_val), max_val)", "1 if min_val < x < max_val else 0",                                          \
        "[min_val, max_val]", "min_val, max_val", "clip, clamp", "")                                                   \
    ROW(clipped_linear, 4, "slope=1.0, offset=0.0, min_val=0.0, max_val=1.0", "min_val <= max_val",                    \
        FROM_OUTPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                                                                 \
        "min(max(slope x + offset, min_val), max_val)", "slope if min_val < slope x + offset < max_val else 0",        \
        "[min_val, max_val]", "where slope x + offset is min_val or max_val", "",                                      \
        "As in Thinc.  ONNX's HardSigmoid is slope = 0.2, offset = 0.5.")                                              \
    ROW(threshold, 2, "threshold, value", "", FROM_INPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                            \
        "x if x > threshold else value", "1 if x > threshold else 0", "(threshold, inf) and value", "threshold", "", "")\
    ROW(thresholded_relu, 1, "alpha=1.0", "", FROM_INPUT, SMOOTH, BOUNDED, SHORT, 0.5, 0.5,                            \
        "x if x > alpha else 0", "1 if x > alpha else 0", "0 and (alpha, inf)", "alpha", "", "As in ONNX.")            \
    ROW(general_relu, 3, "negative_slope=0.0, max_value=inf, threshold=0.0", "max_value >= 0, threshold >= 0",         \
        FROM_INPUT, SMOOTH, BOUNDED, SHORT, 1.5, 0.5,                                                                  \
        "min(x, max_value) if x > threshold else negative_slope (x - threshold)",                                      \
        "0 if x >= max_value, 1 if x > threshold, else negative_slope",                                                \
        "(-inf, max_value]", "threshold, max_value", "", "Keras' relu with its parameters.")

/* Those that also exist as NAME_masked, with the number of their parameters: the derivative is 1, where NAME_passes, or
   one other value, so that a bit for each element is all that the gradient needs. */
#define MASKED(MASK) MASK(relu, 0) MASK(relu6, 0) MASK(leaky_relu, 1) MASK(hard_tanh, 2)

/* The parameters p[0], ... behind an argument, by their number. */
#define PARAMETERS_0(p)
#define PARAMETERS_1(p) , (p)[0]
#define PARAMETERS_2(p) , (p)[0], (p)[1]
#define PARAMETERS_3(p) , (p)[0], (p)[1], (p)[2]
#define PARAMETERS_4(p) , (p)[0], (p)[1], (p)[2], (p)[3]

/* relu: a NaN fails x <= 0 and passes, as does the dy that belongs to it. */
INLINE mask relu_passes(real x) { return not_le(x, 0); }
INLINE real relu_forward(real x) { return sel(relu_passes(x), x, 0); }
INLINE real relu_grad(real dy, real x) { return sel(relu_passes(x), dy, 0); }
INLINE real relu_grad_y(real dy, real y) { return relu_grad(dy, y); }

INLINE real relu6_forward(real x) { return sel(le(x, 0), 0, at_most(x, 6)); }
INLINE mask relu6_passes(real x) { return both(not_le(x, 0), not_ge(x, 6)); }
INLINE real relu6_grad(real dy, real x) { return sel(relu6_passes(x), dy, 0); }
INLINE real relu6_grad_y(real dy, real y) { return relu6_grad(dy, y); }

/* relu_squared: a large negative x is kept out of the products, which the compiler may compute before it selects and
   whose overflow would be reported.  dy x is taken before it is doubled, since 2x may overflow where 2 x dy does not. */
INLINE real relu_squared_forward(real x) { return sel(le(x, 0), 0, x * at_least(x, (scalar)-0.25)); }
INLINE real relu_squared_grad(real dy, real x) { return sel(le(x, 0), 0, 2 * (dy * at_least(x, (scalar)-0.25))); }
INLINE real relu_squared_grad_y(real dy, real y) { return sel(le(y, 0), 0, 2 * (dy * sqrt_(y))); }

INLINE mask leaky_relu_passes(real x, real slope)
{
    (void)slope;
    return gt(x, 0);
}
INLINE real leaky_relu_forward(real x, real slope) { return sel(leaky_relu_passes(x, slope), x, slope * x); }
INLINE real leaky_relu_grad(real dy, real x, real slope) { return sel(leaky_relu_passes(x, slope), dy, slope * dy); }
INLINE real leaky_relu_grad_y(real dy, real y, real slope) { return leaky_relu_grad(dy, y, slope); }

INLINE real elu_forward(real x, real alpha)
{
    struct pair expm1 = expm1_pair(at_most(x, 0));
    return sel(lt(x, 0), fma(alpha, expm1.value, alpha * expm1.rest), x);
}
INLINE real elu_grad(real dy, real x, real alpha) { return sel(gt(x, 0), dy, dy * (alpha * exp_(clamp(x, EXP_LIMIT)))); }
INLINE real elu_grad_y(real dy, real y, real alpha) { return sel(gt(y, 0), dy, dy * (y + alpha)); }

INLINE real sigmoid_forward(real x) { return logistic(real_(1), clamp(x, EXP_LIMIT), NO_REST); }
INLINE real sigmoid_grad(real dy, real x) { return dy * logistic_density(at_most(abs_(x), EXP_LIMIT), 0); }
INLINE real sigmoid_grad_y(real dy, real y) { return dy * fma(-y, y, y); }

INLINE real tanh_forward(real x) { return tanh_(x); }
/* 1/cosh^2 x = 4 sigmoid'(2x) */
INLINE real tanh_grad(real dy, real x) { return dy * logistic_density(at_most(2 * abs_(x), EXP_LIMIT), 2); }
INLINE real tanh_grad_y(real dy, real y) { return dy * fma(-y, y, 1); }

/* beta x as a pair, clamped to where e^x is finite. */
INLINE struct pair beta_times(real beta, real x)
{
    real product = clamp(beta * x, EXP_LIMIT);
    return (struct pair){product, sel(lt(abs_(product), EXP_LIMIT), fma(beta, x, -product), 0)};
}

/* log(1 + e^z) / beta = max(x, 0) + log(1 + e^-|z|) / beta, z = beta x: nothing overflows, the left tail keeps its
   relative accuracy.  beta is 2^k fraction; for |x| beyond `furthest` the logarithm rounds to 0.  What depends on beta alone
   is computed once for a row of x. */
INLINE real softplus_forward(real x, real beta)
{
    beta = abs_(beta); /* a negative one is not allowed, and gives the same bits everywhere */
    real k = exponent_of(beta), fraction = scale(beta, -k);
    real inverse = 1 / fraction, inverse_rest = fma_in_double(-inverse, fraction, 1) * inverse;
    real furthest = scale((EXP_LIMIT - (scalar)0.6875 * k) * inverse, -k);
    struct pair z = product_of(beta, at_most(abs_at_most(x, LARGEST), furthest));
    struct scaled log = log1p_exp_of(z.value, z.rest);
    real rest = fma(log.factor.value, inverse_rest, log.factor.rest * inverse);
    return at_least(x, 0) + scale(fma(log.factor.value, inverse, rest), log.n - k);
}
INLINE real softplus_grad(real dy, real x, real beta)
{
    struct pair z = beta_times(beta, x);
    return dy * logistic(real_(1), z.value, -z.rest);
}
INLINE real softplus_grad_y(real dy, real y, real beta) { return dy * -expm1_(at_most(-(beta * y), 0)); }

/* x is clamped in the numerator too: at -inf the limit is -0. */
INLINE real silu_forward(real x)
{
    return logistic(at_least(x, -EXP_LIMIT), clamp(x, EXP_LIMIT), NO_REST);
}

INLINE real silu_grad(real dy, real x)
{
    return dy * mirrored(lt(x, 0), silu_slope_left(at_most(abs_(x), EXP_LIMIT)));
}

/* The activations with f(x) = x + f(-x) from f(-|x|) = -left: max(x, -0) - left, which keeps the signs of the zeros. */
INLINE real with_left(real x, real left) { return at_least(x, -real_(0)) - left; }

/* gelu(-t) = -t Phi(-t) */
INLINE real gelu_forward(real x)
{
    real t = abs_at_most(x, TAIL_LIMIT);
    struct normal_tail tail = normal_tail(t);
    return with_left(x, times_parts_by(t, tail.e, tail.factor));
}

/* gelu'(-t) = Phi(-t) - t phi(t), for 0 <= t <= TAIL_FAR: e^(-t^2/2) times a factor. */
INLINE struct scaled gelu_slope_left(real t)
{
    return exponential_times(normal_exponential(t), value_of(tabulated(t, GELU_FACTOR)));
}
INLINE real gelu_grad(real dy, real x)
{
    return dy * mirrored(lt(x, 0), gelu_slope_left(at_most(abs_(x), TAIL_LIMIT)));
}

/* hard_swish: x (x + 3) / 6 in the middle, x + 3 with what its rounding lost, taken so that -0 keeps its sign. */
INLINE real hard_swish_forward(real x)
{
    real sum = 3 + x, rest = (3 - sum) + x;
    real middle = sixth_of(fma(x, sum, x * rest));
    return sel(le(x, -3), -real_(0), sel(ge(x, 3), x, middle));
}
INLINE real hard_swish_grad(real dy, real x)
{
    return sel(le(x, -3), 0, sel(ge(x, 3), dy, dy * sixth_of(add_scaled(2, x, 3))));
}

/* hard_sigmoid: (x + 3) / 6, x + 3 with what its rounding lost. */
INLINE real hard_sigmoid_forward(real x)
{
    struct pair sum = sum_of_ordered(real_(3), x);
    real middle = fma(sum.value, SIXTH, fma(sum.value, SIXTH_LOW, sum.rest * SIXTH));
    return sel(le(x, -3), 0, sel(ge(x, 3), 1, middle));
}
INLINE real hard_sigmoid_grad(real dy, real x) { return sel(le(x, -3), 0, sel(ge(x, 3), 0, dy / 6)); }
INLINE real hard_sigmoid_grad_y(real dy, real y) { return sel(le(y, 0), 0, sel(ge(y, 1), 0, dy / 6)); }

/* selu: both constants as pairs, since near y = -lambda alpha the gradient from the output is what is left of one. */
INLINE real selu_forward(real x)
{
    struct pair expm1 = expm1_pair(at_most(x, 0));
    real left = fma(SELU_LEFT, expm1.value, fma(SELU_LEFT, expm1.rest, SELU_LEFT_LOW * expm1.value));
    return sel(lt(x, 0), left, fma(x, SELU_RIGHT, x * SELU_RIGHT_LOW));
}
INLINE real selu_grad(real dy, real x)
{
    struct exponential e = exponential(clamp(x, EXP_LIMIT), NO_REST);
    real left = scale(fma(SELU_LEFT, e.fraction, SELU_LEFT_LOW * e.fraction), e.n);
    return sel(gt(x, 0), fma(dy, SELU_RIGHT, dy * SELU_RIGHT_LOW), dy * left);
}
INLINE real selu_grad_y(real dy, real y)
{
    return sel(gt(y, 0), fma(dy, SELU_RIGHT, dy * SELU_RIGHT_LOW), dy * ((y + SELU_LEFT) + SELU_LEFT_LOW));
}

/* log sigmoid(x) = min(x, -0) - log(1 + e^-|x|) */
INLINE real log_sigmoid_forward(real x)
{
    struct scaled log = log1p_exp(abs_at_most(x, EXP_LIMIT));
    return at_most(x, -real_(0)) - scale(log.factor.value, log.n);
}
INLINE real log_sigmoid_grad(real dy, real x) { return dy * logistic(real_(1), clamp(-x, EXP_LIMIT), NO_REST); }
INLINE real log_sigmoid_grad_y(real dy, real y) { return dy * -expm1_(at_most(y, 0)); }

/* e^x; infinity takes no part in the arithmetic, where it would be reported as an overflow. */
INLINE real exponential_forward(real x)
{
    mask infinite = gt(x, LARGEST);
    return sel(infinite, x, exp_(clamp(sel(infinite, 0, x), EXP_LIMIT)));
}
INLINE real exponential_grad(real dy, real x) { return dy * exponential_forward(x); }
INLINE real exponential_grad_y(real dy, real y) { return dy * y; }

/* sparse_plus: (x + 1)^2 / 4 in the middle, x + 1 with what its rounding lost. */
INLINE real sparse_plus_forward(real x)
{
    struct pair sum = sum_of_ordered(real_(1), x);
    real square = fma(sum.value, sum.value, 2 * sum.value * sum.rest);
    return sel(le(x, -1), 0, sel(ge(x, 1), x, (scalar)0.25 * square));
}
INLINE real sparse_plus_grad(real dy, real x)
{
    return sel(le(x, -1), 0, sel(ge(x, 1), dy, dy * ((scalar)0.5 * (x + 1))));
}

INLINE real sparse_sigmoid_forward(real x)
{
    return sel(le(x, -1), 0, sel(ge(x, 1), 1, (scalar)0.5 * (x + 1)));
}
INLINE real sparse_sigmoid_grad(real dy, real x) { return sel(le(x, -1), 0, sel(ge(x, 1), 0, (scalar)0.5 * dy)); }
INLINE real sparse_sigmoid_grad_y(real dy, real y) { return sel(le(y, 0), 0, sel(ge(y, 1), 0, (scalar)0.5 * dy)); }

INLINE real hard_shrink_forward(real x, real lambd) { return sel(le(abs_(x), lambd), 0, x); }
INLINE real hard_shrink_grad(real dy, real x, real lambd) { return sel(le(abs_(x), lambd), 0, dy); }

INLINE real soft_shrink_forward(real x, real lambd) { return sel(le(abs_(x), lambd), 0, x - copysign_(lambd, x)); }
INLINE real soft_shrink_grad(real dy, real x, real lambd) { return hard_shrink_grad(dy, x, lambd); }
INLINE real soft_shrink_grad_y(real dy, real y, real lambd)
{
    (void)lambd;
    return sel(eq(y, 0), 0, dy);
}

/* tanhshrink: near 0 t (t^2 P(t^2 - CENTRE)), t = |x|, the bracket as a pair, for it is no subnormal number as t^3 may be;
   elsewhere (t - 1) + (1 - tanh t), whose first part is exact and the larger one by far. */
INLINE real tanhshrink_near(real t)
{
    struct pair square = product_of(t, t), bracket = product_of(square.value, real_(TANHSHRINK_P[0]));
    real d = fma(t, t, -TANHSHRINK_CENTRE), more = d * horner(d, TANHSHRINK_P + 1, DEGREE(TANHSHRINK_P) - 1);
    bracket.rest = fma(square.value, more, fma(square.rest, TANHSHRINK_P[0] + more, bracket.rest));
    return fma(t, bracket.value, t * bracket.rest);
}
INLINE real tanhshrink_forward(real x)
{
    real t = abs_(x), far = (t - 1) + one_less_tanh(abs_at_most(x, ONE_LIMIT));
    return copysign_(sel(lt(t, TANHSHRINK_SMALL), tanhshrink_near(t), far), x);
}
/* tanh^2 x, where tanh t is t less the polynomial, or 1 less the rest. */
INLINE real tanhshrink_grad(real dy, real x)
{
    real t = at_most(abs_(x), ONE_LIMIT);
    mask small = lt(t, TANHSHRINK_SMALL);
    struct pair tanh = sum_of_ordered(sel(small, t, 1), -sel(small, tanhshrink_near(t), one_less_tanh(t)));
    return dy * fma(tanh.value, tanh.value, 2 * tanh.value * tanh.rest);
}

/* softsign: from 1 on as 1 - 1 / (1 + |x|), which has its limit at infinity. */
INLINE real softsign_forward(real x)
{
    real t = abs_(x);
    mask small = lt(t, 1);
    return copysign_(sel(small, t, -1) / (1 + t) + sel(small, 0, 1), x);
}
/* u^2, u = 1 / (1 + |x|), with what the rounding of u lost; at infinity u is 0. */
INLINE real softsign_grad(real dy, real x)
{
    struct pair sum = sum_of(real_(1), abs_(x));
    real u = 1 / sum.value;
    real rest = sel(gt(u, 0), u * (fma(-u, sum.value, 1) - u * sum.rest), 0);
    return dy * (u * (u + 2 * rest));
}
INLINE real softsign_grad_y(real dy, real y) { return dy * ((1 - abs_(y)) * (1 - abs_(y))); }

/* e^(-x^2) by its exact argument. */
INLINE struct exponential bell(real x)
{
    struct pair square = product_of(x, x);
    return exponential(-square.value, -square.rest);
}
INLINE real gaussian_forward(real x)
{
    struct exponential e = bell(at_most(abs_(x), BELL_LIMIT));
    return scale(1 + e.q, e.n);
}
INLINE real gaussian_grad(real dy, real x)
{
    real bounded = clamp(x, BELL_LIMIT);
    struct exponential e = bell(bounded);
    return dy * scale(-2 * fma(bounded, e.q, bounded), e.n);
}

/* mish(x) = max(x, 0) - t e factor, t = |x|, e = e^-t, where each side has its own factor, a function of e. */
INLINE real mish_forward(real x)
{
    real t = abs_at_most(x, EXP_LIMIT);
    struct exponential e = falling_exponential(t, NO_REST);
    struct pair factor = parts_of(tabulated_side_evenly(lt(x, 0), value_of_exponential(e), MISH_FACTOR));
    return with_left(x, times_exponential_by(t, e, with_lost(e, factor)));
}
/* mish'(-t) and 1 - mish'(t): e^-t times a factor. */
INLINE real mish_grad(real dy, real x)
{
    mask left = lt(x, 0);
    real t = at_most(abs_(x), EXP_LIMIT);
    struct pair factor = value_of(tabulated_side(left, t, MISH_SLOPE_FACTOR));
    return dy * mirrored(left, exponential_times(falling_exponential(t, NO_REST), factor));
}

/* q = t^2 + b and s = sqrt(q), as pairs, for t whose square is finite. */
struct hypotenuse {
    struct pair square; /* q */
    real length, residual; /* s = length + residual / (2 length) */
};

INLINE struct hypotenuse hypotenuse(real t, real b)
{
    struct pair square = product_of(t, t), sum = sum_of(square.value, b);
    sum.rest = sum.rest + square.rest;
    real length = sqrt_(sum.value);
    return (struct hypotenuse){sum, length, fma(-length, length, sum.value) + sum.rest};
}

/* dish(-t) = -t/(2D), dish(t) = t - t/(2D), D = s (s + t), s^2 = 1 + t^2.  From where D rounds to 2t^2, t/(2D) is 1/(4t). */
INLINE real dish_forward(real x)
{
    real t = at_most(abs_(x), LARGEST);
    mask far = gt(t, 4 * ROUNDER);
    real near = sel(far, 0, t);
    struct hypotenuse s = hypotenuse(near, real_(1));
    struct pair product = product_of(near, s.length), d = sum_of(s.square.value, product.value);
    d.rest = sel(far, 0, d.rest + (s.square.rest + product.rest));
    d.value = sel(far, t, d.value);
    struct pair quotient = quotient_of(pair_of(sel(far, (scalar)0.25, (scalar)0.5 * t)), d);
    real left = sel(gt(abs_(x), LARGEST), 0, quotient.value + quotient.rest);
    return sel(lt(x, 0), -left, x - left);
}

/* dish'(-t) = (g - t^2) (q + g) / (2 q (q + p) (1 + p)), q = 1 + t^2, p = t sqrt(q), g the golden ratio less 1, whose
   root is that of dish'; and dish'(t) = 1 - dish'(-t).  From where q rounds to t^2, dish'(-t) is -1/(4t^2). */
INLINE real dish_grad(real dy, real x)
{
    real t = at_most(abs_(x), RANGE_ROOT * (scalar)0x1p27);
    mask far = gt(t * t, 64 * ROUNDER);
    real near = sel(far, 0, t);
    struct hypotenuse s = hypotenuse(near, real_(1));
    struct pair q = s.square, p = product_of(near, s.length);
    p.rest = fma(near, (scalar)0.5 * s.residual / s.length, p.rest);
    struct pair below = sum_of(real_(DISH_ROOT), -near), above = sum_of(real_(DISH_ROOT), near);
    below.rest = below.rest + DISH_ROOT_LOW;
    above.rest = above.rest + DISH_ROOT_LOW;
    struct pair golden = {real_(GOLDEN), real_(GOLDEN_LOW)};
    struct pair numerator = product_of_pairs(product_of_pairs(below, above), sum_of_pairs(q, golden));
    struct pair denominator = product_of_pairs(sum_of_pairs(q, p), sum_of_pairs(pair_of(real_(1)), p));
    denominator = product_of_pairs((struct pair){2 * q.value, 2 * q.rest}, denominator);
    numerator = sel_pair(far, pair_of(real_((scalar)-0.25 / RANGE_ROOT)), numerator);
    denominator = sel_pair(far, product_of(t / RANGE_ROOT, t), denominator);
    struct pair quotient = quotient_of(numerator, denominator);
    real left = quotient.value + quotient.rest;
    return dy * sel(lt(x, 0), left, 1 - left);
}

/* e^-z for z = 2 sqrt(2/pi) (t + 0.044715 t^3) = -t w ln 2, w = -SLOPE - CUBIC t^2: 2^n (1 + q), without a rest.  SLOPE is
   short, so that -SLOPE - w is exact; t w is taken to the base 2, where n is subtracted from it without an error. */
INLINE struct exponential gelu_tanh_exponential(real t)
{
    struct pair square = product_of(t, t);
    real w = fma(-GELU_TANH_CUBIC, square.value, -GELU_TANH_SLOPE);
    real rest = fma(-GELU_TANH_CUBIC, square.value, -GELU_TANH_SLOPE - w);
    rest = rest + fma(-GELU_TANH_CUBIC, square.rest, fma(-GELU_TANH_CUBIC_LOW, square.value, -GELU_TANH_SLOPE_LOW));
    return power_of_two_of(t, w, rest);
}
/* gelu_tanh(-t) = -t e / (1 + e), e = e^-z = 2^n (1 + q): t (1 + q) as a pair, and a quotient whose residual corrects it.
   The quotient is at least half of what is divided, so that their difference is exact. */
INLINE real gelu_tanh_forward(real x)
{
    real t = abs_at_most(x, GELU_TANH_LIMIT);
    struct exponential e = gelu_tanh_exponential(t);
    real once = value_of_exponential(e), inverse = 1 / (1 + once);
    real numerator = fma(t, e.q, t), lost = fma(t, e.q, t - numerator), quotient = numerator * inverse;
    real residual = fma(-quotient, once, numerator - quotient) + lost;
    return with_left(x, scale(fma(residual, inverse, quotient), e.n));
}
/* gelu_tanh'(-t) = e^-z times a factor, for 0 <= t <= GELU_TANH_FAR. */
INLINE struct scaled gelu_tanh_slope_left(real t)
{
    return exponential_times(gelu_tanh_exponential(t), value_of(tabulated_on(t, GELU_TANH_FACTOR)));
}
INLINE real gelu_tanh_grad(real dy, real x)
{
    return dy * mirrored(lt(x, 0), gelu_tanh_slope_left(at_most(abs_(x), GELU_TANH_LIMIT)));
}

/* The derivative of x sigmoid(z) by x, for z as a pair, |z| <= EXP_LIMIT, that is a multiple of x. */
INLINE real swish_derivative(struct pair z)
{
    mask left = lt(z.value, 0);
    return mirrored(left, silu_slope_left_of(abs_(z.value), sel(left, -z.rest, z.rest)));
}

/* 1.702 x; beyond the bound e^-z, and x e^-z, rounds to 0. */
#define QUICK_GELU_LIMIT ((scalar)0.5625 * EXP_LIMIT)
INLINE struct pair quick_gelu_argument(real x)
{
    real bounded = clamp(x, QUICK_GELU_LIMIT);
    struct pair z = product_of(bounded, real_(QUICK_GELU_SLOPE));
    z.rest = fma(bounded, QUICK_GELU_SLOPE_LOW, z.rest);
    return z;
}
INLINE real quick_gelu_forward(real x)
{
    struct pair z = quick_gelu_argument(x);
    return logistic(at_least(x, -QUICK_GELU_LIMIT), z.value, -z.rest);
}
INLINE real quick_gelu_grad(real dy, real x) { return dy * swish_derivative(quick_gelu_argument(x)); }

/* x, but finite where its factor is 0, so that their product is not a NaN. */
INLINE real finite_for(real factor, real x) { return sel(eq(factor, 0), clamp(x, 1), x); }

INLINE real swish_forward(real x, real beta)
{
    struct pair z = beta_times(beta, finite_for(beta, x));
    return sel(le(z.value, -EXP_LIMIT), copysign_(real_(0), x), logistic(x, z.value, -z.rest));
}
INLINE real swish_grad(real dy, real x, real beta)
{
    return dy * swish_derivative(beta_times(beta, finite_for(beta, x)));
}

/* x / alpha as a pair. */
INLINE struct pair over_alpha(real x, real alpha)
{
    real inverse = 1 / alpha, quotient = clamp(x * inverse, EXP_LIMIT);
    return (struct pair){quotient, sel(lt(abs_(quotient), EXP_LIMIT), fma(-quotient, alpha, x) * inverse, 0)};
}
/* celu: x itself where x^2 / alpha is below its digits, and x / alpha may have lost its own. */
INLINE real celu_forward(real x, real alpha)
{
    struct pair z = over_alpha(at_most(x, 0), alpha);
    struct exponential e = exponential(at_least(z.value, -ONE_LIMIT), sel(gt(z.value, -ONE_LIMIT), z.rest, 0));
    struct pair expm1 = expm1_of(e);
    real left = fma(alpha, expm1.value, alpha * expm1.rest);
    return sel(lt(z.value, -1 / (2 * ROUNDER)), left, x);
}
INLINE real celu_grad(real dy, real x, real alpha)
{
    struct pair z = over_alpha(at_most(x, 0), alpha);
    struct exponential e = exponential(z.value, z.rest);
    return dy * scale(1 + e.q, e.n);
}
INLINE real celu_grad_y(real dy, real y, real alpha) { return sel(gt(y, 0), dy, dy * ((y + alpha) / alpha)); }

/* squareplus(-t) is the L of L (t + L) = b/4, and squareplus(t) = t + L = h, t = |x|; with s^2 = t^2 + b, h = (s + t)/2.
   L = b/(4h) from a rounded h is what one step of Newton's method corrects, L + (b/4 - L h)/(h + L): all roundings before
   it at once.  It leaves a twelfth of the error, since 1/(1 + z) is taken as 31/32 - z/2 for z = L/h in [0, 1].

   So that nothing overflows or loses digits, t is multiplied by 2^-k and b by 2^-2k, where k is not 0 for a huge or tiny b
   alone, h is halved, and where t^2 would overflow, s is t. */
struct squareplus {
    real left, left_rest; /* L 2^-k */
    struct pair half; /* h 2^-k / 2 without the rest of L */
    real up; /* 2^k */
};

INLINE struct squareplus squareplus(real x, real b)
{
    real k = (EXPONENT_BIAS + 1) / 4 * round_(exponent_of(b) / (EXPONENT_BIAS + 1));
    real down = power_of_two(-k), quarter = (scalar)0.25 * down * b * down;
    real half_t = abs_(x) * ((scalar)0.5 * down), root = at_most(half_t, RANGE_ROOT / 4);
    real half_s = at_least(sqrt_(fma(root, root, at_least(quarter, SMALLEST_NORMAL))), half_t);
    real inverse = 1 / (half_s + half_t), left = quarter * inverse, half_left = (scalar)0.5 * left;
    real finite = at_most(half_t, LARGEST / 2);
    struct pair half = sum_of_ordered(at_least(finite, half_left), at_most(finite, half_left));
    real residual = fma(-left, half.rest, fma(-left, half.value, (scalar)0.5 * quarter));
    real slope = inverse * fma(-inverse, left, (scalar)1.9375);
    return (struct squareplus){left, residual * slope, half, power_of_two(k)};
}
/* Never below x, which takes its place where that is infinite or t has overflowed. */
INLINE real squareplus_forward(real x, real b)
{
    struct squareplus s = squareplus(x, b);
    mask left = lt(x, 0);
    real value = sel(left, s.left, 2 * s.half.value), rest = fma(2, sel(left, 0, s.half.rest), s.left_rest);
    return at_least((value + rest) * s.up, x);
}
/* squareplus'(-t) = L/(h + L), squareplus'(t) = 1 - squareplus'(-t); 1/2 at 0 for b = 0. */
INLINE real squareplus_grad(real dy, real x, real b)
{
    struct squareplus s = squareplus(x, b);
    struct pair half_left = {(scalar)0.5 * s.left, (scalar)0.5 * s.left_rest};
    struct pair half_s = sum_of_ordered(s.half.value, half_left.value);
    half_s.rest = half_s.rest + (s.half.rest + s.left_rest);
    struct pair left = quotient_of(half_left, half_s);
    real value = sel(eq(half_s.value, 0), (scalar)0.5, left.value + left.rest);
    return dy * sel(lt(x, 0), value, 1 - value);
}
/* y^2 / (y^2 + b/4), where a large y rounds to 1. */
INLINE real squareplus_grad_y(real dy, real y, real b)
{
    real bounded = clamp(y, RANGE_ROOT / 16);
    struct pair square = product_of(bounded, bounded), sum = sum_of(square.value, (scalar)0.25 * b);
    sum.rest = sum.rest + square.rest;
    struct pair quotient = quotient_of(square, sum);
    return dy * sel(eq(sum.value, 0), 0, quotient.value + quotient.rest);
}

INLINE real hard_tanh_forward(real x, real low, real high) { return sel(lt(x, low), low, sel(gt(x, high), high, x)); }
/* An infinite x is inside an infinite bound. */
INLINE mask hard_tanh_passes(real x, real low, real high)
{
    real finite = clamp(x, LARGEST);
    return both(not_le(finite, low), not_ge(finite, high));
}
INLINE real hard_tanh_grad(real dy, real x, real low, real high) { return sel(hard_tanh_passes(x, low, high), dy, 0); }
INLINE real hard_tanh_grad_y(real dy, real y, real low, real high) { return hard_tanh_grad(dy, y, low, high); }

INLINE real clipped_linear_forward(real x, real slope, real offset, real low, real high)
{
    return hard_tanh_forward(fma(slope, finite_for(slope, x), offset), low, high);
}
/* Whether slope x + offset is inside is told from slope x + (offset - bound), whose sign survives the rounding. */
INLINE real clipped_linear_grad(real dy, real x, real slope, real offset, real low, real high)
{
    real bounded = finite_for(slope, x);
    mask below = le(fma(slope, bounded, offset - low), 0), above = ge(fma(slope, bounded, offset - high), 0);
    return sel(below, 0, sel(above, 0, slope * dy));
}
INLINE real clipped_linear_grad_y(real dy, real y, real slope, real offset, real low, real high)
{
    (void)offset;
    return hard_tanh_grad(slope * dy, y, low, high);
}

INLINE real threshold_forward(real x, real threshold, real value) { return sel(le(x, threshold), value, x); }
INLINE real threshold_grad(real dy, real x, real threshold, real value)
{
    (void)value;
    return sel(le(x, threshold), 0, dy);
}

INLINE real thresholded_relu_forward(real x, real alpha) { return threshold_forward(x, alpha, real_(0)); }
INLINE real thresholded_relu_grad(real dy, real x, real alpha) { return threshold_grad(dy, x, alpha, real_(0)); }

/* general_relu: + 0 turns the -0 of a zero slope into 0. */
INLINE real general_relu_forward(real x, real slope, real high, real threshold)
{
    real left = slope * (finite_for(slope, x) - threshold) + 0;
    return sel(le(x, threshold), left, at_most(x, high));
}
INLINE real general_relu_grad(real dy, real x, real slope, real high, real threshold)
{
    return sel(le(x, threshold), sel(eq(slope, 0), 0, slope * dy), sel(ge(at_most(x, LARGEST), high), 0, dy));
}

INLINE real identity_forward(real x) { return x; }
INLINE real identity_grad(real dy, real x)
{
    (void)x;
    return dy;
}
INLINE real identity_grad_y(real dy, real y) { return identity_grad(dy, y); }

#endif
