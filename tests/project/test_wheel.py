"""The package as it is installed: what its libraries export and need, its metadata, its size."""

import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import numact

ROOT = Path(__file__).parents[2]
PACKAGE = Path(numact.__file__).parent
EXTENSIONS = sorted(PACKAGE.rglob("*.so"))
# threadpoolctl finds these two by name.
FOR_THREADPOOLCTL = {"numact_get_num_threads", "numact_set_num_threads"}
OBJECTS = ROOT / "build" / "objects"  # of the last build in these sources
MEGABYTE = 1 << 20

pytestmark = pytest.mark.skipif(
    not EXTENSIONS, reason="NOT TESTED HERE: extensions of another system than Linux or macOS"
)
every_extension = pytest.mark.parametrize("extension", EXTENSIONS, ids=lambda path: path.name.partition(".")[0])


def output(*command: object) -> str:
    """What a program prints; without it, nothing can be tested."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"NOT TESTED HERE: needs {command[0]} (Debian: binutils)")
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


@every_extension
def test_exports(extension: Path) -> None:
    """Nothing but the module's initialisation, and what threadpoolctl looks for."""
    names = {line.split()[-1] for line in output("nm", "-D", "--defined-only", extension).splitlines()}
    names -= {name for name in names if re.match(r"__(asan|ubsan|gcov|llvm)", name)}
    module = extension.name.partition(".")[0]
    assert names - FOR_THREADPOOLCTL == {f"PyInit_{module}"}


@every_extension
def test_needs(extension: Path) -> None:
    """The C library alone: no OpenMP, no C++, no BLAS; and no executable stack."""
    text = output("readelf", "-dlW", extension)
    needed = {re.sub(r"\.so.*", "", name) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", text)}
    assert needed <= {"libc", "libm", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64", "libasan", "libubsan"}
    (stack,) = (line for line in text.splitlines() if "GNU_STACK" in line)
    assert " RWE " not in stack
    assert "TEXTREL" not in text


@every_extension
def test_no_constructors(extension: Path) -> None:
    """Nothing runs when a library is loaded but what the compiler adds to each."""
    entries = output("readelf", "-SW", extension)
    sizes = re.findall(r"\.init_array\s+INIT_ARRAY\s+\w+ \w+ (\w+)", entries)
    assert all(int(size, 16) <= 8 for size in sizes)


@pytest.mark.skipif(not OBJECTS.exists(), reason="NOT TESTED HERE: away from what the build keeps")
@pytest.mark.parametrize("folder", ["common", "baseline"])
def test_no_avx(folder: str) -> None:
    """What every processor runs has no instruction of AVX: those are in the objects of their own dispatch targets."""
    objects = sorted((OBJECTS / folder).rglob("*.o"))
    assert objects
    for file in objects:
        assert not re.search(r"\tv[a-z0-9]+ .*%[xyz]mm", output("objdump", "-d", "--no-show-raw-insn", file)), file


@pytest.mark.skipif(not OBJECTS.exists(), reason="NOT TESTED HERE: away from what the build keeps")
def test_no_shared_symbols() -> None:
    """No inline function is shared by objects of several targets: the linker might keep the one with AVX for all."""
    for file in OBJECTS.rglob("*.o"):
        kinds = {line.split()[-2] for line in output("nm", "--defined-only", file).splitlines()}
        assert not kinds & {"W", "V", "u"}, file


def test_size() -> None:
    """The budget."""
    assert sum(path.stat().st_size for path in EXTENSIONS) < 16 * MEGABYTE
    assert sum(path.stat().st_size for path in PACKAGE.rglob("*.py")) < 2 * MEGABYTE


def test_metadata() -> None:
    """Licence, one dependency, the versions of Python, and no tests or sources within the package."""
    try:
        found = distribution("numact")
    except PackageNotFoundError:
        pytest.skip("NOT TESTED HERE: numact is not installed")
    if ROOT / "src" in PACKAGE.parents:
        pytest.skip("NOT TESTED HERE: numact is not installed from a wheel")
    metadata = found.metadata
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    required = [text for text in metadata.get_all("Requires-Dist") or [] if "extra ==" not in text]
    assert len(required) == 1
    assert required[0].startswith("numpy>=")
    assert metadata["Requires-Python"] == ">=3.11"
    files = [str(file) for file in found.files or []]
    assert not [file for file in files if file.endswith((".c", ".pyx", ".pxi")) or file.startswith("tests")]
