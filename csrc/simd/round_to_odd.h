/* Rounding to odd, by which a fused multiply-add is emulated where there is no instruction. */
#ifndef NUMACT_SIMD_ROUND_TO_ODD_H
#define NUMACT_SIMD_ROUND_TO_ODD_H

/* a + b rounded to odd: an inexact sum is rounded towards zero and its last bit set.  A second rounding, to fewer bits
   or of a sum with a much larger number, then gives the same result as from the exact sum (Boldo and Melquiond,
   "Emulation of FMA and correctly rounded sums", IEEE TC 57, 2008). */
INLINE double add_to_odd(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    double error = (a - (sum - b_part)) + (b - b_part);
    uint64_t sum_bits, error_bits;
    memcpy(&sum_bits, &sum, sizeof sum_bits);
    memcpy(&error_bits, &error, sizeof error_bits);
    /* inexact is 1 unless the error is 0, or the NaN beside an infinite sum; by integer operations, since compilers do
       not vectorise the comparisons. */
    uint64_t magnitude = error_bits << 1, infinite = ((magnitude >> 53) + 1) >> 11;
    uint64_t inexact = ((magnitude | (0 - magnitude)) >> 63) & (infinite ^ 1);
    /* Round towards zero where the sum was rounded away from it, then set the last bit. */
    uint64_t away = inexact & ((sum_bits ^ error_bits) >> 63);
    sum_bits = (sum_bits - away) | inexact;
    memcpy(&sum, &sum_bits, sizeof sum);
    return sum;
}

#if REAL_BITS == 32
/* a b + c rounded once: a double holds the product of two floats, and the sum rounded to odd can be rounded to
   float. */
INLINE scalar fma_by_odd(scalar a, scalar b, scalar c)
{
    return (scalar)add_to_odd((double)a * (double)b, (double)c);
}
#endif

#endif
