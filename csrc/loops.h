/* The only loops: every activation of the list times {forward, gradient, gradient from the output, gradient with a chosen
   value at zero}, and the table that the object exports.

   A function of the list is called through a pointer that is a constant after inlining, so each loop is compiled around
   its formula. */
#ifndef NUMACT_LOOPS_H
#define NUMACT_LOOPS_H

#include "activations.h"
#include "arithmetic.h"
#include "numact.h"

enum { OPERANDS = 6, BLOCK = 256 };

typedef real formula(const real *operand);

#define UNROLL_OPERANDS _Pragma("GCC unroll 6")

/* out[i] = f(in[0][i], in[1][i], ...) for fewer than LANES elements, from `start`; the operands from `varying` on stand
   in operand[] already. */
INLINE void compute_part(formula *f, int varying, real *operand, const scalar *const *in, scalar *out, ptrdiff_t start,
                         ptrdiff_t n)
{
    UNROLL_OPERANDS
    for (int k = 0; k < varying; k++)
        operand[k] = load_part(in[k] + start, n);
    store_part(out + start, f(operand), n);
}

/* The same for any number of elements of contiguous memory; the operands from `varying` on are one value each.  `out` may
   be an operand, or lie below one that it overlaps: a vector is read before it is written, in ascending order. */
INLINE void compute(formula *f, int varying, int operands, const scalar *const *in, scalar *out, ptrdiff_t n)
{
    real operand[OPERANDS];
    UNROLL_OPERANDS
    for (int k = varying; k < operands; k++)
        operand[k] = real_(in[k][0]);
    ptrdiff_t i = 0;
    if (LANES > 1 && n >= 8 * LANES) {
        /* NumPy aligns to 16 bytes; vectors that straddle cache lines cost a fifth of the speed. */
        i = (ptrdiff_t)(-((uintptr_t)out / sizeof(scalar)) % LANES);
        if (i) compute_part(f, varying, operand, in, out, 0, i);
    }
#pragma GCC ivdep
    for (; i <= n - LANES; i += LANES) {
        UNROLL_OPERANDS
        for (int k = 0; k < varying; k++)
            operand[k] = load(in[k] + i);
        store(out + i, f(operand));
    }
    if (LANES > 1 && i < n) compute_part(f, varying, operand, in, out, i, n - i);
}

INLINE void copy_strided(char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(to + i * to_step, from + i * from_step, sizeof(scalar));
}

/* Any steps: blocks are gathered on the stack, computed there and scattered. */
INLINE void compute_strided(formula *f, int operands, char *const *arrays, ptrdiff_t n, const ptrdiff_t *steps)
{
    scalar block[OPERANDS + 1][BLOCK];
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t count = n - start < BLOCK ? n - start : BLOCK;
        const scalar *in[OPERANDS];
        for (int k = 0; k < operands; k++) {
            copy_strided((char *)block[k], sizeof(scalar), arrays[k] + start * steps[k], steps[k], count);
            in[k] = block[k];
        }
        compute(f, operands, operands, in, block[operands], count);
        copy_strided(arrays[operands] + start * steps[operands], steps[operands], (char *)block[operands],
                     sizeof(scalar), count);
    }
}

/* The loop of one function: `varying` arrays, then parameters that are most often one value. */
INLINE void run(formula *f, int varying, int operands, char *const *arrays, ptrdiff_t n, const ptrdiff_t *steps)
{
    bool direct = steps[operands] == sizeof(scalar);
    for (int k = 0; k < operands; k++)
        direct &= steps[k] == (k < varying ? (ptrdiff_t)sizeof(scalar) : 0);
    if (direct || n == 1) {
        const scalar *in[OPERANDS];
        UNROLL_OPERANDS
        for (int k = 0; k < operands; k++)
            in[k] = (const scalar *)arrays[k];
        compute(f, varying, operands, in, (scalar *)arrays[operands], n);
    } else {
        compute_strided(f, operands, arrays, n, steps);
    }
}

#define PARAMETERS_0(p)
#define PARAMETERS_1(p) , (p)[0]
#define PARAMETERS_2(p) , (p)[0], (p)[1]
#define PARAMETERS_3(p) , (p)[0], (p)[1], (p)[2]

/* LOOP: the formula `call` of the operands o[], as a loop, say elu_grad_f32_v4. */
#define LOOP(function, varying, operands, call)                                                                        \
    INLINE real function##_of(const real *o) { return call; }                                                         \
    static void SYMBOL(function)(char *const *arrays, ptrdiff_t n, const ptrdiff_t *steps)                              \
    {                                                                                                                  \
        run(function##_of, varying, operands, arrays, n, steps);                                                      \
    }

#define LOOP_FROM_OUTPUT(name, count) LOOP(name##_grad_y, 2, 2 + count, name##_grad_y(o[0], o[1] PARAMETERS_##count(o + 2)))
#define LOOP_FROM_INPUT(name, count)
#define LOOP_KINK(name, count)                                                                                         \
    LOOP(name##_grad_at_zero, 2, 3 + count,                                                                            \
         sel(eq(o[1], 0), o[0] * o[2 + count], name##_grad(o[0], o[1] PARAMETERS_##count(o + 2))))
#define LOOP_SMOOTH(name, count)

#define LOOPS(name, count, parameters, domain, source, kink, ...)                                                      \
    LOOP(name##_forward, 1, 1 + count, name##_forward(o[0] PARAMETERS_##count(o + 1)))                                 \
    LOOP(name##_grad, 2, 2 + count, name##_grad(o[0], o[1] PARAMETERS_##count(o + 2)))                                 \
    LOOP_##source(name, count)                                                                                         \
    LOOP_##kink(name, count)

#define KERNEL_FROM_OUTPUT(name, count, overflows) {SYMBOL(name##_grad_y), 2 + count, 1, overflows}
#define KERNEL_FROM_INPUT(name, count, overflows) {.loop = NULL}
#define KERNEL_KINK(name, count, overflows) {SYMBOL(name##_grad_at_zero), 3 + count, 1, overflows}
#define KERNEL_SMOOTH(name, count, overflows) {.loop = NULL}
#define OVERFLOWS true
#define BOUNDED false

#define TABLE_ROW(name, count, parameters, domain, source, kink, overflows, ulp, ulp_gradient, ...)                      \
    {#name, count, parameters, domain, ulp, ulp_gradient, __VA_ARGS__,                                                  \
     {{SYMBOL(name##_forward), 1 + count, 1, overflows}, {SYMBOL(name##_grad), 2 + count, 1, overflows},                \
      KERNEL_##source(name, count, overflows), KERNEL_##kink(name, count, overflows)}},

ACTIVATIONS(LOOPS)

extern const struct numact_activation SYMBOL(numact)[];
const struct numact_activation SYMBOL(numact)[] = {ACTIVATIONS(TABLE_ROW){.name = NULL}};

#endif
