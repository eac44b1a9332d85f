"""Where the code can be changed, and how: each change is one that a mistake could have made.

Python is read by `ast`; C and Cython by tokens, so that comments, strings and lines of the preprocessor stay.
What cannot change a result is left out by rule:

- annotations, docstrings, and text within f-strings, whose places Python 3.11 does not know;
- declarations of Cython's `cdef extern`, and the lengths of declared arrays;
- lines that only concern speed: SPEED_ONLY;
- lines of the adapters that no test executes here, for want of the library (`mutation.run`).
"""

import ast
import bisect
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHARES = {"C": 70, "Cython": 40, "Python": 90}
C_FOLDERS = ("formulas", "loops", "math", "runtime", "simd")

# Prefetching, spinning, how many vectors are interleaved, the sizes of caches: no result depends on them.
SPEED_ONLY = re.compile(r"prefetch|AHEAD|SPIN|_NS\b|UNROLL_FACTOR|TYPICAL_L2|OF_L2|cpu_relax|ivdep")

BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
COMPARISONS = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}
SIGNS = {"+": "-", "-": "+", "+=": "-=", "-=": "+="}
OPERATORS = {
    **{"*": "/", "/": "*", "//": "*", "%": "*", "**": "*", "*=": "/=", "/=": "*="},
    **{"&": "|", "|": "&", "&=": "|=", "|=": "&=", "<<": ">>", ">>": "<<"},
}
CONNECTIVES = {"&&": "||", "||": "&&", "and": "or", "or": "and"}
LITERALS = {"true": "false", "false": "true", "True": "False", "False": "True"}
KEYWORDS = {
    "return",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "elif",
    "else",
    "while",
    "case",
    "except",
    "yield",
    "lambda",
}
# Functions that do not mind the order of their arguments, and those whose arguments are types or addresses to compare.
SYMMETRIC = {"max", "min", "least", "two_sum", "two_prod", "both", "either", "isinstance", "issubclass", "sizeof", "eq"}
# Where functions, classes and tables begin.
HEADS = re.compile(
    r"^(?:[ \t]*(?:async )?(?:def|cdef|cpdef|class) (?:[^\n]*?)(\w+)\s*[(:]|[A-Za-z][^;#\n]*?(\w+)\s*[(\[{])", re.M
)


@dataclass(frozen=True)
class Place:
    """A change of one place: the text from `start` to `end` of a file becomes `new`."""

    language: str
    folder: str
    path: str
    line: int
    column: int
    end_line: int
    kind: str
    start: int
    end: int
    new: str
    before: str  # the first line that changes, without its indentation
    after: str
    within: str  # the function

    @property
    def id(self) -> str:
        """A name for the command line."""
        return f"{self.path}:{self.line}:{self.column}:{self.kind.replace(' ', '-')}"

    def applied(self, text: str) -> str:
        """The changed file."""
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True)
class Edit:
    """A change within a text, before its place is known by line and column."""

    kind: str
    start: int
    end: int
    new: str


def languages(root: Path) -> Iterator[tuple[str, str, Path]]:
    """All files with their language and folder."""
    for folder in C_FOLDERS:
        for path in sorted((root / "csrc" / folder).rglob("*.[ch]")):
            yield "C", folder, path
    package = root / "src" / "numact"
    for path in sorted([*package.rglob("*.pyx"), *package.rglob("*.pxi")]):
        yield "Cython", path.parent.name, path
    for path in sorted(package.rglob("*.py")):
        inner = path.relative_to(package).parts
        yield "Python", inner[0] if len(inner) > 1 else "numact", path


def places(root: Path) -> Iterator[Place]:
    """Every place of the project."""
    for language, folder, path in languages(root):
        text = path.read_text()
        heads = [(match.start(), match[1] or match[2]) for match in HEADS.finditer(text)]
        for edit in python_edits(text) if language == "Python" else token_edits(text, language):
            place = located(edit, text, language, folder, str(path.relative_to(root)), heads)
            if not SPEED_ONLY.search(place.before):
                yield place


