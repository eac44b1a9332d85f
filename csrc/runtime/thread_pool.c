/* The pool of threads behind numact_parallel(). */
#define _GNU_SOURCE /* the affinity of threads */

#include "runtime/thread_pool.h"

#include <stdatomic.h>

#include "runtime/fp_env.h"

static atomic_int thread_count = 1;

int numact_get_num_threads(void) { return atomic_load_explicit(&thread_count, memory_order_relaxed); }

#if defined __unix__ || defined __APPLE__
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

/* In nanoseconds; benchmarks/tried.md has the measurements behind them. */
enum {
    WAKE_THRESHOLD_NS = 150000,  /* work that pays for waking one more thread */
    SHARE_THRESHOLD_NS = 5000,   /* work that pays for one that is spinning */
    CHUNK_NS = 3000,            /* work of a chunk, at least */
    WORKER_SPIN_NS = 50000,      /* how long a worker spins after a job before it sleeps */
    CALLER_SPIN_NS = 20000,       /* how long the caller spins at the end of a job, twice, before it sleeps */
};

enum { STACK_BYTES = 1 << 20 };

struct job {
    numact_part *part;
    void *context;
    ptrdiff_t n, least, multiple;
    int threads;
    _Atomic ptrdiff_t next;  /* the first item that is not claimed */
    atomic_bool overflow;
};

/* One of the pool's threads. */
struct thread {
    pthread_t id;
    atomic_bool computing;  /* a part of the job */
};

/* Only the call that owns the pool starts threads and sets the job.  The lock guards the job, `room` and `inside`,
   which are atomic so that they may be looked at without. */
static struct {
    atomic_flag owned;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int threads;        /* that exist */
    struct thread thread[NUMACT_MAX_THREADS];
    int caller_cpu;     /* kept free for the caller, or -1 */
    atomic_int open_slots;    /* how many workers may still join the job */
    atomic_int running;  /* how many workers are running chunks */
    atomic_int spinning;   /* how many workers are spinning */
    struct job *job;
    atomic_bool creation_failed; /* no other thread is tried until their number is set again */
    bool fork_handler_set;
} pool = {.owned = ATOMIC_FLAG_INIT, .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER, .caller_cpu = -1};

static atomic_bool workers_do_everything;

/* In a forked child no worker exists, and a lock that a thread of the parent held is free. */
static void reset_after_fork(void)
{
    static const pthread_mutex_t new_lock = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t new_condition = PTHREAD_COND_INITIALIZER;
    pool.lock = new_lock;
    pool.work = pool.done = new_condition;
    pool.threads = 0;
    pool.caller_cpu = -1;
    atomic_store(&pool.open_slots, 0);
    atomic_store(&pool.running, 0);
    atomic_store(&pool.spinning, 0);
    pool.job = NULL;
    atomic_store(&pool.creation_failed, false);
    atomic_flag_clear(&pool.owned);
}

double numact_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The instruction for spin-wait loops. */
static void cpu_relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* Spins until the value is zero, or is not, at most for `duration`.  It does not yield: beside a busy thread of another
   program, each yield would give the processor away for milliseconds. */
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

/* Claims the next chunk (guided self-scheduling): large ones first, so that there are few claims, small ones last,
   so that all threads end together. */
static bool claim_chunk(struct job *job, ptrdiff_t *start, ptrdiff_t *stop)
{
    *start = atomic_load(&job->next);
    do {
        ptrdiff_t left = job->n - *start, share = left / (2 * job->threads);
        if (left <= 0) return false;
        ptrdiff_t size = rounded_up(share > job->least ? share : job->least, job->multiple);
        *stop = *start + (left - size < job->least ? left : size);
    } while (!atomic_compare_exchange_weak(&job->next, start, *stop));
    return true;
}

static void run_chunks(struct job *job)
{
    for (ptrdiff_t start, stop; claim_chunk(job, &start, &stop);)
        job->part(job->context, start, stop);
}

