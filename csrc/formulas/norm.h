/* Normalisation: means and variances of slices, what follows from them element by element, and the gradients of both.

   An array is samples x channels x places.  Batch normalisation takes statistics of each channel over samples and places,
   layer and RMS normalisation of each sample over its places (there is one channel).  Everything is computed in double:
   for float32, whose elements, differences and squares it holds exactly or to twice their digits, plain sums are as good
   as exact; for float64 they are compensated.

   The mean of a slice is a pair: the mean rounded to the elements' type, which x - mean is exact for wherever it cancels,
   and a rest.  The variance is that of these differences, so nothing is lost to a mean far from 0.  Statistics of a channel
   are joined from those of its slices, by a sum of terms that are never negative (Chan, Golub and LeVeque, "Algorithms for
   computing the sample variance", 1983): so memory is read once.

   Sums have one order, whatever the strides, the level and the division into tasks: place i of a slice is added to the
   partial sum i mod PARTS, the upper half of these to the lower one until one is left, and slices and blocks of rows in
   their order.  There is no fused multiply-add here, which not every level has for the doubles of a float32. */
#ifndef NUMACT_FORMULAS_NORM_H
#define NUMACT_FORMULAS_NORM_H

#include "math/elementary.h"
#include "numact.h"
#if REAL_BITS == 32
#include "simd/half.h"
#endif

enum {
    PARTS = 32,         /* partial sums of a slice */
    CHUNK = 1024,       /* places or channels that are computed at a time, and stay in the first cache */
    COLUMNS = 64,       /* channels side by side whose sums are taken at a time */
    BLOCK_ROWS = 64,    /* rows whose part of a weight's gradient is summed at a time */
    ROWS = 4,           /* rows of partial and total sums, of partial_length and total_length */
    LINE = 64,          /* bytes of a cache line */
    AHEAD = 4096,       /* memory is asked for so many bytes before it is used: the processor does so within a page only */
    TOGETHER = 8,       /* rows that are computed together, at most, so that sums need not be waited for */
    TOGETHER_BYTES = 1 << 15, /* and that stay in the first cache */
};

#define EACH_PART(k) for (int k = 0; k < PARTS; k += LANES)

INLINE ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE ptrdiff_t quotient_up(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* Elements as they are stored */

#if REAL_BITS == 32
INLINE bool is_stored_real(const struct numact_norm *call) { return call->storage == NUMACT_REAL; }
INLINE void widen(const struct numact_norm *call, const char *from, scalar *to, ptrdiff_t n)
{
    if (call->storage == NUMACT_F16)
        f16_widen((const half *)from, to, n);
    else
        bf16_widen((const half *)from, to, n);
}
INLINE void narrow(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    if (call->storage == NUMACT_F16)
        f16_narrow(from, (half *)to, n);
    else
        bf16_narrow(from, (half *)to, n);
}
#else
INLINE bool is_stored_real(const struct numact_norm *call) { return (void)call, true; }
INLINE void widen(const struct numact_norm *call, const char *from, scalar *to, ptrdiff_t n)
{
    (void)call, (void)from, (void)to, (void)n;
}
INLINE void narrow(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    (void)call, (void)from, (void)to, (void)n;
}
#endif

/* n elements as scalars: where they are, or in the buffer. */
INLINE const scalar *fetched(const struct numact_norm *call, const char *from, ptrdiff_t n, scalar *buffer)
{
    if (is_stored_real(call)) return (const scalar *)from;
    widen(call, from, buffer, n);
    return buffer;
}

/* Where to compute what put() then brings to `to`. */
INLINE scalar *target(const struct numact_norm *call, char *to, scalar *buffer)
{
    return is_stored_real(call) ? (scalar *)to : buffer;
}
INLINE void narrow_to(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    if (!is_stored_real(call)) narrow(call, from, to, n);
}

/* The activation of n elements, in place: the loop of its ufunc, which has its bits. */
static void activate(const struct numact_norm *call, char *to, ptrdiff_t n)
{
    const struct numact_kernel *kernel = call->activation;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t steps[NUMACT_MAX_ARRAYS];
    for (int k = 0; k <= kernel->inputs; k++) {
        const bool parameter = k > 0 && k < kernel->inputs;
        arrays[k] = parameter ? call->parameters + (k - 1) * call->width : to;
        steps[k] = parameter ? 0 : call->width;
    }
    if (call->half_loop)
        call->half_loop(kernel, arrays, n, steps);
    else
        kernel->loop(arrays, n, steps, false);
}

INLINE char *slice_start(struct numact_slices a, ptrdiff_t sample, ptrdiff_t channel, ptrdiff_t place)
{
    return a.start + sample * a.sample + channel * a.channel + place * a.place;
}

/* Asks for memory that is needed soon, beside what is computed now.  Beyond an array nothing happens. */
INLINE void prefetch(const char *p, ptrdiff_t bytes)
{
    for (ptrdiff_t byte = 0; byte < bytes; byte += LINE)
        __builtin_prefetch(p + byte);
}

/* Formulas: of the elements of LANES places, and of constants of their channel or row */

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

/* Sums */

/* sum + term; what is lost goes to the rest, which double needs for its own sums only. */
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
    /* Beside an infinite sum the rest is a NaN. */
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

/* sum / n, as a number of the elements' type and a rest. */
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
    /* Of an infinite mean there is no rest. */
    return (struct dd){(double)mean, mean - mean == 0 ? lo : 0};
}

