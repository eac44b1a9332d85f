/* `real` as a vector of 16 bytes, four floats: SSE2 and NEON. */
#ifndef NUMACT_SIMD_SSE2_NEON_H
#define NUMACT_SIMD_SSE2_NEON_H

#ifdef __SSE2__
#include <emmintrin.h>
typedef __m128 real;
#else
#include <arm_neon.h>
typedef float32x4_t real;
#endif
#define LANE_NUMBER 0, 1, 2, 3

#include "simd/vectors.h"

INLINE real load(const scalar *p)
{
    real x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void store(scalar *p, real x) { memcpy(p, &x, sizeof x); }
INLINE real load_part(const scalar *p, ptrdiff_t n)
{
    real x = {0};
    for (int k = 0; k < LANES; k++)
        if (k < n) x[k] = p[k];
    return x;
}
INLINE void store_part(scalar *p, real x, ptrdiff_t n)
{
    for (int k = 0; k < LANES; k++)
        if (k < n) p[k] = x[k];
}

/* LANES doubles, for sums. */
typedef double two __attribute__((vector_size(16)));
typedef int64_t two_integers __attribute__((vector_size(16)));
typedef struct {
    two low, high;
} wide;
INLINE wide add_wide(wide a, wide b) { return (wide){a.low + b.low, a.high + b.high}; }
INLINE wide sub_wide(wide a, wide b) { return (wide){a.low - b.low, a.high - b.high}; }
INLINE wide mul_wide(wide a, wide b) { return (wide){a.low * b.low, a.high * b.high}; }

#ifdef __SSE2__

/* A non-temporal store, past the cache, to an address aligned to the vector; other threads read it after
   fence_non_temporal(). */
INLINE void store_non_temporal(scalar *p, real x) { _mm_stream_ps(p, x); }
INLINE void fence_non_temporal(void) { _mm_sfence(); }

INLINE real select_real(mask condition, real a, real b)
{
    return (real)(((mask)a & condition) | ((mask)b & ~condition));
}
INLINE unsigned mask_to_word(mask condition) { return (unsigned)_mm_movemask_ps((real)condition); }
/* The instructions return their second operand when either is a NaN. */
INLINE real at_most_real(real x, real bound) { return _mm_min_ps(bound, x); }
INLINE real at_least_real(real x, real bound) { return _mm_max_ps(bound, x); }
INLINE real square_root(real x) { return _mm_sqrt_ps(x); }

INLINE wide wide_from_real(real x) { return (wide){_mm_cvtps_pd(x), _mm_cvtps_pd(_mm_movehl_ps(x, x))}; }
INLINE real real_from_wide(wide x) { return _mm_movelh_ps(_mm_cvtpd_ps(x.low), _mm_cvtpd_ps(x.high)); }

#include "simd/round_to_odd.h"

/* Exact, one lane at a time.  Out of line, since it is hardly ever called. */
__attribute__((noinline, cold, unused)) static real fma_of_each(real a, real b, real c)
{
    real result = a;
    for (int k = 0; k < LANES; k++)
        result[k] = fma_by_odd(a[k], b[k], c[k]);
    return result;
}

/* Whether the compiler knows that the condition holds in all lanes. */
INLINE bool all_known(mask condition)
{
    bool all = true;
#pragma GCC unroll 4
    for (int k = 0; k < LANES; k++)
        all = all && __builtin_constant_p(condition[k]) && condition[k];
    return all;
}

INLINE wide fma_wide(real a, real b, real c)
{
    return add_wide(mul_wide(wide_from_real(a), wide_from_real(b)), wide_from_real(c));
}
/* A double holds the product, so the sum is rounded twice: to a double, then to a float.  That is as good as once
   unless the first rounding ended halfway between two floats, which the last 29 digits tell, or the float is 2^-126 or
   less, where it has fewer digits.  Such sums are computed again, except 0, which is exact.

   Of a sum of at most 2^-126 the upper word, doubled to drop the sign, is between twice that of 2^-298, the smallest
   product, and twice that of 2^-126, 0x70200000.  Adding UPWARDS maps this range above 0x10000000 as a signed integer,
   0 to 0x0FDFFFFE, and everything else to negative integers or below 0x10000000.  Beside a constant c of 2^-70 or more
   the test is omitted: a sum that cancels to below 2^-70 is a multiple of 2^-119, and so exact. */
#define UPWARDS 0x0FDFFFFEu
INLINE real fma_real(real a, real b, real c)
{
    if (all_known((mask)(bits_of_real(c) == SIGN))) return a * b; /* -0 adds nothing */
    wide sum = fma_wide(a, b, c);
    real result = real_from_wide(sum);
    real_bits lower = (real_bits)_mm_shuffle_ps((real)sum.low, (real)sum.high, 0x88);
    mask doubtful = (mask)(lower << 3 == 0x80000000u);
    if (!all_known(le((scalar)0x1p-70, absolute(c)))) {
        real_bits upper = (real_bits)_mm_shuffle_ps((real)sum.low, (real)sum.high, 0xDD);
        doubtful |= (mask)((upper << 1) + UPWARDS) > 0x10000000;
    }
    if (__builtin_expect(mask_to_word(doubtful) != 0, 0)) result = fma_of_each(a, b, c);
    return result;
}
#define FMA_IS_EMULATED
INLINE real fma_in_double_real(real a, real b, real c) { return real_from_wide(fma_wide(a, b, c)); }

#else

INLINE void store_non_temporal(scalar *p, real x) { store(p, x); }
INLINE void fence_non_temporal(void) {}

INLINE real select_real(mask condition, real a, real b) { return vbslq_f32((uint32x4_t)condition, a, b); }
INLINE unsigned mask_to_word(mask condition)
{
    return vaddvq_u32((uint32x4_t)(condition & (1 << (mask){LANE_NUMBER})));
}
INLINE real at_most_real(real x, real bound) { return select_real((mask)(bound < x), bound, x); }
INLINE real at_least_real(real x, real bound) { return select_real((mask)(bound > x), bound, x); }
INLINE real square_root(real x) { return vsqrtq_f32(x); }
INLINE real fma_real(real a, real b, real c) { return vfmaq_f32(c, a, b); }

INLINE wide wide_from_real(real x) { return (wide){(two)vcvt_f64_f32(vget_low_f32(x)), (two)vcvt_high_f64_f32(x)}; }
INLINE real real_from_wide(wide x) { return vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)x.low), (float64x2_t)x.high); }

