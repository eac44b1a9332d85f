/* Statistics of an array in one pass: zeros, units that are not always 0, saturated, NaN and infinite elements, mean and
   variance; and the same while an activation writes the array, block by block, each of which is still in the first cache.

   Sums are taken in double, in NUMACT_SUMS partial sums.  The sum that an element is added to, and the order in which,
   depend on its place alone: the bits are the same on every level and for all strides.

   The squared deviations come from the sums s of x - origin and q of its square, as q - s^2 / n.  The origin is one of the n
   elements or between two of them, and so no farther from the mean than one of these: they are at least
   (mean - origin)^2, so that cancellation makes the error at most a few n units of roundoff, and a few for an origin like
   most elements. */
#ifndef NUMACT_FORMULAS_STATISTICS_H
#define NUMACT_FORMULAS_STATISTICS_H

#include "formulas/activations.h"
#include "simd/real.h"
#include "numact.h"
#include "simd/non_temporal.h"

/* In bytes; and how many elements ahead memory is asked for, as the processor does not while it sums. */
enum { CACHE_LINE = 64, AHEAD = 1024 };

/* What has been summed and counted over some blocks. */
struct tally {
    bool started;   /* the origin is known */
    double origin;
    double sum[NUMACT_SUMS], square[NUMACT_SUMS];
    int64_t elements, zeros, saturated, nan, infinite;
};

INLINE bool is_finite(scalar x) { return x - x == 0; }

