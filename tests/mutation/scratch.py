"""A copy of the checkout in which the code is changed and built; the checkout itself stays as it is.

Python is changed in place.  For C and Cython only the objects that a change concerns are compiled, by the commands that
setup.py has left beside its objects, and linked with the others.  What is compiled once for every dispatch target is
compiled for a single one, as if it were the baseline: the best of this processor for which the compiler sees a change.
The kernels of float32 are compiled first, since hardly a change of the others is not one of theirs.
"""

import ast
import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutation.places import Place

WHOLE = "whole"  # the build of setup.py, for every dispatch target
TARGETS = ("v4", "v3", "baseline")
PROCESSORS = {"v4": "avx512vl", "v3": "avx2", "baseline": ""}  # what a processor needs
ERRORS = ("-Werror=int-conversion", "-Werror=incompatible-pointer-types")  # of what the project's build refuses
STUBS = "src/numact/_kernels/stubs.py"  # run by setup.py
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


class NotCompiled(Exception):
    """The changed code does not compile."""


class NothingChanged(Exception):
    """The compiler makes the same object of the changed code: the change is equivalent, or not for this platform."""


class Scratch:
    """The copy.

    Parameters
    ----------
    checkout : Path
        The checkout.
    root : Path
        Where the copy goes.
    keep : bool
        Whether what an earlier run has built there is used again, as far as it is current.

    """

    def __init__(self, checkout: Path, root: Path, keep: bool) -> None:
        self.root, self.objects = root / "tree", root / "objects"
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=checkout, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            if (checkout / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, self.root / name)
        self.newest = max(path.stat().st_mtime for path in (self.root / "csrc").rglob("*.[ch]"))
        bridge = [*(self.root / "src").rglob("*.pyx"), *(self.root / "src").rglob("*.pxi")]
        self.newest = max(self.newest, *(path.stat().st_mtime for path in bridge))
        self.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace", *(["--force"] if keep else [])])
        self.libraries = {
            "core": self.root / f"src/numact/_kernels/core{SUFFIX}",
            "reference": self.root / f"src/numact/commands/verify/reference{SUFFIX}",
        }
        for name, library in self.libraries.items():
            (self.objects / WHOLE).mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, self.objects / WHOLE / f"{name}.so")
        self.linked: dict[str, str] = dict.fromkeys(self.libraries, WHOLE)
        self.flags = self.flags_of_targets()
        self.pool = ThreadPoolExecutor(2)
        self.changed: Place | None = None

    def run(self, command: list[str]) -> None:
        """Run a command in the copy."""
        process = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if process.returncode:
            raise NotCompiled(process.stderr[-2000:])

    def flags_of_targets(self) -> dict[str, list[str]]:
        """The flags of every dispatch target, as setup.py has noted them."""
        found = {}
        for target in (*TARGETS, "common"):
            noted = next((self.root / "build/objects" / target).rglob("*.command"))
            compiler, flags, special = ast.literal_eval(noted.read_text())
            self.compiler = [word for word in compiler if word not in ("ccache", "-g")]
            found[target] = [*flags, *(flag for flag in special if not flag.startswith("-DLEVEL"))]
        return found

    def find_target(self, place: Place) -> tuple[str, list[str]]:
        """The best target of this processor whose preprocessed kernels change, and their sources; else WHOLE."""
        supported = Path("/proc/cpuinfo").read_text()
        for target in (target for target in TARGETS if PROCESSORS[target] in supported):
            sources = self.sources_with(place.path, target)
            self.write(self.original)
            before = [self.preprocessed(source, target) for source in sources]
            self.write(place.applied(self.original))
            after = [self.preprocessed(source, target) for source in sources]
            if changed := [source for source, old, new in zip(sources, before, after, strict=True) if old != new]:
                return target, changed
        return WHOLE, []

    def preprocessed(self, source: str, target: str) -> str:
        """What the compiler sees of a source."""
        command = [*self.compiler, *self.flags[target], "-DLEVEL=baseline", "-E", "-P", source]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False).stdout

    def sources_with(self, path: str, target: str) -> list[str]:
        """The sources in csrc that include a file, of those that are compiled for a target, or for all ("common")."""
        folder = self.root / "build/objects" / target
        listed = [file for file in folder.rglob("*.d") if path in file.read_text().replace("\\\n", " ").split()]
        return sorted(str(file.relative_to(folder).with_suffix(".c")) for file in listed)

    def compile_source(self, source: str, target: str, folder: Path) -> Path:
        """Compile a source of csrc, less optimised."""
        made = folder / f"{Path(source).stem}.o"
        if "kernels/" in source:
            special = [*self.flags[target], "-DLEVEL=baseline"]
        else:
            special = [*self.flags["common"], *([] if target == WHOLE else ["-DNUMACT_BASELINE_ONLY"])]
        cache = ["ccache"] if folder.name != "changed" and shutil.which("ccache") else []
        self.run([*cache, *self.compiler, *special, *ERRORS, "-O1", "-c", source, "-o", str(made)])
        made.with_suffix(".d").unlink(missing_ok=True)
        return made

    def compile_bridge(self, name: str, folder: Path) -> Path:
        """Compile core.pyx or reference.pyx."""
        source = next((self.root / "src/numact").rglob(f"{name}.pyx"))
        made = folder / f"bridge_{name}.o"
        self.run([sys.executable, "-m", "cython", str(source), "-o", str(made.with_suffix(".c"))])
        numpy = subprocess.run(
            [sys.executable, "-c", "import numpy; print(numpy.get_include())"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        include = [f"-I{path}" for path in ("csrc", "src/numact/include", numpy, sysconfig.get_path("include"))]
        version = [f"-D{name}=NPY_2_0_API_VERSION" for name in ("NPY_NO_DEPRECATED_API", "NPY_TARGET_VERSION")]
        flags = [*include, *version, "-w", "-O0", "-fvisibility=hidden"]
        self.run([*self.compiler, *flags, "-c", str(made.with_suffix(".c")), "-o", str(made)])
        return made

    def compile_all(self, sources: list[str], target: str, folder: Path) -> dict[str, Path]:
        """Compile what the folder does not have; all objects by the names of their sources."""
        folder.mkdir(exist_ok=True)
        stale = [source for source in sources if not self.is_current(folder / f"{Path(source).stem}.o")]
        list(self.pool.map(lambda source: self.compile_source(source, target, folder), stale))
        return {source: folder / f"{Path(source).stem}.o" for source in sources}

    def is_current(self, made: Path) -> bool:
        """Whether an object is newer than all sources."""
        return made.exists() and made.stat().st_mtime > self.newest

    def objects_of(self, target: str, name: str = "core") -> dict[str, Path]:
        """The unchanged objects of a library, by the names of their sources."""
        objects = self.root / "build/objects"
        bridge = self.objects / f"bridge_{name}.o"
        if not self.is_current(bridge):
            self.compile_bridge(name, self.objects)
        if name == "reference":
            return {path.stem: path for path in (objects / "common/csrc/reference").glob("*.o")} | {"bridge": bridge}
        sources = [f"csrc/runtime/{path.name}" for path in (self.root / "csrc/runtime").glob("*.c")]
        if target == WHOLE:
            kernels = {str(path): path for each in TARGETS for path in (objects / each).rglob("*.o")}
        else:
            sources += [f"csrc/loops/kernels/{path.name}" for path in (self.root / "csrc/loops/kernels").glob("*.c")]
            kernels = {}
        return {**kernels, **self.compile_all(sources, target, self.objects / f"of_{target}"), "bridge": bridge}

    def link(self, objects: dict[str, Path], library: Path) -> None:
        """Link a library anew, beside what a process may still have loaded."""
        made = library.with_suffix(".new")
        self.run(
            [*sysconfig.get_config_var("LDSHARED").split(), *map(str, objects.values()), "-pthread", "-o", str(made)]
        )
        os.replace(made, library)

    def use(self, target: str) -> None:
        """Link the unchanged libraries of a target."""
        for name, library in self.libraries.items():
            wanted = WHOLE if name == "reference" else target
            if self.linked[name] != wanted:
                if wanted == WHOLE:
                    shutil.copy2(self.objects / WHOLE / f"{name}.so", library)
                else:
                    self.link(self.objects_of(wanted), library)
                self.linked[name] = wanted

    def change(self, place: Place) -> str:
        """Change one place and build; returns the target for which."""
        if self.changed:
            raise RuntimeError(f"{self.changed.id} is still changed")
        self.changed = place
        path = self.root / place.path
        self.original, self.times = path.read_text(), path.stat()
        self.later: list[str] = []
        if place.language == "Python":
            self.write(place.applied(self.original))
            self.use(WHOLE)
            self.write_stub(place)
            return WHOLE
        shutil.rmtree(self.objects / "changed", ignore_errors=True)
        (self.objects / "changed").mkdir()
        self.name = "reference" if path.stem == "reference" else "core"
        self.target, kernels = self.find_target(place) if place.language == "C" else (WHOLE, [])
        self.write(self.original)
        try:
            self.unchanged = self.objects_of(self.target, self.name)
        except NotCompiled as error:
            raise RuntimeError("the unchanged code does not compile") from error
        self.write(place.applied(self.original))
        first = sorted(source for source in kernels if not source.endswith("_f64.c"))
        self.later = sorted(set(kernels) - set(first))
        if place.language == "C":
            common = self.sources_with(place.path, "common")
            self.build([*first, *(source for source in common if source in self.unchanged)])
        else:
            bridge = self.compile_bridge(self.name, self.objects / "changed")
            self.link_changed({"bridge": bridge})
        return self.target

    def build(self, sources: list[str]) -> None:
        """Compile changed sources and link, as soon as an object is another."""
        made = self.compile_all(sources, self.target, self.objects / "changed")
        try:
            self.link_changed(made)
        except NothingChanged:
            if not self.later:
                raise
            self.complete()

    def complete(self) -> bool:
        """Build what was left for later, if anything was."""
        if not self.later:
            return False
        sources, self.later = self.later, []
        self.build(sources)
        return True

    def link_changed(self, made: dict[str, Path]) -> None:
        """Link the library with changed objects, if they are other objects."""
        if all(self.unchanged[key].read_bytes() == made[key].read_bytes() for key in made):
            raise NothingChanged
        self.use(self.target)
        self.unchanged = {**self.unchanged, **made}
        self.link(self.unchanged, self.libraries[self.name])
        self.linked[self.name] = "changed"

    @contextlib.contextmanager
    def unchanged_build(self, target: str) -> Iterator[None]:
        """Put what is unchanged in the place of what is changed for a while."""
        if self.changed and self.changed.language == "Python":
            self.write(self.original)
            yield
            self.write(self.changed.applied(self.original))
            return
        library, aside = self.libraries[self.name], self.objects / "changed" / "aside.so"
        shutil.copy2(library, aside)
        self.use(target)
        yield
        os.replace(aside, library)
        self.linked[self.name] = "changed"

    def write(self, text: str) -> None:
        """Write the changed file, without what Python has kept of it."""
        assert self.changed is not None
        path = self.root / self.changed.path
        path.write_text(text)
        for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            cached.unlink()

    def restore(self) -> None:
        """Take the change back; the libraries follow when they are needed."""
        if self.changed:
            self.write(self.original)
            os.utime(self.root / self.changed.path, ns=(self.times.st_atime_ns, self.times.st_mtime_ns))
            self.write_stub(self.changed)
            self.changed = None

    def write_stub(self, place: Place) -> None:
        """Build what is written by a changed script: the stub."""
        if place.path == STUBS:
            self.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"])
