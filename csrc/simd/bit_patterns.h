/* Signs, exponents and segments by integer operations on the bit pattern of a real.  AVX-512 has instructions for
   these. */
#ifndef NUMACT_SIMD_BIT_PATTERNS_H
#define NUMACT_SIMD_BIT_PATTERNS_H

#define SIGN ((bits)1 << (REAL_BITS - 1))
INLINE real absolute(real x) { return real_of_bits(bits_of_real(x) & ~SIGN); }
INLINE real abs_at_most(real x, scalar bound) { return at_most(absolute(x), bound); }
INLINE real copy_sign(real magnitude, real sign)
{
    return real_of_bits((bits_of_real(magnitude) & ~SIGN) | (bits_of_real(sign) & SIGN));
}
/* x or -x, with the sign of the product of x and `sign`. */
INLINE real multiply_by_sign(real x, real sign) { return real_of_bits(bits_of_real(x) ^ (bits_of_real(sign) & SIGN)); }

/* 2^n for an integer n, where it is a normal number: from the sum n + POWER_ROUNDER, and from n. */
INLINE real power_of_sum(real sum) { return real_of_bits(bits_of_real(sum) << MANTISSA); }
INLINE real power_of_two(real n) { return power_of_sum(n + POWER_ROUNDER); }

/* x 2^n for an integer n, rounded once: by two products with half of n each, the first of which is exact.  So the
   result may be subnormal, and |n| up to twice the largest exponent. */
INLINE real scale(real x, real n)
{
    real half = (n * (scalar)0.5 + ROUNDER) - ROUNDER;
    return x * power_of_two(half) * power_of_two(n - half);
}

/* The exponent n, 1 <= |x| 2^-n < 2; finite also for zero and infinity.  The mantissa of a subnormal number, put into
   that of 1, is 1 + 2^(EXPONENT_BIAS - 1) |x|, from which a subtraction of 1 leaves a normal number. */
INLINE real exponent_of(real x)
{
    real magnitude = absolute(x), raised = real_of_bits(bits_of_real(magnitude) | bits_of(1)) - 1;
    mask subnormal = lt(magnitude, SMALLEST_NORMAL);
    real_bits biased = bits_of_real(select(subnormal, raised, magnitude)) >> MANTISSA;
    real exponent = real_of_bits(biased | bits_of(ROUNDER)) - ROUNDER;
    return exponent - select(subnormal, 2 * EXPONENT_BIAS - 1, EXPONENT_BIAS);
}

/* The segment of u in [1, 16): the last two bits of the exponent and the first `digits` bits of the mantissa. */
INLINE segment segment_of(real u, int digits)
{
    return (segment)(bits_of_real(u) >> (MANTISSA - digits)) & (SEGMENTS - 1);
}
/* The same for two functions in the halves of a table, the second half where `upper`: u in [2, 32) with
   SEGMENT_DIGITS - 1 bits, or segments of equal width, u in [2, 4) with SEGMENT_DIGITS + 1. */
INLINE segment segment_of_side(mask upper, real u, int digits)
{
    return (segment_of(u, digits) & (SEGMENTS / 2 - 1)) | segment_where(upper, SEGMENTS / 2);
}

#endif
