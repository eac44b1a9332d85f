/* The elementary functions behind the activations, over `real`: branch-free, correct to the last bits over the whole range,
   the same code for float and double.  Only the coefficients differ; minimax.py derives them.

   Two habits keep the errors small.  A sum is taken from parts so that one rounding is left: e^x is 2^n (1 + q), and
   1 + q is never formed where q can be added to something else.  And where one rounding is too much, a value is a pair:
   a rounded part and the rest. */
#ifndef NUMACT_ELEMENTARY_H
#define NUMACT_ELEMENTARY_H

#include "arithmetic.h"
#if REAL_BITS == 32
#include "coefficients_f32.h"
#else
#include "coefficients_f64.h"
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
    return (struct pair){product, fma(a, b, -product)};
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
    real residual = fma(-quotient, b.value, a.value) + fma(-quotient, b.rest, a.rest);
    return (struct pair){quotient, residual * inverse};
}

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
#define polynomial(x, c) horner(x, c, (int)(sizeof(c) / sizeof *(c)) - 1)

/* d P(d), d = x + rest - root: a function next to its root, without cancellation.  x - root is exact; the root's low part
   and what P lost in its last rounding take part in the last one. */
#define around_root(x, rest, root, p) \
    times_root_distance((x) - root, (rest) - root##_LOW, p, (int)(sizeof(p) / sizeof *(p)) - 1)
INLINE struct pair times_root_distance(real distance, real low, const scalar *c, int degree)
{
    real slope = horner(distance, c + 1, degree - 1), p = fma(distance, slope, c[0]);
    real rest = fma(distance, fma(distance, slope, c[0] - p), low * p), value = fma(distance, p, rest);
    return (struct pair){value, fma(distance, p, -value) + rest};
}

/* Rounded to an integer, ties to even, for |x| < 2^(MANTISSA - 2). */
INLINE real round_(real x) { return (x + ROUNDER) - ROUNDER; }

/* x within -limit and limit; a NaN passes. */
INLINE real clamp(real x, scalar limit) { return at_least(at_most(x, limit), -limit); }

/* A rest of -0, which adds nothing, not even an instruction. */
#define NO_REST (-real_(0))

/* e^x = 2^n (1 + q + rest), n integral, -0.3 < q < 0.42; `power` is 2^n where that is a normal number. */
struct exponential {
    real n, power, q, rest;
};

/* e^(x + rest), |x| <= 4 EXP_LIMIT; with sign -1 the n and the power are those of the reciprocal.  The power, 2^n for
   POWER_ROUNDER, is 2^(n + k) for POWER_ROUNDER + k. */
INLINE struct exponential exponential_scaled(real x, real rest, int sign, real power_rounder)
{
    real sum = fma(x, (scalar)sign * LOG2E, power_rounder), n = sum - power_rounder;
    real exact = fma(n, (scalar)-sign * LN2, x);
    real r = fma(n, (scalar)-sign * LN2_LOW, exact) + rest;
    real square = r * r, p = polynomial(r, EXP_P), q = fma(square, p, r);
    real r_rest = fma(n, (scalar)-sign * LN2_LOW, exact - r) + rest;
    return (struct exponential){n, power_of_sum(sum), q, fma(square, p, r - q) + r_rest};
}

INLINE struct exponential exponential_signed(real x, real rest, int sign)
{
    return exponential_scaled(x, rest, sign, real_(POWER_ROUNDER));
}

INLINE struct exponential exponential(real x, real rest) { return exponential_signed(x, rest, 1); }

/* e^x = 2^-n (1 + q + rest). */
INLINE struct exponential exponential_down(real x, real rest) { return exponential_signed(x, rest, -1); }

/* e^x for |x| <= 2 EXP_LIMIT, subnormal results included. */
INLINE real exp_(real x)
{
    struct exponential e = exponential(x, NO_REST);
    return scale(1 + e.q, e.n);
}

/* e^x - 1 = (2^n - 1) + 2^n q, where n = 0 leaves q itself, for -ONE_LIMIT <= x <= EXP_LIMIT / 2. */
INLINE struct pair expm1_of(struct exponential e)
{
    real base = e.power - 1, value = fma(e.power, e.q, base);
    return (struct pair){value, fma(e.power, e.rest, fma(e.power, e.q, base - value))};
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
    struct exponential e = exponential(-x, rest);
    real small = power_of_two(-at_most(abs_(e.n), EXPONENT_BIAS - 1));
    real denominator = 1 + fma(sel(lt(x, 0), 1, small), e.q, small);
    return (struct reciprocal){denominator, at_most(-e.n, 0)};
}

/* numerator / (1 + e^(rest - x)), for |x| <= EXP_LIMIT. */
INLINE real logistic(real numerator, real x, real rest)
{
    struct reciprocal r = logistic_reciprocal(x, rest);
    return scale(numerator / r.denominator, r.n);
}

/* u (1 + rho) = sigmoid(t), and e^-t = 2^n (1 + q), for t with the rest -minus_rest, 0 <= t <= EXP_FAR: both sides of
   the sigmoid, sigmoid(-t) = e^-t sigmoid(t), to more than a real's digits. */
struct sigmoids {
    real u, rho;
    struct exponential e;
};

INLINE struct sigmoids sigmoids(real t, real minus_rest)
{
    struct exponential e = exponential(-t, minus_rest);
    real power = power_of_two(at_least(e.n, 1 - EXPONENT_BIAS));
    struct pair one_power = sum_of_ordered(real_(1), power);
    struct pair denominator = {fma(power, e.q, one_power.value), one_power.rest};
    denominator.rest = denominator.rest + fma(power, e.q, one_power.value - denominator.value);
    real u = 1 / denominator.value;
    real rho = fma(-u, denominator.rest, fma(-u, denominator.value, 1));
    return (struct sigmoids){u, rho, e};
}

/* 2^n (1 + q) (value + rest), as a pair without the 2^n. */
INLINE struct pair times_exponential(struct exponential e, struct pair factor)
{
    return sum_of_ordered(factor.value, fma(e.q, factor.value, fma(e.q, factor.rest, factor.rest)));
}

/* 2^n factor, the power kept apart: it may be below every number. */
struct scaled {
    struct pair factor;
    real n;
};

INLINE struct scaled sel_scaled(mask condition, struct scaled a, struct scaled b)
{
    return (struct scaled){sel_pair(condition, a.factor, b.factor), sel(condition, a.n, b.n)};
}

/* sigmoid'(t) = e^-t sigmoid(t)^2 for 0 <= t <= EXP_FAR. */
INLINE struct scaled logistic_slope(real t)
{
    struct sigmoids s = sigmoids(t, NO_REST);
    struct pair square = product_of(s.u, s.u);
    square.rest = fma(2 * s.rho, square.value, square.rest);
    return (struct scaled){times_exponential(s.e, square), s.e.n};
}

/* 2^shift sigmoid'(t) for 0 <= t <= EXP_LIMIT. */
INLINE real logistic_density(real t, int shift)
{
    struct scaled slope = logistic_slope(t);
    return scale(slope.factor.value, slope.n + (scalar)shift);
}

/* The derivative of x sigmoid(z(x)) on the negative side, z = -t: e^-t u (1 - p) for the sigmoids u of t and the pair
   p = h u without rho, h = x z'(x). */
INLINE struct scaled gate_slope_left(struct sigmoids s, struct pair product)
{
    struct pair bracket = sum_of_ordered(real_(1), -product.value);
    bracket.rest = bracket.rest - fma(product.value, s.rho, product.rest);
    struct pair factor = product_of(s.u, bracket.value);
    factor.rest = fma(factor.value, s.rho, fma(s.u, bracket.rest, factor.rest));
    return (struct scaled){times_exponential(s.e, factor), s.e.n};
}

/* silu'(-t), t with the rest -minus_rest, 0 <= t <= EXP_FAR. */
INLINE struct scaled silu_slope_left(real t, real minus_rest)
{
    struct sigmoids s = sigmoids(t, minus_rest);
    struct pair product = product_of(t, s.u);
    product.rest = product.rest - minus_rest * s.u;
    struct scaled near_root = {around_root(-t, minus_rest, SILU_ROOT, SILU_ROOT_P), real_(0)};
    return sel_scaled(le(abs_(-t - SILU_ROOT), SILU_ROOT_RADIUS), near_root, gate_slope_left(s, product));
}

/* f(x) from left = f(-|x|), where f(x) = 1 - f(-x). */
INLINE real mirrored(mask is_left, struct scaled left)
{
    real value = scale(left.factor.value, left.n);
    return sel(is_left, value, 1 - value);
}

/* tanh x: near 0 an odd polynomial; elsewhere 1 - 2/(e^2t + 1), t = |x|, whose second term is at most 1/2 and brings
   little error.  With e^2t = 2^-n (1 + 2q), q = r + r^2 P(r), that term is 2^n / (2^n / 2 + 1/2 + q).  The low part of
   ln 2 is left out of r: the term is as small as its share is large. */
INLINE real tanh_(real x)
{
    real square = x * x;
    real near = fma(x * square, polynomial(square, TANH_P), x);
    real t = abs_at_most(x, ONE_LIMIT);
    real sum = fma(t, -2 * LOG2E, POWER_ROUNDER), power = power_of_sum(sum);
    real r = fma(sum - POWER_ROUNDER, HALF_LN2, t);
    real denominator = fma(r * r, polynomial(r, EXP_TWICE_P), fma(power, (scalar)0.5, (scalar)0.5) + r);
    real far = 1 - power / denominator;
    /* A NaN comes from near; near has its sign but for -0. */
    return copysign_(sel(gt(square, TANH_SMALL * TANH_SMALL), far, near), x);
}

/* log(1 + e^-(t + rest)) for 0 <= t <= EXP_LIMIT.  It is 2 atanh s, s = 1/(1 + 2 e^t); with e^t = 2^-n (1 + q),
   s = 2^n u, u = 1/(2^n + 2 + 2q).  u is corrected by the residual of the division and by what the denominator lost. */
INLINE struct pair log1p_exp(real t, real rest)
{
    struct exponential e = exponential_down(t, rest);
    real small = power_of_two(at_least(e.n, 1 - EXPONENT_BIAS));
    struct pair base = sum_of_ordered(real_(2), small), denominator = sum_of_ordered(base.value, 2 * e.q);
    denominator.rest = fma(2, e.rest, base.rest + denominator.rest);
    real u = 1 / denominator.value;
    real rho = fma(-u, denominator.rest, fma(-u, denominator.value, 1));
    real s = small * u, square = s * s;
    real correction = fma(square, polynomial(square, ATANH_P), rho);
    real half = fma(u, correction, u), half_rest = fma(u, correction, u - half);
    return (struct pair){scale(2 * half, e.n), scale(2 * half_rest, e.n)};
}

/* Phi(-t) = 2^n (1 + q) (value + rest), 0 <= t <= TAIL_FAR: e^(-t^2/2) by its exact argument, times a polynomial in
   v = 1/(1 + t). */
struct normal_tail {
    struct exponential e;
    struct pair factor;
};

INLINE struct normal_tail normal_tail(real t)
{
    struct pair square = product_of(t, t);
    struct exponential e = exponential((scalar)-0.5 * square.value, (scalar)-0.5 * square.rest);
    struct pair denominator = sum_of_ordered(real_(1), t);
    real v = 1 / denominator.value;
    real rho = fma(-v, denominator.rest, fma(-v, denominator.value, 1));
    real w = fma(v, TAIL_SLOPE, TAIL_OFFSET), p = polynomial(w, TAIL_P);
    real s = fma(w, p, TAIL_MIDDLE), s_rest = fma(w, p, TAIL_MIDDLE - s);
    struct pair factor = product_of(v, s);
    factor.rest = fma(factor.value, rho, fma(v, s_rest, factor.rest));
    return (struct normal_tail){e, factor};
}

/* x/6, as good as the division. */
INLINE real sixth_of(real x) { return fma(x, SIXTH, x * SIXTH_LOW); }

#endif
