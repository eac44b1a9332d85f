/* Double-word arithmetic: a value as the unevaluated sum hi + lo of two numbers, |lo| at most about an ulp of hi,
   which holds about twice the digits of one (Dekker, "A floating-point technique for extending the available
   precision", 1971; Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of
   double-word arithmetic", 2017). */
#ifndef NUMACT_MATH_DOUBLE_WORD_H
#define NUMACT_MATH_DOUBLE_WORD_H

#include "simd/real.h"

/* hi + lo, |lo| at most about an ulp of hi. */
struct dw {
    real hi, lo;
};

/* Fast2Sum: a + b, exactly, for |a| >= |b|, or where a is a multiple of the last digit of the sum (Dekker, 1971). */
INLINE struct dw fast_two_sum(real a, real b)
{
    real sum = a + b;
    return (struct dw){sum, b - (sum - a)};
}

/* 2Sum: a + b, exactly (Knuth, The Art of Computer Programming 2, theorem 4.2.2 B). */
INLINE struct dw two_sum(real a, real b)
{
    real sum = a + b, b_part = sum - a;
    return (struct dw){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* A double-word of doubles, whatever the type of the kernels. */
struct dd {
    double hi, lo;
};

/* a + b, exactly (Knuth). */
INLINE struct dd two_sum_double(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    return (struct dd){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* 2Prod: a b, exactly, unless it overflows or its last digits are below the smallest number. */
INLINE struct dw two_prod(real a, real b)
{
    real product = a * b;
    return (struct dw){product, fma_in_double(a, b, -product)};
}

/* A real as a double-word, and the selection of one of two double-words. */
INLINE struct dw dw_from_real(real value) { return (struct dw){value, splat(0)}; }
INLINE struct dw select_dw(mask condition, struct dw a, struct dw b)
{
    return (struct dw){select(condition, a.hi, b.hi), select(condition, a.lo, b.lo)};
}

/* a + b, to about twice a real's digits for summands of the same sign (Joldes et al., algorithm 5, SloppyDWPlusDW). */
INLINE struct dw dw_add(struct dw a, struct dw b)
{
    struct dw sum = two_sum(a.hi, b.hi);
    return fast_two_sum(sum.hi, sum.lo + (a.lo + b.lo));
}

/* a b, to about twice a real's digits; hi and lo are not normalised again. */
INLINE struct dw dw_mul(struct dw a, struct dw b)
{
    struct dw product = two_prod(a.hi, b.hi);
    return (struct dw){product.hi, fma(a.hi, b.lo, fma(a.lo, b.hi, product.lo))};
}

/* a / b: an approximate quotient, corrected by its residual a - quotient b.  hi + lo has an error of a few ulps of
   lo. */
INLINE struct dw dw_div(struct dw a, struct dw b)
{
    real inverse = 1 / b.hi, quotient = a.hi * inverse;
    real residual = fma_in_double(-quotient, b.hi, a.hi) + fma(-quotient, b.lo, a.lo);
    return (struct dw){quotient, residual * inverse};
}

/* A low part of -0: x + -0 is x for every x, so that the compiler drops the addition. */
#define NO_LOW (-splat(0))

#endif
