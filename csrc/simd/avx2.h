/* `real` as a vector of AVX2: eight floats or four doubles. */
#ifndef NUMACT_SIMD_AVX2_H
#define NUMACT_SIMD_AVX2_H

#include <immintrin.h>

#if REAL_BITS == 32
typedef __m256 real;
#define INTRINSIC(name) _mm256_##name##_ps
#define LANE_NUMBER 0, 1, 2, 3, 4, 5, 6, 7
#else
typedef __m256d real;
#define INTRINSIC(name) _mm256_##name##_pd
#define LANE_NUMBER 0, 1, 2, 3
#endif
#include "simd/vectors.h"

INLINE real load(const scalar *p) { return INTRINSIC(loadu)(p); }
INLINE void store(scalar *p, real x) { INTRINSIC(storeu)(p, x); }
/* A non-temporal store, past the cache, to an address aligned to the vector; other threads read it after
   fence_non_temporal(). */
INLINE void store_non_temporal(scalar *p, real x) { INTRINSIC(stream)(p, x); }
INLINE void fence_non_temporal(void) { _mm_sfence(); }
INLINE real load_part(const scalar *p, ptrdiff_t n) { return INTRINSIC(maskload)(p, (__m256i)lanes_below(n)); }
INLINE void store_part(scalar *p, real x, ptrdiff_t n) { INTRINSIC(maskstore)(p, (__m256i)lanes_below(n), x); }

INLINE real select_real(mask condition, real a, real b) { return INTRINSIC(blendv)(b, a, (real)condition); }
INLINE unsigned mask_to_word(mask condition) { return (unsigned)INTRINSIC(movemask)((real)condition); }

/* min and max that let a NaN in x through: the instructions return their second operand when either is a NaN. */
INLINE real at_most_real(real x, real bound) { return INTRINSIC(min)(bound, x); }
INLINE real at_least_real(real x, real bound) { return INTRINSIC(max)(bound, x); }

INLINE real fma_real(real a, real b, real c) { return INTRINSIC(fmadd)(a, b, c); }
INLINE real square_root(real x) { return INTRINSIC(sqrt)(x); }

