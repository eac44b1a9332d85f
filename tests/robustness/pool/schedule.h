/* A random schedule: what its threads share, and how they draw and fail. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The runtimes of sanitizers may hang in a forked child: other threads of its parent may have held their locks. */
#if defined __has_feature
#define FEATURE(name) __has_feature(name)
#else
#define FEATURE(name) 0
#endif
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__ || FEATURE(thread_sanitizer) || FEATURE(address_sanitizer)
enum { CHILDREN_COMPUTE = false };
#else
enum { CHILDREN_COMPUTE = true };
#endif

/* What is counted over all schedules, so that a run can show what it did. */
#define COUNTED(X)                                                                                                     \
    X(jobs) X(split) X(nested) X(overflows) X(loops) X(tables) X(statistics) X(stores) X(stores_past) X(resizes)       \
    X(forcings) X(creations_refused) X(allocations_refused) X(blocks) X(zeros) X(limits) X(forks) X(children)          \
    X(signals) X(early_exits)

struct counts {
#define FIELD(name) _Atomic long name;
    COUNTED(FIELD)
#undef FIELD
};

/* In memory that all processes share. */
extern struct counts *counts;

/* The seed of this schedule. */
extern uint64_t seed;

enum { MAX_CALLERS = 5 };

/* The threads that call, of which the first is the one that began; only they may handle a signal. */
extern pthread_t callers[MAX_CALLERS];
extern int caller_count;
extern _Thread_local bool is_caller;

/* Whether the process exits while callers compute. */
extern bool ends_early;

/* Whether pthread_create, malloc and mmap of the runtime fail now and then (faults.c). */
extern atomic_bool failing;

/* Says what is wrong, and the seed, and ends the process. */
_Noreturn void fail(const char *what, ptrdiff_t found, ptrdiff_t wanted);

static inline void check(const char *what, ptrdiff_t found, ptrdiff_t wanted)
{
    if (found != wanted) fail(what, found, wanted);
}

/* splitmix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}
static inline ptrdiff_t below(uint64_t *state, ptrdiff_t n) { return (ptrdiff_t)(draw(state) % (uint64_t)n); }

/* One to 2^most, each power of two as likely as another. */
static inline ptrdiff_t of_any_size(uint64_t *state, int most)
{
    return 1 + below(state, (ptrdiff_t)1 << below(state, most + 1));
}

/* A random step of a caller: a call of the runtime, whose result is checked. */
void step(uint64_t *random);

/* Learns what the functions say whose first call finds something out, for comparison with what they say when several
   threads call them first. */
void learn_answers(void);

/* Steps of other files: work that is split, and blocks of memory. */
void count_job(uint64_t *random);
void count_with_own_threads(uint64_t *random);
void run_loop(uint64_t *random);
void make_table(uint64_t *random);
void observe(uint64_t *random);
void store_past_caches(uint64_t *random);
void use_blocks(uint64_t *random);
void give_blocks_back(void);

#endif
