"""Which tests are run for a change, in what order, and what becomes of them.

A profile of the short tier, made once, has the time of every test and, for Python, which tests execute a line; these
are run first, after those that are newer than the profile.  For C and Cython, and beyond them, those are first that
share words with the changed file and function.
"""

import contextlib
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutation.places import Place
from mutation.scratch import WHOLE

# These need the checkout with its history, a browser, or a build of their own; none concerns a line of the package.
LEFT_OUT = (
    "tests/project/test_dashboard.py",
    "tests/project/test_site.py",
    "tests/project/test_wheel.py",
    "tests/mutation",
)
TIER = ["-q", "-p", "no:cacheprovider", "-m", "not slow and not compilers", *(f"--ignore={path}" for path in LEFT_OUT)]
PATIENCE = 60  # seconds that a test may take beyond ten times what it usually takes
OF_BITS = "tests/kernels/test_hashes.py::test_level"  # asked first about what is computed
# About the machine code, which a less optimised build for a single target does not have.
OF_MACHINE_CODE = ("tests/kernels/test_vectorised.py", "tests/kernels/test_operations.py")
FILES = 4  # of tests that are asked next: to collect them all takes longer than most answers
# Where the tests of a folder of C are.
ROOMS = {
    "formulas": ("functions", "kernels", "norm", "diagnostics"),
    "math": ("functions", "kernels"),
    "loops": ("kernels", "functions", "norm", "diagnostics"),
    "simd": ("kernels", "functions", "norm", "diagnostics"),
    "runtime": ("kernels", "functions"),
    "_kernels": ("kernels", "functions", "norm", "project"),
    "_functions": ("functions",),
    "verify": ("commands", "kernels"),
    "numact": ("functions", "kernels", "project"),
}


# Where the tests of a file are whose name does not say so.
NEAREST = {
    "statistics": ("tests/diagnostics/",),
    "norm": ("tests/norm/",),
    "formulas/softmax": ("tests/functions/test_axis",),
    "formulas/log_softmax": ("tests/functions/test_axis",),
    "formulas/logsumexp": ("tests/functions/test_axis",),
    "formulas/sparsemax": ("tests/functions/test_axis",),
    "formulas/row_sums": ("tests/functions/test_axis", "tests/functions/test_attention"),
    "loops/row": ("tests/functions/test_axis", "tests/functions/test_attention"),
    "loops/maxout": ("tests/functions/test_axis",),
    "math/coefficients": ("tests/kernels/test_coefficients",),
    "half": ("tests/functions/test_half",),
    "runtime/lut": ("tests/functions/test_half",),
    "runtime/block_cache": ("tests/functions/test_reuse",),
    "runtime/strided": ("tests/functions/test_layouts",),
    "runtime/operands": ("tests/functions/test_layouts", "tests/kernels/test_memory"),
    "runtime/elements": ("tests/functions/test_layouts", "tests/kernels/test_threads"),
    "runtime/stores": ("tests/kernels/test_memory",),
    "runtime/thread_pool": ("tests/kernels/test_threads", "tests/kernels/test_processes"),
    "runtime/api": ("tests/adapters/test_compiled",),
    "_kernels/memory": ("tests/functions/test_reuse",),
    "_kernels/strided": ("tests/functions/test_layouts",),
    "_kernels/call": ("tests/functions/test_parameters",),
    "_kernels/keywords": ("tests/functions/test_parameters", "tests/functions/test_words"),
    "_kernels/axis_call": ("tests/functions/test_axis",),
    "_kernels/masked": ("tests/functions/test_masks",),
}


@dataclass(frozen=True)
class Verdict:
    """What the tests said: "passed", "failed" or "timeout", and the test that did not pass."""

    outcome: str
    by: str = ""


