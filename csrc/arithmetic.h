/* `real` and its primitives: the arithmetic in which every formula is written, and the only file that knows an
   instruction set.

   A kernel file defines REAL_BITS (32 or 64) and includes this.  `scalar` is then float or double, and `real` is either
   one scalar, whose loops the compiler vectorises, or, where AVX-512 is there, a vector of LANES scalars.  Both read the
   same: `+ - * /` and unary minus are C's, the rest are the functions below.  Every primitive is correctly rounded, so
   that a formula gives the same bits in either form, on every level and every processor.

   Literals are small integers, which turn into either type, or (scalar)0.5; any number that is not exact in binary is a
   named constant from coefficients_*.h. */
#ifndef NUMACT_ARITHMETIC_H
#define NUMACT_ARITHMETIC_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __AVX512F__
#include <immintrin.h>
#elif defined __SSE2__
#include <emmintrin.h>
#endif

#if defined __FAST_MATH__ || FLT_EVAL_METHOD != 0
#error "numact needs IEEE arithmetic: no -ffast-math, no x87"
#endif

#define INLINE static inline __attribute__((always_inline, unused))

/* The name of something that every dtype and level has: SYMBOL(relu_grad) is relu_grad_f32_v4. */
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

/* RANGE_ROOT is the least power of two whose square overflows.
   1.5 * 2^MANTISSA: x + ROUNDER has x, rounded to even, in its low bits, for |x| < 2^(MANTISSA - 2). */
#define ROUNDER ((scalar)(3 * ((bits)1 << (MANTISSA - 1))))
/* The same with the exponent's bias: the low bits of n + POWER_ROUNDER, shifted into place, are 2^n. */
#define POWER_ROUNDER (ROUNDER + EXPONENT_BIAS)

/* A table has a polynomial for each of SEGMENTS segments of a number from 1 to 16, equally many in each binade.  They are
   as many as the scalars in two vectors of AVX-512, which then looks them up by an instruction: lookup() gives the entry of
   a row that stands where the last two bits of the exponent, as it is stored, and the first digits say. */
enum { SEGMENT_DIGITS = REAL_BITS == 32 ? 3 : 2, SEGMENTS = 4 << SEGMENT_DIGITS };

/* A scalar, a literal or a real as a real: subtracting +0 changes no value and no sign, and costs nothing. */
#define real_(value) ((value) - (real){0})
#define sel(condition, a, b) sel_(condition, real_(a), real_(b))
#define lt(a, b) lt_(real_(a), real_(b))
#define le(a, b) le_(real_(a), real_(b))
#define gt(a, b) lt_(real_(b), real_(a))
#define ge(a, b) le_(real_(b), real_(a))
#define eq(a, b) eq_(real_(a), real_(b))
/* not a <= b, not a >= b: true where one of them is a NaN. */
#define not_le(a, b) not_le_(real_(a), real_(b))
#define not_ge(a, b) not_le_(real_(b), real_(a))
#define at_most(x, bound) at_most_(real_(x), real_(bound))
#define at_least(x, bound) at_least_(real_(x), real_(bound))
#define fma(a, b, c) fma_(real_(a), real_(b), real_(c))

/* How many conditions a `flags` holds. */
enum { FLAGS = 64 };

/* Vectors that straddle cache lines are slow to come back from memory. */
#define ALIGNED _Alignas(64)

