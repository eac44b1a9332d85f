/* Printed by minimax.py f64: change that, not this. */
#ifndef NUMACT_COEFFICIENTS_F64_H
#define NUMACT_COEFFICIENTS_F64_H

#define LOG2E ((scalar)0x1.71547652b82fep+0) /* 1 / ln 2 */
#define LN2 ((scalar)0x1.62e42fefa39efp-1) /* ln 2 */
#define LN2_LOW ((scalar)0x1.abc9e3b39803fp-56) /* ln 2 - LN2 */
#define HALF_LN2 ((scalar)0x1.62e42fefa39efp-2) /* ln 2 / 2 */
#define EXP_LIMIT ((scalar)0x1.9000000000000p+9) /* beyond it e^-x, and x e^-x, round to 0 */
#define EXP_FAR ((scalar)0x1.1300000000000p+11) /* the same after products with any two numbers */
#define ONE_LIMIT ((scalar)0x1.4000000000000p+5) /* beyond it 1 - e^-x, and tanh x, round to 1 */
#define SIXTH ((scalar)0x1.5555555555555p-3) /* 1/6 */
#define SIXTH_LOW ((scalar)0x1.5555555555555p-57) /* 1/6 - SIXTH */
#define THIRD ((scalar)0x1.5555555555555p-2) /* 1/3 */
#define THIRD_LOW ((scalar)0x1.5555555555555p-56) /* 1/3 - THIRD */
#define SELU_RIGHT ((scalar)0x1.0cfabd6a91132p+0) /* lambda */
#define SELU_RIGHT_LOW ((scalar)0x1.6fc7d272f2697p-55) /* lambda - SELU_RIGHT */
#define SELU_LEFT ((scalar)0x1.c212cc640f031p+0) /* lambda alpha */
#define SELU_LEFT_LOW ((scalar)0x1.05161b045a21ep-56) /* lambda alpha - SELU_LEFT */
#define TANH_SMALL ((scalar)0x1.2000000000000p-1) /* up to here tanh is a polynomial */
#define TAIL_LIMIT ((scalar)0x1.3800000000000p+5) /* beyond it t Phi(-t) and t phi(t) round to 0 */
#define TAIL_FAR ((scalar)0x1.0800000000000p+6) /* the same after products with any two numbers */
#define TAIL_SLOPE ((scalar)0x1.03e0f83e0f83ep+1) /* w = TAIL_SLOPE v + TAIL_OFFSET is in [-1, 1] */
#define TAIL_OFFSET ((scalar)-0x1.07c1f07c1f07cp+0)
#define TAIL_MIDDLE ((scalar)0x1.0c0c57544c20ep-1) /* the value at w = 0 */
#define DENSITY ((scalar)0x1.9884533d43651p-2) /* 1 / sqrt(2 pi) */
#define DENSITY_LOW ((scalar)-0x1.cbc0d30ebfd15p-56) /* 1 / sqrt(2 pi) - DENSITY */
#define TANHSHRINK_SMALL ((scalar)0x1.0000000000000p+0) /* up to here x - tanh x is a polynomial */
#define BELL_LIMIT ((scalar)0x1.0000000000000p+5) /* beyond it e^(-x^2) rounds to 0 */
#define GELU_TANH_FAR ((scalar)0x1.0000000000000p+5) /* the same times any two numbers */
#define GELU_TANH_LIMIT ((scalar)0x1.5c00000000000p+4) /* beyond it gelu_tanh rounds to 0 on the left, to x on the right */
#define GELU_TANH_SLOPE ((scalar)0x1.9884533d43640p+0) /* 2 sqrt(2/pi), short by six digits */
#define GELU_TANH_SLOPE_LOW ((scalar)0x1.08d0fcb3c500cp-48) /* the rest of it */
#define GELU_TANH_CUBIC ((scalar)0x1.2444f2a4d8b4bp-4) /* 2 sqrt(2/pi) 0.044715 */
#define GELU_TANH_CUBIC_LOW ((scalar)-0x1.6c843a29d1c70p-61) /* the rest of it */
#define QUICK_GELU_SLOPE ((scalar)0x1.b3b645a1cac08p+0) /* 1.702 */
#define QUICK_GELU_SLOPE_LOW ((scalar)0x1.89374bc6a7efap-55) /* the rest of it */
#define GOLDEN ((scalar)0x1.3c6ef372fe950p-1) /* (sqrt(5) - 1) / 2 */
#define GOLDEN_LOW ((scalar)-0x1.f506319fcfd19p-55) /* the rest of it */
#define DISH_ROOT ((scalar)0x1.92826ef258d1bp-1) /* the root of dish'(-t) */
#define DISH_ROOT_LOW ((scalar)0x1.8d20e15f6d9eap-57) /* the rest of it */
#define GELU_ROOT ((scalar)-0x1.80ead197f00b4p-1) /* the root of the gradient */
#define GELU_ROOT_LOW ((scalar)0x1.13e74c58cada8p-56) /* the rest of the root */
#define GELU_ROOT_RADIUS ((scalar)0x1.0000000000000p-2)
#define SILU_ROOT ((scalar)-0x1.474973c84120bp+0) /* the root of the gradient */
#define SILU_ROOT_LOW ((scalar)-0x1.f8d74bc9ac154p-54) /* the rest of the root */
#define SILU_ROOT_RADIUS ((scalar)0x1.0000000000000p-1)
#define GELU_TANH_ROOT ((scalar)-0x1.81429f9e97e4dp-1) /* the root of the gradient */
#define GELU_TANH_ROOT_LOW ((scalar)0x1.4f523ed77dbdcp-55) /* the rest of the root */
#define GELU_TANH_ROOT_RADIUS ((scalar)0x1.0000000000000p-2)
#define MISH_ROOT ((scalar)-0x1.31432c0d12d84p+0) /* the root of the gradient */
#define MISH_ROOT_LOW ((scalar)-0x1.bf319154da210p-55) /* the rest of the root */
#define MISH_ROOT_RADIUS ((scalar)0x1.0000000000000p-2)

