/* The floating-point environment around a kernel: computed in the default one (to nearest, subnormals kept, nothing
   trapped), left as it was found. */
#ifndef NUMACT_ENVIRONMENT_H
#define NUMACT_ENVIRONMENT_H

#include <stdbool.h>

#if defined __SSE2__
#include <xmmintrin.h>

typedef unsigned int environment;
enum { ENVIRONMENT_DEFAULT = 0x1F80, ENVIRONMENT_OVERFLOW = 0x8 };

static inline environment environment_enter(void)
{
    environment found = _mm_getcsr();
    _mm_setcsr(ENVIRONMENT_DEFAULT);
    return found;
}

/* Restores what was found; `overflows` keeps an overflow that has happened since. */
static inline void environment_leave(environment found, bool overflows)
{
    _mm_setcsr(overflows ? found | (_mm_getcsr() & ENVIRONMENT_OVERFLOW) : found);
}

static inline void environment_raise_overflow(void) { _mm_setcsr(_mm_getcsr() | ENVIRONMENT_OVERFLOW); }

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

static inline void environment_raise_overflow(void) { feraiseexcept(FE_OVERFLOW); }

#endif
#endif
