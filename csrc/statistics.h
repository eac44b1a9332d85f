/* Statistics of an array in one pass: zeros, units that are not always 0, saturated, NaN and infinite elements, mean and
   variance; and the same while an activation writes the array, block by block, each of which is still in the first cache.

   Sums are taken in double, in NUMACT_SUMS partial sums.  The sum that an element is added to, and the order in which,
   depend on its place alone: the bits are the same on every level and for all strides.

   The squared deviations come from the sums s of x - origin and q of its square, as q - s^2 / n.  Since the origin is one of
   the n elements, they are at least (mean - origin)^2 n / (n - 1), so that cancellation makes the error at most a few n
   units of roundoff, and a few for an origin like most elements. */
#ifndef NUMACT_STATISTICS_H
#define NUMACT_STATISTICS_H

#include "arithmetic.h"
#include "numact.h"
#include "streaming.h"

enum { CACHE_LINE = 64 };

/* What has been summed and counted over some blocks. */
struct tally {
    bool started;   /* the origin is known: the first finite element */
    double origin;
    double sum[NUMACT_SUMS], square[NUMACT_SUMS];
    int64_t elements, zeros, saturated, nan, infinite;
};

INLINE bool is_finite(scalar x) { return x - x == 0; }

INLINE void find_origin(const scalar *x, ptrdiff_t n, struct tally *t)
{
    for (ptrdiff_t i = 0; i < n && !t->started; i++)
        if (is_finite(x[i])) {
            t->origin = (double)x[i];
            t->started = true;
        }
}

/* Adds a multiple of NUMACT_SUMS elements.  False where the sums are not finite: then an element is infinite or NaN, or a
   square overflows.  What lies `ahead` is asked for meanwhile, line by line. */
INLINE bool sum_up(const scalar *x, ptrdiff_t n, const char *ahead, struct tally *t)
{
    wide sum[NUMACT_SUMS / LANES], square[NUMACT_SUMS / LANES], origin = wide_value(t->origin);
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        sum[k / LANES] = load_doubles(t->sum + k);
        square[k / LANES] = load_doubles(t->square + k);
    }
    for (ptrdiff_t i = 0; i < n; i += NUMACT_SUMS) {
        if (ahead)
            for (size_t byte = 0; byte < NUMACT_SUMS * sizeof(scalar); byte += CACHE_LINE)
                __builtin_prefetch(ahead + (size_t)i * sizeof(scalar) + byte);
        UNROLL_VECTORS
        for (int k = 0; k < NUMACT_SUMS; k += LANES) {
            wide deviation = sub_wide(load_wide(x + i + k), origin);
            sum[k / LANES] = add_wide(sum[k / LANES], deviation);
            square[k / LANES] = add_wide(square[k / LANES], mul_wide(deviation, deviation));
        }
    }
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        store_wide(t->sum + k, sum[k / LANES]);
        store_wide(t->square + k, square[k / LANES]);
    }
    double all = 0;
    for (int k = 0; k < NUMACT_SUMS; k++)
        all += t->square[k];
    return all - all == 0;
}

/* The same with the origin, which adds nothing, in place of what is not finite; that is counted. */
INLINE void sum_finite(const scalar *x, ptrdiff_t n, struct tally *t)
{
    scalar finite[NUMACT_BLOCK];
    for (ptrdiff_t i = 0; i < n; i++) {
        finite[i] = is_finite(x[i]) ? x[i] : (scalar)t->origin;
        t->nan += x[i] != x[i];
        t->infinite += x[i] - x[i] != 0 && x[i] == x[i];
    }
    sum_up(finite, n, NULL, t);
}

/* A word of conditions on FLAGS elements. */
INLINE uint64_t zeros_of(const scalar *x)
{
    flags found = flags_of(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES)
        set_flags(&found, k, eq(load(x + k), 0));
    return word_of(&found);
}
INLINE uint64_t saturated_of(const scalar *x, scalar low, scalar high)
{
    flags found = flags_of(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES)
        set_flags(&found, k, (mask)((int)le(load(x + k), low) | (int)ge(load(x + k), high)));
    return word_of(&found);
}

