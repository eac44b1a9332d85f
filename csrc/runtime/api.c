/* What other compiled programs call: src/numact/include/numact_api.h. */
#include "runtime/api.h"

#include <string.h>

static const struct numact_level *level;

void numact_api_use(const struct numact_level *used) { level = used; }

/* The kernel of a name such as "gelu_grad": that of the activation, and the kind by what the name ends with. */
static const struct numact_kernel *kernel_of(const struct numact_activation *row, const char *name)
{
    static const struct {
        const char *suffix;
        enum numact_kind kind;
    } kinds[] = {{"", NUMACT_FORWARD}, {"_grad", NUMACT_GRADIENT}, {"_grad_y", NUMACT_GRADIENT_FROM_OUTPUT}};
    for (; row->name; row++) {
        const size_t length = strlen(row->name);
        if (strncmp(row->name, name, length) != 0) continue;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (!strcmp(name + length, kinds[k].suffix) && row->kernels[kinds[k].kind].loop)
                return &row->kernels[kinds[k].kind];
    }
    return NULL;
}

static int find(const char *name, char type, numact_function *found)
{
    const struct numact_kernel *kernel = strchr("eEf", type) ? kernel_of(level->f32, name)
                                         : type == 'd'       ? kernel_of(level->f64, name)
                                                             : NULL;
    if (!kernel || !type) return -1;
    *found = (numact_function){.inputs = kernel->arrays, .parameters = kernel->inputs - kernel->arrays,
                               .outputs = kernel->outputs, .kernel = kernel,
                               .half_loop = type == 'e'   ? (const void *)(uintptr_t)level->f16
                                            : type == 'E' ? (const void *)(uintptr_t)level->bf16
                                                          : NULL,
                               .width = (int)kernel->width};
    return 0;
}

static int compute(const numact_function *function, const void *const *inputs, void *const *outputs, ptrdiff_t n,
                   const double *parameters)
{
    const struct numact_kernel *kernel = function->kernel;
    const struct numact_half_kernel half = {kernel, (numact_half_loop *)(uintptr_t)function->half_loop};
    const ptrdiff_t width = half.loop ? (ptrdiff_t)sizeof(uint16_t) : kernel->width;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS];
    double doubles[NUMACT_MAX_ARRAYS];
    float floats[NUMACT_MAX_ARRAYS];
    if (function->parameters && !parameters) return -1;
    for (int k = 0; k < kernel->inputs + kernel->outputs; k++) {
        const int parameter = k - kernel->arrays;
        strides[k] = width;
        if (k < kernel->arrays) {
            arrays[k] = (char *)(uintptr_t)inputs[k];
        } else if (k < kernel->inputs) {
            doubles[k] = parameters[parameter];
            floats[k] = (float)doubles[k];
            arrays[k] = kernel->width == sizeof(double) ? (char *)&doubles[k] : (char *)&floats[k];
            strides[k] = 0;
        } else {
            arrays[k] = outputs[k - kernel->inputs];
        }
    }
    if (half.loop)
        numact_half_ufunc_loop(arrays, &n, strides, (void *)(uintptr_t)&half);
    else
        numact_ufunc_loop(arrays, &n, strides, (void *)(uintptr_t)kernel);
    return 0;
}

static int find_rows(const char *name, char type, numact_row_function *found)
{
    const struct numact_axis_function *row = type == 'f' ? level->axis_f32 : type == 'd' ? level->axis_f64 : NULL;
    while (row && row->name && strcmp(row->name, name) != 0)
        row++;
    if (!row || !row->name || strpbrk(row->types, "?pi")) return -1; /* no masks and indices */
    const size_t inputs = strcspn(row->types, ">");
    const int scaled = strstr(row->signature, "()->") != NULL;
    *found = (numact_row_function){.inputs = (int)inputs - scaled, .has_temperature = scaled,
                                   .reduces = strstr(row->signature, "->()") != NULL, .function = row,
                                   .width = (int)row->width};
    return 0;
}

static int compute_rows(const numact_row_function *function, const void *const *inputs, void *output, ptrdiff_t rows,
                        ptrdiff_t n, double temperature)
{
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[2 * NUMACT_MAX_ARRAYS];
    const ptrdiff_t width = function->width, dimensions[2] = {rows, n};
    const float narrow = (float)temperature;
    const int count = function->inputs + function->has_temperature + 1;
    for (int k = 0; k < function->inputs; k++) {
        arrays[k] = (char *)(uintptr_t)inputs[k];
        strides[k] = n * width;
    }
    if (function->has_temperature) {
        arrays[count - 2] = (char *)(uintptr_t)(width == sizeof(double) ? (const void *)&temperature : (const void *)&narrow);
        strides[count - 2] = 0;
    }
    arrays[count - 1] = output;
    strides[count - 1] = function->reduces ? width : n * width;
    for (int k = 0; k <= function->inputs; k++)
        strides[count + k] = width;
    return numact_axis_ufunc_loop(arrays, dimensions, strides, (void *)(uintptr_t)function->function) ? 0 : -1;
}

const struct numact_api numact_c_api = {NUMACT_API_VERSION, find, compute, find_rows, compute_rows};
