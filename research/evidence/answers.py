"""What a small T5 that sees answers: color, shape, count, thing, existence, place and matching on drawn scenes, one
model for all tasks against one a task; answers that no training showed, written and picked from a list; and captions of
photographs beside retrieved ones.

    python -m research.weights.vl_t5.fit CORPUS --scratch DIR --out DIR/multi
    python -m research.evidence.answers scenes --scratch DIR --model DIR/multi --out FILE
    python -m research.evidence.answers single --scratch DIR --tasks 96000 --out FILE
    python -m research.evidence.answers captions --corpus CORPUS --scratch DIR --model DIR/multi --out FILE
    python -m research.evidence.answers words --corpus CORPUS --out FILE
    python -m research.evidence.answers show --out FILE

Scenes "tune" set the bar for "not sure"; "seen" and "unseen" are reported alone, a task a scene, so that images are
independent. `single` gives a model of one task as many tasks as the model of all had of that kind. `words` gives the
members of a shipped cluster captions at random, without anything to find or with a word that they have more often.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.files import ASSETS
from core.statistics.intervals import wilson
from core.store import load
from core.systems.composition.scenes.shapes import COLOURS, SHAPES, Scene
from core.systems.vl_t5.caution import caution_of
from core.systems.vl_t5.describe import describe_clusters
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.folder import read_describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.tasks import CAPTION, GROUNDING, MATCHING, QUESTION, REGIONS, part_of
from core.systems.vl_t5.vision import VisionSizes, grid_boxes
from research.evidence.answers_captions import captions
from research.evidence.lines import append_line, read_lines
from research.weights.embedded.captioned import read_corpus
from research.weights.vl_t5.fit import LEAST, fit, report, views_of, words_of
from research.weights.vl_t5.fixed_answers import FixedAnswers
from research.weights.vl_t5.material import (
    FIRST,
    FIRST_PART,
    HELD_OUT,
    PHOTO,
    SHARES,
    kept_cells,
    mixed,
    picture_means,
    read_material,
    scene_cells,
    scenes_of,
    tidy,
)
from research.weights.vl_t5.new_model import NewSizes, make_describer
from research.weights.vl_t5.scene_tasks import ABSENT, GRID, KINDS, SceneTasks, lies_on, spoken_of
from research.weights.vl_t5.spoken import Spoken
from research.weights.vl_t5.teach import Teaching, train

ASKED = (*((QUESTION, kind) for kind in KINDS), (GROUNDING, ""), (MATCHING, ""), (REGIONS, ""), (CAPTION, ""))
NOT_THERE = ((QUESTION, f"{ABSENT}colour"), (QUESTION, f"{ABSENT}shape"))
BOX = grid_boxes(GRID, GRID)[None]
HOW = Teaching()
NEW = NewSizes()
TRIES = 6
"""Times that a question is drawn on an unseen scene, to have one about its unseen pair."""
PLANTED = (0.1, 0.2, 0.3)
RUNS = 200
"""Shares of members' captions with the planted word; the first is that of the rest, so that nothing is to find."""
Line = dict[str, Any]
Answers = Callable[[Sequence[str], PictureParts], Sequence[str]]


class Exam:
    """The tasks of a part of the scenes, one a scene and kind.

    Args:
        kept: the scenes as the small copies that a run keeps.
    """

    def __init__(self, part: str, scratch: Path, *, kept: bool = False) -> None:
        self.part = f"{part}, kept copies" if kept else part
        self.scenes = scenes_of(part)
        self.cells = (kept_cells if kept else scene_cells)(part, scratch)
        self.asked = {key: self._tasks(at, *key) for at, key in enumerate((*ASKED, *NOT_THERE))}

    def _tasks(self, at: int, prefix: str, kind: str) -> list[Spoken]:
        tasks = SceneTasks(self.scenes, np.random.default_rng([17, at]))
        if not self.part.startswith("unseen"):
            return tasks.one_each(prefix, kind)
        tries = (one for _ in range(TRIES) for one in tasks.one_each(prefix, kind))
        of_pair = [one for one in tries if _of_pair(one, self.scenes[one.picture])]
        return list({one.picture: one for one in of_pair}.values())

    def parts(self, tasks: Sequence[Spoken], swapped: bool = False) -> PictureParts:
        """The tasks' images, or each the next one's."""
        rows = np.array([task.picture for task in tasks])
        rows = np.roll(rows, 1) if swapped else rows
        return PictureParts(torch.from_numpy(self.cells[rows].astype(np.float32)), BOX)

    def right(self, tasks: Sequence[Spoken], said: Sequence[str]) -> list[bool]:
        """Of each task; a place is right where its cell lies on the thing."""
        return [_is_right(task, text, self.scenes[task.picture]) for task, text in zip(tasks, said, strict=True)]


