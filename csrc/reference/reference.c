/* What the activations are, in double, to judge the float kernels by: written independently of them, with the C
   library's exp, expm1, log1p, tanh and erfc, and with formulas that keep double's digits in the tails and beside
   roots.

   An error of 1e-6 ULP of float is 6e-14 relatively, some 500 rounding errors of double.  So what matters is that
   nothing cancels and that no error of an argument is multiplied by a large derivative: a product of two floats is
   exact in double; where an argument is not, what its rounding lost is carried on.  tests/kernels/test_reference.py
   compares all of this with numbers of 200 bits.

   To add a function: NAME_f, NAME_d and, where the derivative is a function of the output, NAME_y; a row at the end. */
#include "reference/reference.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNUSED __attribute__((unused))
#define FORMULA(name) static double name(double x UNUSED, const double *p UNUSED)

/* The derivative by an output that no x has. */
#define NO_OUTPUT ((double)NAN)

/* A constant or an argument in two parts, the second of which is what the first has lost. */
struct two {
    double high, low;
};

/* e^-|z|, the argument in two parts. */
static double decay(struct two z) { return exp(-fabs(z.high)) * (z.high < 0 ? 1 + z.low : 1 - z.low); }

/* sigmoid(z), from e = e^-|z|. */
static double gate(double z, double e) { return (z < 0 ? e : 1) / (1 + e); }

/* x g, where g has its limit 0 at infinity faster than x grows. */
static double times(double x, double g) { return g == 0 ? copysign(0, x) : x * g; }

/* sigmoid(z) (1 + h sigmoid(-z)), from e = e^-|z|, where 1 + h + e does not cancel. */
static double gate_slope(double z, double e, double h)
{
    if (e == 0) return z < 0 ? -0.0 : 1;
    return z < 0 ? e * (1 + e + h) / ((1 + e) * (1 + e)) : (1 + e + h * e) / ((1 + e) * (1 + e));
}

/* The derivative of x sigmoid(z) for z = k x, given also distance = z - root, root + 1 + e^root = 0. */
static const struct two SILU_ROOT = {-0x1.474973c84120bp+0, -0x1.f8d74bc9ac154p-54};
static double swish_slope(struct two z, double distance)
{
    double e = decay(z);
    if (fabs(distance) < 0.5) { /* 1 + z + e^z = distance - (1 + root) (e^distance - 1): both of one sign */
        double sum = distance - (1 + SILU_ROOT.high) * expm1(distance);
        return e * sum / ((1 + e) * (1 + e));
    }
    return gate_slope(z.high, e, z.high);
}

FORMULA(identity_f) { return x; }
FORMULA(identity_d) { return 1; }
FORMULA(identity_y) { return 1; }

FORMULA(relu_f) { return x <= 0 ? 0 : x; }
FORMULA(relu_d) { return x <= 0 ? 0 : 1; }
FORMULA(relu_y) { return x < 0 ? NO_OUTPUT : relu_d(x, p); }

FORMULA(relu6_f) { return x <= 0 ? 0 : x >= 6 ? 6 : x; }
FORMULA(relu6_d) { return x <= 0 || x >= 6 ? 0 : 1; }
FORMULA(relu6_y) { return x < 0 || x > 6 ? NO_OUTPUT : relu6_d(x, p); }

FORMULA(relu_squared_f) { return x <= 0 ? 0 : x * x; }
FORMULA(relu_squared_d) { return x <= 0 ? 0 : 2 * x; }
FORMULA(relu_squared_y) { return x < 0 ? NO_OUTPUT : 2 * sqrt(x); }

FORMULA(leaky_relu_f) { return x > 0 ? x : p[0] * x; }
FORMULA(leaky_relu_d) { return x > 0 ? 1 : p[0]; }
FORMULA(leaky_relu_y) { return leaky_relu_d(x, p); }

FORMULA(elu_f) { return x > 0 ? x : p[0] * expm1(x); }
FORMULA(elu_d) { return x > 0 ? 1 : p[0] * exp(x); }
FORMULA(elu_y) { return x > 0 ? 1 : x < -p[0] ? NO_OUTPUT : x + p[0]; }