/* e^r = 1 + r + r^2 P(r).
   Interval [-0.347267, 0.347267], degree 10, error 2^-61.51 relative to e^r - 1. */
static const scalar EXP_P[] = {
    0x1.0000000000000p-1,
    0x1.5555555555559p-3,
    0x1.555555555554cp-5,
    0x1.111111110f63bp-7,
    0x1.6c16c16c1b329p-10,
    0x1.a01a01b01563fp-13,
    0x1.a01a018b4dc03p-16,
    0x1.71ddf7d2874c1p-19,
    0x1.27e519467463dp-22,
    0x1.af5fae2ebcdcbp-26,
    0x1.1f10e1f566abap-29,
};

/* e^2r = 1 + 2 (r + r^2 P(r)).
   Interval [-0.173633, 0.173633], degree 10, error 2^-61.51 relative to (e^2r - 1)/2. */
static const scalar EXP_TWICE_P[] = {
    0x1.0000000000000p+0,
    0x1.5555555555559p-1,
    0x1.555555555554cp-2,
    0x1.111111110f63bp-3,
    0x1.6c16c16c1b329p-5,
    0x1.a01a01b01563fp-7,
    0x1.a01a018b4dc03p-9,
    0x1.71ddf7d2874c1p-11,
    0x1.27e519467463dp-13,
    0x1.af5fae2ebcdcbp-16,
    0x1.1f10e1f566abap-18,
};

/* tanh x = x + x^3 P(x^2), |x| <= TANH_SMALL.
   Interval [1.0e-6, 0.316406], degree 11, error 2^-64.85 relative to tanh x. */
static const scalar TANH_P[] = {
    -0x1.5555555555555p-2,
    0x1.111111111107dp-3,
    -0x1.ba1ba1ba10975p-5,
    0x1.664f487f77484p-6,
    -0x1.226e34cba20bep-7,
    0x1.d6d3b03ff8205p-9,
    -0x1.7da0f76e42aa8p-10,
    0x1.35387e6b82ca7p-11,
    -0x1.f342a75bd1d18p-13,
    0x1.88b8a60640ea2p-14,
    -0x1.10e5ade59b0abp-15,
    0x1.e36c3a35da9d8p-18,
};

