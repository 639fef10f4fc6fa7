"""Free questions of captioned photographs: are the right ones shown, and does the p hold and find what is there?

    python -m research.evidence.asked DATA --seeds 1000 1025 --out asked.jsonl
    python -m research.evidence.asked --show asked.jsonl
    python -m research.evidence.asked DATA --chance        # what assets/competence/embedded.json has

DATA holds flickr8k/ (captions.csv, images/): the splits dev and train_extra, which no fit of the encoder saw. An image
is of a class, and shows what a question asks for, where two of its captions mention it. The chance of showing a text is
fitted on those phrases of `assets/phrases/shown.json` that say none of the texts asked, in five folds by image: that
of each image by the fit on the captions of the other four folds. Each world asks 40 questions of classes: 20 whose
images are wrong in 70% and the others of their class in 20%, and 20 that say nothing of the errors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from core.checks.asked_text import AskedText
from core.checks.competence import read_shown, shown_questions
from core.checks.questions import QuestionReader, ask
from core.data.captioned import read_captioned
from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.embeddings.rows import read_rows
from core.encoders import load_encoder
from core.language.chance import Chance, asked_directions
from core.language.competence import find_competence
from core.language.directions import words_of
from core.language.grammar import stems, words_in
from core.language.likeness import THINGS, question_vectors
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Embeddings, Outcomes, SampleSet
from core.statistics.ranking import auroc
from research.evidence.lines import append_line, clopper_pearson, keys_done, mean_over, read_lines, seeds_parser, show

CLASSES = dict(
    dog=r"\bdogs?\b|\bpupp",
    man=r"\b(?:man|men|guys?)\b",
    woman=r"\b(?:woman|women|lady|ladies)\b",
    child=r"\b(?:child|children|boys?|girls?|kids?|baby|toddler)\b",
)
SAID = (
    r"in the snow=snow; in the water=\b(?:water|ocean|lake|river|pool|wave|surf); on grass=grass; on a beach=\b(?:beach"
    r"|sand); with a ball=\bball; in red=\bred\b; in blue=\bblue\b; in black=\bblack\b; in white=\bwhite\b; in yellow="
    r"\byellow\b; jumping=jump|leap|air\b; running=\brun; on a bike=bike|bicycl|motorcycl; on a street=street|road|side"
    r"walk|city; on rocks=rock|cliff|mountain; playing a sport=soccer|football|basketball|hockey|baseball|tennis; sit"
    r"ting=\bsit; with a stick=\bstick; smiling=smil|laugh; at a playground=slide|playground|\bswing; at night=night|da"
    r"rk; in the woods=\btree|wood|forest; wearing a hat=\bhat\b|\bcap\b|helmet; swimming=swim; by a wall=\bwall\b|buil"
    r"ding; by a fence=fence; near a car=\bcars?\b|truck|vehicle"
)
ATTRIBUTES = {said: pattern for said, _, pattern in (one.partition("=") for one in SAID.split("; "))}
COLOURS = ("red", "blue", "black", "white", "yellow")
FEWEST = 12
MOST = 0.5
ASKED = 40
FOLDS = 5
WRONG = 0.7
OTHERS = 0.2
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the class's prompts, taken out of a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A text with what the captions know of it."""

    text: str
    name: str | None
    """The class; None of all images."""
    scope: I64
    shows: Bool
    """(rows of the scope,) two captions mention it."""
    once: Bool
    """At least one does."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The chance of each image of a scope by the fit that did not see its captions."""

    models: Sequence[Chance]
    folds: I64

    def of(self, scores: F64) -> F64:
        return np.choose(self.folds, [model.of(scores) for model in self.models])