FORMULA(celu_f) { return x > 0 ? x : p[0] * expm1(x / p[0]); }
FORMULA(celu_d)
{
    double z = x / p[0];
    return x > 0 ? 1 : z < -1000 ? 0 : exp(z) * (1 + fma(-z, p[0], x) / p[0]);
}
FORMULA(celu_y) { return x > 0 ? 1 : x < -p[0] ? NO_OUTPUT : (x + p[0]) / p[0]; }

#define SELU_RIGHT 0x1.0cfabd6a91132p+0 /* lambda */
static const struct two SELU_LEFT = {0x1.c212cc640f031p+0, 0x1.05161b045a21ep-56}; /* lambda alpha */
FORMULA(selu_f) { return x > 0 ? SELU_RIGHT * x : SELU_LEFT.high * expm1(x); }
FORMULA(selu_d) { return x > 0 ? SELU_RIGHT : SELU_LEFT.high * exp(x); }
FORMULA(selu_y)
{
    return x > 0 ? SELU_RIGHT : x < -(double)(float)SELU_LEFT.high ? NO_OUTPUT : (x + SELU_LEFT.high) + SELU_LEFT.low;
}

FORMULA(sigmoid_f) { return gate(x, exp(-fabs(x))); }
FORMULA(sigmoid_d)
{
    double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}
FORMULA(sigmoid_y) { return x < 0 || x > 1 ? NO_OUTPUT : x * (1 - x); }

FORMULA(tanh_f) { return tanh(x); }
FORMULA(tanh_d) { return 4 * sigmoid_d(2 * x, p); }
FORMULA(tanh_y) { return fabs(x) > 1 ? NO_OUTPUT : (1 - x) * (1 + x); }

/* log(1 + e^z) */
static double log1p_exp(double z) { return (z > 0 ? z : 0) + log1p(exp(-fabs(z))); }
FORMULA(softplus_f) { return log1p_exp(p[0] * x) / p[0]; }
FORMULA(softplus_d) { return sigmoid_f(p[0] * x, p); }
FORMULA(softplus_y) { return x < 0 ? NO_OUTPUT : -expm1(-p[0] * x); }

FORMULA(log_sigmoid_f) { return -log1p_exp(-x); }
FORMULA(log_sigmoid_d) { return sigmoid_f(-x, p); }
FORMULA(log_sigmoid_y) { return x > 0 ? NO_OUTPUT : -expm1(x); }

FORMULA(exponential_f) { return exp(x); }
FORMULA(exponential_d) { return exp(x); }
FORMULA(exponential_y) { return x < 0 ? NO_OUTPUT : x; }

FORMULA(gaussian_f) { return exp(-x * x); }
FORMULA(gaussian_d) { return times(-2 * x, exp(-x * x)); }

FORMULA(silu_f) { return times(x, sigmoid_f(x, p)); }
FORMULA(silu_d) { return swish_slope((struct two){x, 0}, (x - SILU_ROOT.high) - SILU_ROOT.low); }

/* beta x, also where one is 0 and the other infinite. */
static double product(double beta, double x) { return beta == 0 && isinf(x) ? 0 : beta * x; }
FORMULA(swish_f)
{
    double z = product(p[0], x);
    return times(x, sigmoid_f(z, p));
}
FORMULA(swish_d)
{
    double z = product(p[0], x);
    return silu_d(z, p);
}

static const struct two QUICK_GELU_SLOPE = {0x1.b3b645a1cac08p+0, 0x1.89374bc6a7efap-55}; /* 1.702 */
static const struct two QUICK_GELU_ROOT = {-0x1.80974a62be3dfp-1, 0x1.b12c858d26bf0p-55}; /* that of silu / 1.702 */
static struct two quick_gelu_argument(double x)
{
    double z = QUICK_GELU_SLOPE.high * x;
    return (struct two){z, isinf(x) ? 0 : fma(QUICK_GELU_SLOPE.high, x, -z) + QUICK_GELU_SLOPE.low * x};
}
FORMULA(quick_gelu_f)
{
    struct two z = quick_gelu_argument(x);
    return times(x, isinf(x) ? x > 0 : gate(z.high, decay(z)));
}
FORMULA(quick_gelu_d)
{
    if (isinf(x)) return x > 0 ? 1 : -0.0;
    double distance = QUICK_GELU_SLOPE.high * ((x - QUICK_GELU_ROOT.high) - QUICK_GELU_ROOT.low);
    return swish_slope(quick_gelu_argument(x), distance);
}

