/* The floating-point environment around a kernel: computed in the default one (to nearest, subnormals kept, nothing
   trapped), left as it was found. */
#ifndef NUMACT_ENVIRONMENT_H
#define NUMACT_ENVIRONMENT_H

#include <stdbool.h>

#if defined __SSE2__
#include <xmmintrin.h>

typedef unsigned int environment;
enum { ENVIRONMENT_DEFAULT = 0x1F80, ENVIRONMENT_OVERFLOW = 0x8, ENVIRONMENT_OTHER_FLAGS = 0x37 };

/* Writing the register costs as much as computing 100 elements, so it is written only where that changes something; which
   flags but that of an overflow are set makes no difference to a kernel. */
static inline environment environment_enter(void)
{
    environment found = _mm_getcsr();
    if ((found & ~(unsigned)ENVIRONMENT_OTHER_FLAGS) != ENVIRONMENT_DEFAULT) _mm_setcsr(ENVIRONMENT_DEFAULT);
    return found;
}

/* Restores what was found; `overflows` keeps an overflow that has happened since. */
static inline void environment_leave(environment found, bool overflows)
{
    environment now = _mm_getcsr(), left = overflows ? found | (now & ENVIRONMENT_OVERFLOW) : found;
    if (now != left) _mm_setcsr(left);
}

/* Whether an overflow has happened since environment_enter(). */
static inline bool environment_overflow(void) { return _mm_getcsr() & ENVIRONMENT_OVERFLOW; }
static inline void environment_set_overflow(bool happened)
{
    _mm_setcsr((_mm_getcsr() & ~(unsigned)ENVIRONMENT_OVERFLOW) | (happened ? ENVIRONMENT_OVERFLOW : 0));
}

#else
#include <fenv.h>

typedef fenv_t environment;

static inline environment environment_enter(void)
{
    environment found;
    fegetenv(&found);
    fesetenv(FE_DFL_ENV);
    return found;
}

static inline void environment_leave(environment found, bool overflows)
{
    bool happened = overflows && fetestexcept(FE_OVERFLOW);
    fesetenv(&found);
    if (happened) feraiseexcept(FE_OVERFLOW);
}

/* Whether an overflow has happened since environment_enter(). */
static inline bool environment_overflow(void) { return fetestexcept(FE_OVERFLOW); }
static inline void environment_set_overflow(bool happened)
{
    feclearexcept(FE_OVERFLOW);
    if (happened) feraiseexcept(FE_OVERFLOW);
}

#endif
#endif
