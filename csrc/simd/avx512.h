/* `real` as a vector of AVX-512: 16 floats or eight doubles, and a condition as a mask of bits. */
#ifndef NUMACT_SIMD_AVX512_H
#define NUMACT_SIMD_AVX512_H

#include <immintrin.h>

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

/* The unroll factor of latency-bound formulas: as many interleaved vectors as the registers hold. */
enum { LANES = sizeof(real) / sizeof(scalar), UNROLL_FACTOR = REAL_BITS == 32 ? 4 : 3 };
/* Before a loop over a few vectors; one over scalars is for the compiler. */
#define UNROLL_VECTORS _Pragma("GCC ivdep") _Pragma("GCC unroll 4")

INLINE real load(const scalar *p) { return INTRINSIC(loadu)(p); }
INLINE void store(scalar *p, real x) { INTRINSIC(storeu)(p, x); }
/* A non-temporal store, past the cache, to an address aligned to the vector; other threads read it after
   fence_non_temporal(). */
INLINE void store_non_temporal(scalar *p, real x) { INTRINSIC(stream)(p, x); }
INLINE void fence_non_temporal(void) { _mm_sfence(); }
INLINE real load_part(const scalar *p, ptrdiff_t n) { return INTRINSIC(maskz_loadu)((mask)((1u << n) - 1u), p); }
INLINE void store_part(scalar *p, real x, ptrdiff_t n) { INTRINSIC(mask_storeu)(p, (mask)((1u << n) - 1u), x); }

/* The first n of LANES scalars, the others pad; n from 0 to LANES. */
INLINE real load_padded(const scalar *p, ptrdiff_t n, scalar pad)
{
    return INTRINSIC(mask_loadu)(splat(pad), (mask)((1u << n) - 1u), p);
}

INLINE real select_real(mask condition, real a, real b) { return INTRINSIC(mask_blend)(condition, b, a); }
INLINE int count_true(mask condition) { return __builtin_popcount(condition); }
INLINE mask lt_real(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_LT_OQ); }
INLINE mask le_real(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_LE_OQ); }
INLINE mask eq_real(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_EQ_OQ); }
INLINE mask not_le_real(real a, real b) { return INTRINSIC_COMPARE(a, b, _CMP_NLE_UQ); }
INLINE mask both(mask a, mask b) { return (mask)(a & b); }
INLINE mask either(mask a, mask b) { return (mask)(a | b); }

/* Which of the LANES bytes are not 0. */
INLINE mask nonzero_bytes(const unsigned char *p)
{
    __m128i bytes = LANES == 16 ? _mm_loadu_si128((const __m128i *)p) : _mm_loadl_epi64((const __m128i *)p);
    return (mask)_mm_test_epi8_mask(bytes, bytes);
}

/* Whether a condition holds in every lane, to leave out what only other lanes need. */
INLINE bool all(mask condition) { return condition == (mask)((1u << LANES) - 1); }

/* The lanes where a condition has held at least once: seen |= lanes_from_mask(condition). */
typedef mask lanes;
INLINE lanes lanes_from_mask(mask condition) { return condition; }

/* FLAGS conditions, written and read LANES at a time, and converted from and to a word whose lowest bit is the
   first. */
typedef uint64_t flags;
INLINE flags flags_from_word(uint64_t word) { return word; }
INLINE uint64_t flags_to_word(const flags *f) { return *f; }
INLINE void set_flags(flags *f, int first, mask condition) { *f |= (uint64_t)condition << first; }
INLINE mask flags_at(const flags *f, int first) { return (mask)(*f >> first); }

/* min and max that let a NaN in x through: the instructions return their second operand when either is a NaN. */
INLINE real at_most_real(real x, real bound) { return INTRINSIC(min)(bound, x); }
INLINE real at_least_real(real x, real bound) { return INTRINSIC(max)(bound, x); }

