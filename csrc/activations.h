/* THE file: the list of all activations, then each of them as mathematics.

   To add one: a row here, NAME_forward and NAME_grad below (NAME_grad_y too if the row says FROM_OUTPUT), and its
   reference in tests/reference.py.  Ufuncs, documentation, stubs, tests and benchmarks follow from the row.

   name, number of parameters, "parameters with defaults", "allowed parameters",
   FROM_OUTPUT: the derivative is also a function of the output; else FROM_INPUT,
   KINK: the derivative jumps at x = 0, where at_zero= chooses its value; else SMOOTH,
   OVERFLOWS: a finite input may overflow, which is reported; else BOUNDED,
   bounds of the error in ULP: forward, gradient,
   "formula", "derivative",
   "range", "kinks": where the derivative jumps, "other names", "notes".  Names that differ from the row's by case and
   underscores alone, such as PyTorch's, are found without being listed. */
#ifndef NUMACT_ACTIVATIONS_H
#define NUMACT_ACTIVATIONS_H

#include "elementary.h"

#define ACTIVATIONS(ROW)                                                                                               \
    ROW(relu, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, 0.5, 0.5,                                                         \
        "max(x, 0)", "1 if x > 0 else 0",                                                                              \
        "[0, inf)", "0", "", "")                                                                                       \
    ROW(relu6, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, 0.5, 0.5,                                                        \
        "min(max(x, 0), 6)", "1 if 0 < x < 6 else 0",                                                                  \
        "[0, 6]", "0, 6", "", "")                                                                                      \
    ROW(relu_squared, 0, "", "", FROM_OUTPUT, SMOOTH, OVERFLOWS, 0.5, 0.5,                                             \
        "max(x, 0)^2", "2 max(x, 0)",                                                                                  \
        "[0, inf)", "", "squared_relu", "So et al., Primer, 2021.")                                                    \
    ROW(leaky_relu, 1, "negative_slope=0.01", "y: negative_slope >= 0", FROM_OUTPUT, KINK, BOUNDED, 0.5, 0.5,          \
        "x if x > 0 else negative_slope x", "1 if x > 0 else negative_slope",                                          \
        "(-inf, inf)", "0", "",                                                                                        \
        "PyTorch and JAX default to the slope 0.01, Keras to 0.2 or 0.3.  An array as slope makes it a PReLU.")        \
    ROW(elu, 1, "alpha=1.0", "y: alpha >= 0", FROM_OUTPUT, KINK, BOUNDED, 1.5, 2.0,                                    \
        "x if x > 0 else alpha (e^x - 1)", "1 if x > 0 else alpha e^x",                                                \
        "(-alpha, inf)", "0", "", "Clevert et al., 2016.")                                                             \
    ROW(sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, 2.0, 2.0,                                                    \
        "1 / (1 + e^-x)", "sigmoid(x) sigmoid(-x)",                                                                    \
        "(0, 1)", "", "logistic, expit", "")                                                                           \
    ROW(tanh, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, 1.5, 2.0,                                                       \
        "tanh x", "1 / cosh^2 x",                                                                                      \
        "(-1, 1)", "", "", "")                                                                                         \
    ROW(softplus, 1, "beta=1.0", "beta > 0", FROM_OUTPUT, SMOOTH, BOUNDED, 1.5, 2.0,                                   \
        "log(1 + e^(beta x)) / beta", "sigmoid(beta x)",                                                               \
        "(0, inf)", "", "", "Exact everywhere: there is no threshold beyond which it turns linear, as PyTorch has.")   \
    ROW(silu, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, 2.0, 2.0,                                                        \
        "x sigmoid(x)", "sigmoid(x) (1 + x sigmoid(-x))",                                                              \
        "[-0.2785, inf)", "", "", "Elfwing et al., 2018.  Also called swish.")                                         \
    ROW(gelu, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, 1.5, 2.0,                                                        \
        "x Phi(x)", "Phi(x) + x phi(x)",                                                                               \
        "[-0.1700, inf)", "", "gelu_exact",                                                                            \
        "Hendrycks and Gimpel, 2016.  The exact form, as PyTorch's default; JAX defaults to the approximation by tanh.")\
    ROW(hard_swish, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, 1.5, 2.0,                                                  \
        "x min(max(x + 3, 0), 6) / 6", "0 if x <= -3, 1 if x >= 3, else (2x + 3) / 6",                                 \
        "[-0.375, inf)", "-3, 3", "hard_silu", "Howard et al., 2019.")                                                 \
    ROW(hard_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, 1.0, 1.0,                                               \
        "min(max(x + 3, 0), 6) / 6", "1/6 if -3 < x < 3 else 0",                                                       \
        "[0, 1]", "-3, 3", "", "PyTorch's and Keras 3's; Keras 2, Thinc and ONNX's default have the slope 0.2.")       \
    ROW(selu, 0, "", "", FROM_OUTPUT, KINK, BOUNDED, 1.5, 2.0,                                                         \
        "lambda x if x > 0 else lambda alpha (e^x - 1)", "lambda if x > 0 else lambda alpha e^x",                      \
        "(-1.7581, inf)", "0", "", "Klambauer et al., 2017: alpha = 1.67326324..., lambda = 1.05070098...")            \
    ROW(log_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, 1.5, 2.0,                                                \
        "log sigmoid(x)", "sigmoid(-x)",                                                                               \
        "(-inf, 0)", "", "", "")                                                                                       \
    ROW(exponential, 0, "", "", FROM_OUTPUT, SMOOTH, OVERFLOWS, 1.5, 2.0,                                              \
        "e^x", "e^x",                                                                                                  \
        "(0, inf)", "", "exp", "")                                                                                     \
    ROW(sparse_plus, 0, "", "", FROM_INPUT, SMOOTH, BOUNDED, 1.0, 0.5,                                                 \
        "0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4", "0 if x <= -1, 1 if x >= 1, else (x + 1) / 2",                \
        "[0, inf)", "", "", "As in JAX.")                                                                              \
    ROW(sparse_sigmoid, 0, "", "", FROM_OUTPUT, SMOOTH, BOUNDED, 0.5, 0.5,                                             \
        "min(max(x + 1, 0), 2) / 2", "1/2 if -1 < x < 1 else 0",                                                       \
        "[0, 1]", "-1, 1", "", "As in JAX.")                                                                           \
    ROW(hard_shrink, 1, "lambd=0.5", "lambd >= 0", FROM_INPUT, SMOOTH, BOUNDED, 0.5, 0.5,                              \
        "x if |x| > lambd else 0", "1 if |x| > lambd else 0",                                                          \
        "(-inf, inf)", "-lambd, lambd", "", "A NaN is kept.")                                                          \
    ROW(soft_shrink, 1, "lambd=0.5", "lambd >= 0", FROM_OUTPUT, SMOOTH, BOUNDED, 0.5, 0.5,                             \
        "x - lambd sign(x) if |x| > lambd else 0", "1 if |x| > lambd else 0",                                          \
        "(-inf, inf)", "-lambd, lambd", "", "A NaN is kept.")

