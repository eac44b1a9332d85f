/* The exponential as e^x = 2^n (1 + q), |q| < 0.42.  Callers add q to what follows before they add the 1, so that a
   single rounding remains; 2^n is applied last, or kept apart in struct scaled where it may be below the smallest
   number. */
#ifndef NUMACT_MATH_EXP_H
#define NUMACT_MATH_EXP_H

#include "math/polynomial.h"

/* Rounded to an integer, ties to even, for |x| < 2^(MANTISSA - 2). */
INLINE real round_to_int(real x) { return (x + ROUNDER) - ROUNDER; }

/* x limited to [-limit, limit]; a NaN passes. */
INLINE real clamp(real x, scalar limit) { return at_least(at_most(x, limit), -limit); }

/* e^x = 2^n (1 + q + lo), n an integer, -0.3 < q < 0.42.
     power              2^n, where that is a normal number
     normal_power       2^n, or the smallest normal number where 2^n is below it
     one_plus_q         1 + q rounded once, by one instruction less than from q
     linear, quadratic  r and r^2 P(r), |quadratic| < 0.08; q is their sum, rounded
     q_error            linear + quadratic - q
     lo                 q_error and the rounding error of r */
struct exp_split {
    real n, power, normal_power, one_plus_q, q, q_error, lo, linear, quadratic;
};

/* e^(sign (x + lo)), sign 1 or -1 (a negation of x would be one more instruction), |x| <= 4 EXP_LIMIT.

   n = round(x / ln 2) by the addition of power_rounder, whose low bits then are n plus the exponent bias:
   POWER_ROUNDER gives the power 2^n, POWER_ROUNDER + k gives 2^(n + k).  r = x - n ln 2, |r| <= 0.35, with ln 2 as
   LN2 + LN2_LOW (Cody and Waite, "Software Manual for the Elementary Functions", 1980): x - n LN2 is exact.
   Then e^r = 1 + r + r^2 P(r), linear = r, quadratic = r^2 P(r); the error of P is in coefficients_*.h.

   `fast`: r by one instruction less, and with one rounding more where lo is not -0.  x - n LN2 is a multiple of 2^-26
   (float, n not 0) and n LN2_LOW one of 2^-49, so that a double holds their sum. */
INLINE struct exp_split exp_scaled(int sign, real x, real lo, real power_rounder, bool fast)
{
    real sum = fma(x, (scalar)sign * LOG2E, power_rounder), n = sum - power_rounder;
    real exact = fma_in_double(n, -(scalar)sign * LN2, x);
    real low = fma(n, -(scalar)sign * LN2_LOW, lo), r = exact + low;
    if (fast) r = fma_in_double(n, -(scalar)sign * LN2_LOW, exact) + lo;
    real square = r * r, p = sign < 0 ? polynomial_neg(r, EXP_P) : polynomial(r, EXP_P);
    real q = fma(square, p, sign < 0 ? -r : r);
    real r_error = (exact - r) + low;
    real q_error = fma_in_double(square, p, (sign < 0 ? -r : r) - q);
    real q_and_r_error = sign < 0 ? q_error - r_error : q_error + r_error;
    real one_plus_q = fma(r, fma(r, p, (scalar)sign), 1);
    real least = power_rounder + (1 - EXPONENT_BIAS);
    return (struct exp_split){
        .n = n,
        .power = power_of_sum(sum),
        .normal_power = power_of_sum(at_least(sum, least)),
        .one_plus_q = one_plus_q,
        .q = q,
        .q_error = q_error,
        .lo = q_and_r_error,
        .linear = sign < 0 ? -r : r,
        .quadratic = square * p,
    };
}

/* e^(x + lo) and e^-(x + lo) */
INLINE struct exp_split exp_split(real x, real lo) { return exp_scaled(1, x, lo, splat(POWER_ROUNDER), false); }
INLINE struct exp_split exp_neg(real x, real lo) { return exp_scaled(-1, x, lo, splat(POWER_ROUNDER), false); }

