/* What a bias needs besides the activation: sums with it, and sums of its gradient in float64. */
#ifndef NUMACT_LOOPS_BIAS_H
#define NUMACT_LOOPS_BIAS_H

#include "numact.h"
#include "simd/real.h"

static void SYMBOL(add)(void *out, const void *a, const void *b, ptrdiff_t n, bool single)
{
    scalar *sum = out;
    const scalar *x = a, *y = b;
    if (single) {
        const scalar value = *y;
        for (ptrdiff_t i = 0; i < n; i++)
            sum[i] = x[i] + value;
    } else {
        for (ptrdiff_t i = 0; i < n; i++)
            sum[i] = x[i] + y[i];
    }
}

static void SYMBOL(accumulate)(double *sums, const void *x, ptrdiff_t n)
{
    const scalar *values = x;
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += (double)values[i];
}

/* Element i is added to the partial sum i mod NUMACT_SUMS, on every dispatch target alike. */
static double SYMBOL(total)(const void *x, ptrdiff_t n)
{
    const scalar *values = x;
    double partial[NUMACT_SUMS] = {0};
    ptrdiff_t i = 0;
    for (; i <= n - NUMACT_SUMS; i += NUMACT_SUMS)
        for (int k = 0; k < NUMACT_SUMS; k++)
            partial[k] += (double)values[i + k];
    for (int k = 0; i < n; i++, k++)
        partial[k] += (double)values[i];
    return reduce_8(partial) + reduce_8(partial + 8);
}

extern const struct numact_bias_loops SYMBOL(numact_bias);
const struct numact_bias_loops SYMBOL(numact_bias) = {SYMBOL(add), SYMBOL(accumulate), SYMBOL(total)};

#endif
