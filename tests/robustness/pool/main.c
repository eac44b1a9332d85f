/* Runs random schedules of calls of the runtime (csrc/runtime) by several threads, each in a process of its own, where
   everything is used for the first time:

       pool [schedules [seed]]

   Prints what was done.  At the first schedule that fails, says its seed and ends; `pool 1 SEED` repeats it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/block_cache.h"
#include "runtime/thread_pool.h"
#include "schedule.h"

enum { MOST_STEPS = 12, SECONDS = 120 }; /* a schedule takes milliseconds: one that has not ended then hangs */

struct counts *counts;
uint64_t seed;
pthread_t callers[MAX_CALLERS];
int caller_count;
bool ends_early;
_Thread_local bool is_caller;

static pthread_barrier_t begin, end;
static uint64_t start_of[MAX_CALLERS];

void fail(const char *what, ptrdiff_t found, ptrdiff_t wanted)
{
    char text[256];
    const int length = snprintf(text, sizeof text, "seed %llu: %s: %td, not %td\n", (unsigned long long)seed, what,
                                found, wanted);
    if (write(STDERR_FILENO, text, (size_t)length) < 0) abort();
    _exit(1);
}

static void handle(int number)
{
    (void)number;
    if (!is_caller) fail("signals that a thread of the pool handles", 1, 0);
    atomic_fetch_add(&counts->signals, 1);
}

static void *call(void *random)
{
    is_caller = true;
    pthread_barrier_wait(&begin);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    for (ptrdiff_t left = 1 + below(random, MOST_STEPS); left > 0; left--)
        step(random);
    give_blocks_back();
    pthread_barrier_wait(&end);
    return NULL;
}

/* In a new process. */
static void run_schedule(void)
{
    uint64_t random = seed;
    alarm(SECONDS);
    check("whether forks are survived", numact_pool_survive_forks() && numact_block_survive_forks(), true);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handle}, NULL);
    caller_count = 1 + (int)below(&random, MAX_CALLERS);
    numact_set_num_threads(1 + (int)below(&random, 6));
    numact_force_workers(below(&random, 4));
    ends_early = below(&random, 8) == 0;
    pthread_barrier_init(&begin, NULL, (unsigned)caller_count);
    pthread_barrier_init(&end, NULL, (unsigned)caller_count);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* no signal before all callers are known */
    callers[0] = pthread_self();
    for (int k = 0; k < caller_count; k++) {
        start_of[k] = draw(&random);
        if (k > 0) check("callers that cannot begin", pthread_create(&callers[k], NULL, call, &start_of[k]), 0);
    }
    if (ends_early) {
        is_caller = true;
        pthread_barrier_wait(&begin);
        step(&start_of[0]);
        atomic_fetch_add(&counts->early_exits, 1);
        exit(0); /* while the others compute */
    }
    call(&start_of[0]);
    for (int k = 1; k < caller_count; k++)
        pthread_join(callers[k], NULL);
    exit(0);
}

int main(int count, char **arguments)
{
    const long schedules = count > 1 ? atol(arguments[1]) : 1000;
    const uint64_t first = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) return 2;
    learn_answers();
    for (long k = 0; k < schedules; k++) {
        seed = first + (uint64_t)k;
        const pid_t child = fork();
        if (child < 0) return 2;
        if (child == 0) run_schedule();
        int status;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) fail("seconds without an end", SECONDS, 0);
        if (status) fail("the status of the schedule's process", status, 0);
    }
    printf("schedules %ld, seed %llu", schedules, (unsigned long long)first);
#define PRINT(name) printf(", %s %ld", #name, atomic_load(&counts->name));
    COUNTED(PRINT)
    printf("\n");
    return 0;
}