/* atanh s = s + s^3 P(s^2), 0 <= s <= 1/3.
   Interval [1.0e-6, 0.111111], degree 10, error 2^-64.49 relative to atanh s. */
static const scalar ATANH_P[] = {
    0x1.5555555555556p-2,
    0x1.9999999999666p-3,
    0x1.24924924b9719p-3,
    0x1.c71c71aa46116p-4,
    0x1.745d1d548ff8cp-4,
    0x1.3b12e6d8134fcp-4,
    0x1.11223375ef670p-4,
    0x1.dff900ba12a46p-5,
    0x1.c0de2ab39acdep-5,
    0x1.2095873687682p-5,
    0x1.4f93c68c2a585p-4,
};

/* Phi(-t) e^(t^2/2) = v (TAIL_MIDDLE + w P(w)), v = 1/(t + 1), w = TAIL_SLOPE v + TAIL_OFFSET.
   Interval [-1.0, 1.0], degree 41, error 2^-58.67 relative to the value. */
static const scalar TAIL_P[] = {
    0x1.82d5964b3a9dap-6,
    -0x1.333313dad8eb8p-4,
    0x1.1880517773db1p-5,
    -0x1.aca80522a31d3p-9,
    -0x1.f4a14e9021a4bp-8,
    0x1.e797c820da7d1p-8,
    -0x1.0549cdd855ba5p-8,
    0x1.08a44bf0e0229p-10,
    0x1.22f573890bd3ep-11,
    -0x1.00ef2b34af7b2p-10,
    0x1.a6d8d2395524dp-11,
    -0x1.dd10f5facbe93p-12,
    0x1.398ca48a27756p-13,
    0x1.30e896af4d008p-15,
    -0x1.cd78a10cd0051p-14,
    0x1.d458a2b5779e3p-14,
    -0x1.73b9963a6ba87p-14,
    0x1.d8148a5fd5767p-15,
    0x1.6f336f89d46d1p-17,
    -0x1.a8ef7912adcd7p-15,
    -0x1.2ba45c1fd583ep-14,
    0x1.12dd3c8b957b4p-13,
    0x1.e77b88931613cp-13,
    -0x1.836a3ced54001p-12,
    -0x1.d4edd7c1e2fe2p-12,
    0x1.7519ad4047a2dp-11,
    0x1.76c5a152327e3p-11,
    -0x1.209b6ad0d6c1dp-10,
    -0x1.ce27d61667692p-11,
    0x1.5e43679feca9ap-10,
    0x1.af3d47fbf3ec7p-11,
    -0x1.466bcd6dc7f58p-10,
    -0x1.2ba0483016f65p-11,
    0x1.cab1035a793c9p-11,
    0x1.26eb713ebe210p-12,
    -0x1.d28eda16cdb45p-12,
    -0x1.7b867db9bcd5fp-14,
    0x1.405ec599b9820p-13,
    0x1.180dd1a882431p-16,
    -0x1.074b043c808a4p-15,
    -0x1.5de56eb5f3fe9p-20,
    0x1.85120d1572f0cp-19,
};

/* x - tanh x = x^3 (1/3 + x^2 P(x^2)), |x| <= TANHSHRINK_SMALL.
   Interval [1.0e-6, 1.0], degree 16, error 2^-61.71 relative to the value. */
static const scalar TANHSHRINK_P[] = {
    -0x1.1111111111110p-3,
    0x1.ba1ba1ba1b84ap-5,
    -0x1.664f4882b7b51p-6,
    0x1.226e355cd52cep-7,
    -0x1.d6d3d08c6e3ebp-9,
    0x1.7da35e679899cp-10,
    -0x1.3557da0bdcd52p-11,
    0x1.f5781df7b0acbp-13,
    -0x1.9659400938296p-14,
    0x1.48bc2e739b714p-15,
    -0x1.0805a657e621ep-16,
    0x1.9dd893d70d6a3p-18,
    -0x1.306deb23e4b1cp-19,
    0x1.88d7ae35633cep-21,
    -0x1.9222c2ff7e95ap-23,
    0x1.186b3a669cdc6p-25,
    -0x1.84fda154c03a4p-29,
};