/* Phi(x) = erfc(a) / 2, a = -x / sqrt(2), with what the rounding of a lost, by which erfc changes -2/sqrt(pi) e^(-a^2)
   times. */
static const struct two SQRT_HALF = {0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55};
#define TWO_OVER_SQRT_PI 0x1.20dd750429b6dp+0
#define DENSITY 0x1.9884533d43651p-2 /* 1 / sqrt(2 pi) */
static double normal(double x)
{
    if (fabs(x) > 1e3) return x > 0;
    double a = -SQRT_HALF.high * x, lost = fma(-SQRT_HALF.high, x, -a) - SQRT_HALF.low * x;
    return 0.5 * (erfc(a) - TWO_OVER_SQRT_PI * exp(-a * a) * lost);
}
FORMULA(gelu_f) { return times(x, normal(x)); }

/* Beside its root gelu' is the integral of gelu'' = (2 - t^2) e^(-t^2/2) / sqrt(2 pi) from there, by the rule of
   Gauss and Legendre with 5 points, whose error is below 1e-18 of it. */
static const struct two GELU_ROOT = {-0x1.80ead197f00b4p-1, 0x1.13e74c58cada8p-56};
static double gelu_second(double t) { return (2 - t * t) * DENSITY * exp(-0.5 * t * t); }
FORMULA(gelu_d)
{
    double distance = (x - GELU_ROOT.high) - GELU_ROOT.low;
    if (fabs(distance) < 0x1p-5) {
        static const double node[2] = {0.538469310105683091, 0.906179845938663993};
        static const double weight[3] = {0.568888888888888889, 0.478628670499366468, 0.236926885056189088};
        double half = 0.5 * distance, middle = GELU_ROOT.high + half, sum = weight[0] * gelu_second(middle);
        for (int k = 0; k < 2; k++)
            sum += weight[k + 1] * (gelu_second(middle - node[k] * half) + gelu_second(middle + node[k] * half));
        return half * sum;
    }
    return normal(x) + times(x, DENSITY * exp(-0.5 * x * x));
}

/* gelu_tanh: z = x w, w = SLOPE + CUBIC x^2, and h = x z' = x (SLOPE + 3 CUBIC x^2). */
static const struct two SLOPE = {0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54};
static const struct two CUBIC = {0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c70p-61};
static struct two gelu_tanh_argument(double x)
{
    double square = x * x, term = CUBIC.high * square, w = SLOPE.high + term, part = w - SLOPE.high;
    double lost = (SLOPE.high - (w - part)) + (term - part);
    lost += fma(CUBIC.high, square, -term) + CUBIC.low * square + SLOPE.low;
    double z = x * w;
    return (struct two){z, fma(x, w, -z) + x * lost};
}
FORMULA(gelu_tanh_f)
{
    if (fabs(x) > 1e3) return x > 0 ? x : -0.0;
    struct two z = gelu_tanh_argument(x);
    return times(x, gate(z.high, decay(z)));
}

/* Beside the root, where 1 + h + e^z = 0 and e^z = GELU_TANH_POWER: x^3 - root^3 = distance (x^2 + x root + root^2). */
static const struct two GELU_TANH_ROOT = {-0x1.81429f9e97e4dp-1, 0x1.4f523ed77dbdcp-55};
#define GELU_TANH_POWER 0x1.2af64e9c485eep-2
FORMULA(gelu_tanh_d)
{
    if (fabs(x) > 1e3) return x > 0 ? 1 : -0.0;
    struct two z = gelu_tanh_argument(x);
    double e = decay(z), distance = (x - GELU_TANH_ROOT.high) - GELU_TANH_ROOT.low;
    if (fabs(distance) < 0x1p-3) {
        double cubes = CUBIC.high * (x * x + x * GELU_TANH_ROOT.high + GELU_TANH_ROOT.high * GELU_TANH_ROOT.high);
        double sum = distance * (SLOPE.high + 3 * cubes) + GELU_TANH_POWER * expm1(distance * (SLOPE.high + cubes));
        return e * sum / ((1 + e) * (1 + e));
    }
    return gate_slope(z.high, e, x * (SLOPE.high + 3 * CUBIC.high * x * x));
}

