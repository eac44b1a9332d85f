"""The main loop of no float32 kernel on v4 has more vector instructions for a result than tests/operations.txt says.

What a kernel costs, without a clock.  After a change that is meant to change the counts, and with the compiler that the
first line of the file names: see CONTRIBUTING.md
"""

import re
from pathlib import Path

import pytest
from support import gated_cases
from support.cases import FUNCTIONS
from support.disassembly import NEEDED, Instruction, disassembly

from numact._kernels import core

pytestmark = NEEDED
STORED = Path(__file__).with_name("operations.txt")
COMPILER = core.compiler().split(".")[0]  # such as "gcc 12": of another one the counts differ
MARGIN = 0.1
JUMP = r"j(?!mp)\w+\s+([0-9a-f]+) <"  # on a condition
WHOLE_STORE = r"vmov\w+\s+%zmm\d+,(?!.*%rsp)[^{]*\)$"  # of results, not of registers on the stack

UFUNCS = [(f.name, f.suffix) for f in FUNCTIONS] + [(f.name, f.suffix) for f in gated_cases.FUNCTIONS]
SYMBOLS = {name: f"{name if suffix else f'{name}_forward'}_f32_v4" for name, suffix in UFUNCS}
SYMBOLS |= {name: f"{name}_f32_v4" for name in core.build_masked(core.levels()[0])}


def innermost_loops(instructions: list[Instruction]) -> list[list[Instruction]]:
    """The loops without a loop in them: from the target of a conditional jump backwards to the jump.

    What jumps without a condition in between is code that stands aside and leads into a loop.
    """
    jumps = ((re.match(JUMP, instruction.text), instruction.address) for instruction in instructions)
    ends = [(int(jump[1], 16), last) for jump, last in jumps if jump]
    ends = [(first, last) for first, last in ends if instructions[0].address <= first <= last]
    found = []
    for first, last in ends:
        if not any((first, last) != other and first <= other[0] and other[1] <= last for other in ends):
            loop = [i for i in instructions if first <= i.address <= last]
            if not any(i.text.startswith("jmp") for i in loop):
                found.append(loop)
    return found


def vector_instructions(loop: list[Instruction]) -> int:
    """How many there are, those on masks included."""
    return sum(i.text[0] in "vk" for i in loop)


def stores(loop: list[Instruction]) -> int:
    """How many vectors of results it stores."""
    return sum(bool(re.match(WHOLE_STORE, instruction.text)) for instruction in loop)


def count(symbol: str) -> int:
    """Count those of the main loop for a vector of results: of all loops that store some, the one that has to do least.

    The others read a parameter for each element, or complete what the arrays begin and end with.
    """
    loops = [(stores(loop), vector_instructions(loop)) for loop in innermost_loops(disassembly()[symbol])]
    counts = [round(instructions / vectors) for vectors, instructions in loops if vectors]
    assert counts, f"{symbol} has no loop that stores whole vectors"
    return min(counts)


def stored() -> tuple[str, dict[str, int]]:
    """The compiler of the stored figures, and the figures."""
    first, *lines = STORED.read_text(encoding="utf-8").splitlines()
    return first, {name: int(figure) for name, figure in map(str.split, lines)}


def lines() -> list[str]:
    """What tests/operations.txt is to hold."""
    return [COMPILER, *(f"{name} {count(symbol)}" for name, symbol in SYMBOLS.items())]


def test_names() -> None:
    """There is a figure for every function, and no other."""
    assert list(stored()[1]) == list(SYMBOLS), f"print {STORED.name} again: see the docstring above"


@pytest.mark.parametrize("name", SYMBOLS)
def test_count(name: str) -> None:
    """The count is the stored one, within the margin: a tenth, at least one instruction."""
    compiler, figures = stored()
    if compiler != COMPILER:
        pytest.skip(f"NOT TESTED HERE: the figures are those of {compiler}, this is {COMPILER}")
    if not any(symbol.endswith("_v4") for symbol in disassembly()):
        pytest.skip("NOT TESTED HERE: the figures are those of v4, and the baseline alone was built")
    found, want = count(SYMBOLS[name]), figures[name]
    allowed = max(1, int(MARGIN * want))
    assert found <= want + allowed, f"{name}: {found} vector instructions in the main loop, where {want} were enough"
    assert found >= want - allowed, f"{name}: {found} vector instructions instead of {want}: store the new figures"


def test_main_loop_is_found() -> None:
    """Of made-up code, the innermost loop that stores whole vectors is counted, not what stands aside."""
    texts = [
        *("vmulps %zmm0,%zmm1,%zmm2", "vmovups (%rax),%zmm0", "vaddps %zmm0,%zmm0,%zmm0", "vmovups %zmm0,(%rdx)"),
        *("add $0x40,%rax", "jl 1 <f+0x1>", "mov (%rax),%ecx", "jne 6 <f+0x6>", "jg 0 <f>", "ret"),
        *("vmovups %zmm0,(%rdx)", "jmp 1 <f+0x1>", "jle a <f+0xa>"),
    ]
    loops = innermost_loops([Instruction(address, text) for address, text in enumerate(texts)])
    assert [[i.address for i in loop] for loop in loops] == [[1, 2, 3, 4, 5], [6, 7]]
    assert [(vector_instructions(loop), stores(loop)) for loop in loops] == [(3, 1), (0, 0)]
    assert not re.match(WHOLE_STORE, "vmovups %zmm0,(%rdx){%k1}")
    assert not re.match(WHOLE_STORE, "vmovaps %zmm0,0x40(%rsp)")
    assert not re.match(WHOLE_STORE, texts[1])


if __name__ == "__main__":
    print(*lines(), sep="\n")
