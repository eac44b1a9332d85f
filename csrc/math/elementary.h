/* The elementary functions behind the activations, over `real`: branch-free, correct to the last bits over the whole range,
   the same code for float and double.  Only the coefficients differ; minimax.py derives them.

   Two habits keep the errors small.  A sum is taken from parts so that one rounding is left: e^x is 2^n (1 + q), and
   1 + q is never formed where q can be added to something else.  And where one rounding is too much, a value is a pair:
   a rounded part and the rest. */
#ifndef NUMACT_MATH_ELEMENTARY_H
#define NUMACT_MATH_ELEMENTARY_H

#include "simd/real.h"
#if REAL_BITS == 32
#include "math/coefficients_f32.h"
#else
#include "math/coefficients_f64.h"
#endif

/* value + rest, |rest| at most about an ulp of value. */
struct dw {
    real hi, lo;
};

/* a + b, exactly, for |a| >= |b|, or where a is a multiple of the last digit of the sum (Dekker). */
INLINE struct dw fast_two_sum(real a, real b)
{
    real sum = a + b;
    return (struct dw){sum, b - (sum - a)};
}

/* a + b, exactly (Knuth). */
INLINE struct dw two_sum(real a, real b)
{
    real sum = a + b, b_part = sum - a;
    return (struct dw){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* A double and what it lacks. */
struct dd {
    double hi, lo;
};

/* a + b, exactly (Knuth). */
INLINE struct dd two_sum_double(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    return (struct dd){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* a b, exactly. */
INLINE struct dw two_prod(real a, real b)
{
    real product = a * b;
    return (struct dw){product, fma_in_double(a, b, -product)};
}

/* A real as a pair, and the selection of one of two pairs. */
INLINE struct dw dw_from_real(real value) { return (struct dw){value, splat(0)}; }
INLINE struct dw select_dw(mask condition, struct dw a, struct dw b)
{
    return (struct dw){select(condition, a.hi, b.hi), select(condition, a.lo, b.lo)};
}

/* (a + b) and (a b) of pairs, good to about twice a real's digits. */
INLINE struct dw dw_add(struct dw a, struct dw b)
{
    struct dw sum = two_sum(a.hi, b.hi);
    return fast_two_sum(sum.hi, sum.lo + (a.lo + b.lo));
}

INLINE struct dw dw_mul(struct dw a, struct dw b)
{
    struct dw product = two_prod(a.hi, b.hi);
    return (struct dw){product.hi, fma(a.hi, b.lo, fma(a.lo, b.hi, product.lo))};
}

/* a / b, from an approximation that the residual corrects: hardly more than the error of the last rounding. */
INLINE struct dw dw_div(struct dw a, struct dw b)
{
    real inverse = 1 / b.hi, quotient = a.hi * inverse;
    real residual = fma_in_double(-quotient, b.hi, a.hi) + fma(-quotient, b.lo, a.lo);
    return (struct dw){quotient, residual * inverse};
}

/* A rest of -0, which adds nothing, not even an instruction. */
#define NO_LOW (-splat(0))

/* c[0] + c[1] x + ... + c[degree] x^degree by Horner's rule.  A long one keeps Horner's last step, so that the error stays at
   half an ulp where c[0] leads, and takes the rest as a polynomial in x^2 for the even and one for the odd powers: two
   chains that the processor runs side by side. */
INLINE real horner(real x, const scalar *c, int degree)
{
    real top = splat(c[degree]);
    if (degree < 6) {
#pragma GCC unroll 8
        for (int k = degree - 1; k >= 0; k--)
            top = fma(x, top, c[k]);
        return top;
    }
    real square = x * x, below = splat(c[degree - 1]);
#pragma GCC unroll 64
    for (int k = degree - 2; k > 1; k -= 2) {
        top = fma(square, top, c[k]);
        below = fma(square, below, c[k - 1]);
    }
    real lo = degree % 2 ? fma(x, below, fma(square, top, c[1])) : fma(x, top, below);
    return fma(x, lo, c[0]);
}
#define DEGREE(c) ((int)(sizeof(c) / sizeof *(c)) - 1)
#define polynomial(x, c) horner(x, c, DEGREE(c))

/* The same of -x: with the signs of the odd powers changed, which costs nothing. */
INLINE real horner_of_minus(real x, const scalar *c, int degree)
{
    scalar mirrored[16];
#pragma GCC unroll 16
    for (int k = 0; k <= degree; k++)
        mirrored[k] = k % 2 ? -c[k] : c[k];
    return horner(x, mirrored, degree);
}
#define polynomial_of_minus(x, c) horner_of_minus(x, c, DEGREE(c))

/* A function of t >= 0 from a table: c[1] + c[2] d + ... + c[degree + 1] d^degree, d = t - c[0], where each segment of
   1 + step t, which is below 16, has its own c.  It is first + d (slope + slope_lo) + more, first = c[1]; at a root c[0] is
   the root, so that nothing cancels. */
struct tabulated {
    real first, d, slope, slope_lo, more;
};

INLINE struct tabulated tabulated_at(real t, segment s, const scalar *table, int row, int degree)
{
    real c[32];
    look_up(table, row, degree + 2, s, c);
    real d = t - c[0], slope = c[degree + 1];
    if (degree < 8) {
#pragma GCC unroll 8
        for (int k = degree; k > 2; k--)
            slope = fma(d, slope, c[k]);
    } else { /* two chains, as in horner() */
        real square = d * d, below = c[degree];
#pragma GCC unroll 32
        for (int k = degree - 1; k > 3; k -= 2) {
            slope = fma(square, slope, c[k]);
            below = fma(square, below, c[k - 1]);
        }
        slope = degree % 2 ? fma(d, slope, below) : fma(d, below, fma(square, slope, c[3]));
    }
    real sum = fma(d, slope, c[2]);
    return (struct tabulated){c[1], d, sum, fma_in_double(d, slope, c[2] - sum), NO_LOW};
}
#define TABLE(table) *table, (int)(sizeof *table / sizeof **table), table##_DEGREE
#define tabulated(t, table) tabulated_at(t, segment_of(fma(t, table##_STEP, 1), SEGMENT_DIGITS), TABLE(table))
/* The same for any t: the last segment reaches on to infinity. */
#define tabulated_on(t, table) \
    tabulated_at(t, segment_of(at_most(fma(t, table##_STEP, 1), (scalar)15.5), SEGMENT_DIGITS), TABLE(table))

/* The same from a table whose upper half belongs to another side: for any t, and for equal segments of 0 <= t <= 1. */
#define tabulated_side(upper, t, table) \
    tabulated_at(t, segment_of_side(upper, at_most(fma(t, 2 * table##_STEP, 2), 31), SEGMENT_DIGITS - 1), TABLE(table))
#define tabulated_side_evenly(upper, t, table) \
    tabulated_at(t, segment_of_side(upper, fma(t, 2 * table##_STEP, 2), SEGMENT_DIGITS + 1), TABLE(table))

/* The same of t + rest, |rest| at most about an ulp. */
INLINE struct tabulated moved(struct tabulated f, real lo)
{
    f.more = f.slope * lo;
    return f;
}

/* Two parts, the second of which is smaller and the more accurate for it; and, since they cancel around a root, the value
   with all that is lost in it. */
INLINE struct dw parts_of(struct tabulated f) { return (struct dw){f.first, fma(f.d, f.slope, f.more)}; }
INLINE struct dw value_of(struct tabulated f)
{
    real value = fma(f.d, f.slope, f.first);
    return (struct dw){value, fma(f.d, f.slope_lo, fma_in_double(f.d, f.slope, f.first - value)) + f.more};
}

/* Rounded to an integer, ties to even, for |x| < 2^(MANTISSA - 2). */
INLINE real round_to_int(real x) { return (x + ROUNDER) - ROUNDER; }

/* x within -limit and limit; a NaN passes. */
INLINE real clamp(real x, scalar limit) { return at_least(at_most(x, limit), -limit); }

/* e^x = 2^n (1 + q + rest), n integral, -0.3 < q < 0.42; `power` is 2^n where that is a normal number, `bounded_power` is
   the least normal number where 2^n is below it; `fraction` is 1 + q by one instruction less; `lost` is the part of the
   rest that the rounding of q has lost, and q is that of line + bend, |bend| < 0.08. */
struct exp_split {
    real n, power, bounded_power, fraction, q, rounding_error, lo, line, bend;
};

/* e^(sign (x + rest)), sign 1 or -1, |x| <= 4 EXP_LIMIT; a negated x would be one more instruction.  The power, 2^n for
   POWER_ROUNDER, is 2^(n + k) for POWER_ROUNDER + k.  In a hurry r takes one instruction less, and one rounding more where
   there is a rest: exact is a multiple of 2^-26 (float, n not 0), n LN2_LOW of 2^-49, so that a double holds their sum. */
INLINE struct exp_split exp_scaled(int sign, real x, real lo, real power_rounder, bool fast)
{
    real sum = fma(x, (scalar)sign * LOG2E, power_rounder), n = sum - power_rounder;
    real exact = fma_in_double(n, -(scalar)sign * LN2, x);
    real low = fma(n, -(scalar)sign * LN2_LOW, lo), r = exact + low;
    if (fast) r = fma_in_double(n, -(scalar)sign * LN2_LOW, exact) + lo;
    real square = r * r, p = sign < 0 ? polynomial_of_minus(r, EXP_P) : polynomial(r, EXP_P);
    real q = fma(square, p, sign < 0 ? -r : r);
    real r_lo = (exact - r) + low;
    real rounding_error = fma_in_double(square, p, (sign < 0 ? -r : r) - q), all = sign < 0 ? rounding_error - r_lo : rounding_error + r_lo;
    real fraction = fma(r, fma(r, p, (scalar)sign), 1);
    real least = power_rounder + (1 - EXPONENT_BIAS);
    return (struct exp_split){.n = n, .power = power_of_sum(sum), .bounded_power = power_of_sum(at_least(sum, least)),
                                .fraction = fraction, .q = q, .rounding_error = rounding_error, .lo = all,
                                .line = sign < 0 ? -r : r, .bend = square * p};
}

/* e^(x + rest) and e^-(x + rest) */
INLINE struct exp_split exp_split(real x, real lo)
{
    return exp_scaled(1, x, lo, splat(POWER_ROUNDER), false);
}
INLINE struct exp_split exp_neg(real x, real lo)
{
    return exp_scaled(-1, x, lo, splat(POWER_ROUNDER), false);
}

/* 2^(x (w + rest)) in the same form, but for its rest. */
INLINE struct exp_split exp2_product(real x, real w, real lo)
{
    real sum = fma(x, w, POWER_ROUNDER), n = sum - POWER_ROUNDER;
    real r = fma(x, lo, fma_in_double(x, w, -n)), q = fma(r, LN2, r * polynomial(r, EXP2_P));
    real bounded_power = power_of_sum(at_least(sum, POWER_ROUNDER + 1 - EXPONENT_BIAS));
    return (struct exp_split){.n = n, .power = power_of_sum(sum), .bounded_power = bounded_power, .fraction = 1 + q,
                                .q = q, .rounding_error = NO_LOW, .lo = NO_LOW, .line = q, .bend = NO_LOW};
}

/* e^x for |x| <= 2 EXP_LIMIT, subnormal results included. */
INLINE real exp_real(real x)
{
    struct exp_split e = exp_split(x, NO_LOW);
    return scale(e.fraction, e.n);
}

/* e^x - 1 = (2^n - 1) + 2^n q, where n = 0 leaves q itself, for -ONE_LIMIT <= x <= EXP_LIMIT / 2. */
INLINE struct dw expm1_of(struct exp_split e)
{
    real base = e.power - 1, value = add_scaled(e.power, e.q, base);
    return (struct dw){value, add_scaled(e.power, e.lo, add_scaled(e.power, e.q, base - value))};
}

INLINE struct dw expm1_dw(real x) { return expm1_of(exp_split(at_least(x, -ONE_LIMIT), NO_LOW)); }

INLINE real expm1_real(real x) { return expm1_dw(x).hi; }

/* 2^n / denominator, the power kept apart: it may be below every number. */
struct reciprocal {
    real denominator, n;
};

/* 1 / (1 + e^(rest - x)), for |x| <= EXP_FAR.  With e^-x = 2^n (1 + q), the denominator is 1 + (2^n + 2^n q) where n <= 0,
   and 2^n times 1 + (2^-n + q) where n >= 0.  The bracket is below 1 but for n = 0, and loses little. */
INLINE struct reciprocal logistic_reciprocal(real x, real lo)
{
    struct exp_split e = exp_neg(x, -lo);
    real small = power_of_two(-at_most(absolute(e.n), EXPONENT_BIAS - 1));
    real denominator = 1 + add_scaled(select(lt(x, 0), 1, small), e.q, small);
    return (struct reciprocal){denominator, at_most(-e.n, 0)};
}

/* numerator / (1 + e^(rest - x)), for |x| <= EXP_LIMIT. */
INLINE real logistic(real numerator, real x, real lo)
{
    struct reciprocal r = logistic_reciprocal(x, lo);
    return scale(numerator / r.denominator, r.n);
}

/* u (1 - rho) = sigmoid(t), e = e^-t: both sides of the sigmoid, sigmoid(-t) = e sigmoid(t), to more than a real's digits. */
struct sigmoids {
    real u, rho;
    struct exp_split e;
};

/* e_lo is what the rounding of e loses, if that matters. */
INLINE struct sigmoids sigmoids_of(struct exp_split e, real e_lo)
{
    struct dw denominator = fast_two_sum(splat(1), fma_in_double(e.bounded_power, e.q, e.bounded_power));
    real u = 1 / denominator.hi;
    return (struct sigmoids){u, fma(u, denominator.lo + e_lo, fma_in_double(u, denominator.hi, -1)), e};
}

/* The same for t + rest, 0 <= t <= EXP_FAR. */
INLINE struct sigmoids sigmoids(real t, real lo) { return sigmoids_of(exp_neg(t, lo), NO_LOW); }

/* 2^n (1 + q) (value + rest), as a pair without the 2^n. */
INLINE struct dw exp_mul_dw(struct exp_split e, struct dw factor)
{
    return fast_two_sum(factor.hi, fma(e.q, factor.hi, fma(e.q, factor.lo, factor.lo)));
}

/* sigmoid(-t) as a pair without the 2^n */
INLINE struct dw sigmoid_left(struct sigmoids s)
{
    return exp_mul_dw(s.e, (struct dw){s.u, -(s.u * s.rho)});
}

/* 2^n factor, the power kept apart: it may be below every number. */
struct scaled {
    struct dw factor;
    real n;
};

/* 2^n (1 + q) (value + rest) */
INLINE struct scaled exp_times(struct exp_split e, struct dw factor)
{
    return (struct scaled){exp_mul_dw(e, factor), e.n};
}

/* e^x as a number, the least normal one if it is below that. */
INLINE real exp_value(struct exp_split e) { return fma_in_double(e.bounded_power, e.q, e.bounded_power); }

/* 2^n (1 + q) t (value + rest), rounded. */
INLINE real exp_mul_scaled(real t, struct exp_split e, struct dw factor)
{
    real more = fma(e.q, factor.hi, fma(e.q, factor.lo, factor.lo));
    return scale(fma(t, factor.hi, t * more), e.n);
}

/* The same by line and bend instead of a rounded q, where all of its digits matter. */
INLINE real exp_mul_scaled_exact(real t, struct exp_split e, struct dw factor)
{
    real more = fma(e.line, factor.hi, fma(e.bend, factor.hi, fma(e.q, factor.lo, factor.lo)));
    return scale(fma(t, factor.hi, t * more), e.n);
}

/* The factor with what the rounding of q has lost. */
INLINE struct dw with_rounding_error(struct exp_split e, struct dw factor)
{
    return (struct dw){factor.hi, fma(factor.hi, e.rounding_error, factor.lo)};
}

INLINE struct scaled select_scaled(mask condition, struct scaled a, struct scaled b)
{
    return (struct scaled){select_dw(condition, a.factor, b.factor), select(condition, a.n, b.n)};
}

/* sigmoid'(t) = e^-t sigmoid(t)^2 for 0 <= t <= EXP_FAR. */
INLINE struct scaled logistic_slope(real t)
{
    struct exp_split e = exp_neg(t, NO_LOW);
    real once = exp_value(e);
    struct sigmoids s = sigmoids_of(e, fma_in_double(e.bounded_power, e.q, e.bounded_power - once));
    struct dw square = two_prod(s.u, s.u);
    square.lo = fma(-2 * s.rho, square.hi, square.lo);
    return exp_times(e, square);
}

/* 2^shift sigmoid'(t) for 0 <= t <= EXP_LIMIT, in fewer steps: e / (1 + e (2 + e)) with the residual of the division, where
   2^shift e is taken as a number, subnormal if need be. */
INLINE real logistic_density(real t, int shift)
{
    struct exp_split e = exp_neg(t, NO_LOW);
    real shifted = scale(e.fraction, e.n + (scalar)shift);
    scalar down = (scalar)1 / (scalar)(1 << shift);
    real two_e = 2 + shifted;
    if (shift) two_e = add_scaled(down * down, shifted, 2 * down);
    real square = fma(shifted, two_e, 1), lo = fma_in_double(shifted, two_e, 1 - square);
    real u = 1 / square, rho = fma(u, lo, fma_in_double(u, square, -1));
    return fma(shifted, u, -(shifted * (u * rho)));
}

/* silu'(-t) and silu'(-(t + rest)), 0 <= t <= EXP_FAR: e^-t times a factor. */
INLINE struct scaled silu_slope_left(real t)
{
    return exp_times(exp_neg(t, NO_LOW), value_of(tabulated_on(t, SILU_FACTOR)));
}
INLINE struct scaled silu_slope_left_of(real t, real lo)
{
    return exp_times(exp_neg(t, lo), value_of(moved(tabulated_on(t, SILU_FACTOR), lo)));
}

/* A value on the left, 1 - value on the right: f(x) from f(-|x|), where f(x) = 1 - f(-x). */
INLINE real mirrored(mask is_left, struct scaled scaled_value)
{
    real value = scale(scaled_value.factor.hi, scaled_value.n);
    return select(is_left, value, 1 - value);
}

/* 1 - tanh t = 2/(e^2t + 1), 0 <= t <= ONE_LIMIT, for sums in which it is the smaller part.  With e^2t = 2^-n (1 + 2q),
   q = r + r^2 P(r), it is 2^n / (2^n / 2 + 1/2 + q).  The low part of ln 2 is left out of r: the value is as small as its
   share is large. */
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

/* log(1 + e^-t) and log(1 + e^-(t + rest)), 0 <= t <= EXP_LIMIT: the exponential times a factor from 0.69 to 1. */
INLINE struct scaled log1p_exp(real t)
{
    return exp_times(exp_neg(t, NO_LOW), parts_of(tabulated_on(t, LOG1P_FACTOR)));
}
INLINE struct scaled log1p_exp_of(real t, real lo)
{
    return exp_times(exp_neg(t, lo), parts_of(moved(tabulated_on(t, LOG1P_FACTOR), lo)));
}

/* Phi(-t) = 2^n (1 + q) (value + rest), 0 <= t <= TAIL_FAR: e^(-t^2/2), by its exact argument, times a factor. */
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
    return (struct normal_tail){exp_neg_half_square(t), parts_of(tabulated(t, TAIL_FACTOR))};
}

/* x/6, as good as the division. */
INLINE real sixth_of(real x) { return fma(x, SIXTH, x * SIXTH_LOW); }

#endif
