"""The bits of every function over fixed inputs are those of bits.txt, everywhere.

At every level of the installed package, and in programs for other processors and by other compilers, which bits.c makes
of the kernels.  After a change that is meant to change bits: see CONTRIBUTING.md
"""

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import BUILT, LEVELS, Array, bits, unsigned
from support.programs import CSRC, NEEDS_SOURCES, compile_c, require

import numact
from numact import norm
from numact._kernels import core, targets

TESTS = Path(__file__).parent
COUNT = 2**15
MASK_COUNT = COUNT - 3
DTYPES = {"float32": np.float32, "float64": np.float64}
# Compilers, what runs their programs, and the flags of their level.
MACHINES = {
    "clang baseline": ("clang", None, "-march=x86-64"),
    "clang v3": ("clang", None, "-march=x86-64-v3"),
    "clang v4": ("clang", None, "-march=x86-64-v4"),
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64-static", "-static"),
    "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x-static", "-static"),
    "Windows": ("x86_64-w64-mingw32-gcc", "wine", "-static"),
}
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fexcess-precision=fast"]


@cache
def random_bits(count: int) -> Array:
    """Marsaglia's xorshift64, as in bits.c."""
    state, found = 88172645463325252, []
    for _ in range(count):
        state ^= state << 13 & 2**64 - 1
        state ^= state >> 7
        state ^= state << 17 & 2**64 - 1
        found.append(state)
    return np.array(found, np.uint64)


@cache
def operands(dtype: Any, count: int) -> list[Array]:
    """The first inputs: every other number of any exponent, the others around 0."""
    arrays = []
    for k, b in enumerate(random_bits(count * COUNT).reshape(count, COUNT)):
        moderate = ((b >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5) * (8 if k % 2 else 80)
        any_exponent = (b >> np.uint64(32)).astype(np.uint32) if dtype == np.float32 else b
        arrays.append(np.where(np.arange(COUNT) % 2, any_exponent.view(dtype), moderate.astype(dtype)))
    return arrays


def hash_of(array: Array) -> str:
    """A sum of all numbers, mixed and weighted by their place, modulo 2^64; all NaN are one."""
    if array.dtype == np.uint8:
        b = array.astype(np.uint64)
    else:
        nan = {np.dtype(np.float32): 0x7FC00000, np.dtype(np.float64): 0xFFF << 51}[array.dtype]
        b = np.where(np.isnan(array), unsigned(array.dtype)(nan), bits(array)).astype(np.uint64)
    weights = np.arange(1, 2 * array.size, 2, dtype=np.uint64)
    return f"{int(((b ^ b >> np.uint64(17)) * np.uint64(0x9E3779B97F4A7C15) * weights).sum(dtype=np.uint64)):016x}"


def norm_hashes(level: str, name: str, dtype: Any) -> Iterator[str]:
    """The lines of normalisations: samples x channels x positions of the moderate inputs."""
    samples, channels, places = 10, 6, 273
    x, dy = (a[::2][: samples * channels * places].reshape(samples, channels, places) for a in operands(dtype, 2))
    weight, bias = 1 + np.arange(places) / 256, np.arange(places) / 512
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets, "LEVEL", level)
        results = {
            "layer": norm.layer_norm(x, weight, bias),
            "rms": norm.rms_norm(x, weight, 1e-5),
            "layer_grad": norm.layer_norm_grad(dy, x, weight)[0],
            "rms_grad": norm.rms_norm_grad(dy, x, weight, 1e-5)[0],
            "batch": norm.batch_norm_train(x, None, None, weight[:channels], bias[:channels])[0],
        }
    for task, result in results.items():
        yield f"{task} {name} {hash_of(np.resize(np.append(result, np.zeros(COUNT, dtype)), COUNT))}"


def hashes(level: str) -> Iterator[str]:
    """The lines of bits.txt, computed by the installed package."""
    for name, dtype in DTYPES.items():
        for function, ufunc in BUILT[level].items():
            with np.errstate(all="ignore"):
                results = ufunc(*operands(dtype, 8)[: ufunc.nin])
            arrays = results if ufunc.nout > 1 else (results,)
            yield " ".join([function, name, *map(hash_of, arrays)])
        for function, loop in core.build_masked(level).items():
            x = operands(dtype, 1)[0][:MASK_COUNT]
            mask, out = (random_bits(COUNT // 8) >> np.uint64(56)).astype(np.uint8), np.empty_like(x)
            loop(x, mask, out, (-0.5, 1.5))
            yield " ".join([function, name, hash_of(out), hash_of(mask)])
    for name, dtype in DTYPES.items():
        yield from norm_hashes(level, name, dtype)


def stored() -> list[str]:
    """The lines of bits.txt."""
    return (TESTS / "bits.txt").read_text().splitlines()


@pytest.mark.parametrize("level", LEVELS)
def test_level(level: str) -> None:
    """The level has the stored bits."""
    assert list(hashes(level)) == stored()


@pytest.mark.compilers
@NEEDS_SOURCES
@pytest.mark.parametrize("machine", MACHINES)
def test_machine(machine: str, tmp_path: Path) -> None:
    """A program of another compiler, or for another processor, prints the stored bits."""
    compiler, emulator, flag = MACHINES[machine]
    require(*filter(None, (compiler, emulator)))
    sources = [
        TESTS / "bits.c",
        *(CSRC / f"loops/kernels/{name}.c" for name in ("elementwise_f32", "elementwise_f64", "norm_f32", "norm_f64")),
    ]
    command = [compiler, *FLAGS, flag, "-DLEVEL=here", f"-I{CSRC}"]
    target = compile_c(command, sources, tmp_path / "bits.exe", ["-lm"])  # the name that Windows wants
    run = subprocess.run(
        [*([emulator] if emulator else []), str(target)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "WINEDEBUG": "-all"},
    )
    assert run.stdout.splitlines() == stored()


@pytest.mark.compilers
@NEEDS_SOURCES
@pytest.mark.parametrize("source", sorted((CSRC / "runtime").glob("*.c")), ids=lambda path: path.stem)
@pytest.mark.parametrize("compiler", ["x86_64-w64-mingw32-gcc", "clang --target=x86_64-w64-mingw32"])
def test_compiles_for_windows(compiler: str, source: Path, tmp_path: Path) -> None:
    """What depends on the operating system compiles for Windows, without warnings."""
    require("x86_64-w64-mingw32-gcc", compiler.split()[0])  # whose headers clang takes
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    include = [f"-I{CSRC}", f"-I{numact.get_include()}"]
    compile_c([*compiler.split(), "-std=c11", "-O2", *warnings, *include, "-c"], [source], tmp_path / "object")


if __name__ == "__main__":
    print("\n".join(hashes(LEVELS[0])))
