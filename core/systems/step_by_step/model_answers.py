"""Parse a large language model's output into reason and label, as the code of "Distilling step-by-step" does
(google-research/distilling-step-by-step, data_utils.py).

Departures: an output that cannot be parsed gives ("", ""), where that code gives blanks or raises; blanks around labels
are stripped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.errors import InvalidInput

Parser = Callable[[str], tuple[str, str]]
"""From an output to (reason, label); "" for a missing one."""
MODELS = ("palm", "gpt")
"""PaLM and GPT-NeoX."""


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


PARSERS: dict[str, Parser] = {"cqa": cqa_answer, "svamp": equation_answer, "esnli": esnli_answer, "anli1": anli_answer}


def read_answers(folder: Path, name: str, part: str, model: str = "palm") -> list[tuple[str, str]]:
    """(reason, label) of each row of a data set's part, from the files of the released `datasets` folder.

    Args:
        folder: with NAME/llm/PART_CoT_0.json, _1, ... ("palm"), or gpt-neox/NAME/PART.json ("gpt").
        name: one of PARSERS.

    Raises:
        InvalidInput: a file is missing, or is not a list of texts.
    """
    if model == "gpt":
        paths = [folder / "gpt-neox" / name / f"{part}.json"]
    else:
        paths = sorted((folder / name / "llm").glob(f"{part}_CoT_*.json"), key=_number)
    if not paths:
        raise InvalidInput(f"{folder / name / 'llm'} has no {part}_CoT_0.json. Use the folder `datasets`.")
    answers: list[tuple[str, str]] = []
    for index, path in enumerate(paths):
        if model != "gpt" and _number(path) != index:
            raise InvalidInput(
                f"{path.parent} lacks {part}_CoT_{index}.json, so rows would be mixed up. Download the folder again."
            )
        outputs: Any = read_json(path)
        if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
            raise InvalidInput(f"{path.name} is not a list of texts. Use the published file.")
        answers += [PARSERS[name](output) for output in outputs]
    return answers


def _number(path: Path) -> int:
    digits = path.stem.rpartition("_")[2]
    return int(digits) if digits.isdecimal() else -1


def _halves(text: str, marker: str) -> tuple[str, str]:
    """The text before and after the marker; ("", "") unless it occurs exactly once."""
    parts = text.strip().split(marker)
    if len(parts) != 2:
        return "", ""
    return parts[0].strip(), parts[1].strip()