INLINE real absolute(real x) { return INTRINSIC(abs)(x); }
/* min(|x|, bound) in one instruction; what a NaN gives is unspecified. */
INLINE real abs_at_most(real x, scalar bound) { return INTRINSIC(range)(x, splat(bound), 0x0A); }
INLINE real copy_sign(real magnitude, real sign)
{
    /* 0xCA is a bitwise select: second operand where the first has a 1, third where it has a 0. */
    return INTRINSIC_FROM_BITS(_mm512_ternarylogic_epi64(INTRINSIC_AS_BITS(-splat(0)), INTRINSIC_AS_BITS(sign),
                                                         INTRINSIC_AS_BITS(magnitude), 0xCA));
}
INLINE real multiply_by_sign(real x, real sign)
{
    /* 0x78: the first operand with the bits inverted where the second and third both have a 1. */
    return INTRINSIC_FROM_BITS(_mm512_ternarylogic_epi64(INTRINSIC_AS_BITS(x), INTRINSIC_AS_BITS(sign),
                                                         INTRINSIC_AS_BITS(-splat(0)), 0x78));
}
INLINE real fma_real(real a, real b, real c) { return INTRINSIC(fmadd)(a, b, c); }
INLINE real square_root(real x) { return INTRINSIC(sqrt)(x); }

#if REAL_BITS == 32
/* LANES doubles, for sums. */
typedef struct {
    __m512d low, high;
} wide;
INLINE wide wide_from_real(real x)
{
    return (wide){_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
INLINE wide load_wide(const scalar *p)
{
    return (wide){_mm512_cvtps_pd(_mm256_loadu_ps(p)), _mm512_cvtps_pd(_mm256_loadu_ps(p + LANES / 2))};
}
INLINE wide load_doubles(const double *p) { return (wide){_mm512_loadu_pd(p), _mm512_loadu_pd(p + LANES / 2)}; }
INLINE wide splat_wide(double x) { return (wide){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
INLINE wide add_wide(wide a, wide b) { return (wide){a.low + b.low, a.high + b.high}; }
INLINE wide sub_wide(wide a, wide b) { return (wide){a.low - b.low, a.high - b.high}; }
INLINE wide mul_wide(wide a, wide b) { return (wide){a.low * b.low, a.high * b.high}; }
/* sum + x^2 for an x that was a float: a double holds its square, so that an fma rounds as a product and a sum do. */
INLINE wide add_square(wide sum, wide x)
{
    return (wide){_mm512_fmadd_pd(x.low, x.low, sum.low), _mm512_fmadd_pd(x.high, x.high, sum.high)};
}
INLINE bool is_finite_wide(wide x)
{
    __m512d zero = (x.low - x.low) + (x.high - x.high);
    return _mm512_cmp_pd_mask(zero, zero, _CMP_UNORD_Q) == 0;
}
/* The first n lanes; the others are 0. */
INLINE wide mask_lanes(wide x, ptrdiff_t n)
{
    unsigned kept = (1u << n) - 1u;
    return (wide){_mm512_maskz_mov_pd((__mmask8)kept, x.low), _mm512_maskz_mov_pd((__mmask8)(kept >> 8), x.high)};
}
INLINE real real_from_wide(wide x)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low)), _mm512_cvtpd_ps(x.high), 1);
}
INLINE void store_wide(double *p, wide x)
{
    _mm512_storeu_pd(p, x.low);
    _mm512_storeu_pd(p + LANES / 2, x.high);
}
/* The sums of 16 doubles and 16 floats, folded to 8 doubles: the upper half is added to the lower half. */
INLINE void fold_to_8(double *eight, const wide *x, const real *rest)
{
    __m256 rest_eight = _mm512_castps512_ps256(*rest) + _mm512_extractf32x8_ps(*rest, 1);
    _mm512_storeu_pd(eight, (x->low + x->high) + _mm512_cvtps_pd(rest_eight));
}
/* The sum of each of 8 rows of 8, in the order of reduce_8(): fold_to_4 and fold_to_2 hold 2 and 4 rows in a vector. */
INLINE __m512d fold_to_4(const double *a, const double *b)
{
    __m512d eight_a = _mm512_loadu_pd(a), eight_b = _mm512_loadu_pd(b);
    return _mm512_shuffle_f64x2(eight_a, eight_b, 0x44) + _mm512_shuffle_f64x2(eight_a, eight_b, 0xEE);
}
INLINE __m512d fold_to_2(__m512d a, __m512d b)
{
    return _mm512_shuffle_f64x2(a, b, 0x88) + _mm512_shuffle_f64x2(a, b, 0xDD);
}
INLINE void reduce_rows_of_8(const double (*rows)[8], double *sums)
{
    __m512d even = fold_to_2(fold_to_4(rows[0], rows[2]), fold_to_4(rows[4], rows[6]));
    __m512d odd = fold_to_2(fold_to_4(rows[1], rows[3]), fold_to_4(rows[5], rows[7]));
    _mm512_storeu_pd(sums, _mm512_unpacklo_pd(even, odd) + _mm512_unpackhi_pd(even, odd));
}

