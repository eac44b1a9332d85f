/* Statistics of an array in one pass: zeros of every unit, saturated, NaN and infinite elements, mean and variance; and
   the same while an activation writes the array, block by block, each of which is still in the first cache.

   Sums are taken in double, in NUMACT_SUMS partial sums.  The sum that an element is added to, and the order in which,
   depend on its place alone: the bits are the same on every level and for all strides.

   The variance comes from the sums s of x - origin and q of its square, as (q - s^2 / n) / n.  Since the origin is one of
   the n elements, n times the variance is at least (mean - origin)^2 n / (n - 1), so that cancellation makes the error at
   most a few n units of roundoff, and a few for an origin like most elements. */
#ifndef NUMACT_STATISTICS_H
#define NUMACT_STATISTICS_H

#include "arithmetic.h"
#include "numact.h"

/* Elements that are observed at a time, and how many blocks ahead memory is asked for. */
enum { BLOCK = 256, AHEAD = 4 };

INLINE bool is_finite(scalar x) { return x - x == 0; }

/* One element, whatever it is, at a place of the last dimension. */
INLINE void observe_element(scalar x, ptrdiff_t place, struct numact_statistics *s)
{
    s->saturated += x <= (scalar)s->low || x >= (scalar)s->high;
    if (is_finite(x)) {
        double deviation = (double)x - s->origin;
        s->sum[place % NUMACT_SUMS] += deviation;
        s->square[place % NUMACT_SUMS] += deviation * deviation;
    } else if (x != x) {
        s->nan++;
    } else {
        s->infinite++;
    }
}

/* Elements from a place on that is a multiple of NUMACT_SUMS, and the zeros of each.  The sums of all are wrong, and false
   is returned, where one is infinite or NaN, or the square of one overflows. */
INLINE bool sum_finite(const scalar *x, ptrdiff_t n, bits *zeros, bool units, struct numact_statistics *s)
{
    wide sum[NUMACT_SUMS / LANES], square[NUMACT_SUMS / LANES], origin = wide_value(s->origin);
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        sum[k / LANES] = load_doubles(s->sum + k);
        square[k / LANES] = load_doubles(s->square + k);
    }
    for (ptrdiff_t i = 0; i < n; i += NUMACT_SUMS) {
        UNROLL_VECTORS
        for (int k = 0; k < NUMACT_SUMS; k += LANES) {
            wide deviation = sub_wide(load_wide(x + i + k), origin);
            sum[k / LANES] = add_wide(sum[k / LANES], deviation);
            square[k / LANES] = add_wide(square[k / LANES], mul_wide(deviation, deviation));
            if (units) count_each(zeros + i + k, eq(load(x + i + k), 0));
        }
    }
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        store_wide(s->sum + k, sum[k / LANES]);
        store_wide(s->square + k, square[k / LANES]);
    }
    double all = 0;
    for (int k = 0; k < NUMACT_SUMS; k++)
        all += s->square[k];
    return all - all == 0;
}

INLINE int64_t count_saturated(const scalar *x, ptrdiff_t n, scalar low, scalar high)
{
    bits found = 0;
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i += LANES)
        found += (bits)count_true((mask)((int)le(load(x + i), low) | (int)ge(load(x + i), high)));
    return (int64_t)found;
}

INLINE int64_t count_zeros(const scalar *x, ptrdiff_t n)
{
    bits found = 0;
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i += LANES)
        found += (bits)count_true(eq(load(x + i), 0));
    return (int64_t)found;
}

INLINE void find_origin(const scalar *x, ptrdiff_t n, struct numact_statistics *s)
{
    for (ptrdiff_t i = 0; i < n && !s->started; i++)
        if (is_finite(x[i])) {
            s->origin = (double)x[i];
            s->started = true;
        }
}

