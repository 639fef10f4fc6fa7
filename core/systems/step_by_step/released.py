"""Released data of "Distilling step-by-step", unchanged, gzipped or not: people's reasons of e-SNLI, and of
CommonsenseQA with CoS-E; and the folder `datasets` of its code (google-research/distilling-step-by-step).

In that folder NAME/NAME_PART.json has a JSON object a line; NAME/llm/PART_CoT_i.json and gpt-neox/NAME/PART.json have
the outputs of PaLM and GPT-NeoX in the same order. Texts are joined, and outputs parsed, as in that code.
Departures: an output that cannot be parsed gives ("", ""), where that code gives blanks or raises; blanks around labels
are stripped.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import json_lines, parse_json, read_json
from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain
from core.systems.step_by_step.rationales import RationaleSet, gather

NLI = ("entailment", "neutral", "contradiction")
"""In the order of their numbers."""
SEPARATOR = "</s>"
"""Between premise and hypothesis: the end sign of T5, as in the released code."""
LETTERS = "abcde"
SVAMP_TRAINING_ROWS = 800
MODELS = ("palm", "gpt")
"""PaLM and GPT-NeoX."""
PEOPLES = {"esnli": ("train", "dev", "test"), "cqa": ("train", "dev")}
"""Parts of the authors' own files."""
RELEASED = ("esnli", "cqa", "svamp", "anli1")
"""Data sets of `read_released`."""