/* tanh(log(1 + e^x)) = a/b, with e = e^-|x|. */
FORMULA(mish_f)
{
    double e = exp(-fabs(x)), a = x < 0 ? e * (2 + e) : 1 + 2 * e, b = a + (x < 0 ? 2 : 2 * e * e);
    return times(x, a / b);
}

/* On the left mish' = e^x m / b^2, m = e^3x + 4 e^2x + (6 + 4x) e^x + 4 (1 + x), b = e^2x + 2 e^x + 2; beside the root
   m is what m(x) and m(root) differ by, term by term, all of one sign. */
static const struct two MISH_ROOT = {-0x1.31432c0d12d84p+0, -0x1.bf319154da210p-55};
#define MISH_POWER 0x1.36c4202fc3eccp-2 /* e^root */
FORMULA(mish_d)
{
    double e = exp(-fabs(x)), distance = (x - MISH_ROOT.high) - MISH_ROOT.low;
    if (e == 0) return x < 0 ? -0.0 : 1;
    if (x >= 0) {
        double a = 1 + 2 * e, b = a + 2 * e * e;
        return a / b + x * 4 * e * e * (1 + e) / (b * b);
    }
    double b = e * e + 2 * e + 2, m = e * e * e + 4 * e * e + (6 + 4 * x) * e + 4 * (1 + x);
    if (fabs(distance) < 0x1p-3) {
        double once = MISH_POWER, twice = once * once;
        m = 4 * distance * (1 + e) + (6 + 4 * MISH_ROOT.high) * once * expm1(distance) +
            4 * twice * expm1(2 * distance) + twice * once * expm1(3 * distance);
    }
    return e * m / (b * b);
}

FORMULA(dish_f)
{
    if (isinf(x)) return x > 0 ? x : -0.0;
    double s = sqrt(1 + x * x);
    return x < 0 ? x / (2 * s * (s - x)) : 0.5 * x * (x / s + 1);
}
/* (1 + r) (1 + r - r^2) / 2, r = x/s; 1 + r - r^2 = (1 + g - r) (g + r), g the golden ratio less 1, and on the left
   g + r = g (g - x^2) / (s^2 (g - r)), 1 + r = 1 / (s (s - x)). */
static const struct two GOLDEN = {0x1.3c6ef372fe950p-1, -0x1.f506319fcfd19p-55};
FORMULA(dish_d)
{
    if (isinf(x)) return x > 0 ? 1 : -0.0;
    double g = GOLDEN.high, s = sqrt(1 + x * x), r = x / s;
    if (x < 0) {
        double above = g * ((g - x * x) + GOLDEN.low) / (s * s * (g - r));
        return 0.5 * (1 + g - r) * above / (s * (s - x));
    }
    return 0.5 * (1 + r) * (1 + r - r * r);
}

/* x - tanh x, by its series where the two cancel. */
FORMULA(tanhshrink_f)
{
    static const double series[] = {
        443861162 / 1856156927625.0, -6404582 / 10854718875.0, 929569 / 638512875.0, -21844 / 6081075.0,
        1382 / 155925.0, -62 / 2835.0, 17 / 315.0, -2 / 15.0, 1 / 3.0,
    };
    if (!(fabs(x) < 0.2)) return x - tanh(x);
    double square = x * x, sum = 0;
    for (size_t k = 0; k < sizeof series / sizeof *series; k++)
        sum = sum * square + series[k];
    return x * square * sum;
}
FORMULA(tanhshrink_d) { return tanh(x) * tanh(x); }

