/* The loops that write or read a bit for each element: NAME_masked of every activation in the list MASKED,
   masked_grad, and the table that the object exports.  Eight elements to a byte, the first its lowest bit, on every
   processor; the bits behind the last element are 0. */
#ifndef NUMACT_LOOPS_MASKS_H
#define NUMACT_LOOPS_MASKS_H

#include "loops/elementwise.h"

/* A cache line in bytes, and how many elements have their bits in one. */
enum { CACHE_LINE = 64, LINE_OF_BITS = 8 * CACHE_LINE };

/* The result for x; `passes` is the bit, an output of NAME_masked and an input of masked_grad. */
typedef real masked_formula(real x, mask *passes, const real *values);

/* `count` <= FLAGS bits from the bit `first` on; the upper bits of the word are undefined. */
INLINE uint64_t read_bits(const uint8_t *bytes, ptrdiff_t first, ptrdiff_t count)
{
    const uint8_t *p = bytes + first / 8;
    uint64_t word = 0;
    int shift = (int)(first % 8);
    for (int k = 0; k < FLAGS / 8 && (count == FLAGS || 8 * k < shift + count); k++)
        word |= (uint64_t)p[k] << 8 * k;
    return shift + count > FLAGS ? word >> shift | (uint64_t)p[FLAGS / 8] << (FLAGS - shift) : word >> shift;
}

/* Appends bits: `count` < FLAGS of them are pending in a word, to be written to the bytes from `next` on. */
struct bit_writer {
    uint8_t *next;
    uint64_t pending;
    ptrdiff_t count;
};

INLINE void write_bits(struct bit_writer *w, uint64_t word, ptrdiff_t count)
{
    uint64_t low = w->pending | word << w->count;
    if (w->count + count < FLAGS) {
        w->pending = low;
        w->count += count;
    } else {
        for (int k = 0; k < FLAGS / 8; k++)
            *w->next++ = (uint8_t)(low >> 8 * k);
        w->pending = word >> 1 >> (FLAGS - 1 - w->count);
        w->count += count - FLAGS;
    }
}

/* Writes the pending bits; the last byte is filled with 0. */
INLINE void flush_bits(struct bit_writer *w)
{
    for (; w->count > 0; w->count -= 8, w->pending >>= 8)
        *w->next++ = (uint8_t)w->pending;
}

/* FLAGS elements: takes their bits as a word, and returns them as `f` leaves them. */
INLINE uint64_t compute_flags(masked_formula *f, const scalar *in, uint64_t word, scalar *out, const real *values,
                              bool non_temporal)
{
    flags before = flags_from_word(word), after = flags_from_word(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES) {
        mask passes = flags_at(&before, k);
        store_with_hint(out + k, f(load(in + k), &passes, values), non_temporal);
        set_flags(&after, k, passes);
    }
    return flags_to_word(&after);
}

/* LINE_OF_BITS elements in two passes, bits, then results: stores of bits between those of results cost a quarter of
   the speed.  The first pass prefetches the memory of the results. */
INLINE void write_line(masked_formula *f, const scalar *in, struct bit_writer *w, scalar *out, const real *values,
                       bool non_temporal)
{
    for (int first = 0; first < LINE_OF_BITS; first += FLAGS) {
        flags found = flags_from_word(0);
#pragma GCC ivdep
        for (int k = 0; k < FLAGS; k += LANES) {
            mask passes = {0};
            f(load(in + first + k), &passes, values);
            set_flags(&found, k, passes);
        }
        write_bits(w, flags_to_word(&found), FLAGS);
        if (!non_temporal)
            for (size_t byte = 0; byte < FLAGS * sizeof(scalar); byte += CACHE_LINE)
                __builtin_prefetch((char *)(out + first) + byte, 1);
    }
#pragma GCC ivdep
    for (int k = 0; k < LINE_OF_BITS; k += LANES) {
        mask passes = {0};
        store_with_hint(out + k, f(load(in + k), &passes, values), non_temporal);
    }
}

