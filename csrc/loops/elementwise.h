/* The loops over elements: forward, gradient, gradient from the output and gradient with at_zero= of every activation
   of the list, forward and gradient of every gated function, and the table that the object exports.

   The loops are written once.  They call a formula through a pointer that is a constant after inlining, so that each
   instance is compiled around its formula. */
#ifndef NUMACT_LOOPS_ELEMENTWISE_H
#define NUMACT_LOOPS_ELEMENTWISE_H

#include "formulas/activations.h"
#include "simd/real.h"
#include "runtime/fp_env.h"
#include "formulas/gated.h"
#include "numact.h"
#include "simd/non_temporal.h"

enum { OPERANDS = 7, RESULTS = 2, BLOCK = 512 };

/* Prefetches the input AHEAD bytes further on: beyond the caches the hardware prefetcher alone is late.  Not in
   loops over scalars, which the compiler could then not vectorise, nor over vectors of 16 bytes, four of which share
   a cache line. */
enum { AHEAD = 4096 };
INLINE void prefetch_ahead(const scalar *p)
{
    if (sizeof(real) > 16) __builtin_prefetch((const char *)p + AHEAD);
}

typedef void formula(const real *operand, real *result);
typedef mask condition(const real *operand);
typedef lanes careful(ptrdiff_t vectors, const real *single, const scalar *const *in, scalar *const *out,
                      ptrdiff_t start);

#define UNROLL_FEW _Pragma("GCC unroll 7")

/* The lanes where finite operands have an infinite result.  The processor's overflow flag cannot be used: the compiler
   also evaluates the branch that select() drops. */
INLINE lanes overflowed(int operands, int results, const real *operand, const real *result)
{
    real zero = splat(0); /* a NaN where an operand is infinite or NaN */
    lanes seen = 0;
    UNROLL_FEW
    for (int k = 0; k < operands; k++)
        zero = zero + 0 * operand[k];
    UNROLL_FEW
    for (int k = 0; k < results; k++)
        seen |= lanes_from_mask(gt(absolute(result[k]) + zero, LARGEST));
    return seen;
}

/* A function of the list.  Its first `varying` operands are arrays, the others one value each (stride 0). */
struct shape {
    formula *f;
    int varying, operands, results;
    bool reports_overflow; /* sets the overflow flag if a finite input has an infinite result */
    int unroll; /* vectors that are interleaved: several where a formula is a long chain of dependent instructions */
    bool non_temporal; /* stores past the cache: of a single result that is not an operand */
    condition *ordinary; /* unless it is NULL, f holds in these lanes, and `extreme` in the others */
    formula *extreme;
    careful *carefully;  /* compute_carefully() of this shape, if it has extremes or reports an overflow */
};

/* result = f(operand), extremes included. */
INLINE void apply(struct shape s, const real *operand, real *result)
{
    s.f(operand, result);
    if (!s.ordinary || all(s.ordinary(operand))) return;
    real extreme[RESULTS];
    s.extreme(operand, extreme);
    UNROLL_FEW
    for (int k = 0; k < s.results; k++)
        result[k] = select(s.ordinary(operand), result[k], extreme[k]);
}

/* out[0][i], ... = f(in[0][i], in[1][i], ...) for n < LANES elements from `start` on; single[] holds the operands from
   `varying` on.  Returns the lanes that have overflowed, where that is reported. */
INLINE lanes compute_partial(struct shape s, const real *single, const scalar *const *in, scalar *const *out,
                             ptrdiff_t start, ptrdiff_t n)
{
    real operand[OPERANDS], result[RESULTS];
    UNROLL_FEW
    for (int k = 0; k < s.operands; k++)
        operand[k] = k < s.varying ? load_part(in[k] + start, n) : single[k];
    apply(s, operand, result);
    UNROLL_FEW
    for (int k = 0; k < s.results; k++)
        store_part(out[k] + start, result[k], n);
    return s.reports_overflow ? overflowed(s.operands, s.results, operand, result) : 0;
}

/* The same for whole vectors of which one needs care: a lane that is not ordinary, or an infinite result.  Outside the
   loop that meets them, whose registers it would take, and which need not keep the operands: they are loaded again. */
INLINE lanes compute_carefully(struct shape s, ptrdiff_t vectors, const real *single, const scalar *const *in,
                               scalar *const *out, ptrdiff_t start)
{
    lanes seen = 0;
    for (ptrdiff_t i = start; i < start + vectors * LANES; i += LANES)
        seen |= compute_partial(s, single, in, out, i, LANES);
    return seen;
}

