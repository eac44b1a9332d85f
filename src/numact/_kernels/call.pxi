# The usual calls of a ParametricUfunc, of which small arrays feel every step.  No function is named here.

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject *const *, size_t, PyObject *)
    ctypedef struct CallableType "PyTypeObject":
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    Py_ssize_t PyVectorcall_NARGS(size_t)
    object PyObject_Vectorcall(object, PyObject *const *, size_t, PyObject *)

# Keywords that the ufunc gets as they are, and that do not influence the dtype in which it computes.  The names of keywords
# in a program are interned, as these are, so that a comparison of addresses finds them.
cdef tuple PASSED = ("out", "where")

cdef enum:
    MAX_PASSED = 2

# The dtypes of usual arrays; a byte-swapped one is another object.
cdef tuple USUAL = tuple(
    cnp.PyArray_DescrFromType(number) for number in (cnp.NPY_FLOAT16, cnp.NPY_FLOAT, cnp.NPY_DOUBLE)
)


@cython.boundscheck(False)
@cython.wraparound(False)
cdef int find(tuple objects, PyObject *wanted) noexcept:
    """The place of an object in a tuple, or -1."""
    cdef int k
    for k in range(<int>len(objects)):
        if <PyObject *>objects[k] == wanted:
            return k
    return -1


cdef tuple as_tuple(PyObject *const *objects, int count):
    """A tuple of the objects, which are borrowed."""
    cdef tuple found = PyTuple_New(count)
    cdef int k
    for k in range(count):
        Py_INCREF(<object>objects[k])
        PyTuple_SET_ITEM(found, k, <object>objects[k])
    return found


cdef PyObject *dtype_of(PyObject *value) noexcept:
    """The dtype, borrowed, of an array that is of no subclass; else NULL."""
    if cnp.PyArray_CheckExact(<object>value):
        return <PyObject *>cnp.PyArray_DESCR(<cnp.ndarray>value)
    return NULL


cdef bint is_number(object value) noexcept:
    """Whether it is a Python number; a np.float64, although a float, is none."""
    return type(value) is float or type(value) is int or type(value) is bool


cdef object as_operand(object number, object dtype):
    """The number as an array without dimensions, which a ufunc takes faster than the number."""
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(0, NULL, (<cnp.dtype>dtype).type_num)
    cnp.PyArray_SETITEM(array, cnp.PyArray_DATA(array), number)
    return array


cdef class ParametricCall:
    """The call of a ParametricUfunc: usual ones here, the others by the method `_compute` of the class built on it.

    Usual are arrays of one dtype, for parameters Python numbers or nothing, and no keywords of the ufunc's but ``out=``
    and ``where=``.

    Parameters
    ----------
    ufunc : numpy.ufunc
        The ufunc; its last operands are the parameters.
    defaults : dict of str to (float or None)
        Names, interned, and defaults of the parameters; None where a call must give it.
    conditions : list of (int, callable, int or None, float)
        What the parameters obey: the place of one, how it compares, and with which other, or with what.
    at_zero : numpy.ufunc or None
        The ufunc with one more operand, which the keyword ``at_zero=`` gives.
    """

    cdef vectorcallfunc vectorcall
    cdef readonly object ufunc
    cdef readonly int nin, nout
    cdef object ufunc_at_zero
    cdef tuple keywords         # the names of the parameters, then "at_zero" where that is allowed
    cdef tuple values           # the defaults, then None for at_zero
    cdef tuple prepared         # the same as operands, a tuple for each of the usual dtypes
    cdef bint required          # some parameter has no default
    cdef list conditions

    def __init__(self, ufunc, dict defaults, list conditions, at_zero):
        self.ufunc = ufunc
        self.nin = ufunc.nin - len(defaults)
        self.nout = ufunc.nout
        self.ufunc_at_zero = at_zero
        self.keywords = (*defaults, *(() if at_zero is None else ("at_zero",)))
        self.values = (*defaults.values(), None)
        self.prepared = tuple(
            tuple([None if value is None else as_operand(value, dtype) for value in self.values]) for dtype in USUAL
        )
        self.required = None in defaults.values()
        self.conditions = conditions
        if self.nin > 0 and ufunc.nargs <= NUMACT_MAX_ARRAYS:
            self.vectorcall = call

    def __call__(self, *operands, **keywords):
        return self._compute(operands, keywords)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    cdef tuple operands(self, PyObject **values, int count, int dtype):
        """The values of parameters as operands; None where one is not a number or not allowed."""
        cdef int k
        for k in range(count):
            if not is_number(<object>values[k]):
                return None
        for left, compare, right, bound in self.conditions:
            if right is not None:
                bound = <object>values[<int>right]
            if compare(<object>values[<int>left], bound) is not True:
                return None
        cdef tuple found = PyTuple_New(count)
        for k in range(count):
            if values[k] == <PyObject *>self.values[k]:
                operand = self.prepared[dtype][k]
            else:
                operand = as_operand(<object>values[k], USUAL[dtype])
            Py_INCREF(operand)
            PyTuple_SET_ITEM(found, k, operand)
        return found


