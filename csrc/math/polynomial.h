/* Polynomials by Horner's rule, and piecewise polynomials: one polynomial for each segment of the argument, whose
   coefficients a table holds. */
#ifndef NUMACT_MATH_POLYNOMIAL_H
#define NUMACT_MATH_POLYNOMIAL_H

#include "math/double_word.h"
#if REAL_BITS == 32
#include "math/coefficients_f32.h"
#else
#include "math/coefficients_f64.h"
#endif

/* c[0] + c[1] x + ... + c[degree] x^degree.  Below degree 6 by Horner's rule.  From there on the last step of Horner's
   rule, x P + c[0], is kept, so that the error stays at half an ulp where c[0] dominates; P is split into a polynomial
   in x^2 for the even powers and one for the odd powers: two independent chains, half as long (second-order Horner's
   rule, Knuth, TAOCP 2, section 4.6.4). */
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

/* The same polynomial of -x: the odd coefficients change sign at compile time, which saves the negation of x. */
INLINE real horner_neg(real x, const scalar *c, int degree)
{
    scalar alternating[16];
#pragma GCC unroll 16
    for (int k = 0; k <= degree; k++)
        alternating[k] = k % 2 ? -c[k] : c[k];
    return horner(x, alternating, degree);
}
#define polynomial_neg(x, c) horner_neg(x, c, DEGREE(c))

/* A piecewise polynomial at t >= 0: f(t) = c[1] + c[2] d + ... + c[degree + 1] d^degree, d = t - c[0].  Every segment
   of 1 + STEP t in [1, 16) has its own centre c[0] and coefficients.  The value is kept in parts,
       f(t) = at_centre + d (slope + slope_lo) + correction,   at_centre = c[1] = f(c[0]),
   so that the caller decides where to round.  In the segment of a root of f, c[0] is the root, rounded, so that nothing
   cancels. */
struct piecewise {
    real at_centre, d, slope, slope_lo, correction;
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

/* piecewise: t within the table.  piecewise_extended: any t >= 0, the last segment extends to infinity.
   piecewise_side: two functions, one for each sign of x, share a table; `upper` selects its upper half.  Any t >= 0.
   piecewise_side_uniform: the same with segments of equal width, 0 <= t <= 1. */
#define TABLE(table) *table, (int)(sizeof *table / sizeof **table), table##_DEGREE
#define piecewise(t, table) piecewise_at(t, segment_of(fma(t, table##_STEP, 1), SEGMENT_DIGITS), TABLE(table))
#define piecewise_extended(t, table) \
    piecewise_at(t, segment_of(at_most(fma(t, table##_STEP, 1), (scalar)15.5), SEGMENT_DIGITS), TABLE(table))
#define piecewise_side(upper, t, table) \
    piecewise_at(t, segment_of_side(upper, at_most(fma(t, 2 * table##_STEP, 2), 31), SEGMENT_DIGITS - 1), TABLE(table))
#define piecewise_side_uniform(upper, t, table) \
    piecewise_at(t, segment_of_side(upper, fma(t, 2 * table##_STEP, 2), SEGMENT_DIGITS + 1), TABLE(table))

/* f(t + lo) = f(t) + f'(t) lo, |lo| at most about an ulp of t; slope stands for f'(t). */
INLINE struct piecewise shift_argument(struct piecewise f, real lo)
{
    f.correction = f.slope * lo;
    return f;
}

/* f(t) as hi + lo.  unevaluated_sum: hi = f(c[0]), lo is smaller than hi, but not below an ulp of it; enough where f
   has no root.  normalized_sum: hi = f(t) rounded, lo its rounding error; near a root, where the two terms cancel. */
INLINE struct dw unevaluated_sum(struct piecewise f)
{
    return (struct dw){f.at_centre, fma(f.d, f.slope, f.correction)};
}
INLINE struct dw normalized_sum(struct piecewise f)
{
    real value = fma(f.d, f.slope, f.at_centre);
    return (struct dw){value, fma(f.d, f.slope_lo, fma_in_double(f.d, f.slope, f.at_centre - value)) + f.correction};
}

#endif
