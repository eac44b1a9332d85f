"""The kernel levels: csrc/kernels_*.c compiled once per level, each into a folder of its own, linked into numact._core.

Everything else stands in pyproject.toml.
"""

import os
import platform
import runpy
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

# The instruction sets for which the kernels are compiled; the baseline is what the platform guarantees.  There the
# compiler vectorises the loops of float64, for which gcc's partial redundancy elimination and jump threading must not
# turn selections of doubles into selections of integers, which SSE2 does not have.  With 32 registers, v4 computes
# several vectors in turn, whose steps gcc is asked to interleave, as for a processor that has AVX-512.
X86_64 = {
    "baseline": ["-march=x86-64", "-fno-tree-pre", "-fno-thread-jumps"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mtune=skylake-avx512", "-mprefer-vector-width=512", "-fschedule-insns"],
}
# Elsewhere C11 may compute float in double (s390x), which is the excess precision that must not be.
LEVELS = X86_64 if platform.machine() in ("x86_64", "AMD64") else {"baseline": ["-fexcess-precision=fast"]}

# Last on the command line, so that a user's CFLAGS cannot undo them: they are what makes the bits the same everywhere.
FLAGS = [
    *("-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-ffp-contract=off", "-fno-fast-math"),
    *("-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion"),
    *os.environ.get("NUMACT_CFLAGS", "").split(),
]

# What does not depend on the level.
SOURCES = {
    "numact._core": ["csrc/dispatch.c", "csrc/draw.c", "csrc/parallel.c", "csrc/tabulate.c"],
    "numact._reference": ["csrc/reference.c"],
}


class BuildLevels(build_ext):
    """Compiles what stands in csrc, the kernels for all levels, in parallel and links it into the extensions."""

    def build_extension(self, extension: Extension) -> None:
        """Add the objects from csrc to the extension, then build it as usual."""
        jobs = [(source, "common", []) for source in SOURCES[extension.name]]
        if extension.name == "numact._core":
            jobs += [
                (source, level, [*flags, f"-DLEVEL={level}"])
                for level, flags in LEVELS.items()
                for source in sorted(glob("csrc/kernels_*.c"))
            ]

        def compile_one(job: tuple[str, str, list[str]]) -> list[str]:
            source, folder, flags = job
            output = str(Path(self.build_temp) / folder)
            return self.compiler.compile([source], output_dir=output, extra_postargs=[*FLAGS, *flags])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for objects in pool.map(compile_one, jobs):
                extension.extra_objects += objects
        super().build_extension(extension)


class BuildStub(build_py):
    """Writes the stub, whose names come from the lists of activations."""

    def run(self) -> None:
        """Write __init__.pyi beside the copied modules."""
        super().run()
        stub = runpy.run_path("src/numact/stubs.py")["stub"]
        folder = Path("src" if self.editable_mode else self.build_lib) / "numact"
        folder.mkdir(parents=True, exist_ok=True)
        lists = [Path(f"csrc/{name}.h").read_text() for name in ("activations", "gated")]
        (folder / "__init__.pyi").write_text(stub(*lists))


setup(
    ext_modules=[
        Extension(
            "numact._core",
            ["src/numact/_core.pyx"],
            include_dirs=["csrc", numpy.get_include()],
            extra_compile_args=["-g0"],
            extra_link_args=["-pthread"],
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
            ],
            depends=[
                *glob("csrc/*.[ch]"),
                "csrc/minimax.py",
                "src/numact/_axis_ufuncs.pxi",
                "src/numact/_call.pxi",
                "src/numact/_masked.pxi",
                "src/numact/_norm_tasks.pxi",
                "src/numact/_statistics.pxi",
            ],
        ),
        Extension(
            "numact._reference",
            ["src/numact/_reference.pyx"],
            include_dirs=["csrc"],
            extra_compile_args=["-g0"],
            depends=["csrc/reference.c", "csrc/reference.h"],
        ),
    ],
    cmdclass={"build_ext": BuildLevels, "build_py": BuildStub},
)
