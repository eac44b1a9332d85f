/* What AVX-512 has instructions for, by the digits of a real: for one scalar and for vectors without them. */
#ifndef NUMACT_SIMD_BIT_PATTERNS_H
#define NUMACT_SIMD_BIT_PATTERNS_H

#define SIGN ((bits)1 << (REAL_BITS - 1))
INLINE real absolute(real x) { return real_of_bits(bits_of_real(x) & ~SIGN); }
INLINE real abs_at_most(real x, scalar bound) { return at_most(absolute(x), bound); }
INLINE real copy_sign(real magnitude, real sign)
{
    return real_of_bits((bits_of_real(magnitude) & ~SIGN) | (bits_of_real(sign) & SIGN));
}

/* 2^n for an integral n of a normal power, from the sum n + POWER_ROUNDER and from n. */
INLINE real power_of_sum(real sum) { return real_of_bits(bits_of_real(sum) << MANTISSA); }
INLINE real power_of_two(real n) { return power_of_sum(n + POWER_ROUNDER); }

/* x 2^n, rounded once, for an integral n: in two steps, the first of which is exact, so that the result may be
   subnormal and n twice the largest exponent. */
INLINE real scale(real x, real n)
{
    real half = (n * (scalar)0.5 + ROUNDER) - ROUNDER;
    return x * power_of_two(half) * power_of_two(n - half);
}

/* The n for which 1 <= |x| 2^-n < 2; finite for a zero or an infinity.  A subnormal number's digits, set behind
   those of 1, are 2^(EXPONENT_BIAS - 1) times as much beyond 1. */
INLINE real exponent_of(real x)
{
    real magnitude = absolute(x), raised = real_of_bits(bits_of_real(magnitude) | bits_of(1)) - 1;
    mask subnormal = lt(magnitude, SMALLEST_NORMAL);
    real_bits biased = bits_of_real(select(subnormal, raised, magnitude)) >> MANTISSA;
    return (real_of_bits(biased | bits_of(ROUNDER)) - ROUNDER) - select(subnormal, 2 * EXPONENT_BIAS - 1, EXPONENT_BIAS);
}

/* The segment of a number from 1 to 16, in SEGMENT_DIGITS digits. */
INLINE segment segment_of(real u, int digits)
{
    return (segment)(bits_of_real(u) >> (MANTISSA - digits)) & (SEGMENTS - 1);
}
/* Half as many segments for either of two sides, of which the upper one has the second half of the table: of a
   number from 2 to 32 in SEGMENT_DIGITS - 1 digits, or equal ones of a number from 2 to 4 in SEGMENT_DIGITS + 1. */
INLINE segment segment_of_side(mask upper, real u, int digits)
{
    return (segment_of(u, digits) & (SEGMENTS / 2 - 1)) | segment_where(upper, SEGMENTS / 2);
}

#endif
