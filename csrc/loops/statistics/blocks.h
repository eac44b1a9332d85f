/* A block of elements side by side: which are zero, saturated or not finite, and the sums with them. */
#ifndef NUMACT_LOOPS_STATISTICS_BLOCKS_H
#define NUMACT_LOOPS_STATISTICS_BLOCKS_H

#include "formulas/statistics.h"

/* A word of conditions on FLAGS elements. */
INLINE uint64_t zeros_of(const scalar *x)
{
    flags found = flags_from_word(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES)
        set_flags(&found, k, eq(load(x + k), 0));
    return flags_to_word(&found);
}
INLINE uint64_t saturated_of(const scalar *x, scalar low, scalar high)
{
    flags found = flags_from_word(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES)
        set_flags(&found, k, either(le(load(x + k), low), ge(load(x + k), high)));
    return flags_to_word(&found);
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
   `ahead`, if any, are prefetched. */
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

/* At most NUMACT_BLOCK elements side by side, from a position on that is a multiple of it. */
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

/* How elements are stored: gives n of them side by side as scalars, in `block` unless they are that where they
   stand. */
typedef const scalar *fetch(const char *from, ptrdiff_t stride, ptrdiff_t n, scalar *block);

INLINE const scalar *fetch_scalars(const char *from, ptrdiff_t stride, ptrdiff_t n, scalar *block)
{
    if (stride == sizeof(scalar)) return (const scalar *)from;
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(block + i, from + i * stride, sizeof(scalar));
    return block;
}

#endif
