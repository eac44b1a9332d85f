/* The floating-point environment (fenv) around a kernel.  Kernels compute in the default one (round to nearest,
   subnormals kept, exceptions masked); afterwards it is what it was before. */
#ifndef NUMACT_RUNTIME_FP_ENV_H
#define NUMACT_RUNTIME_FP_ENV_H

#include <stdbool.h>

#if defined __SSE2__
#include <xmmintrin.h>

typedef unsigned int fp_env;
enum { FP_ENV_DEFAULT = 0x1F80, FP_ENV_OVERFLOW = 0x8, FP_ENV_OTHER_FLAGS = 0x37 };

/* Writing MXCSR costs as much as computing 100 elements, so it is written only if control bits or the overflow flag
   differ; the other exception flags have no influence on a kernel. */
static inline fp_env fp_env_enter(void)
{
    fp_env found = _mm_getcsr();
    if ((found & ~(unsigned)FP_ENV_OTHER_FLAGS) != FP_ENV_DEFAULT) _mm_setcsr(FP_ENV_DEFAULT);
    return found;
}

/* Restores the environment; with `overflows`, an overflow flag raised since then is kept. */
static inline void fp_env_leave(fp_env found, bool overflows)
{
    fp_env now = _mm_getcsr(), left = overflows ? found | (now & FP_ENV_OVERFLOW) : found;
    if (now != left) _mm_setcsr(left);
}

/* Whether an overflow has happened since fp_env_enter(). */
static inline bool fp_env_overflow(void) { return _mm_getcsr() & FP_ENV_OVERFLOW; }
static inline void fp_env_set_overflow(bool happened)
{
    _mm_setcsr((_mm_getcsr() & ~(unsigned)FP_ENV_OVERFLOW) | (happened ? FP_ENV_OVERFLOW : 0));
}

#else
#include <fenv.h>

typedef fenv_t fp_env;

static inline fp_env fp_env_enter(void)
{
    fp_env found;
    fegetenv(&found);
    fesetenv(FE_DFL_ENV);
    return found;
}

static inline void fp_env_leave(fp_env found, bool overflows)
{
    bool happened = overflows && fetestexcept(FE_OVERFLOW);
    fesetenv(&found);
    if (happened) feraiseexcept(FE_OVERFLOW);
}

/* Whether an overflow has happened since fp_env_enter(). */
static inline bool fp_env_overflow(void) { return fetestexcept(FE_OVERFLOW); }
static inline void fp_env_set_overflow(bool happened)
{
    feclearexcept(FE_OVERFLOW);
    if (happened) feraiseexcept(FE_OVERFLOW);
}

#endif
#endif
