/* The logistic function sigmoid(x) = 1 / (1 + e^-x), its derivative, and log(1 + e^-t).

   A name with _neg is the function of a negative argument by its absolute value t; one with _dw takes t + lo. */
#ifndef NUMACT_MATH_LOGISTIC_H
#define NUMACT_MATH_LOGISTIC_H

#include "math/exp.h"

/* 2^n / denominator, the power kept apart: the quotient may be below the smallest number. */
struct reciprocal {
    real denominator, n;
};

/* sigmoid(x - lo), for |x| <= EXP_FAR.  With e^-x = 2^n (1 + q), 1 + e^-x is

       1 + (2^n + 2^n q)          for n <= 0,
       2^n (1 + (2^-n + q))       for n >= 0,

   where the bracket is below 1 unless n = 0, so that its rounding error is at most half an ulp of the sum. */
INLINE struct reciprocal logistic_reciprocal(real x, real lo)
{
    struct exp_split e = exp_neg(x, -lo);
    real small = power_of_two(-at_most(absolute(e.n), EXPONENT_BIAS - 1));
    real denominator = 1 + add_scaled(select(lt(x, 0), 1, small), e.q, small);
    return (struct reciprocal){denominator, at_most(-e.n, 0)};
}

/* (numerator + lo) / (1 + e^-x), lo at most half an ulp, for |x| <= EXP_LIMIT.  The reciprocal u of the rounded
   denominator is corrected by its residual rho and by the rounding error of the denominator, so that only the bracket of
   logistic_reciprocal() and the result are rounded. */
INLINE real logistic_dw(struct dw numerator, real x)
{
    struct exp_split e = exp_neg(x, NO_LOW);
    real small = power_of_two(-at_most(absolute(e.n), EXPONENT_BIAS - 1));
    struct dw denominator = fast_two_sum(splat(1), add_scaled(select(lt(x, 0), 1, small), e.q, small));
    real u = 1 / denominator.hi, rho = fma(u, denominator.lo, fma_in_double(u, denominator.hi, -1));
    real lo = fma(numerator.lo, u, -(numerator.hi * u * rho));
    real quotient = select(eq(numerator.hi, 0), numerator.hi, fma(numerator.hi, u, lo));
    return scale(quotient, at_most(-e.n, 0));
}

/* numerator / (1 + e^(lo - x)), for |x| <= EXP_LIMIT. */
INLINE real logistic(real numerator, real x, real lo)
{
    struct reciprocal r = logistic_reciprocal(x, lo);
    return scale(numerator / r.denominator, r.n);
}

/* Both sides of the logistic function to more than a real's digits: sigmoid(t) = u (1 - rho), |rho| at most about an
   ulp, and sigmoid(-t) = e sigmoid(t), e = e^-t. */
struct sigmoids {
    real u, rho;
    struct exp_split e;
};

/* u = 1 / (1 + e) rounded, rho its relative error by the residual of the division; e_lo is the rounding error of e,
   where that matters. */
INLINE struct sigmoids sigmoids_from(struct exp_split e, real e_lo)
{
    struct dw denominator = fast_two_sum(splat(1), fma_in_double(e.normal_power, e.q, e.normal_power));
    real u = 1 / denominator.hi;
    return (struct sigmoids){u, fma(u, denominator.lo + e_lo, fma_in_double(u, denominator.hi, -1)), e};
}

/* The same for t + lo, 0 <= t <= EXP_FAR. */
INLINE struct sigmoids sigmoids(real t, real lo) { return sigmoids_from(exp_neg(t, lo), NO_LOW); }

/* sigmoid(-t) / 2^n */
INLINE struct dw sigmoid_neg(struct sigmoids s)
{
    return exp_mul_dw(s.e, (struct dw){s.u, -(s.u * s.rho)});
}

/* sigmoid'(t) = e^-t sigmoid(t)^2 for 0 <= t <= EXP_FAR. */
INLINE struct scaled logistic_density_scaled(real t)
{
    struct exp_split e = exp_neg(t, NO_LOW);
    real e_hi = exp_value(e);
    struct sigmoids s = sigmoids_from(e, fma_in_double(e.normal_power, e.q, e.normal_power - e_hi));
    struct dw square = two_prod(s.u, s.u);
    square.lo = fma(-2 * s.rho, square.hi, square.lo);
    return exp_mul(e, square);
}

/* The same times 2^shift, as a number, by fewer instructions, for 0 <= t <= EXP_LIMIT: e / (1 + e)^2, the denominator
   as 1 + e (2 + e), the quotient corrected by its residual.  2^shift e is rounded to a number, subnormal where it is
   tiny. */
INLINE real logistic_density(real t, int shift)
{
    struct exp_split e = exp_neg(t, NO_LOW);
    real shifted = scale(e.one_plus_q, e.n + (scalar)shift);
    scalar down = (scalar)1 / (scalar)(1 << shift);
    real two_e = 2 + shifted;
    if (shift) two_e = add_scaled(down * down, shifted, 2 * down);
    real square = fma(shifted, two_e, 1), lo = fma_in_double(shifted, two_e, 1 - square);
    real u = 1 / square, rho = fma(u, lo, fma_in_double(u, square, -1));
    return fma(shifted, u, -(shifted * (u * rho)));
}

/* silu'(-t) and silu'(-(t + lo)), 0 <= t <= EXP_FAR: e^-t times a piecewise polynomial, which changes its sign at the
   root t = 1.2785. */
INLINE struct scaled silu_derivative_neg(real t)
{
    return exp_mul(exp_neg(t, NO_LOW), normalized_sum(piecewise_extended(t, SILU_FACTOR)));
}
INLINE struct scaled silu_derivative_neg_dw(real t, real lo)
{
    return exp_mul(exp_neg(t, lo), normalized_sum(shift_argument(piecewise_extended(t, SILU_FACTOR), lo)));
}

/* f(x) from f(-|x|) for an f with f(x) = 1 - f(-x), such as Phi or the derivative of silu, gelu or gelu_tanh.  `left`
   is f(x) where x is negative, else 1 - f(x). */
INLINE real reflect(mask negative, struct scaled left)
{
    real value = scale(left.factor.hi, left.n);
    return select(negative, value, 1 - value);
}

/* log(1 + e^-t) and log(1 + e^-(t + lo)), 0 <= t <= EXP_LIMIT: e^-t times a piecewise polynomial from ln 2 to 1. */
INLINE struct scaled log1p_exp_neg(real t)
{
    return exp_mul(exp_neg(t, NO_LOW), unevaluated_sum(piecewise_extended(t, LOG1P_FACTOR)));
}
INLINE struct scaled log1p_exp_neg_dw(real t, real lo)
{
    return exp_mul(exp_neg(t, lo), unevaluated_sum(shift_argument(piecewise_extended(t, LOG1P_FACTOR), lo)));
}

#endif
