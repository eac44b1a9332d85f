/* Sums over the elements of rows and of columns, and the results of their elements. */
#ifndef NUMACT_LOOPS_NORM_SUMS_H
#define NUMACT_LOOPS_NORM_SUMS_H

#include "formulas/norm.h"
#include "loops/norm/elements.h"

/* Sums */

/* sum + term; the rounding error is added to lo, which only sums of doubles need. */
INLINE void add_term(wide *sum, wide *lo, wide term)
{
#if REAL_BITS == 32
    (void)lo;
    *sum = add_wide(*sum, term);
#else
    struct dw exact = two_sum(*sum, term);
    *sum = exact.hi;
    *lo = *lo + exact.lo;
#endif
}

struct sums {
    wide hi[PARTS / LANES], lo[PARTS / LANES];
};

INLINE struct dd total_of_parts(double *value, double *lo)
{
    for (int half = PARTS / 2; half; half /= 2) {
        for (int k = 0; k < half; k++) {
#if REAL_BITS == 32
            value[k] += value[k + half];
#else
            struct dd sum = two_sum_double(value[k], value[k + half]);
            value[k] = sum.hi;
            lo[k] += lo[k + half] + sum.lo;
#endif
        }
    }
    /* Beside an infinite sum lo is a NaN. */
    return (struct dd){value[0], REAL_BITS == 64 && value[0] - value[0] == 0 ? lo[0] : 0};
}

INLINE struct dd total(const struct sums *sums)
{
    ALIGNED double value[PARTS], lo[PARTS] = {0};
    UNROLL_VECTORS
    EACH_PART(k)
    {
        store_wide(value + k, sums->hi[k / LANES]);
        if (REAL_BITS == 64) store_wide(lo + k, sums->lo[k / LANES]);
    }
    return total_of_parts(value, lo);
}

/* sum / n: hi is a number of the elements' type. */
INLINE struct dd mean_of(struct dd sum, double n)
{
    scalar mean = (scalar)(sum.hi / n);
#if REAL_BITS == 32
    /* Exact: n is less than 2^29. */
    double residual = sum.hi - n * (double)mean;
#else
    scalar residuals[LANES];
    store(residuals, fma(-mean, n, sum.hi));
    double residual = residuals[0];
#endif
    double lo = (residual + sum.lo) / n;
    /* An infinite mean has no low part. */
    return (struct dd){(double)mean, mean - mean == 0 ? lo : 0};
}

INLINE struct constants constants_of(struct dd mean, double scale)
{
    return (struct constants){.mean = splat_wide(mean.hi), .mean_lo = splat_wide(mean.lo), .scale = splat_wide(scale)};
}

/* Positions are contiguous: a row */

struct row {
    const char *x, *dy;
    const double *weight, *bias;
    ptrdiff_t n;
};

INLINE struct elements load_elements(int uses, const scalar *x, const scalar *dy, const double *weight,
                                     const double *bias, ptrdiff_t i)
{
    struct elements e = {.x = load_wide(x + i)};
    if (uses & DY) e.dy = load_wide(dy + i);
    if (uses & WEIGHT) e.weight = load_doubles(weight + i);
    if (uses & BIAS) e.bias = load_doubles(bias + i);
    return e;
}

/* The same of up to LANES positions. */
INLINE struct elements load_part_of_elements(int uses, const scalar *x, const scalar *dy, const double *weight,
                                             const double *bias, ptrdiff_t i, ptrdiff_t lanes)
{
    struct elements e = {.x = wide_from_real(load_part(x + i, lanes))};
    if (uses & DY) e.dy = wide_from_real(load_part(dy + i, lanes));
    if (uses & WEIGHT) e.weight = load_doubles(weight + i);
    if (uses & BIAS) e.bias = load_doubles(bias + i);
    return e;
}

