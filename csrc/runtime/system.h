/* What the runtime needs of an operating system: locks, conditions, threads, calls that happen once, a clock and pages of
   memory; POSIX, or Windows. */
#ifndef NUMACT_RUNTIME_SYSTEM_H
#define NUMACT_RUNTIME_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#if defined _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef SRWLOCK system_mutex;
typedef CONDITION_VARIABLE system_condition;
typedef INIT_ONCE system_once;
typedef HANDLE system_thread;
typedef DWORD system_thread_result;
#define SYSTEM_THREAD WINAPI
#define SYSTEM_MUTEX_INITIALIZER SRWLOCK_INIT
#define SYSTEM_CONDITION_INITIALIZER CONDITION_VARIABLE_INIT
#define SYSTEM_ONCE_INITIALIZER INIT_ONCE_STATIC_INIT

static inline void system_lock(system_mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline void system_unlock(system_mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void system_wait(system_condition *condition, system_mutex *mutex)
{
    SleepConditionVariableSRW(condition, mutex, INFINITE, 0);
}
static inline void system_signal(system_condition *condition) { WakeConditionVariable(condition); }

/* The first call calls `run`; others wait until it has returned. */
static inline void system_call_once(system_once *once, void (*run)(void))
{
    BOOL pending;
    void *context;
    if (!InitOnceBeginInitialize(once, 0, &pending, &context) || !pending) return;
    run();
    InitOnceComplete(once, 0, NULL);
}

static inline bool system_start_thread(system_thread *id, system_thread_result (SYSTEM_THREAD *run)(void *),
                                       void *argument, size_t stack)
{
    *id = CreateThread(NULL, stack, run, argument, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return *id != NULL;
}

/* There is no fork. */
static inline bool system_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    (void)before, (void)parent, (void)child;
    return true;
}

static inline double system_nanoseconds(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart * 1e9 / (double)frequency.QuadPart;
}

static inline void *system_map(size_t size) { return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
static inline void system_unmap(void *base, size_t size)
{
    (void)size;
    VirtualFree(base, 0, MEM_RELEASE);
}

#else

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

typedef pthread_mutex_t system_mutex;
typedef pthread_cond_t system_condition;
typedef pthread_once_t system_once;
typedef pthread_t system_thread;
typedef void *system_thread_result;
#define SYSTEM_THREAD
#define SYSTEM_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER
#define SYSTEM_CONDITION_INITIALIZER PTHREAD_COND_INITIALIZER
#define SYSTEM_ONCE_INITIALIZER PTHREAD_ONCE_INIT

static inline void system_lock(system_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void system_unlock(system_mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void system_wait(system_condition *condition, system_mutex *mutex) { pthread_cond_wait(condition, mutex); }
static inline void system_signal(system_condition *condition) { pthread_cond_signal(condition); }
static inline void system_call_once(system_once *once, void (*run)(void)) { pthread_once(once, run); }

/* The thread is detached, and handles no signals. */
static inline bool system_start_thread(system_thread *id, system_thread_result (*run)(void *), void *argument,
                                       size_t stack)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(id, &attributes, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

static inline bool system_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    return pthread_atfork(before, parent, child) == 0;
}

static inline double system_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* NULL if there is none. */
static inline void *system_map(size_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}
static inline void system_unmap(void *base, size_t size) { munmap(base, size); }

#endif
#endif
