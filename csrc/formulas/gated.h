/* The gated functions: the list, then each as mathematics.

   To add one: a row here, its functions below, and its gate in numact/commands/verify/checks.py.  A row is the name,
   LATENCY_BOUND or THROUGHPUT_BOUND, PLAIN or EXTREMES, and fields as in activations.h; .derivative has a line for each
   argument.

   A PLAIN function has NAME_forward and NAME_grad.  One with EXTREMES has NAME_ordinary and NAME_grad_ordinary, which
   say where NAME_forward and NAME_grad hold, and NAME_extreme and NAME_grad_extreme for all other lanes. */
#ifndef NUMACT_FORMULAS_GATED_H
#define NUMACT_FORMULAS_GATED_H

#include "formulas/activations.h"

#define GATED(ROW)                                                                                                     \
    ROW(glu, LATENCY_BOUND, EXTREMES,                                                                                  \
        .arguments = "value, gate", .ulp = 2.0, .ulp_gradient = 1.5,                                                   \
        .formula = "value sigmoid(gate)",                                                                              \
        .derivative = "sigmoid(gate)\nvalue sigmoid'(gate)",                                                           \
        .range = "(-inf, inf)",                                                                                        \
        .notes = "Dauphin et al., 2017.  PyTorch's F.glu takes one array that holds both halves: that is `glu_split`.")\
    ROW(swiglu, LATENCY_BOUND, EXTREMES,                                                                               \
        .arguments = "gate, up", .ulp = 1.5, .ulp_gradient = 2.0,                                                      \
        .formula = "silu(gate) up",                                                                                    \
        .derivative = "silu'(gate) up\nsilu(gate)",                                                                    \
        .range = "(-inf, inf)",                                                                                        \
        .notes = "Shazeer, 2020.")                                                                                     \
    ROW(geglu, LATENCY_BOUND, EXTREMES,                                                                                \
        .arguments = "gate, up", .ulp = 1.5, .ulp_gradient = 2.0,                                                      \
        .formula = "gelu(gate) up",                                                                                    \
        .derivative = "gelu'(gate) up\ngelu(gate)",                                                                    \
        .range = "(-inf, inf)",                                                                                        \
        .notes = "Shazeer, 2020.  With the exact gelu.")                                                               \
    ROW(geglu_tanh, LATENCY_BOUND, EXTREMES,                                                                           \
        .arguments = "gate, up", .ulp = 1.5, .ulp_gradient = 2.0,                                                      \
        .formula = "gelu_tanh(gate) up",                                                                               \
        .derivative = "gelu_tanh'(gate) up\ngelu_tanh(gate)",                                                          \
        .range = "(-inf, inf)",                                                                                        \
        .notes = "Shazeer, 2020.  With the approximation of gelu by tanh.")                                            \
    ROW(reglu, THROUGHPUT_BOUND, PLAIN,                                                                                \
        .arguments = "gate, up", .ulp = 0.5, .ulp_gradient = 0.5,                                                      \
        .formula = "relu(gate) up",                                                                                    \
        .derivative = "up if gate > 0 else 0\nrelu(gate)",                                                             \
        .range = "(-inf, inf)", .kinks = "0",                                                                          \
        .notes = "Shazeer, 2020.  Where gate <= 0 the result is 0 whatever up is.")

/* dy times the derivatives by the first and by the second argument. */
struct gradients {
    real first, second;
};

/* Products of the activation of the gate and of one or two numbers.  Where nothing underflows or overflows on the way,
   which is nearly everywhere, they are computed as they stand: NAME_forward, NAME_grad.  Elsewhere the powers of two are
   taken apart: NAME_extreme.  Each lane goes its own way, so that its bits do not depend on its neighbours, but the second
   way is computed only for vectors that need it.

   Ordinary are gates above -GATE_*, whose activation divided by the gate is a normal number, as is its derivative, and
   products of two numbers between 1 / PRODUCT_RANGE and PRODUCT_RANGE, whose rounding error is a normal number, too. */
#if REAL_BITS == 32
enum { GATE_LOGISTIC = 80, GATE_NORMAL = 12, GATE_TANH = 9 };
#define PRODUCT_RANGE 0x1p40F
#else
enum { GATE_LOGISTIC = 700, GATE_NORMAL = 37, GATE_TANH = 20 };
#define PRODUCT_RANGE 0x1p500
#endif

/* Whether the product of two numbers is far from the limits of the range, or 0. */
INLINE mask product_is_ordinary(real a, real b)
{
    real size = absolute(a * b);
    mask zero = either(eq(a, 0), eq(b, 0));
    return either(both(gt(size, 1 / PRODUCT_RANGE), lt(size, PRODUCT_RANGE)), zero);
}

/* A product of up to two numbers of any size and a factor of the gate, such as sigmoid(gate), which may be far below
   the smallest number: sigmoid(-100) 1e30 has a full mantissa.  The powers of two are taken out of all of them and
   applied last.  The significands of the numbers are in [1, 2), their product in [1, 4), and the factor between
   2^-MANTISSA / 100 (next to the root of a derivative) and 4 EXP_FAR: nothing overflows or underflows before scale(),
   which rounds once. */

