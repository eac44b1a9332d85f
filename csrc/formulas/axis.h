/* The functions along an axis: their list, then each of them as mathematics on rows.

   A row is n scalars that lie side by side; axis_rows.h brings the elements of any axis there.  Sums are taken in 16
   partial sums, element i in the sum i mod 16, in double for float and in pairs for double, and joined in one fixed
   order: the bits depend on the row alone, not on the level, the strides or the rows beside it.

   name, "signature", "types of the operands": r is the row's type, ? a boolean, p an index,
   the function of a batch of rows,
   its operands: inputs as long as the row; MASK if a mask follows, behind which entries count as -inf, MASK_UPWARD if as
   +inf; TEMPERATURE if one follows; the result, SAME_LENGTH or ONE_VALUE, and what it is where the mask is false,
   bound of the error in ULP,
   "formula", "range" of the values, but for gradients. */
#ifndef NUMACT_FORMULAS_AXIS_H
#define NUMACT_FORMULAS_AXIS_H

#include "math/elementary.h"

#define AXIS_FUNCTIONS(ROW)                                                                                            \
    ROW(softmax, "(n),()->(n)", "rr>r", softmax_rows, 1, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,                    \
        "e^(x_i / T) / sum_j e^(x_j / T)", "[0, 1]")                                                                   \
    ROW(softmax_where, "(n),(n),()->(n)", "r?r>r", softmax_rows, 1, MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,            \
        "e^(x_i / T) / sum_j e^(x_j / T), over the entries where the second operand is true", "[0, 1]")                \
    ROW(softmin, "(n),()->(n)", "rr>r", softmin_rows, 1, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,                    \
        "e^(-x_i / T) / sum_j e^(-x_j / T)", "[0, 1]")                                                                 \
    ROW(softmin_where, "(n),(n),()->(n)", "r?r>r", softmin_rows, 1, MASK_UPWARD, TEMPERATURE, SAME_LENGTH, 0, 2.0,     \
        "e^(-x_i / T) / sum_j e^(-x_j / T), over the entries where the second operand is true", "[0, 1]")              \
    ROW(log_softmax, "(n),()->(n)", "rr>r", log_softmax_rows, 1, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,            \
        "x_i / T - log sum_j e^(x_j / T)", "(-inf, 0]")                                                                \
    ROW(log_softmax_where, "(n),(n),()->(n)", "r?r>r", log_softmax_rows, 1, MASK, TEMPERATURE, SAME_LENGTH, -INFINITE, 2.0,\
        "x_i / T - log sum_j e^(x_j / T), over the entries where the second operand is true", "(-inf, 0]")             \
    ROW(logsumexp, "(n)->()", "r>r", logsumexp_rows, 1, NO_MASK, NO_TEMPERATURE, ONE_VALUE, 0, 1.0,                    \
        "log sum_j e^x_j", "(-inf, inf)")                                                                              \
    ROW(logsumexp_where, "(n),(n)->()", "r?>r", logsumexp_rows, 1, MASK, NO_TEMPERATURE, ONE_VALUE, 0, 1.0,            \
        "log sum_j e^x_j, over the entries where the second operand is true", "(-inf, inf)")                           \
    ROW(softmax_grad, "(n),(n),()->(n)", "rrr>r", softmax_grad_rows, 2, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,     \
        "y_i (dy_i - sum_j dy_j y_j) / T", "")                                                                         \
    ROW(softmin_grad, "(n),(n),()->(n)", "rrr>r", softmin_grad_rows, 2, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,     \
        "-y_i (dy_i - sum_j dy_j y_j) / T", "")                                                                        \
    ROW(log_softmax_grad, "(n),(n),()->(n)", "rrr>r", log_softmax_grad_rows, 2, NO_MASK, TEMPERATURE, SAME_LENGTH, 0, 2.0,\
        "(dy_i - e^y_i sum_j dy_j) / T", "")                                                                           \
    ROW(sparsemax, "(n)->(n)", "r>r", sparsemax_rows, 1, NO_MASK, NO_TEMPERATURE, SAME_LENGTH, 0, 2.0,                 \
        "max(x_i - tau, 0), tau such that they sum to 1", "[0, 1]")                                                    \
    ROW(sparsemax_where, "(n),(n)->(n)", "r?>r", sparsemax_rows, 1, MASK, NO_TEMPERATURE, SAME_LENGTH, 0, 2.0,         \
        "max(x_i - tau, 0), tau such that they sum to 1, over the entries where the second operand is true", "[0, 1]") \
    ROW(sparsemax_grad, "(n),(n)->(n)", "rr>r", sparsemax_grad_rows, 2, NO_MASK, NO_TEMPERATURE, SAME_LENGTH, 0, 2.0,  \
        "dy_i less their mean, over the entries with y_i > 0; else 0", "")                                             \
    ROW(hardmax, "(n)->(n)", "r>r", hardmax_rows, 1, NO_MASK, NO_TEMPERATURE, SAME_LENGTH, 0, 0.5,                     \
        "1 at the first maximum, else 0", "0 and 1")                                                                   \
    ROW(prelu_weight_grad, "(n),(n)->()", "rr>r", prelu_weight_grad_rows, 2, NO_MASK, NO_TEMPERATURE, ONE_VALUE, 0, 1.0,\
        "sum_i dy_i x_i over the entries where not x_i > 0", "")

