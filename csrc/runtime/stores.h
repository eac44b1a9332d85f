/* Large results: whether they are stored past the caches (non-temporal stores).

   An ordinary store reads the line that it overwrites, and a large result drives everything else out of the caches; but
   the next operation may find the end of it there.  A non-temporal store does neither.  Which is faster depends on what
   the caches hold, on their sizes and on how many others share them, of which a virtual machine is told little.  So:

   - memory that has never been used is stored to as usual: the operating system has just zeroed its pages, in the cache
     (relu of 32 M float32 into new memory: 29 ms, by non-temporal stores 42);
   - arrays that are small beside the caches are stored to as usual: alone either way takes as long, and the next
     operation finds the result (relu of 2 M and np.add of it: 1.23 ms, else 1.44);
   - for all others, a small part is computed by stores of either kind in turn, and the faster one does the rest. */
#ifndef NUMACT_RUNTIME_STORES_H
#define NUMACT_RUNTIME_STORES_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/thread_pool.h"

/* Computes n items by numact_parallel(), of `bytes` altogether and `result_bytes` of results; `non_temporal`, which the
   context has for the part, is set here.  Memory at `result` is not read. */
void numact_parallel_stores(numact_part *part, void *context, bool *non_temporal, ptrdiff_t n, ptrdiff_t grain,
                            ptrdiff_t multiple, const void *result, ptrdiff_t result_bytes, ptrdiff_t bytes);

/* Whether arrays are so large, and the result used before, that non-temporal stores are worth a measurement. */
bool numact_is_large(const void *result, ptrdiff_t result_bytes, ptrdiff_t bytes);

#endif