/* The same for `unroll` whole vectors, interleaved.  In a latency-bound formula an instruction waits for the one
   before it, and the out-of-order window is too short to reach the next vector; their instructions are independent
   of each other. */
INLINE lanes compute_vectors(struct shape s, int unroll, const real *single, const scalar *const *in,
                             scalar *const *out, ptrdiff_t start, bool non_temporal)
{
    real operand[UNROLL_FACTOR][OPERANDS], result[UNROLL_FACTOR][RESULTS];
    lanes seen = 0;
    UNROLL_FEW
    for (int t = 0; t < unroll; t++) {
        UNROLL_FEW
        for (int k = 0; k < s.operands; k++) {
            if (k < s.varying) prefetch_ahead(in[k] + start + t * LANES);
            operand[t][k] = k < s.varying ? load(in[k] + start + t * LANES) : single[k];
        }
    }
    if (LANES > 1 && s.ordinary) {
        mask ordinary = s.ordinary(operand[0]);
        UNROLL_FEW
        for (int t = 1; t < unroll; t++)
            ordinary = both(ordinary, s.ordinary(operand[t]));
        if (__builtin_expect(!all(ordinary), 0)) return s.carefully(unroll, single, in, out, start);
    }
    UNROLL_FEW
    for (int t = 0; t < unroll; t++)
        if (LANES > 1)
            s.f(operand[t], result[t]);
        else
            apply(s, operand[t], result[t]);
    if (LANES > 1 && s.reports_overflow) {
        mask finite = le(absolute(result[0][0]), LARGEST);
        UNROLL_FEW
        for (int t = 0; t < unroll; t++) {
            UNROLL_FEW
            for (int k = 0; k < s.results; k++)
                finite = both(finite, le(absolute(result[t][k]), LARGEST));
        }
        if (__builtin_expect(!all(finite), 0)) return s.carefully(unroll, single, in, out, start);
    }
    UNROLL_FEW
    for (int t = 0; t < unroll; t++) {
        UNROLL_FEW
        for (int k = 0; k < s.results; k++)
            store_with_hint(out[k] + start + t * LANES, result[t][k], non_temporal);
        if (LANES == 1 && s.reports_overflow) seen |= overflowed(s.operands, s.results, operand[t], result[t]);
    }
    return seen;
}

/* The same for any number of elements of contiguous memory.  A result may be an operand, or lie below one that it
   overlaps: vectors are read before they are written, in ascending order. */
INLINE lanes compute(struct shape s, const scalar *const *in, scalar *const *out, ptrdiff_t n)
{
    real operand[OPERANDS];
    lanes seen = 0;
    UNROLL_FEW
    for (int k = s.varying; k < s.operands; k++)
        operand[k] = splat(in[k][0]);
    ptrdiff_t i = 0;
    bool aligned = LANES > 1 && n >= 8 * LANES, non_temporal = s.non_temporal && aligned && s.results == 1;
    UNROLL_FEW
    for (int k = 0; k < s.varying; k++)
        non_temporal &= in[k] != out[0];
    if (aligned) {
        /* NumPy aligns arrays to 16 bytes; stores across cache lines cost a fifth of the speed. */
        i = elements_to_alignment(out[0]);
        if (i) seen |= compute_partial(s, operand, in, out, 0, i);
    }
    if (s.unroll > 1)
        for (; i <= n - s.unroll * LANES; i += s.unroll * LANES)
            seen |= compute_vectors(s, s.unroll, operand, in, out, i, non_temporal);
#pragma GCC ivdep
    for (; i <= n - LANES; i += LANES)
        seen |= compute_vectors(s, 1, operand, in, out, i, non_temporal);
    if (non_temporal) fence_non_temporal();
    if (LANES > 1 && i < n) seen |= compute_partial(s, operand, in, out, i, n - i);
    return seen;
}

INLINE void copy_strided(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(to + i * to_stride, from + i * from_stride, sizeof(scalar));
}

/* Once, not in every loop: this is not what its speed depends on. */
static __attribute__((noinline)) void fill(scalar *block, const char *value, ptrdiff_t n)
{
    copy_strided((char *)block, sizeof(scalar), value, 0, n);
}

/* The same for any strides.  Contiguous arrays are read and written in place; an array of one value (stride 0) fills a
   block on the stack once; others are copied to such blocks and back.  Where all are contiguous, they are a single
   block, so that the formula is compiled once for all. */