INLINE uint64_t alive_already(const uint64_t *alive) { return __atomic_load_n(alive, __ATOMIC_RELAXED); }
INLINE void set_alive(uint64_t *alive, uint64_t found)
{
    if (found & ~alive_already(alive)) __atomic_fetch_or(alive, found, __ATOMIC_RELAXED);
}

/* At most NUMACT_BLOCK elements, a multiple of FLAGS, of which the last ones are to be `valid` only. */
INLINE void observe_words(const struct numact_observation *o, const scalar *x, ptrdiff_t n, uint64_t valid, bool units,
                          const char *ahead, uint64_t *alive, struct tally *t)
{
    bool bounded = o->low > -(double)__builtin_inff() || o->high < (double)__builtin_inff();
    if (o->wanted == NUMACT_ALL) {
        if (!t->started) find_origin(x, n, t);
        struct tally before = *t;
        if (!sum_up(x, n, ahead, t)) {
            *t = before;
            sum_finite(x, n, t);
            bounded = true;
        }
    }
    if (o->wanted == NUMACT_SATURATED || (o->wanted == NUMACT_ALL && bounded))
        for (ptrdiff_t i = 0; i < n; i += FLAGS) {
            uint64_t counted = i < n - FLAGS ? ~UINT64_C(0) : valid;
            t->saturated += __builtin_popcountll(saturated_of(x + i, (scalar)o->low, (scalar)o->high) & counted);
        }
    if (o->wanted == NUMACT_SATURATED) return;
    uint64_t any = 0;
    for (ptrdiff_t i = 0; i < n; i += FLAGS) {
        uint64_t counted = i < n - FLAGS ? ~UINT64_C(0) : valid;
        if (o->wanted == NUMACT_ALIVE && units && !(counted & ~alive_already(alive + i / FLAGS))) continue;
        uint64_t zeros = zeros_of(x + i);
        t->zeros += __builtin_popcountll(zeros & counted);
        if (units)
            set_alive(alive + i / FLAGS, ~zeros & counted);
        else
            any |= ~zeros & counted;
    }
    if (!units) set_alive(alive, any);
}

