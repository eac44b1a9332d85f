/* The elementary functions behind the activations, over `real`: without branches, with errors of an ulp or two over the
   whole range, the same code for float and double.  This folder holds

     double_word.h        sums, products and quotients with their rounding errors
     polynomial.h         Horner's rule and piecewise polynomials
     exp.h                the exponential as 2^n (1 + q)
     logistic.h           the logistic function, its derivative, log(1 + e^-t)
     elementary.h         the hyperbolic tangent and the tail of the normal distribution; includes all of the above
     coefficients_*.h     constants and coefficients, printed by minimax.py: change that, not these */
#ifndef NUMACT_MATH_ELEMENTARY_H
#define NUMACT_MATH_ELEMENTARY_H

#include "math/exp.h"
#include "math/logistic.h"

/* 1 - tanh t = 2/(e^2t + 1), 0 <= t <= ONE_LIMIT, for sums in which it is the smaller part.  With e^2t = 2^-n (1 + 2q),
   q = r + r^2 P(r), it is 2^n / (2^n / 2 + 1/2 + q).  The low part of ln 2 is left out of r: its effect grows with |n|
   as the value falls by 2^n. */
INLINE real one_minus_tanh(real t)
{
    real sum = fma(t, -2 * LOG2E, POWER_ROUNDER), power = power_of_sum(sum);
    real r = fma_in_double(sum - POWER_ROUNDER, HALF_LN2, t);
    return power / fma(r * r, polynomial(r, EXP_TWICE_P), add_scaled(power, (scalar)0.5, (scalar)0.5) + r);
}

/* tanh x: an odd polynomial for |x| <= TANH_SMALL; beyond, 1 - (1 - tanh t), t = |x|, where the subtrahend is at most
   1/2. */
INLINE real tanh_real(real x)
{
    real square = x * x;
    real near = fma(x * square, polynomial(square, TANH_P), x);
    real far = 1 - one_minus_tanh(abs_at_most(x, ONE_LIMIT));
    /* A NaN passes through near.  copy_sign also restores -0. */
    return copy_sign(select(gt(square, TANH_SMALL * TANH_SMALL), far, near), x);
}

/* The lower tail of the normal distribution, Phi(-t) for 0 <= t <= TAIL_FAR: e^(-t^2/2), its argument a double-word
   without error, times Phi(-t) e^(t^2/2), Mills' ratio over sqrt(2 pi), as a piecewise polynomial. */
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

/* The segments of float64 are wide: near 0 the sum differs from f(c[0]) by a third, and is normalized. */
INLINE struct normal_tail normal_tail(real t)
{
    struct piecewise f = piecewise(t, TAIL_FACTOR);
    return (struct normal_tail){exp_neg_half_square(t), REAL_BITS == 64 ? normalized_sum(f) : unevaluated_sum(f)};
}

/* x/6 with the error of the division: the product with 1/6 as a double-word. */
INLINE real divide_by_six(real x) { return fma(x, SIXTH, x * SIXTH_LOW); }

#endif