INLINE lanes compute_blocked(struct shape s, bool contiguous, char *const *arrays, ptrdiff_t n,
                             const ptrdiff_t *strides)
{
    scalar block[OPERANDS + RESULTS][BLOCK];
    const scalar *in[OPERANDS];
    scalar *out[RESULTS];
    lanes seen = 0;
    ptrdiff_t size = contiguous ? n : BLOCK;
    UNROLL_FEW
    for (int k = 0; k < s.operands; k++) {
        in[k] = (const scalar *)arrays[k];
        if (!contiguous && k < s.varying && strides[k] != sizeof(scalar)) {
            in[k] = block[k];
            if (strides[k] == 0) fill(block[k], arrays[k], n < size ? n : size);
        }
    }
    UNROLL_FEW
    for (int k = 0; k < s.results; k++)
        out[k] = contiguous || strides[s.operands + k] == sizeof(scalar) ? (scalar *)arrays[s.operands + k]
                                                                         : block[s.operands + k];
    for (ptrdiff_t start = 0; start < n; start += size) {
        ptrdiff_t count = n - start < size ? n - start : size;
        UNROLL_FEW
        for (int k = 0; k < s.varying; k++)
            if (!contiguous && strides[k] != sizeof(scalar) && strides[k] != 0)
                copy_strided((char *)block[k], sizeof(scalar), arrays[k] + start * strides[k], strides[k], count);
        seen |= compute(s, in, out, count);
        UNROLL_FEW
        for (int k = 0; k < s.varying; k++)
            if (in[k] != block[k]) in[k] += count;
        UNROLL_FEW
        for (int k = 0; k < s.results; k++) {
            const ptrdiff_t stride = strides[s.operands + k];
            if (out[k] != block[s.operands + k])
                out[k] += count;
            else
                copy_strided(arrays[s.operands + k] + start * stride, stride, (char *)out[k], sizeof(scalar), count);
        }
    }
    return seen;
}

/* The inner loop of a function: arrays, then parameters, which are one value each in most calls.  Parameters that vary
   are treated as arrays, block by block. */
INLINE void inner_loop(struct shape s, char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides, bool non_temporal)
{
    bool contiguous = true, single = true, found = s.reports_overflow && fp_env_overflow();
    for (int k = 0; k < s.operands + s.results; k++)
        if (k >= s.varying && k < s.operands)
            single &= strides[k] == 0;
        else
            contiguous &= strides[k] == sizeof(scalar);
    s.non_temporal = non_temporal && contiguous;
    lanes seen;
    if (s.varying == s.operands || single || n == 1) {
        seen = compute_blocked(s, contiguous || n == 1, arrays, n, strides);
    } else {
        s.varying = s.operands;
        s.non_temporal = false;
        seen = compute_blocked(s, false, arrays, n, strides);
    }
    if (s.reports_overflow) fp_env_set_overflow(found || seen);
}

/* LOOP defines the inner loop of the formula `call` of the operands o[], say elu_grad_f32_v4. */
#define LOOP(function, varying_, operands_, unroll_, call)                                                             \
    INLINE void function##_of(const real *o, real *r) { r[0] = call; }                                                 \
    LOOP_OF_SHAPE(function, .varying = varying_, .operands = operands_, .results = 1, .unroll = unroll_)
