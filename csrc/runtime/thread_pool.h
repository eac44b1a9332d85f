/* A thread pool: splits a computation over threads.

   The threads start at the first large computation, sleep between computations, run no Python and block all signals; a
   forked child starts its own.  A call computes serially if the pool is busy, which includes calls from inside a part,
   and if no thread can be created. */
#ifndef NUMACT_RUNTIME_THREAD_POOL_H
#define NUMACT_RUNTIME_THREAD_POOL_H

#include <stdbool.h>
#include <stddef.h>

#if defined _WIN32
#define NUMACT_EXPORTED __declspec(dllexport)
#else
#define NUMACT_EXPORTED __attribute__((visibility("default")))
#endif

/* To be called before anything else here, once: a forked child has a pool of its own then, whatever other threads did.
   False if that cannot be had. */
bool numact_pool_survive_forks(void);

/* Computes the items start <= i < stop.  The results must not depend on where parts begin and end. */
typedef void numact_part(void *context, ptrdiff_t start, ptrdiff_t stop);

/* Computes n items as parts, several at once, and returns when all are done.

   grain      the fewest items of a part: about a microsecond of work, say 4096 elements
   multiple   all parts begin at multiples of it, so that no vector or cache line is split; else 1

   The first grain is timed, and workers are woken only if the rest takes longer than waking them.  Fewer than two
   grains are one part, computed by the caller.

   The caller is between fp_env_enter() and fp_env_leave() (fp_env.h), and every part runs in that environment; an
   overflow flag raised in a worker is raised in the caller, too. */
void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple);

/* A monotonic clock, to decide from the time that work takes how to do it. */
double numact_nanoseconds(void);

enum { NUMACT_MAX_THREADS = 1024 };

/* The number of threads that compute, the caller included; at first 1.  Exported for threadpoolctl, which finds the
   symbols by name. */
NUMACT_EXPORTED int numact_get_num_threads(void);
NUMACT_EXPORTED void numact_set_num_threads(int count);

/* For tests: whether all work of two grains or more is split, and the caller computes the first grain only. */
void numact_force_workers(bool forced);

#endif