/* The sum of 8 in the order of every level: the upper half is added to the lower one, until one is left. */
INLINE double sum_of_eight(const double *x)
{
    double four[4];
    for (int k = 0; k < 4; k++)
        four[k] = x[k] + x[k + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

#ifdef __AVX512F__
#if REAL_BITS == 32
typedef __m512 real;
typedef __mmask16 mask;
#define INTRINSIC(name) _mm512_##name##_ps
#define INTRINSIC_COMPARE _mm512_cmp_ps_mask
#define INTRINSIC_AS_BITS _mm512_castps_si512
#define INTRINSIC_FROM_BITS _mm512_castsi512_ps
#else
typedef __m512d real;
typedef __mmask8 mask;
#define INTRINSIC(name) _mm512_##name##_pd
#define INTRINSIC_COMPARE _mm512_cmp_pd_mask
#define INTRINSIC_AS_BITS _mm512_castpd_si512
#define INTRINSIC_FROM_BITS _mm512_castsi512_pd
#endif

enum { LANES = sizeof(real) / sizeof(scalar) };
/* Before a loop over a few vectors; one over scalars is for the compiler. */
#define UNROLL_VECTORS _Pragma("GCC ivdep") _Pragma("GCC unroll 4")

INLINE real load(const scalar *p) { return INTRINSIC(loadu)(p); }
INLINE void store(scalar *p, real x) { INTRINSIC(storeu)(p, x); }
/* The same past the cache, to an address that is a multiple of the vector; before others read it, end_streaming(). */
INLINE void store_streaming(scalar *p, real x) { INTRINSIC(stream)(p, x); }
INLINE void end_streaming(void) { _mm_sfence(); }
INLINE real load_part(const scalar *p, ptrdiff_t n) { return INTRINSIC(maskz_loadu)((mask)((1u << n) - 1u), p); }
INLINE void store_part(scalar *p, real x, ptrdiff_t n) { INTRINSIC(mask_storeu)(p, (mask)((1u << n) - 1u), x); }

/* The first n of LANES scalars, the others pad; n from 0 to LANES. */
INLINE real load_padded(const scalar *p, ptrdiff_t n, scalar pad)
{
    return INTRINSIC(mask_loadu)(real_(pad), (mask)((1u << n) - 1u), p);
}

INLINE real sel_(mask condition, real a, real b) { return INTRINSIC(mask_blend)(condition, b, a); }
INLINE int count_true(mask condition) { return __builtin_popcount(condition); }
INLINE mask lt_(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_LT_OQ); }
INLINE mask le_(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_LE_OQ); }
INLINE mask eq_(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_EQ_OQ); }
INLINE mask not_le_(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_NLE_UQ); }
INLINE mask both(mask a, mask b) { return (mask)(a & b); }

/* Conditions that were met at least once: seen |= lanes_of(condition). */
typedef mask lanes;
INLINE lanes lanes_of(mask condition) { return condition; }

/* FLAGS conditions, set and read LANES at a time, from and to a word that has the first of them as its lowest bit. */
typedef uint64_t flags;
INLINE flags flags_of(uint64_t word) { return word; }
INLINE uint64_t word_of(const flags *f) { return *f; }
INLINE void set_flags(flags *f, int first, mask condition) { *f |= (uint64_t)condition << first; }
INLINE mask flags_at(const flags *f, int first) { return (mask)(*f >> first); }

/* min and max that let a NaN in x through: the instructions return their second operand when either is a NaN. */
INLINE real at_most_(real x, real bound) { return INTRINSIC(min)(bound, x); }
INLINE real at_least_(real x, real bound) { return INTRINSIC(max)(bound, x); }

INLINE real abs_(real x) { return INTRINSIC(abs)(x); }
/* min(|x|, bound) in one instruction; what a NaN gives is unspecified. */
INLINE real abs_at_most(real x, scalar bound) { return INTRINSIC(range)(x, real_(bound), 0x0A); }
INLINE real copysign_(real magnitude, real sign)
{
    /* 0xCA: the first operand chooses, bit by bit, between the second and the third. */
    return INTRINSIC_FROM_BITS(_mm512_ternarylogic_epi64(INTRINSIC_AS_BITS(-real_(0)), INTRINSIC_AS_BITS(sign),
                                                         INTRINSIC_AS_BITS(magnitude), 0xCA));
}
INLINE real fma_(real a, real b, real c) { return INTRINSIC(fmadd)(a, b, c); }
INLINE real sqrt_(real x) { return INTRINSIC(sqrt)(x); }

