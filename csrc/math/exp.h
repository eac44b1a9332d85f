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

/* x + lo = sign n ln 2 + r, |r| <= 0.35; sign is 1, or -1 for e^-(x + lo), where a negation of x would be one more
   instruction.  n = round(sign x / ln 2) by the addition of power_rounder, whose low bits then are n plus the exponent
   bias: POWER_ROUNDER gives the power 2^n, POWER_ROUNDER + k gives 2^(n + k).  ln 2 is LN2 + LN2_LOW (Cody and Waite,
   "Software Manual for the Elementary Functions", 1980): exact = x - sign n LN2 is exact, low = lo - sign n LN2_LOW is
   rounded, and r is their rounded sum. */
struct reduced {
    real sum, n, exact, low, r;
};

INLINE struct reduced reduce(int sign, real x, real lo, real power_rounder)
{
    real sum = fma(x, (scalar)sign * LOG2E, power_rounder), n = sum - power_rounder;
    real exact = fma_in_double(n, -(scalar)sign * LN2, x);
    real low = fma(n, -(scalar)sign * LN2_LOW, lo);
    return (struct reduced){sum, n, exact, low, exact + low};
}

/* e^(sign (x + lo)), sign 1 or -1, |x| <= 4 EXP_LIMIT: e^r = 1 + r + r^2 P(r), linear = r, quadratic = r^2 P(r); the
   error of P is in coefficients_*.h. */
INLINE struct exp_split exp_signed(int sign, real x, real lo)
{
    struct reduced by = reduce(sign, x, lo, splat(POWER_ROUNDER));
    real r = by.r, square = r * r, p = sign < 0 ? polynomial_neg(r, EXP_P) : polynomial(r, EXP_P);
    real q = fma(square, p, sign < 0 ? -r : r);
    real r_error = (by.exact - r) + by.low;
    real q_error = fma_in_double(square, p, (sign < 0 ? -r : r) - q);
    real q_and_r_error = sign < 0 ? q_error - r_error : q_error + r_error;
    real one_plus_q = fma(r, fma(r, p, (scalar)sign), 1);
    return (struct exp_split){
        .n = by.n,
        .power = power_of_sum(by.sum),
        .normal_power = power_of_sum(at_least(by.sum, POWER_ROUNDER + 1 - EXPONENT_BIAS)),
        .one_plus_q = one_plus_q,
        .q = q,
        .q_error = q_error,
        .lo = q_and_r_error,
        .linear = sign < 0 ? -r : r,
        .quadratic = square * p,
    };
}

/* e^(x + lo) and e^-(x + lo) */
INLINE struct exp_split exp_split(real x, real lo) { return exp_signed(1, x, lo); }
INLINE struct exp_split exp_neg(real x, real lo) { return exp_signed(-1, x, lo); }

/* e^(x + lo) times the power of two that power_rounder stands for (see struct reduced), as a double-word, where the
   result is a normal number or 0.

   e^r - 1 is exact + curve, curve = low + r^2 P(r): so r enters unrounded where it counts, and in r^2 P(r) its
   rounding is weakened by |r|.  exact - (value / power - 1) is exact, since value / power is the rounded
   1 + exact + curve.  Of all floats from -60 to 87 the upper part errs by at most 1.261 2^-24 of the result (0.71 of it
   by its own rounding and 0.35 by that of exact + curve, at |r| = 0.35), both parts by 0.303 2^-24.  An entry of a
   softmax has the first error and the sum of its row the second one: in pairs of the worst of both, of opposite signs,
   1.96 ULP were found. */
INLINE struct dw exp_dw(real x, real lo, real power_rounder)
{
    struct reduced by = reduce(1, x, lo, power_rounder);
    real power = power_of_sum(by.sum), curve = fma(by.r * by.r, polynomial(by.r, EXP_P), by.low);
    real value = fma_in_double(power, by.exact + curve, power);
    real rest = add_scaled(power, by.exact, power - value);
    return (struct dw){value, add_scaled(power, curve, rest)};
}

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