INLINE struct constants constants_of(struct dd mean, double scale)
{
    return (struct constants){.mean = wide_value(mean.hi), .mean_lo = wide_value(mean.lo), .scale = wide_value(scale)};
}

/* Places side by side: a row */

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

/* The same of fewer than LANES places, or of all. */
INLINE struct elements load_part_of_elements(int uses, const scalar *x, const scalar *dy, const double *weight,
                                             const double *bias, ptrdiff_t i, ptrdiff_t lanes)
{
    struct elements e = {.x = wide_of(load_part(x + i, lanes))};
    if (uses & DY) e.dy = wide_of(load_part(dy + i, lanes));
    if (uses & WEIGHT) e.weight = load_doubles(weight + i);
    if (uses & BIAS) e.bias = load_doubles(bias + i);
    return e;
}

/* The sums of one term or two over a row.  Of x, memory as far ahead as `ahead` is asked for, unless that is 0. */
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
                    add_term(&sums[j].hi[k / LANES], &sums[j].lo[k / LANES], first_lanes(terms[j], lanes));
            }
        }
    }
    for (int j = 0; j < count; j++)
        totals[j] = total(&sums[j]);
}

/* to = f of n places, not beyond them. */
INLINE void map_places(formula *f, int uses, const scalar *x, const scalar *dy, const double *weight,
                       const double *bias, struct constants c, scalar *to, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        if (LANES > 1) { /* once for each line, where a loop over scalars would ask for each of them */
            __builtin_prefetch((const char *)(x + i) + AHEAD, 0);
            __builtin_prefetch((char *)(to + i) + AHEAD, 1);
        }
        store(to + i, narrowed(f(load_elements(uses, x, dy, weight, bias, i), c)));
    }
    if (LANES > 1 && i < n)
        store_part(to + i, narrowed(f(load_part_of_elements(uses, x, dy, weight, bias, i, n - i), c)), n - i);
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
        map_places(f, uses, x, dy, weight, bias, c, to, n);
        narrow_to(call, to, out + byte, n);
        if (call->activation) activate(call, out + byte, n);
    }
}

/* Adds two terms of every place to sums that lie side by side: two rows of values, each with a row of rests behind it. */
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

/* Channels side by side: places lie across */

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

/* The sums over the places of one sample, of up to COLUMNS channels from the given one.  The mean and its rest, if the
   terms need them, may be read up to LANES beyond the last channel. */