/* 2^(x (w + lo)) in the same form, without q_error and lo.  To the base 2, r = x w - n takes a single fma, without the
   error of a constant such as LN2. */
INLINE struct exp_split exp2_product(real x, real w, real lo)
{
    real sum = fma(x, w, POWER_ROUNDER), n = sum - POWER_ROUNDER;
    real r = fma(x, lo, fma_in_double(x, w, -n)), q = fma(r, LN2, r * polynomial(r, EXP2_P));
    real normal_power = power_of_sum(at_least(sum, POWER_ROUNDER + 1 - EXPONENT_BIAS));
    return (struct exp_split){
        .n = n,
        .power = power_of_sum(sum),
        .normal_power = normal_power,
        .one_plus_q = 1 + q,
        .q = q,
        .q_error = NO_LOW,
        .lo = NO_LOW,
        .linear = q,
        .quadratic = NO_LOW,
    };
}

/* e^x for |x| <= 2 EXP_LIMIT, subnormal results included. */
INLINE real exp_real(real x)
{
    struct exp_split e = exp_split(x, NO_LOW);
    return scale(e.one_plus_q, e.n);
}

/* e^x - 1 = (2^n - 1) + 2^n q for -ONE_LIMIT <= x <= EXP_LIMIT / 2.  2^n - 1 is exact but for large |n|, and 0 for
   n = 0, where q itself remains. */
INLINE struct dw expm1_from(struct exp_split e)
{
    real base = e.power - 1, value = add_scaled(e.power, e.q, base);
    return (struct dw){value, add_scaled(e.power, e.lo, add_scaled(e.power, e.q, base - value))};
}
INLINE struct dw expm1_dw(real x) { return expm1_from(exp_split(at_least(x, -ONE_LIMIT), NO_LOW)); }
INLINE real expm1_real(real x) { return expm1_dw(x).hi; }

/* 2^n factor, the power kept apart: the product may be below the smallest number. */
struct scaled {
    struct dw factor;
    real n;
};

INLINE struct scaled select_scaled(mask condition, struct scaled a, struct scaled b)
{
    return (struct scaled){select_dw(condition, a.factor, b.factor), select(condition, a.n, b.n)};
}

/* (1 + q) (hi + lo), and with the power 2^n (1 + q) (hi + lo) */
INLINE struct dw exp_mul_dw(struct exp_split e, struct dw factor)
{
    return fast_two_sum(factor.hi, fma(e.q, factor.hi, fma(e.q, factor.lo, factor.lo)));
}
INLINE struct scaled exp_mul(struct exp_split e, struct dw factor)
{
    return (struct scaled){exp_mul_dw(e, factor), e.n};
}

/* e^x rounded; where 2^n is below the smallest normal number, that stands for it. */
INLINE real exp_value(struct exp_split e) { return fma_in_double(e.normal_power, e.q, e.normal_power); }

/* 2^n (1 + q) t (hi + lo), rounded to a number.  _exact takes linear and quadratic instead of the rounded q, where half
   an ulp of q would be too much. */
INLINE real exp_mul_scaled(real t, struct exp_split e, struct dw factor)
{
    real more = fma(e.q, factor.hi, fma(e.q, factor.lo, factor.lo));
    return scale(fma(t, factor.hi, t * more), e.n);
}
INLINE real exp_mul_scaled_exact(real t, struct exp_split e, struct dw factor)
{
    real more = fma(e.linear, factor.hi, fma(e.quadratic, factor.hi, fma(e.q, factor.lo, factor.lo)));
    return scale(fma(t, factor.hi, t * more), e.n);
}

/* A factor of 1 + q that also carries the rounding error of q: (1 + q) factor + q_error hi. */
INLINE struct dw include_q_error(struct exp_split e, struct dw factor)
{
    return (struct dw){factor.hi, fma(factor.hi, e.q_error, factor.lo)};
}

#endif
