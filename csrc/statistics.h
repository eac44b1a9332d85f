/* Statistics of an array in one pass: zeros, units that are not always 0, saturated, NaN and infinite elements, mean and
   variance; and the same while an activation writes the array, block by block, each of which is still in the first cache.

   Sums are taken in double, in NUMACT_SUMS partial sums.  The sum that an element is added to, and the order in which,
   depend on its place alone: the bits are the same on every level and for all strides.

   The squared deviations come from the sums s of x - origin and q of its square, as q - s^2 / n.  Since the origin is one of
   the n elements, they are at least (mean - origin)^2 n / (n - 1), so that cancellation makes the error at most a few n
   units of roundoff, and a few for an origin like most elements. */
#ifndef NUMACT_STATISTICS_H
#define NUMACT_STATISTICS_H

#include "activations.h"
#include "arithmetic.h"
#include "numact.h"
#include "streaming.h"

/* In bytes; and how many elements ahead memory is asked for, as the processor does not while it sums. */
enum { CACHE_LINE = 64, AHEAD = 1024 };

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

/* The sums while they are added to. */
struct sums {
    wide origin, sum[NUMACT_SUMS / LANES], square[NUMACT_SUMS / LANES];
};

INLINE struct sums begin_sums(const struct tally *t)
{
    struct sums s;
    s.origin = wide_value(t->origin);
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        s.sum[k / LANES] = load_doubles(t->sum + k);
        s.square[k / LANES] = load_doubles(t->square + k);
    }
    return s;
}

INLINE void add_to_sums(struct sums *s, int k, wide x)
{
    wide deviation = sub_wide(x, s->origin);
    s->sum[k / LANES] = add_wide(s->sum[k / LANES], deviation);
    s->square[k / LANES] = add_wide(s->square[k / LANES], mul_wide(deviation, deviation));
}

INLINE void keep_sums(const struct sums *s, struct tally *t)
{
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        store_wide(t->sum + k, s->sum[k / LANES]);
        store_wide(t->square + k, s->square[k / LANES]);
    }
}

/* False, with no sum changed, where they are not finite: then an element is infinite or NaN, or a square overflows. */
INLINE bool end_sums(const struct sums *s, struct tally *t)
{
    double squares[NUMACT_SUMS], eight[NUMACT_SUMS / 2];
    for (int k = 0; k < NUMACT_SUMS; k += LANES)
        store_wide(squares + k, s->square[k / LANES]);
    for (int k = 0; k < NUMACT_SUMS / 2; k++)
        eight[k] = squares[k] + squares[k + NUMACT_SUMS / 2];
    const double all = sum_of_eight(eight);
    if (all - all != 0) return false;
    keep_sums(s, t);
    return true;
}

/* Asks for NUMACT_SUMS elements. */
INLINE void prefetch(const scalar *p)
{
    for (size_t byte = 0; byte < NUMACT_SUMS * sizeof(scalar); byte += CACHE_LINE)
        __builtin_prefetch((const char *)p + byte);
}

/* Sums with a multiple of NUMACT_SUMS more elements; those that lie `ahead`, if any, are asked for. */
INLINE struct sums sum_up(const scalar *x, ptrdiff_t n, const scalar *ahead, const struct tally *t)
{
    struct sums s = begin_sums(t);
    for (ptrdiff_t i = 0; i < n; i += NUMACT_SUMS) {
        if (ahead) prefetch(ahead + i);
        UNROLL_VECTORS
        for (int k = 0; k < NUMACT_SUMS; k += LANES)
            add_to_sums(&s, k, load_wide(x + i + k));
    }
    return s;
}

/* Adds them with the origin, which adds nothing, in place of what is not finite; that is counted. */
INLINE void sum_finite(const scalar *x, ptrdiff_t n, struct tally *t)
{
    scalar finite[NUMACT_BLOCK];
    for (ptrdiff_t i = 0; i < n; i++) {
        finite[i] = is_finite(x[i]) ? x[i] : (scalar)t->origin;
        t->nan += x[i] != x[i];
        t->infinite += x[i] - x[i] != 0 && x[i] == x[i];
    }
    struct sums s = sum_up(finite, n, NULL, t);
    keep_sums(&s, t);
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
        set_flags(&found, k, either(le(load(x + k), low), ge(load(x + k), high)));
    return word_of(&found);
}