static void *worker_main(void *own)
{
    struct thread *self = own;
    for (;;) {
        atomic_fetch_add(&pool.spinning, 1);
        spin_wait(&pool.open_slots, false, WORKER_SPIN_NS);
        pthread_mutex_lock(&pool.lock);
        atomic_fetch_sub(&pool.spinning, 1);
        while (!atomic_load(&pool.open_slots))
            pthread_cond_wait(&pool.work, &pool.lock);
        atomic_fetch_sub(&pool.open_slots, 1);
        atomic_fetch_add(&pool.running, 1);
        atomic_store(&self->computing, true);
        struct job *job = pool.job;
        pthread_mutex_unlock(&pool.lock);

        fp_env found = fp_env_enter();
        run_chunks(job);
        if (fp_env_overflow()) atomic_store(&job->overflow, true);
        fp_env_leave(found, false);

        pthread_mutex_lock(&pool.lock);
        atomic_store(&self->computing, false);
        if (atomic_fetch_sub(&pool.running, 1) == 1) pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
    return NULL;
}

/* Creates threads until there are as many as wanted, or creation fails; returns how many there are. */
static int start_threads(int wanted)
{
    if (pool.threads >= wanted || atomic_load(&pool.creation_failed)) return pool.threads < wanted ? pool.threads : wanted;
    pool.fork_handler_set = pool.fork_handler_set || pthread_atfork(NULL, NULL, reset_after_fork) == 0;
    pthread_attr_t attributes;
    if (!pool.fork_handler_set || pthread_attr_init(&attributes)) return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.threads < wanted) {
        struct thread *next = &pool.thread[pool.threads];
        atomic_store(&next->computing, false);
        if (pthread_create(&next->id, &attributes, worker_main, next)) break;
        pool.threads++;
    }
    pool.caller_cpu = -1;
    if (pool.threads < wanted) atomic_store(&pool.creation_failed, true);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return pool.threads;
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
    for (int k = 0; k < pool.threads; k++)
        pthread_setaffinity_np(pool.thread[k].id, sizeof allowed, &allowed);
#endif
}

#ifdef __linux__
/* The worker's processor time in ns; -1 if it runs no chunk. */
static double cpu_time_ns(struct thread *thread)
{
    clockid_t clock;
    struct timespec time;
    if (!atomic_load(&thread->computing) || pthread_getcpuclockid(thread->id, &clock)) return -1;
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
    for (int k = 0; k < pool.threads; k++)
        before[k] = cpu_time_ns(&pool.thread[k]);
    spin_wait(&pool.running, true, CALLER_SPIN_NS);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)pool.caller_cpu, &here);
    for (int k = 0; k < pool.threads; k++)
        if (before[k] >= 0 && cpu_time_ns(&pool.thread[k]) == before[k]) {
            pthread_setaffinity_np(pool.thread[k].id, sizeof here, &here);
            pool.caller_cpu = -1;
        }
#endif
}

static void publish_job(struct job *job, int threads)
{
    pin_workers_off_caller_cpu();
    pthread_mutex_lock(&pool.lock);
    pool.job = job;
    atomic_store(&pool.open_slots, threads);
    for (int k = 0; k < threads; k++)
        pthread_cond_signal(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

/* Waits for the workers that have begun; the slots of those that have not woken up are withdrawn. */
static void finish(struct job *job)
{
    spin_wait(&pool.running, true, CALLER_SPIN_NS);
    migrate_preempted_workers();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.running) || (atomic_load(&workers_do_everything) && atomic_load(&job->next) < job->n))
        pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.open_slots, 0);
    pthread_mutex_unlock(&pool.lock);
}

/* How many workers pay off for work of that many nanoseconds. */
static int workers_worth_waking(double work, int threads)
{
    if (atomic_load(&workers_do_everything)) return threads - 1;
    double sleeping = work / WAKE_THRESHOLD_NS, sharing = work / SHARE_THRESHOLD_NS, spinning = atomic_load(&pool.spinning);
    if (sharing > spinning) sharing = spinning;
    double most = sleeping > sharing ? sleeping : sharing;
    return most < threads - 1 ? (int)most : threads - 1;
}

void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple)
{
    const int threads = numact_get_num_threads();
    const ptrdiff_t first = rounded_up(grain, multiple);
    if (threads == 1 || n < 2 * first) {
        part(context, 0, n);
        return;
    }
    const double start = numact_nanoseconds();
    part(context, 0, first);
    const double each = (numact_nanoseconds() - start) / (double)first;
    const int wanted = workers_worth_waking((double)(n - first) * each, threads);
    if (wanted < 1 || atomic_flag_test_and_set(&pool.owned)) {
        part(context, first, n);
        return;
    }
    const int found = start_threads(wanted);
    if (found) {
        const ptrdiff_t least = (double)n * each < CHUNK_NS ? n : (ptrdiff_t)(CHUNK_NS / each) + 1;
        struct job job = {.part = part, .context = context, .n = n, .least = rounded_up(least, multiple),
                          .multiple = multiple, .threads = found + 1, .next = first};
        publish_job(&job, found);
        if (!atomic_load(&workers_do_everything)) run_chunks(&job);
        finish(&job);
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

void numact_force_workers(bool everything) { atomic_store(&workers_do_everything, everything); }

#else /* no threads */

void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple)
{
    (void)grain, (void)multiple;
    part(context, 0, n);
}

void numact_set_num_threads(int count) { atomic_store(&thread_count, count); }
void numact_force_workers(bool everything) { (void)everything; }

#endif
