"""Read released files of texts with people's reasons, unchanged, gzipped or not: e-SNLI, and CommonsenseQA with
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
"""Data sets of `read_released`."""


def read_esnli(folder: Path, part: str, explanation: int = 1) -> RationaleSet:
    """e-SNLI (Camburu et al., NeurIPS 2018): premise and hypothesis, label, and one of three people's reasons.

    Args:
        folder: with s1.PART, s2.PART, labels.PART and preproc1_expl_1.PART to _3.
        part: "train", "dev" or "test".

    Raises:
        InvalidInput: a file is missing, the files differ in length, or a label is not one of the three.
    """
    files = ("s1", "s2", "labels", f"preproc1_expl_{explanation}")
    premises, hypotheses, labels, reasons = (lines_of(folder / f"{name}.{part}") for name in files)
    lengths = {name: len(lines) for name, lines in zip(files, (premises, hypotheses, labels, reasons))}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise InvalidInput(f"e-SNLI {part}: the files must have equally many lines: got {counts}. Download them again.")
    texts = [pair_text(premise, hypothesis) for premise, hypothesis in zip(premises, hypotheses)]
    labels = [cell.strip() for cell in labels]
    reasons = [cell.strip() for cell in reasons]
    return gather(f"e-SNLI {part}", texts, labels, reasons, classes=NLI)


def read_cqa(questions: Path, explanations: Path) -> RationaleSet:
    """CommonsenseQA (Talmor et al., NAACL 2019) with the reasons of CoS-E (Rajani et al., ACL 2019), joined by id; the
    answer is a choice's text.

    Questions without reasons stay, with "".

    Raises:
        InvalidInput: a line lacks these fields, or no question has a reason.
    """
    reason_of: dict[str, str] = {}
    for row in _rows(explanations):
        explanation = row.get("explanation")
        if not isinstance(explanation, dict) or not isinstance(explanation.get("open-ended"), str):
            raise InvalidInput(
                f"{explanations.name}: {str(row['id'])[:60]!r} has no open-ended explanation. Use the published file."
            )
        reason_of[str(row["id"])] = explanation["open-ended"]
    texts = list[str]()
    labels = list[str]()
    reasons = list[str]()
    for number, row in enumerate(_rows(questions)):
        try:
            choices = {str(c["label"]): str(c["text"]) for c in row["question"]["choices"]}
            texts.append(choices_text(str(row["question"]["stem"]), list(choices.values())))
            labels.append(choices[str(row["answerKey"])])
            reasons.append(reason_of.get(str(row["id"]), "").strip())
        except (KeyError, TypeError):
            raise InvalidInput(
                f"{questions.name}, line {number + 1}: not a CommonsenseQA question with id, answerKey and choices. "
                "Use the published file."
            ) from None
    return gather(f"CommonsenseQA, {questions.name}", texts, labels, reasons, classes=None, what="open-ended")


def read_released(name: str, folder: Path, part: str, model: str | None = None) -> RationaleSet:
    """Read a part of released data with its reasons: people's from the authors' files, or a large model's from the
    folder `datasets` of the code of "Distilling step-by-step" (`core.systems.step_by_step.datasets_folder`).

    Args:
        name: "esnli" (people's reasons as of `read_esnli`), "cqa" (people's; the folder holds
            v1.0_PART_rand_split.jsonl and v1.0_cose_PART_v1.0.jsonl), "svamp" or "anli1". A folder with a folder of
            that name counts as `datasets`, which svamp and anli1 require.
        part: in the words of the files.
        model: "palm" or "gpt", whose labels a student learns; None for the labels of the data.

    Raises:
        InvalidInput: a file is missing or malformed, or the part does not exist.
    """
    if (folder / name).is_dir() or name not in PEOPLES:
        return read_datasets(name, folder, part, model)
    if part not in PEOPLES[name]:
        raise InvalidInput(f"{name} has the parts {', '.join(PEOPLES[name])}: got {part[:40]!r}. Use one.")
    if model is not None:
        raise InvalidInput(
            f"{folder} holds people's reasons for {name}, but no large model's labels. Remove --large-model, or use "
            "the folder `datasets` of the released code."
        )
    if name == "esnli":
        return read_esnli(folder, part)
    return read_cqa(folder / f"v1.0_{part}_rand_split.jsonl", folder / f"v1.0_cose_{part}_v1.0.jsonl")


def _rows(path: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for at, row in json_lines(text_of(path), path.name):
        if not isinstance(row, dict) or "id" not in row:
            raise InvalidInput(f"{at}: not an object with an id. Use the published file.")
        rows.append(row)
    return rows
