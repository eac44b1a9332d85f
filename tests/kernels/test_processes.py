"""Threads beside forks, signals, limits and the end of the program: each in a process of its own that may not hang."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import os, signal, sys, threading, time
import numpy as np
import numact
from numact._kernels import core

x = np.random.default_rng(0).standard_normal(400_000)
with numact.num_threads(1):
    want = numact.mish(x)

def works():
    return bool((numact.mish(x) == want).all())

def tasks():
    return len(os.listdir("/proc/self/task"))

numact.set_num_threads(2)
core.force_workers(True)
"""


def run(code: str, head: str = HEAD, **environment: str) -> str:
    """Run code in a process that has a minute; return what it prints."""
    clean = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    # OpenBLAS has threads, and waits for them on a fork.
    variables = {**clean, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore::DeprecationWarning", **environment}
    process = subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, timeout=60, env=variables
    )
    assert process.returncode == 0, process.stderr
    assert not process.stderr
    return process.stdout


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


# When threads start


@linux
def test_no_thread_before_its_time() -> None:
    """Not at import, for small arrays, or in NumPy's chunks of converted arrays; then one, once."""
    code = """
assert tasks() == 1, tasks()
numact.gelu(x[:8000])
numact.gelu(np.ones((100, 100))[:, :80])
numact.gelu(x.astype(">f8"))
numact.gelu(x, where=x > 0, out=np.zeros_like(x))
numact.softmax(x[:8000].reshape(80, 100))
assert tasks() == 1, tasks()
assert works() and tasks() == 2
assert works() and tasks() == 2
numact.set_num_threads(4)
assert works() and tasks() == 4
numact.set_num_threads(1)
assert works() and tasks() == 4
"""
    run(code)


@linux
def test_threads_leave_the_callers_processor() -> None:
    """A thread may run wherever the caller may, but where the caller was."""
    code = """
numact.mish(x)
mine = os.sched_getaffinity(0)
workers = [os.sched_getaffinity(int(task)) for task in os.listdir("/proc/self/task") if int(task) != os.getpid()]
assert len(workers) == 1
assert workers[0] <= mine
assert len(workers[0]) == max(1, len(mine) - 1)
"""
    run(code)


@linux
def test_signals_are_blocked() -> None:
    """Threads take no signals, and leave those of the caller as they were."""
    code = """
before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
works()
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
(worker,) = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
for line in open(f"/proc/self/task/{worker}/status"):
    if line.startswith("SigBlk:"):
        blocked = int(line.split()[1], 16)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1):
    assert blocked >> (number - 1) & 1
"""
    run(code)


# FE_UPWARD, FE_DOWNWARD and FE_TOWARDZERO of <fenv.h>
MODES = {"x86_64": (0x800, 0x400, 0xC00), "aarch64": (0x400000, 0x800000, 0xC00000)}.get(platform.machine(), (2, 3, 1))


@pytest.mark.parametrize("mode", MODES, ids=["upward", "downward", "toward zero"])
def test_rounding(mode: int) -> None:
    """Threads that start while their caller rounds otherwise round to nearest, and the caller goes on as before."""
    code = f"""
import ctypes, ctypes.util
libm = ctypes.CDLL(ctypes.util.find_library("m"))
got, nearest = np.empty_like(x), libm.fegetround()
assert libm.fesetround({mode}) == 0
numact.mish(x, out=got)
after = libm.fegetround()
libm.fesetround(nearest)
assert after == {mode}
assert (got == want).all()
"""
    run(code)


# Forks

FORK = """
def forked():
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        numact.set_num_threads(2)
        os._exit(0 if works() and tasks() == 2 else 1)
    return os.waitpid(child, 0)[1]
"""


@linux
@pytest.mark.parametrize("used", [False, True], ids=["before", "after"])
def test_fork(used: bool) -> None:
    """A child computes with threads of its own, and so does its parent still, and the child of a child."""
    code = """
assert forked() == 0
assert works()
child = os.fork()
if child == 0:
    signal.alarm(20)
    assert works()
    os._exit(forked())
assert os.waitpid(child, 0)[1] == 0
"""
    run(FORK + ("assert works()\n" if used else "") + code)


@linux
def test_fork_during_a_call() -> None:
    """A child that is born while another thread computes has a pool that works."""
    code = """
core.force_workers(False)
stop = False
def compute():
    while not stop:
        numact.mish(x)
thread = threading.Thread(target=compute)
thread.start()
statuses = [forked() for _ in range(20)]
stop = True
thread.join()
assert statuses == [0] * 20, statuses
assert works()
"""
    run(FORK.replace("and tasks() == 2", "") + code)


PARALLEL = (
    HEAD
    + """
import multiprocessing

def work(part):
    quarter = slice(part * 100_000, (part + 1) * 100_000)
    return bool((numact.mish(x[quarter]) == want[quarter]).all())

if __name__ == "__main__":
    assert works()
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(work, range(4)) == [True] * 4, method
    print("done")
"""
)


