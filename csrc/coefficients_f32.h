/* Printed by minimax.py f32: change that, not this. */
#ifndef NUMACT_COEFFICIENTS_F32_H
#define NUMACT_COEFFICIENTS_F32_H

#define LOG2E ((scalar)0x1.7154760000000p+0f) /* 1 / ln 2 */
#define LN2 ((scalar)0x1.62e4300000000p-1f) /* ln 2 */
#define LN2_LOW ((scalar)-0x1.05c6100000000p-29f) /* ln 2 - LN2 */
#define HALF_LN2 ((scalar)0x1.62e4300000000p-2f) /* ln 2 / 2 */
#define EXP_LIMIT ((scalar)0x1.0000000000000p+7f) /* beyond it e^-x, and x e^-x, round to 0 */
#define EXP_FAR ((scalar)0x1.4000000000000p+8f) /* the same after products with any two numbers */
#define ONE_LIMIT ((scalar)0x1.4000000000000p+4f) /* beyond it 1 - e^-x, and tanh x, round to 1 */
#define SIXTH ((scalar)0x1.5555540000000p-3f) /* 1/6 */
#define SIXTH_LOW ((scalar)0x1.5555560000000p-27f) /* 1/6 - SIXTH */
#define THIRD ((scalar)0x1.5555560000000p-2f) /* 1/3 */
#define THIRD_LOW ((scalar)-0x1.5555560000000p-27f) /* 1/3 - THIRD */
#define SELU_RIGHT ((scalar)0x1.0cfabc0000000p+0f) /* lambda */
#define SELU_RIGHT_LOW ((scalar)0x1.6a91140000000p-24f) /* lambda - SELU_RIGHT */
#define SELU_LEFT ((scalar)0x1.c212cc0000000p+0f) /* lambda alpha */
#define SELU_LEFT_LOW ((scalar)0x1.903c0c0000000p-26f) /* lambda alpha - SELU_LEFT */
#define TANH_SMALL ((scalar)0x1.2000000000000p-1f) /* up to here tanh is a polynomial */
#define TAIL_LIMIT ((scalar)0x1.e000000000000p+3f) /* beyond it t Phi(-t) and t phi(t) round to 0 */
#define TAIL_FAR ((scalar)0x1.e000000000000p+4f) /* the same after products with any two numbers */
#define TAIL_SLOPE ((scalar)0x1.0888880000000p+1f) /* w = TAIL_SLOPE v + TAIL_OFFSET is in [-1, 1] */
#define TAIL_OFFSET ((scalar)-0x1.1111100000000p+0f)
#define TAIL_MIDDLE ((scalar)0x1.0c3fc60000000p-1f) /* the value at w = 0 */
#define DENSITY ((scalar)0x1.9884540000000p-2f) /* 1 / sqrt(2 pi) */
#define DENSITY_LOW ((scalar)-0x1.8579360000000p-27f) /* 1 / sqrt(2 pi) - DENSITY */
#define TANHSHRINK_SMALL ((scalar)0x1.0000000000000p+0f) /* up to here x - tanh x is a polynomial */
#define BELL_LIMIT ((scalar)0x1.a000000000000p+3f) /* beyond it e^(-x^2) rounds to 0 */
#define GELU_TANH_FAR ((scalar)0x1.0000000000000p+4f) /* the same times any two numbers */
#define GELU_TANH_LIMIT ((scalar)0x1.6800000000000p+3f) /* beyond it gelu_tanh rounds to 0 on the left, to x on the right */
#define GELU_TANH_SLOPE ((scalar)0x1.9884800000000p+0f) /* 2 sqrt(2/pi), short by six digits */
#define GELU_TANH_SLOPE_LOW ((scalar)-0x1.6615e40000000p-19f) /* the rest of it */
#define GELU_TANH_CUBIC ((scalar)0x1.2444f20000000p-4f) /* 2 sqrt(2/pi) 0.044715 */
#define GELU_TANH_CUBIC_LOW ((scalar)0x1.49b16a0000000p-29f) /* the rest of it */
#define QUICK_GELU_SLOPE ((scalar)0x1.b3b6460000000p+0f) /* 1.702 */
#define QUICK_GELU_SLOPE_LOW ((scalar)-0x1.78d4fe0000000p-26f) /* the rest of it */
#define GOLDEN ((scalar)0x1.3c6ef40000000p-1f) /* (sqrt(5) - 1) / 2 */
#define GOLDEN_LOW ((scalar)-0x1.1a02d60000000p-26f) /* the rest of it */
#define DISH_ROOT ((scalar)0x1.92826e0000000p-1f) /* the root of dish'(-t) */
#define DISH_ROOT_LOW ((scalar)0x1.e4b1a40000000p-26f) /* the rest of it */
#define GELU_ROOT ((scalar)-0x1.80ead20000000p-1f) /* the root of the gradient */
#define GELU_ROOT_LOW ((scalar)0x1.a03fd40000000p-27f) /* the rest of the root */
#define GELU_ROOT_RADIUS ((scalar)0x1.0000000000000p-2f)
#define SILU_ROOT ((scalar)-0x1.4749740000000p+0f) /* the root of the gradient */
#define SILU_ROOT_LOW ((scalar)0x1.bdf6fa0000000p-27f) /* the rest of the root */
#define SILU_ROOT_RADIUS ((scalar)0x1.0000000000000p-1f)
#define GELU_TANH_ROOT ((scalar)-0x1.8142a00000000p-1f) /* the root of the gradient */
#define GELU_TANH_ROOT_LOW ((scalar)0x1.85a06c0000000p-27f) /* the rest of the root */
#define GELU_TANH_ROOT_RADIUS ((scalar)0x1.0000000000000p-2f)
#define MISH_ROOT ((scalar)-0x1.31432c0000000p+0f) /* the root of the gradient */
#define MISH_ROOT_LOW ((scalar)-0x1.a25b080000000p-29f) /* the rest of the root */
#define MISH_ROOT_RADIUS ((scalar)0x1.0000000000000p-2f)

