/* What the functions along an axis share: batches of rows, their sums and maxima.

   A row is n scalars that lie side by side; loops/rows.h brings the elements of any axis there.  Sums are taken in
   16 partial sums, element i in the sum i mod 16, in double for float and in double-words for double, and joined in
   one fixed order: the bits depend on the row alone, not on the dispatch target, the strides or the rows beside it. */
#ifndef NUMACT_FORMULAS_ROW_SUMS_H
#define NUMACT_FORMULAS_ROW_SUMS_H

#include "math/elementary.h"

enum {
    PARTS = 16,     /* partial sums of a row */
    ROWS = 16,      /* rows of a group, for which what is computed once per row is computed together */
    BATCH_ROWS = 4 * ROWS,    /* rows of a batch, at most */
    BATCH_BYTES = 1 << 14,    /* rows of a batch, and what they become, stay in the L1 cache */
    ROW_AHEAD = 1 << 12,      /* prefetch distance in bytes, where rows are read one by one */
    WRITE_AHEAD = 1024 / sizeof(scalar),    /* and in elements, of results that are written at once */
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

/* A part of a row's sum that is at least this share of it keeps enough digits when the rest is subtracted. */
#define LAST_PART (REAL_BITS == 32 ? 0x1p-20 : 0x1p-40)

#define INFINITE ((scalar)__builtin_inff())
#define NOT_A_NUMBER ((scalar)__builtin_nanf(""))

/* Loops over the PARTS scalars of a block, LANES at a time. */
#define EACH_PART(k) for (int k = 0; k < PARTS; k += LANES)

/* Rows that are computed together, so that what is computed once per row fills whole vectors.  Their length is passed
   separately, since it may be a constant. */
struct batch {
    int rows;
    ptrdiff_t ahead;    /* bytes from the first operand to what is read next, to prefetch it */
    const scalar *in[2][BATCH_ROWS];
    scalar *out[BATCH_ROWS];
    ptrdiff_t length[BATCH_ROWS]; /* the entries that take part, if the function has a limit */
    scalar factor[BATCH_ROWS];    /* the temperature, or the scale of attention; 1 if the function has none */
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

/* Adds PARTS scalars in memory.  From there float is widened by half as many instructions as from registers, which
   is why terms are written to memory before they are summed, a chunk at a time. */
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
    fold_to_8(eight, sums->hi, sums->lo);
    return (struct dd){reduce_8(eight), 0};
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
    /* Beside an infinite sum lo is a NaN. */
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
            fold_to_8(eights[r - start], rows[r].hi, rows[r].lo);
        reduce_rows_of_8(eights, totals->hi + start);
    }
#else
    for (int r = 0; r < count; r++) {
        struct dd sum = total(&rows[r]);
        totals->hi[r] = sum.hi;
        totals->lo[r] = sum.lo;
    }
#endif
}

/* A total as a double-word, the same in every lane. */
INLINE struct dw dw_from_dd(struct dd t)
{
#if REAL_BITS == 32
    scalar value = (scalar)t.hi;
    return (struct dw){splat(value), splat((scalar)(t.hi - (double)value + t.lo))};
#else
    return (struct dw){splat(t.hi), splat(t.lo)};
#endif
}

/* a / b as a double-word, the same in every lane. */
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

/* What the exponential is taken of, as far as the maximum needs it: of an element of two rows and the row's factor. */
typedef real entry_formula(real a, real b, real factor);

/* The entries of a row, what stands in the place of a behind its end, and whether there is a second row, and
   whether rows have limits. */
struct entries {
    entry_formula *f;
    scalar pad;
    bool paired, limited;
};

/* The entries of a row that take part. */
INLINE ptrdiff_t length_of(struct entries e, const struct batch *b, int r, ptrdiff_t n)
{
    return e.limited ? b->length[r] : n;
}

INLINE real entry_itself(real x, real unused, real factor)
{
    (void)unused, (void)factor;
    return x;
}
INLINE real entry_negated(real x, real unused, real factor)
{
    (void)unused, (void)factor;
    return -x;
}
#define ITSELF ((struct entries){entry_itself, -INFINITE, false, false})
#define NEGATED ((struct entries){entry_negated, INFINITE, false, false})

