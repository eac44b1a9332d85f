"""Random schedules of calls of csrc/runtime by several threads, in programs compiled with sanitizers.

`PYTHONPATH=tests python -m support.schedules --schedules 100000` runs many more of them than the tests do.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from support.programs import CSRC, compile_c

import numact

SOURCES = Path(__file__).parents[1] / "robustness" / "pool"
SCALAR = CSRC / "loops" / "kernels" / "statistics_f64.c"  # whose threads set the same flags
# Compiler and flags.  ThreadSanitizer does not see wide vectors; these programs have none.
BUILDS = {
    "races": ("gcc", "-O1", "-g", "-fsanitize=thread"),
    "races by clang": ("clang", "-O1", "-g", "-fsanitize=thread"),
    "memory": ("gcc", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
    "fast": ("gcc", "-O2"),
}
# Faults of the runtime stand in the place of these.
REPLACED = "-Wl,--wrap=pthread_create,--wrap=malloc,--wrap=mmap"
SANITIZERS = {
    "TSAN_OPTIONS": "halt_on_error=1:report_thread_leaks=0:atexit_sleep_ms=0",  # threads of the pool never end
    "ASAN_OPTIONS": "halt_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def build(name: str, target: Path) -> Path:
    """Compile the program of BUILDS."""
    flags = ["-std=c11", "-ffp-contract=off", "-DLEVEL=scalar", f"-I{CSRC}", f"-I{numact.get_include()}"]
    sources = [*(CSRC / "runtime").glob("*.c"), SCALAR, *SOURCES.glob("*.c")]
    return compile_c([*BUILDS[name], *flags, REPLACED], sorted(sources), target, ["-lm", "-pthread"])


def run(program: Path, schedules: int, seed: int) -> dict[str, int]:
    """Run schedules, and return how often each thing was done; an error says what was wrong, and with which seed."""
    command = [str(program), str(schedules), str(seed)]
    variables = {**os.environ, **SANITIZERS}
    process = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if "unexpected memory mapping" in process.stderr:  # the place of the program is too random for ThreadSanitizer
        command = ["setarch", "-R", *command]
        process = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if process.returncode or process.stderr:
        raise AssertionError(f"{' '.join(command)}\n{process.stdout}{process.stderr}")
    return {name: int(count) for name, count in (item.rsplit(" ", 1) for item in process.stdout.strip().split(", "))}


def main() -> None:
    """Run as many schedules as wanted with every build, or with those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="*", metavar="BUILD", help=f"of {', '.join(BUILDS)}; all if none is named")
    parser.add_argument("--schedules", type=int, default=1000, metavar="N", help="schedules for each build")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first one")
    arguments = parser.parse_args()
    if unknown := set(arguments.builds) - set(BUILDS):
        parser.error(f"builds are {', '.join(BUILDS)}; got {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.builds or BUILDS:
            counts = run(build(name, Path(folder, "program")), arguments.schedules, arguments.seed)
            print(f"{name}: {', '.join(f'{count} {what}' for what, count in counts.items())}", flush=True)


if __name__ == "__main__":
    main()
