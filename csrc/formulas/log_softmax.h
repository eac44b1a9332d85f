/* log_softmax and its gradient. */
#ifndef NUMACT_FORMULAS_LOG_SOFTMAX_H
#define NUMACT_FORMULAS_LOG_SOFTMAX_H

#include "formulas/logsumexp.h"

/* (x - max) / T - log.  Neither term is positive, so that nothing cancels.  Entries that equal an infinite maximum
   have no distance from it.  With a temperature half of the distance is computed, as the distance of finite entries
   may be infinite where its quotient is not; the bit that half of a subnormal number lacks is nothing beside the log. */
INLINE real log_softmax_of(real x, scalar max, struct shift shift, real log, bool general)
{
    if (!general) return (x - max) + (0 - log); /* +0 where both are 0, though x may be -0 */
    const scalar half = (scalar)0.5;
    real distance = x * half - max * half;
    real value = fma(distance, 2 * shift.scale, fma(at_least(distance, -LARGEST), 2 * shift.scale_lo, -log));
    return select(eq(x, max), 0 - log, value); /* 0 where the log is, as above */
}

INLINE void log_softmax_row(const scalar *x, scalar *y, ptrdiff_t n, scalar max, struct shift shift, scalar log,
                            bool general)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES)
        store(y + i, log_softmax_of(load(x + i), max, shift, splat(log), general));
    if (LANES > 1 && i < n)
        store_part(y + i, log_softmax_of(load_part(x + i, n - i), max, shift, splat(log), general), n - i);
}

INLINE void log_softmax_group(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead,
                              const struct log_sums *group)
{
    for (int r = 0; r < rows_of_group(b, first); r++) {
        const scalar *x = b->in[0][first + r], max = ahead->max[r];
        const struct shift shift = shift_at(&ahead->shifts, r);
        scalar *y = b->out[first + r], log = max < -LARGEST ? NOT_A_NUMBER : (scalar)group->log[r];
        if (ahead->is_plain)
            log_softmax_row(x, y, n, max, shift, log, false);
        else
            log_softmax_row(x, y, n, max, shift, log, true);
    }
}
INLINE void log_softmax_rows(const struct batch *b, ptrdiff_t n) { log_batch(b, n, true, log_softmax_group); }

INLINE struct dw first_of(real a, real b, const struct shift *unused)
{
    (void)b, (void)unused;
    return (struct dw){a, NO_LOW};
}
/* e^y as 2^n (1 + q), 1 + q with its rounding error. */
INLINE struct dw log_softmax_grad_of(struct dw dy, real y, struct dw sum)
{
    struct exp_split e = exp_split(clamp(y, EXP_LIMIT), NO_LOW);
    struct dw factor = fast_two_sum(splat(1), e.q);
    real power = scale(factor.hi, e.n), lo = scale(factor.lo + e.lo, e.n);
    return (struct dw){fma(-power, sum.hi, dy.hi), dy.lo - fma(power, sum.lo, lo * sum.hi)};
}
INLINE void log_softmax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, first_of, log_softmax_grad_of, divide_dy);
}

#endif
