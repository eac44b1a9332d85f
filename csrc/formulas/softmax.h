/* softmax, softmin and their gradients. */
#ifndef NUMACT_FORMULAS_SOFTMAX_H
#define NUMACT_FORMULAS_SOFTMAX_H

#include "formulas/shifted_exp.h"

/* to = from times the factor; where `from` is padded, it may be read in whole vectors. */
INLINE void multiply(const scalar *from, scalar *to, ptrdiff_t n, bool padded, struct dw factor)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        real value = load(from + i);
        store(to + i, fma(value, factor.hi, value * factor.lo));
    }
    if (LANES > 1 && i < n) {
        real value = padded ? load(from + i) : load_part(from + i, n - i);
        store_part(to + i, fma(value, factor.hi, value * factor.lo), n - i);
    }
}

/* The inverses of a group's sums, as double-words. */
struct inverses {
    scalar hi[ROWS], lo[ROWS];
};

/* For a row of -inf the inverse is 0, unless there is a NaN in it. */
INLINE void inverses_of(const struct sums *rows, int count, const scalar *max, struct inverses *inverses)
{
    struct totals sums;
    totals_of(rows, count, &sums);
#if REAL_BITS == 32
    for (int r = 0; r < ROWS; r++) {
        double inverse = max[r] < -LARGEST ? sums.hi[r] * 0 : 1 / sums.hi[r];
        inverses->hi[r] = (scalar)inverse;
        inverses->lo[r] = (scalar)(inverse - (double)inverses->hi[r]);
    }
#else
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        real sum = load(sums.hi + r), inverse = 1 / sum;
        real residual = fma(-inverse, load(sums.lo + r), fma(-inverse, sum, 1));
        mask nothing = lt(load(max + r), -LARGEST);
        store(inverses->hi + r, select(nothing, sum * 0, inverse));
        store(inverses->lo + r, select(nothing, 0, inverse * residual));
    }
#endif
}

/* Whether the terms of a row are kept in scratch of whole blocks. */
INLINE bool is_padded(ptrdiff_t length) { return length <= SHORT && length % PARTS; }

/* Each step is taken for all rows of a group before the next one, so that the processor has several rows to work on
   at a time. */
INLINE void softmax_batch(struct exponentials e, const struct batch *b, ptrdiff_t n)
{
    const struct summation plainly = {e.plain, e.entries.pad, b->ahead},
                           generally = {e.general, e.entries.pad, b->ahead};
    ALIGNED scalar terms[ROWS][SHORT];
    struct ahead ahead[2];
    look_ahead(e, b, 0, n, &ahead[0]);
    for (int first = 0, k = 0; first < b->rows; first += ROWS, k = 1 - k) {
        const int rows = rows_of_group(b, first);
        struct sums sums[ROWS];
        for (int r = 0; r < rows; r++) {
            const scalar *x = b->in[0][first + r], *bias = b->in[e.entries.paired][first + r];
            const ptrdiff_t length = length_of(e.entries, b, first + r, n);
            const struct shift shift = shift_at(&ahead[k].shifts, r);
            const bool padded = is_padded(length);
            scalar *out = b->out[first + r], *y = padded ? terms[r] : out, *due = out + WRITE_AHEAD;
            if (ahead[k].is_plain)
                sum_terms(plainly, x, bias, length, &shift, y, padded, due, &sums[r]);
            else
                sum_terms(generally, x, bias, length, &shift, y, padded, due, &sums[r]);
        }
        look_ahead(e, b, first + ROWS, n, &ahead[1 - k]);
        struct inverses inverses;
        inverses_of(sums, rows, ahead[k].max, &inverses);
        for (int r = 0; r < rows; r++) {
            const ptrdiff_t length = length_of(e.entries, b, first + r, n);
            const bool padded = is_padded(length);
            struct dw factor = {splat(inverses.hi[r]), splat(inverses.lo[r])};
            multiply(padded ? terms[r] : b->out[first + r], b->out[first + r], length, padded, factor);
        }
    }
}
INLINE void softmax_rows(const struct batch *b, ptrdiff_t n)
{
    softmax_batch(UPWARD, b, n);
}
INLINE void softmin_rows(const struct batch *b, ptrdiff_t n)
{
    softmax_batch(DOWNWARD, b, n);
}

/* y (dy - sum): y dy is not rounded, and what y sum loses is in the lower part. */
INLINE struct dw softmax_grad_of(struct dw dy, real y, struct dw sum)
{
    struct dw product = two_prod(y, sum.hi);
    return (struct dw){fma(y, dy.hi, -product.hi), fma(y, dy.lo - sum.lo, -product.lo)};
}
INLINE void softmax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, finite_product_of, softmax_grad_of, divide_both);
}

INLINE struct dw softmin_grad_of(struct dw dy, real y, struct dw sum) { return softmax_grad_of(dy, -y, sum); }
INLINE void softmin_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, finite_product_of, softmin_grad_of, divide_both);
}

#endif
