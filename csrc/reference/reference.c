/* The reference: what the activations are, in double, to judge the float32 kernels by.  It is written independently of
   them, with exp, expm1, log1p, tanh and erfc of the C library, and with formulas that keep the digits of double in the
   tails and near roots.

   An error of 1e-6 ULP of float32 is a relative error of 6e-14, about 500 rounding errors of double.  So what matters
   is that nothing cancels, and that no error of an argument is multiplied by a large derivative: a product of two
   floats is exact in double, and other arguments are double-words, with their rounding error in `lo`.
   tests/kernels/test_reference.py compares all of this with numbers of 200 bits.

   To add a function: NAME_f(x), NAME_d(x), the derivative, and NAME_y(y), the derivative where it is a function of the
   output; a row in the list at the end.  compare.c measures the errors of results. */
#include "reference/reference.h"

#include <math.h>

#define UNUSED __attribute__((unused))
#define FORMULA(name) static double name(double x UNUSED, const double *p UNUSED)

/* The derivative for a y that is no output. */
#define NO_OUTPUT ((double)NAN)

/* A double-word hi + lo, where lo is the rounding error of hi (Dekker, 1971). */
struct dw {
    double hi, lo;
};

/* e^-|z|; e^lo is 1 + lo to first order. */
static double exp_neg_abs(struct dw z) { return exp(-fabs(z.hi)) * (z.hi < 0 ? 1 + z.lo : 1 - z.lo); }

/* sigmoid(z), from e = e^-|z|. */
static double sigmoid_from_exp(double z, double e) { return (z < 0 ? e : 1) / (1 + e); }

/* x g(x), where g tends to 0 at infinity faster than 1/x: 0 where g is 0, also for an infinite x. */
static double times(double x, double g) { return g == 0 ? copysign(0, x) : x * g; }

/* k x; 0 for k = 0, also for an infinite x. */
static double product(double k, double x) { return k == 0 && isinf(x) ? 0 : k * x; }

/* sigmoid(z) (1 + h sigmoid(-z)), from e = e^-|z|, for arguments for which 1 + h + e does not cancel. */
static double gate_slope(double z, double e, double h)
{
    if (e == 0) return z < 0 ? -0.0 : 1;
    return z < 0 ? e * (1 + e + h) / ((1 + e) * (1 + e)) : (1 + e + h * e) / ((1 + e) * (1 + e));
}

