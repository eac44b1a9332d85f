/* Which levels this build has and this processor runs, and the one way from NumPy into a kernel. */
#include "environment.h"
#include "numact.h"

#if defined __x86_64__
#include <cpuid.h>
#endif

#define TABLES(level)                                                                                                  \
    .f32 = numact_f32_##level, .f64 = numact_f64_##level, .f16 = numact_f16_##level, .bf16 = numact_bf16_##level,      \
    .axis_f32 = numact_axis_f32_##level, .axis_f64 = numact_axis_f64_##level,                                          \
    .observe_f16 = numact_observe_f16_##level, .observe_bf16 = numact_observe_bf16_##level,                            \
    .observe_f32 = numact_observe_f32_##level, .observe_f64 = numact_observe_f64_##level
#define DECLARE(level)                                                                                                 \
    extern const struct numact_activation numact_f32_##level[], numact_f64_##level[];                                  \
    numact_half_loop numact_f16_##level, numact_bf16_##level;                                                          \
    extern const struct numact_axis_function numact_axis_f32_##level[], numact_axis_f64_##level[];                     \
    numact_observe_loop numact_observe_f16_##level, numact_observe_bf16_##level, numact_observe_f32_##level,           \
        numact_observe_f64_##level;

DECLARE(baseline)
#if defined __x86_64__
DECLARE(v3)
DECLARE(v4)
#endif

#if defined __x86_64__
/* Conversions of float16, of which not every compiler's __builtin_cpu_supports knows. */
static bool has_f16c(void)
{
    unsigned int eax, ebx, ecx = 0, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}
#endif

const struct numact_level *numact_levels(void)
{
    static struct numact_level levels[] = {
        {.name = "baseline", .supported = true, TABLES(baseline)},
#if defined __x86_64__
        {.name = "v3", TABLES(v3)},
        {.name = "v4", TABLES(v4)},
#endif
        {.name = NULL},
    };
#if defined __x86_64__
    /* These also ask whether the operating system saves the registers. */
    levels[1].supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_f16c();
    levels[2].supported = levels[1].supported && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return levels;
}

void numact_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data)
{
    const struct numact_kernel *kernel = data;
    environment found = environment_enter();
    kernel->loop(arrays, dimensions[0], steps);
    environment_leave(found, kernel->overflows);
}

void numact_half_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data)
{
    const struct numact_half_kernel *kernel = data;
    environment found = environment_enter();
    kernel->loop(kernel->f32, arrays, dimensions[0], steps);
    environment_leave(found, kernel->f32->overflows);
}

bool numact_axis_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data)
{
    const struct numact_axis_function *function = data;
    environment found = environment_enter();
    bool done = function->loop(arrays, dimensions, steps);
    environment_leave(found, false);
    return done;
}

bool numact_observe(numact_observe_loop *loop, const struct numact_observation *observation,
                    struct numact_statistics *statistics)
{
    environment found = environment_enter();
    loop(observation, statistics);
    bool overflowed = observation->x && observation->activation->overflows && environment_overflow();
    environment_leave(found, false);
    return overflowed;
}

#if defined __clang__
const char numact_compiler[] = "clang " __clang_version__;
#elif defined __GNUC__
const char numact_compiler[] = "gcc " __VERSION__;
#else
const char numact_compiler[] = "unknown";
#endif
