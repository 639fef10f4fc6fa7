"""Read the folder `datasets` of the code of "Distilling step-by-step" (google-research/distilling-step-by-step): texts,
labels, and outputs of large models.

NAME/NAME_PART.json has a JSON object a line; NAME/llm/PART_CoT_i.json and gpt-neox/NAME/PART.json have the models'
outputs in the same order. Texts are joined as in that code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import json_lines, parse_json
from core.errors import InvalidInput
from core.systems.step_by_step.model_answers import MODELS, read_answers
from core.systems.step_by_step.rationales import RationaleSet, gather
from core.systems.step_by_step.released_files import text_of

NLI = ("entailment", "neutral", "contradiction")
"""In the order of their numbers."""
SEPARATOR = "</s>"
"""Between premise and hypothesis: the end sign of T5, as in the released code."""
LETTERS = "abcde"
SVAMP_TRAINING_ROWS = 800
PARTS = {
    "esnli": ("train", "valid", "test"),
    "anli1": ("train", "valid", "test"),
    "cqa": ("train", "test"),
    "svamp": ("train", "test"),
}


def read_datasets(name: str, folder: Path, part: str, model: str | None = None) -> RationaleSet:
    """Read a part of a data set with a large model's reasons: PaLM's if present, else GPT-NeoX's.

    Args:
        name: one of PARTS.
        model: "palm" or "gpt", whose labels and reasons a student learns; None for the labels of the data.

    Raises:
        InvalidInput: a file is missing or malformed, the part or model does not exist, or the outputs belong to other
            rows.
    """
    if part not in PARTS[name]:
        raise InvalidInput(
            f"{name} in the folder `datasets` has the parts {', '.join(PARTS[name])}: got {part[:40]!r}. Use one."
        )
    if model not in (None, *MODELS):
        raise InvalidInput(
            f"With --released, --large-model must be one of {', '.join(MODELS)}: got {str(model)[:40]!r}."
        )
    texts, labels = _rows(name, folder, part)
    source = model
    if source is None:
        source = "palm" if (folder / name / "llm").is_dir() else "gpt"
    answers = read_answers(folder, name, part, source)
    if len(answers) != len(texts):
        raise InvalidInput(f"{name} {part}: {len(answers):,} answers for {len(texts):,} rows. Use one release.")
    classes = NLI if name in ("esnli", "anli1") else None
    reasons = [reason for reason, _ in answers]
    taught: list[str] = []
    if model is not None:
        for _, label in answers:
            # an answer that is not a class is skipped and counted like a missing one
            taught.append(label if classes is None or label in classes else "")
    return gather(f"{name} {part}", texts, labels, reasons, taught=taught, classes=classes)


def pair_text(premise: str, hypothesis: str) -> str:
    """Join premise and hypothesis to one text."""
    return f"{premise.strip()}{SEPARATOR}{hypothesis.strip()}"


def choices_text(question: str, choices: Sequence[str]) -> str:
    """List the choices, each after its letter, below the question."""
    listed = "\n".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices))
    return f"{question}\nAnswer Choices:\n{listed}"


def _rows(name: str, folder: Path, part: str) -> tuple[list[str], list[str]]:
    """(texts, labels) in order."""
    path = folder / name / f"{name}_{part}.json"
    if name == "svamp" and not path.is_file() and (folder / name / "SVAMP.json").is_file():
        texts, equations, _ = read_svamp(folder / name / "SVAMP.json")
        order = np.random.RandomState(0).permutation(len(texts))  # as the released code draws it
        part_rows = order[:SVAMP_TRAINING_ROWS] if part == "train" else order[SVAMP_TRAINING_ROWS:]
        rows = part_rows.tolist()
        return [texts[i] for i in rows], [equations[i] for i in rows]
    read_row = _READERS[name]
    pairs = list[tuple[str, str]]()
    for at, row in json_lines(text_of(path), path.name):
        try:
            pairs.append(read_row(row))
        except (KeyError, TypeError, IndexError, AttributeError):
            raise InvalidInput(f"{at}: not a row of {name} with {_FIELDS[name]}. Use the published file.") from None
    return [text for text, _ in pairs], [label for _, label in pairs]


def _nli(row: Mapping[str, Any]) -> tuple[str, str]:
    label = row["label"]
    if isinstance(label, int):  # -1 if people did not agree
        label = NLI[label] if label >= 0 else ""
    return pair_text(row["premise"], row["hypothesis"]), label


def _cqa(row: Mapping[str, Any]) -> tuple[str, str]:
    return choices_text(str(row["question"]), [str(choice) for choice in row["choices"]]), str(row["answer"])


def _svamp(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["input"]), str(row["label"])


_READERS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "esnli": _nli,
    "anli1": _nli,
    "cqa": _cqa,
    "svamp": _svamp,
}
_FIELDS = {
    "esnli": "premise, hypothesis and label (0 to 2)",
    "anli1": "premise, hypothesis and label (0 to 2)",
    "cqa": "question, choices and answer",
    "svamp": "input and label",
}


def read_svamp(path: Path) -> tuple[list[str], list[str], list[float]]:
    """SVAMP (Patel et al., NAACL 2021): problems, equations such as "( 76.0 - 25.0 )", and answers, without reasons.

    Raises:
        InvalidInput: the file has another format.
    """
    problems = parse_json(text_of(path), path.name)
    try:
        texts = [f"{row['Body']}\n{row['Question']}" for row in problems]
        return texts, [str(row["Equation"]) for row in problems], [float(row["Answer"]) for row in problems]
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            f"{path.name} is not a list of Body, Question, Equation and Answer. Use the published SVAMP.json."
        ) from None
