"""Pickles of the first version load, although they name private modules that have moved."""

import base64
import pickle
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from support.processes import run

import numact
from numact._functions.ufuncs import RAW
from numact._moved import MOVED

FUNCTIONS = [
    (b"cnumact._axis\nsoftmax\n.", "softmax"),
    (b"cnumact._axis\nlogsumexp\n.", "logsumexp"),
    (b"cnumact._axis\nmaxout_grad\n.", "maxout_grad"),
    (b"cnumact._composed\nprelu\n.", "prelu"),
    (b"cnumact._composed\nrrelu_grad\n.", "rrelu_grad"),
    (b"cnumact._config\nshow_config\n.", "show_config"),
    (b"cnumact._core\ncatalogue\n.", "catalogue"),
    (b"cnumact._masks\nBitMask\n.", "BitMask"),
    (b"cnumact._masks\ndropout\n.", "dropout"),
    (b"cnumact._masks\nmasked_grad\n.", "masked_grad"),
    (b"cnumact._names\nget\n.", "get"),
    (b"cnumact._parametric\nParametricUfunc\n.", "ParametricUfunc"),
    (b"cnumact._threads\nset_num_threads\n.", "set_num_threads"),
    (b"cnumact._ufuncs\ngelu\n.", "gelu"),
    (b"cnumact\nleaky_relu\n.", "leaky_relu"),
    (b"cnumact\nrelu_masked\n.", "relu_masked"),
    (b"cnumact\nglu_split\n.", "glu_split"),
    (b"cnumact.norm\nlayer_norm\n.", "norm.layer_norm"),
    (b"cnumact.norm\nBatchStatistics\n.", "norm.BatchStatistics"),
    (b"cnumact.init\nhe_normal\n.", "init.he_normal"),
    (b"cnumact.diagnostics\ndead_units\n.", "diagnostics.dead_units"),
    (b"cnumact._monitor\nActivationMonitor\n.", "diagnostics.ActivationMonitor"),
    (b"cnumact._statistics\nSummary\n.", "diagnostics.Summary"),
]
MASK = (
    b"\x80\x04\x95,\x00\x00\x00\x00\x00\x00\x00\x8c\rnumact._masks\x94\x8c\x07BitMask\x94\x93\x94C\x02\xc0"
    b"\x0f\x94K\x03K\x04\x86\x94\x86\x94R\x94."
)
ROW = (
    b"\x80\x04\x95\xe9\x00\x00\x00\x00\x00\x00\x00\x8c\x12numact._activation\x94\x8c\nActivation\x94\x93\x94"
    b")\x81\x94]\x94(\x8c\x04relu\x94\x8c\x0belementwise\x94\x8c\x01x\x94\x85\x94)\x8c\x00\x94\x88\x88\x88"
    b"\x89G?\xe0\x00\x00\x00\x00\x00\x00G?\xe0\x00\x00\x00\x00\x00\x00\x8c\tmax(x, 0)\x94\x8c\x111 if x > 0 "
    b"else 0\x94\x8c\x08[0, inf)\x94\x8c\x010\x94)\x8cTNair and Hinton, 2010.  The derivative at 0 is 0, as "
    b"in PyTorch, JAX and TensorFlow.\x94eb."
)
SUMMARY = (
    b"\x80\x04\x95k\x00\x00\x00\x00\x00\x00\x00\x8c\x12numact._statistics\x94\x8c\x07Summary\x94\x93\x94)"
    b"\x81\x94]\x94(K\x0cG\x00\x00\x00\x00\x00\x00\x00\x00G?\xf96M\x92l\x9b(G\x00\x00\x00\x00\x00\x00\x00"
    b"\x00G\x00\x00\x00\x00\x00\x00\x00\x00G\x00\x00\x00\x00\x00\x00\x00\x00G\x00\x00\x00\x00\x00\x00\x00"
    b"\x00G\x00\x00\x00\x00\x00\x00\x00\x00eb."
)
MONITOR = base64.b64decode(
    "gASVSAMAAAAAAACMD251bWFjdC5fbW9uaXRvcpSMEUFjdGl2YXRpb25Nb25pdG9ylJOUKYGUfZQojAZ3aW5kb3eUS2SMC21heF9o"
    "aXN0b3J5lE0AAowHX2xheWVyc5R9lCiMAWGUaACMBUxheWVylJOUKYGUfZQojAphY3RpdmF0aW9ulIwEZ2VsdZSMBXNoYXBllEsE"
    "hZSMB3VwZGF0ZXOUSwGMBnN0cmlkZZRLAYwHaGlzdG9yeZRdlIwSbnVtYWN0Ll9zdGF0aXN0aWNzlIwHU3VtbWFyeZSTlCmBlF2U"
    "KEsMRz/b3NCWAAAARz/gKwBk6B3tRwAAAAAAAAAARwAAAAAAAAAARwAAAAAAAAAARwAAAAAAAAAARwAAAAAAAAAAZWJhjAZzaWxl"
    "bnSUjBZudW1weS5fY29yZS5tdWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJyYXmUk5RLAIWUQwFilIeU"
    "UpQoSwFLBIWUaB+MBWR0eXBllJOUjAJpOJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMgAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAACUdJRijAZzYW1wbGWUaB5oIUsAhZRoI4eUUpQoSwFLDIWUaCiMAmY0lImIh5RSlChLA2gsTk5OSv//"
    "//9K/////0sAdJRiiUMwfF46vcWEqr1lWwS+wxkpvml/I74NUp+9CwvVPR6GxT6+cz4/TV2SPxHMxj8MLfo/lHSUYnVijAFilGgL"
    "KYGUfZQoaA5OaBBoEWgSSwFoE0sBaBRdlGgYKYGUXZQoSwxHAAAAAAAAAABHP/k2TZJsmyhHAAAAAAAAAABHAAAAAAAAAABHAAAA"
    "AAAAAABHAAAAAAAAAABHAAAAAAAAAABlYmFoG2geaCFLAIWUaCOHlFKUKEsBSwSFlGgriUMgAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAACUdJRiaDBoHmghSwCFlGgjh5RSlChLAUsMhZRoN4lDMAAAAMBddNG/uuiivy+6aL/pogu/jC46vowuOj7pogs/"
    "L7poP7rooj9ddNE/AAAAQJR0lGJ1YnV1Yi4="
)


