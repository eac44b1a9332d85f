#if defined __linux__ && !defined _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* mincore */
#endif
#include "runtime/stores.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include "runtime/system.h"

#if !defined _WIN32
#include <unistd.h>
#endif

#if defined __linux__
#include <sys/mman.h>
#endif

enum {
    TYPICAL_L2 = 1 << 20,   /* bytes of a processor's own cache where the machine does not say */
    OF_L2 = 16,             /* arrays are large from so many times that, or from the size of the last-level cache */
};

/* Bytes of a cache level; 0 where the machine does not say. */
static ptrdiff_t cache_size(int level)
{
#if defined __linux__
    for (int index = 0; index < 8; index++) {
        char path[96];
        int found = 0;
        long size = 0;
        char unit = 'K';
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", index);
        FILE *file = fopen(path, "r");
        if (!file) break;
        if (fscanf(file, "%d", &found) != 1) found = 0;
        fclose(file);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
        if (found != level || !(file = fopen(path, "r"))) continue;
        if (fscanf(file, "%ld%c", &size, &unit) < 1) size = 0;
        fclose(file);
        if (size > 0) return (ptrdiff_t)size << (unit == 'M' ? 20 : 10);
    }
#endif
#if defined _WIN32
    SYSTEM_LOGICAL_PROCESSOR_INFORMATION found[256];
    DWORD bytes = sizeof found;
    if (!GetLogicalProcessorInformation(found, &bytes)) return 0;
    for (size_t k = 0; k < bytes / sizeof *found; k++)
        if (found[k].Relationship == RelationCache && found[k].Cache.Level == level) return (ptrdiff_t)found[k].Cache.Size;
#endif
#if defined _SC_LEVEL2_CACHE_SIZE && defined _SC_LEVEL3_CACHE_SIZE
    const long size = sysconf(level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
    if (size > 0) return size;
#endif
    return 0;
}

/* Bytes from which arrays are large. */
static ptrdiff_t large(void)
{
    static _Atomic ptrdiff_t known;
    ptrdiff_t bytes = atomic_load(&known);
    if (bytes) return bytes;
    const ptrdiff_t own = cache_size(2), last = cache_size(3);
    bytes = OF_L2 * (own ? own : TYPICAL_L2);
    if (last && last < bytes) bytes = last;
    atomic_store(&known, bytes);
    return bytes;
}

/* Whether memory has never been used: pages of it are not resident. */
static bool is_fresh(const void *memory, ptrdiff_t bytes)
{
#if defined __linux__
    enum { PAGES = 3 };
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    int missing = 0;
    for (int k = 1; k <= PAGES; k++) {
        const uintptr_t at = ((uintptr_t)memory + (uintptr_t)bytes / (PAGES + 1) * (uintptr_t)k) & ~(page - 1);
        unsigned char resident = 1;
        missing += mincore((void *)at, 1, &resident) == 0 && !(resident & 1);
    }
    return missing > PAGES / 2;
#else
    (void)memory, (void)bytes;
    return false;
#endif
}

bool numact_is_large(const void *result, ptrdiff_t result_bytes, ptrdiff_t bytes)
{
    return bytes >= large() && !is_fresh(result, result_bytes);
}

/* The items from `first` on. */
struct rest {
    numact_part *part;
    void *context;
    ptrdiff_t first;
};

static void compute_rest(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct rest *rest = context;
    rest->part(rest->context, rest->first + start, rest->first + stop);
}

void numact_parallel_stores(numact_part *part, void *context, bool *non_temporal, ptrdiff_t n, ptrdiff_t grain,
                            ptrdiff_t multiple, const void *result, ptrdiff_t result_bytes, ptrdiff_t bytes)
{
    /* Pieces of either kind, of which the slowest does not count: it may have been interrupted.  One thread computes
       them, so their share of the work is the smaller the more threads there are. */
    enum { PIECES = 4, SHARE = 32 };
    const ptrdiff_t piece = n / (2 * PIECES * SHARE * numact_get_num_threads()) / multiple * multiple;
    struct rest rest = {part, context, 0};
    *non_temporal = false;
    if (piece >= grain && numact_is_large(result, result_bytes, bytes)) {
        double total[2] = {0, 0}, slowest[2] = {0, 0};
        for (int k = 0; k < 2 * PIECES; k++) {
            *non_temporal = k % 2;
            const double start = numact_nanoseconds();
            part(context, rest.first, rest.first + piece);
            const double elapsed = numact_nanoseconds() - start;
            rest.first += piece;
            total[k % 2] += elapsed;
            if (elapsed > slowest[k % 2]) slowest[k % 2] = elapsed;
        }
        *non_temporal = total[1] - slowest[1] < 0.9 * (total[0] - slowest[0]);
    }
    numact_parallel(compute_rest, &rest, n - rest.first, grain, multiple);
}
