/* `real` and its primitives: the arithmetic in which every formula is written.  This folder is all that knows an
   instruction set; its forms of `real` are avx512.h, avx2.h, sse2_neon.h and scalar.h, one of which is included below.

   A kernel file defines REAL_BITS (32 or 64) first.  `scalar` is then float or double, and `real` is either
   one scalar, whose loops the compiler vectorises, or a vector of LANES scalars: of AVX-512 or AVX2, for float also of
   SSE2 or NEON.  All read the same: `+ - * /` and unary minus are C's, the rest are functions.  Every primitive is
   correctly rounded, so that a formula gives the same bits in each form, on every dispatch target and every processor.

   Literals are small integers, which convert to either type, or (scalar)0.5; a number that is not exact in binary is a
   named constant of coefficients_*.h. */
#ifndef NUMACT_SIMD_REAL_H
#define NUMACT_SIMD_REAL_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __FAST_MATH__ || FLT_EVAL_METHOD != 0
#error "numact needs IEEE arithmetic: no -ffast-math, no x87"
#endif

#define INLINE static inline __attribute__((always_inline, unused))

/* A name with the dtype and the dispatch target: SYMBOL(relu_grad) is relu_grad_f32_v4. */
#define JOIN(a, b, c) a##_##b##_##c
#define JOINED(a, b, c) JOIN(a, b, c)
#define SYMBOL(name) JOINED(name, REAL_NAME, LEVEL)

#if REAL_BITS == 32
typedef float scalar;
typedef uint32_t bits;
enum { MANTISSA = 23, EXPONENT_BIAS = 127 };
#define LARGEST FLT_MAX
#define RANGE_ROOT 0x1p64F
#define SMALLEST_NORMAL FLT_MIN
#elif REAL_BITS == 64
typedef double scalar;
typedef uint64_t bits;
enum { MANTISSA = 52, EXPONENT_BIAS = 1023 };
#define LARGEST DBL_MAX
#define RANGE_ROOT 0x1p512
#define SMALLEST_NORMAL DBL_MIN
#else
#error "REAL_BITS is 32 or 64"
#endif

INLINE bits bits_of(scalar x)
{
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}
INLINE scalar scalar_of(bits b)
{
    scalar x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* RANGE_ROOT, above, is the smallest power of two whose square overflows.

   ROUNDER is 1.5 * 2^MANTISSA: the low bits of x + ROUNDER are x rounded to an integer, ties to even, for
   |x| < 2^(MANTISSA - 2). */
#define ROUNDER ((scalar)(3 * ((bits)1 << (MANTISSA - 1))))
/* The same with the exponent bias: the low bits of n + POWER_ROUNDER, shifted to the exponent, are 2^n. */
#define POWER_ROUNDER (ROUNDER + EXPONENT_BIAS)

/* A piecewise polynomial has SEGMENTS segments over [1, 16), equally many in each binade: as many as scalars in two
   vectors of AVX-512, which then looks up a coefficient by one instruction.  The index of a segment is the last two
   bits of the biased exponent and the first SEGMENT_DIGITS bits of the mantissa. */
enum { SEGMENT_DIGITS = REAL_BITS == 32 ? 3 : 2, SEGMENTS = 4 << SEGMENT_DIGITS };

/* A scalar, a literal or a real as a real: subtracting +0 changes neither value nor sign, and compiles to nothing. */
#define splat(value) ((value) - (real){0})
#define select(condition, a, b) select_real(condition, splat(a), splat(b))
#define lt(a, b) lt_real(splat(a), splat(b))
#define le(a, b) le_real(splat(a), splat(b))
#define gt(a, b) lt_real(splat(b), splat(a))
#define ge(a, b) le_real(splat(b), splat(a))
#define eq(a, b) eq_real(splat(a), splat(b))
/* not a <= b, not a >= b: true where a or b is a NaN. */
#define not_le(a, b) not_le_real(splat(a), splat(b))
#define not_ge(a, b) not_le_real(splat(b), splat(a))
#define at_most(x, bound) at_most_real(splat(x), splat(bound))
#define at_least(x, bound) at_least_real(splat(x), splat(bound))
#define fma(a, b, c) fma_real(splat(a), splat(b), splat(c))
/* a b + c with the bits of fma, by fewer instructions where fma is emulated.  add_scaled: a is a power of two, so that
   a b is exact, or negligible beside c where it is subnormal.  fma_in_double: a double holds the sum exactly, as it
   does the rounding error of a product, or its rounding does not affect the rounding to float. */
#define add_scaled(a, b, c) add_scaled_real(splat(a), splat(b), splat(c))
#define fma_in_double(a, b, c) fma_in_double_real(splat(a), splat(b), splat(c))

/* The number of conditions in a `flags`. */
enum { FLAGS = 64 };

/* Loads across cache lines that have just been stored are slow. */
#define ALIGNED _Alignas(64)

/* The sum of 8 in one order on every dispatch target: the upper half is added to the lower half, three times. */
INLINE double reduce_8(const double *x)
{
    double four[4];
    for (int k = 0; k < 4; k++)
        four[k] = x[k] + x[k + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

#if defined __AVX512F__
#include "simd/avx512.h"
#elif defined __AVX2__ && defined __FMA__
#include "simd/avx2.h"
#elif REAL_BITS == 32 && (defined __SSE2__ || (defined __aarch64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
#include "simd/sse2_neon.h"
#else
#include "simd/scalar.h"
#endif

#ifdef FMA_IS_EMULATED
INLINE real add_scaled_real(real a, real b, real c) { return a * b + c; }
#else
INLINE real add_scaled_real(real a, real b, real c) { return fma_real(a, b, c); }
INLINE real fma_in_double_real(real a, real b, real c) { return fma_real(a, b, c); }
#endif

/* The number of elements in a vector, of n that remain. */
INLINE ptrdiff_t lanes_in(ptrdiff_t n) { return n < 0 ? 0 : n < LANES ? n : LANES; }

#if REAL_BITS == 64
/* A double needs no wider type. */
typedef real wide;
INLINE wide wide_from_real(real x) { return x; }
INLINE wide load_wide(const scalar *p) { return load(p); }
INLINE wide load_doubles(const double *p) { return load(p); }
INLINE wide splat_wide(double x) { return splat(x); }
INLINE wide add_wide(wide a, wide b) { return a + b; }
INLINE wide sub_wide(wide a, wide b) { return a - b; }
INLINE wide mul_wide(wide a, wide b) { return a * b; }
INLINE wide add_square(wide sum, wide x) { return sum + x * x; }
INLINE real real_from_wide(wide x) { return x; }
INLINE void store_wide(double *p, wide x) { store(p, x); }
#endif
#endif