/* relu: a NaN fails x <= 0 and passes, as does the dy that belongs to it. */
INLINE real relu_forward(real x) { return sel(le(x, 0), 0, x); }
INLINE real relu_grad(real dy, real x) { return sel(le(x, 0), 0, dy); }
INLINE real relu_grad_y(real dy, real y) { return relu_grad(dy, y); }

INLINE real relu6_forward(real x) { return sel(le(x, 0), 0, at_most(x, 6)); }
INLINE real relu6_grad(real dy, real x) { return sel(le(x, 0), 0, sel(ge(x, 6), 0, dy)); }
INLINE real relu6_grad_y(real dy, real y) { return relu6_grad(dy, y); }

/* relu_squared: a large negative x is kept out of the products, which the compiler may compute before it selects and
   whose overflow would be reported.  dy x is taken before it is doubled, since 2x may overflow where 2 x dy does not. */
INLINE real relu_squared_forward(real x) { return sel(le(x, 0), 0, x * at_least(x, (scalar)-0.25)); }
INLINE real relu_squared_grad(real dy, real x) { return sel(le(x, 0), 0, 2 * (dy * at_least(x, (scalar)-0.25))); }
INLINE real relu_squared_grad_y(real dy, real y) { return sel(le(y, 0), 0, 2 * (dy * sqrt_(y))); }

INLINE real leaky_relu_forward(real x, real slope) { return sel(gt(x, 0), x, slope * x); }
INLINE real leaky_relu_grad(real dy, real x, real slope) { return sel(gt(x, 0), dy, slope * dy); }
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
   relative accuracy. */
