/* Kernels of numact on raw buffers, for C and Cython: no Python objects, and no GIL but for numact_import().

   Buffers are contiguous, and aligned to their type; an output may be an input, or must not overlap it.  Types are the
   letters of NumPy: 'e' float16, 'f' float32, 'd' float64, and 'E' for bfloat16.  Large buffers are shared by the
   threads of numact.set_num_threads().  Results have the bits of the function of the same name in Python.  Build with
   numact.get_include() among the include directories. */
#ifndef NUMACT_API_H
#define NUMACT_API_H

#include <stddef.h>
#ifndef NUMACT_API_WITHOUT_PYTHON /* set where the interface is made */
#include <Python.h>
#endif

#define NUMACT_API_VERSION 1
#define NUMACT_API_CAPSULE "numact._kernels.core.C_API"

/* An elementwise or gated function: "gelu", "gelu_grad" of dy and x, "tanh_grad_y" of dy and y, "swiglu" of both halves. */
typedef struct {
    int inputs, parameters, outputs; /* numbers of buffers, and of the parameters, which are numbers */
    const void *kernel, *half_loop;  /* not for users */
    int width;
} numact_function;

/* A function along contiguous rows: "softmax", "log_softmax", "logsumexp", ..., "softmax_grad" of dy and y. */
typedef struct {
    int inputs, has_temperature, reduces; /* `reduces`: the output has one number for each row */
    const void *function;                 /* not for users */
    int width;
} numact_row_function;

struct numact_api {
    int version;
    int (*find)(const char *name, char type, numact_function *found);
    int (*compute)(const numact_function *function, const void *const *inputs, void *const *outputs, ptrdiff_t n,
                   const double *parameters);
    int (*find_rows)(const char *name, char type, numact_row_function *found);
    int (*compute_rows)(const numact_row_function *function, const void *const *inputs, void *output, ptrdiff_t rows,
                        ptrdiff_t n, double temperature);
};

#ifndef NUMACT_API_WITHOUT_PYTHON
static const struct numact_api *numact_api = NULL;

/* Makes the other functions usable in this file; 0, or -1 with a Python exception.  Needs the GIL. */
static inline int numact_import(void)
{
    if (numact_api) return 0;
    PyObject *module = PyImport_ImportModule("numact._kernels.core");
    if (!module) return -1;
    Py_DECREF(module);
    const struct numact_api *found = (const struct numact_api *)PyCapsule_Import(NUMACT_API_CAPSULE, 0);
    if (!found) return -1;
    if (found->version != NUMACT_API_VERSION) {
        PyErr_Format(PyExc_ImportError, "numact has version %d of its C interface, this was built for version %d",
                     found->version, NUMACT_API_VERSION);
        return -1;
    }
    numact_api = found;
    return 0;
}

/* Finds a function by its name in Python; 0, or -1 if there is none of this name and type. */
static inline int numact_find(const char *name, char type, numact_function *found)
{
    return numact_api->find(name, type, found);
}

/* Computes n elements.  All parameters must be given, in their order in Python; NULL where there are none.  0, or -1 if
   parameters are missing. */
static inline int numact_compute(const numact_function *function, const void *const *inputs, void *const *outputs,
                                 ptrdiff_t n, const double *parameters)
{
    return numact_api->compute(function, inputs, outputs, n, parameters);
}

/* Finds a function along rows, of type 'f' or 'd'; 0, or -1 if there is none. */
static inline int numact_find_rows(const char *name, char type, numact_row_function *found)
{
    return numact_api->find_rows(name, type, found);
}

/* Computes rows of n elements; the temperature counts if there is one, and is then > 0.  0, or -1 if memory could not be
   allocated. */
static inline int numact_compute_rows(const numact_row_function *function, const void *const *inputs, void *output,
                                      ptrdiff_t rows, ptrdiff_t n, double temperature)
{
    return numact_api->compute_rows(function, inputs, output, rows, n, temperature);
}

#endif

#endif