/* a b + lo.  Where a b is zero, infinite or NaN, that is the result, whatever lo, which may be a NaN. */
INLINE real product_plus(real a, real b, real lo)
{
    real product = a * b;
    return select(lt(absolute(lo), absolute(product)), fma(a, b, lo), product);
}

/* 2^n (a b + lo) */
INLINE real scaled_product(real a, real b, real lo, real n)
{
    return scale(product_plus(a, b, lo), clamp(n, 2 * EXPONENT_BIAS - 2));
}

/* a f */
INLINE real times(real a, struct scaled f)
{
    real n = exponent_of(a), fraction = scale(a, -n);
    return scaled_product(fraction, f.factor.hi, fraction * f.factor.lo, n + f.n);
}

/* a b f */
INLINE real times_both(real a, real b, struct scaled f)
{
    real a_n = exponent_of(a), b_n = exponent_of(b);
    struct dw ab = two_prod(scale(a, -a_n), scale(b, -b_n));
    real lo = fma(ab.hi, f.factor.lo, ab.lo * f.factor.hi);
    return scaled_product(ab.hi, f.factor.hi, lo, a_n + b_n + f.n);
}

/* The same, with the same bits, for products that are ordinary. */
INLINE real times_ordinary(real a, struct scaled f)
{
    return scale(product_plus(a, f.factor.hi, a * f.factor.lo), f.n);
}
INLINE real times_both_ordinary(real a, real b, struct scaled f)
{
    struct dw ab = two_prod(a, b);
    return scale(product_plus(ab.hi, f.factor.hi, fma(ab.hi, f.factor.lo, ab.lo * f.factor.hi)), f.n);
}

/* x, or a zero of its sign where the condition holds: at an infinite gate a factor is not small, but 0. */
INLINE struct scaled zero_where(mask condition, struct scaled x)
{
    real one = select(condition, 0, 1);
    return (struct scaled){{x.factor.hi * one, x.factor.lo * one}, x.n};
}

/* The reflection of reflect() as a double-word: f(x) from left = f(-|x|), for an f with f(x) = 1 - f(-x), 0 at
   -infinity. */
INLINE struct scaled reflect_scaled(real x, struct scaled left)
{
    real power = power_of_two(at_least(left.n, 1 - EXPONENT_BIAS));
    struct dw right = fast_two_sum(splat(1), -(power * left.factor.hi));
    right.lo = right.lo - power * left.factor.lo;
    left = zero_where(lt(x, -LARGEST), left);
    return select_scaled(lt(x, 0), left, (struct scaled){right, splat(0)});
}

INLINE struct scaled sigmoid_factor(real x)
{
    struct sigmoids s = sigmoids(at_most(absolute(x), EXP_FAR), NO_LOW);
    return reflect_scaled(x, (struct scaled){sigmoid_neg(s), s.e.n});
}
INLINE struct scaled sigmoid_derivative(real x)
{
    return zero_where(gt(absolute(x), LARGEST), logistic_density_scaled(at_most(absolute(x), EXP_FAR)));
}

INLINE struct scaled silu_derivative(real x)
{
    return reflect_scaled(x, silu_derivative_neg(at_most(absolute(x), EXP_FAR)));
}

/* gelu(x) / x = Phi(x) */
INLINE struct scaled normal_factor(real x)
{
    struct normal_tail tail = normal_tail(at_most(absolute(x), TAIL_FAR));
    return reflect_scaled(x, exp_mul(tail.e, tail.factor));
}

INLINE struct scaled gelu_derivative(real x)
{
    return reflect_scaled(x, gelu_derivative_neg(at_most(absolute(x), TAIL_FAR)));
}

/* gelu_tanh(x) / x = sigmoid(z) */
INLINE struct scaled gelu_tanh_factor(real x)
{
    real t = at_most(absolute(x), GELU_TANH_FAR);
    struct sigmoids s = sigmoids_from(gelu_tanh_exp(t), NO_LOW);
    return reflect_scaled(x, (struct scaled){sigmoid_neg(s), s.e.n});
}
INLINE struct scaled gelu_tanh_derivative(real x)
{
    return reflect_scaled(x, gelu_tanh_derivative_neg(at_most(absolute(x), GELU_TANH_FAR)));
}

