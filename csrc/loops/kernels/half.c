/* float16 and bfloat16: no formula is compiled for them, the float32 kernel of the dispatch target computes on
   blocks that are converted.  Compiled once for every dispatch target, with -DLEVEL=name; exports
   numact_f16_<level>, numact_bf16_<level>, and numact_masked_f16_<level>, numact_masked_bf16_<level> for the
   functions with bit masks, numact_bias_f16_<level>, numact_bias_bf16_<level> for biases. */
#define REAL_BITS 32
#include "runtime/fp_env.h"
#include "simd/half.h"
#include "numact.h"

/* Elements that are converted at a time, and the distance of the prefetches in blocks. */
enum { BLOCK = 256, AHEAD = 2 };

typedef void widen(const half *from, float *to, ptrdiff_t n);
typedef bool narrow(const float *from, half *to, ptrdiff_t n);
typedef bool overflows(const float *from, ptrdiff_t n);

INLINE void copy_strided(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(to + i * to_stride, from + i * from_stride, sizeof(half));
}

INLINE void widen_strided(widen *widen, const char *from, ptrdiff_t stride, float *to, ptrdiff_t n)
{
    if (stride == sizeof(half)) {
        widen((const half *)from, to, n);
        return;
    }
    half packed[BLOCK];
    copy_strided((char *)packed, sizeof(half), from, stride, n);
    widen(packed, to, n);
}

/* n parameters, which are float32 already, side by side. */
INLINE void copy_parameters(const char *from, ptrdiff_t stride, float *to, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(to + i, from + i * stride, sizeof(float));
}

INLINE bool narrow_strided(narrow *narrow, const float *from, char *to, ptrdiff_t stride, ptrdiff_t n)
{
    if (stride == sizeof(half)) return narrow(from, (half *)to, n);
    half packed[BLOCK];
    bool exceptional = narrow(from, packed, n);
    copy_strided(to, stride, (char *)packed, sizeof(half), n);
    return exceptional;
}

/* Prefetches a block of a later iteration: the out-of-order window does not reach it behind the kernel's work on
   this one. */
INLINE void prefetch(const char *block, ptrdiff_t stride)
{
    if (stride == sizeof(half))
        for (size_t byte = 0; byte < BLOCK * sizeof(half); byte += 64)
            __builtin_prefetch(block + byte);
}

/* All operands of a block are read before its results are written, in ascending order: a result may be an operand, or
   lie below one that it overlaps.  An array of one value fills its block once; a parameter of one value keeps the stride
   0, for which the kernels have fast loops. */
INLINE void compute_widened(widen *widen, narrow *narrow, overflows *overflows, const struct numact_kernel *f32,
                            char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides)
{
    _Alignas(64) float blocks[NUMACT_MAX_ARRAYS][BLOCK];
    char *operands[NUMACT_MAX_ARRAYS];
    ptrdiff_t block_strides[NUMACT_MAX_ARRAYS];
    bool filled[NUMACT_MAX_ARRAYS];
    int count = f32->inputs + f32->outputs;
    for (int k = 0; k < count; k++) {
        bool single = k < f32->inputs && strides[k] == 0;
        operands[k] = (char *)blocks[k];
        filled[k] = single;
        block_strides[k] = single && k >= f32->arrays ? 0 : sizeof(float);
        if (single && k < f32->arrays)
            widen_strided(widen, arrays[k], 0, blocks[k], n < BLOCK ? n : BLOCK);
        else if (single)
            copy_parameters(arrays[k], 0, blocks[k], 1);
    }
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t part = n - start < BLOCK ? n - start : BLOCK;
        for (int k = 0; k < f32->inputs; k++) {
            if (filled[k]) continue;
            if (k < f32->arrays)
                widen_strided(widen, arrays[k] + start * strides[k], strides[k], blocks[k], part);
            else
                copy_parameters(arrays[k] + start * strides[k], strides[k], blocks[k], part);
        }
        if (n - start >= (AHEAD + 1) * BLOCK)
            for (int k = 0; k < count; k++)
                prefetch(arrays[k] + (start + AHEAD * BLOCK) * strides[k], strides[k]);
        f32->loop(operands, part, block_strides, false);
        for (int k = f32->inputs; k < count; k++) {
            bool exceptional = narrow_strided(narrow, blocks[k], arrays[k] + start * strides[k], strides[k], part);
            if (exceptional && f32->overflows && overflows(blocks[k], part)) fp_env_set_overflow(true);
        }
    }
}

/* The same for the loops with a bit for each element; the bits of BLOCK elements fill whole bytes. */
INLINE void compute_masked(widen *widen, narrow *narrow, numact_masked_loop *f32, const half *in, uint8_t *bytes,
                           half *out, ptrdiff_t n, const void *values)
{
    _Alignas(64) float block[BLOCK];
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t part = n - start < BLOCK ? n - start : BLOCK;
        widen(in + start, block, part);
        if (n - start >= (AHEAD + 1) * BLOCK) prefetch((const char *)(in + start + AHEAD * BLOCK), sizeof(half));
        f32(block, bytes + start / 8, block, part, values, false);
        narrow(block, out + start, part);
    }
}