class Photographs:
    """The captioned photographs, as the encoder sees them."""

    def __init__(self, data: Path, cache: Path | None) -> None:
        folder = data / "flickr8k"
        captioned = read_captioned(folder / "captions.csv", folder / "images", ("dev", "train_extra"))
        self.encoder = load_encoder("embedded")
        self.cache = cache
        read = read_rows(captioned.pictures, self.encoder, cache=cache)
        self.vectors: F32 = read.joint.vectors
        self.captions = [[" ".join(words_in(c)) for c in captioned.captions[row]] for row in read.kept.tolist()]
        self.folds = np.random.default_rng(0).permutation(len(self.captions)) % FOLDS
        self.counted = lru_cache(None)(self._count)

    def _count(self, pattern: str) -> I64:
        wanted = re.compile(pattern)
        return np.array([sum(bool(wanted.search(caption)) for caption in own) for own in self.captions])

    def scopes(self) -> Iterator[tuple[str | None, I64]]:
        """The classes, and all images."""
        for name, of_class in CLASSES.items():
            yield name, np.flatnonzero(self.counted(of_class) >= 2)
        yield None, np.arange(len(self.captions))

    def asked(self) -> list[Question]:
        """Of classes, and of all images, what 12 of them show and at most half."""
        made = list[Question]()
        for name, scope in self.scopes():
            for said, pattern in ATTRIBUTES.items():
                count = self.counted(pattern)[scope]
                if FEWEST <= (count >= 2).sum() <= MOST * len(scope):
                    colour = said.removeprefix("in ")
                    text = f"a {colour} dog" if name == "dog" and colour in COLOURS else f"a {name} {said}"
                    made.append(Question(said if name is None else text, name, scope, count >= 2, count >= 1))
        return made

    def things(self, there: bool) -> Iterator[Question]:
        """Ordinary things that 12 images of a scope show, or that no caption of it mentions."""
        for name, scope in self.scopes():
            for thing in THINGS:
                count = self.counted(rf"\b{thing}")[scope]
                if ((count >= 2).sum() >= FEWEST) if there else not count.any():
                    text = f"a {thing}" if name is None else f"a {name} with a {thing}"
                    yield Question(text, name, scope, count >= 2, count >= 1)

    def run_of(self, name: str | None) -> Diagnosis:
        """A run in which the images of a class are one, with its line and no failure."""
        n = len(self.captions)
        inside = np.zeros(n, bool) if name is None else self.counted(CLASSES[name]) >= 2
        samples = SampleSet(tuple(f"{i:04d}" for i in range(n)), name="photographs")
        if name is not None:
            samples = replace(samples, labels=inside.astype(np.int64), class_names=("picture", name))
        errors = np.random.default_rng(0).random(n) < OTHERS
        joint = Embeddings(self.vectors, self.encoder.name, self.encoder.joint_space)
        words = words_of(joint, question_vectors(["in snow"], self.encoder), ("in snow",), encoder="embedded")
        table = find_competence(self.encoder)[0]
        settings = Settings(map=False, sensitivity=False, n_members=2, n_permutations=199)
        found = diagnose_records(samples, outcomes_of(errors), joint, words=words, settings=settings)
        return replace(found, words=replace(words, line=None if table is None else table.line))

    def chance(self, rows: Bool, without: Collection[str] = ()) -> Chance:
        """Fitted on the captions of some images, and on the phrases that say none of the texts `without`."""
        some = [tuple(own) for own, kept in zip(self.captions, rows) if kept]
        known = read_shown()
        left_out = {stems(text) for text in without}
        known = replace(known, captions={text: p for text, p in known.captions.items() if stems(text) not in left_out})
        found = shown_questions(self.encoder, self.vectors[rows], some, known, self.cache)
        assert found is not None
        return found


def outcomes_of(errors: Bool) -> Outcomes:
    return Outcomes(errors.astype(np.float64), "0/1", "", "planted", errors=errors)


