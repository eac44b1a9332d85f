/* Maxima along an axis: hardmax and maxout; and the gradient of prelu by its weight, a sum along an axis. */
#ifndef NUMACT_FORMULAS_MAXOUT_H
#define NUMACT_FORMULAS_MAXOUT_H

#include "formulas/row_sums.h"

INLINE void hardmax_rows(const struct batch *b, ptrdiff_t n)
{
    scalar max[BATCH_ROWS];
    largest_of_rows(b, n, max);
    for (int r = 0; r < b->rows; r++) {
        const scalar *x = b->in[0][r];
        bool nan = has_nan(x, n);
        ptrdiff_t first = 0;
        while (!nan && first < n && x[first] != max[r])
            first++;
        fill(b->out[r], n, nan ? NOT_A_NUMBER : 0);
        if (!nan && n) b->out[r][first] = 1;
    }
}

INLINE struct dw weight_term(real dy, real x, const struct shift *unused)
{
    struct dw product = finite_product_of(dy, x, unused);
    mask positive = gt(x, 0);
    return (struct dw){select(positive, 0, product.hi), select(positive, 0, product.lo)};
}
INLINE void prelu_weight_grad_rows(const struct batch *b, ptrdiff_t n)
{
    for (int r = 0; r < b->rows; r++) {
        struct dd sum = sum_over(weight_term, b->in[0][r], b->in[1][r], n);
        b->out[r][0] = (scalar)(sum.hi + sum.lo);
    }
}

#endif
