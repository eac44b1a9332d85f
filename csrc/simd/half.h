/* Conversions between float32 and float16 or bfloat16: to float32 exactly, back rounded once, ties to even.  float16 is
   converted by instructions where the dispatch target has them (F16C, AVX-512), else by integer operations with the
   same bits, also for subnormal numbers, infinities and NaN (which becomes quiet and keeps the upper bits of its
   payload). */
#ifndef NUMACT_SIMD_HALF_H
#define NUMACT_SIMD_HALF_H

#include "simd/real.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

#if REAL_BITS != 32
#error "halves are computed in float32"
#endif

typedef uint16_t half;

#define F32_SIGN 0x80000000u
#define F32_INFINITY 0x7F800000u

/* TYPE_narrow returns whether finite numbers may have overflowed; TYPE_overflows then checks that. */

/* Whether the magnitude of a finite number has bits of `least` or more, and so overflows the smaller type. */
INLINE bool any_finite_at_least(const float *from, ptrdiff_t n, bits least)
{
    bits found = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        bits magnitude = bits_of(from[i]) & ~F32_SIGN;
        found |= (bits)(magnitude >= least) & (bits)(magnitude < F32_INFINITY);
    }
    return found;
}

#ifdef __F16C__

#ifdef __AVX512F__
enum { HALF_LANES = 16 };
INLINE void f16_widen_vector(const half *from, float *to)
{
    _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from)));
}
INLINE void f16_narrow_vector(const float *from, half *to)
{
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtps_ph(_mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
}
#else
enum { HALF_LANES = 8 };
INLINE void f16_widen_vector(const half *from, float *to)
{
    _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from)));
}
INLINE void f16_narrow_vector(const float *from, half *to)
{
    _mm_storeu_si128((__m128i *)to, _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
}
#endif

INLINE void f16_widen(const half *from, float *to, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i <= n - HALF_LANES; i += HALF_LANES)
        f16_widen_vector(from + i, to + i);
    for (; i < n; i++)
        to[i] = _cvtsh_ss(from[i]);
}

/* The conversion instruction sets the overflow flag itself. */
INLINE bool f16_narrow(const float *from, half *to, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i <= n - HALF_LANES; i += HALF_LANES)
        f16_narrow_vector(from + i, to + i);
    for (; i < n; i++)
        to[i] = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);
    return false;
}
INLINE bool f16_overflows(const float *from, ptrdiff_t n)
{
    (void)from, (void)n;
    return false;
}

#else

/* float16 has 10 bits of mantissa, float32 has 13 more; the exponent biases differ by 112.  The smallest normal float16
   is 2^-14. */
enum { F16_INFINITY = 0x7C00, F16_QUIET = 0x0200, F16_SHIFT = 13 };
enum { F16_BIAS = 112 << MANTISSA, F16_LEAST = 113 << MANTISSA };

/* A subnormal number is 2^-14 with its mantissa less 2^-14.  For infinity and NaN the bias is added twice, which gives
   their exponent in float32. */
INLINE float f16_to_f32(half h)
{
    bits sign = (bits)(h & 0x8000u) << 16;
    int32_t digits = (h & 0x7FFF) << F16_SHIFT;
    int32_t twice = digits >= F16_INFINITY << F16_SHIFT ? F16_BIAS : 0;
    int32_t quiet = digits > F16_INFINITY << F16_SHIFT ? F16_QUIET << F16_SHIFT : 0;
    bits normal = (bits)((digits | quiet) + F16_BIAS + twice);
    bits subnormal = bits_of(scalar_of((bits)(digits + F16_LEAST)) - scalar_of(F16_LEAST));
    return scalar_of(sign | (digits + F16_BIAS < F16_LEAST ? subnormal : normal));
}

/* To nearest even: half of the last kept bit, less one if that bit is 0, is added before the lower bits are dropped.  A
   subnormal result is |x| in units of 2^-24, which are the last bits of 0.5 + |x|. */
INLINE half f32_to_f16(float x)
{
    bits sign = (bits_of(x) & F32_SIGN) >> 16;
    int32_t magnitude = (int32_t)(bits_of(x) & ~F32_SIGN), odd = (magnitude >> F16_SHIFT) & 1;
    int32_t normal = (magnitude - F16_BIAS + 0xFFF + odd) >> F16_SHIFT;
    int32_t finite = normal < F16_INFINITY ? normal : F16_INFINITY;
    int32_t subnormal = (int32_t)(bits_of(scalar_of((bits)magnitude) + 0.5f) - bits_of(0.5f));
    int32_t number = magnitude < F16_LEAST ? subnormal : finite;
    int32_t nan = ((magnitude >> F16_SHIFT) & 0x3FF) | F16_INFINITY | F16_QUIET;
    return (half)(sign | (bits)(magnitude > (int32_t)F32_INFINITY ? nan : number));
}

INLINE void f16_widen(const half *from, float *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = f16_to_f32(from[i]);
}

INLINE bool f16_narrow(const float *from, half *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = f32_to_f16(from[i]);
    return true;
}

/* From 65520 on, halfway between the largest number, 65504, and 65536. */
INLINE bool f16_overflows(const float *from, ptrdiff_t n) { return any_finite_at_least(from, n, bits_of(65520.0f)); }

#endif

#define BF16_QUIET 0x00400000u

/* bfloat16 is the upper half of a float32.  (The conversion instructions of AVX-512 flush subnormal numbers to
   zero.) */
INLINE void bf16_widen(const half *from, float *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = scalar_of((bits)from[i] << 16);
}

INLINE half bf16_round(bits number) { return (half)((number + 0x7FFFu + ((number >> 16) & 1)) >> 16); }
INLINE half f32_to_bf16(float x)
{
    bits b = bits_of(x), quiet = b | BF16_QUIET;
    bool nan = (int32_t)(b & ~F32_SIGN) > (int32_t)F32_INFINITY;
    return nan ? (half)(quiet >> 16) : bf16_round(b);
}

/* From here on, halfway between the largest number and 2^128, a number rounds to infinity. */
#define BF16_LIMIT 0x7F7F8000u

/* A NaN takes as many instructions as the rounding.  Most blocks have none, and no number that overflows. */
INLINE bool bf16_narrow(const float *from, half *to, ptrdiff_t n)
{
    int32_t largest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t magnitude = (int32_t)(bits_of(from[i]) & ~F32_SIGN);
        largest = magnitude > largest ? magnitude : largest;
    }
    const bool exceptional = largest >= (int32_t)BF16_LIMIT;
    if (exceptional)
        for (ptrdiff_t i = 0; i < n; i++)
            to[i] = f32_to_bf16(from[i]);
    else
        for (ptrdiff_t i = 0; i < n; i++)
            to[i] = bf16_round(bits_of(from[i]));
    return exceptional;
}

INLINE bool bf16_overflows(const float *from, ptrdiff_t n) { return any_finite_at_least(from, n, BF16_LIMIT); }

#endif