INLINE void sum_columns(const struct numact_norm *call, terms_formula *f, int count, int uses, ptrdiff_t sample,
                        ptrdiff_t channel, ptrdiff_t n, const double *mean, const double *mean_lo,
                        struct dd (*totals)[COLUMNS])
{
    struct columns sums[2];
    scalar x_buffer[COLUMNS], dy_buffer[COLUMNS];
    memset(sums, 0, (size_t)count * sizeof *sums);
    for (ptrdiff_t place = 0; place < call->places; place++) {
        const char *from = slice_start(call->x, sample, channel, place);
        const scalar *x = fetched(call, from, n, x_buffer), *dy = x;
        prefetch(from + 8 * call->x.place, COLUMNS * (ptrdiff_t)sizeof(scalar));
        if (uses & DY) dy = fetched(call, slice_start(call->dy, sample, channel, place), n, dy_buffer);
        UNROLL_VECTORS
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            struct constants c = {0};
            wide terms[2];
            if (mean) c = (struct constants){.mean = load_doubles(mean + i), .mean_lo = load_doubles(mean_lo + i)};
            f(load_part_of_elements(uses, x, dy, NULL, NULL, i, lanes_in(n - i)), c, terms);
            for (int j = 0; j < count; j++) {
                double *value = sums[j].hi[place % PARTS] + i, *lo = sums[j].lo[place % PARTS] + i;
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

/* How many places with all their channels are computed together. */
INLINE ptrdiff_t places_together(const struct numact_norm *call)
{
    return call->channels < CHUNK ? CHUNK / call->channels : 1;
}

INLINE void map_columns(const struct numact_norm *call, formula *f, int uses, ptrdiff_t sample, ptrdiff_t first)
{
    scalar x_buffer[CHUNK], dy_buffer[CHUNK], out_buffer[CHUNK];
    const ptrdiff_t last = smaller(first + places_together(call), call->places);
    const bool dense = call->out.place == call->channels * call->width && call->channels < CHUNK;
    for (ptrdiff_t place = first; place < last; place++)
        for (ptrdiff_t start = 0; start < call->channels; start += CHUNK) {
            const ptrdiff_t n = smaller(call->channels - start, CHUNK);
            const scalar *x = fetched(call, slice_start(call->x, sample, start, place), n, x_buffer), *dy = x;
            if (uses & DY) dy = fetched(call, slice_start(call->dy, sample, start, place), n, dy_buffer);
            char *out = slice_start(call->out, sample, start, place);
            scalar *to = target(call, out, out_buffer);
            ptrdiff_t i = 0;
            UNROLL_VECTORS
            for (; i <= n - LANES; i += LANES)
                store(to + i, narrowed(f(load_elements(uses, x, dy, NULL, NULL, i), constants_at(call, start + i))));
            if (LANES > 1 && i < n)
                store_part(to + i, narrowed(f(load_part_of_elements(uses, x, dy, NULL, NULL, i, n - i),
                                              constants_at(call, start + i))), n - i);
            narrow_to(call, to, out, n);
            if (call->activation && !dense) activate(call, out, n);
        }
    if (call->activation && dense)
        activate(call, slice_start(call->out, sample, 0, first), (last - first) * call->channels);
}

/* Layer and RMS normalisation: a unit is a row, or a block of them where gradients are summed over rows */

INLINE double inverse_deviation(double squares, double n, double eps) { return 1 / __builtin_sqrt(squares / n + eps); }

INLINE struct row row_at(const struct numact_norm *call, ptrdiff_t r)
{
    const char *dy = call->dy.start ? slice_start(call->dy, r, 0, 0) : NULL;
    return (struct row){slice_start(call->x, r, 0, 0), dy, call->weight, call->bias, call->places};
}

static ptrdiff_t rows(const struct numact_norm *call) { return call->samples; }

/* The mean and the inverse deviation of a row; without a mean, that is 0. */
struct statistics {
    struct dd mean;
    double scale;
};

/* Those of a few rows, the first of which is given.  Each step is taken for all of them before the next one, so that the
   processor need not wait for one row's sum; memory as far ahead as `ahead` is asked for. */
INLINE void rows_statistics(const struct numact_norm *call, ptrdiff_t first, ptrdiff_t count, ptrdiff_t ahead,
                            bool centred, struct statistics *statistics)
{
    const double n = (double)call->places;
    struct dd sums[TOGETHER];
    if (centred)
        for (ptrdiff_t r = 0; r < count; r++)
            sum_row(call, value_term, 1, X, row_at(call, first + r), (struct constants){0}, 0, &sums[r]);
    for (ptrdiff_t r = 0; r < count; r++)
        statistics[r].mean = centred ? mean_of(sums[r], n) : (struct dd){0, 0};
    for (ptrdiff_t r = 0; r < count; r++) {
        const struct constants c = constants_of(statistics[r].mean, 0);
        sum_row(call, centred ? deviation_term : square_term, 1, X, row_at(call, first + r), c, ahead, &sums[r]);
    }
    for (ptrdiff_t r = 0; r < count; r++)
        statistics[r].scale = inverse_deviation(sums[r].hi + sums[r].lo, n, call->eps);
}

INLINE void map_rows(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop, bool centred)
{
    const ptrdiff_t fitting = TOGETHER_BYTES / (call->places * call->width);
    const ptrdiff_t most = fitting < 1 ? 1 : smaller(fitting, TOGETHER);
    for (ptrdiff_t first = start; first < stop; first += most) {
        const ptrdiff_t count = smaller(stop - first, most);
        struct statistics statistics[TOGETHER];
        rows_statistics(call, first, count, most * call->x.sample, centred, statistics);
        for (ptrdiff_t r = 0; r < count; r++) {
            const struct constants c = constants_of(statistics[r].mean, statistics[r].scale);
            char *out = slice_start(call->out, first + r, 0, 0);
            if (centred)
                map_row(call, layer_result, X | WEIGHT | BIAS, row_at(call, first + r), c, out);
            else
                map_row(call, rms_result, X | WEIGHT, row_at(call, first + r), c, out);
        }
    }
}

static void layer(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop) { map_rows(call, start, stop, true); }

static void rms(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop) { map_rows(call, start, stop, false); }

static ptrdiff_t row_blocks(const struct numact_norm *call) { return quotient_up(call->samples, BLOCK_ROWS); }

/* With xhat = t scale, the gradient by x is scale (g - mean g - xhat mean(g xhat)), g = dy weight. */
INLINE void rows_gradient(const struct numact_norm *call, ptrdiff_t block, bool centred)
{
    double *sums = call->partial + block * ROWS * call->partial_length;
    const ptrdiff_t last = smaller((block + 1) * BLOCK_ROWS, call->samples);
    for (ptrdiff_t r = block * BLOCK_ROWS; r < last; r++) {
        struct row row = row_at(call, r);
        struct statistics statistics;
        rows_statistics(call, r, 1, 0, centred, &statistics);
        struct constants c = constants_of(statistics.mean, statistics.scale);
        struct dd totals[2] = {0};
        char *out = slice_start(call->out, r, 0, 0);
        const double n = (double)row.n, inverse = statistics.scale * statistics.scale / n;
        if (centred) {
            sum_row(call, layer_gradient_terms, 2, X | DY | WEIGHT, row, c, 0, totals);
            c.dy_mean = wide_value((totals[0].hi + totals[0].lo) / n);
            c.slope = wide_value((totals[1].hi + totals[1].lo) * inverse);
            add_row(call, layer_weight_terms, row, c, sums);
            map_row(call, layer_gradient, X | DY | WEIGHT, row, c, out);
        } else {
            sum_row(call, rms_gradient_terms, 1, X | DY | WEIGHT, row, c, 0, totals);
            c.slope = wide_value((totals[0].hi + totals[0].lo) * inverse);
            add_row(call, rms_weight_terms, row, c, sums);
            map_row(call, rms_gradient, X | DY | WEIGHT, row, c, out);
        }
    }
}

/* Rows of `partial`, for each block: sums of dy and their rests, of dy xhat and their rests. */
static void layer_grad(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    for (ptrdiff_t block = start; block < stop; block++)
        rows_gradient(call, block, true);
}

static void rms_grad(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    for (ptrdiff_t block = start; block < stop; block++)
        rows_gradient(call, block, false);
}

/* Batch normalisation: a unit of the sums is a slice, or of channels that lie side by side COLUMNS slices */

INLINE ptrdiff_t column_groups(const struct numact_norm *call) { return quotient_up(call->channels, COLUMNS); }

static ptrdiff_t slices(const struct numact_norm *call)
{
    return call->samples * (call->across ? column_groups(call) : call->channels);
}

/* Rows of `partial`, for each sample: means of the slices, their rests, sums of squared deviations. */
static void moments(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    const double n = (double)call->places;
    const ptrdiff_t per_sample = call->across ? column_groups(call) : call->channels;
    for (ptrdiff_t unit = start; unit < stop; unit++) {
        const ptrdiff_t sample = unit / per_sample, index = unit % per_sample;
        double *means = call->partial + sample * ROWS * call->partial_length, *rests = means + call->partial_length;
        double *squares = rests + call->partial_length;
        if (call->across) {
            struct dd totals[1][COLUMNS];
            double mean[COLUMNS], lo[COLUMNS];
            const ptrdiff_t channel = index * COLUMNS, count = smaller(call->channels - channel, COLUMNS);
            sum_columns(call, value_term, 1, X, sample, channel, count, NULL, NULL, totals);
            memset(mean, 0, sizeof mean);
            memset(lo, 0, sizeof lo);
            for (ptrdiff_t i = 0; i < count; i++) {
                struct dd pair = mean_of(totals[0][i], n);
                means[channel + i] = mean[i] = pair.hi;
                rests[channel + i] = lo[i] = pair.lo;
            }
            sum_columns(call, deviation_term, 1, X, sample, channel, count, mean, lo, totals);
            for (ptrdiff_t i = 0; i < count; i++)
                squares[channel + i] = totals[0][i].hi + totals[0][i].lo;
        } else {
            struct row row = {slice_start(call->x, sample, index, 0), NULL, NULL, NULL, call->places};
            struct dd sum;
            sum_row(call, value_term, 1, X, row, (struct constants){0}, 0, &sum);
            struct dd mean = mean_of(sum, n);
            sum_row(call, deviation_term, 1, X, row, constants_of(mean, 0), call->x.channel, &sum);
            means[index] = mean.hi;
            rests[index] = mean.lo;
            squares[index] = sum.hi + sum.lo;
        }
    }
}

static ptrdiff_t channels(const struct numact_norm *call) { return call->channels; }

/* The sum of one row of `partial` over samples or blocks. */
INLINE struct dd total_of_partial(const struct numact_norm *call, int row, ptrdiff_t index)
{
    struct dd sum = {0, 0};
    for (ptrdiff_t s = 0; s < call->partial_count; s++) {
        const double *value = call->partial + (s * ROWS + row) * call->partial_length + index;
        struct dd next = two_sum_double(sum.hi, *value);
        sum = (struct dd){next.hi, sum.lo + (next.lo + value[call->partial_length])};
    }
    if (!(sum.lo - sum.lo == 0)) sum.lo = 0;
    return sum;
}

/* Rows of `total`: means of the channels, their rests, sums of squared deviations. */
static void join_moments(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    for (ptrdiff_t channel = start; channel < stop; channel++) {
        struct dd mean = mean_of(total_of_partial(call, 0, channel), (double)call->partial_count), squares = {0, 0};
        for (ptrdiff_t s = 0; s < call->partial_count; s++) {
            const double *partial = call->partial + s * ROWS * call->partial_length + channel;
            double distance = (partial[0] - mean.hi) + (partial[call->partial_length] - mean.lo);
            double term = partial[2 * call->partial_length] + distance * distance * (double)call->places;
            struct dd next = two_sum_double(squares.hi, term);
            squares = (struct dd){next.hi, squares.lo + next.lo};
        }
        call->total[channel] = mean.hi;
        call->total[call->total_length + channel] = mean.lo;
        call->total[2 * call->total_length + channel] = squares.lo - squares.lo == 0 ? squares.hi + squares.lo
                                                                                         : squares.hi;
    }
}

/* Rows of `partial`, for each sample: sums of dy and their rests, of dy (x - mean) and their rests. */
static void gradient_sums(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    const ptrdiff_t per_sample = call->across ? column_groups(call) : call->channels;
    for (ptrdiff_t unit = start; unit < stop; unit++) {
        const ptrdiff_t sample = unit / per_sample, index = unit % per_sample;
        double *partial = call->partial + sample * ROWS * call->partial_length;
        struct dd totals[2][COLUMNS];
        ptrdiff_t channel = index, count = 1;
        if (call->across) {
            channel = index * COLUMNS;
            count = smaller(call->channels - channel, COLUMNS);
            sum_columns(call, batch_gradient_terms, 2, X | DY, sample, channel, count, call->mean + channel,
                        call->mean_lo + channel, totals);
        } else {
            struct row row = {slice_start(call->x, sample, index, 0), slice_start(call->dy, sample, index, 0), NULL, NULL,
                              call->places};
            struct dd mean = {call->mean[index], call->mean_lo[index]}, pair[2];
            sum_row(call, batch_gradient_terms, 2, X | DY, row, constants_of(mean, 0), 0, pair);
            totals[0][0] = pair[0];
            totals[1][0] = pair[1];
        }
        for (int j = 0; j < 2; j++)
            for (ptrdiff_t i = 0; i < count; i++) {
                partial[2 * j * call->partial_length + channel + i] = totals[j][i].hi;
                partial[(2 * j + 1) * call->partial_length + channel + i] = totals[j][i].lo;
            }
    }
}

static ptrdiff_t total_lengths(const struct numact_norm *call) { return call->total_length; }

/* Rows of `total`: those of `partial`, summed with their rests. */
static void join_sums(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    for (int j = 0; j < 2; j++)
        for (ptrdiff_t i = start; i < stop; i++) {
            struct dd sum = total_of_partial(call, 2 * j, i);
            call->total[j * call->total_length + i] = sum.hi + sum.lo;
        }
}

/* Slices, or places that are computed together with all their channels. */
static ptrdiff_t batch_units(const struct numact_norm *call)
{
    return call->samples * (call->across ? quotient_up(call->places, places_together(call)) : call->channels);
}

INLINE void map_batch(const struct numact_norm *call, formula *f, int uses, ptrdiff_t start, ptrdiff_t stop)
{
    const ptrdiff_t per_sample = batch_units(call) / call->samples;
    for (ptrdiff_t unit = start; unit < stop; unit++) {
        const ptrdiff_t sample = unit / per_sample, index = unit % per_sample;
        if (call->across) {
            map_columns(call, f, uses, sample, index * places_together(call));
            continue;
        }
        struct constants c = constants_of((struct dd){call->mean[index], call->mean_lo[index]}, call->scale[index]);
        if (call->shift) c.shift = wide_value(call->shift[index]);
        if (call->dy_mean) c.dy_mean = wide_value(call->dy_mean[index]);
        if (call->slope) c.slope = wide_value(call->slope[index]);
        const char *dy = uses & DY ? slice_start(call->dy, sample, index, 0) : NULL;
        struct row row = {slice_start(call->x, sample, index, 0), dy, NULL, NULL, call->places};
        map_row(call, f, uses, row, c, slice_start(call->out, sample, index, 0));
    }
}

static void batch(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    map_batch(call, batch_result, X, start, stop);
}

static void batch_grad(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop)
{
    map_batch(call, batch_gradient, X | DY, start, stop);
}

extern const struct numact_norm_task SYMBOL(numact_norm)[];
const struct numact_norm_task SYMBOL(numact_norm)[] = {
    {"layer", rows, layer},
    {"rms", rows, rms},
    {"layer_grad", row_blocks, layer_grad},
    {"rms_grad", row_blocks, rms_grad},
    {"moments", slices, moments},
    {"join_moments", channels, join_moments},
    {"gradient_sums", slices, gradient_sums},
    {"join_sums", total_lengths, join_sums},
    {"batch", batch_units, batch},
    {"batch_grad", batch_units, batch_grad},
    {.name = NULL},
};

#endif
