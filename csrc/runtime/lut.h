/* Lookup tables (LUT) for long arrays of a type of 16 bits: a function of one array has 65,536 results, which are
   computed once.  A table is used where a measurement at the call says that it is faster; the bits are the same. */
#ifndef NUMACT_RUNTIME_LUT_H
#define NUMACT_RUNTIME_LUT_H

#include "numact.h"

/* Elements from which a table may be faster. */
enum { NUMACT_LUT = 1 << 20 };

/* The results of a kernel for each of the 65,536 values of the input `varying`; the other inputs are single values,
   those in `arrays`.  The caller frees the table.  NULL if computing n elements is faster, or memory could not be
   allocated. */
uint16_t *numact_lut(const struct numact_half_kernel *half, int varying, char *const *arrays, ptrdiff_t n);

/* out[i] = table[in[i]] for n elements. */
void numact_lut_apply(const uint16_t *table, const char *in, ptrdiff_t in_stride, char *out, ptrdiff_t out_stride,
                      ptrdiff_t n);

#endif
