"""Formulas as MathML, which browsers draw themselves: no script, no font and no network."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

BRACE = '<mo stretchy="true" fence="true" form="prefix">&#x0007B;</mo><mtable>'


def converted(formula: str, display: str) -> str:
    """The MathML of a formula; cases have a bar of the style sheet in place of a brace."""
    return str(convert(formula, display=display)).replace(BRACE, '<mtable class="cases">')


def visit_inline(self: Any, node: nodes.math) -> None:
    """A formula within a line."""
    self.body.append(converted(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """A formula by itself, which scrolls where it is wider than the page."""
    self.body.append(f'<div class="formula">{converted(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