FORMULA(softsign_f) { return isinf(x) ? copysign(1, x) : x / (1 + fabs(x)); }
FORMULA(softsign_d) { return 1 / ((1 + fabs(x)) * (1 + fabs(x))); }
FORMULA(softsign_y) { return fabs(x) > 1 ? NO_OUTPUT : (1 - fabs(x)) * (1 - fabs(x)); }

FORMULA(squareplus_f)
{
    double s = sqrt(x * x + p[0]);
    return x < 0 ? p[0] / (2 * (s - x)) : 0.5 * (x + s);
}
FORMULA(squareplus_d)
{
    double s = sqrt(x * x + p[0]);
    if (s == 0) return 0.5;
    double left = p[0] / (2 * s * (s + fabs(x)));
    return x < 0 ? left : 1 - left;
}
FORMULA(squareplus_y) { return x < 0 ? NO_OUTPUT : isinf(x) ? 1 : x * x / (x * x + p[0] / 4); }

FORMULA(hard_swish_f) { return x <= -3 ? -0.0 : x >= 3 ? x : x * (x + 3) / 6; }
FORMULA(hard_swish_d) { return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6; }

FORMULA(hard_sigmoid_f) { return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6; }
FORMULA(hard_sigmoid_d) { return x <= -3 || x >= 3 ? 0 : 1 / 6.0; }
FORMULA(hard_sigmoid_y) { return x < 0 || x > 1 ? NO_OUTPUT : x <= 0 || x >= 1 ? 0 : 1 / 6.0; }

FORMULA(sparse_plus_f) { return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4; }
FORMULA(sparse_plus_d) { return x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2; }

FORMULA(sparse_sigmoid_f) { return x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2; }
FORMULA(sparse_sigmoid_d) { return x <= -1 || x >= 1 ? 0 : 0.5; }
FORMULA(sparse_sigmoid_y) { return x < 0 || x > 1 ? NO_OUTPUT : x <= 0 || x >= 1 ? 0 : 0.5; }

FORMULA(hard_shrink_f) { return fabs(x) <= p[0] ? 0 : x; }
FORMULA(hard_shrink_d) { return fabs(x) <= p[0] ? 0 : 1; }

FORMULA(soft_shrink_f) { return fabs(x) <= p[0] ? 0 : x - copysign(p[0], x); }
FORMULA(soft_shrink_d) { return fabs(x) <= p[0] ? 0 : 1; }
FORMULA(soft_shrink_y) { return x == 0 ? 0 : 1; }

FORMULA(hard_tanh_f) { return x < p[0] ? p[0] : x > p[1] ? p[1] : x; }
FORMULA(hard_tanh_d) { return x <= p[0] || x >= p[1] ? 0 : 1; }
FORMULA(hard_tanh_y) { return x < p[0] || x > p[1] ? NO_OUTPUT : hard_tanh_d(x, p); }

/* Parameters: slope, offset, low, high.  The sign of slope x - (low - offset) survives the rounding of each. */
FORMULA(clipped_linear_f) { return hard_tanh_f(product(p[0], x) + p[1], p + 2); }
FORMULA(clipped_linear_d)
{
    double z = product(p[0], x);
    return z <= p[2] - p[1] || z >= p[3] - p[1] ? 0 : p[0];
}
FORMULA(clipped_linear_y) { return x < p[2] || x > p[3] ? NO_OUTPUT : x <= p[2] || x >= p[3] ? 0 : p[0]; }

FORMULA(threshold_f) { return x <= p[0] ? p[1] : x; }
FORMULA(threshold_d) { return x <= p[0] ? 0 : 1; }

FORMULA(thresholded_relu_f) { return x <= p[0] ? 0 : x; }
FORMULA(thresholded_relu_d) { return x <= p[0] ? 0 : 1; }

/* Parameters: negative_slope, max_value, threshold. */
FORMULA(general_relu_f) { return x <= p[2] ? (p[0] == 0 ? 0 : p[0] * (x - p[2])) : x >= p[1] ? p[1] : x; }
FORMULA(general_relu_d) { return x <= p[2] ? p[0] : x >= p[1] && isfinite(p[1]) ? 0 : 1; }

