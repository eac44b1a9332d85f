# cython: language_level=3
"""A layer in compiled code: numact's kernels on plain buffers, without Python objects and the GIL."""

cimport numact


def gelu_of_rows(float[:, ::1] x, float[:, ::1] y):
    """gelu, row by row, then softmax of each row in place, without the GIL.

    Parameters
    ----------
    x, y : memoryviews of float32
        Input and output, of one shape.
    """
    cdef numact.numact_function gelu
    cdef numact.numact_row_function softmax
    cdef const void *inputs[1]
    cdef void *outputs[1]
    cdef Py_ssize_t r
    if x.shape[0] != y.shape[0] or x.shape[1] != y.shape[1]:
        raise ValueError("gelu_of_rows: x and y must have one shape")
    if x.shape[0] == 0 or x.shape[1] == 0:
        return
    numact.numact_import()
    if numact.numact_find(b"gelu", b"f", &gelu) or numact.numact_find_rows(b"softmax", b"f", &softmax):
        raise RuntimeError("gelu_of_rows: numact has no such function")
    with nogil:
        for r in range(x.shape[0]):
            inputs[0], outputs[0] = &x[r, 0], &y[r, 0]
            numact.numact_compute(&gelu, inputs, outputs, x.shape[1], NULL)
        inputs[0] = &y[0, 0]
        numact.numact_compute_rows(&softmax, inputs, &y[0, 0], x.shape[0], x.shape[1], 1.0)


def leaky(double[::1] x, double slope):
    """leaky_relu in place, with its parameter, and its gradient for dy = 1 as a new list."""
    cdef numact.numact_function forward, gradient
    cdef const void *inputs[2]
    cdef void *outputs[1]
    cdef double[::1] dy = x.copy()
    dy[:] = 1
    numact.numact_import()
    if numact.numact_find(b"leaky_relu", b"d", &forward) or numact.numact_find(b"leaky_relu_grad", b"d", &gradient):
        raise RuntimeError("leaky: numact has no such function")
    inputs[0], inputs[1], outputs[0] = &dy[0], &x[0], &dy[0]
    numact.numact_compute(&gradient, inputs, outputs, x.shape[0], &slope)
    inputs[0], outputs[0] = &x[0], &x[0]
    if numact.numact_compute(&forward, inputs, outputs, x.shape[0], NULL) != -1:
        raise RuntimeError("leaky: a parameter is missing, and that was not noticed")
    numact.numact_compute(&forward, inputs, outputs, x.shape[0], &slope)
    return list(dy)
