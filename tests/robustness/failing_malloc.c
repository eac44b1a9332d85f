/* Put before the C library by LD_PRELOAD: counts allocations, and lets one of them, or all from one on, fail.

   An allocation is a call of malloc, calloc, realloc, posix_memalign, aligned_alloc or mmap, or one of NumPy for the
   elements of an array, for which `handler` is an allocator (NEP 49).  Those of numact are the ones whose return address
   lies in one of the ranges that were given to add_range(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t width);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* Written and read by the test: which allocation fails (0: none), how many do from there on, and whether only those of
   numact count; how many there were since `seen` was set to 0; the blocks that are allocated, and those of numact. */
atomic_long fail_at, seen, blocks, own_blocks;
atomic_int in_a_row = 1, own_only;

/* On whose behalf the allocation `fail_at` was made: a letter of `enum caller`, which is also written to the file `note`,
   so that it is known after a crash. */
atomic_int made_for, note = -1;

enum { RANGES = 64, SLOTS = 1 << 16, WINDOW = 16, FRAMES = 100 };
enum kind { NUMACT, NUMPY };
enum caller {
    OF_NUMACT = 'n',        /* compiled code of numact has called the C library or the interpreter */
    OF_PYTHON = 'i',        /* the interpreter */
    OF_ARRAY = 'a',         /* NumPy, for the elements of an array */
    OF_NUMPY = 'p',         /* NumPy, for its own objects */
};

static struct {
    uintptr_t start, end;
    enum kind kind;
} ranges[RANGES];
static atomic_int range_count;

/* The addresses of numact's blocks, each in one of WINDOW slots; 0 is a free one. */
static _Atomic uintptr_t addresses[SLOTS + WINDOW];

/* Says that code of a kind lies at these addresses. */
void add_range(uintptr_t start, uintptr_t end, int kind)
{
    const int k = atomic_load(&range_count);
    if (k == RANGES) return;
    ranges[k].start = start;
    ranges[k].end = end;
    ranges[k].kind = (enum kind)kind;
    atomic_store(&range_count, k + 1);
}

static bool is_within(const void *code, enum kind kind)
{
    const int count = atomic_load(&range_count);
    for (int k = 0; k < count; k++)
        if (ranges[k].kind == kind && (uintptr_t)code >= ranges[k].start && (uintptr_t)code < ranges[k].end) return true;
    return false;
}

/* Goes from the allocation outwards to the first code of NumPy or numact, or to the interpreter of Python code. */
static enum caller find_caller(void)
{
    void *frames[FRAMES];
    const int count = backtrace(frames, FRAMES);
    for (int k = 0; k < count; k++) {
        Dl_info found;
        if (is_within(frames[k], NUMACT)) return OF_NUMACT;
        if (is_within(frames[k], NUMPY)) return OF_NUMPY;
        if (dladdr(frames[k], &found) && found.dli_sname && !strcmp(found.dli_sname, "_PyEval_EvalFrameDefault")) break;
    }
    return OF_PYTHON;
}

/* Whether an allocation fails.  Those that NumPy makes for its own objects do not: it crashes if they do, in calls of its
   own functions too. */
static bool fails(const void *caller, bool of_array)
{
    static _Thread_local bool within;
    const long at = atomic_load(&fail_at);
    if (at == 0 || within || (atomic_load(&own_only) && !is_within(caller, NUMACT))) return false;
    const long number = atomic_fetch_add(&seen, 1) + 1;
    if (number < at || number >= at + atomic_load(&in_a_row)) return false;
    within = true; /* of the backtrace itself none fails */
    const char letter = (char)(of_array ? OF_ARRAY : find_caller());
    within = false;
    const int file = atomic_load(&note);
    atomic_store(&made_for, letter);
    if (file >= 0 && pwrite(file, &letter, 1, 0) != 1) atomic_store(&note, -1);
    errno = ENOMEM;
    return letter != OF_NUMPY;
}

/* Replaces one address by another in the window of `address`; false if it is not there. */
static bool replace(uintptr_t address, uintptr_t from, uintptr_t to)
{
    _Atomic uintptr_t *window = &addresses[(address >> 4) * 0x9E3779B97F4A7C15u >> 48];
    for (int k = 0; k < WINDOW; k++) {
        uintptr_t found = from;
        if (atomic_compare_exchange_strong(&window[k], &found, to)) return true;
    }
    return false;
}

static void *allocated(void *memory, const void *caller)
{
    if (!memory) return NULL;
    atomic_fetch_add(&blocks, 1);
    if (is_within(caller, NUMACT) && replace((uintptr_t)memory, 0, (uintptr_t)memory)) atomic_fetch_add(&own_blocks, 1);
    return memory;
}

static void freed(void *memory)
{
    if (!memory) return;
    atomic_fetch_sub(&blocks, 1);
    if (atomic_load(&own_blocks) && replace((uintptr_t)memory, (uintptr_t)memory, 0)) atomic_fetch_sub(&own_blocks, 1);
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    const void *caller = CALLER;
    return fails(caller, false) ? NULL : allocated(__libc_malloc(size), caller);
}

void *calloc(size_t count, size_t width)
{
    const void *caller = CALLER;
    return fails(caller, false) ? NULL : allocated(__libc_calloc(count, width), caller);
}

void *realloc(void *memory, size_t size)
{
    const void *caller = CALLER;
    if (size == 0 && memory) {
        freed(memory);
        return __libc_realloc(memory, 0);
    }
    if (fails(caller, false)) return NULL;
    void *moved = __libc_realloc(memory, size);
    if (moved) freed(memory);
    return allocated(moved, caller);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    const void *caller = CALLER;
    void *memory = fails(caller, false) ? NULL : allocated(__libc_memalign(alignment, size), caller);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    const void *caller = CALLER;
    return fails(caller, false) ? NULL : allocated(__libc_memalign(alignment, size), caller);
}

void free(void *memory)
{
    const int before = errno;
    freed(memory);
    __libc_free(memory);
    errno = before;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
    const void *caller = CALLER;
    if (fails(caller, false)) return MAP_FAILED;
    void *memory = (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
    if (memory != MAP_FAILED) allocated(memory, caller);
    return memory;
}

int munmap(void *memory, size_t length)
{
    const int result = (int)syscall(SYS_munmap, memory, length);
    if (result == 0) freed(memory);
    return result;
}

/* The allocator of arrays. */

static void *array_malloc(void *context, size_t size)
{
    (void)context;
    const void *caller = CALLER;
    return fails(caller, true) ? NULL : allocated(__libc_malloc(size), caller);
}

static void *array_calloc(void *context, size_t count, size_t width)
{
    (void)context;
    const void *caller = CALLER;
    return fails(caller, true) ? NULL : allocated(__libc_calloc(count, width), caller);
}

static void *array_realloc(void *context, void *memory, size_t size)
{
    (void)context;
    return fails(CALLER, true) ? NULL : __libc_realloc(memory, size);
}

static void array_free(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    free(memory);
}

/* PyDataMem_Handler of numpy/ndarraytypes.h. */
struct {
    char name[127];
    uint8_t version;
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *, size_t);
} handler = {"failing", 1, NULL, array_malloc, array_calloc, array_realloc, array_free};
