/* The elementary functions behind the activations, over `real`: branch-free, correct to the last bits over the whole range,
   the same code for float and double.  Only the coefficients differ; minimax.py derives them.

   Two habits keep the errors small.  A sum is taken from parts so that one rounding is left: e^x is 2^n (1 + q), and
   1 + q is never formed where q can be added to something else.  And where one rounding is too much, a value is a pair:
   a rounded part and the rest. */
#ifndef NUMACT_ELEMENTARY_H
#define NUMACT_ELEMENTARY_H

#include "simd/real.h"
#if REAL_BITS == 32
#include "math/coefficients_f32.h"
#else
#include "math/coefficients_f64.h"
#endif

/* value + rest, |rest| at most about an ulp of value. */
struct pair {
    real value, rest;
};

/* a + b, exactly, for |a| >= |b|, or where a is a multiple of the last digit of the sum (Dekker). */
INLINE struct pair sum_of_ordered(real a, real b)
{
    real sum = a + b;
    return (struct pair){sum, b - (sum - a)};
}

/* a + b, exactly (Knuth). */
INLINE struct pair sum_of(real a, real b)
{
    real sum = a + b, b_part = sum - a;
    return (struct pair){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* A double and what it lacks. */
struct total {
    double value, rest;
};

/* a + b, exactly (Knuth). */
INLINE struct total total_of(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    return (struct total){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* a b, exactly. */
INLINE struct pair product_of(real a, real b)
{
    real product = a * b;
    return (struct pair){product, fma_in_double(a, b, -product)};
}

/* A real as a pair, and the selection of one of two pairs. */
INLINE struct pair pair_of(real value) { return (struct pair){value, real_(0)}; }
INLINE struct pair sel_pair(mask condition, struct pair a, struct pair b)
{
    return (struct pair){sel(condition, a.value, b.value), sel(condition, a.rest, b.rest)};
}

/* (a + b) and (a b) of pairs, good to about twice a real's digits. */
INLINE struct pair sum_of_pairs(struct pair a, struct pair b)
{
    struct pair sum = sum_of(a.value, b.value);
    return sum_of_ordered(sum.value, sum.rest + (a.rest + b.rest));
}

INLINE struct pair product_of_pairs(struct pair a, struct pair b)
{
    struct pair product = product_of(a.value, b.value);
    return (struct pair){product.value, fma(a.value, b.rest, fma(a.rest, b.value, product.rest))};
}

/* a / b, from an approximation that the residual corrects: hardly more than the error of the last rounding. */
INLINE struct pair quotient_of(struct pair a, struct pair b)
{
    real inverse = 1 / b.value, quotient = a.value * inverse;
    real residual = fma_in_double(-quotient, b.value, a.value) + fma(-quotient, b.rest, a.rest);
    return (struct pair){quotient, residual * inverse};
}

/* A rest of -0, which adds nothing, not even an instruction. */
#define NO_REST (-real_(0))

/* c[0] + c[1] x + ... + c[degree] x^degree by Horner's rule.  A long one keeps Horner's last step, so that the error stays at
   half an ulp where c[0] leads, and takes the rest as a polynomial in x^2 for the even and one for the odd powers: two
   chains that the processor runs side by side. */
INLINE real horner(real x, const scalar *c, int degree)
{
    real top = real_(c[degree]);
    if (degree < 6) {
#pragma GCC unroll 8
        for (int k = degree - 1; k >= 0; k--)
            top = fma(x, top, c[k]);
        return top;
    }
    real square = x * x, below = real_(c[degree - 1]);
#pragma GCC unroll 64
    for (int k = degree - 2; k > 1; k -= 2) {
        top = fma(square, top, c[k]);
        below = fma(square, below, c[k - 1]);
    }
    real rest = degree % 2 ? fma(x, below, fma(square, top, c[1])) : fma(x, top, below);
    return fma(x, rest, c[0]);
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
   1 + step t, which is below 16, has its own c.  It is first + d (slope + slope_rest) + more, first = c[1]; at a root c[0] is
   the root, so that nothing cancels. */
struct tabulated {
    real first, d, slope, slope_rest, more;
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
    return (struct tabulated){c[1], d, sum, fma_in_double(d, slope, c[2] - sum), NO_REST};
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
INLINE struct tabulated moved(struct tabulated f, real rest)
{
    f.more = f.slope * rest;
    return f;
}

/* Two parts, the second of which is smaller and the more accurate for it; and, since they cancel around a root, the value
   with all that is lost in it. */
INLINE struct pair parts_of(struct tabulated f) { return (struct pair){f.first, fma(f.d, f.slope, f.more)}; }
INLINE struct pair value_of(struct tabulated f)
{
    real value = fma(f.d, f.slope, f.first);
    return (struct pair){value, fma(f.d, f.slope_rest, fma_in_double(f.d, f.slope, f.first - value)) + f.more};
}

/* Rounded to an integer, ties to even, for |x| < 2^(MANTISSA - 2). */
INLINE real round_(real x) { return (x + ROUNDER) - ROUNDER; }

/* x within -limit and limit; a NaN passes. */
INLINE real clamp(real x, scalar limit) { return at_least(at_most(x, limit), -limit); }

/* e^x = 2^n (1 + q + rest), n integral, -0.3 < q < 0.42; `power` is 2^n where that is a normal number, `bounded_power` is
   the least normal number where 2^n is below it; `fraction` is 1 + q by one instruction less; `lost` is the part of the
   rest that the rounding of q has lost, and q is that of line + bend, |bend| < 0.08. */
struct exponential {
    real n, power, bounded_power, fraction, q, lost, rest, line, bend;
};

/* e^(sign (x + rest)), sign 1 or -1, |x| <= 4 EXP_LIMIT; a negated x would be one more instruction.  The power, 2^n for
   POWER_ROUNDER, is 2^(n + k) for POWER_ROUNDER + k.  In a hurry r takes one instruction less, and one rounding more where
   there is a rest: exact is a multiple of 2^-26 (float, n not 0), n LN2_LOW of 2^-49, so that a double holds their sum. */
INLINE struct exponential exponential_scaled(int sign, real x, real rest, real power_rounder, bool hurry)
{
    real sum = fma(x, (scalar)sign * LOG2E, power_rounder), n = sum - power_rounder;
    real exact = fma_in_double(n, -(scalar)sign * LN2, x);
    real low = fma(n, -(scalar)sign * LN2_LOW, rest), r = exact + low;
    if (hurry) r = fma_in_double(n, -(scalar)sign * LN2_LOW, exact) + rest;
    real square = r * r, p = sign < 0 ? polynomial_of_minus(r, EXP_P) : polynomial(r, EXP_P);
    real q = fma(square, p, sign < 0 ? -r : r);
    real r_rest = (exact - r) + low;
    real lost = fma_in_double(square, p, (sign < 0 ? -r : r) - q), all = sign < 0 ? lost - r_rest : lost + r_rest;
    real fraction = fma(r, fma(r, p, (scalar)sign), 1);
    real least = power_rounder + (1 - EXPONENT_BIAS);
    return (struct exponential){.n = n, .power = power_of_sum(sum), .bounded_power = power_of_sum(at_least(sum, least)),
                                .fraction = fraction, .q = q, .lost = lost, .rest = all,
                                .line = sign < 0 ? -r : r, .bend = square * p};
}

/* e^(x + rest) and e^-(x + rest) */
INLINE struct exponential exponential(real x, real rest)
{
    return exponential_scaled(1, x, rest, real_(POWER_ROUNDER), false);
}
INLINE struct exponential falling_exponential(real x, real rest)
{
    return exponential_scaled(-1, x, rest, real_(POWER_ROUNDER), false);
}

/* 2^(x (w + rest)) in the same form, but for its rest. */
INLINE struct exponential power_of_two_of(real x, real w, real rest)
{
    real sum = fma(x, w, POWER_ROUNDER), n = sum - POWER_ROUNDER;
    real r = fma(x, rest, fma_in_double(x, w, -n)), q = fma(r, LN2, r * polynomial(r, EXP2_P));
    real bounded_power = power_of_sum(at_least(sum, POWER_ROUNDER + 1 - EXPONENT_BIAS));
    return (struct exponential){.n = n, .power = power_of_sum(sum), .bounded_power = bounded_power, .fraction = 1 + q,
                                .q = q, .lost = NO_REST, .rest = NO_REST, .line = q, .bend = NO_REST};
}

/* e^x for |x| <= 2 EXP_LIMIT, subnormal results included. */
INLINE real exp_(real x)
{
    struct exponential e = exponential(x, NO_REST);
    return scale(e.fraction, e.n);
}

/* e^x - 1 = (2^n - 1) + 2^n q, where n = 0 leaves q itself, for -ONE_LIMIT <= x <= EXP_LIMIT / 2. */
INLINE struct pair expm1_of(struct exponential e)
{
    real base = e.power - 1, value = add_scaled(e.power, e.q, base);
    return (struct pair){value, add_scaled(e.power, e.rest, add_scaled(e.power, e.q, base - value))};
}

INLINE struct pair expm1_pair(real x) { return expm1_of(exponential(at_least(x, -ONE_LIMIT), NO_REST)); }

INLINE real expm1_(real x) { return expm1_pair(x).value; }

/* 2^n / denominator, the power kept apart: it may be below every number. */
struct reciprocal {
    real denominator, n;
};

/* 1 / (1 + e^(rest - x)), for |x| <= EXP_FAR.  With e^-x = 2^n (1 + q), the denominator is 1 + (2^n + 2^n q) where n <= 0,
   and 2^n times 1 + (2^-n + q) where n >= 0.  The bracket is below 1 but for n = 0, and loses little. */
INLINE struct reciprocal logistic_reciprocal(real x, real rest)
{
    struct exponential e = falling_exponential(x, -rest);
    real small = power_of_two(-at_most(abs_(e.n), EXPONENT_BIAS - 1));
    real denominator = 1 + add_scaled(sel(lt(x, 0), 1, small), e.q, small);
    return (struct reciprocal){denominator, at_most(-e.n, 0)};
}

/* numerator / (1 + e^(rest - x)), for |x| <= EXP_LIMIT. */
INLINE real logistic(real numerator, real x, real rest)
{
    struct reciprocal r = logistic_reciprocal(x, rest);
    return scale(numerator / r.denominator, r.n);
}

/* u (1 - rho) = sigmoid(t), e = e^-t: both sides of the sigmoid, sigmoid(-t) = e sigmoid(t), to more than a real's digits. */
struct sigmoids {
    real u, rho;
    struct exponential e;
};

/* e_rest is what the rounding of e loses, if that matters. */
INLINE struct sigmoids sigmoids_of(struct exponential e, real e_rest)
{
    struct pair denominator = sum_of_ordered(real_(1), fma_in_double(e.bounded_power, e.q, e.bounded_power));
    real u = 1 / denominator.value;
    return (struct sigmoids){u, fma(u, denominator.rest + e_rest, fma_in_double(u, denominator.value, -1)), e};
}

/* The same for t + rest, 0 <= t <= EXP_FAR. */
INLINE struct sigmoids sigmoids(real t, real rest) { return sigmoids_of(falling_exponential(t, rest), NO_REST); }

/* 2^n (1 + q) (value + rest), as a pair without the 2^n. */
INLINE struct pair times_exponential(struct exponential e, struct pair factor)
{
    return sum_of_ordered(factor.value, fma(e.q, factor.value, fma(e.q, factor.rest, factor.rest)));
}

/* sigmoid(-t) as a pair without the 2^n */
INLINE struct pair sigmoid_left(struct sigmoids s)
{
    return times_exponential(s.e, (struct pair){s.u, -(s.u * s.rho)});
}

/* 2^n factor, the power kept apart: it may be below every number. */
struct scaled {
    struct pair factor;
    real n;
};

/* 2^n (1 + q) (value + rest) */
INLINE struct scaled exponential_times(struct exponential e, struct pair factor)
{
    return (struct scaled){times_exponential(e, factor), e.n};
}

/* e^x as a number, the least normal one if it is below that. */
INLINE real value_of_exponential(struct exponential e) { return fma_in_double(e.bounded_power, e.q, e.bounded_power); }

/* 2^n (1 + q) t (value + rest), rounded. */
INLINE real times_exponential_by(real t, struct exponential e, struct pair factor)
{
    real more = fma(e.q, factor.value, fma(e.q, factor.rest, factor.rest));
    return scale(fma(t, factor.value, t * more), e.n);
}

/* The same by line and bend instead of a rounded q, where all of its digits matter. */
INLINE real times_parts_by(real t, struct exponential e, struct pair factor)
{
    real more = fma(e.line, factor.value, fma(e.bend, factor.value, fma(e.q, factor.rest, factor.rest)));
    return scale(fma(t, factor.value, t * more), e.n);
}

/* The factor with what the rounding of q has lost. */
INLINE struct pair with_lost(struct exponential e, struct pair factor)
{
    return (struct pair){factor.value, fma(factor.value, e.lost, factor.rest)};
}

INLINE struct scaled sel_scaled(mask condition, struct scaled a, struct scaled b)
{
    return (struct scaled){sel_pair(condition, a.factor, b.factor), sel(condition, a.n, b.n)};
}

/* sigmoid'(t) = e^-t sigmoid(t)^2 for 0 <= t <= EXP_FAR. */
INLINE struct scaled logistic_slope(real t)
{
    struct exponential e = falling_exponential(t, NO_REST);
    real once = value_of_exponential(e);
    struct sigmoids s = sigmoids_of(e, fma_in_double(e.bounded_power, e.q, e.bounded_power - once));
    struct pair square = product_of(s.u, s.u);
    square.rest = fma(-2 * s.rho, square.value, square.rest);
    return exponential_times(e, square);
}

/* 2^shift sigmoid'(t) for 0 <= t <= EXP_LIMIT, in fewer steps: e / (1 + e (2 + e)) with the residual of the division, where
   2^shift e is taken as a number, subnormal if need be. */
INLINE real logistic_density(real t, int shift)
{
    struct exponential e = falling_exponential(t, NO_REST);
    real shifted = scale(e.fraction, e.n + (scalar)shift);
    scalar down = (scalar)1 / (scalar)(1 << shift);
    real two_e = 2 + shifted;
    if (shift) two_e = add_scaled(down * down, shifted, 2 * down);
    real square = fma(shifted, two_e, 1), rest = fma_in_double(shifted, two_e, 1 - square);
    real u = 1 / square, rho = fma(u, rest, fma_in_double(u, square, -1));
    return fma(shifted, u, -(shifted * (u * rho)));
}

/* silu'(-t) and silu'(-(t + rest)), 0 <= t <= EXP_FAR: e^-t times a factor. */
INLINE struct scaled silu_slope_left(real t)
{
    return exponential_times(falling_exponential(t, NO_REST), value_of(tabulated_on(t, SILU_FACTOR)));
}
INLINE struct scaled silu_slope_left_of(real t, real rest)
{
    return exponential_times(falling_exponential(t, rest), value_of(moved(tabulated_on(t, SILU_FACTOR), rest)));
}

/* A value on the left, 1 - value on the right: f(x) from f(-|x|), where f(x) = 1 - f(-x). */
INLINE real mirrored(mask is_left, struct scaled scaled_value)
{
    real value = scale(scaled_value.factor.value, scaled_value.n);
    return sel(is_left, value, 1 - value);
}

/* 1 - tanh t = 2/(e^2t + 1), 0 <= t <= ONE_LIMIT, for sums in which it is the smaller part.  With e^2t = 2^-n (1 + 2q),
   q = r + r^2 P(r), it is 2^n / (2^n / 2 + 1/2 + q).  The low part of ln 2 is left out of r: the value is as small as its
   share is large. */
INLINE real one_less_tanh(real t)
{
    real sum = fma(t, -2 * LOG2E, POWER_ROUNDER), power = power_of_sum(sum);
    real r = fma_in_double(sum - POWER_ROUNDER, HALF_LN2, t);
    return power / fma(r * r, polynomial(r, EXP_TWICE_P), add_scaled(power, (scalar)0.5, (scalar)0.5) + r);
}

/* tanh x: near 0 an odd polynomial; elsewhere 1 - (1 - tanh t), t = |x|, where what is subtracted is at most 1/2. */
INLINE real tanh_(real x)
{
    real square = x * x;
    real near = fma(x * square, polynomial(square, TANH_P), x);
    real far = 1 - one_less_tanh(abs_at_most(x, ONE_LIMIT));
    /* A NaN comes from near; near has its sign but for -0. */
    return copysign_(sel(gt(square, TANH_SMALL * TANH_SMALL), far, near), x);
}

/* log(1 + e^-t) and log(1 + e^-(t + rest)), 0 <= t <= EXP_LIMIT: the exponential times a factor from 0.69 to 1. */
INLINE struct scaled log1p_exp(real t)
{
    return exponential_times(falling_exponential(t, NO_REST), parts_of(tabulated_on(t, LOG1P_FACTOR)));
}
INLINE struct scaled log1p_exp_of(real t, real rest)
{
    return exponential_times(falling_exponential(t, rest), parts_of(moved(tabulated_on(t, LOG1P_FACTOR), rest)));
}

/* Phi(-t) = 2^n (1 + q) (value + rest), 0 <= t <= TAIL_FAR: e^(-t^2/2), by its exact argument, times a factor. */
struct normal_tail {
    struct exponential e;
    struct pair factor;
};

/* e^(-t^2/2) */
INLINE struct exponential normal_exponential(real t)
{
    struct pair exponent = product_of(t, (scalar)-0.5 * t);
    return exponential(exponent.value, exponent.rest);
}

INLINE struct normal_tail normal_tail(real t)
{
    return (struct normal_tail){normal_exponential(t), parts_of(tabulated(t, TAIL_FACTOR))};
}

/* x/6, as good as the division. */
INLINE real sixth_of(real x) { return fma(x, SIXTH, x * SIXTH_LOW); }

#endif
