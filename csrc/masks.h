/* The loops that write or read a bit for each element: NAME_masked of every activation in the list MASKED, masked_grad,
   and the table that the object exports.  Eight elements to a byte, the first its lowest bit, on every processor; the bits
   behind the last element are 0. */
#ifndef NUMACT_MASKS_H
#define NUMACT_MASKS_H

#include "loops.h"

/* The result for x; `passes` is the bit, to be set or to be obeyed. */
typedef real masked_formula(real x, mask *passes, const real *values);

INLINE uint64_t load_word(const uint8_t *p)
{
    uint64_t word = 0;
    for (int k = 0; k < FLAGS / 8; k++)
        word |= (uint64_t)p[k] << 8 * k;
    return word;
}
INLINE void store_word(uint8_t *p, uint64_t word)
{
    for (int k = 0; k < FLAGS / 8; k++)
        p[k] = (uint8_t)(word >> 8 * k);
}

/* FLAGS elements and their bits, from the ones that were there to the ones that are. */
INLINE uint64_t compute_flags(masked_formula *f, const scalar *in, uint64_t word, scalar *out, const real *values)
{
    flags before = flags_of(word), after = flags_of(0);
#pragma GCC ivdep
    for (int k = 0; k < FLAGS; k += LANES) {
        mask passes = flags_at(&before, k);
        store(out + k, f(load(in + k), &passes, values));
        set_flags(&after, k, passes);
    }
    return word_of(&after);
}

/* Contiguous memory; out may be in.  What is left over is computed as FLAGS elements on the stack. */
INLINE void run_masked(masked_formula *f, bool writes, int value_count, const scalar *in, uint8_t *bytes, scalar *out,
                       ptrdiff_t n, const scalar *given)
{
    real values[OPERANDS];
    UNROLL_OPERANDS
    for (int k = 0; k < value_count; k++)
        values[k] = real_(given[k]);
    ptrdiff_t i = 0;
    for (; i <= n - FLAGS; i += FLAGS) {
        uint64_t word = compute_flags(f, in + i, writes ? 0 : load_word(bytes + i / 8), out + i, values);
        if (writes) store_word(bytes + i / 8, word);
    }
    if (i < n) {
        scalar part[FLAGS] = {0};
        uint8_t part_bytes[FLAGS / 8] = {0};
        size_t count = (size_t)(n - i), byte_count = (count + 7) / 8;
        memcpy(part, in + i, count * sizeof(scalar));
        if (!writes) memcpy(part_bytes, bytes + i / 8, byte_count);
        uint64_t word = compute_flags(f, part, load_word(part_bytes), part, values);
        store_word(part_bytes, word & ((UINT64_C(1) << count) - 1));
        memcpy(out + i, part, count * sizeof(scalar));
        if (writes) memcpy(bytes + i / 8, part_bytes, byte_count);
    }
}

#define MASKED_LOOP(function, writes, value_count)                                                                     \
    static void SYMBOL(function)(const void *in, uint8_t *bytes, void *out, ptrdiff_t n, const void *values)            \
    {                                                                                                                  \
        run_masked(function##_of, writes, value_count, in, bytes, out, n, values);                                     \
    }

/* The bit says that the derivative is 1. */
#define MASKED_FORWARD(name, count)                                                                                    \
    INLINE real name##_masked_of(real x, mask *passes, const real *p)                                                  \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        *passes = eq(name##_grad(real_(1), x PARAMETERS_##count(p)), 1);                                               \
        return name##_forward(x PARAMETERS_##count(p));                                                                \
    }                                                                                                                  \
    MASKED_LOOP(name##_masked, true, count)
#define MASKED_ROW(name, count) {#name "_masked", SYMBOL(name##_masked)},

/* dy times one of two factors; 0 selects, as in the gradients. */
INLINE real masked_grad_of(real dy, mask *passes, const real *factors)
{
    real factor = sel(*passes, factors[0], factors[1]);
    return sel(eq(factor, 0), 0, dy * factor);
}

MASKED(MASKED_FORWARD)
MASKED_LOOP(masked_grad, false, 2)

extern const struct numact_masked_function SYMBOL(numact_masked)[];
const struct numact_masked_function SYMBOL(numact_masked)[] = {
    MASKED(MASKED_ROW){"masked_grad", SYMBOL(masked_grad)},
    {.name = NULL},
};

#endif
