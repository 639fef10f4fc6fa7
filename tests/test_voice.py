"""What Errata says to a user keeps to the words of CONTRIBUTING."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

NEVER = re.compile(
    r"(?<![Tt]here )\b(?:is|are) (?:no|none)\b(?! (?:longer|more|less|better|larger|smaller|higher))"
    r"|\banew\b|\bmend|\bso many\b|\bfailure clusters?\b|\bfail(?:s|ing)? as a whole\b"
)
"""Words that no message uses; docstrings and data (phrases, captions) are not messages."""
DATA = ("core/language/", "core/systems/vl_t5/known_answers", "core/systems/composition/captions/")


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of every string with a space, without docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docs:
            continue
        if " " in node.value.strip():
            yield node.lineno, node.value


@pytest.mark.parametrize("room", ["core", "webapp"])
def test_no_message_uses_a_word_that_readers_stumble_on(room: str, repository: Path) -> None:
    stumbles = []
    for path in sorted((repository / room).rglob("*.py")):
        name = path.relative_to(repository).as_posix()
        if name.startswith(DATA):
            continue
        for line, text in messages(ast.parse(path.read_text("utf-8"))):
            for match in NEVER.finditer(text):
                stumbles.append(
                    f"{name}:{line}: {match.group()}: {text[max(0, match.start() - 30) : match.end() + 30]!r}"
                )
    assert not stumbles, "\n".join(stumbles)