enum {
    PARTS = 16,     /* partial sums of a row */
    ROWS = 16,      /* rows of a group, for which together is computed what there is once per row */
    BATCH_ROWS = 4 * ROWS,    /* rows of a batch, at most */
    BATCH_BYTES = 1 << 14,    /* rows of a batch, and what they become, stay in the first cache */
    ROW_AHEAD = 1 << 12,      /* bytes: where rows are passed one by one, memory to read is asked for so early */
    WRITE_AHEAD = 1024 / sizeof(scalar),    /* and memory that results are written to at once */
    CHUNK = 512,    /* terms that are summed at a time */
    SHORT = 64,     /* rows up to this length, unless it is whole blocks, have scratch of whole blocks */
#if REAL_BITS == 32
    OFFSET = 64,    /* exponentials are kept 2^OFFSET times too large, so that none that matters is subnormal */
    SPAN = 135,     /* the exponential of what is further below the maximum is 0: (EXPONENT_BIAS + OFFSET) ln 2 < SPAN */
    FAR = 512,      /* a maximum this far from 0 is subtracted: FAR >= 2 SPAN */
#else
    OFFSET = 128,
    SPAN = 800,
    FAR = 2048,
#endif
};

/* Of a row's sum in double, this part is what subtracting the rest of it leaves enough digits of. */
#define LAST_PART (REAL_BITS == 32 ? 0x1p-20 : 0x1p-40)

#define INFINITE ((scalar)__builtin_inff())
#define NOT_A_NUMBER ((scalar)__builtin_nanf(""))

/* Loops over the PARTS scalars of a block, LANES at a time. */
#define EACH_PART(k) for (int k = 0; k < PARTS; k += LANES)

/* Rows that are computed together, so that what there is once per row can be computed side by side.  Their length comes
   beside it, since it may be a constant. */
struct batch {
    int rows;
    const scalar *in[2][BATCH_ROWS];
    scalar *out[BATCH_ROWS];
    scalar temperature[BATCH_ROWS];
};

/* ROWS of a batch, from `first` on, or fewer at its end. */
INLINE int rows_of_group(const struct batch *b, int first) { return b->rows - first < ROWS ? b->rows - first : ROWS; }

/* The partial sums of a row. */
struct sums {
#if REAL_BITS == 32
    wide hi[PARTS / LANES];
#else
    real hi[PARTS / LANES];
#endif
    real lo[PARTS / LANES];
};

/* Adds PARTS scalars in memory.  From there float is widened by half as many instructions as from registers, which is why
   terms are written to memory before they are summed, a chunk at a time. */
INLINE void add_block(struct sums *sums, const scalar *block)
{
    UNROLL_VECTORS
    EACH_PART(k)
    {
#if REAL_BITS == 32
        sums->hi[k / LANES] = add_wide(sums->hi[k / LANES], load_wide(block + k));
#else
        struct dw sum = two_sum(sums->hi[k / LANES], load(block + k));
        sums->hi[k / LANES] = sum.hi;
        sums->lo[k / LANES] = sums->lo[k / LANES] + sum.lo;
#endif
    }
}

INLINE void add_blocks(struct sums *sums, const scalar *blocks, ptrdiff_t n)
{
    /* Hides from the compiler what has been written there: it would widen that from registers. */
    __asm__("" : "+r"(blocks));
    for (ptrdiff_t i = 0; i < n; i += PARTS)
        add_block(sums, blocks + i);
}

/* All of it: the upper half is added to the lower one, until one sum is left. */
INLINE struct dd total(const struct sums *sums)
{
#if REAL_BITS == 32
    double eight[8];
    store_eight(eight, sums->hi, sums->lo);
    return (struct dd){sum_of_eight(eight), 0};
#else
    double value[PARTS], lo[PARTS];
    UNROLL_VECTORS
    EACH_PART(k)
    {
        store(value + k, sums->hi[k / LANES]);
        store(lo + k, sums->lo[k / LANES]);
    }
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) {
            struct dd sum = two_sum_double(value[k], value[k + half]);
            value[k] = sum.hi;
            lo[k] += lo[k + half] + sum.lo;
        }
    /* Beside an infinite sum the rest is a NaN. */
    return (struct dd){value[0], value[0] - value[0] == 0 ? lo[0] : 0};
