/* Normalisation: means and variances of slices, what follows from them element by element, and the gradients of both.

   An array is samples x channels x positions.  Batch normalisation takes statistics of each channel over samples and
   positions, layer and RMS normalisation of each sample over its positions (there is one channel).  Everything is
   computed in double: for float32, whose elements, differences and squares it holds exactly or to twice their digits,
   plain sums are as good as exact; for float64 they are compensated.

   The mean of a slice is a double-word: hi is rounded to the elements' type, so that x - hi is exact wherever it
   cancels. The variance is that of these differences, so that a mean far from 0 costs no digits.  Statistics of a
   channel are joined from those of its slices, by a sum of terms that are never negative (Chan, Golub and LeVeque,
   "Algorithms for computing the sample variance", 1983): so memory is read once.

   Sums have one order, whatever the strides, the dispatch target and the division into tasks: position i of a slice
   is added to the partial sum i mod PARTS, the upper half of these to the lower one until one is left, and slices
   and blocks of rows in their order.  There is no fused multiply-add here, which not every dispatch target has for
   the doubles of a float32. */
#ifndef NUMACT_FORMULAS_NORM_H
#define NUMACT_FORMULAS_NORM_H

#include "math/elementary.h"

/* Formulas: of the elements of LANES positions, and of constants of their channel or row */

struct elements {
    wide x, dy, weight, bias;
};

struct constants {
    wide mean, mean_lo, scale, shift, dy_mean, slope;
};

/* What a formula takes from memory. */
enum uses { X = 1, DY = 2, WEIGHT = 4, BIAS = 8 };

typedef wide formula(struct elements e, struct constants c);
/* Terms of one sum or two. */
typedef void terms_formula(struct elements e, struct constants c, wide *terms);

INLINE wide deviation(struct elements e, struct constants c) { return sub_wide(sub_wide(e.x, c.mean), c.mean_lo); }

INLINE wide batch_result(struct elements e, struct constants c)
{
    return add_wide(mul_wide(deviation(e, c), c.scale), c.shift);
}
INLINE wide layer_result(struct elements e, struct constants c)
{
    return add_wide(mul_wide(mul_wide(deviation(e, c), c.scale), e.weight), e.bias);
}
INLINE wide rms_result(struct elements e, struct constants c) { return mul_wide(mul_wide(e.x, c.scale), e.weight); }

/* (dy - mean dy - t mean(dy t) / variance) scale, where t is the deviation and slope the quotient. */
INLINE wide batch_gradient(struct elements e, struct constants c)
{
    return mul_wide(sub_wide(sub_wide(e.dy, c.dy_mean), mul_wide(deviation(e, c), c.slope)), c.scale);
}
INLINE wide layer_gradient(struct elements e, struct constants c)
{
    wide dy = mul_wide(e.dy, e.weight);
    return mul_wide(sub_wide(sub_wide(dy, c.dy_mean), mul_wide(deviation(e, c), c.slope)), c.scale);
}
INLINE wide rms_gradient(struct elements e, struct constants c)
{
    return mul_wide(sub_wide(mul_wide(e.dy, e.weight), mul_wide(e.x, c.slope)), c.scale);
}

INLINE void value_term(struct elements e, struct constants c, wide *terms)
{
    (void)c;
    terms[0] = e.x;
}
INLINE void deviation_term(struct elements e, struct constants c, wide *terms)
{
    wide t = deviation(e, c);
    terms[0] = mul_wide(t, t);
}
INLINE void square_term(struct elements e, struct constants c, wide *terms)
{
    (void)c;
    terms[0] = mul_wide(e.x, e.x);
}
INLINE void batch_gradient_terms(struct elements e, struct constants c, wide *terms)
{
    terms[0] = e.dy;
    terms[1] = mul_wide(e.dy, deviation(e, c));
}
INLINE void layer_gradient_terms(struct elements e, struct constants c, wide *terms)
{
    terms[0] = mul_wide(e.dy, e.weight);
    terms[1] = mul_wide(terms[0], deviation(e, c));
}
INLINE void rms_gradient_terms(struct elements e, struct constants c, wide *terms)
{
    (void)c;
    terms[0] = mul_wide(mul_wide(e.dy, e.weight), e.x);
}
/* Of the gradients by bias and weight. */
INLINE void layer_weight_terms(struct elements e, struct constants c, wide *terms)
{
    terms[0] = e.dy;
    terms[1] = mul_wide(e.dy, mul_wide(deviation(e, c), c.scale));
}
INLINE void rms_weight_terms(struct elements e, struct constants c, wide *terms)
{
    terms[0] = e.dy;
    terms[1] = mul_wide(e.dy, mul_wide(e.x, c.scale));
}

#endif
