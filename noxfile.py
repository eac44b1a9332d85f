"""Everyday commands: ``nox -l`` lists them, ``nox -s tests -- -k mish`` hands arguments to pytest."""

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True

SANITIZERS = "-fsanitize=address,undefined"


@nox.session
def tests(session: nox.Session) -> None:
    """The short tier, by one process."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """The short tier without other compilers, by all processors: under three minutes on two."""
    session.install(".[test]", "pytest-xdist")
    session.run("pytest", "-n", "auto", "-m", "not slow and not compilers", *session.posargs)


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
    """The tests of the kernels with AddressSanitizer and UndefinedBehaviorSanitizer."""
    build = {"NUMACT_CFLAGS": f"{SANITIZERS} -fno-omit-frame-pointer", "LDFLAGS": SANITIZERS}
    session.install(".[test]", env=build)
    runtimes = [f"gcc -print-file-name={name}".split() for name in ("libasan.so", "libubsan.so")]
    preload = [str(session.run(*command, external=True, silent=True)).strip() for command in runtimes]
    session.run(
        *("pytest", "tests/kernels/test_memory.py", "tests/kernels/test_bits.py", "-p", "no:cacheprovider"),
        *session.posargs,
        env={
            "LD_PRELOAD": " ".join(preload),
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "halt_on_error=1",
            "PYTHONMALLOC": "malloc",
        },
    )
