/* pthread_create, malloc and mmap of the runtime, which fail now and then: the linker puts these in their place
   (--wrap). */
#include <errno.h>
#include <sys/mman.h>

#include "schedule.h"

int __real_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
void *__real_malloc(size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

atomic_bool failing;

/* Every other time, while it is wanted. */
static bool fails(void)
{
    static atomic_uint turn;
    return atomic_load(&failing) && atomic_fetch_add(&turn, 1) % 2 == 0;
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    if (!attributes || !fails()) return __real_pthread_create(id, attributes, run, argument); /* callers have none */
    atomic_fetch_add(&counts->creations_refused, 1);
    return EAGAIN;
}

void *__wrap_malloc(size_t size)
{
    if (!fails()) return __real_malloc(size);
    atomic_fetch_add(&counts->allocations_refused, 1);
    return NULL;
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (!fails()) return __real_mmap(address, size, protection, flags, file, offset);
    atomic_fetch_add(&counts->allocations_refused, 1);
    return MAP_FAILED;
}
