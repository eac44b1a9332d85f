"""Compiles csrc: the kernels once for every dispatch target, what is common to all once, linked into the extensions.

Everything else stands in pyproject.toml.  build/objects keeps every object with the list of its headers and its
command, so that a second build compiles what has changed; ccache is used where it is installed.
"""

import gzip
import os
import platform
import runpy
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

# The dispatch targets; the baseline is what the platform guarantees.  There the compiler vectorises the float64 loops:
# gcc's partial redundancy elimination and jump threading would turn selections of doubles into selections of integers,
# which SSE2 does not have.  v4 has 32 registers and interleaves several vectors, whose instructions gcc schedules as
# for a processor with AVX-512.
X86_64 = {
    "baseline": ["-march=x86-64", "-fno-tree-pre", "-fno-thread-jumps"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mtune=skylake-avx512", "-mprefer-vector-width=512", "-fschedule-insns"],
}
# Elsewhere C11 may compute float in double (s390x), which is the excess precision that must not be.
TARGETS = X86_64 if platform.machine() in ("x86_64", "AMD64") else {"baseline": ["-fexcess-precision=fast"]}
# For development: a third of the kernels, and less optimised, so that a changed formula is compiled in under a minute.
BASELINE_ONLY = "NUMACT_BASELINE_ONLY" in os.environ
if BASELINE_ONLY:
    TARGETS = {"baseline": [*TARGETS["baseline"], "-O1"]}

# The header that other programs include.
API = "src/numact/include"

# On Windows clang-cl compiles: the kernels need the vector types of gcc and clang, and inline assembly.
WINDOWS = platform.system() == "Windows"

# Last on the command line, so that a user's CFLAGS cannot undo them: they are what makes the bits the same everywhere.
FLAGS = [
    *("-Icsrc", f"-I{API}", "-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-ffp-contract=off", "-fno-fast-math"),
    *("-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-MMD"),
    *os.environ.get("NUMACT_CFLAGS", "").split(),
]


class BuildTargets(build_ext):
    """Builds an extension together with what it needs of csrc."""

    def run(self) -> None:
        """Build, and write the stub of what was built in place: its list may have a row more."""
        super().run()
        if self.inplace:
            write_stub(Path("src"))

    def build_extensions(self) -> None:
        """Use ccache where it is installed."""
        if WINDOWS:
            if not (clang := shutil.which("clang-cl")):
                raise SystemExit("numact needs clang-cl (LLVM) on Windows, which is not on the PATH")
            self.compiler.initialize()
            self.compiler.cc = clang
        command = getattr(self.compiler, "compiler_so", None)
        if shutil.which("ccache") and command and Path(command[0]).name != "ccache":
            self.compiler.set_executable("compiler_so", ["ccache", *command])
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        """Add the objects from csrc to the extension, then build it as usual."""
        if extension.name == "numact._kernels.core":
            which = ["-DNUMACT_BASELINE_ONLY"] if BASELINE_ONLY else []
            jobs = [(source, "common", which) for source in sorted(glob("csrc/runtime/*.c"))]
            for target, flags in TARGETS.items():
                kernels = sorted(glob("csrc/loops/kernels/*.c"))
                jobs += [(source, target, [*flags, f"-DLEVEL={target}"]) for source in kernels]
        else:
            jobs = [(source, "common", []) for source in sorted(glob("csrc/reference/*.c"))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            extension.extra_objects += pool.map(self.compile_one, jobs)
        super().build_extension(extension)

    def compile_one(self, job: tuple[str, str, list[str]]) -> str:
        """Compile a file of csrc, unless its object is newer than all that it was made from, by the same command."""
        source, folder, flags = job
        folder = f"build/objects/{folder}"
        (object_file,) = self.compiler.object_filenames([source], output_dir=folder)
        command = repr([getattr(self.compiler, "compiler_so", None), FLAGS, flags])
        made_by = Path(object_file).with_suffix(".command")
        if not (made_by.exists() and made_by.read_text() == command and is_current(Path(object_file))):
            made_by.unlink(missing_ok=True)
            self.compiler.compile([source], output_dir=folder, extra_postargs=spelled([*FLAGS, *flags]))
            made_by.write_text(command)
        return object_file


def spelled(flags: list[str]) -> list[str]:
    """Flags of gcc and clang as clang-cl takes them, on Windows."""
    return [flag if flag.startswith(("-I", "-D")) else f"/clang:{flag}" for flag in flags] if WINDOWS else flags


def is_current(object_file: Path) -> bool:
    """Whether an object is newer than its source and every header, which the compiler has listed beside it."""
    try:
        _, _, listed = object_file.with_suffix(".d").read_text().replace("\\\n", " ").partition(":")
        made = object_file.stat().st_mtime
        return all(Path(file).stat().st_mtime < made for file in listed.split())
    except FileNotFoundError:
        return False


class BuildStub(build_py):
    """Writes the stub beside the copied modules."""

    def run(self) -> None:
        """Copy the modules, and write it."""
        super().run()
        write_stub(Path("src" if self.editable_mode else self.build_lib))


def write_stub(folder: Path) -> None:
    """Write numact/__init__.pyi, whose names come from the lists of activations."""
    stub = runpy.run_path("src/numact/_kernels/stubs.py")["stub"]
    lists = [Path(f"csrc/formulas/{name}.h").read_text() for name in ("activations", "gated")]
    (folder / "numact").mkdir(parents=True, exist_ok=True)
    (folder / "numact" / "__init__.pyi").write_text(stub(*lists))


class RepeatableSdist(sdist):
    """Writes the same bytes each time where SOURCE_DATE_EPOCH says so: its time, no owners, files in order."""

    def make_archive(self, base_name: str, format: str, *given: object, **keywords: object) -> str:
        """Write the archive of the folder that sdist has filled."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or format != "gztar":
            return super().make_archive(base_name, format, *given, **keywords)
        name = f"{base_name}.tar.gz"
        with (
            open(name, "wb") as file,
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=int(epoch)) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            for path in sorted(Path(str(keywords["base_dir"])).rglob("*")):
                entry = archive.gettarinfo(path)
                entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = int(epoch), 0, 0, "", ""
                if entry.isfile():
                    with path.open("rb") as content:
                        archive.addfile(entry, content)
                else:
                    archive.addfile(entry)
        return name


setup(
    ext_modules=[  # the reference first: a mistake in it shows before the kernels are compiled
        Extension(
            "numact.commands.verify.reference",
            ["src/numact/commands/verify/reference.pyx"],
            include_dirs=["csrc"],
            extra_compile_args=spelled(["-g0", "-fvisibility=hidden"]),
            depends=glob("csrc/reference/*.[ch]"),
        ),
        Extension(
            "numact._kernels.core",
            ["src/numact/_kernels/core.pyx"],
            include_dirs=["csrc", API, numpy.get_include()],
            extra_compile_args=spelled(["-g0", "-fvisibility=hidden"]),
            extra_link_args=[] if WINDOWS else ["-pthread"],
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
            ],
            depends=[
                *glob("csrc/**/*.[ch]", recursive=True),
                "csrc/math/minimax.py",
                *glob("src/numact/_kernels/*.pxi"),
            ],
        ),
    ],
    cmdclass={"build_ext": BuildTargets, "build_py": BuildStub, "sdist": RepeatableSdist},
)
