/* The elementary functions behind the activations, over `real`: branch-free, correct to the last bits over the whole
   range, the same code for float and double.  Only the coefficients differ; minimax.py derives them and prints
   coefficients_*.h.

   double_word.h, polynomial.h, exp.h and logistic.h are the parts; the hyperbolic tangent and the normal tail are
   here. */
#ifndef NUMACT_MATH_ELEMENTARY_H
#define NUMACT_MATH_ELEMENTARY_H

#include "math/exp.h"
#include "math/logistic.h"

/* 1 - tanh t = 2/(e^2t + 1), 0 <= t <= ONE_LIMIT, for sums in which it is the smaller part.  With e^2t = 2^-n (1 +
   2q), q = r + r^2 P(r), it is 2^n / (2^n / 2 + 1/2 + q).  The low part of ln 2 is left out of r: the value is as
   small as its share is large. */
INLINE real one_minus_tanh(real t)
{
    real sum = fma(t, -2 * LOG2E, POWER_ROUNDER), power = power_of_sum(sum);
    real r = fma_in_double(sum - POWER_ROUNDER, HALF_LN2, t);
    return power / fma(r * r, polynomial(r, EXP_TWICE_P), add_scaled(power, (scalar)0.5, (scalar)0.5) + r);
}

/* tanh x: near 0 an odd polynomial; elsewhere 1 - (1 - tanh t), t = |x|, where what is subtracted is at most 1/2. */
INLINE real tanh_real(real x)
{
    real square = x * x;
    real near = fma(x * square, polynomial(square, TANH_P), x);
    real far = 1 - one_minus_tanh(abs_at_most(x, ONE_LIMIT));
    /* A NaN comes from near; near has its sign but for -0. */
    return copy_sign(select(gt(square, TANH_SMALL * TANH_SMALL), far, near), x);
}

/* Phi(-t) = 2^n (1 + q) (hi + lo), 0 <= t <= TAIL_FAR: e^(-t^2/2), by its exact argument, times a factor. */
struct normal_tail {
    struct exp_split e;
    struct dw factor;
};

/* e^(-t^2/2) */
INLINE struct exp_split exp_neg_half_square(real t)
{
    struct dw exponent = two_prod(t, (scalar)-0.5 * t);
    return exp_split(exponent.hi, exponent.lo);
}

INLINE struct normal_tail normal_tail(real t)
{
    return (struct normal_tail){exp_neg_half_square(t), unevaluated_sum(piecewise(t, TAIL_FACTOR))};
}

/* x/6, as good as the division. */
INLINE real divide_by_six(real x) { return fma(x, SIXTH, x * SIXTH_LOW); }

#endif