/* glu: extremes are value / (1 + e^-gate), one quotient, faster than a product with the factor; 0 at gate = -infinity. */
INLINE mask glu_ordinary(real value, real gate)
{
    return both(product_is_ordinary(value, splat(1)), lt(absolute(gate), GATE_LOGISTIC));
}
INLINE real glu_forward(real value, real gate)
{
    struct reciprocal r = logistic_reciprocal(gate, NO_LOW);
    return scale(value / r.denominator, r.n);
}
INLINE real glu_extreme(real value, real gate)
{
    struct reciprocal r = logistic_reciprocal(clamp(gate, EXP_FAR), NO_LOW);
    real n = exponent_of(value), numerator = scale(value, -n) * select(lt(gate, -LARGEST), 0, 1);
    return scale(numerator / r.denominator, clamp(n + r.n, 2 * EXPONENT_BIAS - 2));
}
INLINE mask glu_grad_ordinary(real dy, real value, real gate)
{
    return both(product_is_ordinary(dy, value), glu_ordinary(dy, gate));
}
INLINE struct gradients glu_grad(real dy, real value, real gate)
{
    return (struct gradients){times_ordinary(dy, sigmoid_factor(gate)),
                              times_both_ordinary(dy, value, sigmoid_derivative(gate))};
}
INLINE struct gradients glu_grad_extreme(real dy, real value, real gate)
{
    return (struct gradients){times(dy, sigmoid_factor(gate)), times_both(dy, value, sigmoid_derivative(gate))};
}

/* swiglu and geglu: f(gate) up.  The extremes have f(x) = x factor(x), where the gate is limited from below, so that f
   is 0 at -infinity, where the factor is 0. */
INLINE real gated_extreme(real gate, real up, struct scaled factor)
{
    return times_both(at_least(gate, -EXP_FAR), up, factor);
}
INLINE struct gradients gated_grad_extreme(real dy, real gate, real up, struct scaled factor, struct scaled derivative)
{
    return (struct gradients){times_both(dy, up, derivative), gated_extreme(gate, dy, factor)};
}

INLINE mask swiglu_ordinary(real gate, real up)
{
    return both(product_is_ordinary(gate, up), lt(absolute(gate), GATE_LOGISTIC));
}
INLINE real swiglu_forward(real gate, real up) { return logistic_dw(two_prod(gate, up), gate); }
INLINE real swiglu_extreme(real gate, real up) { return gated_extreme(gate, up, sigmoid_factor(gate)); }
INLINE mask swiglu_grad_ordinary(real dy, real gate, real up)
{
    return both(product_is_ordinary(dy, up), swiglu_ordinary(gate, dy));
}
INLINE struct gradients swiglu_grad(real dy, real gate, real up)
{
    return (struct gradients){times_both_ordinary(dy, up, silu_derivative(gate)), swiglu_forward(gate, dy)};
}
INLINE struct gradients swiglu_grad_extreme(real dy, real gate, real up)
{
    return gated_grad_extreme(dy, gate, up, sigmoid_factor(gate), silu_derivative(gate));
}

INLINE mask geglu_ordinary(real gate, real up)
{
    return both(product_is_ordinary(gate, up), gt(gate, -GATE_NORMAL));
}
INLINE real geglu_forward(real gate, real up) { return times_both_ordinary(gate, up, normal_factor(gate)); }
INLINE real geglu_extreme(real gate, real up) { return gated_extreme(gate, up, normal_factor(gate)); }
INLINE mask geglu_grad_ordinary(real dy, real gate, real up)
{
    return both(product_is_ordinary(dy, up), geglu_ordinary(gate, dy));
}
INLINE struct gradients geglu_grad(real dy, real gate, real up)
{
    return (struct gradients){times_both_ordinary(dy, up, gelu_derivative(gate)), geglu_forward(gate, dy)};
}
INLINE struct gradients geglu_grad_extreme(real dy, real gate, real up)
{
    return gated_grad_extreme(dy, gate, up, normal_factor(gate), gelu_derivative(gate));
}

INLINE mask geglu_tanh_ordinary(real gate, real up)
{
    return both(product_is_ordinary(gate, up), gt(gate, -GATE_TANH));
}
INLINE real geglu_tanh_forward(real gate, real up) { return times_both_ordinary(gate, up, gelu_tanh_factor(gate)); }
INLINE real geglu_tanh_extreme(real gate, real up) { return gated_extreme(gate, up, gelu_tanh_factor(gate)); }
INLINE mask geglu_tanh_grad_ordinary(real dy, real gate, real up)
{
    return both(product_is_ordinary(dy, up), geglu_tanh_ordinary(gate, dy));
}
INLINE struct gradients geglu_tanh_grad(real dy, real gate, real up)
{
    return (struct gradients){times_both_ordinary(dy, up, gelu_tanh_derivative(gate)), geglu_tanh_forward(gate, dy)};
}
INLINE struct gradients geglu_tanh_grad_extreme(real dy, real gate, real up)
{
    return gated_grad_extreme(dy, gate, up, gelu_tanh_factor(gate), gelu_tanh_derivative(gate));
}

/* reglu: relu_grad(z, gate) is z where gate > 0, else 0. */
INLINE real reglu_forward(real gate, real up) { return relu_grad(gate * up, gate); }
INLINE struct gradients reglu_grad(real dy, real gate, real up)
{
    return (struct gradients){relu_grad(dy * up, gate), reglu_forward(gate, dy)};
}

#endif