/* The largest of every PARTS-th entry of a row: -inf where there is none.  NaN is passed over. */
INLINE void largest_by_part(struct entries e, const scalar *a, const scalar *b, scalar factor, ptrdiff_t n,
                            scalar *largest)
{
    enum { STREAMS = 4 * PARTS };
    real found[STREAMS / LANES];
    UNROLL_VECTORS
    for (int k = 0; k < STREAMS / LANES; k++)
        found[k] = splat(-INFINITE);
    ptrdiff_t i = 0;
    for (; i <= n - STREAMS; i += STREAMS) {
        UNROLL_VECTORS
        for (int k = 0; k < STREAMS; k += LANES)
            found[k / LANES] = at_least(found[k / LANES], e.f(load(a + i + k), load(b + i + k), splat(factor)));
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
            found[k / LANES] = at_least(found[k / LANES], e.f(load(a + i + k), load(b + i + k), splat(factor)));
    }
    if (i < n) {
        EACH_PART(k)
        {
            const ptrdiff_t lanes = lanes_in(n - i - k);
            real value = e.f(load_padded(a + i + k, lanes, e.pad), load_padded(b + i + k, lanes, e.pad), splat(factor));
            found[k / LANES] = at_least(found[k / LANES], value);
        }
    }
    UNROLL_VECTORS
    EACH_PART(k)
        store(largest + k, found[k / LANES]);
}

/* The largest entries of the rows of a group; 0 of those that it does not have.  The sign of 0 is not kept. */
INLINE void largest_of_group(struct entries e, const struct batch *b, int first, ptrdiff_t n, scalar *max)
{
    ALIGNED scalar by_part[ROWS][PARTS];
    const int rows = rows_of_group(b, first);
    for (int r = 0; r < rows; r++)
        largest_by_part(e, b->in[0][first + r], b->in[e.paired][first + r], b->factor[first + r],
                        length_of(e, b, first + r, n), by_part[r]);
    for (int r = rows; r < ROWS; r++)
        memset(by_part[r], 0, sizeof by_part[r]);
    max_of_rows(by_part, max);
    for (int r = 0; r < ROWS; r++)
        max[r] += 0;
}
INLINE void largest_of_rows(const struct batch *b, ptrdiff_t n, scalar *max)
{
    for (int first = 0; first < b->rows; first += ROWS)
        largest_of_group(ITSELF, b, first, n, max + first);
}

/* Prefetches: the hardware prefetcher stops at the end of a page, which a row of 1024 floats fills.  Beyond the end
   of an array a prefetch has no effect. */
INLINE void prefetch_to_read(const scalar *p, ptrdiff_t bytes) { __builtin_prefetch((const char *)p + bytes, 0); }
INLINE void prefetch_to_write(scalar *p) { __builtin_prefetch(p, 1); }

struct shift;

/* A term of a sum: of an element of one row or two, and constants of the row. */
typedef struct dw term_formula(real a, real b, const struct shift *shift);

/* How the terms of a row are summed. */
struct summation {
    term_formula *f;
    scalar pad;      /* stands behind the end of the row */
    ptrdiff_t ahead; /* prefetch distance in bytes */
};

/* The sums of the terms of a row.  They are left in y if there is one: n of them, or if it is padded as many as the
   blocks have.  In memory that one reads from, y may be a.  `due` is where results will be written soon, if that is
   known. */
