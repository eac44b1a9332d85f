/* softmax of the scores of attention, scale x + bias, and its gradient. */
#ifndef NUMACT_FORMULAS_ATTENTION_H
#define NUMACT_FORMULAS_ATTENTION_H

#include "formulas/softmax.h"

/* scale x + bias as a double-word.  -inf in either masks the entry whatever the other one is, NaN included.  The
   product is exact (two_prod), the sum of its upper part and the bias too (two_sum), and the two lower parts are added
   in one rounding, 2^-48 of the larger of product and bias for float32. */
INLINE struct dw biased_score(real x, real bias, real scale)
{
    struct dw product = two_prod(x, scale), sum = two_sum(product.hi, bias);
    struct dw score = fast_two_sum(sum.hi, sum.lo + product.lo);
    mask infinite = gt(absolute(sum.hi), LARGEST), masked = either(lt(product.hi, -LARGEST), lt(bias, -LARGEST));
    score.hi = select(masked, -INFINITE, select(infinite, sum.hi, score.hi));
    score.lo = select(either(masked, infinite), 0, score.lo);
    return score;
}

/* The same without bias, to the same bits as with a bias of 0. */
INLINE struct dw scaled_score(real x, real unused, real scale)
{
    (void)unused;
    struct dw score = two_prod(x, scale);
    score.lo = select(gt(absolute(score.hi), LARGEST), 0, score.lo);
    return score;
}

INLINE real biased_entry(real x, real bias, real scale) { return biased_score(x, bias, scale).hi; }
INLINE real scaled_entry(real x, real unused, real scale)
{
    (void)unused;
    return x * scale;
}

/* The shift of scores that are scaled already: the field `scale` keeps their own scale for the exponential. */
INLINE struct shift shift_of_scores(real max, real scale)
{
    struct shift shift = shift_of(max, splat(1), splat(0), splat(1));
    shift.scale = scale;
    return shift;
}

/* score.hi - origin is exact (see struct shift). */
INLINE struct dw score_exponential(struct dw score, const struct shift *shift)
{
    real z = at_least(at_most(score.hi - shift->origin, shift->top), shift->low);
    return exp_dw(z, score.lo, shift->rounder);
}
INLINE struct dw biased_exponential(real x, real bias, const struct shift *shift)
{
    return score_exponential(biased_score(x, bias, shift->scale), shift);
}
INLINE struct dw scaled_exponential(real x, real unused, const struct shift *shift)
{
    return score_exponential(scaled_score(x, unused, shift->scale), shift);
}

/* Where the origin is 0 no entry is +inf.  Entries below low / scale are taken for it: either has the power 0, as low is
   in the middle of what is rounded to its n. */
INLINE struct dw plain_scaled_exponential(real x, real unused, const struct shift *shift)
{
    (void)unused;
    struct dw score = two_prod(at_least(x, shift->low / shift->scale), shift->scale);
    return exp_dw(score.hi, score.lo, shift->rounder);
}

INLINE void attention_softmax_rows(const struct batch *b, ptrdiff_t n)
{
    const struct exponentials scaled = {{scaled_entry, -INFINITE, false, true}, shift_of_scores,
                                        plain_scaled_exponential, scaled_exponential, true};
    softmax_batch(scaled, b, n);
}
INLINE void attention_softmax_bias_rows(const struct batch *b, ptrdiff_t n)
{
    const struct exponentials biased = {{biased_entry, -INFINITE, true, true}, shift_of_scores,
                                        biased_exponential, biased_exponential, false};
    softmax_batch(biased, b, n);
}

INLINE void attention_softmax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, finite_product_of, softmax_grad_of, multiply_both);
}

#endif