#if REAL_BITS == 32
/* As many doubles as a real has lanes, for sums. */
typedef struct {
    __m512d low, high;
} wide;
INLINE wide wide_of(real x)
{
    return (wide){_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
INLINE wide load_wide(const scalar *p)
{
    return (wide){_mm512_cvtps_pd(_mm256_loadu_ps(p)), _mm512_cvtps_pd(_mm256_loadu_ps(p + LANES / 2))};
}
INLINE wide load_doubles(const double *p) { return (wide){_mm512_loadu_pd(p), _mm512_loadu_pd(p + LANES / 2)}; }
INLINE wide wide_value(double x) { return (wide){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
INLINE wide add_wide(wide a, wide b) { return (wide){a.low + b.low, a.high + b.high}; }
INLINE wide sub_wide(wide a, wide b) { return (wide){a.low - b.low, a.high - b.high}; }
INLINE wide mul_wide(wide a, wide b) { return (wide){a.low * b.low, a.high * b.high}; }
/* sum + x^2 for an x that is a float, whose square a double holds: rounded once either way. */
INLINE wide add_square(wide sum, wide x)
{
    return (wide){_mm512_fmadd_pd(x.low, x.low, sum.low), _mm512_fmadd_pd(x.high, x.high, sum.high)};
}
INLINE bool is_finite_wide(wide x)
{
    __m512d zero = (x.low - x.low) + (x.high - x.high);
    return _mm512_cmp_pd_mask(zero, zero, _CMP_UNORD_Q) == 0;
}
/* The first n lanes, 0 in the others. */
INLINE wide first_lanes(wide x, ptrdiff_t n)
{
    unsigned kept = (1u << n) - 1u;
    return (wide){_mm512_maskz_mov_pd((__mmask8)kept, x.low), _mm512_maskz_mov_pd((__mmask8)(kept >> 8), x.high)};
}
INLINE real narrowed(wide x)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low)), _mm512_cvtpd_ps(x.high), 1);
}
INLINE void store_wide(double *p, wide x)
{
    _mm512_storeu_pd(p, x.low);
    _mm512_storeu_pd(p + LANES / 2, x.high);
}
/* 16 doubles and as many floats as 8 sums: the upper half is added to the lower one. */
INLINE void store_eight(double *eight, const wide *x, const real *rest)
{
    __m256 rest_eight = _mm512_castps512_ps256(*rest) + _mm512_extractf32x8_ps(*rest, 1);
    _mm512_storeu_pd(eight, (x->low + x->high) + _mm512_cvtps_pd(rest_eight));
}
/* The sums of the rows of 8: halves again, those of several rows in one vector. */
INLINE __m512d fours_of(const double *a, const double *b)
{
    __m512d eight_a = _mm512_loadu_pd(a), eight_b = _mm512_loadu_pd(b);
    return _mm512_shuffle_f64x2(eight_a, eight_b, 0x44) + _mm512_shuffle_f64x2(eight_a, eight_b, 0xEE);
}
INLINE __m512d twos_of(__m512d a, __m512d b)
{
    return _mm512_shuffle_f64x2(a, b, 0x88) + _mm512_shuffle_f64x2(a, b, 0xDD);
}
INLINE void sums_of_eights(const double (*rows)[8], double *sums)
{
    __m512d even = twos_of(fours_of(rows[0], rows[2]), fours_of(rows[4], rows[6]));
    __m512d odd = twos_of(fours_of(rows[1], rows[3]), fours_of(rows[5], rows[7]));
    _mm512_storeu_pd(sums, _mm512_unpacklo_pd(even, odd) + _mm512_unpackhi_pd(even, odd));
}

/* The largest of each of 16 rows of 16 scalars, none of them NaN, in the same manner. */
INLINE real largest_halves(const scalar *a, const scalar *b)
{
    return _mm512_max_ps(_mm512_shuffle_f32x4(load(a), load(b), 0x44), _mm512_shuffle_f32x4(load(a), load(b), 0xEE));
}
INLINE real largest_quarters(const scalar (*rows)[16])
{
    real a = largest_halves(rows[0], rows[4]), b = largest_halves(rows[8], rows[12]);
    return _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}