def located(edit: Edit, text: str, language: str, folder: str, path: str, heads: list[tuple[int, str]]) -> Place:
    """The edit as a place of a file; `heads` has where each function begins."""
    old = text[edit.start : edit.end]
    same = next(
        (k for k, (a, b) in enumerate(zip(old, edit.new, strict=False)) if a != b), min(len(old), len(edit.new))
    )
    first = edit.start + same
    line_start = text.rfind("\n", 0, first) + 1
    line = text[line_start : text.find("\n", first)]
    changed = text[line_start : edit.start] + edit.new + text[edit.end : text.find("\n", edit.end)]
    head = bisect.bisect_right(heads, (first, "~"))
    return Place(
        language,
        folder,
        path,
        line=text.count("\n", 0, first) + 1,
        column=first - line_start + 1,
        end_line=text.count("\n", 0, edit.end) + 1,
        kind=edit.kind,
        start=edit.start,
        end=edit.end,
        new=edit.new,
        before=line.strip(),
        after=changed.split("\n", 1)[0].strip(),
        within=heads[head - 1][1] if head else "",
    )


# C and Cython


NUMBER = r"(?:0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[a-zA-Z]*"
OPERATOR = r"<<=|>>=|\.\.\.|->|\+\+|--|&&|\|\||//|\*\*|[-+*/%&|^<>=!]=|<<|>>|\S"
C_SKIPPED = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'|^[ \t]*\#(?:/\*.*?\*/|\\\n|[^\n])*"
CYTHON_SKIPPED = (
    r"#[^\n]*|(?:\b[rbfu]{1,2})?(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|<(?=[A-Za-z_])[\w .*]+>"  # a cast
    r"|^cdef extern[^\n]*\n(?:[ \t]+[^\n]*\n|\n)*|^c?import [^\n]*|^from [^\n]*"
)


@dataclass(frozen=True)
class Token:
    """A word of the text."""

    text: str
    kind: str
    start: int
    end: int


def tokens_of(text: str, language: str) -> list[Token]:
    """The tokens outside comments, strings and what is not code."""
    skipped = C_SKIPPED if language == "C" else CYTHON_SKIPPED
    pattern = re.compile(
        rf"(?P<skipped>{skipped})|(?P<number>(?<![\w.]){NUMBER})|(?P<name>[A-Za-z_]\w*)|(?P<operator>{OPERATOR})",
        re.S | re.M,
    )
    return [
        Token(match[0], str(match.lastgroup), match.start(), match.end())
        for match in pattern.finditer(text)
        if match.lastgroup != "skipped"
    ]


def token_edits(text: str, language: str) -> Iterator[Edit]:
    """The changes of a file of C or Cython."""
    tokens = tokens_of(text, language)
    nothing = Token("", "operator", 0, 0)
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else nothing
        after = tokens[i + 1] if i + 1 < len(tokens) else nothing
        spaced = text[token.start - 1 : token.start].isspace() and text[token.end : token.end + 1].isspace()
        operand = (before.kind in ("name", "number") and before.text not in KEYWORDS) or before.text in (")", "]")
        if token.kind == "number":
            declared = before.text == "[" and after.text == "]" and is_declaration(text, token.start, language)
            if (not declared and before.text not in ("except", "-")) or (
                before.text == "-" and tokens[i - 2].text != "except"
            ):
                yield Edit("constant", token.start, token.end, next_number(token.text))
        elif token.text in LITERALS:
            yield Edit("constant", token.start, token.end, LITERALS[token.text])
        elif token.text in BOUNDS and spaced:
            yield Edit("bound", token.start, token.end, BOUNDS[token.text])
        elif token.text in ("==", "!=") and spaced:
            yield Edit("comparison", token.start, token.end, COMPARISONS[token.text])
        elif token.text in SIGNS and spaced and operand:
            yield Edit("sign", token.start, token.end, SIGNS[token.text])
        elif token.text == "-" and not operand and before.text not in ("except", "?", ")") and after.kind != "operator":
            yield Edit("sign", token.start, token.end, "")
        elif token.text in OPERATORS and spaced and operand:
            yield Edit("operator", token.start, token.end, OPERATORS[token.text])
        elif token.text in CONNECTIVES:
            yield Edit("connective", token.start, token.end, CONNECTIVES[token.text])
        elif token.text == "!" or (token.text == "not" and after.text not in ("in", "None") and before.text != "is"):
            yield Edit("negation", token.start, after.start, "")
        elif token.text == "if" and (condition := condition_of(tokens, i, language)):
            start, end = condition
            never = "0 && " if language == "C" else "False and "
            yield Edit("removed check", start, end, f"{never}({text[start:end]})")
        elif token.text == "(" and before.kind == "name" and before.text not in KEYWORDS | SYMMETRIC:
            yield from swapped(tokens, i, text)