def of_texts(photographs: Photographs, models: Sequence[Chance]) -> Iterator[dict[str, Any]]:
    """How right each question's images are, and how many are shown."""
    for q in photographs.asked():
        name = None if q.name is None else f"a {q.name}"
        direction, of_class = (d[0] for d in asked_directions(photographs.encoder, [q.text], [name], photographs.cache))
        vectors = photographs.vectors[q.scope]
        n = int(q.shows.sum())
        row: dict[str, Any] = {"kind": "text", "text": q.text, "class": q.name or "", "n": len(q.scope), "true": n}
        for share in SHARES:
            order = np.argsort(-(vectors @ (direction + (0.5 - share) * of_class)), kind="stable")
            row |= {f"two {share}": float(q.shows[order[:n]].mean()), f"one {share}": float(q.once[order[:n]].mean())}
        chances = HeldOut(models, photographs.folds[q.scope]).of((vectors @ direction).astype(np.float64))
        size = max(5, round(float(chances.sum())))
        order = np.argsort(-(vectors @ direction), kind="stable")
        yield row | {"number": size, "right": float(q.shows[order[:size]].mean()), "base": n / len(q.scope)}


def of_worlds(
    photographs: Photographs, runs: dict[str, Diagnosis], models: Sequence[Chance], seed: int
) -> Iterator[dict[str, Any]]:
    """What 40 questions of one world show: 20 with planted errors, 20 without."""
    rng = np.random.default_rng([seed, 7])
    known = [q for q in photographs.asked() if q.name is not None]
    for place, number in enumerate(rng.permutation(len(known))[:ASKED].tolist()):
        q = known[number]
        planted = place < ASKED // 2
        assert q.name is not None
        chance = np.full(len(photographs.captions), OTHERS)
        level = OTHERS + (WRONG - OTHERS) * float(q.shows.mean())
        chance[q.scope] = np.where(q.shows, WRONG, OTHERS) if planted else level
        errors = rng.random(len(chance)) < chance
        run = replace(runs[q.name], outcomes=outcomes_of(errors))
        held: Any = HeldOut(models, photographs.folds[q.scope])
        assert run.words is not None
        direction = asked_directions(photographs.encoder, [q.text], [f"a {q.name}"], photographs.cache)[0][0]
        answer = QuestionReader(run, run.words, held).answer(AskedText(q.text, 1), direction, ASKED)
        wrong = errors[q.scope].astype(np.float64)
        bound = float(ttest_ind(wrong[q.shows], wrong[~q.shows], equal_var=False, alternative="greater").pvalue)
        rate = answer.error_rate
        assert rate is not None
        yield {
            "kind": "world", "seed": seed, "text": q.text, "planted": planted, "p": answer.p_alone, "many": answer.p,
            "bound": bound, "off": rate.value - float(chance[answer.rows].mean()),
            "held": rate.low <= float(chance[answer.rows].mean()) <= rate.high,
        }  # fmt: skip


def of_refusals(photographs: Photographs, runs: dict[str, Diagnosis]) -> Iterator[dict[str, Any]]:
    """Whether anything is shown of what is there, and of what is not."""
    for there in (True, False):
        asked = [*photographs.things(there), *(photographs.asked() if there else [])]
        for name in [None, *CLASSES]:
            own = [q for q in asked if q.name == name]
            run = runs[name or ""]
            texts = [q.text for q in own]
            assert run.words is not None
            free = replace(run, words=replace(run.words, line=None))
            lined, every = (ask(one, texts, tested=False, cache=photographs.cache) for one in (run, free))
            for q, answer, whole in zip(own, lined, every):
                assert answer.scope == (name or EVERYTHING)
                row = {"kind": "shown", "text": q.text, "class": name or "", "there": there, "shown": answer.shown}
                yield row | {"expected": whole.expected}