INLINE void sum_terms(struct summation s, const scalar *a, const scalar *b, ptrdiff_t n, const struct shift *shift,
                      scalar *y, bool padded, scalar *due, struct sums *result)
{
    struct sums sums;
    UNROLL_VECTORS
    EACH_PART(k)
    {
        sums.hi[k / LANES] = splat_wide(-0.0); /* which costs nothing to add to */
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
                if (padded)
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

/* A gradient in two parts: of an element of dy, one of y, and the sum of their terms. */
typedef struct dw row_formula(struct dw dy, real y, struct dw sum);

/* The sum of f(a, b) over a row. */
INLINE struct dd sum_over(term_formula *f, const scalar *a, const scalar *b, ptrdiff_t n)
{
    struct sums sums;
    const struct summation summation = {f, 0, ROW_AHEAD};
    sum_terms(summation, a, b, n, NULL, NULL, false, NULL, &sums);
    struct dd sum = total(&sums);
    return (struct dd){sum.hi + 0, sum.lo + 0}; /* where all terms are -0, 0 as that of none */
}

/* What dy and y are multiplied by, the product being the factor of the result; that of y is a power of two. */
struct factors {
    struct dw dy;
    real y;
};

#define UNSCALED ((struct factors){dw_from_real(splat(1)), splat(1)})

/* When: never; before anything is rounded; or the upper part of the result is, where an infinite sum makes a NaN of
   the lower one. */
enum use_of_factors { PLAIN, SCALED, UPPER };

INLINE real gradient_at(row_formula *f, enum use_of_factors use, real dy, real y, struct dw sum, struct factors by)
{
    struct dw given = {dy, NO_LOW};
    if (use == UPPER) return f(given, y, sum).hi * by.dy.hi * by.y;
    if (use == SCALED) {
        given = two_prod(dy, by.dy.hi);
        given.lo = fma(dy, by.dy.lo, given.lo);
        y = y * by.y;
    }
    struct dw value = f(given, y, sum);
    if (use == SCALED) value.lo = select(gt(absolute(value.hi), LARGEST), 0, value.lo);
    return value.hi + value.lo;
}

INLINE void apply(row_formula *f, enum use_of_factors use, const scalar *dy, const scalar *y, scalar *out, ptrdiff_t n,
                  struct dw sum, struct factors by)
{
    ptrdiff_t i = 0;
    UNROLL_VECTORS
    for (; i <= n - LANES; i += LANES) {
        prefetch_to_write(out + i + WRITE_AHEAD);
        store(out + i, gradient_at(f, use, load(dy + i), load(y + i), sum, by));
    }
    if (LANES > 1 && i < n) {
        real value = gradient_at(f, use, load_part(dy + i, n - i), load_part(y + i, n - i), sum, by);
        store_part(out + i, value, n - i);
    }
}

/* 1 / t as a double-word. */
INLINE struct dw inverse_of(real t)
{
    real hi = 1 / t;
    return (struct dw){hi, fma(-hi, t, 1) * hi};
}

/* The factors of a gradient, by the temperature or the scale of its row. */
typedef struct factors factors_formula(real given);

/* For a gradient proportional to y: that takes the power of two of a factor above 1, since a product that is subnormal
   would lose what the factor needs. */
INLINE struct factors shared_factors(struct dw factor)
{
    real k = at_least(exponent_of(factor.hi), 0), down = power_of_two(-k);
    return (struct factors){{factor.hi * down, factor.lo * down}, power_of_two(k)};
}
INLINE struct factors divide_both(real temperature) { return shared_factors(inverse_of(temperature)); }
INLINE struct factors multiply_both(real scale) { return shared_factors(dw_from_real(scale)); }

/* For one that is not. */
INLINE struct factors divide_dy(real temperature) { return (struct factors){inverse_of(temperature), splat(1)}; }

/* For every row: the sum of `term` over it, then `formula` with the factors. */
INLINE void gradient_rows(const struct batch *b, ptrdiff_t n, term_formula *term, row_formula *formula,
                          factors_formula *factors_of)
{
    scalar factor = 1;
    struct factors by = UNSCALED;
    for (int r = 0; r < b->rows; r++) {
        const scalar *dy = b->in[0][r], *y = b->in[1][r];
        const struct dd total = sum_over(term, dy, y, n);
        const struct dw sum = dw_from_dd(total);
        const scalar upper = (scalar)total.hi;
        const bool finite = upper - upper == 0;
        if (finite && b->factor[r] == 1) {
            apply(formula, PLAIN, dy, y, b->out[r], n, sum, UNSCALED);
            continue;
        }
        if (factor != b->factor[r]) { /* that of most rows is that of the row before */
            factor = b->factor[r];
            by = factors_of(splat(factor));
        }
        if (finite)
            apply(formula, SCALED, dy, y, b->out[r], n, dw_mul(by.dy, sum), by);
        else
            apply(formula, UPPER, dy, y, b->out[r], n, sum, by);
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

#endif
