/* The dispatch targets of this build that the processor supports, and the one way from NumPy into a kernel. */
#if defined __linux__ && !defined _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* system.h maps memory */
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "numact.h"
#include "runtime/fp_env.h"
#include "runtime/operands.h"
#include "runtime/stores.h"
#include "runtime/system.h"
#include "runtime/thread_pool.h"

#if defined __x86_64__
#include <cpuid.h>
#endif

#define TABLES(level)                                                                                                  \
    .f32 = numact_f32_##level, .f64 = numact_f64_##level, .f16 = numact_f16_##level, .bf16 = numact_bf16_##level,      \
    .axis_f32 = numact_axis_f32_##level, .axis_f64 = numact_axis_f64_##level,                                          \
    .masked_f32 = numact_masked_f32_##level, .masked_f64 = numact_masked_f64_##level,                                  \
    .masked_f16 = numact_masked_f16_##level, .masked_bf16 = numact_masked_bf16_##level,                                \
    .norm_f32 = numact_norm_f32_##level, .norm_f64 = numact_norm_f64_##level,                                          \
    .observe_f16 = numact_observe_f16_##level, .observe_bf16 = numact_observe_bf16_##level,                            \
    .observe_f32 = numact_observe_f32_##level, .observe_f64 = numact_observe_f64_##level,                              \
    .bias_f16 = &numact_bias_f16_##level, .bias_bf16 = &numact_bias_bf16_##level,                                      \
    .bias_f32 = &numact_bias_f32_##level, .bias_f64 = &numact_bias_f64_##level,                                        \
    .conversions_f16 = &numact_conversions_f16_##level, .conversions_bf16 = &numact_conversions_bf16_##level
#define DECLARE(level)                                                                                                 \
    extern const struct numact_activation numact_f32_##level[], numact_f64_##level[];                                  \
    numact_half_loop numact_f16_##level, numact_bf16_##level;                                                          \
    extern const struct numact_axis_function numact_axis_f32_##level[], numact_axis_f64_##level[];                     \
    extern const struct numact_masked_function numact_masked_f32_##level[], numact_masked_f64_##level[];               \
    numact_masked_half_loop numact_masked_f16_##level, numact_masked_bf16_##level;                                     \
    extern const struct numact_norm_task numact_norm_f32_##level[], numact_norm_f64_##level[];                         \
    numact_observe_loop numact_observe_f16_##level, numact_observe_bf16_##level, numact_observe_f32_##level,           \
        numact_observe_f64_##level;                                                                                    \
    extern const struct numact_bias_loops numact_bias_f16_##level, numact_bias_bf16_##level, numact_bias_f32_##level,  \
        numact_bias_f64_##level;                                                                                       \
    extern const struct numact_conversions numact_conversions_f16_##level, numact_conversions_bf16_##level;

/* A build for development may leave out the others (setup.py). */
#if defined __x86_64__ && !defined NUMACT_BASELINE_ONLY
#define HAS_TARGETS
#endif

DECLARE(baseline)
#if defined HAS_TARGETS
DECLARE(v3)
DECLARE(v4)
#endif

#if defined HAS_TARGETS
/* What the processor has and the operating system saves: registers of AVX, and of AVX-512.  CPUID is asked directly:
   __builtin_cpu_supports does not know every feature in every compiler, and needs a library of clang's on Windows. */
struct features {
    unsigned int leaf1_ecx, leaf7_ebx, extended_ecx; /* 0 where the leaf does not exist */
    unsigned int saved;                              /* XCR0 */
};

static struct features features(void)
{
    struct features found = {0, 0, 0, 0};
    unsigned int eax, ebx, ecx, edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) found.leaf1_ecx = ecx;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) found.leaf7_ebx = ebx;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx)) found.extended_ecx = ecx;
    if (found.leaf1_ecx & bit_OSXSAVE) {
        unsigned int high;
        __asm__("xgetbv" : "=a"(found.saved), "=d"(high) : "c"(0));
    }
    return found;
}

static bool has_all(unsigned int found, unsigned int wanted) { return (found & wanted) == wanted; }
#endif

static struct numact_level levels[] = {
    {.name = "baseline", .supported = true, TABLES(baseline)},
#if defined HAS_TARGETS
    {.name = "v3", TABLES(v3)},
    {.name = "v4", TABLES(v4)},
#endif
    {.name = NULL},
};

