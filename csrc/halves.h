/* The types of 16 bits and float32: to float32 exactly, back rounded once, to nearest even.  Beside arithmetic.h the only
   file that knows an instruction set: float16 is converted by instructions where the level has them, else by integers that
   give the same bits, for subnormals, infinities and NaN (made quiet, its upper digits kept) too. */
#ifndef NUMACT_HALVES_H
#define NUMACT_HALVES_H

#include "arithmetic.h"
#include "environment.h"

#if REAL_BITS != 32
#error "halves are computed in float32"
#endif

typedef uint16_t half;

#define F32_SIGN 0x80000000u
#define F32_INFINITY 0x7F800000u

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
#include <immintrin.h>
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

/* The instruction reports an overflow itself. */
INLINE void f16_narrow(const float *from, half *to, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i <= n - HALF_LANES; i += HALF_LANES)
        f16_narrow_vector(from + i, to + i);
    for (; i < n; i++)
        to[i] = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);
}

#else

/* float16 has 10 bits of mantissa, float32 has 13 more, and the biases of the exponents differ by 112. */
enum { F16_LEAST_NORMAL = 0x0400, F16_INFINITY = 0x7C00, F16_QUIET = 0x0200, F16_SHIFT = 13 };
#define F16_BIAS (112u << MANTISSA)

INLINE float f16_widened(half h)
{
    bits magnitude = h & 0x7FFFu, sign = (bits)(h & 0x8000u) << 16;
    /* Exact, a multiple of the least number; the compiler would branch to it, were it not for the mask. */
    bits subnormal = bits_of((float)(int32_t)magnitude * 0x1p-24f), below = 0u - (bits)(magnitude < F16_LEAST_NORMAL);
    bits quiet = magnitude > F16_INFINITY ? F16_QUIET : 0;
    bits infinite = ((magnitude | quiet) << F16_SHIFT) | F32_INFINITY;
    bits normal = magnitude < F16_INFINITY ? (magnitude << F16_SHIFT) + F16_BIAS : infinite;
    return scalar_of(sign | (subnormal & below) | (normal & ~below));
}

/* Half of the last digit that is kept, less one if that digit is even, is added before the rest is cut off.  A result that
   is subnormal is the number of times that the least number goes into it: the last bits of 0.5 + |x|. */
INLINE half f16_narrowed(float x)
{
    bits magnitude = bits_of(x) & ~F32_SIGN, sign = (bits_of(x) & F32_SIGN) >> 16;
    bits odd = (magnitude >> F16_SHIFT) & 1;
    bits normal = (magnitude - F16_BIAS + 0xFFFu + odd) >> F16_SHIFT;
    bits finite = normal < F16_INFINITY ? normal : F16_INFINITY;
    bits subnormal = bits_of(scalar_of(magnitude) + 0.5f) - bits_of(0.5f);
    bits number = magnitude < ((bits)F16_LEAST_NORMAL << F16_SHIFT) + F16_BIAS ? subnormal : finite;
    bits nan = ((magnitude >> F16_SHIFT) & 0x3FFu) | F16_INFINITY | F16_QUIET;
    return (half)(sign | (magnitude > F32_INFINITY ? nan : number));
}

/* Whether it rounds to infinity: from halfway between the largest number, 65504, and 65536. */
INLINE bool f16_overflows(float x)
{
    bits magnitude = bits_of(x) & ~F32_SIGN;
    return magnitude >= bits_of(65520.0f) && magnitude < F32_INFINITY;
}

INLINE void f16_widen(const half *from, float *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = f16_widened(from[i]);
}

INLINE void f16_narrow(const float *from, half *to, ptrdiff_t n)
{
    bits overflow = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        to[i] = f16_narrowed(from[i]);
        overflow |= f16_overflows(from[i]);
    }
    if (overflow) environment_raise_overflow();
}

#endif

/* bfloat16 is the upper half of a float32.  (The processors' instructions flush subnormals to zero.) */
INLINE void bf16_widen(const half *from, float *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = scalar_of((bits)from[i] << 16);
}

INLINE half bf16_narrowed(float x)
{
    bits b = bits_of(x), rounded = (b + 0x7FFFu + ((b >> 16) & 1)) >> 16, nan = (b >> 16) | 0x40u;
    return (half)((b & ~F32_SIGN) > F32_INFINITY ? nan : rounded);
}

/* Whether it rounds to infinity: from halfway between the largest number and 2^128. */
INLINE bool bf16_overflows(float x)
{
    bits magnitude = bits_of(x) & ~F32_SIGN;
    return magnitude >= 0x7F7F8000u && magnitude < F32_INFINITY;
}

INLINE void bf16_narrow(const float *from, half *to, ptrdiff_t n)
{
    bits overflow = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        to[i] = bf16_narrowed(from[i]);
        overflow |= bf16_overflows(from[i]);
    }
    if (overflow) environment_raise_overflow();
}

#endif
