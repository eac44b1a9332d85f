/* `real` as one scalar: the compiler vectorises the loops. */
#ifndef NUMACT_SIMD_SCALAR_H
#define NUMACT_SIMD_SCALAR_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef scalar real;
typedef bool mask;
typedef bits real_bits;
enum { LANES = 1, UNROLL_FACTOR = 1 };
#define UNROLL_VECTORS _Pragma("GCC ivdep")

INLINE real_bits bits_of_real(real x) { return bits_of(x); }
INLINE real real_of_bits(real_bits b) { return scalar_of(b); }

INLINE real load(const scalar *p) { return *p; }
INLINE void store(scalar *p, real x) { *p = x; }
INLINE void store_non_temporal(scalar *p, real x) { store(p, x); }
INLINE void fence_non_temporal(void) {}
INLINE real load_part(const scalar *p, ptrdiff_t n) { return n ? *p : 0; }
INLINE void store_part(scalar *p, real x, ptrdiff_t n)
{
    if (n) *p = x;
}

INLINE real load_padded(const scalar *p, ptrdiff_t n, scalar pad) { return n ? *p : pad; }

INLINE real select_real(mask condition, real a, real b) { return condition ? a : b; }
INLINE int count_true(mask condition) { return condition; }
INLINE mask lt_real(real a, real b) { return a < b; }
INLINE mask le_real(real a, real b) { return a <= b; }
INLINE mask eq_real(real a, real b) { return a == b; }
INLINE mask not_le_real(real a, real b) { return !(a <= b); }
INLINE mask nonzero_bytes(const unsigned char *p) { return *p != 0; }
INLINE mask both(mask a, mask b) { return a & b; }
INLINE mask either(mask a, mask b) { return a | b; }

INLINE real at_most_real(real x, real bound) { return bound < x ? bound : x; }
INLINE real at_least_real(real x, real bound) { return bound > x ? bound : x; }

/* Whether a condition holds in every lane, to leave out what only other lanes need.  False here: in a loop without branches
   the compiler computes several elements at once. */
INLINE bool all(mask condition)
{
    (void)condition;
    return false;
}

/* Whether a condition has held at least once: seen |= lanes_from_mask(condition).  As the bits of 1 or 0 in floating
   point, since SSE2 cannot select 64-bit integers. */
typedef bits lanes;
INLINE lanes lanes_from_mask(mask condition) { return bits_of(condition ? 1 : 0); }

/* FLAGS conditions, written and read one at a time, and converted from and to a word whose lowest bit is the first.
   They are bytes, 0 or not, so that the loops that use them can be vectorised.  To bytes: FLAGS_ONES copies eight bits
   to every byte, and FLAGS_SPREAD keeps one in each.  To bits: FLAGS_GATHER multiplies, so that the lowest bits of the
   bytes are shifted into the highest byte. */
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

INLINE flags flags_from_word(uint64_t word)
{
    flags f;
    for (int byte = 0; byte < FLAGS / 8; byte++) {
        uint64_t eight = ((word >> 8 * byte & 0xFF) * FLAGS_ONES) & FLAGS_SPREAD;
        memcpy(f.of + 8 * byte, &eight, sizeof eight);
    }
    return f;
}
INLINE uint64_t flags_to_word(const flags *f)
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

/* Signed and as wide as the scalar, as gather instructions need. */
#if REAL_BITS == 32
typedef int32_t segment;
#else
typedef int64_t segment;
#endif
/* s where the condition holds, else 0, by the exponent bits of 1 in floating point: s has no bits but those of
   EXPONENT_BIAS. */
INLINE segment segment_where(mask condition, segment s)
{
    return (segment)(bits_of(condition ? 1 : 0) >> MANTISSA) & s;
}

#include "simd/bit_patterns.h"
#include "simd/round_to_odd.h"

#if REAL_BITS == 32
INLINE real square_root(real x) { return __builtin_sqrtf(x); }
#else
INLINE real square_root(real x) { return __builtin_sqrt(x); }
#endif

