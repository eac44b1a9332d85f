/* Polynomials by Horner's rule, and functions that are given by one polynomial for each segment of their argument,
   whose coefficients are looked up in a table. */
#ifndef NUMACT_MATH_POLYNOMIAL_H
#define NUMACT_MATH_POLYNOMIAL_H

#include "math/double_word.h"
#if REAL_BITS == 32
#include "math/coefficients_f32.h"
#else
#include "math/coefficients_f64.h"
#endif

/* c[0] + c[1] x + ... + c[degree] x^degree by Horner's rule.  A long one keeps Horner's last step, so that the error
   stays at half an ulp where c[0] leads, and evaluates what remains as a polynomial in x^2 for the even and one for
   the odd powers: two chains that the processor runs side by side. */
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

/* The same of -x: with the signs of the odd powers changed, at compile time. */
INLINE real horner_neg(real x, const scalar *c, int degree)
{
    scalar alternating[16];
#pragma GCC unroll 16
    for (int k = 0; k <= degree; k++)
        alternating[k] = k % 2 ? -c[k] : c[k];
    return horner(x, alternating, degree);
}
#define polynomial_neg(x, c) horner_neg(x, c, DEGREE(c))

/* A function of t >= 0 from a table: c[1] + c[2] d + ... + c[degree + 1] d^degree, d = t - c[0], where each segment
   of 1 + step t, which is below 16, has its own c.  It is first + d (slope + slope_lo) + more, first = c[1]; at a
   root c[0] is the root, so that nothing cancels. */
struct piecewise {
    real first, d, slope, slope_lo, more;
};

INLINE struct piecewise piecewise_at(real t, segment s, const scalar *table, int row, int degree)
{
    real c[32];
    table_lookup(table, row, degree + 2, s, c);
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
    return (struct piecewise){c[1], d, sum, fma_in_double(d, slope, c[2] - sum), NO_LOW};
}
#define TABLE(table) *table, (int)(sizeof *table / sizeof **table), table##_DEGREE
#define piecewise(t, table) piecewise_at(t, segment_of(fma(t, table##_STEP, 1), SEGMENT_DIGITS), TABLE(table))
/* The same for any t: the last segment reaches on to infinity. */
#define piecewise_extended(t, table) \
    piecewise_at(t, segment_of(at_most(fma(t, table##_STEP, 1), (scalar)15.5), SEGMENT_DIGITS), TABLE(table))

/* The same from a table whose upper half belongs to another side: for any t, and for equal segments of 0 <= t <= 1. */
#define piecewise_side(upper, t, table) \
    piecewise_at(t, segment_of_side(upper, at_most(fma(t, 2 * table##_STEP, 2), 31), SEGMENT_DIGITS - 1), TABLE(table))
#define piecewise_side_uniform(upper, t, table) \
    piecewise_at(t, segment_of_side(upper, fma(t, 2 * table##_STEP, 2), SEGMENT_DIGITS + 1), TABLE(table))

/* The same of t + lo, |lo| at most about an ulp. */
INLINE struct piecewise shift_argument(struct piecewise f, real lo)
{
    f.more = f.slope * lo;
    return f;
}

/* Two parts, the second of which is smaller and the more accurate for it; and, since they cancel around a root, the
   value with its rounding error. */
INLINE struct dw unevaluated_sum(struct piecewise f) { return (struct dw){f.first, fma(f.d, f.slope, f.more)}; }
INLINE struct dw normalized_sum(struct piecewise f)
{
    real value = fma(f.d, f.slope, f.first);
    return (struct dw){value, fma(f.d, f.slope_lo, fma_in_double(f.d, f.slope, f.first - value)) + f.more};
}

#endif
