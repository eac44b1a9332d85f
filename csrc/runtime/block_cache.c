#if defined __linux__ && !defined _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "runtime/block_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/system.h"

enum {
    BUCKETS = 1024,             /* of the table of all blocks */
    PAGE = 4096,
    HUGE_PAGE = 2 << 20,
    LEAST_HUGE = 4 << 20,       /* bytes from which huge pages are asked for */
    COLOURS = 16,               /* blocks begin at different lines of a page: else the stores of a loop seem to hit its
                                   loads, of which the processor compares the last 12 bits of the addresses first */
    COLOUR_BYTES = 192,
};

/* A block: `size` bytes from `memory` on, within `mapped` bytes from `base` on. */
struct block {
    char *base, *memory;
    size_t mapped, size;
    struct block *next;         /* in the bucket */
    struct block *newer, *older;    /* of the held ones */
};

static system_mutex lock = SYSTEM_MUTEX_INITIALIZER;
static struct block *buckets[BUCKETS];
static struct block *newest, *oldest;
static struct numact_block_statistics statistics;

static void lock_cache(void) { system_lock(&lock); }
static void unlock_cache(void) { system_unlock(&lock); }

bool numact_block_survive_forks(void) { return system_at_fork(lock_cache, unlock_cache, unlock_cache); }

static struct block **bucket_of(const void *memory) { return &buckets[(uintptr_t)memory / PAGE % BUCKETS]; }

static struct block *find(const void *memory)
{
    struct block *block = *bucket_of(memory);
    while (block && block->memory != memory)
        block = block->next;
    return block;
}

static void hold(struct block *block)
{
    block->older = newest;
    block->newer = NULL;
    *(newest ? &newest->newer : &oldest) = block;
    newest = block;
    statistics.held += block->size;
    statistics.held_blocks++;
}

static void take(struct block *block)
{
    *(block->newer ? &block->newer->older : &newest) = block->older;
    *(block->older ? &block->older->newer : &oldest) = block->newer;
    statistics.held -= block->size;
    statistics.held_blocks--;
}

/* Gives a block that is neither held nor used back to the operating system. */
static void release(struct block *block)
{
    struct block **place = bucket_of(block->memory);
    while (*place != block)
        place = &(*place)->next;
    *place = block->next;
    system_unmap(block->base, block->mapped);
    free(block);
}

/* Releases the blocks that have been held longest until `size` bytes more are within the limit. */
static void make_room(size_t size)
{
    while (oldest && statistics.held + size > statistics.limit) {
        struct block *block = oldest;
        take(block);
        release(block);
    }
}

/* The held block that fits best, the newest of equal ones: at most a quarter of it stays unused. */
static struct block *best_fit(size_t size)
{
    struct block *best = NULL;
    for (struct block *block = newest; block; block = block->older)
        if (block->size >= size && block->size - size <= size / 4 && (!best || block->size < best->size)) best = block;
    return best;
}

static struct block *map(size_t size)
{
    static unsigned colour;
    const size_t alignment = size >= LEAST_HUGE ? HUGE_PAGE : PAGE, offset = COLOUR_BYTES * (colour++ % COLOURS);
    if (size > SIZE_MAX - 2 * HUGE_PAGE - COLOUR_BYTES * COLOURS) return NULL;
    const size_t mapped = (size + offset + alignment - 1) / alignment * alignment + (alignment > PAGE ? alignment : 0);
    struct block *block = malloc(sizeof *block);
    if (!block) return NULL;
    void *base = system_map(mapped);
    if (!base) {
        free(block);
        return NULL;
    }
    char *aligned = (char *)(((uintptr_t)base + alignment - 1) / alignment * alignment);
#if defined MADV_HUGEPAGE
    if (alignment == HUGE_PAGE) madvise(aligned, (size + offset) / alignment * alignment, MADV_HUGEPAGE);
#endif
    *block = (struct block){.base = base, .memory = aligned + offset, .mapped = mapped, .size = size};
    struct block **bucket = bucket_of(block->memory);
    block->next = *bucket;
    *bucket = block;
    return block;
}

void *numact_block_allocate(size_t size, bool zeros)
{
    system_lock(&lock);
    struct block *block = best_fit(size);
    const bool reused = block;
    if (reused) {
        take(block);
        statistics.reused++;
    } else {
        block = map(size);
        if (!block) { /* what is held may be what is missing */
            const size_t limit = statistics.limit;
            statistics.limit = 0;
            make_room(0);
            statistics.limit = limit;
            block = map(size);
        }
        statistics.allocated += block != NULL;
    }
    if (block) {
        statistics.in_use += block->size;
        statistics.blocks_in_use++;
    }
    system_unlock(&lock);
    if (reused && zeros) memset(block->memory, 0, size);
    return block ? block->memory : NULL;
}

bool numact_block_free(void *memory)
{
    system_lock(&lock);
    struct block *block = find(memory);
    if (block) {
        statistics.in_use -= block->size;
        statistics.blocks_in_use--;
        if (block->size <= statistics.limit) {
            make_room(block->size);
            hold(block);
        } else {
            release(block);
        }
    }
    system_unlock(&lock);
    return block;
}

size_t numact_block_size(const void *memory)
{
    system_lock(&lock);
    const struct block *block = find(memory);
    const size_t size = block ? block->size : 0;
    system_unlock(&lock);
    return size;
}

void numact_block_limit(size_t limit)
{
    system_lock(&lock);
    statistics.limit = limit;
    make_room(0);
    system_unlock(&lock);
}

struct numact_block_statistics numact_block_statistics(void)
{
    system_lock(&lock);
    const struct numact_block_statistics found = statistics;
    system_unlock(&lock);
    return found;
}
