/* Lookup tables (LUT) for long arrays of a type of 16 bits: a function of one array has 65,536 results, computed once.
   Whether that is faster is measured; the bits are the same. */
#ifndef NUMACT_RUNTIME_LUT_H
#define NUMACT_RUNTIME_LUT_H

#include "numact.h"

/* From so many elements on a table may be worth its making. */
enum { NUMACT_LUT = 1 << 20 };

/* The results of a kernel whose only input of more than one value is `varying`, for each number of 16 bits; the other
   inputs are the arrays'.  NULL where computing n elements is faster, or there is no memory; else to be freed. */
uint16_t *numact_lut(const struct numact_half_kernel *half, int varying, char *const *arrays, ptrdiff_t n);

/* Looks n elements up. */
void numact_lut_apply(const uint16_t *table, const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step, ptrdiff_t n);

#endif