def read_released(name: str, folder: Path, part: str, model: str | None = None) -> RationaleSet:
    """Read a part of released data with its reasons: people's from the authors' files, or a large model's from the
    folder `datasets`.

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


def read_esnli(folder: Path, part: str, explanation: int = 1) -> RationaleSet:
    """e-SNLI (Camburu et al., NeurIPS 2018): premise and hypothesis, label, and one of three people's reasons.

    Args:
        folder: with s1.PART, s2.PART, labels.PART and preproc1_expl_1.PART to _3.
        part: "train", "dev" or "test".

    Raises:
        InvalidInput: a file is missing, the files differ in length, or a label is not one of the three.
    """
    columns: dict[str, list[str]] = {}
    for name in ("s1", "s2", "labels", f"preproc1_expl_{explanation}"):
        lines = text_of(folder / f"{name}.{part}").replace("\r\n", "\n").removesuffix("\n").split("\n")
        columns[name] = [line.strip() for line in lines]
    if len({len(lines) for lines in columns.values()}) > 1:
        counts = ", ".join(f"{name} {len(lines):,}" for name, lines in columns.items())
        raise InvalidInput(f"e-SNLI {part}: the files must have equally many lines: got {counts}. Download them again.")
    premises, hypotheses, labels, reasons = columns.values()
    texts = list(map(pair_text, premises, hypotheses))
    return gather(f"e-SNLI {part}", texts, labels, reasons, classes=NLI)


def read_cqa(questions: Path, explanations: Path) -> RationaleSet:
    """CommonsenseQA (Talmor et al., NAACL 2019) with the reasons of CoS-E (Rajani et al., ACL 2019), joined by id; the
    answer is a choice's text.

    Questions without reasons stay, with "".

    Raises:
        InvalidInput: a line lacks these fields, or no question has a reason.
    """
    reason_of: dict[str, str] = {}
    for _, row in _rows_with_id(explanations):
        explanation = row.get("explanation")
        if not isinstance(explanation, dict) or not isinstance(explanation.get("open-ended"), str):
            raise InvalidInput(
                f"{explanations.name}: {str(row['id'])[:60]!r} has no open-ended explanation. Use the published file."
            )
        reason_of[str(row["id"])] = explanation["open-ended"]
    texts: list[str] = []
    labels: list[str] = []
    reasons: list[str] = []
    for at, row in _rows_with_id(questions):
        try:
            choices = {str(c["label"]): str(c["text"]) for c in row["question"]["choices"]}
            texts.append(choices_text(str(row["question"]["stem"]), list(choices.values())))
            labels.append(choices[str(row["answerKey"])])
        except (KeyError, TypeError):
            raise InvalidInput(
                f"{at}: not a CommonsenseQA question with id, answerKey and choices. Use the published file."
            ) from None
        reasons.append(reason_of.get(str(row["id"]), "").strip())
    return gather(f"CommonsenseQA, {questions.name}", texts, labels, reasons, classes=None, what="open-ended")


def _rows_with_id(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for at, row in json_lines(text_of(path), path.name):
        if not isinstance(row, dict) or "id" not in row:
            raise InvalidInput(f"{at}: not an object with an id. Use the published file.")
        rows.append((at, row))
    return rows


def read_datasets(name: str, folder: Path, part: str, model: str | None = None) -> RationaleSet:
    """Read a part of a data set of the folder `datasets` with a large model's reasons: PaLM's if present, else
    GPT-NeoX's.

    Args:
        name: one of RELEASED.
        model: "palm" or "gpt", whose labels and reasons a student learns; None for the labels of the data.

    Raises:
        InvalidInput: a file is missing or malformed, the part or model does not exist, or the outputs belong to other
            rows.
    """
    kind = _KINDS[name]
    if part not in kind.parts:
        raise InvalidInput(
            f"{name} in the folder `datasets` has the parts {', '.join(kind.parts)}: got {part[:40]!r}. Use one."
        )
    if model not in (None, *MODELS):
        raise InvalidInput(
            f"With --released, --large-model must be one of {', '.join(MODELS)}: got {str(model)[:40]!r}."
        )
    texts, labels = _texts_and_labels(name, folder, part)
    source = model
    if source is None:
        source = "palm" if (folder / name / "llm").is_dir() else "gpt"
    answers = read_answers(folder, name, part, source)
    if len(answers) != len(texts):
        raise InvalidInput(f"{name} {part}: {len(answers):,} answers for {len(texts):,} rows. Use one release.")
    taught: list[str] = []
    if model is not None:
        for _, label in answers:
            # an answer that is not a class is skipped and counted like a missing one
            taught.append(label if kind.classes is None or label in kind.classes else "")
    reasons = [reason for reason, _ in answers]
    return gather(f"{name} {part}", texts, labels, reasons, taught=taught, classes=kind.classes)


def _texts_and_labels(name: str, folder: Path, part: str) -> tuple[list[str], list[str]]:
    path = folder / name / f"{name}_{part}.json"
    if name == "svamp" and not path.is_file() and (folder / name / "SVAMP.json").is_file():
        texts, equations, _ = read_svamp(folder / name / "SVAMP.json")
        order = np.random.RandomState(0).permutation(len(texts))  # as the released code draws it
        part_rows = order[:SVAMP_TRAINING_ROWS] if part == "train" else order[SVAMP_TRAINING_ROWS:]
        rows = part_rows.tolist()
        return [texts[i] for i in rows], [equations[i] for i in rows]
    pairs: list[tuple[str, str]] = []
    for at, row in json_lines(text_of(path), path.name):
        try:
            pairs.append(_KINDS[name].pair(row))
        except (KeyError, TypeError, IndexError, AttributeError):
            raise InvalidInput(
                f"{at}: not a row of {name} with {_KINDS[name].fields}. Use the published file."
            ) from None
    return [text for text, _ in pairs], [label for _, label in pairs]


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


def read_answers(folder: Path, name: str, part: str, model: str = "palm") -> list[tuple[str, str]]:
    """(reason, label) of each row of a data set's part, from the outputs of a large model; "" for a missing one.

    Args:
        folder: with NAME/llm/PART_CoT_0.json, _1, ... ("palm"), or gpt-neox/NAME/PART.json ("gpt").
        name: one of RELEASED.

    Raises:
        InvalidInput: a file is missing, or is not a list of texts.
    """
    paths = [folder / "gpt-neox" / name / f"{part}.json"]
    if model != "gpt":
        n_files = len(list((folder / name / "llm").glob(f"{part}_CoT_*.json")))
        if not n_files:
            raise InvalidInput(f"{folder / name / 'llm'} has no {part}_CoT_0.json. Use the folder `datasets`.")
        paths = [folder / name / "llm" / f"{part}_CoT_{i}.json" for i in range(n_files)]
    answers: list[tuple[str, str]] = []
    for path in paths:
        if model != "gpt" and not path.is_file():
            raise InvalidInput(
                f"{path.parent} lacks {path.name}, so rows would be mixed up. Download the folder again."
            )
        outputs: Any = read_json(path)
        if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
            raise InvalidInput(f"{path.name} is not a list of texts. Use the published file.")
        answers += [_KINDS[name].answer(output) for output in outputs]
    return answers


def text_of(path: Path) -> str:
    """The text of a released file, or that of its gzipped copy NAME.gz if the file does not exist.

    Raises:
        InvalidInput: neither exists, or the text is not UTF-8 or too long.
    """
    max_bytes = Limits().max_document_bytes
    source = path
    gzipped = path.with_name(f"{path.name}.gz")
    if path.suffix != ".gz" and not path.is_file() and gzipped.is_file():
        source = gzipped
    try:
        with open_plain(source) as file:
            if source.suffix == ".gz":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    content = unpacked.read(max_bytes + 1)
            else:
                content = file.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{path} cannot be read: {reason}. Check the path.") from None
    if len(content) > max_bytes:
        raise InvalidInput(f"{path.name} has more than {max_bytes:,} bytes of text. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}, byte {error.start:,}: not valid UTF-8. Download it again.") from None


def pair_text(premise: str, hypothesis: str) -> str:
    """Join premise and hypothesis to one text."""
    return f"{premise.strip()}{SEPARATOR}{hypothesis.strip()}"


def choices_text(question: str, choices: Sequence[str]) -> str:
    """List the choices, each after its letter, below the question."""
    listed = "\n".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices))
    return f"{question}\nAnswer Choices:\n{listed}"


def _nli_pair(row: Mapping[str, Any]) -> tuple[str, str]:
    label = row["label"]
    if isinstance(label, int):  # -1 if people did not agree
        label = NLI[label] if label >= 0 else ""
    return pair_text(row["premise"], row["hypothesis"]), label


def cqa_answer(output: str) -> tuple[str, str]:
    """ "REASON So the answer is (b) house." of CommonsenseQA."""
    reason, label = _halves(output.split("Q:")[0], "So the answer is")
    parts = re.split(r"\(.\)", label)
    if len(parts) == 1:
        return reason, ""
    return reason, parts[1].strip().removesuffix(".")


def equation_answer(output: str) -> tuple[str, str]:
    """ "REASON The answer is (8 - 3)." of SVAMP: the label reaches from the first bracket to the last."""
    reason, label = _halves(output.split("Q:")[0], "The answer is")
    equation = re.search(r"\(.*\)", label)
    return reason, equation[0] if equation else ""


def esnli_answer(output: str) -> tuple[str, str]:
    """ "REASON Answer: neutral" of e-SNLI."""
    reason = output.split("Answer:")[0].strip()
    parts = output.split("Answer: ")
    if len(parts) == 1:
        return reason, ""
    return reason, parts[1].split("Premise")[0].strip()


def anli_answer(output: str) -> tuple[str, str]:
    """ "REASON So the answer is neutral." of ANLI; the label's last character, its period, is dropped."""
    text = output.split("Premise:")[0]
    marker = "So the answer is" if text.count("So the answer is") == 1 else "The answer is"
    reason, label = _halves(text, marker)
    return reason, label[:-1]


