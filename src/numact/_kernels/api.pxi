# The capsule with the C interface, which other compiled programs import.

from cpython.pycapsule cimport PyCapsule_New

cdef extern from "runtime/api.h":
    const char *NUMACT_API_CAPSULE
    struct numact_api:
        int version
    const numact_api numact_c_api
    void numact_api_use(const numact_level *level)

C_API = PyCapsule_New(<void *>&numact_c_api, NUMACT_API_CAPSULE, NULL)

# Until Python says otherwise, the lowest target, which all processors have.
numact_api_use(LEVELS)


def use_in_api(str level_name):
    """Say which dispatch target the C interface uses.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    """
    numact_api_use(find_level(level_name))