INLINE real largest_pairs(real a, real b)
{
    return _mm512_max_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
}
INLINE void largest_of_blocks(const scalar (*rows)[16], scalar *largest)
{
    real even = largest_pairs(largest_quarters(rows), largest_quarters(rows + 1));
    real odd = largest_pairs(largest_quarters(rows + 2), largest_quarters(rows + 3));
    store(largest, _mm512_max_ps(_mm512_shuffle_ps(even, odd, 0x88), _mm512_shuffle_ps(even, odd, 0xDD)));
}
#else
INLINE void largest_of_blocks(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r++)
        largest[r] = INTRINSIC(reduce_max)(at_least(load(rows[r]), load(rows[r] + LANES)));
}
#endif

/* 2^n for an integral n of a normal power. */
INLINE real power_of_two(real n) { return INTRINSIC(scalef)(real_(1), n); }
/* The same from the sum n + POWER_ROUNDER. */
INLINE real power_of_sum(real sum)
{
#if REAL_BITS == 32
    return INTRINSIC_FROM_BITS(_mm512_slli_epi32(INTRINSIC_AS_BITS(sum), MANTISSA));
#else
    return INTRINSIC_FROM_BITS(_mm512_slli_epi64(INTRINSIC_AS_BITS(sum), MANTISSA));
#endif
}
/* x 2^n, rounded once, for an integral n. */
INLINE real scale(real x, real n) { return INTRINSIC(scalef)(x, n); }
/* The n for which 1 <= |x| 2^-n < 2; finite for a zero or an infinity. */
INLINE real exponent_of(real x)
{
    return at_least(at_most(INTRINSIC(getexp)(x), EXPONENT_BIAS + 1), -EXPONENT_BIAS - MANTISSA);
}

typedef __m512i segment;
/* The segment of a number from 1 to 16, in SEGMENT_DIGITS digits. */
INLINE segment segment_of(real u, int digits)
{
#if REAL_BITS == 32
    return _mm512_srli_epi32(INTRINSIC_AS_BITS(u), (unsigned)(MANTISSA - digits));
#else
    return _mm512_srli_epi64(INTRINSIC_AS_BITS(u), (unsigned)(MANTISSA - digits));
#endif
}
/* Half as many segments for either of two sides, of which the upper one has the second half of the table: of a number from
   2 to 32 in SEGMENT_DIGITS - 1 digits, or equal ones of a number from 2 to 4 in SEGMENT_DIGITS + 1. */
INLINE segment segment_of_side(mask upper, real u, int digits)
{
    segment s = segment_of(u, digits);
#if REAL_BITS == 32
    return _mm512_mask_or_epi32(s, upper, s, _mm512_set1_epi32(SEGMENTS / 2));
#else
    return _mm512_mask_or_epi64(s, upper, s, _mm512_set1_epi64(SEGMENTS / 2));
#endif
}
INLINE real lookup(const scalar *row, segment s) { return INTRINSIC(permutex2var)(load(row), s, load(row + LANES)); }

#else /* one scalar; the loops are vectorised by the compiler */

typedef scalar real;
typedef bool mask;
enum { LANES = 1 };
#define UNROLL_VECTORS _Pragma("GCC ivdep")

INLINE real load(const scalar *p) { return *p; }
INLINE void store(scalar *p, real x) { *p = x; }
INLINE void store_streaming(scalar *p, real x) { store(p, x); }
INLINE void end_streaming(void) {}
INLINE real load_part(const scalar *p, ptrdiff_t n) { return n ? *p : 0; }
INLINE void store_part(scalar *p, real x, ptrdiff_t n)
{
    if (n) *p = x;
}

INLINE real load_padded(const scalar *p, ptrdiff_t n, scalar pad) { return n ? *p : pad; }

INLINE real sel_(mask condition, real a, real b) { return condition ? a : b; }
INLINE int count_true(mask condition) { return condition; }
INLINE mask lt_(real a, real b) { return a < b; }
INLINE mask le_(real a, real b) { return a <= b; }
INLINE mask eq_(real a, real b) { return a == b; }
INLINE mask not_le_(real a, real b) { return !(a <= b); }
INLINE mask both(mask a, mask b) { return a & b; }

INLINE real at_most_(real x, real bound) { return bound < x ? bound : x; }
INLINE real at_least_(real x, real bound) { return bound > x ? bound : x; }