#if REAL_BITS == 32
/* LANES doubles, for sums. */
typedef struct {
    __m256d low, high;
} wide;
INLINE wide wide_from_real(real x)
{
    return (wide){_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
INLINE wide load_wide(const scalar *p)
{
    return (wide){_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + LANES / 2))};
}
INLINE wide load_doubles(const double *p) { return (wide){_mm256_loadu_pd(p), _mm256_loadu_pd(p + LANES / 2)}; }
INLINE wide splat_wide(double x) { return (wide){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
INLINE wide add_wide(wide a, wide b) { return (wide){a.low + b.low, a.high + b.high}; }
INLINE wide sub_wide(wide a, wide b) { return (wide){a.low - b.low, a.high - b.high}; }
INLINE wide mul_wide(wide a, wide b) { return (wide){a.low * b.low, a.high * b.high}; }
/* sum + x^2 for an x that was a float: a double holds its square, so that an fma rounds as a product and a sum do. */
INLINE wide add_square(wide sum, wide x)
{
    return (wide){_mm256_fmadd_pd(x.low, x.low, sum.low), _mm256_fmadd_pd(x.high, x.high, sum.high)};
}
INLINE bool is_finite_wide(wide x)
{
    __m256d zero = (x.low - x.low) + (x.high - x.high);
    return _mm256_movemask_pd(_mm256_cmp_pd(zero, zero, _CMP_UNORD_Q)) == 0;
}
/* The first n lanes; the others are 0. */
INLINE wide mask_lanes(wide x, ptrdiff_t n)
{
    __m256i first = (__m256i)lanes_below(n);
    __m256d low = (__m256d)_mm256_cvtepi32_epi64(_mm256_castsi256_si128(first));
    __m256d high = (__m256d)_mm256_cvtepi32_epi64(_mm256_extracti128_si256(first, 1));
    return (wide){_mm256_and_pd(x.low, low), _mm256_and_pd(x.high, high)};
}
INLINE real real_from_wide(wide x) { return _mm256_set_m128(_mm256_cvtpd_ps(x.high), _mm256_cvtpd_ps(x.low)); }
INLINE void store_wide(double *p, wide x)
{
    _mm256_storeu_pd(p, x.low);
    _mm256_storeu_pd(p + LANES / 2, x.high);
}
/* The sums of 16 doubles and 16 floats, folded to 8 doubles: the upper half is added to the lower half. */
INLINE void fold_to_8(double *eight, const wide *x, const real *rest)
{
    store_wide(eight, add_wide(add_wide(x[0], x[1]), wide_from_real(rest[0] + rest[1])));
}
/* The sum of each of 8 rows of 8, in the order of reduce_8(): fold_to_2 holds 2 rows in a vector. */
INLINE __m256d fold_to_2(const double *a, const double *b)
{
    __m256d four_a = _mm256_loadu_pd(a) + _mm256_loadu_pd(a + 4), four_b = _mm256_loadu_pd(b) + _mm256_loadu_pd(b + 4);
    return _mm256_permute2f128_pd(four_a, four_b, 0x20) + _mm256_permute2f128_pd(four_a, four_b, 0x31);
}
INLINE void reduce_rows_of_8(const double (*rows)[8], double *sums)
{
    for (int r = 0; r < 8; r += 4) {
        __m256d even = fold_to_2(rows[r], rows[r + 2]), odd = fold_to_2(rows[r + 1], rows[r + 3]);
        _mm256_storeu_pd(sums + r, _mm256_unpacklo_pd(even, odd) + _mm256_unpackhi_pd(even, odd));
    }
}
#else
/* The first n lanes; the others are 0. */
INLINE real mask_lanes(real x, ptrdiff_t n) { return select(lanes_below(n), x, 0); }
INLINE bool is_finite_wide(real x) { return mask_to_word(eq(x - x, 0)) == (1u << LANES) - 1; }
#endif

/* The maximum of each of 16 rows of 16 scalars, none of them NaN: halves are folded, several rows in a vector. */
#if REAL_BITS == 32
INLINE real max_fold_4(const scalar *a, const scalar *b)
{
    real eight_a = _mm256_max_ps(load(a), load(a + LANES)), eight_b = _mm256_max_ps(load(b), load(b + LANES));
    return _mm256_max_ps(_mm256_permute2f128_ps(eight_a, eight_b, 0x20),
                         _mm256_permute2f128_ps(eight_a, eight_b, 0x31));
}
INLINE real max_fold_2(real a, real b)
{
    return _mm256_max_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xEE));
}
INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r += LANES, rows += LANES) {
        real even = max_fold_2(max_fold_4(rows[0], rows[4]), max_fold_4(rows[1], rows[5]));
        real odd = max_fold_2(max_fold_4(rows[2], rows[6]), max_fold_4(rows[3], rows[7]));
        store(largest + r, _mm256_max_ps(_mm256_shuffle_ps(even, odd, 0x88), _mm256_shuffle_ps(even, odd, 0xDD)));
    }
}
#else
INLINE real max_fold_4(const scalar *x)
{
    return _mm256_max_pd(_mm256_max_pd(load(x), load(x + 4)), _mm256_max_pd(load(x + 8), load(x + 12)));
}
INLINE real max_fold_2(const scalar *a, const scalar *b)
{
    real four_a = max_fold_4(a), four_b = max_fold_4(b);
    return _mm256_max_pd(_mm256_permute2f128_pd(four_a, four_b, 0x20), _mm256_permute2f128_pd(four_a, four_b, 0x31));
}
INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r += LANES) {
        real even = max_fold_2(rows[r], rows[r + 2]), odd = max_fold_2(rows[r + 1], rows[r + 3]);
        store(largest + r, _mm256_max_pd(_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd)));
    }
}
#endif

#if REAL_BITS == 32
INLINE real groups_at(const scalar *const *at, int k)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(at[0] + k)), _mm_load_ps(at[GROUP] + k), 1);
}
INLINE void transpose(const real *group, real *entry)
{
    real a = _mm256_unpacklo_ps(group[0], group[1]), b = _mm256_unpacklo_ps(group[2], group[3]);
    real c = _mm256_unpackhi_ps(group[0], group[1]), d = _mm256_unpackhi_ps(group[2], group[3]);
    entry[0] = _mm256_shuffle_ps(a, b, 0x44);
    entry[1] = _mm256_shuffle_ps(a, b, 0xEE);
    entry[2] = _mm256_shuffle_ps(c, d, 0x44);
    entry[3] = _mm256_shuffle_ps(c, d, 0xEE);
}
#else
INLINE real groups_at(const scalar *const *at, int k)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_load_pd(at[0] + k)), _mm_load_pd(at[GROUP] + k), 1);
}
INLINE void transpose(const real *group, real *entry)
{
    entry[0] = _mm256_unpacklo_pd(group[0], group[1]);
    entry[1] = _mm256_unpackhi_pd(group[0], group[1]);
}
#endif

#endif
