/* Maxima along an axis: hardmax and maxout; and the gradient of prelu by its weight, a sum along an axis. */
#ifndef NUMACT_FORMULAS_MAXOUT_H
#define NUMACT_FORMULAS_MAXOUT_H

#include "formulas/row_sums.h"

/* 1 where an entry is the maximum, else 0; afterwards the ones behind the first are taken back, if there are any, and a
   NaN makes the row NaN. */
INLINE void hardmax_rows(const struct batch *b, ptrdiff_t n)
{
    scalar max[BATCH_ROWS];
    largest_of_rows(b, n, max);
    for (int r = 0; r < b->rows; r++) {
        const scalar *x = b->in[0][r];
        scalar *y = b->out[r];
        const scalar other = max[r] > LARGEST ? 0 : INFINITE; /* stands behind the end: not the maximum */
        ptrdiff_t largest = 0;
        lanes unordered = 0;
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            const ptrdiff_t count = lanes_in(n - i);
            real value = count == LANES ? load(x + i) : load_padded(x + i, count, other);
            mask is_largest = eq(value, max[r]);
            unordered |= lanes_from_mask(not_le(value, value));
            largest += count_true(is_largest);
            if (count == LANES)
                store(y + i, select(is_largest, 1, 0));
            else
                store_part(y + i, select(is_largest, 1, 0), count);
        }
        const bool nan = unordered != 0;
        if (nan) fill(y, n, NOT_A_NUMBER);
        for (ptrdiff_t i = n; !nan && largest > 1; largest--) {
            while (y[--i] == 0) continue;
            y[i] = 0;
        }
    }
}

/* The largest piece of each of `count` groups so far, and its index, after the pieces of one more index.  The first of
   equals stays, and a NaN is larger than any number.  The indices are bit patterns, which are only selected. */
INLINE void larger_pieces(const scalar *x, scalar *best, scalar *which, scalar index, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i += LANES) {
        real piece = load(x + i), most = load(best + i);
        mask larger = either(gt(piece, most), both(not_le(piece, piece), eq(most, most)));
        store(best + i, select_real(larger, piece, most));
        store(which + i, select_real(larger, splat(index), load(which + i)));
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