/* At most BLOCK elements side by side, from a place on that is a multiple of BLOCK. */
INLINE void observe_block(const scalar *x, ptrdiff_t n, void *zeros, bool units, struct numact_statistics *s)
{
    ptrdiff_t whole = n - n % NUMACT_SUMS;
    if (!s->started) find_origin(x, n, s);
    struct numact_statistics before = *s;
    if (sum_finite(x, whole, zeros, units, s)) {
        if (s->low > -(double)__builtin_inff() || s->high < (double)__builtin_inff())
            s->saturated += count_saturated(x, whole, (scalar)s->low, (scalar)s->high);
    } else {
        *s = before;
        for (ptrdiff_t i = 0; i < whole; i++)
            observe_element(x[i], i, s);
    }
    for (ptrdiff_t i = whole; i < n; i++)
        observe_element(x[i], i, s);

    if (units) {
        bits *counts = zeros;
        for (ptrdiff_t i = whole; i < n; i++)
            counts[i] += x[i] == 0;
    } else {
        int64_t *count = zeros;
        *count += count_zeros(x, whole);
        for (ptrdiff_t i = whole; i < n; i++)
            *count += x[i] == 0;
    }
}

/* How elements are stored: gives n of them side by side as scalars, in `block` unless they are that where they stand. */
typedef const scalar *fetch(const char *from, ptrdiff_t step, ptrdiff_t n, scalar *block);

INLINE const scalar *fetch_scalars(const char *from, ptrdiff_t step, ptrdiff_t n, scalar *block)
{
    if (step == sizeof(scalar)) return (const scalar *)from;
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(block + i, from + i * step, sizeof(scalar));
    return block;
}

/* Asks for n elements that a later turn needs, as the processor does not while it takes the statistics of this one. */
INLINE void prefetch(const char *from, ptrdiff_t step, ptrdiff_t n)
{
    if (step == sizeof(scalar) || step == sizeof(scalar) / 2)
        for (ptrdiff_t byte = 0; byte < n * step; byte += 64)
            __builtin_prefetch(from + byte);
}

/* The last dimension. */
INLINE void observe_row(fetch *fetch, const struct numact_observation *o, char *x, char *y, char *zeros,
                        struct numact_statistics *s)
{
    _Alignas(64) scalar block[BLOCK];
    int last = o->dimensions - 1;
    bool units = o->unit_steps[last] != 0;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t steps[NUMACT_MAX_ARRAYS] = {0};
    if (x) {
        int result = o->activation->inputs;
        for (int k = 1; k < result; k++)
            arrays[k] = o->parameters[k - 1];
        steps[0] = o->x_steps[last];
        steps[result] = o->y_steps[last];
    }
    for (ptrdiff_t start = 0; start < o->shape[last]; start += BLOCK) {
        ptrdiff_t n = o->shape[last] - start < BLOCK ? o->shape[last] - start : BLOCK;
        char *part = y + start * o->y_steps[last];
        if (x) {
            arrays[0] = x + start * o->x_steps[last];
            arrays[o->activation->inputs] = part;
            prefetch(arrays[0] + AHEAD * BLOCK * steps[0], steps[0], n);
            prefetch(part + AHEAD * BLOCK * o->y_steps[last], o->y_steps[last], n);
            if (o->half_loop)
                o->half_loop(o->activation, arrays, n, steps);
            else
                o->activation->loop(arrays, n, steps);
        }
        observe_block(fetch(part, o->y_steps[last], n, block), n, units ? zeros + start * (ptrdiff_t)sizeof(bits) : zeros,
                      units, s);
    }
}

/* All dimensions, in C order. */
INLINE void observe_all(fetch *fetch, const struct numact_observation *o, struct numact_statistics *s)
{
    ptrdiff_t index[NUMACT_MAX_DIMENSIONS] = {0};
    int last = o->dimensions - 1;
    ptrdiff_t width = o->unit_steps[last] ? (ptrdiff_t)sizeof(bits) : (ptrdiff_t)sizeof(int64_t);
    char *x = o->x, *y = o->y, *zeros = o->zeros;
    int k = last;
    while (k >= 0) {
        observe_row(fetch, o, x, y, zeros, s);
        for (k = last - 1; k >= 0; k--) {
            bool next = ++index[k] < o->shape[k];
            ptrdiff_t move = next ? 1 : 1 - index[k];
            if (x) x += move * o->x_steps[k];
            y += move * o->y_steps[k];
            zeros += move * o->unit_steps[k] * width;
            if (next) break;
            index[k] = 0;
        }
    }
}

numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, struct numact_statistics *statistics)
{
    observe_all(fetch_scalars, observation, statistics);
}

#endif