#endif
}

/* The totals of the rows of a group, eight at a time. */
struct totals {
    double hi[ROWS], lo[ROWS];
};

INLINE void totals_of(const struct sums *rows, int count, struct totals *totals)
{
    *totals = (struct totals){0};
#if REAL_BITS == 32
    for (int start = 0; start < count; start += 8) {
        ALIGNED double eights[8][8] = {0};
        for (int r = start; r < count && r < start + 8; r++)
            store_eight(eights[r - start], rows[r].hi, rows[r].lo);
        sums_of_eights(eights, totals->hi + start);
    }
#else
    for (int r = 0; r < count; r++) {
        struct dd sum = total(&rows[r]);
        totals->hi[r] = sum.hi;
        totals->lo[r] = sum.lo;
    }
#endif
}

/* A total as a pair, the same in every lane. */
INLINE struct dw dw_from_dd(struct dd t)
{
#if REAL_BITS == 32
    scalar value = (scalar)t.hi;
    return (struct dw){splat(value), splat((scalar)(t.hi - (double)value + t.lo))};
#else
    return (struct dw){splat(t.hi), splat(t.lo)};
#endif
}

/* a / b as a pair, the same in every lane. */
INLINE struct dw dd_div(struct dd a, struct dd b)
{
#if REAL_BITS == 32
    return dw_from_dd((struct dd){a.hi / b.hi, 0});
#else
    real quotient = splat(a.hi) / b.hi;
    real residual = fma(-quotient, b.hi, a.hi) + fma(-quotient, b.lo, a.lo);
    return (struct dw){quotient, residual / b.hi};
#endif
}

/* The largest x, or -x, of every PARTS-th entry of a row: -inf where there is none.  NaN is passed over. */
INLINE void largest_by_part(const scalar *x, ptrdiff_t n, bool negate, scalar *largest)
{
    enum { STREAMS = 4 * PARTS };
    scalar least = negate ? INFINITE : -INFINITE;
    real found[STREAMS / LANES];
    UNROLL_VECTORS
    for (int k = 0; k < STREAMS / LANES; k++)
        found[k] = splat(-INFINITE);
    ptrdiff_t i = 0;
    for (; i <= n - STREAMS; i += STREAMS) {
        UNROLL_VECTORS
        for (int k = 0; k < STREAMS; k += LANES) {
            real value = load(x + i + k);
            found[k / LANES] = at_least(found[k / LANES], negate ? -value : value);
        }
    }
    if (n >= STREAMS) {
        UNROLL_VECTORS
        for (int k = 0; k < PARTS / LANES; k++)
            for (int stream = 1; stream < STREAMS / PARTS; stream++)
                found[k] = at_least(found[k], found[k + stream * (PARTS / LANES)]);
    }
    for (; i <= n - PARTS; i += PARTS) {
        UNROLL_VECTORS
        EACH_PART(k)
        {
            real value = load(x + i + k);
            found[k / LANES] = at_least(found[k / LANES], negate ? -value : value);
        }
    }
    if (i < n) {
        EACH_PART(k)
        {
            real value = load_padded(x + i + k, lanes_in(n - i - k), least);
            found[k / LANES] = at_least(found[k / LANES], negate ? -value : value);
        }
    }
    UNROLL_VECTORS
    EACH_PART(k)
        store(largest + k, found[k / LANES]);
}

/* The largest x, or -x, of the rows of a group; 0 of those that it does not have.  The sign of 0 is not kept. */
INLINE void largest_of_group(const struct batch *b, int first, ptrdiff_t n, bool negate, scalar *max)
{
    ALIGNED scalar by_part[ROWS][PARTS];
    const int rows = rows_of_group(b, first);
    for (int r = 0; r < rows; r++)
        largest_by_part(b->in[0][first + r], n, negate, by_part[r]);
    for (int r = rows; r < ROWS; r++)
        memset(by_part[r], 0, sizeof by_part[r]);
    largest_of_blocks(by_part, max);
    for (int r = 0; r < ROWS; r++)
        max[r] += 0;
}
INLINE void largest_of_rows(const struct batch *b, ptrdiff_t n, scalar *max)
{
    for (int first = 0; first < b->rows; first += ROWS)
        largest_of_group(b, first, n, false, max + first);
}