/* Conditions that were met at least once: seen |= lanes_of(condition).  The bits of a number, since SSE2 has no selection
   of 64-bit integers. */
typedef bits lanes;
INLINE lanes lanes_of(mask condition) { return bits_of(condition ? 1 : 0); }

/* FLAGS conditions, set and read one at a time, from and to a word that has the first of them as its lowest bit.  A
   condition is a byte on the way, 0 or not, so that the loops around it can be vectorised.  Eight bits become eight bytes
   as a copy of all in each byte, of which it keeps one; and back, as 0 or 255, by shifts that add up in the highest byte. */
typedef struct {
    uint8_t of[FLAGS];
} flags;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FLAGS_SPREAD UINT64_C(0x0102040810204080)
#define FLAGS_GATHER UINT64_C(0x8040201008040201)
#else
#define FLAGS_SPREAD UINT64_C(0x8040201008040201)
#define FLAGS_GATHER UINT64_C(0x0102040810204080)
#endif
#define FLAGS_ONES UINT64_C(0x0101010101010101)

INLINE flags flags_of(uint64_t word)
{
    flags f;
    for (int byte = 0; byte < FLAGS / 8; byte++) {
        uint64_t eight = ((word >> 8 * byte & 0xFF) * FLAGS_ONES) & FLAGS_SPREAD;
        memcpy(f.of + 8 * byte, &eight, sizeof eight);
    }
    return f;
}
INLINE uint64_t word_of(const flags *f)
{
    uint64_t word = 0;
#ifdef __SSE2__
    for (int first = 0; first < FLAGS; first += 16) {
        unsigned int sixteen = (unsigned int)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(f->of + first)));
        word |= (uint64_t)sixteen << first;
    }
#else
    for (int byte = 0; byte < FLAGS / 8; byte++) {
        uint64_t eight;
        memcpy(&eight, f->of + 8 * byte, sizeof eight);
        word |= ((eight & FLAGS_ONES) * FLAGS_GATHER) >> 56 << 8 * byte;
    }
#endif
    return word;
}
INLINE void set_flags(flags *f, int first, mask condition) { f->of[first] = condition ? 255 : 0; }
INLINE mask flags_at(const flags *f, int first) { return f->of[first] != 0; }

#define SIGN ((bits)1 << (REAL_BITS - 1))
INLINE real abs_(real x) { return scalar_of(bits_of(x) & ~SIGN); }
INLINE real abs_at_most(real x, scalar bound) { return at_most_(abs_(x), bound); }
INLINE real copysign_(real magnitude, real sign)
{
    return scalar_of((bits_of(magnitude) & ~SIGN) | (bits_of(sign) & SIGN));
}

#if REAL_BITS == 32
INLINE real sqrt_(real x) { return __builtin_sqrtf(x); }
#else
INLINE real sqrt_(real x) { return __builtin_sqrt(x); }
#endif

/* The sum of the double pair a + b, its last bit set where the sum is inexact: rounding to odd.  Whatever is then rounded
   to fewer bits, or added to something much larger, comes out as if from the exact sum (Boldo and Melquiond, "Emulation
   of FMA and correctly rounded sums", IEEE TC 57, 2008). */
INLINE double add_to_odd(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    double error = (a - (sum - b_part)) + (b - b_part);
    uint64_t sum_bits, error_bits;
    memcpy(&sum_bits, &sum, sizeof sum_bits);
    memcpy(&error_bits, &error, sizeof error_bits);
    /* 1 unless the error is 0, or the NaN that an infinite sum leaves; by integers, since compilers do not vectorise the
       comparisons. */
    uint64_t magnitude = error_bits << 1, infinite = ((magnitude >> 53) + 1) >> 11;
    uint64_t inexact = ((magnitude | (0 - magnitude)) >> 63) & (infinite ^ 1);
    /* Step towards zero where the sum was rounded away from it, then set the last bit. */
    uint64_t away = inexact & ((sum_bits ^ error_bits) >> 63);
    sum_bits = (sum_bits - away) | inexact;
    memcpy(&sum, &sum_bits, sizeof sum);
    return sum;
}