/* The loops of loops/bias.h: sums are rounded to 16 bits, those of the gradient are float64. */
INLINE void add_widened(widen *widen, narrow *narrow, half *out, const half *a, const half *b, ptrdiff_t n, bool single)
{
    float sum[BLOCK], addend[BLOCK];
    half value[BLOCK];
    if (single)
        for (int i = 0; i < BLOCK; i++)
            value[i] = *b;
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t part = n - start < BLOCK ? n - start : BLOCK;
        widen(a + start, sum, part);
        widen(single ? value : b + start, addend, part);
        for (ptrdiff_t i = 0; i < part; i++)
            sum[i] += addend[i];
        narrow(sum, out + start, part);
    }
}

INLINE void accumulate_widened(widen *widen, double *sums, const half *x, ptrdiff_t n)
{
    float block[BLOCK];
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t part = n - start < BLOCK ? n - start : BLOCK;
        widen(x + start, block, part);
        for (ptrdiff_t i = 0; i < part; i++)
            sums[start + i] += (double)block[i];
    }
}

INLINE double total_widened(widen *widen, const half *x, ptrdiff_t n)
{
    float block[BLOCK];
    double partial[NUMACT_SUMS] = {0};
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t part = n - start < BLOCK ? n - start : BLOCK;
        widen(x + start, block, part);
        for (ptrdiff_t i = 0; i < part; i++)
            partial[i % NUMACT_SUMS] += (double)block[i];
    }
    return reduce_8(partial) + reduce_8(partial + 8);
}

#define REAL_NAME f16
numact_half_loop SYMBOL(numact);
void SYMBOL(numact)(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides)
{
    compute_widened(f16_widen, f16_narrow, f16_overflows, f32, arrays, n, strides);
}
numact_masked_half_loop SYMBOL(numact_masked);
void SYMBOL(numact_masked)(numact_masked_loop *f32, const void *in, uint8_t *bytes, void *out, ptrdiff_t n,
                           const void *values)
{
    compute_masked(f16_widen, f16_narrow, f32, in, bytes, out, n, values);
}
static void SYMBOL(add)(void *out, const void *a, const void *b, ptrdiff_t n, bool single)
{
    add_widened(f16_widen, f16_narrow, out, a, b, n, single);
}
static void SYMBOL(accumulate)(double *sums, const void *x, ptrdiff_t n) { accumulate_widened(f16_widen, sums, x, n); }
static double SYMBOL(total)(const void *x, ptrdiff_t n) { return total_widened(f16_widen, x, n); }
extern const struct numact_bias_loops SYMBOL(numact_bias);
const struct numact_bias_loops SYMBOL(numact_bias) = {SYMBOL(add), SYMBOL(accumulate), SYMBOL(total)};

static void SYMBOL(widen)(const void *from, float *to, ptrdiff_t n) { f16_widen(from, to, n); }
static void SYMBOL(narrow)(const float *from, void *to, ptrdiff_t n) { f16_narrow(from, to, n); }
extern const struct numact_conversions SYMBOL(numact_conversions);
const struct numact_conversions SYMBOL(numact_conversions) = {SYMBOL(widen), SYMBOL(narrow)};


#undef REAL_NAME
#define REAL_NAME bf16
numact_half_loop SYMBOL(numact);
void SYMBOL(numact)(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides)
{
    compute_widened(bf16_widen, bf16_narrow, bf16_overflows, f32, arrays, n, strides);
}
numact_masked_half_loop SYMBOL(numact_masked);
void SYMBOL(numact_masked)(numact_masked_loop *f32, const void *in, uint8_t *bytes, void *out, ptrdiff_t n,
                           const void *values)
{
    compute_masked(bf16_widen, bf16_narrow, f32, in, bytes, out, n, values);
}
static void SYMBOL(add)(void *out, const void *a, const void *b, ptrdiff_t n, bool single)
{
    add_widened(bf16_widen, bf16_narrow, out, a, b, n, single);
}
static void SYMBOL(accumulate)(double *sums, const void *x, ptrdiff_t n) { accumulate_widened(bf16_widen, sums, x, n); }
static double SYMBOL(total)(const void *x, ptrdiff_t n) { return total_widened(bf16_widen, x, n); }
extern const struct numact_bias_loops SYMBOL(numact_bias);
const struct numact_bias_loops SYMBOL(numact_bias) = {SYMBOL(add), SYMBOL(accumulate), SYMBOL(total)};

static void SYMBOL(widen)(const void *from, float *to, ptrdiff_t n) { bf16_widen(from, to, n); }
static void SYMBOL(narrow)(const float *from, void *to, ptrdiff_t n) { bf16_narrow(from, to, n); }
extern const struct numact_conversions SYMBOL(numact_conversions);
const struct numact_conversions SYMBOL(numact_conversions) = {SYMBOL(widen), SYMBOL(narrow)};