#endif

INLINE wide load_wide(const scalar *p) { return wide_from_real(load(p)); }
INLINE wide load_doubles(const double *p)
{
    wide x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void store_wide(double *p, wide x) { memcpy(p, &x, sizeof x); }
INLINE wide splat_wide(double x) { return (wide){(two){x, x}, (two){x, x}}; }
/* sum + x^2 for an x that was a float: a double holds its square, so that a product and a sum round as an fma does. */
INLINE wide add_square(wide sum, wide x) { return add_wide(sum, mul_wide(x, x)); }
INLINE bool is_finite_wide(wide x)
{
    two zero = (x.low - x.low) + (x.high - x.high);
    return zero[0] + zero[1] == 0;
}
/* The first n lanes; the others are 0. */
INLINE wide mask_lanes(wide x, ptrdiff_t n)
{
    mask first = lanes_below(n);
    two_integers low = {first[0], first[1]}, high = {first[2], first[3]};
    return (wide){(two)((two_integers)x.low & low), (two)((two_integers)x.high & high)};
}

/* The sums of 16 doubles and 16 floats, folded to 8 doubles: the upper half is added to the lower half. */
INLINE void fold_to_8(double *eight, const wide *x, const real *rest)
{
    for (int k = 0; k < 2; k++)
        store_wide(eight + k * LANES, add_wide(add_wide(x[k], x[k + 2]), wide_from_real(rest[k] + rest[k + 2])));
}
/* The sum of each of 8 rows of 8, in the order of reduce_8(). */
INLINE two fold_to_2(const double *row)
{
    wide four = add_wide(load_doubles(row), load_doubles(row + 4));
    return four.low + four.high;
}
INLINE void reduce_rows_of_8(const double (*rows)[8], double *sums)
{
    for (int r = 0; r < 8; r++) {
        two sum = fold_to_2(rows[r]);
        sums[r] = sum[0] + sum[1];
    }
}

INLINE real groups_at(const scalar *const *at, int k)
{
    return load(__builtin_assume_aligned(at[0] + k, sizeof(real)));
}
INLINE void transpose(const real *group, real *entry)
{
    const real a = group[0], b = group[1], c = group[2], d = group[3];
    const real ab = {a[0], b[0], a[1], b[1]}, cd = {c[0], d[0], c[1], d[1]};
    const real ab_upper = {a[2], b[2], a[3], b[3]}, cd_upper = {c[2], d[2], c[3], d[3]};
    entry[0] = (real){ab[0], ab[1], cd[0], cd[1]};
    entry[1] = (real){ab[2], ab[3], cd[2], cd[3]};
    entry[2] = (real){ab_upper[0], ab_upper[1], cd_upper[0], cd_upper[1]};
    entry[3] = (real){ab_upper[2], ab_upper[3], cd_upper[2], cd_upper[3]};
}

/* The maximum of each of 16 rows of 16 scalars, none of them NaN: four rows are folded to vectors and transposed. */
INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
{
    for (int r = 0; r < 16; r += LANES) {
        real four[LANES], column[LANES];
        for (int k = 0; k < LANES; k++) {
            const scalar *row = rows[r + k];
            four[k] = at_least(at_least(load(row), load(row + 4)), at_least(load(row + 8), load(row + 12)));
        }
        transpose(four, column);
        store(largest + r, at_least(at_least(column[0], column[1]), at_least(column[2], column[3])));
    }
}

#endif