INLINE real softplus_forward(real x, real beta)
{
    struct pair z = beta_times(beta, x);
    struct pair log = log1p_exp(abs_(z.value), sel(lt(x, 0), -z.rest, z.rest));
    real inverse = 1 / beta, quotient = log.value * inverse;
    real quotient_rest = (fma(-quotient, beta, log.value) + log.rest) * inverse;
    struct pair sum = sum_of(sel(le(x, 0), 0, x), quotient);
    return sum.value + sel(lt(sum.value, EXP_LIMIT), sum.rest + quotient_rest, 0); /* at infinity the rest is a NaN */
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

/* silu'(-t) = e^-t u (1 - t u), u = sigmoid(t), for 0 <= t <= EXP_FAR. */
INLINE struct scaled silu_slope_left(real t)
{
    struct sigmoids s = sigmoids(t);
    struct pair product = product_of(t, s.u);
    struct pair bracket = sum_of_ordered(real_(1), -product.value);
    bracket.rest = bracket.rest - fma(product.value, s.rho, product.rest);
    struct pair factor = product_of(s.u, bracket.value);
    factor.rest = fma(factor.value, s.rho, fma(s.u, bracket.rest, factor.rest));
    struct scaled slope = {times_exponential(s.e, factor), s.e.n};
    struct scaled near_root = {around_root(-t, SILU_ROOT, SILU_ROOT_P), real_(0)};
    return sel_scaled(le(abs_(-t - SILU_ROOT), SILU_ROOT_RADIUS), near_root, slope);
}
/* silu'(t) = 1 - silu'(-t) */
INLINE real silu_grad(real dy, real x)
{
    struct scaled slope = silu_slope_left(at_most(abs_(x), EXP_LIMIT));
    real left = scale(slope.factor.value, slope.n);
    return dy * sel(lt(x, 0), left, 1 - left);
}

/* gelu(-t) = -t Phi(-t), gelu(t) = t - t Phi(-t). */
INLINE real gelu_forward(real x)
{
    real t = at_most(abs_(x), TAIL_LIMIT);
    struct normal_tail tail = normal_tail(t);
    struct pair factor = times_exponential(tail.e, tail.factor);
    real left = scale(fma(t, factor.value, t * factor.rest), tail.e.n);
    return sel(lt(x, 0), -left, x - left);
}

/* gelu'(-t) = Phi(-t) - t phi(t) = e^(-t^2/2) (Phi(-t) e^(t^2/2) - t / sqrt(2 pi)), for 0 <= t <= TAIL_FAR. */
INLINE struct scaled gelu_slope_left(real t)
{
    struct normal_tail tail = normal_tail(t);
    struct pair density = product_of(t, real_(DENSITY));
    density.rest = fma(t, DENSITY_LOW, density.rest);
    struct pair factor = sum_of(tail.factor.value, -density.value);
    factor.rest = factor.rest + (tail.factor.rest - density.rest);
    struct scaled slope = {times_exponential(tail.e, factor), tail.e.n};
    struct scaled near_root = {around_root(-t, GELU_ROOT, GELU_ROOT_P), real_(0)};
    return sel_scaled(le(abs_(-t - GELU_ROOT), GELU_ROOT_RADIUS), near_root, slope);
}
/* gelu'(t) = 1 - gelu'(-t) */
INLINE real gelu_grad(real dy, real x)
{
    struct scaled slope = gelu_slope_left(at_most(abs_(x), TAIL_LIMIT));
    real left = scale(slope.factor.value, slope.n);
    return dy * sel(lt(x, 0), left, 1 - left);
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
    return sel(le(x, -3), 0, sel(ge(x, 3), dy, dy * sixth_of(fma(2, x, 3))));
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
    real left = fma(SELU_LEFT, exp_(clamp(x, EXP_LIMIT)), SELU_LEFT_LOW * exp_(clamp(x, EXP_LIMIT)));
    return sel(gt(x, 0), fma(dy, SELU_RIGHT, dy * SELU_RIGHT_LOW), dy * left);
}
INLINE real selu_grad_y(real dy, real y)
{
    return sel(gt(y, 0), fma(dy, SELU_RIGHT, dy * SELU_RIGHT_LOW), dy * ((y + SELU_LEFT) + SELU_LEFT_LOW));
}

/* log sigmoid(x) = min(x, 0) - log(1 + e^-|x|) */
INLINE real log_sigmoid_forward(real x)
{
    struct pair log = log1p_exp(at_most(abs_(x), EXP_LIMIT), NO_REST);
    return sel(lt(x, 0), (x - log.value) - log.rest, -log.value);
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

#endif
