/* True values of arrays, and the errors of results in units in the last place. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "reference/reference.h"

void numact_reference_evaluate(numact_reference_formula *formula, const double *parameters, const float *x,
                               double *want, ptrdiff_t n)
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

/* The n for which 2^n is the unit in the last place (ULP) of x in the format. */
static int exponent_of_ulp(double x, struct numact_format format)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    exponent = exponent < format.least ? format.least : exponent > format.largest ? format.largest : exponent;
    return exponent - format.digits;
}

/* x rounded to nearest even in the format; where that overflows, the result is `limit`, 2^(largest + 1). */
static double rounded(double x, double limit, struct numact_format format)
{
    int unit = exponent_of_ulp(x, format);
    double scaled = x * power_of_two(-unit), shift = copysign(0x1.8p52, x);
    return fabs(x) >= limit ? copysign(limit, x) : ((scaled + shift) - shift) * power_of_two(unit);
}

/* The value, with infinity as `limit`, so that an error can be measured. */
static double finite_or(double value, double limit) { return isinf(value) ? copysign(limit, value) : value; }

/* The error of a result in ULP of the correctly rounded one. */
static double error_of(double got, double want, double nearest, double limit, struct numact_format format, bool signs)
{
    double value = finite_or(got, limit);
    if (isinf(got) && value == nearest) return 0;
    if (isnan(got) || isinf(want)) return HUGE_VAL;
    if (signs && value == 0 && nearest == 0 && signbit(value) != signbit(want)) return HUGE_VAL;
    return fabs(value - want) * power_of_two(-exponent_of_ulp(nearest, format));
}

struct numact_errors numact_reference_compare(const float *got, const double *want, ptrdiff_t n,
                                              struct numact_format format, bool partial, bool signs)
{
    struct numact_errors found = {-1, -1, 0, 0};
    double limit = power_of_two(format.largest + 1);
    for (ptrdiff_t i = 0; i < n; i++) {
        double error = HUGE_VAL, value = (double)got[i];
        if (value == want[i] && isfinite(value) && signbit(value) == signbit(want[i])) { /* fast path */
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