def _halves(text: str, marker: str) -> tuple[str, str]:
    """The text before and after the marker; ("", "") unless it occurs exactly once."""
    parts = text.strip().split(marker)
    if len(parts) != 2:
        return "", ""
    return parts[0].strip(), parts[1].strip()


@dataclass(frozen=True, slots=True)
class _Kind:
    """A data set of the folder `datasets`."""

    parts: tuple[str, ...]
    fields: str
    pair: Callable[[Mapping[str, Any]], tuple[str, str]]
    """From a row to (text, label)."""
    answer: Callable[[str], tuple[str, str]]
    """From an output to (reason, label)."""
    classes: tuple[str, ...] | None = None


_NLI_FIELDS = "premise, hypothesis and label (0 to 2)"
_KINDS = {
    "esnli": _Kind(("train", "valid", "test"), _NLI_FIELDS, _nli_pair, esnli_answer, NLI),
    "anli1": _Kind(("train", "valid", "test"), _NLI_FIELDS, _nli_pair, anli_answer, NLI),
    "cqa": _Kind(
        ("train", "test"),
        "question, choices and answer",
        lambda row: (choices_text(str(row["question"]), list(map(str, row["choices"]))), str(row["answer"])),
        cqa_answer,
    ),
    "svamp": _Kind(
        ("train", "test"), "input and label", lambda row: (str(row["input"]), str(row["label"])), equation_answer
    ),
}