/* At most NUMACT_BLOCK elements side by side, from a place on that is a multiple of it. */
INLINE void observe_block(const struct numact_observation *o, const scalar *x, ptrdiff_t n, bool units, const char *ahead,
                          uint64_t *alive, struct tally *t)
{
    ptrdiff_t whole = n - n % FLAGS;
    if (o->wanted == NUMACT_ALIVE && !units && alive_already(alive)) return;
    if (whole) observe_words(o, x, whole, ~UINT64_C(0), units, ahead, alive, t);
    if (n > whole) {
        ALIGNED scalar last[FLAGS];
        if (!t->started) find_origin(x + whole, n - whole, t);
        for (int k = 0; k < FLAGS; k++)
            last[k] = k < n - whole ? x[whole + k] : (scalar)t->origin;
        uint64_t valid = (UINT64_C(1) << (n - whole)) - 1;
        observe_words(o, last, FLAGS, valid, units, NULL, units ? alive + whole / FLAGS : alive, t);
    }
    t->elements += n;
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

/* A row of the last dimension. */
struct row {
    ptrdiff_t index[NUMACT_MAX_DIMENSIONS];
    char *x, *y;
    uint64_t *alive;
};

INLINE void move(const struct numact_observation *o, struct row *r, int dimension, ptrdiff_t steps)
{
    if (o->x) r->x += steps * o->x_steps[dimension];
    r->y += steps * o->y_steps[dimension];
    r->alive += steps * o->unit_steps[dimension];
}

INLINE struct row row_of(const struct numact_observation *o, ptrdiff_t number)
{
    struct row r = {.x = o->x, .y = o->y, .alive = o->alive};
    for (int k = o->dimensions - 2; k >= 0; k--) {
        r.index[k] = number % o->shape[k];
        number /= o->shape[k];
        move(o, &r, k, r.index[k]);
    }
    return r;
}

INLINE void next_row(const struct numact_observation *o, struct row *r)
{
    for (int k = o->dimensions - 2; k >= 0; k--) {
        if (++r->index[k] < o->shape[k]) {
            move(o, r, k, 1);
            return;
        }
        move(o, r, k, 1 - r->index[k]);
        r->index[k] = 0;
    }
}

/* What an activation is called with. */
struct activation_call {
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t steps[NUMACT_MAX_ARRAYS];
};

INLINE void activate(const struct numact_observation *o, struct activation_call *call, char *x, char *y, ptrdiff_t n)
{
    call->arrays[0] = x;
    call->arrays[o->activation->inputs] = y;
    if (o->half_loop)
        o->half_loop(o->activation, call->arrays, n, call->steps);
    else
        o->activation->loop(call->arrays, n, call->steps);
}

INLINE void observe_blocks(fetch *fetch, const struct numact_observation *o, ptrdiff_t start, ptrdiff_t stop,
                           struct numact_statistics *statistics)
{
    ALIGNED scalar block[NUMACT_BLOCK];
    struct tally t = {0};
    struct activation_call call = {0};
    const int last = o->dimensions - 1;
    const ptrdiff_t x_step = o->x_steps[last], y_step = o->y_steps[last], length = o->shape[last];
    const ptrdiff_t in_row = (length + NUMACT_BLOCK - 1) / NUMACT_BLOCK;
    const bool units = o->unit_steps[last] != 0;
    ptrdiff_t elements = 1;
    for (int k = 0; k <= last; k++)
        elements *= o->shape[k];
    const bool streams = o->x && !o->half_loop && y_step == sizeof(scalar) &&
                         is_streamed((const scalar *)o->x, (const scalar *)o->y, elements);
    if (o->x) {
        for (int k = 1; k < o->activation->inputs; k++)
            call.arrays[k] = o->parameters[k - 1];
        call.steps[0] = x_step;
        call.steps[o->activation->inputs] = y_step;
    }
    struct row r = row_of(o, start / in_row);
    for (ptrdiff_t number = start; number < stop; number++) {
        const ptrdiff_t first = number % in_row * NUMACT_BLOCK;
        const ptrdiff_t n = length - first < NUMACT_BLOCK ? length - first : NUMACT_BLOCK;
        char *y = r.y + first * y_step;
        const char *ahead = NULL;
        if (o->x) {
            char *x = r.x + first * x_step;
            if (x_step == sizeof(scalar)) ahead = x + NUMACT_BLOCK * sizeof(scalar);
            activate(o, &call, x, streams ? (char *)block : y, n);
        }
        const scalar *values = streams ? block : fetch(y, y_step, n, block);
        observe_block(o, values, n, units, ahead, units ? r.alive + first / FLAGS : r.alive, &t);
        if (streams) copy_streaming((scalar *)y, block, n);
        if (first + n == length) next_row(o, &r);
    }
    if (streams) end_streaming();

    double total = 0, squares = 0;
    for (int k = 0; k < NUMACT_SUMS; k++) {
        total += t.sum[k];
        squares += t.square[k];
    }
    int64_t finite = t.elements - t.nan - t.infinite;
    double count = finite ? (double)finite : 1, deviation = total / count;
    squares -= squares - squares == 0 ? total * deviation : 0;
    *statistics = (struct numact_statistics){finite,   t.zeros,   t.saturated, t.nan, t.infinite,
                                             t.origin, deviation, squares > 0 ? squares : 0};
}

numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, ptrdiff_t start, ptrdiff_t stop,
                            struct numact_statistics *statistics)
{
    observe_blocks(fetch_scalars, observation, start, stop, statistics);
}

#endif