/* How to take the exponentials of a row relative to its maximum: e^((x - origin) scale) by 2^n (1 + q), times
   2^(OFFSET - n_top), where n_top is the n of the maximum.  Nothing is rounded in x - origin: the origin is 0 unless the
   maximum is far from 0, and then x - origin is exact for all x down to half of it (Sterbenz), which are those within
   SPAN.  `top` is x - origin for the maximum, or above that of every finite number if it is infinite.  At `low` the biased
   exponent of the power is 0, and so is the power. */
struct shift {
    real origin, top, low, scale, scale_lo, rounder;
};

/* The same of every row of a group. */
struct shifts {
    scalar origin[ROWS], top[ROWS], low[ROWS], scale[ROWS], scale_lo[ROWS], rounder[ROWS];
};

/* For maxima and temperatures of as many rows as there are lanes. */
INLINE struct shift shift_of(real max, real temperature)
{
    real scale = 1 / temperature, scale_lo = fma(-scale, temperature, 1) * scale;
    real origin = select(le(absolute(max * scale), FAR), 0, clamp(max, LARGEST));
    real top = select(gt(absolute(max), LARGEST), (2 * (scalar)SPAN) * temperature, max - origin);
    real n_top = round_to_int(top * scale * LOG2E), low = (n_top - (OFFSET + EXPONENT_BIAS)) * LN2 * temperature;
    return (struct shift){origin, top, low, scale, scale_lo, (POWER_ROUNDER + OFFSET) - n_top};
}

INLINE void shifts_of(const scalar *max, const scalar *temperature, struct shifts *shifts)
{
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        struct shift shift = shift_of(load(max + r), load(temperature + r));
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
    struct exp_split e = exp_scaled(1, z, lo, shift.rounder, true);
    real value = fma_in_double(e.power, e.q, e.power);
    return (struct dw){value, fma_in_double(e.power, e.q, e.power - value)};
}

/* Ask for memory that is due: the processor itself looks ahead within a page only, which a row of 1024 floats fills.  Beyond
   an array nothing happens. */
INLINE void prefetch_to_read(const scalar *p, ptrdiff_t bytes) { __builtin_prefetch((const char *)p + bytes, 0); }
INLINE void prefetch_to_write(scalar *p) { __builtin_prefetch(p, 1); }

/* A term of a sum: of an element of one row or two, and constants of the row. */
typedef struct dw term_formula(real a, real b, const struct shift *shift);

/* How the terms of a row are summed. */
struct summation {
    term_formula *f;
    scalar pad;      /* stands behind the end of the row */
    ptrdiff_t ahead; /* how many bytes further on memory is asked for */
};

/* The sums of the terms of a row.  They are left in y if there is one: n of them, or if it is roomy as many as the blocks
   have.  In memory that one reads from, y may be a.  `due` is where results will be written soon, if that is known. */
INLINE void sum_terms(struct summation s, const scalar *a, const scalar *b, ptrdiff_t n, const struct shift *shift,
                      scalar *y, bool roomy, scalar *due, struct sums *result)
{
    struct sums sums;
    UNROLL_VECTORS
    EACH_PART(k)
    {
        sums.hi[k / LANES] = wide_value(-0.0); /* which costs nothing to add to */
        sums.lo[k / LANES] = NO_LOW;
    }
    for (ptrdiff_t start = 0; start < n; start += CHUNK) {
        const ptrdiff_t count = n - start < CHUNK ? n - start : CHUNK, whole = count / PARTS * PARTS;
        const scalar *from_a = a + start, *from_b = b + start;
        ALIGNED scalar chunk[CHUNK];
        scalar *to = y ? y + start : chunk;
        for (ptrdiff_t i = 0; i < whole; i += PARTS) {
            prefetch_to_read(from_a + i, s.ahead);
            if (a != b) prefetch_to_read(from_b + i, s.ahead);
            if (due) prefetch_to_write(due + start + i);
            UNROLL_VECTORS
            EACH_PART(k)
            {
                struct dw term = s.f(load(from_a + i + k), load(from_b + i + k), shift);
                store(to + i + k, term.hi);
                sums.lo[k / LANES] = sums.lo[k / LANES] + term.lo;
            }
        }
        add_blocks(&sums, to, whole);
        if (whole < count) {
            ALIGNED scalar last[PARTS];
            EACH_PART(k)
            {
                const ptrdiff_t lanes = lanes_in(count - whole - k);
                struct dw term = s.f(load_padded(from_a + whole + k, lanes, s.pad),
                                       load_padded(from_b + whole + k, lanes, s.pad), shift);
                store(last + k, term.hi);
                sums.lo[k / LANES] = sums.lo[k / LANES] + term.lo;
                if (roomy)
                    store(to + whole + k, term.hi);
                else if (y)
                    store_part(to + whole + k, term.hi, lanes);
            }
            add_block(&sums, last);
        }
    }
    /* One by one: if they were copied as a whole, compilers would keep them in memory. */
    UNROLL_VECTORS
    EACH_PART(k)
    {
        result->hi[k / LANES] = sums.hi[k / LANES];
        result->lo[k / LANES] = sums.lo[k / LANES];
    }
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

/* What the exponentials of a group need.  It is a while until it is there, so that it is computed one group ahead. */
struct ahead {
    scalar max[ROWS];
    struct shifts shifts;
    bool is_plain; /* all temperatures are 1, and all origins 0: there the general formulas give the bits of the plain ones */
};

INLINE void look_ahead(const struct batch *b, int first, ptrdiff_t n, bool negate, struct ahead *ahead)
{
    if (first >= b->rows) return;
    largest_of_group(b, first, n, negate, ahead->max);
    shifts_of(ahead->max, b->temperature + first, &ahead->shifts);
    ahead->is_plain = is_everywhere(1, b->temperature + first) && is_everywhere(0, ahead->shifts.origin);
}

/* to = from times the factor; where `from` is roomy, it may be read in whole vectors. */
INLINE void multiply(const scalar *from, scalar *to, ptrdiff_t n, bool roomy, struct dw factor)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        real value = load(from + i);
        store(to + i, fma(value, factor.hi, value * factor.lo));
    }
    if (LANES > 1 && i < n) {
        real value = roomy ? load(from + i) : load_part(from + i, n - i);
        store_part(to + i, fma(value, factor.hi, value * factor.lo), n - i);
    }
}