/* The maximum of each of 16 rows of 16 scalars, none of them NaN, by the same folding. */
INLINE real max_fold_8(const scalar *a, const scalar *b)
{
    return _mm512_max_ps(_mm512_shuffle_f32x4(load(a), load(b), 0x44), _mm512_shuffle_f32x4(load(a), load(b), 0xEE));
}
INLINE real max_fold_4(const scalar (*rows)[16])
{
    real a = max_fold_8(rows[0], rows[4]), b = max_fold_8(rows[8], rows[12]);
    return _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}
INLINE real max_fold_2(real a, real b)
{
    return _mm512_max_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
}
INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
{
    real even = max_fold_2(max_fold_4(rows), max_fold_4(rows + 1));
    real odd = max_fold_2(max_fold_4(rows + 2), max_fold_4(rows + 3));
    store(largest, _mm512_max_ps(_mm512_shuffle_ps(even, odd, 0x88), _mm512_shuffle_ps(even, odd, 0xDD)));
}
#else
/* The first n lanes; the others are 0. */
INLINE real mask_lanes(real x, ptrdiff_t n) { return _mm512_maskz_mov_pd((__mmask8)((1u << n) - 1u), x); }
INLINE bool is_finite_wide(real x) { return _mm512_cmp_pd_mask(x - x, x - x, _CMP_UNORD_Q) == 0; }

INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r++)
        largest[r] = INTRINSIC(reduce_max)(at_least(load(rows[r]), load(rows[r] + LANES)));
}
#endif

/* 2^n for an integer n, where it is a normal number. */
INLINE real power_of_two(real n) { return INTRINSIC(scalef)(splat(1), n); }
/* The same from the sum n + POWER_ROUNDER. */
INLINE real power_of_sum(real sum)
{
#if REAL_BITS == 32
    return INTRINSIC_FROM_BITS(_mm512_slli_epi32(INTRINSIC_AS_BITS(sum), MANTISSA));
#else
    return INTRINSIC_FROM_BITS(_mm512_slli_epi64(INTRINSIC_AS_BITS(sum), MANTISSA));
#endif
}
/* x 2^n for an integer n, rounded once. */
INLINE real scale(real x, real n) { return INTRINSIC(scalef)(x, n); }
/* The exponent n, 1 <= |x| 2^-n < 2; finite also for zero and infinity. */
INLINE real exponent_of(real x)
{
    return at_least(at_most(INTRINSIC(getexp)(x), EXPONENT_BIAS + 1), -EXPONENT_BIAS - MANTISSA);
}

typedef __m512i segment;
/* The segment of u in [1, 16): the last two bits of the exponent and the first `digits` bits of the mantissa, the
   lowest of the word; permutex2var ignores those above. */
INLINE segment segment_of(real u, int digits)
{
#if REAL_BITS == 32
    return _mm512_srli_epi32(INTRINSIC_AS_BITS(u), (unsigned)(MANTISSA - digits));
#else
    return _mm512_srli_epi64(INTRINSIC_AS_BITS(u), (unsigned)(MANTISSA - digits));
#endif
}
/* The same for two functions in the halves of a table, the second half where `upper`: u in [2, 32) with
   SEGMENT_DIGITS - 1 bits, or segments of equal width, u in [2, 4) with SEGMENT_DIGITS + 1. */
INLINE segment segment_of_side(mask upper, real u, int digits)
{
    segment s = segment_of(u, digits);
#if REAL_BITS == 32
    return _mm512_mask_or_epi32(s, upper, s, _mm512_set1_epi32(SEGMENTS / 2));
#else
    return _mm512_mask_or_epi64(s, upper, s, _mm512_set1_epi64(SEGMENTS / 2));
#endif
}
/* The coefficients of the lanes' segments.  A row of the table has one coefficient of all segments, two vectors, from
   which one permutation selects. */
INLINE void table_lookup(const scalar *table, int row, int entries, segment s, real *entry)
{
#pragma GCC unroll 32
    for (int k = 0; k < entries; k++, table += row)
        entry[k] = INTRINSIC(permutex2var)(load(table), s, load(table + LANES));
}

#endif