#if defined __FMA__ || defined __ARM_FEATURE_FMA || defined __FP_FAST_FMA
#if REAL_BITS == 32
INLINE real fma_(real a, real b, real c) { return __builtin_fmaf(a, b, c); }
#else
INLINE real fma_(real a, real b, real c) { return __builtin_fma(a, b, c); }
#endif
#elif REAL_BITS == 32
/* Exact without the instruction: a double holds the product of two floats, and rounding to odd protects the last
   rounding. */
INLINE real fma_(real a, real b, real c) { return (real)add_to_odd((double)a * (double)b, (double)c); }
#else
/* The upper half of a double's digits, rounded, so that the lower half fits 26 bits with its sign. */
INLINE real upper_half(real x) { return scalar_of((bits_of(x) + ((bits)1 << 26)) & ~(((bits)1 << 27) - 1)); }

/* Exact without the instruction, unless the product overflows or a factor is within a digit of DBL_MAX.
   a b = p + p_error (Dekker), then the three terms are summed by rounding to odd.  Where all of it is tiny, it is computed
   2^200 times larger, and a result that becomes subnormal is rounded to the digits it will have by adding it to a number
   with just these.  Zeros, whose sign matters, infinities and NaN take the plain way. */
INLINE real fma_(real a, real b, real c)
{
    real product = a * b, plain = product + c;
    /* A product that underflows beside a zero gives the zero its sign. */
    real zero = c == 0 ? (a == 0 ? plain : (b == 0 ? plain : product)) : plain;
    real up = abs_(product) < 0x1p-900 ? (abs_(c) < 0x1p-900 ? 0x1p200 : 1) : 1, down = up > 1 ? 0x1p-200 : 1;
    a = a * up;
    c = c * up;
    real p = a * b;
    real a1 = upper_half(a), a2 = a - a1, b1 = upper_half(b), b2 = b - b1;
    real p_error = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
    real low = c + p_error, part = low - c;
    real low_error = (c - (low - part)) + (p_error - part);
    real high = p + low;
    part = high - p;
    real high_error = (p - (high - part)) + (low - part);
    real rest = add_to_odd(high_error, low_error);
    real nearest = high + rest;
    real grid = copysign_(0x1p-822, nearest), on_grid = grid + high;
    real subnormal = copysign_((on_grid + add_to_odd(high - (on_grid - grid), rest)) - grid, nearest);
    real exact = (abs_(nearest) < (up > 1 ? 0x1p-822 : 0) ? subnormal : nearest) * down;
    real signed_zero = nearest == 0 ? zero : exact;
    return abs_(exact) <= DBL_MAX ? signed_zero : plain;
}
#endif

#if REAL_BITS == 32
typedef double wide;
INLINE wide wide_of(real x) { return x; }
INLINE wide load_wide(const scalar *p) { return *p; }
INLINE wide load_doubles(const double *p) { return *p; }
INLINE wide wide_value(double x) { return x; }
INLINE wide add_wide(wide a, wide b) { return a + b; }
INLINE wide sub_wide(wide a, wide b) { return a - b; }
INLINE wide mul_wide(wide a, wide b) { return a * b; }
/* sum + x^2 for an x that is a float, whose square a double holds: rounded once either way. */
#ifdef __FMA__
INLINE wide add_square(wide sum, wide x) { return __builtin_fma(x, x, sum); }
#else
INLINE wide add_square(wide sum, wide x) { return sum + x * x; }
#endif
INLINE bool is_finite_wide(wide x) { return x - x == 0; }
INLINE wide first_lanes(wide x, ptrdiff_t n) { return n ? x : 0; }
INLINE real narrowed(wide x) { return (real)x; }
INLINE void store_wide(double *p, wide x) { *p = x; }
INLINE void store_eight(double *eight, const wide *x, const real *rest)
{
    for (int k = 0; k < 8; k++)
        eight[k] = (x[k] + x[k + 8]) + (double)(rest[k] + rest[k + 8]);
}
INLINE void sums_of_eights(const double (*rows)[8], double *sums)
{
    for (int r = 0; r < 8; r++)
        sums[r] = sum_of_eight(rows[r]);
}
#endif

