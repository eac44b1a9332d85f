"""Everyday commands: ``nox -l`` lists them, ``nox -s tests -- -k mish`` hands arguments to pytest."""

import os

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def tests(session: nox.Session) -> None:
    """The short tier, under four minutes on two cores."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


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
def docs(session: nox.Session) -> None:
    """The tables and the picture of the curves, made anew."""
    session.install(".[docs,test]")
    session.run("python", "docs/table.py", "--write")
    session.run("python", "docs/plot_curves.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Speed beside NumPy, and beside other libraries where they are installed."""
    session.install(".[verify]")
    session.run("python", "-m", "numact", "bench", *session.posargs)


@nox.session
def sanitizers(session: nox.Session) -> None:
    """The tests of the kernels with AddressSanitizer and UndefinedBehaviorSanitizer."""
    flags = "-fsanitize=address,undefined -fno-omit-frame-pointer"
    link = {"LDFLAGS": "-fsanitize=address,undefined"}
    session.install(".[test]", env={"NUMACT_CFLAGS": flags, **link})
    libraries = [session.run("gcc", f"-print-file-name={name}", external=True, silent=True) for name in LIBRARIES]
    options = "detect_leaks=0:allocator_may_return_null=1"
    session.run(
        *("pytest", "tests/kernels/test_memory.py", "tests/kernels/test_bits.py", "-p", "no:cacheprovider"),
        *session.posargs,
        env={
            "LD_PRELOAD": " ".join(str(library).strip() for library in libraries),
            "ASAN_OPTIONS": options,
            "UBSAN_OPTIONS": "halt_on_error=1",
            "PYTHONMALLOC": "malloc",
            "NUMACT_LEVEL": os.environ.get("NUMACT_LEVEL", ""),
        },
    )


LIBRARIES = ("libasan.so", "libubsan.so")
