/* The pool of threads behind numact_parallel(). */
#define _GNU_SOURCE /* the affinity of threads */

#include "runtime/thread_pool.h"

#include <stdatomic.h>

#include "runtime/fp_env.h"
#include "runtime/system.h"

#if defined __linux__
#include <sched.h>
#endif

static atomic_int thread_count = 1;

int numact_get_num_threads(void) { return atomic_load_explicit(&thread_count, memory_order_relaxed); }

/* In nanoseconds; benchmarks/tried.md has the measurements behind them. */
enum {
    WAKE_THRESHOLD_NS = 150000, /* work for which waking a sleeping worker pays off */
    SHARE_THRESHOLD_NS = 5000,  /* work for which using a spinning worker pays off */
    CHUNK_NS = 3000,            /* the least work of a chunk */
    WORKER_SPIN_NS = 50000,     /* how long a worker spins after a job before it sleeps */
    CALLER_SPIN_NS = 20000,     /* how long the caller spins at the end of a job, twice, before it sleeps */
};

enum { STACK_BYTES = 1 << 20 };

struct job {
    numact_part *part;
    void *context;
    ptrdiff_t n, least, multiple;   /* items; the fewest of a chunk; chunks begin at multiples */
    int threads;
    _Atomic ptrdiff_t next;         /* the first item that is not claimed */
    atomic_bool overflow;
};

struct worker {
    system_thread id;
    atomic_bool running;    /* chunks of the job */
};

/* Only the call that owns the pool starts workers and sets the job.  The lock guards changes of `job`, `open_slots` and
   `running`; the counters are atomic so that spin-waits read them without the lock. */
static struct {
    atomic_flag owned;
    system_mutex lock;
    system_condition work, done;
    int workers;                    /* that exist */
    struct worker worker[NUMACT_MAX_THREADS];
    int caller_cpu;                 /* the processor that workers do not use, or -1 */
    atomic_int open_slots;          /* workers that may still join the job */
    atomic_int running, spinning;   /* workers that run chunks; that spin */
    struct job *job;
    atomic_bool creation_failed;    /* no thread is created until their number is set again */
} pool = {.owned = ATOMIC_FLAG_INIT, .lock = SYSTEM_MUTEX_INITIALIZER, .work = SYSTEM_CONDITION_INITIALIZER,
          .done = SYSTEM_CONDITION_INITIALIZER, .caller_cpu = -1};

static atomic_bool workers_forced;

/* In a forked child no worker exists, and whatever a thread of the parent held is free. */
static void reset_after_fork(void)
{
    static const system_mutex new_lock = SYSTEM_MUTEX_INITIALIZER;
    static const system_condition new_condition = SYSTEM_CONDITION_INITIALIZER;
    pool.lock = new_lock;
    pool.work = pool.done = new_condition;
    pool.workers = 0;
    pool.caller_cpu = -1;
    atomic_store(&pool.open_slots, 0);
    atomic_store(&pool.running, 0);
    atomic_store(&pool.spinning, 0);
    pool.job = NULL;
    atomic_store(&pool.creation_failed, false);
    atomic_flag_clear(&pool.owned);
}

bool numact_pool_survive_forks(void) { return system_at_fork(NULL, NULL, reset_after_fork); }

double numact_nanoseconds(void) { return system_nanoseconds(); }

/* The hint of the processor for spin-wait loops. */
static void cpu_relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* Spins until the value is zero, or until it is not, for `duration` ns at most.  It does not yield: beside a busy
   thread of another program, each yield would give the processor away for milliseconds. */
static void spin_wait(atomic_int *value, bool zero, double duration)
{
    const double end = numact_nanoseconds() + duration;
    do {
        for (int k = 0; k < 16; k++) {
            if ((atomic_load_explicit(value, memory_order_relaxed) == 0) == zero) return;
            cpu_relax();
        }
    } while (numact_nanoseconds() < end);
}

static ptrdiff_t rounded_up(ptrdiff_t x, ptrdiff_t multiple) { return (x + multiple - 1) / multiple * multiple; }

/* Claims the next chunk by guided self-scheduling (Polychronopoulos and Kuck, 1987): half of an equal share of the
   remaining items, so that there are few claims, and small chunks at the end, where all threads finish together. */
static bool claim_chunk(struct job *job, ptrdiff_t *start, ptrdiff_t *stop)
{
    *start = atomic_load(&job->next);
    do {
        ptrdiff_t remaining = job->n - *start, share = remaining / (2 * job->threads);
        if (remaining <= 0) return false;
        ptrdiff_t size = rounded_up(share > job->least ? share : job->least, job->multiple);
        *stop = *start + (remaining - size < job->least ? remaining : size);
    } while (!atomic_compare_exchange_weak(&job->next, start, *stop));
    return true;
}

static void run_chunks(struct job *job)
{
    for (ptrdiff_t start, stop; claim_chunk(job, &start, &stop);)
        job->part(job->context, start, stop);
}

static system_thread_result SYSTEM_THREAD worker_main(void *argument)
{
    struct worker *self = argument;
    for (;;) {
        atomic_fetch_add(&pool.spinning, 1);
        spin_wait(&pool.open_slots, false, WORKER_SPIN_NS);
        system_lock(&pool.lock);
        atomic_fetch_sub(&pool.spinning, 1);
        while (!atomic_load(&pool.open_slots))
            system_wait(&pool.work, &pool.lock);
        atomic_fetch_sub(&pool.open_slots, 1);
        atomic_fetch_add(&pool.running, 1);
        atomic_store(&self->running, true);
        struct job *job = pool.job;
        system_unlock(&pool.lock);

        fp_env found = fp_env_enter();
        run_chunks(job);
        if (fp_env_overflow()) atomic_store(&job->overflow, true);
        fp_env_leave(found, false);

        system_lock(&pool.lock);
        atomic_store(&self->running, false);
        if (atomic_fetch_sub(&pool.running, 1) == 1) system_signal(&pool.done);
        system_unlock(&pool.lock);
    }
    return 0;
}

