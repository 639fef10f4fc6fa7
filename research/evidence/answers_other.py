"""How often a model that learned from drawn scenes is sure of photographs of clothes, of which it knows nothing.

    python -m research.evidence.answers_other --model DIR --out FILE

Five questions of each photograph of the shipped run. No photograph shows a cube, a ball or a ring as the scenes do, so
that each answer but "none", "no" and "0" is wrong. Counted are answers that pass the bar of the model's card alone, and
those of images that also pass its likeness; and, as a check, drawn scenes that pass it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from core.files import ASSETS, default_cache
from core.statistics.intervals import wilson
from core.store import load
from core.systems.common.run_pictures import pictures_of
from core.systems.vl_t5.ask import NOT_SURE, answer_each, count_sure_answers, mean_cells, read_cells, with_prefix
from core.systems.vl_t5.caution import caution_of
from core.systems.vl_t5.folder import read_describer
from research.evidence.lines import append_line

QUESTIONS = {
    "what colour is the cube ?": "none",
    "what shape is the red thing ?": "",
    "what is the large thing ?": "",
    "how many balls are there ?": "0",
    "is there a red ring ?": "no",
}
"""Each with its right answer; "" where every answer is wrong."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    describer = read_describer(given.model)
    caution = caution_of(given.model)
    diagnosis = load(ASSETS / "examples" / "clothing" / "run.errata")
    cells, grid = read_cells(diagnosis, pictures_of(diagnosis, None), "embedded", default_cache())
    assert caution.likeness is not None
    alike = caution.likeness.alike(mean_cells(cells))
    for question, right in QUESTIONS.items():
        said = answer_each(describer, cells, grid, with_prefix(question))
        line: dict[str, object] = {"what": "other", "question": question, "n": len(said), "alike": int(alike.sum())}
        for name, unlike in (("bar", None), ("bar and likeness", ~alike)):
            answers = np.array(count_sure_answers(said, caution.bar_for(question), unlike))
            sure = answers != NOT_SURE
            wrong = wilson(int((sure & (answers != right)).sum()), len(said))
            line[name] = [int(sure.sum()), round(wrong.value, 4), round(wrong.low, 4), round(wrong.high, 4)]
        append_line(given.out, line)
        print(line, flush=True)


if __name__ == "__main__":
    main()