/* gelu'(x) = d P(d), d = x - root, |d| <= GELU_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 14, error 2^-53.81 relative to the value. */
static const scalar GELU_ROOT_P[] = {
    0x1.b9d98fa5a3215p-2,
    0x1.8d9a941de3ac5p-2,
    -0x1.2a2ef9bb85384p-6,
    -0x1.d2fa4c17c7c77p-4,
    -0x1.e40882467df75p-7,
    0x1.3e346def0c9bap-6,
    0x1.297b9e55e4276p-8,
    -0x1.258a6d3575372p-9,
    -0x1.86820eb1798efp-11,
    0x1.86c7eac9c2f3bp-13,
    0x1.6a17044071af9p-14,
    -0x1.77f0c6b347a82p-17,
    -0x1.4065a2c83f9ccp-17,
    0x1.9c3a4724e4620p-22,
    0x1.13c8fbd3e33b6p-17,
};

/* silu'(x) = d P(d), d = x - root, |d| <= SILU_ROOT_RADIUS.
   Interval [-0.5, 0.5], degree 19, error 2^-55.6 relative to the value. */
static const scalar SILU_ROOT_P[] = {
    0x1.be1410460527fp-3,
    0x1.2c563458cc0adp-3,
    0x1.353eb573ca343p-6,
    -0x1.f2d0e32bc2ea6p-7,
    -0x1.b0f82c497cbd7p-8,
    0x1.098e92bdefd53p-13,
    0x1.a2a7caddc5966p-11,
    0x1.8574d0a13f8adp-13,
    -0x1.572378f631e00p-15,
    -0x1.f2d849f0eada0p-16,
    -0x1.8b015b255a8e7p-19,
    0x1.3ac91b63521e4p-19,
    0x1.cef9750035281p-21,
    -0x1.c49042e7e290fp-26,
    -0x1.b39a3aaf19cf3p-24,
    -0x1.22a99ad03eb24p-25,
    0x1.7d13aa00c44f5p-26,
    0x1.1622fbd44808bp-25,
    -0x1.f690390f24003p-27,
    -0x1.a8afab7d66581p-26,
};

/* gelu_tanh'(x) = d P(d), d = x - root, |d| <= GELU_TANH_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 16, error 2^-54.23 relative to the value. */
static const scalar GELU_TANH_ROOT_P[] = {
    0x1.b8bacd2c96b91p-2,
    0x1.8cd1a2b2fff33p-2,
    -0x1.029615edaf605p-6,
    -0x1.d2b773464738dp-4,
    -0x1.104a83eeb453bp-6,
    0x1.427996dc86c7cp-6,
    0x1.58c9eeee9b51dp-8,
    -0x1.3d8d64ddd53d5p-9,
    -0x1.e641a34b8e81ap-11,
    0x1.14c0610f2df7ap-12,
    0x1.05be80fc3a49ep-13,
    -0x1.25bc8e9bab627p-15,
    -0x1.ac58d599a6ea5p-16,
    0x1.b500892afe788p-18,
    0x1.79004a1d41156p-14,
    -0x1.c253ae5d93128p-19,
    -0x1.592a9ed6cad4cp-12,
};

/* mish'(x) = d P(d), d = x - root, |d| <= MISH_ROOT_RADIUS.
   Interval [-0.25, 0.25], degree 16, error 2^-53.95 relative to the value. */
static const scalar MISH_ROOT_P[] = {
    0x1.115acb42500bbp-2,
    0x1.a34a251d8ad7bp-3,
    0x1.574f121a86f74p-5,
    -0x1.4c222fe64d32fp-6,
    -0x1.03369d4b81066p-6,
    -0x1.b87ddfb59a19bp-9,
    0x1.1e5e1ccaa8440p-10,
    0x1.037991c48aeb8p-10,
    0x1.0a75970348d2ap-12,
    -0x1.6000c45b9dca8p-15,
    -0x1.d0cc1e124aef6p-15,
    -0x1.220f807ebc6e8p-16,
    -0x1.a64f48052ac08p-18,
    0x1.788e0f615dc43p-19,
    0x1.197dd24983a10p-14,
    0x1.d75cf30cc9761p-22,
    -0x1.0475b8dbe80a2p-12,
};

#endif
