/* Splits a computation over threads.

   The threads are the project's own: they start at the first large computation, sleep between computations, run no
   Python and take no signals; a forked child begins without them.  A call that finds them at work computes serially,
   as does one inside a part, and so does every call where no thread can be started. */
#ifndef NUMACT_RUNTIME_THREAD_POOL_H
#define NUMACT_RUNTIME_THREAD_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* Computes the items start <= i < stop.  What it writes must not depend on where parts begin and end. */
typedef void numact_part(void *context, ptrdiff_t start, ptrdiff_t stop);

/* Computes n items as parts, of which several may run at once, and returns when all are done.

   grain      the fewest items that are worth handing to a thread: about a microsecond of work, say 4096 elements
   multiple   all parts begin at multiples of it, so that vectors and cache lines stay whole: 1 where any will do

   The grain is no promise that work of that size is split.  The first part is timed, and threads are woken only if what
   remains takes longer than waking them.  Fewer than two grains are one part, at no cost.

   The caller is inside fp_env_enter() and fp_env_leave() (fp_env.h), and every part runs in that
   environment; an overflow in a thread is raised on the caller's. */
void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple);

/* What a clock shows that never goes back: how long work takes decides how it is done. */
double numact_nanoseconds(void);

enum { NUMACT_MAX_THREADS = 1024 };

/* How many threads compute, the caller's included; at first one.  Visible from outside, to be found by name. */
__attribute__((visibility("default"))) int numact_get_num_threads(void);
__attribute__((visibility("default"))) void numact_set_num_threads(int count);

/* For tests: whether everything that can be split is, with the caller computing the first part only. */
void numact_force_workers(bool everything);

#endif
