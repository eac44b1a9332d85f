/* The logarithm of a row's sum of exponentials: logsumexp, and what log_softmax needs of it. */
#ifndef NUMACT_FORMULAS_LOGSUMEXP_H
#define NUMACT_FORMULAS_LOGSUMEXP_H

#include "formulas/shifted_exp.h"

/* What the logarithm of a row's sum is made of: the sum is max_power (1 + others / max_power), where max_power is the
   exponential of the maximum and `others` the sum without it. */
struct log_sums {
    double others[ROWS], others_lo[ROWS], max_power[ROWS], max_power_lo[ROWS];
    double log[ROWS], log_lo[ROWS];    /* log(1 + others / max_power), which log_of_sums fills in */
};

/* In double for every type: compiled with the kernels for double, one for each dispatch target. */
#define AXIS_JOIN(a, b) a##_##b
#define AXIS_JOINED(a, b) AXIS_JOIN(a, b)
#define log_of_sums AXIS_JOINED(numact_log_of_sums, LEVEL)
extern void log_of_sums(struct log_sums *rows);

#if REAL_BITS == 64
/* log(1 + t) = k ln 2 + 2 atanh s, s = (f - 1) / (f + 1), 1 + t = 2^k f, 1 <= f < 2; where k = 0, f - 1 is t itself. */
INLINE struct dw log1p_dw(struct dw t)
{
    real k = exponent_of(1 + t.hi), power = power_of_two(-k);
    struct dw numerator = two_sum(power - 1, t.hi * power);
    numerator.lo = fma(t.lo, power, numerator.lo);
    struct dw denominator = fast_two_sum(splat(2), numerator.hi);
    denominator.lo = denominator.lo + numerator.lo;
    real s = numerator.hi / denominator.hi;
    real residual = fma(-s, denominator.hi, numerator.hi) + fma(-s, denominator.lo, numerator.lo);
    real square = s * s, s_lo = fma(s * square, polynomial(square, ATANH_P), residual / denominator.hi);
    struct dw half = fast_two_sum(s, s_lo), product = two_prod(k, splat(LN2));
    struct dw sum = two_sum(product.hi, 2 * half.hi);
    return fast_two_sum(sum.hi, sum.lo + fma(2, half.lo, fma(k, LN2_LOW, product.lo)));
}

void log_of_sums(struct log_sums *rows)
{
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        real unit = load(rows->max_power + r), others = load(rows->others + r);
        real quotient = others / unit;
        real residual = fma(-quotient, unit, others) +
                        fma(-quotient, load(rows->max_power_lo + r), load(rows->others_lo + r));
        struct dw log = log1p_dw(fast_two_sum(quotient, residual / unit));
        store(rows->log + r, log.hi);
        store(rows->log_lo + r, log.lo);
    }
}
#endif

/* The exponential of an entry below the maximum, 0 of the maximum. */
INLINE struct dw lower_exponential(real x, real unused, const struct shift *shift)
{
    struct dw term = general_exponential(x, unused, shift);
    mask top = ge(x - shift->origin, shift->top);
    return (struct dw){select(top, 0, term.hi), select(top, 0, term.lo)};
}

/* The parts of log_sums of a group.  The maximum's exponential is subtracted from the sum, unless it has all but a
   LAST_PART of it: then the others are summed again without it, and the logarithm keeps its relative accuracy where
   it is next to nothing. */
INLINE void log_sums_of(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead, bool writes_rows,
                        struct log_sums *group)
{
    const int rows = rows_of_group(b, first);
    const struct summation plainly = {plain_exponential, -INFINITE, b->ahead},
                           generally = {general_exponential, -INFINITE, b->ahead},
                           of_others = {lower_exponential, -INFINITE, 0};
    struct sums sums[ROWS];
    struct totals totals;
    for (int r = 0; r < rows; r++) {
        const scalar *x = b->in[0][first + r];
        const struct shift shift = shift_at(&ahead->shifts, r);
        scalar *due = writes_rows ? b->out[first + r] : NULL;
        if (ahead->is_plain)
            sum_terms(plainly, x, x, n, &shift, NULL, false, due, &sums[r]);
        else
            sum_terms(generally, x, x, n, &shift, NULL, false, due, &sums[r]);
    }
    totals_of(sums, rows, &totals);
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        const struct shifts *shifts = &ahead->shifts;
        struct shift shift = {.top = load(shifts->top + r), .scale = load(shifts->scale + r),
                              .scale_lo = load(shifts->scale_lo + r), .rounder = load(shifts->rounder + r)};
        struct dw power = exponential_of(shift.top, shift, true);
#if REAL_BITS == 32
        store_wide(group->max_power + r, wide_from_real(power.hi));
        store_wide(group->max_power_lo + r, wide_from_real(power.lo));
#else
        store(group->max_power + r, power.hi);
        store(group->max_power_lo + r, power.lo);
#endif
    }
    for (int r = 0; r < ROWS; r++) {
        struct dd others = two_sum_double(totals.hi[r], -group->max_power[r]);
        group->others[r] = others.hi;
        group->others_lo[r] = others.lo + totals.lo[r] - group->max_power_lo[r];
    }
    for (int r = 0; r < rows; r++) {
        if (group->others[r] < LAST_PART * group->max_power[r]) {
            const scalar *x = b->in[0][first + r];
            const struct shift shift = shift_at(&ahead->shifts, r);
            sum_terms(of_others, x, x, n, &shift, NULL, false, NULL, &sums[r]);
            struct dd others = total(&sums[r]);
            group->others[r] = others.hi;
            group->others_lo[r] = others.lo;
        }
    }
}

/* What becomes of the logarithms of a group's sums. */
typedef void log_formula(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead,
                         const struct log_sums *group);

INLINE void log_batch(const struct batch *b, ptrdiff_t n, bool writes_rows, log_formula *finish)
{
    struct ahead ahead[2];
    struct log_sums group;
    look_ahead(UPWARD, b, 0, n, &ahead[0]);
    for (int first = 0, k = 0; first < b->rows; first += ROWS, k = 1 - k) {
        log_sums_of(b, first, n, &ahead[k], writes_rows, &group);
        look_ahead(UPWARD, b, first + ROWS, n, &ahead[1 - k]);
        log_of_sums(&group);
        finish(b, first, n, &ahead[k], &group);
    }
}

/* max + log, as one sum that is rounded once, since the two may cancel. */
INLINE void logsumexp_group(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead,
                            const struct log_sums *group)
{
    (void)n;
    for (int r = 0; r < rows_of_group(b, first); r++) {
        struct dd sum = two_sum_double((double)ahead->max[r], group->log[r]);
        bool finite = sum.hi - sum.hi == 0;
        b->out[first + r][0] = (scalar)(finite ? sum.hi + (sum.lo + group->log_lo[r]) : sum.hi);
    }
}
INLINE void logsumexp_rows(const struct batch *b, ptrdiff_t n) { log_batch(b, n, false, logsumexp_group); }

#endif
