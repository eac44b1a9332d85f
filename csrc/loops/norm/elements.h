/* The elements of a normalised array, as they are stored and as they are computed with. */
#ifndef NUMACT_LOOPS_NORM_ELEMENTS_H
#define NUMACT_LOOPS_NORM_ELEMENTS_H

#include "math/elementary.h"
#include "numact.h"

#if REAL_BITS == 32
#include "simd/half.h"
#endif

enum {
    PARTS = 32,         /* partial sums of a slice */
    CHUNK = 1024,       /* positions or channels that are computed at a time, and stay in the L1 cache */
    COLUMNS = 64,       /* channels side by side whose sums are taken at a time */
    BLOCK_ROWS = 64,    /* rows whose part of a weight's gradient is summed at a time */
    ROWS = 4,           /* rows of partial and total sums, of partial_length and total_length */
    LINE = 64,          /* bytes of a cache line */
    AHEAD = 4096,       /* prefetch distance in bytes: the hardware prefetcher stops at the end of a page */
    TOGETHER = 8,       /* rows that are computed together, at most, so that sums need not be waited for */
    TOGETHER_BYTES = 1 << 15, /* and that stay in the L1 cache */
};

#define EACH_PART(k) for (int k = 0; k < PARTS; k += LANES)

INLINE ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE ptrdiff_t quotient_up(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* Elements as they are stored */

#if REAL_BITS == 32
INLINE bool is_stored_real(const struct numact_norm *call) { return call->storage == NUMACT_REAL; }
INLINE void widen(const struct numact_norm *call, const char *from, scalar *to, ptrdiff_t n)
{
    if (call->storage == NUMACT_F16)
        f16_widen((const half *)from, to, n);
    else
        bf16_widen((const half *)from, to, n);
}
INLINE void narrow(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    if (call->storage == NUMACT_F16)
        f16_narrow(from, (half *)to, n);
    else
        bf16_narrow(from, (half *)to, n);
}
#else
INLINE bool is_stored_real(const struct numact_norm *call) { return (void)call, true; }
INLINE void widen(const struct numact_norm *call, const char *from, scalar *to, ptrdiff_t n)
{
    (void)call, (void)from, (void)to, (void)n;
}
INLINE void narrow(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    (void)call, (void)from, (void)to, (void)n;
}
#endif

/* n elements as scalars: where they are, or in the buffer. */
INLINE const scalar *fetched(const struct numact_norm *call, const char *from, ptrdiff_t n, scalar *buffer)
{
    if (is_stored_real(call)) return (const scalar *)from;
    widen(call, from, buffer, n);
    return buffer;
}

/* Where to compute what narrow_to() then stores at `to`. */
INLINE scalar *target(const struct numact_norm *call, char *to, scalar *buffer)
{
    return is_stored_real(call) ? (scalar *)to : buffer;
}
INLINE void narrow_to(const struct numact_norm *call, const scalar *from, char *to, ptrdiff_t n)
{
    if (!is_stored_real(call)) narrow(call, from, to, n);
}

/* The activation of n elements, in place: the loop of its ufunc, which has its bits. */
static void activate(const struct numact_norm *call, char *to, ptrdiff_t n)
{
    const struct numact_kernel *kernel = call->activation;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS];
    const ptrdiff_t parameter_width = call->half_loop ? (ptrdiff_t)sizeof(float) : call->width;
    for (int k = 0; k <= kernel->inputs; k++) {
        const bool parameter = k > 0 && k < kernel->inputs;
        arrays[k] = parameter ? call->parameters + (k - 1) * parameter_width : to;
        strides[k] = parameter ? 0 : call->width;
    }
    if (call->half_loop)
        call->half_loop(kernel, arrays, n, strides);
    else
        kernel->loop(arrays, n, strides, false);
}

INLINE char *slice_start(struct numact_slices a, ptrdiff_t sample, ptrdiff_t channel, ptrdiff_t position)
{
    return a.start + sample * a.sample + channel * a.channel + position * a.position;
}

/* Prefetches memory that is needed soon.  Beyond the end of an array this has no effect. */
INLINE void prefetch(const char *p, ptrdiff_t bytes)
{
    for (ptrdiff_t byte = 0; byte < bytes; byte += LINE)
        __builtin_prefetch(p + byte);
}

#endif
