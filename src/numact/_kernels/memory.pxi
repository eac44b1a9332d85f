# A NumPy data allocator (NEP 49) over the cache of csrc/runtime/block_cache.c.

from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, strcpy

cdef extern from "runtime/block_cache.h":
    ctypedef struct numact_block_statistics_t "struct numact_block_statistics":
        size_t limit
        size_t held
        size_t in_use
        int64_t held_blocks
        int64_t blocks_in_use
        int64_t reused
        int64_t allocated
    bint numact_block_survive_forks()
    void *numact_block_allocate(size_t size, bint zeros) noexcept nogil
    bint numact_block_free(void *memory) noexcept nogil
    size_t numact_block_size(const void *memory) noexcept nogil
    void numact_block_limit(size_t limit) noexcept nogil
    enum:
        NUMACT_LEAST_BLOCK

cdef extern from *:
    """
    static struct numact_block_statistics numact_read_statistics(void) { return numact_block_statistics(); }
    """
    numact_block_statistics_t numact_read_statistics() noexcept nogil

cdef extern from "numpy/arrayobject.h":
    ctypedef struct DataAllocator "PyDataMemAllocator":
        void *ctx
        void *(*malloc)(void *, size_t) noexcept nogil
        void *(*calloc)(void *, size_t, size_t) noexcept nogil
        void *(*realloc)(void *, void *, size_t) noexcept nogil
        void (*free)(void *, void *, size_t) noexcept nogil
    ctypedef struct DataHandler "PyDataMem_Handler":
        char name[127]
        uint8_t version
        DataAllocator allocator
    object PyDataMem_SetHandler(object handler)
    PyObject *PyDataMem_DefaultHandler

# NumPy's own allocator, for small arrays, which it caches itself.
cdef const DataAllocator *NUMPY = &(
    <DataHandler *>PyCapsule_GetPointer(<object>PyDataMem_DefaultHandler, "mem_handler")
).allocator


cdef void *block_malloc(void *context, size_t size) noexcept nogil:
    if size < NUMACT_LEAST_BLOCK:
        return NUMPY.malloc(NUMPY.ctx, size)
    return numact_block_allocate(size, False)


cdef void *block_calloc(void *context, size_t count, size_t width) noexcept nogil:
    if width and count > <size_t>-1 // width:
        return NULL
    if count * width < NUMACT_LEAST_BLOCK:
        return NUMPY.calloc(NUMPY.ctx, count, width)
    return numact_block_allocate(count * width, True)


cdef void block_free(void *context, void *memory, size_t size) noexcept nogil:
    # The size decides nothing: an array may have been made smaller or larger since.
    if memory != NULL and not numact_block_free(memory):
        NUMPY.free(NUMPY.ctx, memory, size)


cdef void *block_realloc(void *context, void *memory, size_t size) noexcept nogil:
    cdef size_t found = numact_block_size(memory) if memory != NULL else 0
    cdef void *moved
    if not found:  # a small array stays with NumPy, even when it grows
        return NUMPY.realloc(NUMPY.ctx, memory, size)
    if found // 2 <= size <= found:
        return memory
    moved = numact_block_allocate(size, False)
    if moved != NULL:
        memcpy(moved, memory, min(found, size))
        numact_block_free(memory)
    return moved


if not numact_block_survive_forks():
    raise MemoryError

cdef DataHandler _handler
strcpy(_handler.name, "numact.memory")
_handler.version = 1
_handler.allocator.ctx = NULL
_handler.allocator.malloc, _handler.allocator.calloc = block_malloc, block_calloc
_handler.allocator.realloc, _handler.allocator.free = block_realloc, block_free
cdef object BLOCK_CACHE = PyCapsule_New(&_handler, "mem_handler", NULL)


def use_block_cache():
    """Let new arrays of this context (see contextvars) have their memory from the cache of large blocks.

    Returns
    -------
    PyCapsule
        The allocator that was in use, for `use_allocator`.
    """
    return PyDataMem_SetHandler(BLOCK_CACHE)


def use_allocator(allocator):
    """Let new arrays of this context have their memory from an allocator that `use_block_cache` has returned."""
    PyDataMem_SetHandler(allocator)


def set_block_limit(size_t limit):
    """Set the most bytes that the cache of large blocks holds."""
    with nogil:
        numact_block_limit(limit)


def block_statistics():
    """What the cache of large blocks holds and has done, by name."""
    cdef numact_block_statistics_t found = numact_read_statistics()
    return {
        "limit": found.limit,
        "held": found.held,
        "held_blocks": found.held_blocks,
        "in_use": found.in_use,
        "blocks_in_use": found.blocks_in_use,
        "reused": found.reused,
        "allocated": found.allocated,
    }