/* Creates workers until there are as many as wanted, or creation fails; returns how many of them can be used. */
static int start_workers(int wanted)
{
    if (pool.workers >= wanted) return wanted;
    if (atomic_load(&pool.creation_failed)) return pool.workers;
    while (pool.workers < wanted) {
        struct worker *next = &pool.worker[pool.workers];
        atomic_store(&next->running, false);
        if (!system_start_thread(&next->id, worker_main, next, STACK_BYTES)) break;
        pool.workers++;
    }
    pool.caller_cpu = -1;
    if (pool.workers < wanted) atomic_store(&pool.creation_failed, true);
    return pool.workers;
}

/* Keeps the workers off the caller's processor: Linux may wake a thread on the processor of the thread that wakes
   it, where it then waits behind the caller for milliseconds. */
static void pin_workers_off_caller_cpu(void)
{
#ifdef __linux__
    const int cpu = sched_getcpu();
    cpu_set_t allowed;
    if (cpu == pool.caller_cpu || cpu < 0 || sched_getaffinity(0, sizeof allowed, &allowed)) return;
    pool.caller_cpu = cpu;
    CPU_CLR((size_t)cpu, &allowed);
    if (CPU_COUNT(&allowed) == 0) return;
    for (int k = 0; k < pool.workers; k++)
        pthread_setaffinity_np(pool.worker[k].id, sizeof allowed, &allowed);
#endif
}

#ifdef __linux__
/* The worker's processor time in ns; -1 if it runs no chunk. */
static double cpu_time_ns(struct worker *worker)
{
    clockid_t clock;
    struct timespec time;
    if (!atomic_load(&worker->running) || pthread_getcpuclockid(worker->id, &clock)) return -1;
    if (clock_gettime(clock, &time)) return -1;
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}
#endif

/* A worker that another program has preempted in the middle of a chunk may stay so for milliseconds.  Workers whose
   processor time does not advance are moved to the processor of the caller, which sleeps meanwhile. */
static void migrate_preempted_workers(void)
{
#ifdef __linux__
    if (atomic_load(&pool.running) == 0 || pool.caller_cpu < 0) return;
    double before[NUMACT_MAX_THREADS];
    for (int k = 0; k < pool.workers; k++)
        before[k] = cpu_time_ns(&pool.worker[k]);
    spin_wait(&pool.running, true, CALLER_SPIN_NS);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)pool.caller_cpu, &here);
    for (int k = 0; k < pool.workers; k++)
        if (before[k] >= 0 && cpu_time_ns(&pool.worker[k]) == before[k]) {
            pthread_setaffinity_np(pool.worker[k].id, sizeof here, &here);
            pool.caller_cpu = -1;
        }
#endif
}

static void publish_job(struct job *job, int workers)
{
    pin_workers_off_caller_cpu();
    system_lock(&pool.lock);
    pool.job = job;
    atomic_store(&pool.open_slots, workers);
    for (int k = 0; k < workers; k++)
        system_signal(&pool.work);
    system_unlock(&pool.lock);
}

/* Waits for the workers that have joined, and where they are forced for all items; the slots that are still open are
   withdrawn. */
static void finish(struct job *job, bool forced)
{
    spin_wait(&pool.running, true, CALLER_SPIN_NS);
    migrate_preempted_workers();
    system_lock(&pool.lock);
    while (atomic_load(&pool.running) || (forced && atomic_load(&job->next) < job->n))
        system_wait(&pool.done, &pool.lock);
    atomic_store(&pool.open_slots, 0);
    system_unlock(&pool.lock);
}

/* How many workers pay off for `work` ns, of threads - 1 at most. */
static int workers_worth_using(double work, int threads, bool forced)
{
    if (forced) return threads - 1;
    double woken = work / WAKE_THRESHOLD_NS, shared = work / SHARE_THRESHOLD_NS, spinning = atomic_load(&pool.spinning);
    if (shared > spinning) shared = spinning;
    double most = woken > shared ? woken : shared;
    return most < threads - 1 ? (int)most : threads - 1;
}

void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple)
{
    const int threads = numact_get_num_threads();
    const bool forced = atomic_load(&workers_forced);
    const ptrdiff_t first = rounded_up(grain, multiple);
    if (threads == 1 || n < 2 * first) {
        part(context, 0, n);
        return;
    }
    const double start = numact_nanoseconds();
    part(context, 0, first);
    const double each = (numact_nanoseconds() - start) / (double)first;
    const int wanted = workers_worth_using((double)(n - first) * each, threads, forced);
    if (wanted < 1 || atomic_flag_test_and_set(&pool.owned)) {
        part(context, first, n);
        return;
    }
    const int workers = start_workers(wanted);
    if (workers) {
        const ptrdiff_t least = (double)n * each < CHUNK_NS ? n : (ptrdiff_t)(CHUNK_NS / each) + 1;
        struct job job = {.part = part, .context = context, .n = n, .least = rounded_up(least, multiple),
                          .multiple = multiple, .threads = workers + 1, .next = first};
        publish_job(&job, workers);
        if (!forced) run_chunks(&job);
        finish(&job, forced);
        if (atomic_load(&job.overflow)) fp_env_set_overflow(true);
    } else {
        part(context, first, n);
    }
    atomic_flag_clear(&pool.owned);
}

void numact_set_num_threads(int count)
{
    atomic_store(&thread_count, count);
    atomic_store(&pool.creation_failed, false);
}

void numact_force_workers(bool forced) { atomic_store(&workers_forced, forced); }