#define ROW_Y(name, parameters) {#name, parameters, {name##_f, name##_d, name##_y}}
#define ROW(name, parameters) {#name, parameters, {name##_f, name##_d, NULL}}

const struct numact_reference numact_references[] = {
    ROW_Y(identity, 0), ROW_Y(relu, 0), ROW_Y(relu6, 0), ROW_Y(relu_squared, 0), ROW_Y(leaky_relu, 1), ROW_Y(elu, 1),
    ROW_Y(celu, 1), ROW_Y(selu, 0), ROW_Y(sigmoid, 0), ROW_Y(tanh, 0), ROW_Y(softplus, 1), ROW_Y(log_sigmoid, 0),
    ROW_Y(exponential, 0), ROW(gaussian, 0), ROW(silu, 0), ROW(swish, 1), ROW(quick_gelu, 0), ROW(gelu, 0),
    ROW(gelu_tanh, 0), ROW(mish, 0), ROW(dish, 0), ROW(tanhshrink, 0), ROW_Y(softsign, 0), ROW_Y(squareplus, 1),
    ROW(hard_swish, 0), ROW_Y(hard_sigmoid, 0), ROW(sparse_plus, 0), ROW_Y(sparse_sigmoid, 0), ROW(hard_shrink, 1),
    ROW_Y(soft_shrink, 1), ROW_Y(hard_tanh, 2), ROW_Y(clipped_linear, 4), ROW(threshold, 2), ROW(thresholded_relu, 1),
    ROW(general_relu, 3), {.name = NULL},
};

void numact_reference_evaluate(numact_reference_formula *formula, const double *parameters, const float *x, double *want,
                               ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        want[i] = formula((double)x[i], parameters);
}

static double power_of_two(int n)
{
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* The n for which 2^n is the unit in the last place of the format at x. */
static int exponent_of_unit(double x, struct numact_format format)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    exponent = exponent < format.least ? format.least : exponent > format.largest ? format.largest : exponent;
    return exponent - format.digits;
}

/* x rounded to the format, to nearest even; not to infinity, but to what follows the largest number. */
static double rounded(double x, double limit, struct numact_format format)
{
    int unit = exponent_of_unit(x, format);
    double scaled = x * power_of_two(-unit), shift = copysign(0x1.8p52, x);
    return fabs(x) >= limit ? copysign(limit, x) : ((scaled + shift) - shift) * power_of_two(unit);
}

/* Infinity stands for what follows the largest number. */
static double finite_or(double value, double limit) { return isinf(value) ? copysign(limit, value) : value; }

/* How far a result is from the true value, in units of its last place. */
static double error_of(double got, double want, double nearest, double limit, struct numact_format format, bool signs)
{
    double value = finite_or(got, limit);
    if (isinf(got) && value == nearest) return 0;
    if (isnan(got) || isinf(want)) return HUGE_VAL;
    if (signs && value == 0 && nearest == 0 && signbit(value) != signbit(want)) return HUGE_VAL;
    return fabs(value - want) * power_of_two(-exponent_of_unit(nearest, format));
}

struct numact_errors numact_reference_compare(const float *got, const double *want, ptrdiff_t n,
                                              struct numact_format format, bool partial, bool signs)
{
    struct numact_errors found = {-1, -1, 0, 0};
    double limit = power_of_two(format.largest + 1);
    for (ptrdiff_t i = 0; i < n; i++) {
        double error = HUGE_VAL, value = (double)got[i];
        if (value == want[i] && isfinite(value) && signbit(value) == signbit(want[i])) { /* most often, for some functions */
            error = 0;
            found.counted++;
            found.correct++;
        } else if (isnan(want[i])) {
            if (partial || isnan(value)) continue;
        } else {
            double nearest = rounded(want[i], limit, format);
            error = error_of(value, want[i], nearest, limit, format, signs);
            found.counted++;
            found.correct += error < HUGE_VAL && finite_or(value, limit) == nearest;
        }
        if (error > found.largest) {
            found.largest = error;
            found.worst = i;
        }
    }
    return found;
}