/* e^r = 1 + r + r^2 P(r).
   Interval [-0.347267, 0.347267], degree 4, error 2^-26.05 relative to e^r - 1. */
static const scalar EXP_P[] = {
    0x1.fffffe0000000p-2f,
    0x1.5554ac0000000p-3f,
    0x1.55571e0000000p-5f,
    0x1.122a400000000p-7f,
    0x1.6b6b200000000p-10f,
};

/* e^2r = 1 + 2 (r + r^2 P(r)).
   Interval [-0.173633, 0.173633], degree 4, error 2^-26.05 relative to (e^2r - 1)/2. */
static const scalar EXP_TWICE_P[] = {
    0x1.fffffe0000000p-1f,
    0x1.5554ac0000000p-1f,
    0x1.55571e0000000p-2f,
    0x1.122a400000000p-3f,
    0x1.6b6b200000000p-5f,
};

/* tanh x = x + x^3 P(x^2), |x| <= TANH_SMALL.
   Interval [1.0e-6, 0.316406], degree 3, error 2^-24.3 relative to tanh x. */
static const scalar TANH_P[] = {
    -0x1.5554160000000p-2f,
    0x1.10c49c0000000p-3f,
    -0x1.ae798a0000000p-5f,
    0x1.0985600000000p-6f,
};

/* atanh s = s + s^3 P(s^2), 0 <= s <= 1/3.
   Interval [1.0e-6, 0.111111], degree 3, error 2^-27.7 relative to atanh s. */
static const scalar ATANH_P[] = {
    0x1.5555000000000p-2f,
    0x1.99d26e0000000p-3f,
    0x1.1eb84c0000000p-3f,
    0x1.1ee9d60000000p-3f,
};

