/* The pool of threads behind numact_parallel(). */
#define _POSIX_C_SOURCE 200809L

#include "parallel.h"

#include <stdatomic.h>

#include "environment.h"

static atomic_int thread_count = 1;

int numact_get_num_threads(void) { return atomic_load_explicit(&thread_count, memory_order_relaxed); }

#if defined __unix__ || defined __APPLE__
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
    WORTH_WAKING = 20000,    /* nanoseconds of work for which one more thread is woken */
    SPINS = 2000,            /* looks at the other threads before the caller sleeps until they are done */
    STACK_BYTES = 1 << 20,
};

struct job {
    numact_part *part;
    void *context;
    ptrdiff_t n, grain, multiple;
    int threads;
    _Atomic ptrdiff_t next;  /* the first item that nobody has taken */
    atomic_bool overflow;
};

/* Only the call that owns the pool starts threads and sets the job.  Everything but `owned` is guarded by the lock;
   `inside` is atomic so that it may be looked at without. */
static struct {
    atomic_flag owned;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int threads;        /* that exist */
    int room;           /* how many of them may still join the job */
    atomic_int inside;  /* how many have */
    struct job *job;
    bool refused;       /* the system has not given a thread: none is asked for again */
    bool fork_watched;
} pool = {.owned = ATOMIC_FLAG_INIT, .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static atomic_bool everything_to_threads;

/* The child has none of the threads, and whatever they or other callers held is nobody's now. */
static void forget_threads(void)
{
    static const pthread_mutex_t new_lock = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t new_condition = PTHREAD_COND_INITIALIZER;
    pool.lock = new_lock;
    pool.work = pool.done = new_condition;
    pool.threads = pool.room = 0;
    atomic_store(&pool.inside, 0);
    pool.job = NULL;
    pool.refused = false;
    atomic_flag_clear(&pool.owned);
}

static ptrdiff_t rounded_up(ptrdiff_t x, ptrdiff_t multiple) { return (x + multiple - 1) / multiple * multiple; }

/* Takes the next part: large ones first, so that few are taken, small ones last, so that all threads end together. */
static bool take(struct job *job, ptrdiff_t *start, ptrdiff_t *stop)
{
    *start = atomic_load(&job->next);
    do {
        ptrdiff_t left = job->n - *start, share = left / (2 * job->threads);
        if (left <= 0) return false;
        ptrdiff_t size = rounded_up(share > job->grain ? share : job->grain, job->multiple);
        *stop = *start + (left - size < job->grain ? left : size);
    } while (!atomic_compare_exchange_weak(&job->next, start, *stop));
    return true;
}

static void compute_parts(struct job *job)
{
    for (ptrdiff_t start, stop; take(job, &start, &stop);)
        job->part(job->context, start, stop);
}

static void *serve(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (!pool.room)
            pthread_cond_wait(&pool.work, &pool.lock);
        pool.room--;
        atomic_fetch_add(&pool.inside, 1);
        struct job *job = pool.job;
        pthread_mutex_unlock(&pool.lock);

        environment found = environment_enter();
        compute_parts(job);
        if (environment_overflow()) atomic_store(&job->overflow, true);
        environment_leave(found, false);

        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&pool.inside, 1) == 1) pthread_cond_signal(&pool.done);
    }
    return NULL;
}

/* Sees to it that there are as many threads, or as many as the system gives; returns how many. */
static int start_threads(int wanted)
{
    if (pool.threads >= wanted || pool.refused) return pool.threads < wanted ? pool.threads : wanted;
    pool.fork_watched = pool.fork_watched || pthread_atfork(NULL, NULL, forget_threads) == 0;
    pthread_attr_t attributes;
    if (!pool.fork_watched || pthread_attr_init(&attributes)) return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.threads < wanted && !pool.refused) {
        pthread_t thread;
        pool.refused = pthread_create(&thread, &attributes, serve, NULL);
        pool.threads += !pool.refused;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return pool.threads;
}

static void invite(struct job *job, int threads)
{
    pthread_mutex_lock(&pool.lock);
    pool.job = job;
    pool.room = threads;
    for (int k = 0; k < threads; k++)
        pthread_cond_signal(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

/* Waits for those who have begun; who has not woken up by now is not waited for. */
static void finish(struct job *job)
{
    for (int k = 0; k < SPINS && atomic_load(&pool.inside); k++)
        ;
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.inside) || (atomic_load(&everything_to_threads) && atomic_load(&job->next) < job->n))
        pthread_cond_wait(&pool.done, &pool.lock);
    pool.room = 0;
    pthread_mutex_unlock(&pool.lock);
}

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* How many threads, beside the caller's, will pay. */
static int helpers(int threads, double duration, ptrdiff_t grains)
{
    double most = atomic_load(&everything_to_threads) ? NUMACT_MAX_THREADS : duration / WORTH_WAKING;
    if (most > (double)grains) most = (double)grains;
    return most < threads - 1 ? (int)most : threads - 1;
}

void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple)
{
    int threads = numact_get_num_threads();
    ptrdiff_t first = rounded_up(grain, multiple);
    if (threads == 1 || n < 2 * first) {
        part(context, 0, n);
        return;
    }
    double start = nanoseconds();
    part(context, 0, first);
    double duration = (nanoseconds() - start) * ((double)(n - first) / (double)first);
    int wanted = helpers(threads, duration, (n - first) / first);
    if (wanted < 1 || atomic_flag_test_and_set(&pool.owned)) {
        part(context, first, n);
        return;
    }
    int found = start_threads(wanted);
    if (found) {
        struct job job = {.part = part, .context = context, .n = n, .grain = first, .multiple = multiple,
                          .threads = found + 1, .next = first};
        invite(&job, found);
        if (!atomic_load(&everything_to_threads)) compute_parts(&job);
        finish(&job);
        if (atomic_load(&job.overflow)) environment_set_overflow(true);
    } else {
        part(context, first, n);
    }
    atomic_flag_clear(&pool.owned);
}

void numact_set_num_threads(int count)
{
    atomic_store(&thread_count, count);
}

void numact_leave_to_threads(bool everything) { atomic_store(&everything_to_threads, everything); }

#else /* no threads */

void numact_parallel(numact_part *part, void *context, ptrdiff_t n, ptrdiff_t grain, ptrdiff_t multiple)
{
    (void)grain, (void)multiple;
    part(context, 0, n);
}

void numact_set_num_threads(int count) { atomic_store(&thread_count, count); }
void numact_leave_to_threads(bool everything) { (void)everything; }

#endif