#if defined __FMA__ || defined __ARM_FEATURE_FMA || defined __FP_FAST_FMA
#if REAL_BITS == 32
INLINE real fma_real(real a, real b, real c) { return __builtin_fmaf(a, b, c); }
#else
INLINE real fma_real(real a, real b, real c) { return __builtin_fma(a, b, c); }
#endif
#elif REAL_BITS == 32
INLINE real fma_real(real a, real b, real c) { return fma_by_odd(a, b, c); }
#else
/* The upper half of a double's mantissa, rounded, so that the lower half fits 26 bits with its sign (Dekker, 1971). */
INLINE real upper_half(real x) { return scalar_of((bits_of(x) + ((bits)1 << 26)) & ~(((bits)1 << 27) - 1)); }

/* a b + c rounded once, without an fma instruction, unless the product overflows or a factor is within an ulp or so of
   DBL_MAX.  a b = p + p_error (Dekker), and c + p + p_error is summed with rounding to odd.  Where both terms are tiny,
   they are multiplied by 2^200; a result that will be subnormal is then rounded to its final digits by adding and
   subtracting a number with the same last digit.  Zeros, whose sign matters, infinities and NaN are computed by a
   b + c. */
INLINE real fma_real(real a, real b, real c)
{
    real product = a * b, plain = product + c;
    /* Where c is 0 and the product underflows to 0, the result has the sign of the product. */
    real zero = c == 0 ? (a == 0 ? plain : (b == 0 ? plain : product)) : plain;
    real up = absolute(product) < 0x1p-900 ? (absolute(c) < 0x1p-900 ? 0x1p200 : 1) : 1, down = up > 1 ? 0x1p-200 : 1;
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
    real grid = copy_sign(0x1p-822, nearest), on_grid = grid + high;
    real subnormal = copy_sign((on_grid + add_to_odd(high - (on_grid - grid), rest)) - grid, nearest);
    real exact = (absolute(nearest) < (up > 1 ? 0x1p-822 : 0) ? subnormal : nearest) * down;
    real signed_zero = nearest == 0 ? zero : exact;
    return absolute(exact) <= DBL_MAX ? signed_zero : plain;
}
#endif

#if REAL_BITS == 32
/* LANES doubles, for sums. */
typedef double wide;
INLINE wide wide_from_real(real x) { return x; }
INLINE wide load_wide(const scalar *p) { return *p; }
INLINE wide load_doubles(const double *p) { return *p; }
INLINE wide splat_wide(double x) { return x; }
INLINE wide add_wide(wide a, wide b) { return a + b; }
INLINE wide sub_wide(wide a, wide b) { return a - b; }
INLINE wide mul_wide(wide a, wide b) { return a * b; }
/* sum + x^2 for an x that was a float: a double holds its square, so that a product and a sum round as an fma does. */
INLINE wide add_square(wide sum, wide x) { return sum + x * x; }
INLINE real real_from_wide(wide x) { return (real)x; }
INLINE void store_wide(double *p, wide x) { *p = x; }
INLINE void fold_to_8(double *eight, const wide *x, const real *rest)
{
    for (int k = 0; k < 8; k++)
        eight[k] = (x[k] + x[k + 8]) + (double)(rest[k] + rest[k + 8]);
}
INLINE void reduce_rows_of_8(const double (*rows)[8], double *sums)
{
    for (int r = 0; r < 8; r++)
        sums[r] = reduce_8(rows[r]);
}
#endif

/* The first n lanes; the others are 0. */
INLINE double mask_lanes(double x, ptrdiff_t n) { return n ? x : 0; }
INLINE bool is_finite_wide(double x) { return x - x == 0; }

INLINE void max_of_rows(const scalar (*rows)[16], scalar *largest)
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

/* The coefficients of a segment.  A row of the table has one coefficient of all segments. */
INLINE void table_lookup(const scalar *table, int row, int entries, segment s, real *entry)
{
#pragma GCC unroll 32
    for (int k = 0; k < entries; k++)
        entry[k] = table[k * row + s];
}

#endif