/* Phi(-t) e^(t^2/2) = v (TAIL_MIDDLE + w P(w)), v = 1/(t + 1), w = TAIL_SLOPE v + TAIL_OFFSET.
   Interval [-1.0, 1.0], degree 14, error 2^-26.87 relative to the value. */
static const scalar TAIL_P[] = {
    0x1.520e920000000p-6f,
    -0x1.215d4e0000000p-4f,
    0x1.07ff4e0000000p-5f,
    -0x1.dd45ec0000000p-9f,
    -0x1.9d718e0000000p-8f,
    0x1.9a52560000000p-8f,
    -0x1.b252ce0000000p-9f,
    0x1.d75ec40000000p-11f,
    0x1.f685c60000000p-14f,
    -0x1.1e37fa0000000p-11f,
    0x1.d83fae0000000p-11f,
    -0x1.46ad9a0000000p-11f,
    -0x1.10dc8e0000000p-14f,
    0x1.1486aa0000000p-12f,
    -0x1.635ae20000000p-14f,
};

/* x - tanh x = x^3 (1/3 + x^2 P(x^2)), |x| <= TANHSHRINK_SMALL.
   Interval [1.0e-6, 1.0], degree 7, error 2^-30.31 relative to the value. */
static const scalar TANHSHRINK_P[] = {
    -0x1.11110e0000000p-3f,
    0x1.ba1a380000000p-5f,
    -0x1.6631440000000p-6f,
    0x1.212e820000000p-7f,
    -0x1.c795620000000p-9f,
    0x1.44cf0a0000000p-10f,
    -0x1.600ff40000000p-12f,
    0x1.927e160000000p-15f,
};

/* gelu'(x) = d P(d), d = x - root, |d| <= GELU_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 6, error 2^-25.97 relative to the value. */
static const scalar GELU_ROOT_P[] = {
    0x1.b9d9900000000p-2f,
    0x1.8d9a900000000p-2f,
    -0x1.2a319a0000000p-6f,
    -0x1.d2f23c0000000p-4f,
    -0x1.e35b540000000p-7f,
    0x1.3a33280000000p-6f,
    0x1.19d6c80000000p-8f,
};

/* silu'(x) = d P(d), d = x - root, |d| <= SILU_ROOT_RADIUS.
   Interval [-0.5, 0.5], degree 7, error 2^-26.41 relative to the value. */
static const scalar SILU_ROOT_P[] = {
    0x1.be14100000000p-3f,
    0x1.2c56340000000p-3f,
    0x1.353e7a0000000p-6f,
    -0x1.f2d0a40000000p-7f,
    -0x1.b0cfee0000000p-8f,
    0x1.0babba0000000p-13f,
    0x1.98c4cc0000000p-11f,
    0x1.6d4eb40000000p-13f,
};

/* gelu_tanh'(x) = d P(d), d = x - root, |d| <= GELU_TANH_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 6, error 2^-24.95 relative to the value. */
static const scalar GELU_TANH_ROOT_P[] = {
    0x1.b8bace0000000p-2f,
    0x1.8cd19e0000000p-2f,
    -0x1.029c7c0000000p-6f,
    -0x1.d2ae8c0000000p-4f,
    -0x1.0f79e00000000p-6f,
    0x1.3e1d6c0000000p-6f,
    0x1.36d8640000000p-8f,
};

/* mish'(x) = d P(d), d = x - root, |d| <= MISH_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 8, error 2^-24.53 relative to the value. */
static const scalar MISH_ROOT_P[] = {
    0x1.115acc0000000p-2f,
    0x1.a34a260000000p-3f,
    0x1.574a300000000p-5f,
    -0x1.4c24e20000000p-6f,
    -0x1.0108620000000p-6f,
    -0x1.b624d20000000p-9f,
    -0x1.c5ce060000000p-10f,
    0x1.b6ac380000000p-11f,
    0x1.4baff80000000p-6f,
};

#endif