/* `count` < FLAGS elements, padded to FLAGS on the stack. */
INLINE uint64_t compute_masked_part(masked_formula *f, const scalar *in, uint64_t word, scalar *out, const real *values,
                             ptrdiff_t count)
{
    scalar part[FLAGS] = {0};
    memcpy(part, in, (size_t)count * sizeof(scalar));
    word = compute_flags(f, part, word, part, values, false);
    memcpy(out, part, (size_t)count * sizeof(scalar));
    return word & ((UINT64_C(1) << count) - 1);
}

/* n elements of contiguous memory; out may be in.  The first elements are computed apart, so that the others are
   aligned to a cache line in out. */
INLINE void run_masked(masked_formula *f, bool writes, int value_count, const scalar *in, uint8_t *bytes, scalar *out,
                       ptrdiff_t n, const scalar *given, bool non_temporal)
{
    struct bit_writer written = {bytes, 0, 0};
    real values[OPERANDS];
    UNROLL_FEW
    for (int k = 0; k < value_count; k++)
        values[k] = splat(given[k]);
    non_temporal &= LANES > 1 && in != out && n >= 2 * FLAGS;
    ptrdiff_t i = 0, first = (ptrdiff_t)(-((uintptr_t)out / sizeof(scalar)) % (CACHE_LINE / sizeof(scalar)));
    if (first && n >= 2 * FLAGS) {
        uint64_t word = compute_masked_part(f, in, writes ? 0 : read_bits(bytes, 0, first), out, values, first);
        if (writes) write_bits(&written, word, first);
        i = first;
    }
    if (writes)
        for (; i <= n - LINE_OF_BITS; i += LINE_OF_BITS)
            write_line(f, in + i, &written, out + i, values, non_temporal);
    for (; i <= n - FLAGS; i += FLAGS) {
        uint64_t word = writes ? 0 : read_bits(bytes, i, FLAGS);
        word = compute_flags(f, in + i, word, out + i, values, non_temporal);
        if (writes) write_bits(&written, word, FLAGS);
    }
    if (i < n) {
        uint64_t word = compute_masked_part(f, in + i, writes ? 0 : read_bits(bytes, i, n - i), out + i, values, n - i);
        if (writes) write_bits(&written, word, n - i);
    }
    if (writes) flush_bits(&written);
    if (non_temporal) fence_non_temporal();
}

#define MASKED_LOOP(function, writes, value_count)                                                                     \
    static void SYMBOL(function)(const void *in, uint8_t *bytes, void *out, ptrdiff_t n, const void *values,           \
                                 bool non_temporal)                                                                    \
    {                                                                                                                  \
        run_masked(function##_of, writes, value_count, in, bytes, out, n, values, non_temporal);                       \
    }

#define MASKED_FORWARD(name, count)                                                                                    \
    INLINE real name##_masked_of(real x, mask *passes, const real *p)                                                  \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        *passes = name##_passes(x PARAMETERS_##count(p));                                                              \
        return name##_forward(x PARAMETERS_##count(p));                                                                \
    }                                                                                                                  \
    MASKED_LOOP(name##_masked, true, count)
#define MASKED_ROW(name, count) {#name "_masked", SYMBOL(name##_masked)},

/* dy times one of two factors.  A factor of 0 gives 0 also where dy is infinite or NaN, as in the gradients. */
INLINE real masked_grad_of(real dy, mask *passes, const real *factors)
{
    real factor = select(*passes, factors[0], factors[1]);
    return select(eq(factor, 0), 0, dy * factor);
}

MASKED(MASKED_FORWARD)
MASKED_LOOP(masked_grad, false, 2)

extern const struct numact_masked_function SYMBOL(numact_masked)[];
const struct numact_masked_function SYMBOL(numact_masked)[] = {
    MASKED(MASKED_ROW){"masked_grad", SYMBOL(masked_grad)},
    {.name = NULL},
};

#endif
