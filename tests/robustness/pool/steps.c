/* Which step comes next, and the steps that compute nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numact.h"
#include "runtime/stores.h"
#include "runtime/thread_pool.h"
#include "schedule.h"

enum { MAX_TARGETS = 3, FORK_SECONDS = 60 };

/* What numact_levels() and numact_is_large() say to a process of one thread. */
static struct {
    int targets;
    bool supported[MAX_TARGETS];
    ptrdiff_t least_large;
} answers;

static char used[1 << 16];

/* The fewest bytes that are large. */
static ptrdiff_t least_large(void)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)1 << 40;
    while (low < high) {
        const ptrdiff_t middle = low + (high - low) / 2;
        if (numact_is_large(used, sizeof used, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* In a process of its own: in this one, the functions must not have been called before the schedules. */
void learn_answers(void)
{
    memset(used, 1, sizeof used);
    int ends[2];
    if (pipe(ends)) fail("pipe", errno, 0);
    const pid_t child = fork();
    if (child == 0) {
        for (const struct numact_level *level = numact_levels(); level->name; level++)
            answers.supported[answers.targets++] = level->supported;
        answers.least_large = least_large();
        _exit(write(ends[1], &answers, sizeof answers) != sizeof answers);
    }
    check("answers", read(ends[0], &answers, sizeof answers), sizeof answers);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void ask(void)
{
    int k = 0;
    for (const struct numact_level *level = numact_levels(); level->name; level++, k++)
        check("a dispatch target that is supported", level->supported, answers.supported[k]);
    check("dispatch targets", k, answers.targets);
    check("bytes that are large", numact_is_large(used, sizeof used, answers.least_large), true);
    check("bytes that are not large", numact_is_large(used, sizeof used, answers.least_large - 1), false);
}

static void resize(uint64_t *random)
{
    const int count = 1 + (int)below(random, below(random, 8) ? 4 : 12);
    numact_set_num_threads(count);
    check("threads", numact_get_num_threads() >= 1, true);
    atomic_fetch_add(&counts->resizes, 1);
}

static void force(uint64_t *random)
{
    numact_force_workers(below(random, 4));
    atomic_fetch_add(&counts->forcings, 1);
}

static void interrupt(uint64_t *random)
{
    if (below(random, 2))
        pthread_kill(callers[below(random, caller_count)], SIGUSR1);
    else
        kill(getpid(), SIGUSR1);
}

static void compute_in_child(uint64_t *random);

static void fork_and_wait(uint64_t *random)
{
    if (ends_early) return; /* exit() unregisters the handlers of forks, for every library */
    const pid_t child = fork();
    if (child < 0) return; /* no memory for another process */
    if (child == 0) {
        alarm(FORK_SECONDS);
        if (CHILDREN_COMPUTE) compute_in_child(random);
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        check("waitpid", errno, EINTR);
    check("the status of a forked child", status, 0);
    if (CHILDREN_COMPUTE) atomic_fetch_add(&counts->children, 1);
    atomic_fetch_add(&counts->forks, 1);
}

/* A forked child computes, with threads of its own. */
static void compute_in_child(uint64_t *random)
{
    atomic_store(&failing, false);
    caller_count = 1;
    callers[0] = pthread_self();
    count_with_own_threads(random);
    ask();
    use_blocks(random);
    if (below(random, 8) == 0) fork_and_wait(random);
    count_with_own_threads(random);
}

void step(uint64_t *random)
{
    switch (below(random, 32)) {
    case 0:
    case 1:
        ask();
        break;
    case 2:
    case 3:
        resize(random);
        break;
    case 4:
    case 5:
        force(random);
        break;
    case 6:
    case 7:
    case 8:
        interrupt(random);
        break;
    case 9:
    case 10:
        fork_and_wait(random);
        break;
    case 11:
        atomic_store(&failing, below(random, 2));
        break;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
        use_blocks(random);
        break;
    case 17:
        store_past_caches(random);
        break;
    case 18:
        observe(random);
        break;
    case 19:
        if (below(random, 4) == 0) make_table(random);
        break;
    case 20:
    case 21:
    case 22:
        run_loop(random);
        break;
    default:
        count_job(random);
    }
}