def _is_right(task: Spoken, text: str, scene: Scene) -> bool:
    if task.prefix == GROUNDING:
        return lies_on(part_of(text, GRID * GRID), spoken_of(task.given, scene.things))
    return text == task.wanted


def _of_pair(task: Spoken, scene: Scene) -> bool:
    """Whether the task is about the pair that no training showed."""
    colour, shape = next((t.colour, t.shape) for t in scene.things if HELD_OUT.shown(t))
    if task.kind in ("colour", "shape"):
        return f" {shape} " in task.given if task.kind == "colour" else f" {colour} " in task.given
    return task.kind == "thing" and task.wanted == f"{colour} {shape}"


def lines_of(exam: Exam, model: str, answers: Answers, keys: Sequence[tuple[str, str]], **more: Any) -> list[Line]:
    """A line for each kind of task: how many are right."""
    made: list[Line] = []
    for prefix, kind in keys:
        tasks = exam.asked[prefix, kind]
        if not tasks:
            continue
        right = exam.right(tasks, answers([t.given for t in tasks], exam.parts(tasks, more.get("swapped", False))))
        line = {
            "what": "scenes",
            "model": model,
            "part": exam.part,
            "prefix": prefix,
            "kind": kind or prefix.strip(":"),
        }
        made.append(line | {"n": len(tasks), "right": int(sum(right))} | more)
        if prefix == MATCHING:
            for own in sorted({task.kind for task in tasks}):
                picked = [ok for task, ok in zip(tasks, right) if task.kind == own]
                made.append(line | {"kind": own, "n": len(picked), "right": int(sum(picked))} | more)
    return made


def texts(describer: Describer) -> Answers:
    return lambda given, parts: [one.text for one in describer.answer(given, parts)]


def scenes(given: argparse.Namespace) -> None:
    """The model of all tasks: on scenes like those it learned from, with images swapped, and on unseen pairs; and how
    sure it is."""
    describer = read_describer(given.model)
    seen = Exam("seen", given.scratch)
    unseen = Exam("unseen", given.scratch)
    kept = Exam("seen", given.scratch, kept=True)
    likeness = caution_of(given.model).likeness
    made = lines_of(seen, "all tasks", texts(describer), (*ASKED, *NOT_THERE))
    made += lines_of(kept, "all tasks", texts(describer), (*ASKED[:6], *NOT_THERE))
    if likeness is not None:
        for exam in (seen, kept):
            alike = likeness.alike(picture_means(exam.cells))
            made.append({"what": "alike", "part": exam.part, "n": len(alike), "alike": int(alike.sum())})
    made += lines_of(seen, "all tasks", texts(describer), ASKED[:-1], swapped=True)
    made += lines_of(unseen, "all tasks", texts(describer), ASKED[:5])
    for line in [*made, *sure(describer, given.scratch)]:
        append_line(given.out, line)


def sure(describer: Describer, scratch: Path) -> list[Line]:
    """Right or not with its probability, of all questions of the parts that set the bar and that try it."""
    made: list[Line] = []
    for exam in (Exam("tune", scratch), Exam("seen", scratch), Exam("seen", scratch, kept=True)):
        for prefix, kind in (*ASKED[:5], *NOT_THERE):
            tasks = exam.asked[prefix, kind]
            said = describer.answer([t.given for t in tasks], exam.parts(tasks))
            right = exam.right(tasks, [one.text for one in said])
            chances = [round(one.probability, 4) for one in said]
            made.append(
                {"what": "sure", "part": exam.part, "kind": kind, "chances": chances, "right": list(map(int, right))}
            )
    return made


def single(given: argparse.Namespace) -> None:
    """Models of one task, with as many tasks of it as the model of all, and the fixed list of answers."""
    material = read_material(None, given.scratch)
    exam = Exam("seen", given.scratch)
    unseen = Exam("unseen", given.scratch)
    for prefix in given.prefixes or (QUESTION, GROUNDING, MATCHING, CAPTION):
        n, own = share_of(prefix)
        tasks = mixed(material, round(given.tasks * n), given.seed, own)
        keys = [key for key in ASKED if key[0] == prefix]
        if prefix == QUESTION:
            for line in fixed(material, tasks, exam, unseen, keys):
                append_line(given.out, line)
        describer, lesson = fit(material, tasks, words_of(material, tasks), HOW, NEW)
        made = lines_of(exam, "one task", texts(describer), keys)
        made += lines_of(unseen, "one task", texts(describer), keys) if prefix == QUESTION else []
        for line in made:
            append_line(given.out, line | {"seconds": round(lesson.seconds)})


