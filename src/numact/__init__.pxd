# What `cimport numact` finds: kernels on raw buffers, without Python objects (see include/numact_api.h).

cdef extern from "numact_api.h" nogil:
    ctypedef struct numact_function:
        int inputs, parameters, outputs

    ctypedef struct numact_row_function:
        int inputs, has_temperature, reduces

    int numact_find(const char *name, char type, numact_function *found)
    int numact_compute(
        const numact_function *function, const void *const *inputs, void *const *outputs, ptrdiff_t n,
        const double *parameters
    )
    int numact_find_rows(const char *name, char type, numact_row_function *found)
    int numact_compute_rows(
        const numact_row_function *function, const void *const *inputs, void *output, ptrdiff_t rows, ptrdiff_t n,
        double temperature
    )

cdef extern from "numact_api.h":
    int numact_import() except -1
