/* A loop over elements that a thread computes a part of. */
#ifndef NUMACT_RUNTIME_ELEMENTS_H
#define NUMACT_RUNTIME_ELEMENTS_H

#include "numact.h"

struct numact_element_loop {
    const struct numact_kernel *kernel;
    numact_half_loop *half_loop; /* NULL: the kernel's own */
    char *const *arrays;
    const ptrdiff_t *strides;
    bool non_temporal;
    const uint16_t *table;      /* lookup table for the input `varying`, or NULL */
    int varying;
};

/* Computes n elements from `start` on. */
void numact_compute_elements(const struct numact_element_loop *loop, ptrdiff_t start, ptrdiff_t n);

/* Bytes of an element of operand k. */
ptrdiff_t numact_width_of(const struct numact_element_loop *loop, int k);

/* Makes the lookup table for n elements, where that is faster; the caller frees it. */
uint16_t *numact_make_table(struct numact_element_loop *loop, ptrdiff_t n);

#endif
