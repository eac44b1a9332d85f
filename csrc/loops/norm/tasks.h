/* The tasks of normalisation, and the table that the object exports. */
#ifndef NUMACT_LOOPS_NORM_TASKS_H
#define NUMACT_LOOPS_NORM_TASKS_H

#include "loops/norm/sums.h"

/* Layer and RMS normalisation: a unit is a row, or a block of them where gradients are summed over rows */

INLINE double inverse_deviation(double squares, double n, double eps) { return 1 / __builtin_sqrt(squares / n + eps); }

INLINE struct row row_at(const struct numact_norm *call, ptrdiff_t r)
{
    const char *dy = call->dy.start ? slice_start(call->dy, r, 0, 0) : NULL;
    return (struct row){slice_start(call->x, r, 0, 0), dy, call->weight, call->bias, call->positions};
}

static ptrdiff_t rows(const struct numact_norm *call) { return call->samples; }

/* The mean and the inverse deviation of a row; without a mean, that is 0. */
struct statistics {
    struct dd mean;
    double scale;
};

/* Those of a few rows, the first of which is given.  Each step is taken for all of them before the next one, so that
   the processor need not wait for one row's sum; x is prefetched `ahead` bytes ahead. */
INLINE void rows_statistics(const struct numact_norm *call, ptrdiff_t first, ptrdiff_t count, ptrdiff_t ahead,
                            bool centred, struct statistics *statistics)
{
    const double n = (double)call->positions;
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
    const ptrdiff_t fitting = TOGETHER_BYTES / (call->positions * call->width);
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
            c.dy_mean = splat_wide((totals[0].hi + totals[0].lo) / n);
            c.slope = splat_wide((totals[1].hi + totals[1].lo) * inverse);
            add_row(call, layer_weight_terms, row, c, sums);
            map_row(call, layer_gradient, X | DY | WEIGHT, row, c, out);
        } else {
            sum_row(call, rms_gradient_terms, 1, X | DY | WEIGHT, row, c, 0, totals);
            c.slope = splat_wide((totals[0].hi + totals[0].lo) * inverse);
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
    const double n = (double)call->positions;
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
            struct row row = {slice_start(call->x, sample, index, 0), NULL, NULL, NULL, call->positions};
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
            double term = partial[2 * call->partial_length] + distance * distance * (double)call->positions;
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
                              call->positions};
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

/* Slices, or positions that are computed together with all their channels. */
static ptrdiff_t batch_units(const struct numact_norm *call)
{
    return call->samples * (call->across ? quotient_up(call->positions, positions_together(call)) : call->channels);
}

INLINE void map_batch(const struct numact_norm *call, formula *f, int uses, ptrdiff_t start, ptrdiff_t stop)
{
    const ptrdiff_t per_sample = batch_units(call) / call->samples;
    for (ptrdiff_t unit = start; unit < stop; unit++) {
        const ptrdiff_t sample = unit / per_sample, index = unit % per_sample;
        if (call->across) {
            map_columns(call, f, uses, sample, index * positions_together(call));
            continue;
        }
        struct constants c = constants_of((struct dd){call->mean[index], call->mean_lo[index]}, call->scale[index]);
        if (call->shift) c.shift = splat_wide(call->shift[index]);
        if (call->dy_mean) c.dy_mean = splat_wide(call->dy_mean[index]);
        if (call->slope) c.slope = splat_wide(call->slope[index]);
        const char *dy = uses & DY ? slice_start(call->dy, sample, index, 0) : NULL;
        struct row row = {slice_start(call->x, sample, index, 0), dy, NULL, NULL, call->positions};
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
