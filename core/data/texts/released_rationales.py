"""The released files of texts with reasons, read unchanged, gzipped or not: e-SNLI, CommonsenseQA with CoS-E, SVAMP and
ASDiv-A.

Texts are put together as in the code of "Distilling step-by-step" (google-research/distilling-step-by-step).
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.data.texts.equations import prefix_to_infix
from core.data.texts.model_answers import read_answers
from core.data.texts.rationales import RationaleSet, gather
from core.documents import json_lines, parse_json
from core.errors import InvalidInput
from core.limits import Limits

NLI = ("entailment", "neutral", "contradiction")
SEPARATOR = "</s>"
"""Between premise and hypothesis: the end sign of T5, as in the released code."""
LETTERS = "abcde"
SVAMP_TRAIN = 800
RELEASED = {"esnli": ("train", "dev", "test"), "cqa": ("train", "dev"), "svamp": ("train", "test")}
"""Parts of each data set that `read_released` reads."""


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
    texts = [f"{one.strip()}{SEPARATOR}{other.strip()}" for one, other in zip(premises, hypotheses)]
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
    texts, labels, found = list[str](), list[str](), list[str]()
    for number, row in enumerate(_rows(questions)):
        try:
            choices = {str(c["label"]): str(c["text"]) for c in row["question"]["choices"]}
            listed = "\n".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices.values()))
            texts.append(f"{row['question']['stem']}\nAnswer Choices:\n{listed}")
            labels.append(choices[str(row["answerKey"])])
            found.append(reasons.get(str(row["id"]), "").strip())
        except (KeyError, TypeError):
            raise InvalidInput(
                f"{questions.name}, line {number + 1}: no question of CommonsenseQA with id, answerKey and choices."
            ) from None
    return gather(f"CommonsenseQA, {questions.name}", texts, labels, found, classes=None, what="open-ended")


def read_svamp(path: Path) -> tuple[list[str], list[str], list[float]]:
    """SVAMP (Patel et al., NAACL 2021): problems, equations such as "( 76.0 - 25.0 )", and answers. It has no reasons.

    Raises:
        InvalidInput: it is no such file.
    """
    problems = parse_json(_text(path), path.name)
    try:
        texts = [f"{row['Body']}\n{row['Question']}" for row in problems]
        return texts, [str(row["Equation"]) for row in problems], [float(row["Answer"]) for row in problems]
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"{path.name} is no SVAMP.json: a list of Body, Question, Equation and Answer.") from None


def read_asdiv(path: Path) -> tuple[list[str], list[str], list[float]]:
    """ASDiv-A (Miao et al., ACL 2020) as SVAMP's authors publish it: problems with their numbers put in, equations
    turned from prefix into SVAMP's form, and answers.

    Raises:
        InvalidInput: it is no such file.
    """
    texts, equations, answers = list[str](), list[str](), list[float]()
    for number, row in enumerate(csv.DictReader(io.StringIO(_text(path)))):
        try:
            numbers, problem = row["Numbers"].split(), row["Question"]
            for place in reversed(range(len(numbers))):  # number10 before number1
                problem = problem.replace(f"number{place}", numbers[place])
            texts.append(problem)
            equations.append(prefix_to_infix(row["Equation"], numbers))
            answers.append(float(row["Answer"]))
        except (KeyError, AttributeError, TypeError, ValueError):
            raise InvalidInput(
                f"{path.name}, row {number + 1}: no problem of ASDiv-A with Question, Numbers, Equation and Answer."
            ) from None
    return texts, equations, answers


def read_released(name: str, folder: Path, part: str) -> RationaleSet:
    """A part of released data with its reasons.

    Args:
        name: "esnli" (people's reasons; as of `read_esnli`), "cqa" (people's; the folder holds
            v1.0_PART_rand_split.jsonl and v1.0_cose_PART_v1.0.jsonl), or "svamp" (a large model's; the folder is
            `datasets` of the released code, and the parts "train" and "test" are its: 800 and 200 rows).

    Raises:
        InvalidInput: a file is missing or odd, or there is no such part.
    """
    if part not in RELEASED[name]:
        raise InvalidInput(f"{name} has the parts {', '.join(RELEASED[name])}: got {part[:40]!r}.")
    if name == "esnli":
        return read_esnli(folder, part)
    if name == "cqa":
        return read_cqa(folder / f"v1.0_{part}_rand_split.jsonl", folder / f"v1.0_cose_{part}_v1.0.jsonl")
    texts, equations, _ = read_svamp(folder / "svamp" / "SVAMP.json")
    order = np.random.RandomState(0).permutation(len(texts))  # as the released code draws it
    rows = (order[:SVAMP_TRAIN] if part == "train" else order[SVAMP_TRAIN:]).tolist()
    answers = read_answers(folder, "svamp", part)
    if len(answers) != len(rows):
        raise InvalidInput(
            f"svamp {part} has {len(rows):,} rows and {len(answers):,} answers: they do not belong together."
        )
    reasons = [reason for reason, _ in answers]
    return gather(f"SVAMP {part}", [texts[i] for i in rows], [equations[i] for i in rows], reasons, classes=None)


def lines_of(path: Path) -> list[str]:
    """The lines of a text file; the last may end without a line break.

    Raises:
        InvalidInput: there is no such file, or it is no UTF-8.
    """
    lines = _text(path).replace("\r\n", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _rows(path: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for at, row in json_lines(_text(path), path.name):
        if not isinstance(row, dict) or "id" not in row:
            raise InvalidInput(f"{at}: an object with an id is needed.")
        rows.append(row)
    return rows


def _text(path: Path) -> str:
    """The file's text; of one that is not there, that of its gzipped copy."""
    most = Limits().max_document_bytes
    zipped = path.with_name(f"{path.name}.gz")
    try:
        if path.suffix != ".gz" and (path.is_file() or not zipped.is_file()):
            with path.open("rb") as file:
                content = file.read(most + 1)
        else:
            with gzip.open(path if path.suffix == ".gz" else zipped) as file:
                content = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) > most:
        raise InvalidInput(f"{path.name} holds more than {most:,} bytes of text. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text (byte {error.start:,}). Fetch it again.") from None