def environment(root: Path, **more: str) -> dict[str, str]:
    """The environment in which the tests import the copy."""
    path = os.pathsep.join([str(root / "src"), str(root / "tests")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", **more}


class Suite:
    """The short tier.

    Parameters
    ----------
    root : Path
        The checkout, or a copy of it, in which the tests run.
    profile : Path
        What is known of the tests; it is made if it is not there.
    whole : bool
        Whether all tests are asked before a change is said to survive, not only a minute of those that may matter.

    """

    def __init__(self, root: Path, profile: Path, whole: bool = False) -> None:
        self.root, self.profile, self.whole = root, profile, whole
        if not profile.exists():
            self.make_profile()
        made = json.loads(profile.read_text())
        self.tests: dict[str, dict[str, float]] = made["tests"]
        names = list(self.tests)
        self.new = [name for name in self.collect() if name not in self.tests]
        self.tests |= {name: {"seconds": 0.1, "processes": False, "passed": True} for name in self.new}
        self.lines = {
            path: {int(line): [names[k] for k in numbers if k >= 0] for line, numbers in lines.items()}
            for path, lines in made["lines"].items()
        }
        self.words = {name: words_of(name) for name in self.tests}
        self.sound: dict[tuple[str, str], bool] = {}

    def make_profile(self) -> None:
        """Run the unchanged tier once, noting what each test executes."""
        command = [sys.executable, "-m", "pytest", "-p", "mutation.watch", *TIER]
        self.profile.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            command, cwd=self.root, env=environment(self.root, NUMACT_PROFILE=str(self.profile)), check=False
        )

    def collect(self) -> list[str]:
        """The tests that there are now.  Python keeps what it compiles of them: runs with a change only read it."""
        command = [sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=--import-mode=importlib"]
        env = environment(self.root, PYTHONDONTWRITEBYTECODE="")
        found = subprocess.run([*command, *TIER], cwd=self.root, env=env, check=True, capture_output=True, text=True)
        return [line for line in found.stdout.splitlines() if "::" in line]

    def executing(self, place: Place) -> set[str]:
        """The tests that execute the changed lines of Python."""
        lines = self.lines.get(place.path, {})
        return {name for line in range(place.line, place.end_line + 1) for name in lines.get(line, [])}

    def is_executed(self, place: Place) -> bool:
        """Whether anything executes the changed lines here, be it the import."""
        lines = self.lines.get(place.path, {})
        return any(line in lines for line in range(place.line, place.end_line + 1))

    def stages(self, place: Place) -> list[list[str]]:
        """Tests to run one after the other: those that decide most cases, then all that may matter."""
        near = words_of(Path(place.path).stem) | words_of(place.within)
        rooms = tuple(f"tests/{room}/" for room in ("kernels", *ROOMS.get(place.folder, (place.folder,))))
        inner = {name for name in self.tests if name.startswith(rooms)}
        first: list[str] = []
        if place.language == "Python":
            inner = self.executing(place) or inner
            inner |= {name for name in self.tests if self.tests[name]["processes"] and name.startswith(rooms)}
        elif place.language == "C" and place.folder != "runtime":
            first = [name for name in self.tests if name.startswith(OF_BITS)]
        known = tuple(prefix for part, prefixes in NEAREST.items() if part in place.path for prefix in prefixes)
        first += self.new  # whose lines are not known
        nearest = self.spread(self.in_nearest_files(inner - set(first), near, known), near)
        second = self.within(nearest, 25)
        rest = (set(self.tests) if self.whole else inner) - {*first, *second}
        third = self.within(self.spread(rest, near), math.inf if self.whole else 60)
        return [first, second, third]

    def in_nearest_files(self, names: Iterable[str], near: set[str], known: tuple[str, ...]) -> list[str]:
        """Those in the few files that are known to be near, or share most words, of the file or of some test."""
        files = defaultdict(list)
        for name in names:
            files[name.split("::")[0]].append(name)
        scores = {
            file: 9 * file.startswith(known)
            + 2 * len(near & words_of(file))
            + max(len(near & self.words[name]) for name in each)
            for file, each in files.items()
        }
        chosen = sorted(files, key=lambda file: (-scores[file], len(files[file])))[:FILES]
        return [name for file in chosen for name in files[file]]

    def spread(self, names: Iterable[str], near: set[str]) -> list[str]:
        """The nearest first; the instances of parametrised tests taken in turn, the quick ones first."""
        groups = defaultdict(list)
        for name in names:
            groups[name.split("[")[0]].append(name)
        keys = {}
        for instances in groups.values():
            order = sorted(
                instances, key=lambda name: (-len(near & self.words[name]), self.tests[name]["seconds"], name)
            )
            for turn, name in enumerate(order):
                keys[name] = (turn // 2, -len(near & self.words[name]), self.tests[name]["seconds"], name)
        return sorted(keys, key=lambda name: keys[name])

    def within(self, names: list[str], seconds: float) -> list[str]:
        """The first tests that fit into a time."""
        times = itertools.accumulate(self.tests[name]["seconds"] + 0.002 for name in names)
        return [name for name, spent in zip(names, times, strict=True) if spent <= seconds]

    def run(self, names: list[str]) -> Verdict:
        """Run tests in this order; until the first that does not pass."""
        if not names:
            return Verdict("passed")
        order, seen = self.profile.with_name("order.txt"), self.profile.with_name("seen.txt")
        limits = {name: PATIENCE + 10 * self.tests[name]["seconds"] for name in names}
        order.write_text("".join(f"{name} {limit}\n" for name, limit in limits.items()))
        seen.write_text("")
        files = sorted({name.split("::")[0] for name in names})
        more = {"NUMACT_ORDER": str(order), "NUMACT_SEEN": str(seen), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "mutation.watch", *TIER, "-x", *files],
            cwd=self.root,
            env=environment(self.root, **more),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            self.output = process.communicate(timeout=120 + 3 * sum(self.tests[name]["seconds"] for name in names))[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Verdict("timeout", last_of(seen))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what the tests have left
        if process.returncode in (0, 5):
            return Verdict("passed")
        return Verdict("timeout" if "Timeout (" in self.output else "failed", last_of(seen) or "the collection")

    def may_ask(self, name: str, target: str) -> bool:
        """Whether a test says something of a build: it passes with the unchanged one, as far as is known."""
        return self.sound.get((name, target), target == WHOLE or not name.startswith(OF_MACHINE_CODE))

    def is_sound(self, name: str, target: str) -> bool:
        """Whether a test passes with the unchanged build that is linked."""
        if (name, target) not in self.sound:
            self.sound[name, target] = self.run([name]).outcome == "passed"
        return self.sound[name, target]


def last_of(seen: Path) -> str:
    """The test that was begun last."""
    return (seen.read_text().splitlines() or [""])[-1]


def words_of(text: str) -> set[str]:
    """The beginnings of the words of a path or name that tell something."""
    dull = {
        "tests",
        "test",
        "src",
        "numact",
        "py",
        "h",
        "c",
        "pxi",
        "pyx",
        "csrc",
        "of",
        "the",
        "a",
        "and",
        "is",
        "to",
        "as",
    }
    words = set(re.findall(r"[a-z0-9]+", text.lower().replace("_", " "))) - dull
    return {word[:4] for word in words}  # "mask" and "masked" are one
