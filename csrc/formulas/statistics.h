/* Statistics of an array in one pass: zeros, units that are not always 0, saturated, NaN and infinite elements, mean
   and variance; and the same while an activation writes the array, block by block, each of which is still in the first
   cache.

   Sums are taken in double, in NUMACT_SUMS partial sums.  The sum that an element is added to, and the order in which,
   depend on its index alone: the bits are the same on every dispatch target and for all strides.

   The squared deviations come from the sums s of x - origin and q of its square, as q - s^2 / n.  The origin is one
   of the n elements or between two of them, and so no farther from the mean than one of these: they are at least
   (mean - origin)^2, so that cancellation makes the error at most a few n units of roundoff, and a few for an origin
   like most elements. */
#ifndef NUMACT_FORMULAS_STATISTICS_H
#define NUMACT_FORMULAS_STATISTICS_H

#include "formulas/activations.h"
#include "simd/real.h"
#include "numact.h"

/* In bytes; and the prefetch distance in elements, which the hardware prefetcher does not reach while it sums. */
enum { CACHE_LINE = 64, AHEAD = 1024 };

/* What has been summed and counted over some blocks. */
struct tally {
    bool started;   /* the origin is known */
    double origin;
    double sum[NUMACT_SUMS], square[NUMACT_SUMS];
    int64_t elements, zeros, saturated, nan, infinite;
};

INLINE bool is_finite(scalar x) { return x - x == 0; }

/* 0, from which nothing need be subtracted, where it is between two of the first FLAGS elements; else the first
   finite one. */
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
    s.origin = splat_wide(t->origin);
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

/* The sums in another order, from that of the element at index `by`. */
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

/* Prefetches n elements. */
INLINE void prefetch(const scalar *p, size_t n)
{
    for (size_t byte = 0; byte < n * sizeof(scalar); byte += CACHE_LINE)
        __builtin_prefetch((const char *)p + byte);
}

/* Sums with a multiple of NUMACT_SUMS more elements; those at `ahead`, if any, are prefetched. */
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

#endif
