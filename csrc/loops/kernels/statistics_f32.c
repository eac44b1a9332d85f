/* Statistics of float32, and of float16 and bfloat16 by way of it.  Compiled once for every dispatch target, with
   -DLEVEL=name; exports numact_observe_f32_<level>, numact_observe_f16_<level> and numact_observe_bf16_<level>. */
#define REAL_BITS 32
#define REAL_NAME f32
#include "loops/statistics/chunks.h"

#include "simd/half.h"

INLINE const half *fetch_halves(const char *from, ptrdiff_t stride, ptrdiff_t n, half *packed)
{
    if (stride == sizeof(half)) return (const half *)from;
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(packed + i, from + i * stride, sizeof(half));
    return packed;
}

INLINE const scalar *fetch_f16(const char *from, ptrdiff_t stride, ptrdiff_t n, scalar *block)
{
    half packed[NUMACT_BLOCK];
    f16_widen(fetch_halves(from, stride, n, packed), block, n);
    return block;
}

INLINE const scalar *fetch_bf16(const char *from, ptrdiff_t stride, ptrdiff_t n, scalar *block)
{
    half packed[NUMACT_BLOCK];
    bf16_widen(fetch_halves(from, stride, n, packed), block, n);
    return block;
}

#undef REAL_NAME
#define REAL_NAME f16
numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start, ptrdiff_t stop,
                            struct numact_statistics *statistics)
{
    observe_chunks(fetch_f16, observation, size, start, stop, statistics);
}

#undef REAL_NAME
#define REAL_NAME bf16
numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start, ptrdiff_t stop,
                            struct numact_statistics *statistics)
{
    observe_chunks(fetch_bf16, observation, size, start, stop, statistics);
}