def public(path: str) -> Any:
    """Get what a path such as "norm.layer_norm" names in numact."""
    found: Any = numact
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(("pickled", "path"), FUNCTIONS)
def test_functions(pickled: bytes, path: str) -> None:
    """An old pickle of a function or class is the public one, and a new pickle names a module that exists."""
    found = pickle.loads(pickled)
    assert found is public(path)
    again = pickle.dumps(found)
    assert pickle.loads(again) is found
    assert not any(module.encode() in again for module in MOVED)


def test_raw_ufunc() -> None:
    """A ufunc behind a function with parameters is the ufunc, not the function."""
    assert pickle.loads(b"cnumact._ufuncs\nleaky_relu\n.") is RAW["leaky_relu"] is numact.leaky_relu.ufunc


def test_mask() -> None:
    """A mask keeps its bits."""
    assert pickle.loads(MASK) == numact.BitMask(b"\xc0\x0f", (3, 4))


def test_row() -> None:
    """A row of the catalogue keeps its fields."""
    row = pickle.loads(ROW)
    assert type(row) is numact.Activation
    assert (row.name, row.formula, row.ulp) == ("relu", "max(x, 0)", 0.5)


def test_diagnostics() -> None:
    """A summary and a monitor keep what they have measured; the monitor goes on."""
    summary = pickle.loads(SUMMARY)
    assert (type(summary), summary.size) == (numact.diagnostics.Summary, 12)
    monitor = pickle.loads(MONITOR)
    assert type(monitor) is numact.diagnostics.ActivationMonitor
    assert "2 layers: a, b" in repr(monitor)
    monitor.forward("c", "relu", np.ones((3, 4)))
    assert "3 layers: a, b, c" in repr(monitor)


def test_other_names() -> None:
    """Names that no module ever had are not found, nor are attributes that an old module had not."""
    assert find_spec("numact._nonsense") is None
    assert find_spec("numact._functions._axis") is None
    with pytest.raises(ModuleNotFoundError):
        import_module("_axis")
    with pytest.raises(AttributeError, match="nonsense"):
        pickle.loads(b"cnumact._masks\nnonsense\n.")
    assert not hasattr(sys.modules["numact._masks"], "__path__")


def test_whichmodule() -> None:
    """The module that a pickle of a ufunc names, the first that has it, is no old one, although that is imported."""
    code = (
        "import pickle, numpy; f = pickle.loads(b'cnumact._ufuncs\\ngelu\\n.');"
        "print(b'numact._ufuncs' in pickle.dumps(f), b'numact' in pickle.dumps(numpy.tanh))"
    )
    assert run(code).stdout.split() == ["False", "False"]
