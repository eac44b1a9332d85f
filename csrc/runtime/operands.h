/* Where the operands of a call lie in memory, and whether its parts may be computed in any order. */
#ifndef NUMACT_RUNTIME_OPERANDS_H
#define NUMACT_RUNTIME_OPERANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An operand in memory: rows of `length` elements of `width` bytes.  `row` is the stride from row to row and `stride`
   from element to element, in bytes.  In a loop over elements a row has one element. */
struct operand {
    const char *start;
    ptrdiff_t row, stride, length, width;
};

static inline ptrdiff_t size_of(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* The addresses at which n rows begin and end. */
static inline void extent(struct operand a, ptrdiff_t n, uintptr_t *first, uintptr_t *end)
{
    ptrdiff_t over_rows = (n - 1) * a.row, over_length = (a.length - 1) * a.stride;
    ptrdiff_t below = (over_rows < 0 ? over_rows : 0) + (over_length < 0 ? over_length : 0);
    *first = (uintptr_t)(a.start + below);
    *end = *first + (uintptr_t)(size_of(over_rows) + size_of(over_length) + a.width);
}

static inline bool disjoint(struct operand a, struct operand b, ptrdiff_t n)
{
    uintptr_t a_first, a_end, b_first, b_end;
    extent(a, n, &a_first, &a_end);
    extent(b, n, &b_first, &b_end);
    return a_end <= b_first || b_end <= a_first;
}

/* Whether no two rows share a byte. */
static inline bool separate(struct operand a, ptrdiff_t n)
{
    ptrdiff_t within = (a.length - 1) * size_of(a.stride) + a.width, across = (n - 1) * size_of(a.row) + a.width;
    return size_of(a.row) >= within || (size_of(a.row) >= a.width && size_of(a.stride) >= across);
}

/* Whether rows may be computed in any order, several at once: no row reads or writes what another one writes. */
static inline bool independent(const struct operand *operands, int inputs, int count, ptrdiff_t n)
{
    for (int k = inputs; k < count; k++) {
        const struct operand out = operands[k];
        if (!separate(out, n)) return false;
        for (int j = 0; j < k; j++) {
            const struct operand other = operands[j];
            bool same = j < inputs && other.start == out.start && other.row == out.row && other.stride == out.stride &&
                        other.length == out.length && other.width == out.width;
            if (!same && !disjoint(other, out, n)) return false;
        }
    }
    return true;
}

enum {
    GRAIN = 4096,           /* the fewest elements of a part (thread_pool.h) */
    WHOLE = 256,            /* parts begin at multiples of it */
    LEAST_SHARED = 8193,    /* NumPy converts and aligns in buffers of 8192 elements, too few to split */
};

#endif
