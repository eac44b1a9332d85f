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
        int nout
        const char *doc
        void *vectorcall
        PyObject *obj

cdef extern from "Python.h":
    PyObject *call_unchecked "PyObject_Vectorcall" (PyObject *, PyObject *const *, size_t, PyObject *) noexcept
    object PyVectorcall_Call(object, tuple, dict)

cdef object _explain = None
# How to call a function with arguments of other libraries, and the kinds of types that have been met.
cdef object _call_foreign = None
cdef object _kind_of = None
cdef dict _kinds = {}
cdef enum:
    MOST_KINDS = 256
# How NumPy calls a ufunc, any of them.
cdef unchecked_call CALL_OF_NUMPY = <unchecked_call>(<UfuncFields *><PyObject *>numpy.positive).vectorcall


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


def foreign_with(call, kind_of):
    """Set what calls a function of which an argument is an array of another library, or a masked one.

    Parameters
    ----------
    call : callable
        Takes the function, the tuple of positional arguments and the dict of keywords.
    kind_of : callable
        Takes a type; not None if its instances are such arguments.
    """
    global _call_foreign, _kind_of
    _call_foreign, _kind_of = call, kind_of


cdef object kind_of(object value):
    """The kind of an argument that is an array of another library, or a masked one; None for others."""
    cls = type(value)
    if cls is cnp.ndarray or cls is float or cls is int or value is None or cls is str or cls is tuple:
        return None
    kind = _kinds.get(cls, _kinds)
    if kind is _kinds:
        if len(_kinds) >= MOST_KINDS:  # so that types that a program makes without end can be freed
            _kinds.clear()
        kind = _kinds[cls] = _kind_of(cls)
    return kind


cdef bint any_foreign(PyObject *const *given, size_t flags, PyObject *names, str wanted) except -1:
    """Whether an argument of a vectorcall is of the wanted kind, or of any kind for None."""
    cdef Py_ssize_t k
    for k in range(PyVectorcall_NARGS(flags) + (len(<tuple>names) if names != NULL else 0)):
        kind = kind_of(<object>given[k])
        if kind is not None and (wanted is None or kind == wanted):
            return True
    return False


cdef PyObject *call_foreign(
    object function, PyObject *const *given, size_t flags, PyObject *names
) except? NULL:
    """The result (a new reference) of the call that keeps what the arguments are."""
    cdef Py_ssize_t count = PyVectorcall_NARGS(flags), k
    keywords = {} if names == NULL else {name: <object>given[count + k] for k, name in enumerate(<tuple>names)}
    result = _call_foreign(function, as_tuple(given, <int>count), keywords)
    Py_INCREF(result)
    return <PyObject *>result


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
    # dask has nothing for a ufunc of several results.
    if (<UfuncFields *>ufunc).nout > 1 and any_foreign(given, flags, names, "dask"):
        return call_foreign(<object>ufunc, given, flags, names)
    result = call_strided(<object>ufunc, given, flags, names)
    if result is not NOT_TAKEN:
        Py_INCREF(result)
        return <PyObject *>result
    return explained(ufunc, names, CALL_OF_NUMPY(ufunc, given, flags, names))


cdef void explain_calls(object ufunc) noexcept:
    """Let the calls of a ufunc pass through `call_ufunc`."""
    (<UfuncFields *><PyObject *>ufunc).vectorcall = <void *>call_ufunc


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
    if any_foreign(given, flags, names, None):
        return call_foreign(<object>called, given, flags, names)
    return explained(function, names, call_unchecked(called, given, flags, names))


cdef FunctionCall _function_sample = FunctionCall.__new__(FunctionCall)
(<CallableType *>FunctionCall).tp_vectorcall_offset = (
    <char *>&_function_sample.vectorcall - <char *><PyObject *>_function_sample
)
called_by_vector(FunctionCall)