static void find_supported(void)
{
#if defined HAS_TARGETS
    enum { SAVES_AVX = 0x06, SAVES_AVX512 = 0xE6 };
    const struct features found = features();
    levels[1].supported = has_all(found.saved, SAVES_AVX) &&
                          has_all(found.leaf1_ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
                          has_all(found.leaf7_ebx, bit_AVX2 | bit_BMI | bit_BMI2) &&
                          has_all(found.extended_ecx, bit_LZCNT);
    levels[2].supported = levels[1].supported && has_all(found.saved, SAVES_AVX512) &&
                          has_all(found.leaf7_ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL);
#endif
}

const struct numact_level *numact_levels(void)
{
    static system_once once = SYSTEM_ONCE_INITIALIZER; /* on a virtual machine CPUID takes 30 us */
    system_call_once(&once, find_supported);
    return levels;
}

/* A loop with a bit for each element, for several threads. */
struct masked_pass {
    numact_masked_half_loop *half_loop; /* NULL: the kernel's own */
    numact_masked_loop *loop;
    ptrdiff_t width;
    const char *in;
    uint8_t *bits;
    char *out;
    const void *values;
    bool non_temporal;
};

static void compute_masked(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct masked_pass *pass = context;
    const char *in = pass->in + start * pass->width;
    char *out = pass->out + start * pass->width;
    if (pass->half_loop)
        pass->half_loop(pass->loop, in, pass->bits + start / 8, out, stop - start, pass->values);
    else
        pass->loop(in, pass->bits + start / 8, out, stop - start, pass->values, pass->non_temporal);
}

void numact_run_masked(numact_masked_half_loop *half_loop, numact_masked_loop *loop, ptrdiff_t width, const void *in,
                       uint8_t *bits, void *out, ptrdiff_t n, const void *values)
{
    enum { WHOLE_BITS = 512 }; /* the bits of a cache line */
    fp_env found = fp_env_enter();
    struct masked_pass pass = {half_loop, loop, width, in, bits, out, values, false};
    numact_parallel_stores(compute_masked, &pass, &pass.non_temporal, n, GRAIN, WHOLE_BITS, out, n * width,
                           half_loop || in == out ? 0 : 2 * n * width);
    fp_env_leave(found, false);
}

/* A conversion, for several threads. */
struct conversion {
    const struct numact_conversions *conversions;
    const char *from;
    char *to;
};

static void widen_part(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct conversion *c = context;
    c->conversions->widen(c->from + start * (ptrdiff_t)sizeof(uint16_t), (float *)c->to + start, stop - start);
}

static void narrow_part(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct conversion *c = context;
    c->conversions->narrow((const float *)c->from + start, c->to + start * (ptrdiff_t)sizeof(uint16_t), stop - start);
}

static void convert(numact_part *part, struct conversion conversion, ptrdiff_t n)
{
    fp_env found = fp_env_enter();
    numact_parallel(part, &conversion, n, GRAIN, WHOLE);
    fp_env_leave(found, false);
}

void numact_widen(const struct numact_conversions *conversions, const void *from, float *to, ptrdiff_t n)
{
    convert(widen_part, (struct conversion){conversions, from, (char *)to}, n);
}

void numact_narrow(const struct numact_conversions *conversions, const float *from, void *to, ptrdiff_t n)
{
    convert(narrow_part, (struct conversion){conversions, (const char *)from, to}, n);
}

/* A task of a normalisation, for several threads. */
struct norm_run {
    const struct numact_norm_task *task;
    const struct numact_norm *call;
};

static void compute_norm(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct norm_run *run = context;
    run->task->run(run->call, start, stop);
}

void numact_norm_run(const struct numact_norm_task *task, const struct numact_norm *call)
{
    struct norm_run run = {task, call};
    const ptrdiff_t units = task->units(call), elements = call->samples * call->channels * call->positions;
    if (units == 0) return;
    fp_env found = fp_env_enter();
    numact_parallel(compute_norm, &run, units, GRAIN / (elements / units + 1) + 1, 1);
    fp_env_leave(found, false);
}

/* Statistics for several threads: of each chunk of the array, then added in order, so that the sums do not depend on
   which thread computes which chunk. */
struct observe_run {
    numact_observe_loop *loop;
    const struct numact_observation *observation;
    ptrdiff_t chunk;    /* blocks of a chunk */
    struct numact_statistics *chunks;
};

static void compute_observation(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct observe_run *run = context;
    run->loop(run->observation, run->chunk, start, stop, run->chunks);
}

/* Adds the statistics of other elements; mean and squared deviations by Chan, Golub and LeVeque (1979). */
static void add_statistics(struct numact_statistics *s, const struct numact_statistics *more)
{
    if (s->finite && more->finite) {
        double share = (double)more->finite / (double)(s->finite + more->finite);
        double difference = (more->origin - s->origin) + (more->deviation - s->deviation);
        s->deviation += share * difference;
        s->squares += more->squares + (double)s->finite * share * difference * difference;
    } else if (more->finite) {
        s->origin = more->origin;
        s->deviation = more->deviation;
        s->squares = more->squares;
    }
    s->finite += more->finite;
    s->zeros += more->zeros;
    s->saturated += more->saturated;
    s->nan += more->nan;
    s->infinite += more->infinite;
}

int numact_observe(numact_observe_loop *loop, const struct numact_observation *observation,
                   struct numact_statistics *statistics)
{
    const ptrdiff_t length = observation->shape[observation->dimensions - 1];
    ptrdiff_t blocks = (length + NUMACT_BLOCK - 1) / NUMACT_BLOCK;
    for (int k = 0; k < observation->dimensions - 1; k++)
        blocks *= observation->shape[k];
    const ptrdiff_t chunk = NUMACT_CHUNK / (length < NUMACT_BLOCK ? length : NUMACT_BLOCK);
    const ptrdiff_t count = (blocks + chunk - 1) / chunk;
    struct numact_observation call = *observation;
    const ptrdiff_t bytes = blocks * (length < NUMACT_BLOCK ? length : NUMACT_BLOCK) * (call.x ? call.activation->width : 0);
    call.non_temporal = call.x && numact_is_large(call.y, bytes, 2 * bytes);
    struct observe_run run = {loop, &call, chunk, malloc((size_t)count * sizeof *run.chunks)};
    if (!run.chunks) return -1;
    fp_env found = fp_env_enter();
    numact_parallel(compute_observation, &run, count, 1, 1);
    bool overflowed = observation->x && observation->activation->overflows && fp_env_overflow();
    fp_env_leave(found, false);
    for (ptrdiff_t k = 0; k < count; k++)
        add_statistics(statistics, &run.chunks[k]);
    free(run.chunks);
    return overflowed;
}

#if defined __clang__
const char numact_compiler[] = "clang " __clang_version__;
#elif defined __GNUC__
const char numact_compiler[] = "gcc " __VERSION__;
#else
const char numact_compiler[] = "unknown";
#endif
