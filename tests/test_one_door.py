"""Every file that may have been received is opened by one door, `core/received.py`, and read by the three that stand
behind it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scripts.structure import modules

DOOR = {"core.received", "core.documents", "core.arrays", "core.encoders.weights"}
SHIPS, WRITES, TABLES = (
    "reads what ships with Errata",
    "opens to write or to lock",
    "reads a table within its own bounds",
)
SAID, OWN = "reads what a browser said, at most 1 MiB", "reads back what this process has just made"
ELSEWHERE = {
    "core.encoders.embedded.alignment": SHIPS,
    "core.encoders.embedded.caption_part": SHIPS, "core.encoders.embedded.checkpoint": SHIPS,
    "core.encoders.embedded.encoder": SHIPS, "core.encoders.embedded.weights": SHIPS, "core.language.prompts": SHIPS,
    "core.systems.common.class_descriptions": SHIPS,
    "core.systems.composition.training.reference_tasks": SHIPS,
    "core.systems.probes.zero_shot.prompt_texts": SHIPS, "webapp.explore.static_page": SHIPS,
    "webapp.markup.components": SHIPS, "webapp.server.headers": SHIPS, "webapp.theme": SHIPS,
    "core.files": WRITES, "core.store.write": WRITES,
    "core.systems.neuralizer.corrections.altered": WRITES, "core.systems.neuralizer.corrections.rewrite_clips": WRITES,
    "webapp.systems.composition.train": WRITES,
    "core.data.tables.cells": TABLES, "core.data.tables.delimited": TABLES,
    "core.data.images.zips": "is given the weighed zip of core.received",
    "core.cli.output": OWN, "core.systems.common.checkpoints": OWN, "core.systems.step_by_step.student_folder": OWN,
    "core.systems.vl_t5.folder": OWN, "core.systems.common.half_precision": "reads /proc/cpuinfo",
    "webapp.data.draft": SAID, "webapp.data.forgetting": SAID, "webapp.server.arguments": SAID,
    "webapp.state.filters": SAID, "webapp.server.uploads": "reads the server's own answer",
}  # fmt: skip
"""Who else has such a call, and why."""
LOADERS = (
    r"(open|load_file|safe_open|json\.loads?|np\.(load|memmap|fromfile|genfromtxt|loadtxt)|torch\.load|pickle\.loads?"
    r"|(gzip|os|io|av|Image|tarfile)\.open|io\.FileIO|(zipfile\.)?ZipFile|.*\.(load_file|safe_open))"
)
PATHS = r".*\.(read_text|read_bytes|open)"
IN_MEMORY = r"(io\.BytesIO\(.*|memory)"


def opened_in(text: str) -> list[str]:
    """The calls in a file of that text by which a file is opened or its bytes are turned into values."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            called, first = ast.unparse(node.func), node.args[0] if node.args else None
            said = "" if first is None else ast.unparse(first)  # how it is read; of a member of an archive, which one
            of_path = not said or re.fullmatch("'[rbt]+'" if called.endswith("open") else "'.*'", said)
            is_loader = re.fullmatch(LOADERS, called) and not re.fullmatch(IN_MEMORY, said)
            if is_loader or (of_path and re.fullmatch(PATHS, called)):
                found.append(ast.unparse(node))
    return found


def test_what_is_received_is_opened_by_the_one_door(repository: Path) -> None:
    found = {name for name, path in modules(repository).items() if opened_in(path.read_text("utf-8"))}
    assert found - DOOR == set(ELSEWHERE)


@pytest.mark.parametrize(
    ("call", "is_one"),
    [
        ("(folder / 'state.json').read_text('utf-8')", True),
        ("path.read_bytes()", True),
        ("path.open('rb')", True),
        ("open(path)", True),
        ("json.loads(data)", True),
        ("np.load(path)", True),
        ("torch.load(path, weights_only=True)", True),
        ("safetensors.torch.load_file(path)", True),
        ("import_module('safetensors.torch').load_file(path)", True),
        ("Image.open(path)", True),
        ("Image.open(io.BytesIO(data))", False),
        ("archive.open(member)", False),
        ("network.read_text(ids, seen)", False),
        ("read_text(path)", False),
    ],
)
def test_a_call_that_opens_a_file_is_noticed(call: str, is_one: bool) -> None:
    assert bool(opened_in(f"x = {call}")) == is_one