/* The inverses of a group's sums, as pairs. */
struct inverses {
    scalar hi[ROWS], lo[ROWS];
};

/* For a row of -inf the inverse is 0, unless there is a NaN in it. */
INLINE void inverses_of(const struct sums *rows, int count, const scalar *max, struct inverses *inverses)
{
    struct totals sums;
    totals_of(rows, count, &sums);
#if REAL_BITS == 32
    for (int r = 0; r < ROWS; r++) {
        double inverse = max[r] < -LARGEST ? sums.hi[r] * 0 : 1 / sums.hi[r];
        inverses->hi[r] = (scalar)inverse;
        inverses->lo[r] = (scalar)(inverse - (double)inverses->hi[r]);
    }
#else
#pragma GCC ivdep
    for (int r = 0; r < ROWS; r += LANES) {
        real sum = load(sums.hi + r), inverse = 1 / sum;
        real residual = fma(-inverse, load(sums.lo + r), fma(-inverse, sum, 1));
        mask nothing = lt(load(max + r), -LARGEST);
        store(inverses->hi + r, select(nothing, sum * 0, inverse));
        store(inverses->lo + r, select(nothing, 0, inverse * residual));
    }
#endif
}

/* Each step is taken for all rows of a group before the next one, so that the processor has several rows to work on at a
   time. */
INLINE void softmax_batch(const struct batch *b, ptrdiff_t n, bool negate, term_formula *plain, term_formula *general)
{
    const bool roomy = n <= SHORT && n % PARTS;
    const scalar pad = negate ? INFINITE : -INFINITE;
    const struct summation plainly = {plain, pad, BATCH_BYTES}, generally = {general, pad, BATCH_BYTES};
    ALIGNED scalar terms[ROWS][SHORT];
    struct ahead ahead[2];
    look_ahead(b, 0, n, negate, &ahead[0]);
    for (int first = 0, k = 0; first < b->rows; first += ROWS, k = 1 - k) {
        const int rows = rows_of_group(b, first);
        struct sums sums[ROWS];
        for (int r = 0; r < rows; r++) {
            const scalar *x = b->in[0][first + r];
            const struct shift shift = shift_at(&ahead[k].shifts, r);
            scalar *out = b->out[first + r], *y = roomy ? terms[r] : out, *due = out + WRITE_AHEAD;
            if (ahead[k].is_plain)
                sum_terms(plainly, x, x, n, &shift, y, roomy, due, &sums[r]);
            else
                sum_terms(generally, x, x, n, &shift, y, roomy, due, &sums[r]);
        }
        look_ahead(b, first + ROWS, n, negate, &ahead[1 - k]);
        struct inverses inverses;
        inverses_of(sums, rows, ahead[k].max, &inverses);
        for (int r = 0; r < rows; r++) {
            struct dw factor = {splat(inverses.hi[r]), splat(inverses.lo[r])};
            multiply(roomy ? terms[r] : b->out[first + r], b->out[first + r], n, roomy, factor);
        }
    }
}
INLINE void softmax_rows(const struct batch *b, ptrdiff_t n)
{
    softmax_batch(b, n, false, plain_exponential, general_exponential);
}
INLINE void softmin_rows(const struct batch *b, ptrdiff_t n)
{
    softmax_batch(b, n, true, plain_exponential_down, general_exponential_down);
}