/* The sums of one term or two over a row.  x is prefetched `ahead` bytes ahead, unless that is 0. */
INLINE void sum_row(const struct numact_norm *call, terms_formula *f, int count, int uses, struct row row,
                    struct constants c, ptrdiff_t ahead, struct dd *totals)
{
    struct sums sums[2] = {0};
    scalar x_buffer[CHUNK], dy_buffer[CHUNK];
    for (ptrdiff_t start = 0; start < row.n; start += CHUNK) {
        const ptrdiff_t n = smaller(row.n - start, CHUNK), whole = n / PARTS * PARTS;
        const scalar *x = fetched(call, row.x + start * call->width, n, x_buffer);
        const scalar *dy = uses & DY ? fetched(call, row.dy + start * call->width, n, dy_buffer) : x;
        const double *weight = uses & WEIGHT ? row.weight + start : NULL;
        for (ptrdiff_t i = 0; i < whole; i += PARTS) {
            if (ahead) prefetch(row.x + (start + i) * call->width + ahead, PARTS * call->width);
            UNROLL_VECTORS
            EACH_PART(k)
            {
                wide terms[2];
                f(load_elements(uses, x, dy, weight, NULL, i + k), c, terms);
                for (int j = 0; j < count; j++)
                    add_term(&sums[j].hi[k / LANES], &sums[j].lo[k / LANES], terms[j]);
            }
        }
        if (whole < n) {
            EACH_PART(k)
            {
                const ptrdiff_t lanes = lanes_in(n - whole - k);
                wide terms[2];
                if (!lanes) break;
                f(load_part_of_elements(uses, x, dy, weight, NULL, whole + k, lanes), c, terms);
                for (int j = 0; j < count; j++)
                    add_term(&sums[j].hi[k / LANES], &sums[j].lo[k / LANES], mask_lanes(terms[j], lanes));
            }
        }
    }
    for (int j = 0; j < count; j++)
        totals[j] = total(&sums[j]);
}

/* to = f of exactly n positions. */
INLINE void map_positions(formula *f, int uses, const scalar *x, const scalar *dy, const double *weight,
                       const double *bias, struct constants c, scalar *to, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        if (LANES > 1) { /* one prefetch for each vector; a loop over scalars would issue one for each of them */
            __builtin_prefetch((const char *)(x + i) + AHEAD, 0);
            __builtin_prefetch((char *)(to + i) + AHEAD, 1);
        }
        store(to + i, real_from_wide(f(load_elements(uses, x, dy, weight, bias, i), c)));
    }
    if (LANES > 1 && i < n)
        store_part(to + i, real_from_wide(f(load_part_of_elements(uses, x, dy, weight, bias, i, n - i), c)), n - i);
}

INLINE void map_row(const struct numact_norm *call, formula *f, int uses, struct row row, struct constants c, char *out)
{
    scalar x_buffer[CHUNK], dy_buffer[CHUNK], out_buffer[CHUNK];
    for (ptrdiff_t start = 0; start < row.n; start += CHUNK) {
        const ptrdiff_t n = smaller(row.n - start, CHUNK), byte = start * call->width;
        const scalar *x = fetched(call, row.x + byte, n, x_buffer);
        const scalar *dy = uses & DY ? fetched(call, row.dy + byte, n, dy_buffer) : x;
        scalar *to = target(call, out + byte, out_buffer);
        const double *weight = uses & WEIGHT ? row.weight + start : NULL, *bias = uses & BIAS ? row.bias + start : NULL;
        map_positions(f, uses, x, dy, weight, bias, c, to, n);
        narrow_to(call, to, out + byte, n);
        if (call->activation) activate(call, out + byte, n);
    }
}

/* Adds two terms of every position to contiguous sums: two rows of hi, each with a row of lo behind it. */
INLINE void add_row(const struct numact_norm *call, terms_formula *f, struct row row, struct constants c, double *sums)
{
    scalar x_buffer[CHUNK], dy_buffer[CHUNK];
    for (ptrdiff_t start = 0; start < row.n; start += CHUNK) {
        const ptrdiff_t n = smaller(row.n - start, CHUNK);
        const scalar *x = fetched(call, row.x + start * call->width, n, x_buffer);
        const scalar *dy = fetched(call, row.dy + start * call->width, n, dy_buffer);
        UNROLL_VECTORS
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            wide terms[2];
            f(load_part_of_elements(X | DY, x, dy, NULL, NULL, i, lanes_in(n - i)), c, terms);
            for (int j = 0; j < 2; j++) {
                double *value = sums + 2 * j * call->partial_length + start + i, *lo = value + call->partial_length;
                wide sum = load_doubles(value), lost = load_doubles(lo);
                add_term(&sum, &lost, terms[j]);
                store_wide(value, sum);
                if (REAL_BITS == 64) store_wide(lo, lost);
            }
        }
    }
}

/* Channels are contiguous: positions are strided */

