"""Everyday commands: ``nox -l`` lists them, ``nox -s tests -- -k mish`` hands arguments to pytest."""

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True

LEFT_OUT = [f"--ignore=tests/{room}" for room in ("study", "commands", "fuzz", "robustness", "mutation")]  # if quick
# Conversions out of range are undefined, and differ between processors; 1/0 is an infinity, and is relied on.
SANITIZERS = "-fsanitize=address,undefined,float-cast-overflow"
# Undefined behaviour is an illegal instruction: around a call to report it, gcc 12 spills 16 bits of a mask, reads 64.
TRAP = "-fsanitize-undefined-trap-on-error"
OF_MACHINE_CODE = tuple(
    f"--ignore=tests/{name}.py" for name in ("kernels/test_vectorised", "kernels/test_operations", "project/test_wheel")
)


@nox.session
def tests(session: nox.Session) -> None:
    """The short tier, by one process."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """The short tier without other compilers, studies, commands, drawn calls and faults: three minutes on two."""
    session.install(".[test]", "pytest-xdist")
    session.run("pytest", "-n", "auto", "-m", "not slow and not compilers", *LEFT_OUT, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The long sweeps."""
    session.install(".[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, types, and the layers of the package."""
    session.install(".[dev]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy", "-p", "numact")
    session.run("mypy", "tests")
    session.run("lint-imports")


@nox.session
def sdist(session: nox.Session) -> None:
    """The source distribution, and a wheel from it, which shows that it builds alone."""
    session.install("build")
    session.run("python", "-m", "build", *session.posargs)


@nox.session
def reproducible(session: nox.Session) -> None:
    """Two builds of the same commit are the same, byte for byte."""
    session.install("build")
    when = str(session.run("git", "log", "-1", "--format=%ct", external=True, silent=True)).strip()
    found = []
    for attempt in ("first", "second"):
        folder = Path(session.create_tmp()) / attempt
        session.run("python", "-m", "build", "--outdir", str(folder), env={"SOURCE_DATE_EPOCH": when})
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    if found[0] != found[1]:
        session.error(f"these differ: {[name for name in found[0] if found[0][name] != found[1].get(name)]}")


@nox.session
def sbom(session: nox.Session) -> None:
    """The bill of materials (CycloneDX) of numact and what it needs at run time: dist/numact.cdx.json."""
    session.install(".", "cyclonedx-bom")
    python = str(Path(session.virtualenv.location) / "bin" / "python")
    session.run("cyclonedx-py", "environment", python, "--of", "JSON", "-o", "dist/numact.cdx.json")


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of what numact needs to run and to build, and the habits of the workflows."""
    session.install(".", "setuptools>=77", "Cython>=3.1", "pip-audit", "zizmor")
    session.run("pip-audit", "--local", "--skip-editable")
    session.run("zizmor", "--offline", ".github")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Drawn calls of every function for an hour or more: 5,000 for each test, with a seed that is printed."""
    session.install(".[test]", "pytest-xdist")
    seed = str(int.from_bytes(os.urandom(4)))
    session.log("the seed is %s", seed)
    options = ("--hypothesis-profile=long", f"--hypothesis-seed={seed}")
    session.run("pytest", "-n", "auto", *options, "tests/fuzz", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Change the code in 200 places, one at a time, and ask the short tier whether it notices: an hour or two."""
    session.install(".[test,study]", "coverage", "setuptools>=77", "Cython>=3.1")
    session.run("python", "-m", "mutation", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def soak(session: nox.Session) -> None:
    """Half an hour of training beside forks, threads and other programs: the bits of training alone."""
    session.install(".[test]")
    session.run("python", "tests/robustness/soak.py", "--minutes", "30", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, with the dashboard of the benchmarks in it: docs/_build/html."""
    session.install(".[docs,bench]")
    session.run("python", "docs/table.py", "--write")
    session.run("python", "docs/plot_curves.py")
    session.run("npm", "ci", "--silent", "--prefix", "benchmarks/dashboard", external=True)
    session.run("asv", "publish", "--html-dir", "docs/_build/extra/dashboard")
    session.run("sphinx-build", "-W", "-n", "-b", "html", "docs", "docs/_build/html", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed beside NumPy, and beside other libraries where they are installed."""
    session.install(".[verify]")
    session.run("python", "-m", "numact", "bench", *session.posargs)


@nox.session
def sanitizers(session: nox.Session) -> None:
    """The short tier with AddressSanitizer and UndefinedBehaviorSanitizer, once for each dispatch target: hours."""
    flags = f"{SANITIZERS} {TRAP} -fno-omit-frame-pointer"
    build = {"CFLAGS": f"{flags} -fwrapv", "LDFLAGS": SANITIZERS, "NUMACT_CFLAGS": f"{flags} -O1"}
    session.install(".[test]", "pytest-xdist", env=build)
    # AddressSanitizer looks for the exceptions of C++, which other libraries throw, when it begins.
    runtimes = [f"gcc -print-file-name={name}".split() for name in ("libasan.so", "libstdc++.so.6")]
    preload = [str(session.run(*command, external=True, silent=True)).strip() for command in runtimes]
    variables = {
        "LD_PRELOAD": " ".join(preload),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4096",
        "PYTHONMALLOC": "malloc",
    }
    chosen = "not slow and not compilers and not memory"
    tests = ["-n", "auto", "-p", "no:cacheprovider", "-m", chosen, *OF_MACHINE_CODE, *session.posargs]
    listed = "from numact._kernels import core; print(*core.levels())"
    for level in str(session.run("python", "-c", listed, silent=True, env=variables)).split():
        session.run("pytest", *tests, env={**variables, "NUMACT_LEVEL": level})


@nox.session
def memcheck(session: nox.Session) -> None:
    """Calls of every public function under valgrind, which has no AVX-512: numact computes as v3."""
    session.install(".[test]")
    session.run("pytest", "-m", "slow", "tests/robustness/test_memcheck.py", *session.posargs)


@nox.session
def races(session: nox.Session) -> None:
    """Random schedules of the thread pool and the cache of blocks, with sanitizers and without."""
    session.install(".[test]")
    session.run(
        "python", "-m", "support.schedules", "--schedules", "100000", *session.posargs, env={"PYTHONPATH": "tests"}
    )
