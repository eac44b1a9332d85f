/* Work that the pool splits: every item is computed once, whatever happens meanwhile. */
#define _GNU_SOURCE
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numact.h"
#include "runtime/fp_env.h"
#include "runtime/stores.h"
#include "runtime/thread_pool.h"
#include "schedule.h"

enum { NESTED_ITEMS = 64 };

struct job {
    ptrdiff_t n, multiple;
    ptrdiff_t overflows_at;         /* the item that overflows, or -1 */
    bool nests;                     /* the first part of each thread's claims has work that is split again */
    int pause;                      /* loops of an item */
    double first_ns;                /* the least time of the first part, which makes the later ones small */
    bool non_temporal;
    const pthread_t *caller;
    atomic_bool split;              /* another thread than the caller computed */
    unsigned char *times;           /* that an item was computed */
};

static void overflow(void)
{
    static volatile double largest = DBL_MAX;
    volatile double beyond = largest * 2;
    (void)beyond;
}

/* fegetround() would ask the x87, which computes nothing here. */
static bool rounds_upwards(void)
{
    static volatile double one = 1, little = DBL_EPSILON / 4;
    return one + little > 1;
}

static void compute(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    struct job *job = context;
    check("the beginning of a part", start % job->multiple, 0);
    check("a part within the items", 0 <= start && start < stop && stop <= job->n, true);
    check("whether a part rounds upwards", rounds_upwards(), false);
    if (!pthread_equal(pthread_self(), *job->caller)) atomic_store(&job->split, true);
    const double end = start == 0 ? numact_nanoseconds() + job->first_ns : 0;
    while (numact_nanoseconds() < end) {
    }
    for (ptrdiff_t i = start; i < stop; i++) {
        job->times[i]++;
        for (volatile int k = 0; k < job->pause; k++) {
        }
    }
    if (start <= job->overflows_at && job->overflows_at < stop) overflow();
    if (job->nests && start % (4 * job->multiple) == 0) {
        unsigned char times[NESTED_ITEMS] = {0};
        const pthread_t caller = pthread_self();
        struct job nested = {.n = NESTED_ITEMS, .multiple = 1, .overflows_at = -1, .caller = &caller, .times = times};
        numact_parallel(compute, &nested, NESTED_ITEMS, 8, 1);
        for (int k = 0; k < NESTED_ITEMS; k++)
            check("times that an item of a nested job was computed", times[k], 1);
        atomic_fetch_add(&counts->nested, 1);
    }
}

static void check_times(const struct job *job)
{
    for (ptrdiff_t i = 0; i < job->n; i++)
        check("times that an item was computed", job->times[i], 1);
}

static void *zeros(ptrdiff_t count, size_t size)
{
    void *memory = calloc((size_t)count, size);
    if (!memory) fail("bytes that calloc refuses", count, 0);
    return memory;
}

/* Runs a job in the environment of a caller that rounds upwards, which it finds again. */
static void run(struct job *job, ptrdiff_t grain)
{
    const pthread_t caller = pthread_self();
    job->caller = &caller;
    job->times = zeros(job->n, 1);
    fesetround(FE_UPWARD);
    feclearexcept(FE_OVERFLOW);
    const fp_env found = fp_env_enter();
    numact_parallel(compute, job, job->n, grain, job->multiple);
    fp_env_leave(found, true);
    check("whether the caller sees an overflow", fetestexcept(FE_OVERFLOW) != 0, job->overflows_at >= 0);
    check("whether the caller rounds upwards", rounds_upwards(), true);
    fesetround(FE_TONEAREST);
    feclearexcept(FE_OVERFLOW);
    check_times(job);
    free(job->times);
    atomic_fetch_add(&counts->jobs, 1);
    if (job->overflows_at >= 0) atomic_fetch_add(&counts->overflows, 1);
    if (atomic_load(&job->split)) atomic_fetch_add(&counts->split, 1);
}

void count_job(uint64_t *random)
{
    static const ptrdiff_t multiples[] = {1, 1, 3, 64};
    const ptrdiff_t n = of_any_size(random, 14), grain = of_any_size(random, below(random, 2) ? 8 : 2);
    struct job job = {.n = n, .multiple = multiples[below(random, 4)], .nests = below(random, 8) == 0,
                      .pause = below(random, 4) ? 0 : (int)below(random, 50),
                      .overflows_at = below(random, 2) ? below(random, n) : -1,
                      .first_ns = grain <= 8 && below(random, 2) ? 4000 * (double)grain : 0};
    run(&job, grain);
}

void count_with_own_threads(uint64_t *random)
{
    numact_set_num_threads(2 + (int)below(random, 3));
    numact_force_workers(true);
    struct job job = {.n = 4096, .multiple = 1, .overflows_at = below(random, 4096)};
    run(&job, 16);
    check("whether a forked child has threads of its own", atomic_load(&job.split), true);
}