cdef object call_any(ParametricCall self, PyObject *const *given, int count, PyObject *names):
    """A call that is not usual."""
    keywords = {}
    if names:
        keywords = {name: <object>given[count + k] for k, name in enumerate(<tuple>names)}
    return self._compute(as_tuple(given, count), keywords)


@cython.boundscheck(False)
@cython.wraparound(False)
cdef object call(object function, PyObject *const *given, size_t flags, PyObject *names):
    """A call in the manner of vectorcall: given are the operands, then the values of the keywords."""
    cdef ParametricCall self = function
    cdef PyObject *stack[NUMACT_MAX_ARRAYS + MAX_PASSED]
    cdef PyObject *values[NUMACT_MAX_ARRAYS]
    cdef PyObject *passed_values[MAX_PASSED]
    cdef PyObject *passed_names[MAX_PASSED]
    cdef tuple operands, keywords = <tuple>names if names else ()
    cdef int count = <int>PyVectorcall_NARGS(flags), nin = self.nin, parameters = <int>len(self.values) - 1
    cdef int named = <int>len(keywords), passed = 0, dtype, place, k
    cdef unsigned int seen = 0  # the parameters that are given, a bit for each
    if not nin <= count <= nin + parameters:
        return call_any(self, given, count, names)

    dtype = find(USUAL, dtype_of(given[0]))
    if dtype < 0:
        return call_any(self, given, count, names)
    for k in range(nin):
        if dtype_of(given[k]) != <PyObject *>USUAL[dtype]:
            return call_any(self, given, count, names)
        stack[k] = given[k]

    for k in range(parameters + 1):
        values[k] = <PyObject *>self.values[k]
        if nin + k < count:
            values[k] = given[nin + k]
            seen |= 1 << k
    for k in range(named):
        name = keywords[k]
        place = find(self.keywords, <PyObject *>name)
        if place >= 0 and not seen >> place & 1:
            values[place] = given[count + k]
            seen |= 1 << place
        elif place < 0 and passed < MAX_PASSED and find(PASSED, <PyObject *>name) >= 0:
            passed_names[passed] = <PyObject *>name
            passed_values[passed] = given[count + k]
            passed += 1
        else:
            return call_any(self, given, count, names)

    ufunc = self.ufunc
    if values[parameters] != <PyObject *>None:
        ufunc = self.ufunc_at_zero
        parameters += 1
    operands = self.prepared[dtype]
    if seen or self.required:
        operands = self.operands(values, parameters, dtype)
    if operands is None:
        return call_any(self, given, count, names)
    for k in range(parameters):
        stack[nin + k] = <PyObject *>operands[k]
    if passed < named:
        keywords = as_tuple(passed_names, passed)
    for k in range(passed):
        stack[nin + parameters + k] = passed_values[k]
    return PyObject_Vectorcall(ufunc, stack, nin + parameters, <PyObject *>keywords)


def called_by_vector(type cls):
    """Let CPython call the objects of a class by their vectorcall, as it does those of ParametricCall; returns the class.

    Python 3.11 does not hand this on to a class that is written in Python, its successors do.
    """
    (<CallableType *>cls).tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    return cls


cdef ParametricCall _sample = ParametricCall.__new__(ParametricCall)
(<CallableType *>ParametricCall).tp_vectorcall_offset = <char *>&_sample.vectorcall - <char *><PyObject *>_sample
called_by_vector(ParametricCall)