/* 0, from which nothing need be subtracted, where it is between two of the first FLAGS elements; else the first finite one. */
INLINE void find_origin(const scalar *x, ptrdiff_t n, struct tally *t)
{
    bool below = false, above = false;
    for (ptrdiff_t i = 0; i < n && i < FLAGS && !(below && above); i++) {
        below |= is_finite(x[i]) && x[i] <= 0;
        above |= is_finite(x[i]) && x[i] >= 0;
    }
    t->started = below && above;
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

/* `shifted`: the origin is not 0. */
INLINE void add_deviation(struct sums *s, int k, wide deviation, bool shifted)
{
    wide *sum = &s->sum[k / LANES], *square = &s->square[k / LANES];
    *sum = add_wide(*sum, deviation);
    *square = shifted ? add_wide(*square, mul_wide(deviation, deviation)) : add_square(*square, deviation);
}
INLINE void add_to_sums(struct sums *s, int k, wide x, bool shifted)
{
    add_deviation(s, k, shifted ? sub_wide(x, s->origin) : x, shifted);
}

/* The sums in another order, from that of the element `by` places behind the first one. */
INLINE void rotate_sums(struct sums *s, ptrdiff_t by)
{
    ALIGNED double sum[2 * NUMACT_SUMS], square[2 * NUMACT_SUMS];
    for (int k = 0; k < 2 * NUMACT_SUMS; k += LANES) {
        store_wide(sum + k, s->sum[k % NUMACT_SUMS / LANES]);
        store_wide(square + k, s->square[k % NUMACT_SUMS / LANES]);
    }
    for (int k = 0; k < NUMACT_SUMS; k += LANES) {
        s->sum[k / LANES] = load_doubles(sum + by + k);
        s->square[k / LANES] = load_doubles(square + by + k);
    }
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
    for (int k = 0; k < NUMACT_SUMS; k += LANES)
        if (!is_finite_wide(s->square[k / LANES])) return false;
    keep_sums(s, t);
    return true;
}

/* Asks for n elements. */
INLINE void prefetch(const scalar *p, size_t n)
{
    for (size_t byte = 0; byte < n * sizeof(scalar); byte += CACHE_LINE)
        __builtin_prefetch((const char *)p + byte);
}

/* Sums with a multiple of NUMACT_SUMS more elements; those that lie `ahead`, if any, are asked for. */
INLINE struct sums sum_up(const scalar *x, ptrdiff_t n, const scalar *ahead, const struct tally *t, bool shifted)
{
    struct sums s = begin_sums(t);
    for (ptrdiff_t i = 0; i < n; i += NUMACT_SUMS) {
        if (ahead) prefetch(ahead + i, NUMACT_SUMS);
        UNROLL_VECTORS
        for (int k = 0; k < NUMACT_SUMS; k += LANES)
            add_to_sums(&s, k, load_wide(x + i + k), shifted);
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
    struct sums s = sum_up(finite, n, NULL, t, true);
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

/* At most NUMACT_BLOCK elements, a multiple of FLAGS, of which the last ones are to be `valid` only; as many that lie
   `ahead`, if any, are asked for meanwhile. */
INLINE void observe_words(const struct numact_observation *o, const scalar *x, ptrdiff_t n, uint64_t valid, bool units,
                          const scalar *ahead, uint64_t *alive, struct tally *t)
{
    bool bounded = is_bounded(o);
    if (o->wanted == NUMACT_ALL) {
        if (!t->started) find_origin(x, n, t);
        struct sums s = t->origin == 0 ? sum_up(x, n, ahead, t, false) : sum_up(x, n, ahead, t, true);
        if (!end_sums(&s, t)) {
            sum_finite(x, n, t);
            bounded = true;
        }
        ahead = NULL;
    }
    if (o->wanted == NUMACT_SATURATED || (o->wanted == NUMACT_ALL && bounded))
        for (ptrdiff_t i = 0; i < n; i += FLAGS) {
            uint64_t counted = i < n - FLAGS ? ~UINT64_C(0) : valid;
            if (ahead) prefetch(ahead + i, FLAGS);
            t->saturated += __builtin_popcountll(saturated_of(x + i, (scalar)o->low, (scalar)o->high) & counted);
        }
    if (o->wanted == NUMACT_SATURATED) return;
    uint64_t any = 0;
    for (ptrdiff_t i = 0; i < n; i += FLAGS) {
        uint64_t counted = i < n - FLAGS ? ~UINT64_C(0) : valid;
        if (o->wanted == NUMACT_ALIVE && units && !(counted & ~alive_already(alive + i / FLAGS))) continue;
        if (ahead) prefetch(ahead + i, FLAGS);
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

/* A block of a row: its number in C order, and its first element in the row. */
struct place {
    struct row row;
    ptrdiff_t number, first;
};

INLINE ptrdiff_t length_of(const struct numact_observation *o) { return o->shape[o->dimensions - 1]; }

INLINE ptrdiff_t blocks_in_row(const struct numact_observation *o)
{
    return (length_of(o) + NUMACT_BLOCK - 1) / NUMACT_BLOCK;
}

INLINE struct place place_of(const struct numact_observation *o, ptrdiff_t number)
{
    const ptrdiff_t in_row = blocks_in_row(o);
    return (struct place){row_of(o, number / in_row), number, number % in_row * NUMACT_BLOCK};
}

INLINE ptrdiff_t block_length(const struct numact_observation *o, const struct place *p)
{
    const ptrdiff_t left = length_of(o) - p->first;
    return left < NUMACT_BLOCK ? left : NUMACT_BLOCK;
}

INLINE void next_block(const struct numact_observation *o, struct place *p)
{
    p->number++;
    p->first += NUMACT_BLOCK;
    if (p->first < length_of(o)) return;
    p->first = 0;
    next_row(o, &p->row);
}

/* On to the next row from the first block of one. */
INLINE void pass_row(const struct numact_observation *o, struct place *p)
{
    p->number += blocks_in_row(o);
    next_row(o, &p->row);
}

INLINE char *x_at(const struct numact_observation *o, const struct place *p)
{
    return o->x ? p->row.x + p->first * o->x_steps[o->dimensions - 1] : NULL;
}
INLINE char *y_at(const struct numact_observation *o, const struct place *p)
{
    return p->row.y + p->first * o->y_steps[o->dimensions - 1];
}
INLINE bool has_units(const struct numact_observation *o) { return o->unit_steps[o->dimensions - 1] != 0; }
INLINE uint64_t *alive_at(const struct numact_observation *o, const struct place *p)
{
    return has_units(o) ? p->row.alive + p->first / FLAGS : p->row.alive;
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

/* Elements side by side, a multiple of FLAGS, that such a loop takes at once.  Past the cache whole vectors of memory are
   stored: the last one reaches into the elements `behind`, where another run follows in memory, and the first elements of a
   run that has one `before` are stored by that.  A part of a vector would take the way through the cache, where all that
   follows waits for its memory; it is stored at the ends of the array only. */
struct run {
    const scalar *x;
    scalar *y;
    ptrdiff_t n;
    bool non_temporal, before, behind;
    uint64_t *alive;
    ptrdiff_t word, words;  /* where the flags of the first elements stand among those of a row */
};

/* What has been found of a run.  The words that are shared with other threads come last: to change one of them waits for all
   that was stored. */
struct found {
    int64_t zeros;
    ptrdiff_t word, words;
    uint64_t alive[NUMACT_CHUNK / FLAGS]; /* from the run's first word on */
};

INLINE void begin_found(struct found *found, const struct run *r)
{
    found->zeros = found->word = 0;
    found->words = r->n / FLAGS < r->words ? r->n / FLAGS : r->words;
    memset(found->alive, 0, (size_t)found->words * sizeof *found->alive);
}

INLINE void add_zeros(struct found *found, uint64_t zeros)
{
    found->zeros += __builtin_popcountll(zeros);
    found->alive[found->word] |= ~zeros;
    if (++found->word == found->words) found->word = 0;
}

INLINE void end_found(const struct found *found, const struct run *r)
{
    ptrdiff_t word = r->word;
    for (ptrdiff_t k = 0; k < found->words; k++) {
        set_alive(r->alive + word, found->alive[k]);
        if (++word == r->words) word = 0;
    }
}

/* Up to LANES elements from `place` on: their results, which are stored by the caller. */
INLINE real observe_part(observed_formula *f, const real *parameters, const scalar *x, ptrdiff_t count, bool shifted,
                         struct sums *s, int place, flags *zeros)
{
    const real result = f(load_part(x, count), parameters);
    set_flags(zeros, place, eq(result, 0));
    const wide deviation = shifted ? sub_wide(wide_of(result), s->origin) : wide_of(result);
    add_deviation(s, place % NUMACT_SUMS, first_lanes(deviation, count), shifted);
    return result;
}

/* False, with nothing counted, where the sums are not finite.  The vectors are those of memory, which begin at the element
   `first`; meanwhile the sums are in the order of these vectors, and the flags are shifted into words on the way. */
INLINE bool observe_formula(observed_formula *f, int count, char *const *given, struct run r, bool shifted, struct tally *t)
{
    real parameters[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < count; k++)
        parameters[k] = splat(*(const scalar *)given[k]);
    const ptrdiff_t first = r.non_temporal ? to_aligned(r.y) : 0;
    const ptrdiff_t whole = first ? r.n - FLAGS : r.n;
    struct sums s = begin_sums(t);
    struct found found;
    begin_found(&found, &r);
    uint64_t pending = 0; /* the flags of what precedes the vectors that are due */
    if (first) {
        flags zeros = flags_of(0);
        real result = observe_part(f, parameters, r.x, first, shifted, &s, 0, &zeros);
        if (!r.before) store_part(r.y, result, first);
        pending = word_of(&zeros) & ((UINT64_C(1) << first) - 1);
        rotate_sums(&s, first);
    }
    const scalar *x = r.x + first;
    scalar *y = r.y + first;
    for (ptrdiff_t i = 0; i < whole; i += FLAGS, x += FLAGS, y += FLAGS) {
        flags zeros = flags_of(0);
#pragma GCC unroll 4
        for (int j = 0; j < FLAGS; j += NUMACT_SUMS) {
            prefetch(x + j + AHEAD, NUMACT_SUMS);
            UNROLL_VECTORS
            for (int k = 0; k < NUMACT_SUMS; k += LANES) {
                real result = f(load(x + j + k), parameters);
                store_result(y + j + k, result, r.non_temporal);
                set_flags(&zeros, j + k, eq(result, 0));
                add_to_sums(&s, k, wide_of(result), shifted);
            }
        }
        uint64_t word = word_of(&zeros);
        add_zeros(&found, pending | word << first);
        pending = word >> 1 >> (FLAGS - 1 - first);
    }
    if (first) {
        flags zeros = flags_of(0);
        for (int k = 0; k < FLAGS; k += LANES) {
            const ptrdiff_t left = k < FLAGS - LANES ? LANES : LANES - first;
            real result = observe_part(f, parameters, x + k, left, shifted, &s, k, &zeros);
            if (left == LANES)
                store_non_temporal(y + k, result);
            else if (r.behind)
                store_non_temporal(y + k, f(load(x + k), parameters));
            else
                store_part(y + k, result, left);
        }
        add_zeros(&found, pending | word_of(&zeros) << first);
        rotate_sums(&s, NUMACT_SUMS - first);
    }
    if (!end_sums(&s, t)) return false;
    end_found(&found, &r);
    t->zeros += found.zeros;
    t->elements += r.n;
    return true;
}

typedef bool observed_loop(char *const *given, struct run r, struct tally *t);

#define OBSERVED_LOOP(name, count)                                                                                     \
    INLINE real name##_observed_of(real x, const real *p)                                                              \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        return name##_forward(x PARAMETERS_##count(p));                                                                \
    }                                                                                                                  \
    static bool SYMBOL(name##_observed)(char *const *given, struct run r, struct tally *t)                              \
    {                                                                                                                  \
        return t->origin == 0 ? observe_formula(name##_observed_of, count, given, r, false, t)                         \
                              : observe_formula(name##_observed_of, count, given, r, true, t);                         \
    }
/* In loops over scalars, blocks are faster: those over one thing at a time are the ones that compilers vectorise well. */
#define OBSERVED_ROW(name, count) {#name, LANES > 1 ? SYMBOL(name##_observed) : NULL},

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

/* An array whose statistics are taken, and what is the same for all of its blocks. */
struct watch {
    const struct numact_observation *o;
    fetch *fetch;
    observed_loop *observed; /* or NULL */
    ptrdiff_t blocks;
    bool non_temporal, before; /* before: the next run has one before it */
    struct activation_call call;
};

INLINE struct watch begin_watch(fetch *fetch, const struct numact_observation *o)
{
    struct watch w = {.o = o, .fetch = fetch, .observed = find_observed(o)};
    ptrdiff_t rows = 1;
    for (int k = 0; k < o->dimensions - 1; k++)
        rows *= o->shape[k];
    w.blocks = rows * blocks_in_row(o);
    if (!o->x) return w;
    const int last = o->dimensions - 1;
    w.non_temporal = LANES > 1 && !o->half_loop && o->x != o->y && o->y_steps[last] == sizeof(scalar) &&
                rows * length_of(o) >= NUMACT_NON_TEMPORAL / (ptrdiff_t)sizeof(scalar);
    for (int k = 1; k < o->activation->inputs; k++)
        w.call.arrays[k] = o->parameters[k - 1];
    w.call.steps[0] = o->x_steps[last];
    w.call.steps[o->activation->inputs] = o->y_steps[last];
    return w;
}

/* Whether a loop may go on from the last block of a row, x and y, to the first one of the next row: rows of whole words of
   flags that lie side by side. */
INLINE bool adjoins(const struct numact_observation *o, const char *x, const char *y, const struct row *next)
{
    const ptrdiff_t size = length_of(o) * (ptrdiff_t)sizeof(scalar);
    return length_of(o) % FLAGS == 0 && next->x == x + size && next->y == y + size;
}

/* How many whole rows there are from `p` on, before `stop`, that differ in the next to last dimension alone, and have the
   same units. */
INLINE ptrdiff_t rows_alike(const struct numact_observation *o, const struct place *p, ptrdiff_t stop)
{
    const int outer = o->dimensions - 2;
    if (outer < 0 || p->first || o->unit_steps[outer]) return 0;
    const ptrdiff_t left = o->shape[outer] - p->row.index[outer], wanted = (stop - p->number) / blocks_in_row(o);
    return left < wanted ? left : wanted;
}

/* On to the same place so many rows on, within this dimension. */
INLINE void pass_rows(const struct numact_observation *o, struct place *p, ptrdiff_t rows)
{
    move(o, &p->row, o->dimensions - 2, rows);
    p->row.index[o->dimensions - 2] += rows;
    p->number += rows * blocks_in_row(o);
}

/* Moves on over rows that lie side by side, to the last one of them; returns the elements passed. */
INLINE ptrdiff_t pass_adjoining(const struct numact_observation *o, struct place *p, ptrdiff_t stop)
{
    const ptrdiff_t length = length_of(o), size = length * (ptrdiff_t)sizeof(scalar), rows = rows_alike(o, p, stop) - 1;
    const int outer = o->dimensions - 2;
    if (rows < 1 || length % FLAGS || o->x_steps[outer] != size || o->y_steps[outer] != size) return 0;
    pass_rows(o, p, rows);
    return rows * length;
}

/* What one loop can take from `p` on, of the blocks before `stop`; moves on to the first one that it cannot, or of which
   there is a rest, that begins at `rest`. */
INLINE struct run run_from(const struct watch *w, struct place *p, ptrdiff_t stop, ptrdiff_t *rest)
{
    const struct numact_observation *o = w->o;
    struct run r = {.x = (const scalar *)x_at(o, p), .y = (scalar *)y_at(o, p), .non_temporal = w->non_temporal,
                    .before = w->before, .alive = p->row.alive, .words = 1};
    if (has_units(o)) {
        r.word = p->first / FLAGS;
        r.words = length_of(o) / FLAGS;
    }
    *rest = 0;
    do {
        r.n += pass_adjoining(o, p, stop);
        const ptrdiff_t n = block_length(o, p), whole = n - n % FLAGS;
        r.n += whole;
        r.behind = false;
        if (whole < n) {
            *rest = whole;
            break;
        }
        const char *x = p->row.x, *y = p->row.y;
        next_block(o, p);
        r.behind = p->number < w->blocks && block_length(o, p) >= FLAGS && (p->first || adjoins(o, x, y, &p->row));
    } while (r.behind && p->number < stop && p->row.alive == r.alive);
    return r;
}

/* All that one loop can take from `p` on; moves `p` on as run_from() does, and returns the rest's beginning.  Where the sums
   are not finite, the results are looked at again by blocks. */
INLINE ptrdiff_t observe_run(struct watch *w, struct place *p, ptrdiff_t stop, scalar *block, struct tally *t)
{
    const struct numact_observation *o = w->o;
    if (!t->started) {
        activate(o, &w->call, x_at(o, p), (char *)block, FLAGS);
        find_origin(block, FLAGS, t);
    }
    const ptrdiff_t number = p->number;
    ptrdiff_t rest;
    const struct run r = run_from(w, p, stop, &rest);
    w->before = r.behind;
    if (w->observed(o->parameters, r, t)) return rest;
    struct place again = place_of(o, number);
    for (ptrdiff_t left = r.n, n; left > 0; left -= n, next_block(o, &again)) {
        n = block_length(o, &again) < left ? block_length(o, &again) : left;
        if (w->non_temporal) activate(o, &w->call, x_at(o, &again), (char *)block, n);
        const scalar *y = w->non_temporal ? block : (const scalar *)y_at(o, &again);
        observe_block(o, y, n, has_units(o), NULL, alive_at(o, &again), t);
    }
    return rest;
}

/* The elements of a block from `first` on. */
INLINE void observe_rest(struct watch *w, const struct place *p, ptrdiff_t first, scalar *block, struct tally *t)
{
    const struct numact_observation *o = w->o;
    const ptrdiff_t x_step = o->x_steps[o->dimensions - 1], y_step = o->y_steps[o->dimensions - 1];
    const ptrdiff_t n = block_length(o, p) - first;
    char *y = y_at(o, p) + first * y_step;
    const scalar *ahead = !o->half_loop && y_step == sizeof(scalar) ? (const scalar *)y + n : NULL;
    if (o->x) {
        char *x = x_at(o, p) + first * x_step;
        activate(o, &w->call, x, w->non_temporal ? (char *)block : y, n);
        ahead = x_step == sizeof(scalar) ? (const scalar *)x + n : NULL;
    }
    observe_block(o, w->non_temporal ? block : w->fetch(y, y_step, n, block), n, has_units(o), ahead,
                  alive_at(o, p) + (has_units(o) ? first / FLAGS : 0), t);
    if (w->non_temporal) copy_non_temporal((scalar *)y, block, n);
}

/* Which units live, over some rows: for FLAGS of them after the other, down to the row where all do. */
INLINE void find_alive(const struct watch *w, const struct place *p, ptrdiff_t rows, scalar *block)
{
    const struct numact_observation *o = w->o;
    const ptrdiff_t step = o->y_steps[o->dimensions - 1], row_step = o->y_steps[o->dimensions - 2];
    for (ptrdiff_t i = 0; i < length_of(o); i += FLAGS) {
        const ptrdiff_t left = length_of(o) - i, n = left < FLAGS ? left : FLAGS;
        const uint64_t valid = ~UINT64_C(0) >> (FLAGS - n);
        uint64_t *alive = p->row.alive + i / FLAGS, found = alive_already(alive);
        const char *y = p->row.y + i * step;
        for (ptrdiff_t row = 0; row < rows && valid & ~found; row++, y += row_step) {
            const scalar *x = w->fetch(y, step, n, block);
            if (n < FLAGS) x = memmove(block, x, (size_t)n * sizeof(scalar));
            found |= ~zeros_of(x) & valid;
        }
        set_alive(alive, found);
    }
}

INLINE struct numact_statistics statistics_of(const struct tally *t)
{
    double total = 0, squares = 0;
    for (int k = 0; k < NUMACT_SUMS; k++) {
        total += t->sum[k];
        squares += t->square[k];
    }
    int64_t finite = t->elements - t->nan - t->infinite;
    double count = finite ? (double)finite : 1, deviation = total / count;
    squares -= squares - squares == 0 ? total * deviation : 0;
    return (struct numact_statistics){finite,    t->zeros,  t->saturated, t->nan, t->infinite,
                                      t->origin, deviation, squares > 0 ? squares : 0};
}

INLINE void observe_chunks(fetch *fetch, const struct numact_observation *o, ptrdiff_t size, ptrdiff_t start,
                           ptrdiff_t stop, struct numact_statistics *statistics)
{
    ALIGNED scalar block[NUMACT_BLOCK];
    struct watch w = begin_watch(fetch, o);
    struct place p = place_of(o, start * size);
    if (w.observed && p.number) {
        const struct place last = place_of(o, p.number - 1);
        w.before = p.first || adjoins(o, last.row.x, last.row.y, &p.row);
    }
    for (ptrdiff_t chunk = start; chunk < stop; chunk++) {
        const ptrdiff_t end = (chunk + 1) * size < w.blocks ? (chunk + 1) * size : w.blocks;
        struct tally t = {0};
        while (p.number < end) {
            const ptrdiff_t rows = o->wanted == NUMACT_ALIVE && has_units(o) ? rows_alike(o, &p, end) : 0;
            if (rows > 1) {
                find_alive(&w, &p, rows, block);
                pass_rows(o, &p, rows - 1);
                pass_row(o, &p);
                continue;
            }
            const bool runs = w.observed && block_length(o, &p) >= FLAGS;
            const ptrdiff_t first = runs ? observe_run(&w, &p, end, block, &t) : 0;
            if (runs && !first) continue;
            observe_rest(&w, &p, first, block, &t);
            next_block(o, &p);
        }
        statistics[chunk] = statistics_of(&t);
    }
    if (w.non_temporal) fence_non_temporal();
}

numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start, ptrdiff_t stop,
                            struct numact_statistics *statistics)
{
    observe_chunks(fetch_scalars, observation, size, start, stop, statistics);
}

#endif
