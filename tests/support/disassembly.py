"""The instructions of the built extension, which tests of the kernels read."""

import platform
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import pytest

from numact._kernels import core

NEEDED = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="knows x86-64 instructions"),
    pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump (binutils)"),
]


@dataclass(frozen=True)
class Instruction:
    """A line of the disassembly."""

    address: int
    text: str


@cache
def disassembly() -> dict[str, list[Instruction]]:
    """Instructions by symbol, parts of split functions included."""
    command = ["objdump", "--disassemble", "--no-show-raw-insn", core.__file__]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    functions: dict[str, list[Instruction]] = defaultdict(list)
    name = ""
    for line in text.splitlines():
        if line.endswith(">:"):
            name = line.split("<")[1][:-2].split(".")[0]
        elif line.startswith(" "):
            address, _, instruction = line.partition(":\t")
            functions[name].append(Instruction(int(address, 16), instruction))
    for name, instructions in list(functions.items()):
        # The compiler merges equal functions: one of them jumps to the other.
        if jump := re.match(r"jmp\s+[0-9a-f]+ <([\w.]+)>", instructions[0].text):
            functions[name] = functions[jump[1]]
    return dict(functions)