/* out[i] = in[i] + 1, as a kernel of float64 and as a loop of 16 bits. */
static void add_one(char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides, bool non_temporal)
{
    (void)non_temporal;
    for (ptrdiff_t i = 0; i < n; i++)
        *(double *)(arrays[1] + i * strides[1]) = *(const double *)(arrays[0] + i * strides[0]) + 1;
}

static void add_one_half(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides)
{
    (void)f32;
    for (ptrdiff_t i = 0; i < n; i++)
        *(uint16_t *)(arrays[1] + i * strides[1]) = (uint16_t)(*(const uint16_t *)(arrays[0] + i * strides[0]) + 1);
}

static const struct numact_kernel add_one_kernel = {.loop = add_one, .inputs = 1, .outputs = 1, .width = sizeof(double),
                                                    .arrays = 1};

/* A loop of a ufunc: elsewhere, in place, and over its own results, which must be computed in their order. */
void run_loop(uint64_t *random)
{
    const ptrdiff_t n = of_any_size(random, 16), width = sizeof(double);
    const ptrdiff_t shift = below(random, 3) ? below(random, 2) * n : 1;
    double *x = zeros(2 * n + 1, sizeof *x);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = 3 * (double)i;
    numact_ufunc_loop((char *[]){(char *)x, (char *)(x + shift)}, &n, (ptrdiff_t[]){width, width},
                      (void *)(uintptr_t)&add_one_kernel);
    for (ptrdiff_t i = 0; i < n; i++)
        check("a result of a loop", (ptrdiff_t)x[shift + i], shift == 1 ? i + 1 : 3 * i + 1);
    free(x);
    atomic_fetch_add(&counts->loops, 1);
}

/* So long a loop of 16 bits that it makes a lookup table. */
void make_table(uint64_t *random)
{
    enum { LONG = (1 << 20) + 5 };
    const ptrdiff_t n = LONG, width = sizeof(uint16_t), shift = below(random, 2) * LONG;
    const struct numact_half_kernel half = {&add_one_kernel, add_one_half};
    uint16_t *x = zeros(2 * n, sizeof *x);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = (uint16_t)(i * 31);
    numact_half_ufunc_loop((char *[]){(char *)x, (char *)(x + shift)}, &n, (ptrdiff_t[]){width, width},
                           (void *)(uintptr_t)&half);
    for (ptrdiff_t i = 0; i < n; i++)
        check("a result from a table", x[shift + i], (uint16_t)(i * 31 + 1));
    free(x);
    atomic_fetch_add(&counts->tables, 1);
}

static void compute_stores(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    struct job *job = context;
    atomic_fetch_add(job->non_temporal ? &counts->stores_past : &counts->stores, 1);
    for (ptrdiff_t i = start; i < stop; i++)
        job->times[i]++;
}

void store_past_caches(uint64_t *random)
{
    const ptrdiff_t n = 20000 + below(random, 20000);
    struct job job = {.n = n, .multiple = 1, .times = zeros(n, 1)};
    memset(job.times, 0, (size_t)n); /* used before */
    const fp_env found = fp_env_enter();
    numact_parallel_stores(compute_stores, &job, &job.non_temporal, n, 16, 1, job.times, n, PTRDIFF_MAX);
    fp_env_leave(found, false);
    check_times(&job);
    free(job.times);
}

numact_observe_loop numact_observe_f64_scalar; /* csrc/loops/kernels/statistics_f64.c, compiled for this */

/* Statistics of an array whose chunks several threads observe, which set the same flags. */
void observe(uint64_t *random)
{
    enum { ROWS = 2000, UNITS = 130, WORDS = (UNITS + 63) / 64 };
    const bool samples_only = below(random, 2);
    const ptrdiff_t dead = below(random, UNITS);
    double *y = zeros(ROWS * UNITS, sizeof *y);
    for (ptrdiff_t i = 0; i < ROWS * UNITS; i++)
        y[i] = i % UNITS == dead ? 0 : 1 + (double)(i % 7);
    uint64_t alive[WORDS + 1] = {0};
    struct numact_observation observation = {.low = -INFINITY, .high = INFINITY, .dimensions = 2, .shape = {ROWS, UNITS},
                                             .unit_strides = {0, samples_only ? 0 : 1}, .y = (char *)y,
                                             .y_strides = {UNITS * sizeof *y, sizeof *y}, .alive = alive};
    struct numact_statistics statistics = {0};
    const int status = numact_observe(numact_observe_f64_scalar, &observation, &statistics);
    if (status == 0) { /* else memory was refused (faults.c) */
        check("finite numbers", statistics.finite, ROWS * UNITS);
        check("zeros", statistics.zeros, ROWS);
        for (int unit = 0; unit < UNITS && !samples_only; unit++)
            check("whether a unit is alive", (ptrdiff_t)(alive[unit / 64] >> unit % 64 & 1), unit != dead);
        atomic_fetch_add(&counts->statistics, 1);
    }
    free(y);
}
