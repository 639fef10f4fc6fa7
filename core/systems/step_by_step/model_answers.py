"""What a large language model wrote when it was asked for a reason and a label, taken apart as the code of "Distilling
step-by-step" takes it apart (google-research/distilling-step-by-step, data_utils.py).

Departures: an output that cannot be taken apart gives ("", ""), where that code gives blanks or raises; blanks around
labels go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.errors import InvalidInput

Parser = Callable[[str], tuple[str, str]]
"""From an output to (reason, label); "" for what is not there."""
MODELS = ("palm", "gpt")
"""PaLM and GPT-NeoX."""


def cqa_answer(output: str) -> tuple[str, str]:
    """ "REASON So the answer is (b) house." of CommonsenseQA."""
    reason, label = _halves(output.split("Q:")[0], "So the answer is")
    parts = re.split(r"\(.\)", label)
    return reason, parts[1].strip().removesuffix(".") if len(parts) > 1 else ""


def equation_answer(output: str) -> tuple[str, str]:
    """ "REASON The answer is (8 - 3)." of SVAMP: the label reaches from the first bracket to the last."""
    reason, label = _halves(output.split("Q:")[0], "The answer is")
    found = re.search(r"\(.*\)", label)
    return reason, found[0] if found else ""


def esnli_answer(output: str) -> tuple[str, str]:
    """ "REASON Answer: neutral" of e-SNLI."""
    parts = output.split("Answer: ")
    return output.split("Answer:")[0].strip(), parts[1].split("Premise")[0].strip() if len(parts) > 1 else ""


def anli_answer(output: str) -> tuple[str, str]:
    """ "REASON So the answer is neutral." of ANLI; the label's last sign, its full stop, goes."""
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
        InvalidInput: there are no such files, or one is no list of texts.
    """
    if model == "gpt":
        paths = [folder / "gpt-neox" / name / f"{part}.json"]
    else:
        paths = sorted((folder / name / "llm").glob(f"{part}_CoT_*.json"), key=_number)
    if not paths:
        raise InvalidInput(f"{folder / name / 'llm'} holds no {part}_CoT_0.json. Give the folder `datasets`.")
    found: list[tuple[str, str]] = []
    for place, path in enumerate(paths):
        if model != "gpt" and _number(path) != place:
            raise InvalidInput(f"{path.parent} lacks {part}_CoT_{place}.json, so rows would be mixed up.")
        outputs: Any = read_json(path)
        if not isinstance(outputs, list) or not all(isinstance(one, str) for one in outputs):
            raise InvalidInput(f"{path.name} must be a list of texts.")
        found += [PARSERS[name](output) for output in outputs]
    return found


def _number(path: Path) -> int:
    digits = path.stem.rpartition("_")[2]
    return int(digits) if digits.isdecimal() else -1


def _halves(text: str, marker: str) -> tuple[str, str]:
    """What stands before and after the marker; ("", "") unless it occurs once."""
    parts = text.strip().split(marker)
    return (parts[0].strip(), parts[1].strip()) if len(parts) == 2 else ("", "")
