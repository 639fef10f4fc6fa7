"""The released files of texts with people's reasons, read unchanged, gzipped or not: e-SNLI, and CommonsenseQA with
CoS-E."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.documents import json_lines
from core.errors import InvalidInput
from core.systems.step_by_step.datasets_folder import NLI, choices_text, pair_text, read_datasets
from core.systems.step_by_step.rationales import RationaleSet, gather
from core.systems.step_by_step.released_files import lines_of, text_of

PEOPLES = {"esnli": ("train", "dev", "test"), "cqa": ("train", "dev")}
"""Parts of the authors' own files."""
RELEASED = ("esnli", "cqa", "svamp", "anli1")
"""What `read_released` reads."""


def read_esnli(folder: Path, part: str, explanation: int = 1) -> RationaleSet:
    """e-SNLI (Camburu et al., NeurIPS 2018): premise and hypothesis, label, and one of three people's reasons.

    Args:
        folder: with s1.PART, s2.PART, labels.PART and preproc1_expl_1.PART to _3.
        part: "train", "dev" or "test".

    Raises:
        InvalidInput: a file is missing, they differ in length, or a label is none of the three.
    """
    files = ("s1", "s2", "labels", f"preproc1_expl_{explanation}")
    premises, hypotheses, labels, reasons = (lines_of(folder / f"{name}.{part}") for name in files)
    lengths = {name: len(lines) for name, lines in zip(files, (premises, hypotheses, labels, reasons))}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise InvalidInput(f"e-SNLI {part}: the files must have as many lines each: got {said}. Fetch them again.")
    texts = [pair_text(one, other) for one, other in zip(premises, hypotheses)]
    stripped = ([cell.strip() for cell in column] for column in (labels, reasons))
    return gather(f"e-SNLI {part}", texts, *stripped, classes=NLI)


def read_cqa(questions: Path, explanations: Path) -> RationaleSet:
    """CommonsenseQA (Talmor et al., NAACL 2019) with the reasons of CoS-E (Rajani et al., ACL 2019), joined by id; the
    answer is a choice's text.

    Questions without reasons stay, with "".

    Raises:
        InvalidInput: a line has no such fields, or no question has a reason.
    """
    reasons: dict[str, str] = {}
    for row in _rows(explanations):
        said = row.get("explanation")
        if not isinstance(said, dict) or not isinstance(said.get("open-ended"), str):
            raise InvalidInput(f"{explanations.name}: {str(row['id'])[:60]!r} has no open-ended explanation.")
        reasons[str(row["id"])] = said["open-ended"]
    texts = list[str]()
    labels = list[str]()
    found = list[str]()
    for number, row in enumerate(_rows(questions)):
        try:
            choices = {str(c["label"]): str(c["text"]) for c in row["question"]["choices"]}
            texts.append(choices_text(str(row["question"]["stem"]), list(choices.values())))
            labels.append(choices[str(row["answerKey"])])
            found.append(reasons.get(str(row["id"]), "").strip())
        except (KeyError, TypeError):
            raise InvalidInput(
                f"{questions.name}, line {number + 1}: no question of CommonsenseQA with id, answerKey and choices."
            ) from None
    return gather(f"CommonsenseQA, {questions.name}", texts, labels, found, classes=None, what="open-ended")


def read_released(name: str, folder: Path, part: str, model: str | None = None) -> RationaleSet:
    """A part of released data with its reasons: people's of the authors' own files, or a large model's of the folder
    `datasets` that comes with the code of "Distilling step-by-step" (`core.systems.step_by_step.datasets_folder`).

    Args:
        name: "esnli" (people's reasons as of `read_esnli`), "cqa" (people's; the folder holds
            v1.0_PART_rand_split.jsonl and v1.0_cose_PART_v1.0.jsonl), "svamp" or "anli1". The folder is `datasets`
            where it holds a folder of that name; of svamp and anli1 it must be.
        part: as the files call it.
        model: whose labels are taught, "palm" or "gpt"; None teaches those of the data.

    Raises:
        InvalidInput: a file is missing or odd, or there is no such part.
    """
    if (folder / name).is_dir() or name not in PEOPLES:
        return read_datasets(name, folder, part, model)
    if part not in PEOPLES[name]:
        raise InvalidInput(f"{name} has the parts {', '.join(PEOPLES[name])}: got {part[:40]!r}.")
    if model is not None:
        raise InvalidInput(
            f"{folder} holds people's reasons for {name} and no large model's labels. Leave --large-model out, or give "
            "the folder `datasets` of the released code."
        )
    if name == "esnli":
        return read_esnli(folder, part)
    return read_cqa(folder / f"v1.0_{part}_rand_split.jsonl", folder / f"v1.0_cose_{part}_v1.0.jsonl")


def _rows(path: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for at, row in json_lines(text_of(path), path.name):
        if not isinstance(row, dict) or "id" not in row:
            raise InvalidInput(f"{at}: an object with an id is needed.")
        rows.append(row)
    return rows