def share_of(prefix: str) -> tuple[float, dict[str, float]]:
    """The share of all tasks on scenes that are of the prefix, and that of each of its kinds."""
    found: dict[str, float] = {}
    for part, shares in ((FIRST_PART, FIRST), (1 - FIRST_PART, SHARES)):
        whole = sum(share for key, share in shares.items() if not key.startswith(PHOTO))
        for key, share in shares.items():
            if key.startswith(prefix):
                found[key] = found.get(key, 0.0) + part * share / whole
    return sum(found.values()), found


def fixed(
    material: Any, tasks: Sequence[Spoken], exam: Exam, unseen: Exam, keys: Sequence[tuple[str, str]]
) -> list[Line]:
    """The same network with every answer that there is in its list, also those that no training shows."""
    every = sorted({task.wanted for task in tasks} | {f"{c} {s}" for c in COLOURS for s in SHAPES})
    views = views_of(material)
    sizes = VisionSizes(views.whitening.basis.shape[1])
    model = FixedAnswers(make_describer(words_of(material, tasks), sizes, NEW, least=LEAST), every)
    lesson = train(model, model.model.visual, model.loss, tasks, views, HOW, report)
    made = lines_of(exam, "list of answers", model.answer, keys) + lines_of(
        unseen, "list of answers", model.answer, keys
    )
    return [line | {"seconds": round(lesson.seconds)} for line in made]


def words(given: argparse.Namespace) -> None:
    """How often any word passes where captions are drawn at random, and how often a planted one is found."""
    diagnosis = load(ASSETS / "examples" / "clothing" / "run.errata")
    corpus = read_corpus(given.corpus)
    bank = [tidy(corpus.captions[row][0]) for row in corpus.rows("dev")]
    members = diagnosis.clusters[0].membership >= 0.5
    for share in PLANTED:
        passed = found = 0
        for run in range(RUNS):
            rng = np.random.default_rng([run, 53])
            said = [bank[int(i)] for i in rng.integers(0, len(bank), len(members))]
            extra = rng.random(len(members)) < np.where(members, share, PLANTED[0])
            said = [f"{text} zebra" if more else text for text, more in zip(said, extra)]
            confirmed = describe_clusters(diagnosis, said, permutations=499, seed=run)[0].confirmed
            found += any(word.word == "zebra" for word in confirmed)
            passed += any(word.word != "zebra" or share == PLANTED[0] for word in confirmed)
        line = {"what": "words", "members": share, "rest": PLANTED[0], "runs": RUNS, "found": found, "others": passed}
        append_line(given.out, line | {"n": len(members), "size": int(members.sum())})


def show(given: argparse.Namespace) -> None:
    for line in read_lines(given.out):
        if line["what"] == "scenes":
            share = wilson(line["right"], line["n"])
            swapped = ", pictures swapped" if line.get("swapped") else ""
            print(
                f"{line['model']}{swapped} | {line['part']} | {line['kind']} | {share.value:.3f} "
                f"[{share.low:.3f}, {share.high:.3f}] | {line['n']}"
            )
        elif line["what"] == "alike":
            share = wilson(line["alike"], line["n"])
            print(f"alike | {line['part']} | {share.value:.3f} [{share.low:.3f}, {share.high:.3f}] | {line['n']}")
        elif line["what"] == "captions":
            print(line["way"], "|", *(f"{line[key]}" for key in ("bleu4", "cider", "agreement", "different", "n")))
        elif line["what"] == "words":
            print(line)
        elif line["what"] == "examples":
            print(*line["examples"], sep="\n")


COMMANDS = {"scenes": scenes, "single": single, "captions": captions, "words": words, "show": show}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=tuple(COMMANDS))
    for name in ("--scratch", "--model", "--corpus", "--out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--tasks", type=int, default=96_000)
    parser.add_argument("--prefixes", nargs="*", help="of `single`: only these")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    COMMANDS[given.what](given)


if __name__ == "__main__":
    main()