/* What the logarithm of a row's sum is made of: the sum is max_power (1 + others / max_power), where max_power is the
   exponential of the maximum and `others` the sum without it. */
struct log_sums {
    double others[ROWS], others_rest[ROWS], max_power[ROWS], max_power_lo[ROWS];
    double log[ROWS], log_rest[ROWS];    /* log(1 + others / max_power), which log_of_sums fills in */
};

/* In double for every type: compiled with the kernels for double, one for each level. */
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
    real square = s * s, s_rest = fma(s * square, polynomial(square, ATANH_P), residual / denominator.hi);
    struct dw half = fast_two_sum(s, s_rest), product = two_prod(k, splat(LN2));
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
                        fma(-quotient, load(rows->max_power_lo + r), load(rows->others_rest + r));
        struct dw log = log1p_dw(fast_two_sum(quotient, residual / unit));
        store(rows->log + r, log.hi);
        store(rows->log_rest + r, log.lo);
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
   LAST_PART of it: then the others are summed again without it, and the logarithm keeps its relative accuracy where it is
   next to nothing. */
INLINE void log_sums_of(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead, bool writes_rows,
                        struct log_sums *group)
{
    const int rows = rows_of_group(b, first);
    const struct summation plainly = {plain_exponential, -INFINITE, BATCH_BYTES},
                           generally = {general_exponential, -INFINITE, BATCH_BYTES},
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
        store_wide(group->max_power + r, wide_of(power.hi));
        store_wide(group->max_power_lo + r, wide_of(power.lo));
#else
        store(group->max_power + r, power.hi);
        store(group->max_power_lo + r, power.lo);
#endif
    }
    for (int r = 0; r < ROWS; r++) {
        struct dd others = two_sum_double(totals.hi[r], -group->max_power[r]);
        group->others[r] = others.hi;
        group->others_rest[r] = others.lo + totals.lo[r] - group->max_power_lo[r];
    }
    for (int r = 0; r < rows; r++) {
        if (group->others[r] < LAST_PART * group->max_power[r]) {
            const scalar *x = b->in[0][first + r];
            const struct shift shift = shift_at(&ahead->shifts, r);
            sum_terms(of_others, x, x, n, &shift, NULL, false, NULL, &sums[r]);
            struct dd others = total(&sums[r]);
            group->others[r] = others.hi;
            group->others_rest[r] = others.lo;
        }
    }
}

/* (x - max) / T - log.  Neither term is positive, so that nothing cancels.  Entries that equal an infinite maximum have no
   distance from it. */
INLINE real log_softmax_of(real x, scalar max, struct shift shift, real log, bool general)
{
    real distance = x - max;
    if (!general) return distance - log;
    real value = fma(distance, shift.scale, fma(at_least(distance, -LARGEST), shift.scale_lo, -log));
    return select(eq(x, max), -log, value);
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

/* What becomes of the logarithms of a group's sums. */
typedef void log_formula(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead,
                         const struct log_sums *group);

INLINE void log_batch(const struct batch *b, ptrdiff_t n, bool writes_rows, log_formula *finish)
{
    struct ahead ahead[2];
    struct log_sums group;
    look_ahead(b, 0, n, false, &ahead[0]);
    for (int first = 0, k = 0; first < b->rows; first += ROWS, k = 1 - k) {
        log_sums_of(b, first, n, &ahead[k], writes_rows, &group);
        look_ahead(b, first + ROWS, n, false, &ahead[1 - k]);
        log_of_sums(&group);
        finish(b, first, n, &ahead[k], &group);
    }
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

/* max + log, as one sum that is rounded once, since the two may cancel. */
INLINE void logsumexp_group(const struct batch *b, int first, ptrdiff_t n, const struct ahead *ahead,
                            const struct log_sums *group)
{
    (void)n;
    for (int r = 0; r < rows_of_group(b, first); r++) {
        struct dd sum = two_sum_double((double)ahead->max[r], group->log[r]);
        bool finite = sum.hi - sum.hi == 0;
        b->out[first + r][0] = (scalar)(finite ? sum.hi + (sum.lo + group->log_rest[r]) : sum.hi);
    }
}
INLINE void logsumexp_rows(const struct batch *b, ptrdiff_t n) { log_batch(b, n, false, logsumexp_group); }

/* A result: of an element of two rows, and the sum of their terms. */
typedef real row_formula(real a, real b, struct dw row, real temperature);

/* The sum of f(a, b) over a row. */
INLINE struct dd sum_over(term_formula *f, const scalar *a, const scalar *b, ptrdiff_t n)
{
    struct sums sums;
    const struct summation summation = {f, 0, ROW_AHEAD};
    sum_terms(summation, a, b, n, NULL, NULL, false, NULL, &sums);
    struct dd sum = total(&sums);
    return (struct dd){sum.hi + 0, sum.lo + 0}; /* where all terms are -0, 0 as that of none */
}

INLINE void apply(row_formula *f, const scalar *a, const scalar *b, scalar *y, ptrdiff_t n, struct dw row,
                  scalar temperature)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        prefetch_to_write(y + i + WRITE_AHEAD);
        store(y + i, f(load(a + i), load(b + i), row, splat(temperature)));
    }
    if (LANES > 1 && i < n)
        store_part(y + i, f(load_part(a + i, n - i), load_part(b + i, n - i), row, splat(temperature)), n - i);
}