#define LOOP_OF_SHAPE(function, ...)                                                                                   \
    static void SYMBOL(function)(char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides, bool non_temporal)        \
    {                                                                                                                  \
        const struct shape s = {.f = function##_of, __VA_ARGS__};                                                      \
        inner_loop(s, arrays, n, strides, non_temporal);                                                               \
    }
#define LATENCY_BOUND UNROLL_FACTOR
#define THROUGHPUT_BOUND 1
/* More would not stay in the registers beside the operands of a gate. */
enum { UNROLL_GATES = UNROLL_FACTOR < 2 ? UNROLL_FACTOR : 2 };

#define LOOP_FROM_OUTPUT(name, count, latency_bound)                                                                   \
    LOOP(name##_grad_y, 2, 2 + count, latency_bound, name##_grad_y(o[0], o[1] PARAMETERS_##count(o + 2)))
#define LOOP_FROM_INPUT(name, count, latency_bound)
#define LOOP_KINK(name, count, latency_bound)                                                                          \
    LOOP(name##_grad_at_zero, 2, 3 + count, latency_bound,                                                             \
         select(eq(o[1], 0), o[0] * o[2 + count], name##_grad(o[0], o[1] PARAMETERS_##count(o + 2))))
#define LOOP_SMOOTH(name, count, latency_bound)

#define LOOPS(name, count, source, kink, overflows, latency_bound, ...)                                                \
    LOOP(name##_forward, 1, 1 + count, latency_bound, name##_forward(o[0] PARAMETERS_##count(o + 1)))                  \
    LOOP(name##_grad, 2, 2 + count, latency_bound, name##_grad(o[0], o[1] PARAMETERS_##count(o + 2)))                  \
    LOOP_##source(name, count, latency_bound)                                                                          \
    LOOP_##kink(name, count, latency_bound)

#define KERNEL_FROM_OUTPUT(name, count, overflows) {SYMBOL(name##_grad_y), 2 + count, 1, overflows, sizeof(scalar), 2}
#define KERNEL_FROM_INPUT(name, count, overflows) {.loop = NULL}
#define KERNEL_KINK(name, count, overflows) {SYMBOL(name##_grad_at_zero), 3 + count, 1, overflows, sizeof(scalar), 2}
#define KERNEL_SMOOTH(name, count, overflows) {.loop = NULL}
#define OVERFLOWS true
#define BOUNDED false

#define TABLE_ROW(function, count, source, kink, overflows, latency_bound, ...)                                        \
    {.name = #function, .family = "elementwise", .arguments = "x", .parameter_count = count, __VA_ARGS__,              \
     .kernels = {{SYMBOL(function##_forward), 1 + count, 1, overflows, sizeof(scalar), 1},                             \
                 {SYMBOL(function##_grad), 2 + count, 1, overflows, sizeof(scalar), 2},                                \
                 KERNEL_##source(function, count, overflows), KERNEL_##kink(function, count, overflows)}},

/* The functions of gated.h, on operands in an array; PLAIN ones are ordinary everywhere. */
#define OF_PLAIN(name)
#define OF_EXTREMES(name)                                                                                              \
    INLINE mask name##_ordinary_of(const real *o) { return name##_ordinary(o[0], o[1]); }                              \
    INLINE void name##_extreme_of(const real *o, real *r) { r[0] = name##_extreme(o[0], o[1]); }                       \
    INLINE mask name##_grad_ordinary_of(const real *o) { return name##_grad_ordinary(o[0], o[1], o[2]); }              \
    INLINE void name##_grad_extreme_of(const real *o, real *r)                                                         \
    {                                                                                                                  \
        store_gradients(name##_grad_extreme(o[0], o[1], o[2]), r);                                                     \
    }
#define WITH_PLAIN(function) .ordinary = NULL
#define WITH_EXTREMES(function) .ordinary = function##_ordinary_of, .extreme = function##_extreme_of
INLINE void store_gradients(struct gradients d, real *r)
{
    r[0] = d.first;
    r[1] = d.second;
}

#define GATED_LOOP(function, count, unroll_, ...)                                                                       \
    static __attribute__((noinline)) lanes SYMBOL(function##_carefully)(                                               \
        ptrdiff_t vectors, const real *single, const scalar *const *in, scalar *const *out, ptrdiff_t start)           \
    {                                                                                                                  \
        const struct shape s = {.f = function##_of, .varying = count, .operands = count, .results = count - 1,         \
                                .reports_overflow = true, __VA_ARGS__};                                                \
        return compute_carefully(s, vectors, single, in, out, start);                                                  \
    }                                                                                                                  \
    LOOP_OF_SHAPE(function, .varying = count, .operands = count, .results = count - 1, .reports_overflow = true,       \
                  .unroll = unroll_, .carefully = SYMBOL(function##_carefully), __VA_ARGS__)

#define GATED_LOOPS(name, latency, extremes, ...)                                                                      \
    OF_##extremes(name)                                                                                                \
    INLINE void name##_forward_of(const real *o, real *r) { r[0] = name##_forward(o[0], o[1]); }                       \
    INLINE void name##_grad_of(const real *o, real *r) { store_gradients(name##_grad(o[0], o[1], o[2]), r); }          \
    GATED_LOOP(name##_forward, 2, latency, WITH_##extremes(name))                                                       \
    GATED_LOOP(name##_grad, 3, UNROLL_GATES, WITH_##extremes(name##_grad))

#define GATED_ROW(function, latency_bound, extremes, ...)                                                                        \
    {.name = #function, .family = "gated", __VA_ARGS__,                                                                \
     .kernels = {{SYMBOL(function##_forward), 2, 1, true, sizeof(scalar), 2},                                          \
                 {SYMBOL(function##_grad), 3, 2, true, sizeof(scalar), 3}}},

ACTIVATIONS(LOOPS)
GATED(GATED_LOOPS)

extern const struct numact_activation SYMBOL(numact)[];
const struct numact_activation SYMBOL(numact)[] = {ACTIVATIONS(TABLE_ROW) GATED(GATED_ROW){.name = NULL}};

#endif