/* The constants of LANES channels. */
INLINE struct constants constants_at(const struct numact_norm *call, ptrdiff_t channel)
{
    struct constants c = {.mean = load_doubles(call->mean + channel),
                          .mean_lo = load_doubles(call->mean_lo + channel),
                          .scale = load_doubles(call->scale + channel)};
    if (call->shift) c.shift = load_doubles(call->shift + channel);
    if (call->dy_mean) c.dy_mean = load_doubles(call->dy_mean + channel);
    if (call->slope) c.slope = load_doubles(call->slope + channel);
    return c;
}

/* Partial sums of COLUMNS channels. */
struct columns {
    ALIGNED double hi[PARTS][COLUMNS], lo[PARTS][COLUMNS];
};

/* The sums over the positions of one sample, of up to COLUMNS channels from the given one.  The mean,
   if the terms need them, may be read up to LANES beyond the last channel. */
INLINE void sum_columns(const struct numact_norm *call, terms_formula *f, int count, int uses, ptrdiff_t sample,
                        ptrdiff_t channel, ptrdiff_t n, const double *mean, const double *mean_lo,
                        struct dd (*totals)[COLUMNS])
{
    struct columns sums[2];
    scalar x_buffer[COLUMNS], dy_buffer[COLUMNS];
    memset(sums, 0, (size_t)count * sizeof *sums);
    for (ptrdiff_t position = 0; position < call->positions; position++) {
        const char *from = slice_start(call->x, sample, channel, position);
        const scalar *x = fetched(call, from, n, x_buffer), *dy = x;
        prefetch(from + 8 * call->x.position, COLUMNS * (ptrdiff_t)sizeof(scalar));
        if (uses & DY) dy = fetched(call, slice_start(call->dy, sample, channel, position), n, dy_buffer);
        UNROLL_VECTORS
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            struct constants c = {0};
            wide terms[2];
            if (mean) c = (struct constants){.mean = load_doubles(mean + i), .mean_lo = load_doubles(mean_lo + i)};
            f(load_part_of_elements(uses, x, dy, NULL, NULL, i, lanes_in(n - i)), c, terms);
            for (int j = 0; j < count; j++) {
                double *value = sums[j].hi[position % PARTS] + i, *lo = sums[j].lo[position % PARTS] + i;
                wide sum = load_doubles(value), lost = load_doubles(lo);
                add_term(&sum, &lost, terms[j]);
                store_wide(value, sum);
                if (REAL_BITS == 64) store_wide(lo, lost);
            }
        }
    }
    for (int j = 0; j < count; j++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double value[PARTS], lo[PARTS];
            for (int k = 0; k < PARTS; k++) {
                value[k] = sums[j].hi[k][i];
                lo[k] = sums[j].lo[k][i];
            }
            totals[j][i] = total_of_parts(value, lo);
        }
}

/* How many positions with all their channels are computed together. */
INLINE ptrdiff_t positions_together(const struct numact_norm *call)
{
    return call->channels < CHUNK ? CHUNK / call->channels : 1;
}

INLINE void map_columns(const struct numact_norm *call, formula *f, int uses, ptrdiff_t sample, ptrdiff_t first)
{
    scalar x_buffer[CHUNK], dy_buffer[CHUNK], out_buffer[CHUNK];
    const ptrdiff_t last = smaller(first + positions_together(call), call->positions);
    const bool dense = call->out.position == call->channels * call->width && call->channels < CHUNK;
    for (ptrdiff_t position = first; position < last; position++)
        for (ptrdiff_t start = 0; start < call->channels; start += CHUNK) {
            const ptrdiff_t n = smaller(call->channels - start, CHUNK);
            const scalar *x = fetched(call, slice_start(call->x, sample, start, position), n, x_buffer), *dy = x;
            if (uses & DY) dy = fetched(call, slice_start(call->dy, sample, start, position), n, dy_buffer);
            char *out = slice_start(call->out, sample, start, position);
            scalar *to = target(call, out, out_buffer);
            ptrdiff_t i = 0;
            UNROLL_VECTORS
            for (; i <= n - LANES; i += LANES)
                store(to + i, real_from_wide(f(load_elements(uses, x, dy, NULL, NULL, i), constants_at(call, start + i))));
            if (LANES > 1 && i < n)
                store_part(to + i, real_from_wide(f(load_part_of_elements(uses, x, dy, NULL, NULL, i, n - i),
                                              constants_at(call, start + i))), n - i);
            narrow_to(call, to, out, n);
            if (call->activation && !dense) activate(call, out, n);
        }
    if (call->activation && dense)
        activate(call, slice_start(call->out, sample, 0, first), (last - first) * call->channels);
}

#endif
