/* An activation and the statistics of its results, in one loop. */
#ifndef NUMACT_LOOPS_STATISTICS_FUSED_H
#define NUMACT_LOOPS_STATISTICS_FUSED_H

#include "loops/statistics/walk.h"
#include "simd/non_temporal.h"

/* One of the activations for which memory takes the most time, and the statistics of what it gives, in one loop over
   all three: by blocks, memory would wait meanwhile. */
typedef real observed_formula(real x, const real *parameters);

/* Elements side by side, a multiple of FLAGS, that such a loop takes at once.  Past the cache whole vectors of
   memory are stored: the last one reaches into the elements `behind`, where another run follows in memory, and the
   first elements of a run that has one `before` are stored by that.  A part of a vector would take the way through
   the cache, where all that follows waits for its memory; it is stored at the ends of the array only. */
struct run {
    const scalar *x;
    scalar *y;
    ptrdiff_t n;
    bool non_temporal, before, behind;
    uint64_t *alive;
    ptrdiff_t word, words;  /* where the flags of the first elements stand among those of a row */
};

/* What has been found of a run.  The words that are shared with other threads come last: to change one of them waits
   for all that was stored. */
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

/* Up to LANES elements from `position` on: their results, which are stored by the caller. */
INLINE real observe_part(observed_formula *f, const real *parameters, const scalar *x, ptrdiff_t count, bool shifted,
                         struct sums *s, int position, flags *zeros)
{
    const real result = f(load_part(x, count), parameters);
    set_flags(zeros, position, eq(result, 0));
    const wide deviation = shifted ? sub_wide(wide_from_real(result), s->origin) : wide_from_real(result);
    add_deviation(s, position % NUMACT_SUMS, mask_lanes(deviation, count), shifted);
    return result;
}

/* False, with nothing counted, where the sums are not finite.  The vectors are those of memory, which begin at the
   element `first`; meanwhile the sums are in the order of these vectors, and the flags are shifted into words on the
   way. */
INLINE bool observe_formula(observed_formula *f, int count, char *const *given, struct run r, bool shifted, struct tally *t)
{
    real parameters[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < count; k++)
        parameters[k] = splat(*(const scalar *)given[k]);
    const ptrdiff_t first = r.non_temporal ? elements_to_alignment(r.y) : 0;
    const ptrdiff_t whole = first ? r.n - FLAGS : r.n;
    struct sums s = begin_sums(t);
    struct found found;
    begin_found(&found, &r);
    uint64_t pending = 0; /* the flags of what precedes the vectors that are due */
    if (first) {
        flags zeros = flags_from_word(0);
        real result = observe_part(f, parameters, r.x, first, shifted, &s, 0, &zeros);
        if (!r.before) store_part(r.y, result, first);
        pending = flags_to_word(&zeros) & ((UINT64_C(1) << first) - 1);
        rotate_sums(&s, first);
    }
    const scalar *x = r.x + first;
    scalar *y = r.y + first;
    for (ptrdiff_t i = 0; i < whole; i += FLAGS, x += FLAGS, y += FLAGS) {
        flags zeros = flags_from_word(0);
#pragma GCC unroll 4
        for (int j = 0; j < FLAGS; j += NUMACT_SUMS) {
            prefetch(x + j + AHEAD, NUMACT_SUMS);
            UNROLL_VECTORS
            for (int k = 0; k < NUMACT_SUMS; k += LANES) {
                real result = f(load(x + j + k), parameters);
                store_with_hint(y + j + k, result, r.non_temporal);
                set_flags(&zeros, j + k, eq(result, 0));
                add_to_sums(&s, k, wide_from_real(result), shifted);
            }
        }
        uint64_t word = flags_to_word(&zeros);
        add_zeros(&found, pending | word << first);
        pending = word >> 1 >> (FLAGS - 1 - first);
    }
    if (first) {
        flags zeros = flags_from_word(0);
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
        add_zeros(&found, pending | flags_to_word(&zeros) << first);
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
/* In loops over scalars, blocks are faster: those over one thing at a time are the ones that compilers vectorise
   well. */
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
    if (!o->x || o->half_loop || is_bounded(o) || o->x_strides[last] != sizeof(scalar) ||
        o->y_strides[last] != sizeof(scalar))
        return NULL;
    int k = 0;
    while (SYMBOL(observed)[k].name && strcmp(SYMBOL(observed)[k].name, o->name) != 0)
        k++;
    return SYMBOL(observed)[k].loop;
}

#endif