/* For every row: the sum of `term` over it, then y = `formula` of the elements and that sum; `tempered` divides. */
INLINE void gradient_rows(const struct batch *b, ptrdiff_t n, term_formula *term, row_formula *plain,
                          row_formula *tempered)
{
    for (int r = 0; r < b->rows; r++) {
        const scalar *dy = b->in[0][r], *y = b->in[1][r];
        struct dw sum = dw_from_dd(sum_over(term, dy, y, n));
        if (b->temperature[r] == 1)
            apply(plain, dy, y, b->out[r], n, sum, 1);
        else
            apply(tempered, dy, y, b->out[r], n, sum, b->temperature[r]);
    }
}

/* a b, exactly, unless it overflows. */
INLINE struct dw finite_product_of(real a, real b, const struct shift *unused)
{
    (void)unused;
    struct dw product = two_prod(a, b);
    product.lo = select(gt(absolute(product.hi), LARGEST), 0, product.lo);
    return product;
}

INLINE real softmax_grad_of(real dy, real y, struct dw sum, real temperature)
{
    (void)temperature;
    return y * ((dy - sum.hi) - sum.lo);
}
INLINE real softmax_grad_tempered(real dy, real y, struct dw sum, real temperature)
{
    return softmax_grad_of(dy, y, sum, temperature) / temperature;
}
INLINE void softmax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, finite_product_of, softmax_grad_of, softmax_grad_tempered);
}

INLINE real softmin_grad_of(real dy, real y, struct dw sum, real temperature)
{
    return softmax_grad_of(dy, -y, sum, temperature);
}
INLINE real softmin_grad_tempered(real dy, real y, struct dw sum, real temperature)
{
    return softmax_grad_tempered(dy, -y, sum, temperature);
}
INLINE void softmin_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, finite_product_of, softmin_grad_of, softmin_grad_tempered);
}

INLINE struct dw first_of(real a, real b, const struct shift *unused)
{
    (void)b, (void)unused;
    return (struct dw){a, NO_LOW};
}
/* e^y as 2^n (1 + q), 1 + q with what its rounding lost. */
INLINE real log_softmax_grad_of(real dy, real y, struct dw sum, real temperature)
{
    (void)temperature;
    struct exp_split e = exp_split(clamp(y, EXP_LIMIT), NO_LOW);
    struct dw factor = fast_two_sum(splat(1), e.q);
    real power = scale(factor.hi, e.n), lo = scale(factor.lo + e.lo, e.n);
    return fma(-power, sum.hi, fma(-power, sum.lo, fma(-lo, sum.hi, dy)));
}
INLINE real log_softmax_grad_tempered(real dy, real y, struct dw sum, real temperature)
{
    return log_softmax_grad_of(dy, y, sum, temperature) / temperature;
}
INLINE void log_softmax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    gradient_rows(b, n, first_of, log_softmax_grad_of, log_softmax_grad_tempered);
}

INLINE bool has_nan(const scalar *x, ptrdiff_t n)
{
    ptrdiff_t ordered = 0, i = 0;
    for (; i <= n - LANES; i += LANES)
        ordered += count_true(eq(load(x + i), load(x + i)));
    for (; i < n; i++)
        ordered += x[i] == x[i];
    return ordered < n;
}

INLINE void fill(scalar *y, ptrdiff_t n, scalar value)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = value;
}

/* x - tau > 0 of an entry within 1 of the maximum, else 0; x - max exactly, as a pair, and tau relative to the maximum. */
INLINE real above_threshold(real x, scalar max, struct dw tau)
{
    struct dw distance = two_sum(x, -splat(max));
    real above = (distance.hi - tau.hi) + (distance.lo - tau.lo);
    return select(gt(distance.hi, -1), at_least(above, 0), 0);
}