INLINE void largest_of_blocks(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r++) {
        scalar found[8];
        for (int k = 0; k < 8; k++)
            found[k] = at_least(rows[r][k], rows[r][k + 8]);
        for (int half = 4; half; half /= 2)
            for (int k = 0; k < half; k++)
                found[k] = at_least(found[k], found[k + half]);
        largest[r] = found[0];
    }
}

/* Signed and as wide as the scalar, which is what an instruction that gathers takes. */
#if REAL_BITS == 32
typedef int32_t segment;
#else
typedef int64_t segment;
#endif
INLINE segment segment_of(real u, int digits)
{
    return (segment)(bits_of(u) >> (MANTISSA - digits)) & (SEGMENTS - 1);
}
/* The half from the bits of a number, as lanes_of(). */
INLINE segment segment_of_side(mask upper, real u, int digits)
{
    segment half = SEGMENTS / 2, chosen = (segment)(bits_of(upper ? 1 : 0) >> MANTISSA) & half;
    return (segment_of(u, digits) & (half - 1)) | chosen;
}
INLINE real lookup(const scalar *row, segment s) { return row[s]; }

/* 2^n for an integral n of a normal power. */
INLINE real power_of_sum(real sum) { return scalar_of(bits_of(sum) << MANTISSA); }
INLINE real power_of_two(real n) { return power_of_sum(n + POWER_ROUNDER); }

/* x 2^n, rounded once, for an integral n: in two steps, the first of which is exact, so that the result may be subnormal
   and n twice the largest exponent. */
INLINE real scale(real x, real n)
{
    real half = (n * (real)0.5 + ROUNDER) - ROUNDER;
    return x * power_of_two(half) * power_of_two(n - half);
}

/* The n for which 1 <= |x| 2^-n < 2; finite for a zero or an infinity.  A subnormal number's digits, set behind those of
   1, are 2^(EXPONENT_BIAS - 1) times as much beyond 1. */
INLINE real exponent_of(real x)
{
    real magnitude = abs_(x), raised = scalar_of(bits_of(magnitude) | bits_of(1)) - 1;
    bool subnormal = magnitude < SMALLEST_NORMAL;
    bits biased = bits_of(subnormal ? raised : magnitude) >> MANTISSA;
    return (scalar_of(biased | bits_of(ROUNDER)) - ROUNDER) -
           (subnormal ? (scalar)(2 * EXPONENT_BIAS - 1) : (scalar)EXPONENT_BIAS);
}

#endif

/* How many of LANES elements there are, of the n that remain. */
INLINE ptrdiff_t lanes_in(ptrdiff_t n) { return n < 0 ? 0 : n < LANES ? n : LANES; }

#if REAL_BITS == 64
/* A double needs no wider type. */
typedef real wide;
INLINE wide wide_of(real x) { return x; }
INLINE wide load_wide(const scalar *p) { return load(p); }
INLINE wide load_doubles(const double *p) { return load(p); }
INLINE wide wide_value(double x) { return real_(x); }
INLINE wide add_wide(wide a, wide b) { return a + b; }
INLINE wide sub_wide(wide a, wide b) { return a - b; }
INLINE wide mul_wide(wide a, wide b) { return a * b; }
INLINE wide add_square(wide sum, wide x) { return sum + x * x; }
INLINE real narrowed(wide x) { return x; }
INLINE void store_wide(double *p, wide x) { store(p, x); }
#ifdef __AVX512F__
INLINE wide first_lanes(wide x, ptrdiff_t n) { return _mm512_maskz_mov_pd((__mmask8)((1u << n) - 1u), x); }
INLINE bool is_finite_wide(wide x) { return _mm512_cmp_pd_mask(x - x, x - x, _CMP_UNORD_Q) == 0; }
#else
INLINE bool is_finite_wide(wide x) { return x - x == 0; }
INLINE wide first_lanes(wide x, ptrdiff_t n) { return n ? x : 0; }
#endif
#endif
#endif
