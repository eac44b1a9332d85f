/* Large results go past the cache, which they would leave before they are read, to spare the memory a read of what is
   overwritten. */
#ifndef NUMACT_STREAMING_H
#define NUMACT_STREAMING_H

#include "simd/real.h"

/* How many elements stand before the first whole vector of memory. */
INLINE ptrdiff_t to_aligned(const scalar *p) { return (ptrdiff_t)(-((uintptr_t)p / sizeof(scalar)) % LANES); }

INLINE void put(scalar *p, real x, bool streams)
{
    if (streams)
        store_streaming(p, x);
    else
        store(p, x);
}

/* Copies n scalars past the cache. */
INLINE void copy_streaming(scalar *to, const scalar *from, ptrdiff_t n)
{
    ptrdiff_t i = to_aligned(to);
    if (i > n) i = n;
    store_part(to, load_part(from, i), i);
    for (; i <= n - LANES; i += LANES)
        store_streaming(to + i, load(from + i));
    store_part(to + i, load_part(from + i, n - i), n - i);
}

#endif
