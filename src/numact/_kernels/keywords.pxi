# Calls that fail because of a keyword: a better message than that of NumPy or Python, without cost for other calls.

cdef extern from *:
    """
    static PyObject *numact_raise_pending(void) { return NULL; }
    """
    object numact_raise_pending()  # raises the exception that is set

# A vectorcall whose result is checked here; the type of Cython's own checks would count references.
ctypedef PyObject *(*unchecked_call)(PyObject *, PyObject *const *, size_t, PyObject *) noexcept

cdef extern from "numpy/ufuncobject.h":
    ctypedef struct UfuncFields "PyUFuncObject":
        void *vectorcall

cdef extern from "Python.h":
    PyObject *call_unchecked "PyObject_Vectorcall" (PyObject *, PyObject *const *, size_t, PyObject *) noexcept
    object PyVectorcall_Call(object, tuple, dict)

cdef object _explain = None
cdef unchecked_call _call_of_numpy = NULL


def explain_with(explain):
    """Set what makes the message of a TypeError in a call with keywords.

    Parameters
    ----------
    explain : callable
        Takes the function and the names of the keywords, and returns the message, or None to leave the exception as it
        is.
    """
    global _explain
    _explain = explain


cdef object explain_pending(object function, PyObject *names):
    """Raise the exception that is set, with another message if a keyword is to blame."""
    try:
        return numact_raise_pending()
    except TypeError:
        message = None if _explain is None else _explain(function, <tuple>names)
        if message is None:
            raise
    raise TypeError(message)


cdef PyObject *explained(PyObject *function, PyObject *names, PyObject *result) except? NULL:
    """The result of a call, or the exception with a better message."""
    if result == NULL and names != NULL:
        explain_pending(<object>function, names)
    return result


cdef PyObject *call_ufunc(
    PyObject *ufunc, PyObject *const *given, size_t flags, PyObject *names
) except? NULL:
    return explained(ufunc, names, _call_of_numpy(ufunc, given, flags, names))


cdef void explain_calls(object ufunc) noexcept:
    """Let the calls of a ufunc pass through `call_ufunc`."""
    global _call_of_numpy
    cdef UfuncFields *fields = <UfuncFields *><PyObject *>ufunc
    _call_of_numpy = <unchecked_call>fields.vectorcall
    fields.vectorcall = <void *>call_ufunc


cdef class FunctionCall:
    """The vectorcall of a Python function, which it calls.

    Parameters
    ----------
    function : callable
        The function.
    """

    cdef vectorcallfunc vectorcall
    cdef object function

    def __init__(self, function):
        self.function = function
        self.vectorcall = <vectorcallfunc>call_function

    def __call__(self, *given, **keywords):
        return PyVectorcall_Call(self, given, keywords)


cdef PyObject *call_function(
    PyObject *function, PyObject *const *given, size_t flags, PyObject *names
) except? NULL:
    cdef PyObject *called = <PyObject *>(<FunctionCall>function).function
    return explained(function, names, call_unchecked(called, given, flags, names))


cdef FunctionCall _function_sample = FunctionCall.__new__(FunctionCall)
(<CallableType *>FunctionCall).tp_vectorcall_offset = (
    <char *>&_function_sample.vectorcall - <char *><PyObject *>_function_sample
)
called_by_vector(FunctionCall)
