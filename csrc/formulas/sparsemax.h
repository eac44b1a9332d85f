/* sparsemax, the projection on the simplex, and its gradient. */
#ifndef NUMACT_FORMULAS_SPARSEMAX_H
#define NUMACT_FORMULAS_SPARSEMAX_H

#include "formulas/row_sums.h"

/* x - tau > 0 of an entry within 1 of the maximum, else 0; x - max exactly, as a double-word, and tau relative to
   the maximum. */
INLINE real above_threshold(real x, scalar max, struct dw tau)
{
    struct dw distance = two_sum(x, -splat(max));
    real above = (distance.hi - tau.hi) + (distance.lo - tau.lo);
    return select(gt(distance.hi, -1), at_least(above, 0), 0);
}

/* The sum and number of the entries above tau, relative to the maximum. */
INLINE ptrdiff_t support_above(const scalar *x, ptrdiff_t n, scalar max, struct dw tau, struct dd *sum)
{
    struct sums sums = {0};
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n; i += PARTS) {
        ALIGNED scalar block[PARTS];
        UNROLL_VECTORS
        EACH_PART(k)
        {
            real value = load_padded(x + i + k, lanes_in(n - i - k), -INFINITE);
            struct dw distance = two_sum(value, -splat(max));
            mask inside = gt(above_threshold(value, max, tau), 0);
            store(block + k, select(inside, distance.hi, 0));
            sums.lo[k / LANES] = sums.lo[k / LANES] + select(inside, distance.lo, 0);
            count += count_true(inside);
        }
        add_block(&sums, block);
    }
    *sum = total(&sums);
    return count;
}

/* The projection on the simplex: tau is such that the entries above it exceed it by 1 in all.  From all entries
   within 1 of the maximum, those that are not above the tau of the others drop out, until none does (Michelot,
   1986). */
INLINE void sparsemax_row(const scalar *x, scalar *y, ptrdiff_t n, scalar max)
{
    bool infinite = max - max != 0, nan = has_nan(x, n);
    if (nan || max < -LARGEST) {
        fill(y, n, nan ? NOT_A_NUMBER : 0);
        return;
    }
    if (infinite) { /* the infinite entries share */
        ptrdiff_t count = 0;
        for (ptrdiff_t i = 0; i < n; i++)
            count += x[i] == max;
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = x[i] == max ? 1 / (scalar)count : 0;
        return;
    }
    struct dw tau = {splat(-1), splat(0)};
    struct dd sum;
    for (ptrdiff_t before = PTRDIFF_MAX, count; (count = support_above(x, n, max, tau, &sum)) < before; before = count) {
        struct dd excess = two_sum_double(sum.hi, -1);
        excess.lo += sum.lo;
        tau = dd_div(excess, (struct dd){(double)count, 0});
    }
    ptrdiff_t i = 0;
#pragma GCC ivdep
    for (; i <= n - LANES; i += LANES)
        store(y + i, above_threshold(load(x + i), max, tau));
    if (LANES > 1 && i < n) store_part(y + i, above_threshold(load_part(x + i, n - i), max, tau), n - i);
}

INLINE void sparsemax_rows(const struct batch *b, ptrdiff_t n)
{
    scalar max[BATCH_ROWS];
    largest_of_rows(b, n, max);
    for (int r = 0; r < b->rows; r++)
        sparsemax_row(b->in[0][r], b->out[r], n, max[r]);
}

/* dy on the support; a NaN of y passes. */
INLINE struct dw on_support(real dy, real y, const struct shift *unused)
{
    (void)unused;
    return (struct dw){select(le(y, 0), 0, dy + (y - y)), NO_LOW};
}
INLINE struct dw support_of(real dy, real y, const struct shift *unused)
{
    (void)dy, (void)unused;
    return (struct dw){select(gt(y, 0), 1, 0), NO_LOW};
}
INLINE struct dw sparsemax_grad_of(struct dw dy, real y, struct dw mean)
{
    mask none = le(y, 0);
    return (struct dw){select(none, 0, dy.hi - mean.hi), select(none, 0, -mean.lo)};
}
INLINE void sparsemax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    for (int r = 0; r < b->rows; r++) {
        const scalar *dy = b->in[0][r], *y = b->in[1][r];
        struct dd sum = sum_over(on_support, dy, y, n), count = sum_over(support_of, dy, y, n);
        apply(sparsemax_grad_of, PLAIN, dy, y, b->out[r], n, dd_div(sum, count), UNSCALED);
    }
}

#endif