INLINE uint64_t alive_already(const uint64_t *alive) { return __atomic_load_n(alive, __ATOMIC_RELAXED); }
INLINE void set_alive(uint64_t *alive, uint64_t found)
{
    if (found & ~alive_already(alive)) __atomic_fetch_or(alive, found, __ATOMIC_RELAXED);
}

INLINE bool is_bounded(const struct numact_observation *o)
{
    return o->low > -(double)__builtin_inff() || o->high < (double)__builtin_inff();
}

/* At most NUMACT_BLOCK elements, a multiple of FLAGS, of which the last ones are to be `valid` only. */
INLINE void observe_words(const struct numact_observation *o, const scalar *x, ptrdiff_t n, uint64_t valid, bool units,
                          const scalar *ahead, uint64_t *alive, struct tally *t)
{
    bool bounded = is_bounded(o);
    if (o->wanted == NUMACT_ALL) {
        if (!t->started) find_origin(x, n, t);
        struct sums s = sum_up(x, n, ahead, t);
        if (!end_sums(&s, t)) {
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
INLINE void observe_block(const struct numact_observation *o, const scalar *x, ptrdiff_t n, bool units, const scalar *ahead,
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
        o->activation->loop(call->arrays, n, call->steps, false);
}

/* One of the activations for which memory takes the most time, and the statistics of what it gives, in one loop over all
   three: by blocks, memory would wait meanwhile. */
typedef real observed_formula(real x, const real *parameters);

/* A block of an array, of a multiple of FLAGS elements, and whether those behind it in memory are the next one's. */
struct piece {
    const scalar *x;
    scalar *y;
    ptrdiff_t n;
    bool streams, continues, continued;
};

/* False, with nothing counted, where the sums are not finite.  Past the cache vectors are stored where memory has whole
   ones, and computed there once more; the last one may reach into the next block.  A part of one takes the way through the
   cache, where all that follows would wait for its memory. */
INLINE bool observe_formula(observed_formula *f, int count, char *const *given, struct piece piece, bool units,
                            uint64_t *alive, struct tally *t)
{
    const scalar *x = piece.x;
    scalar *y = piece.y;
    const ptrdiff_t n = piece.n;
    const bool streams = piece.streams;
    const ptrdiff_t shift = streams ? (ptrdiff_t)(-((uintptr_t)y / sizeof(scalar)) % LANES) : 0;
    real parameters[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < count; k++)
        parameters[k] = real_(*(const scalar *)given[k]);
    const ptrdiff_t last = piece.continued ? n : n - LANES;
    if (shift && !piece.continued) __builtin_prefetch(y + n, 1);
    if (shift && !piece.continues) store_part(y, f(load_part(x, shift), parameters), shift);
    struct sums s = begin_sums(t);
    int64_t zero_count = 0;
    uint64_t any = 0;
    for (ptrdiff_t i = 0; i < n; i += FLAGS) {
        flags zeros = flags_of(0);
        for (ptrdiff_t j = i; j < i + FLAGS; j += NUMACT_SUMS) {
            prefetch(x + j + AHEAD);
            UNROLL_VECTORS
            for (int k = 0; k < NUMACT_SUMS; k += LANES) {
                real result = f(load(x + j + k), parameters);
                set_flags(&zeros, (int)(j - i) + k, eq(result, 0));
                add_to_sums(&s, k, wide_of(result));
                if (shift && j + k + shift <= last)
                    store_streaming(y + j + k + shift, f(load(x + j + k + shift), parameters));
                else if (!shift)
                    put(y + j + k, result, streams);
            }
        }
        uint64_t word = word_of(&zeros);
        zero_count += __builtin_popcountll(word);
        any |= ~word;
        if (units) set_alive(alive + i / FLAGS, ~word);
    }
    if (shift && !piece.continued) {
        const ptrdiff_t end = n - LANES + shift;
        store_part(y + end, f(load_part(x + end, LANES - shift), parameters), LANES - shift);
    }
    if (!units) set_alive(alive, any);
    if (!end_sums(&s, t)) return false;
    t->zeros += zero_count;
    t->elements += n;
    return true;
}

typedef bool observed_loop(char *const *given, struct piece piece, bool units, uint64_t *alive, struct tally *t);

#define OBSERVED_LOOP(name, count)                                                                                     \
    INLINE real name##_observed_of(real x, const real *p)                                                              \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        return name##_forward(x PARAMETERS_##count(p));                                                                \
    }                                                                                                                  \
    static bool SYMBOL(name##_observed)(char *const *given, struct piece piece, bool units, uint64_t *alive,            \
                                        struct tally *t)                                                               \
    {                                                                                                                  \
        return observe_formula(name##_observed_of, count, given, piece, units, alive, t);                              \
    }
#define OBSERVED_ROW(name, count) {#name, SYMBOL(name##_observed)},

MASKED(OBSERVED_LOOP)

static const struct {
    const char *name;
    observed_loop *loop;
} SYMBOL(observed)[] = {MASKED(OBSERVED_ROW){NULL, NULL}};

/* The loop for the activation and these arrays, or NULL. */
INLINE observed_loop *find_observed(const struct numact_observation *o)
{
    const int last = o->dimensions - 1;
    if (!o->x || o->half_loop || is_bounded(o) || o->x_steps[last] != sizeof(scalar) ||
        o->y_steps[last] != sizeof(scalar))
        return NULL;
    int k = 0;
    while (SYMBOL(observed)[k].name && strcmp(SYMBOL(observed)[k].name, o->name) != 0)
        k++;
    return SYMBOL(observed)[k].loop;
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
                         LANES > 1 && o->x != o->y && elements >= NUMACT_STREAMED / (ptrdiff_t)sizeof(scalar);
    observed_loop *observed = find_observed(o);
    if (o->x) {
        for (int k = 1; k < o->activation->inputs; k++)
            call.arrays[k] = o->parameters[k - 1];
        call.steps[0] = x_step;
        call.steps[o->activation->inputs] = y_step;
    }
    struct row r = row_of(o, start / in_row);
    bool continues = false;
    for (ptrdiff_t number = start; number < stop; number++) {
        const ptrdiff_t first = number % in_row * NUMACT_BLOCK;
        const ptrdiff_t n = length - first < NUMACT_BLOCK ? length - first : NUMACT_BLOCK;
        char *x = o->x ? r.x + first * x_step : NULL, *y = r.y + first * y_step;
        uint64_t *alive = units ? r.alive + first / FLAGS : r.alive;
        if (observed && !t.started) {
            activate(o, &call, x, (char *)block, 1);
            find_origin(block, 1, &t);
        }
        const ptrdiff_t whole = observed && t.started ? n - n % FLAGS : 0;
        if (first + n == length) next_row(o, &r);
        const ptrdiff_t next = first + n == length ? 0 : first + n;
        const bool continued = number + 1 < stop && whole == n && r.y + next * y_step == y + n * y_step &&
                               (!x || r.x + next * x_step == x + n * x_step);
        if (whole) {
            const struct piece piece = {(const scalar *)x, (scalar *)y, whole, streams, continues, continued};
            if (!observed(o->parameters, piece, units, alive, &t))
                observe_block(o, (const scalar *)y, whole, units, NULL, alive, &t);
            if (units) alive += whole / FLAGS;
        }
        if (n > whole) {
            char *rest = y + whole * y_step;
            const scalar *ahead = NULL;
            if (x) {
                activate(o, &call, x + whole * x_step, streams ? (char *)block : rest, n - whole);
                if (x_step == sizeof(scalar)) ahead = (const scalar *)x + n;
            }
            observe_block(o, streams ? block : fetch(rest, y_step, n - whole, block), n - whole, units, ahead, alive, &t);
            if (streams) copy_streaming((scalar *)rest, block, n - whole);
        }
        continues = continued;
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
