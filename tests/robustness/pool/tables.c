/* The tables of kernels that csrc/runtime/dispatch.c names, without rows: the schedules bring loops of their own. */
#include "numact.h"

#define TABLES(level)                                                                                                  \
    const struct numact_activation numact_f32_##level[1], numact_f64_##level[1];                                       \
    const struct numact_axis_function numact_axis_f32_##level[1], numact_axis_f64_##level[1];                          \
    const struct numact_masked_function numact_masked_f32_##level[1], numact_masked_f64_##level[1];                    \
    const struct numact_norm_task numact_norm_f32_##level[1], numact_norm_f64_##level[1];                              \
    const struct numact_bias_loops numact_bias_f16_##level, numact_bias_bf16_##level, numact_bias_f32_##level,         \
        numact_bias_f64_##level;                                                                                       \
    const struct numact_conversions numact_conversions_f16_##level, numact_conversions_bf16_##level;                   \
    HALF(numact_f16_##level) HALF(numact_bf16_##level)                                                                 \
    MASKED_HALF(numact_masked_f16_##level) MASKED_HALF(numact_masked_bf16_##level)                                     \
    OBSERVE(numact_observe_f16_##level) OBSERVE(numact_observe_bf16_##level)                                           \
    OBSERVE(numact_observe_f32_##level) OBSERVE(numact_observe_f64_##level)
#define HALF(name)                                                                                                     \
    numact_half_loop name;                                                                                             \
    void name(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides)             \
    {                                                                                                                  \
        (void)f32, (void)arrays, (void)n, (void)strides;                                                               \
    }
#define MASKED_HALF(name)                                                                                              \
    numact_masked_half_loop name;                                                                                      \
    void name(numact_masked_loop *f32, const void *in, uint8_t *bits, void *out, ptrdiff_t n, const void *values)      \
    {                                                                                                                  \
        (void)f32, (void)in, (void)bits, (void)out, (void)n, (void)values;                                             \
    }
#define OBSERVE(name)                                                                                                  \
    numact_observe_loop name;                                                                                          \
    void name(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start, ptrdiff_t stop,           \
              struct numact_statistics *statistics)                                                                    \
    {                                                                                                                  \
        (void)observation, (void)size, (void)start, (void)stop, (void)statistics;                                      \
    }

TABLES(baseline)
TABLES(v3)
TABLES(v4)
