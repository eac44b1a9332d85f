"""Reads the built extension: the loop of every function is packed at the full width of its level."""

import re

import pytest
from support import gated_cases
from support.cases import FUNCTIONS, LEVELS, Function, name_of
from support.disassembly import NEEDED, disassembly

from numact._kernels import core

REGISTERS = {"baseline": "xmm", "v3": "ymm", "v4": "zmm"}
# Arithmetic on packed numbers, not moves and conversions.
ARITHMETIC = r"v?(?:add|sub|mul|div|sqrt|min|max|and|andn|or|xor|cmp\w*|blend\w*|scalef|fn?m(?:add|sub)(?:132|213|231))"
PACKED = rf"\b{ARITHMETIC}p[sd]\s.*%"
FLOATING = r"\bv?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)(?:132|213|231))"
SCALAR = rf"{FLOATING}s[sd]\s"

pytestmark = NEEDED


def instructions_of(symbol: str) -> list[str]:
    """The instructions of a function, as text."""
    assert symbol in disassembly(), f"{symbol} is not among the symbols of {core.__file__}"
    return [instruction.text for instruction in disassembly()[symbol]]


@pytest.mark.parametrize("function", [*FUNCTIONS, *gated_cases.FUNCTIONS], ids=name_of)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("level", LEVELS)
def test_packed(function: Function | gated_cases.Gated, dtype: str, level: str) -> None:
    """The loop has packed arithmetic in the registers of the level, and its divisions are packed."""
    stem = function.name if function.suffix else f"{function.name}_forward"
    symbol = f"{stem}_{dtype}_{level}"
    instructions = instructions_of(symbol)
    packed = [line for line in instructions if re.search(PACKED + REGISTERS[level], line)]
    if not any(re.search(SCALAR, line) for line in instructions):
        # A formula that only copies.
        packed += [line for line in instructions if re.search(rf"\bv?movup[sd]\s.*%{REGISTERS[level]}|<memmove", line)]
    assert packed, f"{symbol} has no packed arithmetic on %{REGISTERS[level]}"
    # Scalar code is left for the last elements only: up to three copies of it and what is converted
    # for them, while a loop that is not packed has hardly anything else.
    wide_count = sum(bool(re.search(rf"{FLOATING}p[sd]\s.*%{REGISTERS[level]}", line)) for line in instructions)
    scalar_count = sum(bool(re.search(SCALAR, line)) for line in instructions)
    assert scalar_count <= 4 * wide_count, f"{symbol}: {scalar_count} scalar operations, {wide_count} packed"
    divisions = [line for line in instructions if re.search(r"\bv?div[sp][sd]\b", line)]
    if divisions:
        wide = [line for line in divisions if re.search(rf"divp[sd]\s.*%{REGISTERS[level]}", line)]
        assert wide, f"{symbol} divides, but never packed on %{REGISTERS[level]}"


@pytest.mark.parametrize("name", core.build_masked(LEVELS[0]))
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("level", [level for level in LEVELS if level != "baseline"])
def test_packed_masks(name: str, dtype: str, level: str) -> None:
    """The loops with a bit for each element have packed arithmetic only, where `real` is a vector."""
    instructions = instructions_of(f"{name}_{dtype}_{level}")
    assert any(re.search(PACKED + REGISTERS[level], line) for line in instructions)
    assert not any(re.search(r"\bv?u?comis[sd]|" + SCALAR, line) for line in instructions)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("level", LEVELS)
def test_packed_conversions(dtype: str, level: str) -> None:
    """float16 and bfloat16 are converted many at a time, float16 by instructions where the level has them."""
    instructions = instructions_of(f"numact_{dtype}_{level}")
    if dtype == "f16" and level != "baseline":
        expected = [rf"vcvtph2ps\s.*%{REGISTERS[level]}", rf"vcvtps2ph\s.*%{REGISTERS[level]}"]
    else:
        expected = [rf"v?pslld\s.*%{REGISTERS[level]}", rf"v?psr[al]d\s.*%{REGISTERS[level]}"]
    for pattern in expected:
        assert any(re.search(pattern, line) for line in instructions), f"{dtype} {level}: no {pattern}"


def test_masks_are_read_as_they_were_written() -> None:
    """No mask of AVX-512 is stored in fewer bits than are read back, as gcc 12 does where registers are lacking."""
    written = re.compile(r"kmov([bw])\s+%k\d,(\S*\(%r[sb]p\))$")
    narrow = {
        "b": r"kmovb|movzb|\w+\s.*%(?:[a-d]l|[sd]il|r\d+b)\b",
        "w": r"kmovw|movz[bw]|\w+\s.*%(?:[a-d]x|[sd]i|r\d+w)\b",
    }
    for symbol in disassembly():
        instructions = instructions_of(symbol)
        for index, text in enumerate(instructions):
            if not (store := written.match(text)):
                continue
            place = re.compile(rf"(?<![\w-]){re.escape(store[2])}")
            next_use = next((other for other in instructions[index + 1 :] if place.search(other)), "")
            overwritten = re.match(r"[vk]?mov\w*\s+[%$].*,", next_use)
            assert not next_use or overwritten or re.match(narrow[store[1]], next_use), f"{symbol}: {text}; {next_use}"