/* The sum and number of the entries above tau, relative to the maximum. */
INLINE ptrdiff_t support_above(const scalar *x, ptrdiff_t n, scalar max, struct dw tau, struct dd *sum)
{
    struct sums sums = {0};
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n; i += PARTS) {
        ALIGNED scalar block[PARTS];
        UNROLL_VECTORS
        EACH_PART(k)
        {
            real value = load_padded(x + i + k, lanes_in(n - i - k), -INFINITE);
            struct dw distance = two_sum(value, -splat(max));
            mask inside = gt(above_threshold(value, max, tau), 0);
            store(block + k, select(inside, distance.hi, 0));
            sums.lo[k / LANES] = sums.lo[k / LANES] + select(inside, distance.lo, 0);
            count += count_true(inside);
        }
        add_block(&sums, block);
    }
    *sum = total(&sums);
    return count;
}

/* The projection on the simplex: tau is such that the entries above it exceed it by 1 in all.  From all entries within 1 of
   the maximum, those that are not above the tau of the rest drop out, until none does (Michelot, 1986). */
INLINE void sparsemax_row(const scalar *x, scalar *y, ptrdiff_t n, scalar max)
{
    bool infinite = max - max != 0, nan = has_nan(x, n);
    if (nan || max < -LARGEST) {
        fill(y, n, nan ? NOT_A_NUMBER : 0);
        return;
    }
    if (infinite) { /* the infinite entries share */
        ptrdiff_t count = 0;
        for (ptrdiff_t i = 0; i < n; i++)
            count += x[i] == max;
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = x[i] == max ? 1 / (scalar)count : 0;
        return;
    }
    struct dw tau = {splat(-1), splat(0)};
    struct dd sum;
    for (ptrdiff_t before = PTRDIFF_MAX, count; (count = support_above(x, n, max, tau, &sum)) < before; before = count) {
        struct dd excess = two_sum_double(sum.hi, -1);
        excess.lo += sum.lo;
        tau = dd_div(excess, (struct dd){(double)count, 0});
    }
    ptrdiff_t i = 0;
#pragma GCC ivdep
    for (; i <= n - LANES; i += LANES)
        store(y + i, above_threshold(load(x + i), max, tau));
    if (LANES > 1 && i < n) store_part(y + i, above_threshold(load_part(x + i, n - i), max, tau), n - i);
}

INLINE void sparsemax_rows(const struct batch *b, ptrdiff_t n)
{
    scalar max[BATCH_ROWS];
    largest_of_rows(b, n, max);
    for (int r = 0; r < b->rows; r++)
        sparsemax_row(b->in[0][r], b->out[r], n, max[r]);
}

/* dy on the support; a NaN of y passes. */
INLINE struct dw on_support(real dy, real y, const struct shift *unused)
{
    (void)unused;
    return (struct dw){select(le(y, 0), 0, dy + (y - y)), NO_LOW};
}
INLINE struct dw support_of(real dy, real y, const struct shift *unused)
{
    (void)dy, (void)unused;
    return (struct dw){select(gt(y, 0), 1, 0), NO_LOW};
}
INLINE real sparsemax_grad_of(real dy, real y, struct dw mean, real temperature)
{
    (void)temperature;
    return select(le(y, 0), 0, (dy - mean.hi) - mean.lo);
}
INLINE void sparsemax_grad_rows(const struct batch *b, ptrdiff_t n)
{
    for (int r = 0; r < b->rows; r++) {
        const scalar *dy = b->in[0][r], *y = b->in[1][r];
        struct dd sum = sum_over(on_support, dy, y, n), count = sum_over(support_of, dy, y, n);
        apply(sparsemax_grad_of, dy, y, b->out[r], n, dd_div(sum, count), 1);
    }
}

INLINE void hardmax_rows(const struct batch *b, ptrdiff_t n)
{
    scalar max[BATCH_ROWS];
    largest_of_rows(b, n, max);
    for (int r = 0; r < b->rows; r++) {
        const scalar *x = b->in[0][r];
        bool nan = has_nan(x, n);
        ptrdiff_t first = 0;
        while (!nan && first < n && x[first] != max[r])
            first++;
        fill(b->out[r], n, nan ? NOT_A_NUMBER : 0);
        if (!nan && n) b->out[r][first] = 1;
    }
}

INLINE struct dw weight_term(real dy, real x, const struct shift *unused)
{
    struct dw product = finite_product_of(dy, x, unused);
    mask positive = gt(x, 0);
    return (struct dw){select(positive, 0, product.hi), select(positive, 0, product.lo)};
}
INLINE void prelu_weight_grad_rows(const struct batch *b, ptrdiff_t n)
{
    for (int r = 0; r < b->rows; r++) {
        struct dd sum = sum_over(weight_term, b->in[0][r], b->in[1][r], n);
        b->out[r][0] = (scalar)(sum.hi + sum.lo);
    }
}

#endif
