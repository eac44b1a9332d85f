/* The cache of blocks: every block belongs to one thread from its allocation until it is given back. */
#include <stdlib.h>
#include <string.h>

#include "runtime/block_cache.h"
#include "schedule.h"

enum { MOST_BLOCKS = 6, PAGE = 4096 };

static _Thread_local struct {
    char *memory;
    size_t size;
    char tag;
} mine[MOST_BLOCKS];

/* What lies at the beginning of each page and in the last byte. */
static void write_tags(char *memory, size_t size, char tag)
{
    for (size_t k = 0; k < size; k += PAGE)
        memory[k] = tag;
    memory[size - 1] = tag;
}

static void check_tags(const char *memory, size_t size, char tag)
{
    for (size_t k = 0; k < size; k += PAGE)
        check("a byte of a block", memory[k], tag);
    check("the last byte of a block", memory[size - 1], tag);
}

static void allocate(uint64_t *random, int k)
{
    const size_t sizes[] = {NUMACT_LEAST_BLOCK, 3 * NUMACT_LEAST_BLOCK, 5 << 20};
    const size_t size = sizes[below(random, 16) ? below(random, 2) : 2] + (size_t)below(random, 3 * PAGE);
    const bool zeros = below(random, 2);
    char *memory = numact_block_allocate(size, zeros);
    if (!memory) return; /* refused (faults.c) */
    if (zeros) check_tags(memory, size, 0);
    check("bytes of a block", numact_block_size(memory) >= size, true);
    mine[k].memory = memory;
    mine[k].size = size;
    mine[k].tag = (char)(1 + below(random, 100));
    write_tags(memory, size, mine[k].tag);
    atomic_fetch_add(zeros ? &counts->zeros : &counts->blocks, 1);
}

static void give_back(int k)
{
    if (!mine[k].memory) return;
    check_tags(mine[k].memory, mine[k].size, mine[k].tag);
    check("a block that is one", numact_block_free(mine[k].memory), true);
    mine[k].memory = NULL;
}

void use_blocks(uint64_t *random)
{
    if (below(random, 6) == 0) {
        numact_block_limit((size_t)below(random, 3) << 20);
        atomic_fetch_add(&counts->limits, 1);
    }
    for (ptrdiff_t left = 1 + below(random, MOST_BLOCKS); left > 0; left--) {
        const int k = (int)below(random, MOST_BLOCKS);
        if (mine[k].memory)
            give_back(k);
        else
            allocate(random, k);
    }
    check("a block that is none", numact_block_free(&mine), false);
    check("bytes of a block that is none", (ptrdiff_t)numact_block_size(&mine), 0);
    const struct numact_block_statistics found = numact_block_statistics();
    check("held within the limit", found.held <= found.limit, true);
    check("blocks that are held", (found.held > 0) == (found.held_blocks > 0), true);
}

void give_blocks_back(void)
{
    for (int k = 0; k < MOST_BLOCKS; k++)
        give_back(k);
}