def is_declaration(text: str, position: int, language: str) -> bool:
    """Whether a line declares variables."""
    line = text[text.rfind("\n", 0, position) + 1 : position].lstrip()
    words = r"cdef " if language == "Cython" else r"(?:static |const |ALIGNED |struct |unsigned )*\w+ \*?\w+(?:\[|, )"
    return re.match(words, line) is not None


def condition_of(tokens: list[Token], i: int, language: str) -> tuple[int, int] | None:
    """From where to where the condition of an `if` extends; None where it is a conditional expression of Cython."""
    depth = 0
    for j in range(i + 1, len(tokens)):
        text = tokens[j].text
        if text in "([{":
            depth += 1
        elif text in ")]}":
            depth -= 1
            if depth == 0 and language == "C":
                return tokens[i + 2].start, tokens[j - 1].end
        if depth < 0 or (depth == 0 and text == "else"):
            return None
        if depth == 0 and text == ":" and language == "Cython":
            return tokens[i + 1].start, tokens[j - 1].end
    return None


def swapped(tokens: list[Token], i: int, text: str) -> Iterator[Edit]:
    """The first two arguments of a call, each a single word, swapped."""
    if i + 4 >= len(tokens) or not ((i > 1 and tokens[i - 2].kind == "operator") or tokens[i - 2].text in KEYWORDS):
        return
    if tokens[i - 2].text in ("*", "}", ";") and text[tokens[i - 2].end : tokens[i - 1].start] == "":
        return  # a declaration that returns a pointer
    first, comma, second, last = tokens[i + 1 : i + 5]
    plain = comma.text == "," and last.text in (",", ")") and {first.kind, second.kind} <= {"name", "number"}
    if plain and first.text != second.text:
        yield Edit("swapped arguments", first.start, second.end, f"{second.text}, {first.text}")


def next_number(text: str) -> str:
    """An integer plus one, or a number whose last digit is another."""
    if match := re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", text):
        return f"{int(match[1], 0) + 1}{match[2]}"
    match = re.match(r"0[xX][0-9a-fA-F.]*|[\d.]*", text)
    assert match is not None
    digits = match[0]
    last = max(
        k for k, digit in enumerate(digits) if digit not in ".xX" and (digit != "0" or k == 0 or len(digits) < 4)
    )
    base = 16 if digits[:2].lower() == "0x" else 10
    other = "0123456789abcdef"[(int(digits[last], 16) + 1) % base]
    return text[:last] + other + text[last + 1 :]


# Python

AST_OPERATORS: dict[type[ast.AST], str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"},
    **{ast.BitAnd: "&", ast.BitOr: "|", ast.LShift: "<<", ast.RShift: ">>"},
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.And: "and", ast.Or: "or"},
}


