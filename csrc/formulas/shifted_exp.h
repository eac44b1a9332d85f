/* The exponentials of a row relative to its maximum, and the temperature. */
#ifndef NUMACT_FORMULAS_SHIFTED_EXP_H
#define NUMACT_FORMULAS_SHIFTED_EXP_H

#include "formulas/row_sums.h"

/* How to take the exponentials of a row relative to its maximum: e^((x - origin) scale) by 2^n (1 + q), times
   2^(OFFSET - n_top), where n_top is the n of the maximum.  Nothing is rounded in x - origin: the origin is 0 unless
   the maximum is far from 0, and then x - origin is exact for all x down to half of it (Sterbenz), which are those
   within SPAN.  `top` is x - origin for the maximum, or above that of every finite number if it is infinite.  At
   `low` the biased exponent of the power is 0, and so is the power. */
struct shift {
    real origin, top, low, scale, scale_lo, rounder;
};

/* The same of every row of a group. */
struct shifts {
    scalar origin[ROWS], top[ROWS], low[ROWS], scale[ROWS], scale_lo[ROWS], rounder[ROWS];
};

/* For as many maxima as there are lanes, and what they are multiplied by: scale + scale_lo = 1 / temperature. */
INLINE struct shift shift_of(real max, real scale, real scale_lo, real temperature)
{
    real origin = select(le(absolute(max * scale), FAR), 0, clamp(max, LARGEST));
    real top = select(gt(absolute(max), LARGEST), (2 * (scalar)SPAN) * temperature, max - origin);
    real n_top = round_to_int(top * scale * LOG2E), low = (n_top - (OFFSET + EXPONENT_BIAS)) * LN2 * temperature;
    return (struct shift){origin, top, low, scale, scale_lo, (POWER_ROUNDER + OFFSET) - n_top};
}

/* The shift for a maximum and the factor of its row. */
typedef struct shift shift_formula(real max, real factor);

INLINE struct shift shift_by_temperature(real max, real temperature)
{
    struct dw scale = inverse_of(temperature);
    return shift_of(max, scale.hi, scale.lo, temperature);
}

INLINE void shifts_of(shift_formula *shift_of_row, const scalar *max, const scalar *factor, struct shifts *shifts)
{
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        struct shift shift = shift_of_row(load(max + r), load(factor + r));
        store(shifts->origin + r, shift.origin);
        store(shifts->top + r, shift.top);
        store(shifts->low + r, shift.low);
        store(shifts->scale + r, shift.scale);
        store(shifts->scale_lo + r, shift.scale_lo);
        store(shifts->rounder + r, shift.rounder);
    }
}

INLINE struct shift shift_at(const struct shifts *shifts, int r)
{
    return (struct shift){splat(shifts->origin[r]), splat(shifts->top[r]),        splat(shifts->low[r]),
                          splat(shifts->scale[r]),  splat(shifts->scale_lo[r]), splat(shifts->rounder[r])};
}

/* e^((x - origin) / T) 2^(OFFSET - n_top), for distance = x - origin, within the row's span. */
INLINE struct dw exponential_of(real distance, struct shift shift, bool tempered)
{
    real z = distance, lo = NO_LOW;
    if (tempered) {
        z = distance * shift.scale;
        lo = fma(distance, shift.scale_lo, fma(distance, shift.scale, -z));
    }
    return exp_dw(z, lo, shift.rounder);
}

/* The exponential of an entry; 0 of one far below the maximum, and an infinite maximum stands at the top. */
INLINE struct dw plain_exponential(real x, real unused, const struct shift *shift)
{
    (void)unused;
    return exponential_of(at_least(x, shift->low), *shift, false);
}
INLINE struct dw general_exponential(real x, real unused, const struct shift *shift)
{
    (void)unused;
    return exponential_of(at_least(at_most(x - shift->origin, shift->top), shift->low), *shift, true);
}
INLINE struct dw plain_exponential_down(real x, real unused, const struct shift *shift)
{
    return plain_exponential(-x, unused, shift);
}
INLINE struct dw general_exponential_down(real x, real unused, const struct shift *shift)
{
    return general_exponential(-x, unused, shift);
}

/* Whether all rows of a group have the value. */
INLINE bool is_everywhere(scalar value, const scalar *of_rows)
{
    int equal = 0;
    for (int r = 0; r < ROWS; r += LANES)
        equal += count_true(eq(load(of_rows + r), value));
    return equal == ROWS;
}

/* The exponentials of rows: of which entries, relative to what.  The plain formula gives the bits of the general one
   where the origin is 0, and the factor 1 unless it is for any factor. */
struct exponentials {
    struct entries entries;
    shift_formula *shift;
    term_formula *plain, *general;
    bool any_factor;
};
#define UPWARD                                                                                                         \
    ((struct exponentials){ITSELF, shift_by_temperature, plain_exponential, general_exponential, false})
#define DOWNWARD                                                                                                       \
    ((struct exponentials){NEGATED, shift_by_temperature, plain_exponential_down, general_exponential_down,   \
                             false})

/* What the exponentials of a group need.  Its latency is long, so that it is computed one group ahead. */
struct ahead {
    scalar max[ROWS];
    struct shifts shifts;
    bool is_plain;
};

INLINE void look_ahead(struct exponentials e, const struct batch *b, int first, ptrdiff_t n, struct ahead *ahead)
{
    if (first >= b->rows) return;
    largest_of_group(e.entries, b, first, n, ahead->max);
    shifts_of(e.shift, ahead->max, b->factor + first, &ahead->shifts);
    ahead->is_plain = (e.any_factor || is_everywhere(1, b->factor + first)) && is_everywhere(0, ahead->shifts.origin);
}

#endif
