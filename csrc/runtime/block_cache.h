/* A cache of large blocks of memory: what one array has freed, the next one gets, with its pages. */
#ifndef NUMACT_RUNTIME_BLOCK_CACHE_H
#define NUMACT_RUNTIME_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks from which on an array comes from here; for smaller ones malloc is as fast. */
enum { NUMACT_LEAST_BLOCK = 128 << 10 };

struct numact_block_statistics {
    size_t limit;               /* the most bytes that are held */
    size_t held, in_use;        /* bytes of free blocks, and of those that arrays have */
    int64_t held_blocks, blocks_in_use;
    int64_t reused, allocated;  /* blocks that arrays got, from the cache and from the operating system */
};

/* To be called before anything else here, once: a child of fork() finds the cache in order then, whatever other threads
   did.  False if that cannot be had. */
bool numact_block_survive_forks(void);

/* A block of at least `size` bytes, of zeros if that is wanted; NULL if there is no memory. */
void *numact_block_allocate(size_t size, bool zeros);

/* Frees a block.  False if memory is not one of them. */
bool numact_block_free(void *memory);

/* The bytes of a block; 0 if memory is not one. */
size_t numact_block_size(const void *memory);

/* Sets the most bytes to hold, and gives what is above them back to the operating system. */
void numact_block_limit(size_t limit);

struct numact_block_statistics numact_block_statistics(void);

#endif