class PythonEdits(ast.NodeVisitor):
    """Collects the changes of a file of Python."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [0]
        for line in text.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.edits: list[Edit] = []
        self.inside = 0  # functions

    def span(self, node: ast.expr) -> tuple[int, int]:
        """From where to where an expression extends; its columns count bytes."""

        def place(line: int, column: int) -> int:
            start = self.lines[line - 1]
            row = self.text[start : self.lines[line]]
            return start + len(row.encode()[:column].decode())

        return place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)

    def between(self, left: ast.expr, right: ast.expr, operator: ast.AST, kinds: dict[str, dict[str, str]]) -> None:
        """An operator between two operands becomes another one."""
        symbol = AST_OPERATORS.get(type(operator), "")
        start, end = self.span(left)[1], self.span(right)[0]
        words = re.escape(symbol).replace("\\ ", r"\s+")
        match = re.search(rf"(?<![\w<>=!*/]){words}(?![\w<>=*/])", self.text[start:end]) if symbol else None
        for kind, swaps in kinds.items():
            if match and symbol in swaps:
                self.edits.append(Edit(kind, start + match.start(), start + match.end(), swaps[symbol]))

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Signs and operators, but not of texts and types."""
        texts = any(isinstance(side, ast.JoinedStr) or is_text(side) for side in (node.left, node.right))
        types = isinstance(node.op, ast.BitOr) and not self.inside
        if not texts and not types:
            self.between(node.left, node.right, node.op, {"sign": SIGNS, "operator": OPERATORS})
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Comparisons and bounds."""
        for left, right, operator in zip([node.left, *node.comparators], node.comparators, node.ops, strict=False):
            self.between(left, right, operator, {"bound": BOUNDS, "comparison": COMPARISONS})
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """`and`, `or`."""
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between(left, right, node.op, {"connective": CONNECTIVES})
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Signs and negations dropped."""
        start, operand = self.span(node)[0], self.span(node.operand)[0]
        if isinstance(node.op, ast.USub | ast.Not):
            kind = "sign" if isinstance(node.op, ast.USub) else "negation"
            dropped = re.match(r"-\s*|not\s+|not", self.text[start:operand])
            if dropped:
                self.edits.append(Edit(kind, start, start + dropped.end(), ""))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Numbers and truth values."""
        start, end = self.span(node)
        if isinstance(node.value, bool):
            self.edits.append(Edit("constant", start, end, LITERALS[str(node.value)]))
        elif isinstance(node.value, int | float):
            self.edits.append(Edit("constant", start, end, next_number(self.text[start:end].replace("_", ""))))

    def visit_If(self, node: ast.If) -> None:
        """Conditions that never hold."""
        start, end = self.span(node.test)
        if self.text[start:end] != "TYPE_CHECKING":
            self.edits.append(Edit("removed check", start, end, "False"))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """The first two arguments swapped; ranges that end one earlier."""
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if len(node.args) > 1 and name not in SYMMETRIC:
            first, second = self.span(node.args[0]), self.span(node.args[1])
            one, other = self.text[slice(*first)], self.text[slice(*second)]
            plain = not any(isinstance(node, ast.Starred | ast.JoinedStr) or is_text(node) for node in node.args[:2])
            if plain and one != other:
                between = self.text[first[1] : second[0]]
                self.edits.append(Edit("swapped arguments", first[0], second[1], other + between + one))
        if name == "range":
            start, end = self.span(node.args[min(1, len(node.args) - 1)])
            self.edits.append(Edit("off by one", start, end, f"({self.text[start:end]}) - 1"))
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        """Slices that end one later."""
        if node.upper is not None and not isinstance(node.upper, ast.Constant):
            start, end = self.span(node.upper)
            self.edits.append(Edit("off by one", start, end, f"({self.text[start:end]}) + 1"))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function without its annotations."""
        for part in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(part)
        self.inside += 1
        for statement in node.body:
            self.visit(statement)
        self.inside -= 1

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """The value alone."""
        if node.value is not None:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Nothing within f-strings."""


def is_text(node: ast.expr) -> bool:
    """Whether an expression is a literal text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def python_edits(text: str) -> list[Edit]:
    """The changes of a file of Python."""
    found = PythonEdits(text)
    found.visit(ast.parse(text))
    return found.edits


# The plan


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """How many of `count` each folder gets: as the square root of its size, the largest remainders first."""
    total = sum(math.sqrt(size) for size in sizes.values())
    exact = {name: count * math.sqrt(size) / total for name, size in sizes.items()}
    found = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: found[name] - exact[name])[: count - sum(found.values())]:
        found[name] += 1
    return found


def drawn(candidates: list[Place], generator: random.Random) -> Iterator[Place]:
    """The places in random order: a file, a kind and a place of it, each line once."""
    left: dict[str, dict[str, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for place in candidates:
        left[place.path][place.kind].append(place)
    seen = set()
    while left:
        path = generator.choice(sorted(left))
        kind = generator.choice(sorted(left[path]))
        options = left[path][kind]
        place = options.pop(generator.randrange(len(options)))
        if not options:
            del left[path][kind]
        if not left[path]:
            del left[path]
        if (path, place.line) not in seen:
            seen.add((path, place.line))
            yield place


def plan(found: Iterable[Place], count: int, seed: int) -> dict[tuple[str, str], tuple[int, Iterator[Place]]]:
    """For every language and folder: how many places, and all of them in random order, should some not compile.

    Tables of coefficients do not count for the size of a folder.
    """
    planned = {}
    by_folder: dict[str, dict[str, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for place in found:
        by_folder[place.language][place.folder].append(place)
    for language, share in SHARES.items():
        folders = by_folder[language]
        sizes = {name: sum("coefficients" not in place.path for place in each) for name, each in folders.items()}
        wanted = shares(sizes, round(share * count / 200))
        for name, each in folders.items():
            generator = random.Random(f"{seed} {language} {name}")
            planned[language, name] = wanted[name], drawn(each, generator)
    return planned