def table_of(rows: list[dict[str, Any]]) -> str:
    """What docs/evidence/asked.md shows."""
    lines = list[str]()
    for what, own in (("classes", lambda r: r["class"]), ("all pictures", lambda r: not r["class"])):
        texts = [r for r in rows if r["kind"] == "text" and own(r)]
        for share in SHARES if texts else ():
            two, one = (show(mean_over([r[f"{key} {share}"] for r in texts])) for key in ("two", "one"))
            lines.append(f"{what}, {len(texts)} questions, {share:g} of the class out: two captions {two}, one {one}")
        if texts:
            ratio = np.array([r["number"] / r["true"] for r in texts])
            low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
            right, base = (show(mean_over([r[key] for r in texts])) for key in ("right", "base"))
            lines.append(
                f"{what}: number shown over true number {middle:.2f} (quartiles {low:.2f}, {high:.2f}; mean "
                f"{show(mean_over(ratio.tolist()))}); of those shown right {right}, of all {base}"
            )
    shown = [r for r in rows if r["kind"] == "shown"]
    for there in (True, False) if shown else ():
        for what, own in (("classes", lambda r: r["class"]), ("all pictures", lambda r: not r["class"])):
            some = [r for r in shown if r["there"] == there and own(r)]
            n = len(some)
            hits = sum(r["shown"] != there for r in some)
            said = "refused though there" if there else "answered though not there"
            lines.append(f"{what}, {n} questions: {said} {show(clopper_pearson(hits, n))}")
    for what, own in (("classes", lambda r: r["class"]), ("all pictures", lambda r: not r["class"])):
        if some := [r for r in shown if own(r)]:
            area = auroc(np.array([r["expected"] for r in some]), np.array([r["there"] for r in some]))
            lines.append(f"{what}: the sum of the chances tells what is there with an AUROC of {area:.2f}")
    worlds = [r for r in rows if r["kind"] == "world"]
    for planted in (True, False) if worlds else ():
        some = [r for r in worlds if r["planted"] == planted]
        n = len(some)
        n_seeds = len({r["seed"] for r in some})
        alone, many, bound, bound_many = (
            show(clopper_pearson(sum(r[key] * times <= 0.05 for r in some), n), 3)
            for key, times in (("p", 1), ("many", 1), ("bound", 1), ("bound", ASKED))
        )
        any_of = sum(any(r["many"] <= 0.05 for r in some if r["seed"] == s) for s in {r["seed"] for r in some})
        lines += [
            f"{'planted' if planted else 'nothing planted'}, {n} questions in {n_seeds} worlds: confirmed alone "
            f"{alone}, among {ASKED} {many}; t-test of the true set {bound}, times {ASKED} {bound_many}; any of a "
            f"world {show(clopper_pearson(any_of, n_seeds), 3)}",
            f"  rate shown minus true {show(mean_over([r['off'] for r in some]), 4)}, interval holds "
            f"{show(clopper_pearson(sum(r['held'] for r in some), n), 3)}",
        ]
    return "\n".join(lines)


def main() -> None:
    parser = seeds_parser(__doc__, (1000, 1025))
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA")
    parser.add_argument("--cache", type=Path, help="folder where vectors are kept")
    parser.add_argument("--chance", action="store_true", help="print the fit on all photographs")
    options = parser.parse_args()
    if options.show:
        print(table_of(read_lines(options.show)))
        return
    photographs = Photographs(options.data, options.cache)
    if options.chance:
        print(photographs.chance(np.ones(len(photographs.captions), bool)))
        return
    models = [photographs.chance(photographs.folds != fold, ATTRIBUTES) for fold in range(FOLDS)]
    runs = {name or "": photographs.run_of(name) for name in [None, *CLASSES]}
    done = keys_done(read_lines(options.out), ("kind",))
    if ("text",) not in done:
        for row in [*of_texts(photographs, models), *of_refusals(photographs, runs)]:
            append_line(options.out, row)
    seeds = keys_done([r for r in read_lines(options.out) if r["kind"] == "world"], ("seed",))
    for seed in range(*options.seeds):
        if (seed,) not in seeds:
            for row in list(of_worlds(photographs, runs, models, seed)):
                append_line(options.out, row)


if __name__ == "__main__":
    main()
