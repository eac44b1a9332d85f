/* Non-temporal stores: a large result would leave the cache before it is read, and an ordinary store would first
   read the lines that it overwrites. */
#ifndef NUMACT_SIMD_NON_TEMPORAL_H
#define NUMACT_SIMD_NON_TEMPORAL_H

#include "simd/real.h"

/* The number of elements before the first address aligned to a vector. */
INLINE ptrdiff_t elements_to_alignment(const scalar *p)
{
    return (ptrdiff_t)(-((uintptr_t)p / sizeof(scalar)) % LANES);
}

INLINE void store_with_hint(scalar *p, real x, bool non_temporal)
{
    if (non_temporal)
        store_non_temporal(p, x);
    else
        store(p, x);
}

/* Copies n scalars by non-temporal stores. */
INLINE void copy_non_temporal(scalar *to, const scalar *from, ptrdiff_t n)
{
    ptrdiff_t i = elements_to_alignment(to);
    if (i > n) i = n;
    store_part(to, load_part(from, i), i);
    for (; i <= n - LANES; i += LANES)
        store_non_temporal(to + i, load(from + i));
    store_part(to + i, load_part(from + i, n - i), n - i);
}

#endif