def test_multiprocessing(tmp_path: Path) -> None:
    """Every way in which multiprocessing starts processes."""
    script = tmp_path / "script.py"
    script.write_text(PARALLEL)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    process = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, env=environment
    )
    assert process.stdout.split() == ["done"], process.stderr


# Limits


@linux
def test_no_thread_to_be_had() -> None:
    """Where the system gives no thread, here for want of address space, calls compute without, and may ask again."""
    code = """
import resource
out = np.empty_like(x)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
numact.set_num_threads(8)
for _ in range(3):
    resource.setrlimit(resource.RLIMIT_AS, (size + 300_000, hard))
    numact.mish(x, out=out)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert tasks() == 1, tasks()
    assert (out == want).all()
numact.set_num_threads(8)
assert works() and tasks() == 8
"""
    run(code)


# The end


@pytest.mark.parametrize("call", ["numact.mish(x, out=x)", "numact.softmax(x.reshape(400, -1))"])
def test_exit_during_a_call(call: str) -> None:
    """A program ends while a daemon thread computes."""
    code = f"""
core.force_workers(False)
def compute():
    while True:
        {call}
for _ in range(2):
    threading.Thread(target=compute, daemon=True).start()
time.sleep(0.2)
print("end")
"""
    assert run(code).split() == ["end"]


def test_interrupt() -> None:
    """Ctrl-C reaches the caller after the call, which is complete."""
    code = """
x = np.tile(x, 10)
want = np.tile(want, 10)
y = np.empty_like(x)
numact.mish(x, out=y)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's command in the background ignores the signal
try:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()  # on a busy machine it may come in here
    while True:
        numact.mish(x, out=y)
except KeyboardInterrupt:
    assert (y == want).all()
    assert works()
    print("interrupted")
"""
    assert run(code).split() == ["interrupted"]


# Their number at the start

COUNT = "import os, numact; print(numact.get_num_threads())"


@linux
def test_default_follows_affinity() -> None:
    """A process that may use one processor has one thread."""
    processor = min(os.sched_getaffinity(0))
    assert run(f"import os; os.sched_setaffinity(0, [{processor}])\n" + COUNT, head="").split() == ["1"]
    assert 1 <= int(run(COUNT, head="")) <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("variables", "want"),
    [
        ({"NUMACT_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "4"}, 4),
        ({"OMP_NUM_THREADS": " 5 , 2"}, 5),
        ({"OMP_NUM_THREADS": "4", "NUMACT_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "4", "NUMACT_NUM_THREADS": ""}, 4),
    ],
)
def test_variables(variables: dict[str, str], want: int) -> None:
    """NUMACT_NUM_THREADS decides, then OMP_NUM_THREADS; the command line shows the number."""
    assert run(COUNT, head="", **variables).split() == [str(want)]
    code = "from numact.commands.main import main; main(['info', '--json'])"
    assert f'"threads": {want}' in run(code, head="", **variables)


@pytest.mark.parametrize("variable", ["NUMACT_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize("text", ["0", "-2", "two", "1.5", "99999", "²"])
def test_nonsense_in_a_variable(variable: str, text: str) -> None:
    """One RuntimeWarning says what is wrong, and the default stays."""
    code = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numact
(warning,) = caught
assert warning.category is RuntimeWarning
print(numact.get_num_threads(), warning.message)
"""
    count, _, message = run(code, head="", **{variable: text}).strip().partition(" ")
    assert count == run(COUNT, head="").strip()
    assert message == f"{variable} must be an integer from 1 to 1024; got {text!r}, using {count}"


# threadpoolctl

LIMITS = """
numact.set_num_threads(3)
(info,) = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "numact"]
assert info["num_threads"] == 3 and info["version"] == numact.__version__, info
with threadpoolctl.threadpool_limits(limits=1):
    assert numact.get_num_threads() == 1
assert numact.get_num_threads() == 3
with threadpoolctl.threadpool_limits(limits=2, user_api="numact"):
    assert numact.get_num_threads() == 2
with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
    assert numact.get_num_threads() == 3
assert numact.get_num_threads() == 3
"""


@pytest.mark.parametrize("first", ["numact, threadpoolctl", "threadpoolctl, numact"])
def test_threadpoolctl(first: str) -> None:
    """The package knows numact and limits it, whichever is imported first; numact does not import it."""
    run(f"import {first}\n" + LIMITS, head="")
    run("import sys, numact\nassert 'threadpoolctl' not in sys.modules", head="")


def test_strange_threadpoolctl() -> None:
    """A package of that name without controllers is left alone."""
    code = """
import sys, types
sys.modules["threadpoolctl"] = types.ModuleType("threadpoolctl")
import numact
"""
    run(code, head="")