/* The derivative of x sigmoid(z) by x, z = k x.  It is 0 at the root of 1 + z + e^z; distance = z - root. */
static const struct dw SILU_ROOT = {-0x1.474973c84120bp+0, -0x1.f8d74bc9ac154p-54};
static double swish_slope(struct dw z, double distance)
{
    double e = exp_neg_abs(z);
    if (fabs(distance) < 0.5) { /* 1 + z + e^z = distance - (1 + root) expm1(distance), terms of one sign */
        double sum = distance - (1 + SILU_ROOT.hi) * expm1(distance);
        return e * sum / ((1 + e) * (1 + e));
    }
    return gate_slope(z.hi, e, z.hi);
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

FORMULA(leaky_relu_f) { return x > 0 ? x : product(p[0], x); }
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

/* Parameters: alpha, scale.  From the output, scale alpha is a double-word; that of the defaults counts their digits
   beyond double. */
#define SELU_RIGHT 0x1.0cfabd6a91132p+0 /* lambda */
static const struct dw SELU_LEFT = {0x1.c212cc640f031p+0, 0x1.05161b045a21ep-56}; /* lambda alpha */
static struct dw selu_left(const double *p)
{
    double left = p[1] * p[0];
    return fabs(left - SELU_LEFT.hi) < 1e-6 ? SELU_LEFT : (struct dw){left, fma(p[1], p[0], -left)};
}
static double selu_right(const double *p) { return fabs(p[1] - SELU_RIGHT) < 1e-6 ? SELU_RIGHT : p[1]; }
FORMULA(selu_f) { return x > 0 ? selu_right(p) * x : product(selu_left(p).hi, expm1(x)); }
FORMULA(selu_d) { return x > 0 ? selu_right(p) : product(selu_left(p).hi, exp(x)); }
FORMULA(selu_y)
{
    struct dw left = selu_left(p);
    return x > 0 ? selu_right(p) : x < -(double)nextafterf((float)left.hi, INFINITY) ? NO_OUTPUT : (x + left.hi) + left.lo;
}

FORMULA(sigmoid_f) { return sigmoid_from_exp(x, exp(-fabs(x))); }
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
FORMULA(silu_d) { return swish_slope((struct dw){x, 0}, (x - SILU_ROOT.hi) - SILU_ROOT.lo); }

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

static const struct dw QUICK_GELU_SLOPE = {0x1.b3b645a1cac08p+0, 0x1.89374bc6a7efap-55}; /* 1.702 */
static const struct dw QUICK_GELU_ROOT = {-0x1.80974a62be3dfp-1, 0x1.b12c858d26bf0p-55}; /* that of silu / 1.702 */
static struct dw quick_gelu_argument(double x)
{
    double z = QUICK_GELU_SLOPE.hi * x;
    return (struct dw){z, isinf(x) ? 0 : fma(QUICK_GELU_SLOPE.hi, x, -z) + QUICK_GELU_SLOPE.lo * x};
}
FORMULA(quick_gelu_f)
{
    struct dw z = quick_gelu_argument(x);
    return times(x, isinf(x) ? x > 0 : sigmoid_from_exp(z.hi, exp_neg_abs(z)));
}
FORMULA(quick_gelu_d)
{
    if (isinf(x)) return x > 0 ? 1 : -0.0;
    double distance = QUICK_GELU_SLOPE.hi * ((x - QUICK_GELU_ROOT.hi) - QUICK_GELU_ROOT.lo);
    return swish_slope(quick_gelu_argument(x), distance);
}

/* Phi(x) = erfc(a) / 2, a = -x / sqrt(2).  The rounding error of a is accounted for to first order: erfc'(a) is
   -2/sqrt(pi) e^(-a^2). */
static const struct dw SQRT_HALF = {0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55};
#define TWO_OVER_SQRT_PI 0x1.20dd750429b6dp+0
#define DENSITY 0x1.9884533d43651p-2 /* 1 / sqrt(2 pi) */
static double normal(double x)
{
    if (fabs(x) > 1e3) return x > 0;
    double a = -SQRT_HALF.hi * x, error = fma(-SQRT_HALF.hi, x, -a) - SQRT_HALF.lo * x;
    return 0.5 * (erfc(a) - TWO_OVER_SQRT_PI * exp(-a * a) * error);
}
FORMULA(gelu_f) { return times(x, normal(x)); }
FORMULA(ndtr_f) { return normal(x); }
FORMULA(ndtr_d) { return DENSITY * exp(-0.5 * x * x); }
FORMULA(erf_f) { return erf(x); }
FORMULA(erf_d) { return TWO_OVER_SQRT_PI * exp(-x * x); }

/* Near its root gelu' is computed as the integral of gelu''(t) = (2 - t^2) e^(-t^2/2) / sqrt(2 pi) from the root to x,
   by Gauss-Legendre quadrature with 5 points; its relative error is below 1e-18. */
static const struct dw GELU_ROOT = {-0x1.80ead197f00b4p-1, 0x1.13e74c58cada8p-56};
static double gelu_second(double t) { return (2 - t * t) * DENSITY * exp(-0.5 * t * t); }
FORMULA(gelu_d)
{
    double distance = (x - GELU_ROOT.hi) - GELU_ROOT.lo;
    if (fabs(distance) < 0x1p-5) {
        static const double node[2] = {0.538469310105683091, 0.906179845938663993};
        static const double weight[3] = {0.568888888888888889, 0.478628670499366468, 0.236926885056189088};
        double half = 0.5 * distance, middle = GELU_ROOT.hi + half, sum = weight[0] * gelu_second(middle);
        for (int k = 0; k < 2; k++)
            sum += weight[k + 1] * (gelu_second(middle - node[k] * half) + gelu_second(middle + node[k] * half));
        return half * sum;
    }
    return normal(x) + times(x, DENSITY * exp(-0.5 * x * x));
}

/* gelu_tanh: z = x w, w = SLOPE + CUBIC x^2, and h = x z' = x (SLOPE + 3 CUBIC x^2). */
static const struct dw SLOPE = {0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54};
static const struct dw CUBIC = {0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c70p-61};
static struct dw gelu_tanh_argument(double x)
{
    double square = x * x, term = CUBIC.hi * square, w = SLOPE.hi + term, virtual_term = w - SLOPE.hi;
    double error = (SLOPE.hi - (w - virtual_term)) + (term - virtual_term); /* of w, by two_sum (Knuth, TAOCP 2) */
    error += fma(CUBIC.hi, square, -term) + CUBIC.lo * square + SLOPE.lo;
    double z = x * w;
    return (struct dw){z, fma(x, w, -z) + x * error};
}
FORMULA(gelu_tanh_f)
{
    if (fabs(x) > 1e3) return x > 0 ? x : -0.0;
    struct dw z = gelu_tanh_argument(x);
    return times(x, sigmoid_from_exp(z.hi, exp_neg_abs(z)));
}

/* At the root 1 + h + e^z = 0, and e^z = GELU_TANH_POWER.  Near it, x^3 - root^3 = distance (x^2 + x root + root^2). */
static const struct dw GELU_TANH_ROOT = {-0x1.81429f9e97e4dp-1, 0x1.4f523ed77dbdcp-55};
#define GELU_TANH_POWER 0x1.2af64e9c485eep-2
FORMULA(gelu_tanh_d)
{
    if (fabs(x) > 1e3) return x > 0 ? 1 : -0.0;
    struct dw z = gelu_tanh_argument(x);
    double e = exp_neg_abs(z), distance = (x - GELU_TANH_ROOT.hi) - GELU_TANH_ROOT.lo;
    if (fabs(distance) < 0x1p-3) {
        double cubes = CUBIC.hi * (x * x + x * GELU_TANH_ROOT.hi + GELU_TANH_ROOT.hi * GELU_TANH_ROOT.hi);
        double sum = distance * (SLOPE.hi + 3 * cubes) + GELU_TANH_POWER * expm1(distance * (SLOPE.hi + cubes));
        return e * sum / ((1 + e) * (1 + e));
    }
    return gate_slope(z.hi, e, x * (SLOPE.hi + 3 * CUBIC.hi * x * x));
}

/* tanh(log(1 + e^x)) = a/b, with e = e^-|x|. */
FORMULA(mish_f)
{
    double e = exp(-fabs(x)), a = x < 0 ? e * (2 + e) : 1 + 2 * e, b = a + (x < 0 ? 2 : 2 * e * e);
    return times(x, a / b);
}

/* For x < 0, mish' = e^x m / b^2, m = e^3x + 4 e^2x + (6 + 4x) e^x + 4 (1 + x), b = e^2x + 2 e^x + 2.  Near the root, m
   is m(x) - m(root), computed term by term; all terms have the same sign. */
static const struct dw MISH_ROOT = {-0x1.31432c0d12d84p+0, -0x1.bf319154da210p-55};
#define MISH_POWER 0x1.36c4202fc3eccp-2 /* e^root */
FORMULA(mish_d)
{
    double e = exp(-fabs(x)), distance = (x - MISH_ROOT.hi) - MISH_ROOT.lo;
    if (e == 0) return x < 0 ? -0.0 : 1;
    if (x >= 0) {
        double a = 1 + 2 * e, b = a + 2 * e * e;
        return a / b + x * 4 * e * e * (1 + e) / (b * b);
    }
    double b = e * e + 2 * e + 2, m = e * e * e + 4 * e * e + (6 + 4 * x) * e + 4 * (1 + x);
    if (fabs(distance) < 0x1p-3) {
        double once = MISH_POWER, twice = once * once;
        m = 4 * distance * (1 + e) + (6 + 4 * MISH_ROOT.hi) * once * expm1(distance) +
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
static const struct dw GOLDEN = {0x1.3c6ef372fe950p-1, -0x1.f506319fcfd19p-55};
FORMULA(dish_d)
{
    if (isinf(x)) return x > 0 ? 1 : -0.0;
    double g = GOLDEN.hi, s = sqrt(1 + x * x), r = x / s;
    if (x < 0) {
        double above = g * ((g - x * x) + GOLDEN.lo) / (s * s * (g - r));
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

/* Parameters: lambd, bias. */
FORMULA(hard_shrink_f) { return fabs(x) <= p[0] ? 0 : x < 0 ? -(-x - p[1]) : x - p[1]; }
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

/* clipped_swish: the same parameters. */
FORMULA(clipped_swish_f) { return times(x, clipped_linear_f(x, p)); }
FORMULA(clipped_swish_d)
{
    double z = product(p[0], x);
    return z <= p[2] - p[1] ? p[2] : z >= p[3] - p[1] ? p[3] : 2 * z + p[1];
}

FORMULA(threshold_f) { return x <= p[0] ? p[1] : x; }
FORMULA(threshold_d) { return x <= p[0] ? 0 : 1; }

FORMULA(thresholded_relu_f) { return x <= p[0] ? 0 : x; }
FORMULA(thresholded_relu_d) { return x <= p[0] ? 0 : 1; }

/* Parameters: negative_slope, max_value, threshold. */
FORMULA(general_relu_f) { return x <= p[2] ? (p[0] == 0 ? 0 : p[0] * (x - p[2])) : x >= p[1] ? p[1] : x; }
FORMULA(general_relu_d) { return x <= p[2] ? p[0] : x >= p[1] && isfinite(p[1]) ? 0 : 1; }

#define REFERENCE(function, count) \
    {.name = #function, .parameters = count, .formulas = {function##_f, function##_d}}
#define REFERENCE_Y(function, count) \
    {.name = #function, .parameters = count, .formulas = {function##_f, function##_d, function##_y}}

/* The name of each activation and the number of its parameters; REFERENCE_Y where there is NAME_y. */
const struct numact_reference numact_references[] = {
    REFERENCE_Y(identity, 0),
    REFERENCE_Y(relu, 0),
    REFERENCE_Y(relu6, 0),
    REFERENCE_Y(relu_squared, 0),
    REFERENCE_Y(leaky_relu, 1),
    REFERENCE_Y(elu, 1),
    REFERENCE_Y(celu, 1),
    REFERENCE_Y(selu, 2),
    REFERENCE_Y(sigmoid, 0),
    REFERENCE_Y(tanh, 0),
    REFERENCE_Y(softplus, 1),
    REFERENCE_Y(log_sigmoid, 0),
    REFERENCE_Y(exponential, 0),
    REFERENCE(gaussian, 0),
    REFERENCE(silu, 0),
    REFERENCE(swish, 1),
    REFERENCE(quick_gelu, 0),
    REFERENCE(gelu, 0),
    REFERENCE(gelu_tanh, 0),
    REFERENCE(erf, 0),
    REFERENCE(ndtr, 0),
    REFERENCE(mish, 0),
    REFERENCE(dish, 0),
    REFERENCE(tanhshrink, 0),
    REFERENCE_Y(softsign, 0),
    REFERENCE_Y(squareplus, 1),
    REFERENCE(hard_swish, 0),
    REFERENCE_Y(hard_sigmoid, 0),
    REFERENCE(sparse_plus, 0),
    REFERENCE_Y(sparse_sigmoid, 0),
    REFERENCE(hard_shrink, 2),
    REFERENCE_Y(soft_shrink, 1),
    REFERENCE_Y(hard_tanh, 2),
    REFERENCE_Y(clipped_linear, 4),
    REFERENCE(clipped_swish, 4),
    REFERENCE(threshold, 2),
    REFERENCE(thresholded_relu, 1),
    REFERENCE(general_relu, 3),
    {.name = NULL},
};
