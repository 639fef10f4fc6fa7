"""A dual encoder tuned on descriptions, before and after, on texts or images with known answers.

    python -m research.evidence.tuned_texts --data DATA --choose
    python -m research.evidence.tuned_texts --data DATA --vectors FOLDER [--rows N] [--out FILE]
    python -m research.evidence.tuned_texts --data DATA --shuffled
    python -m research.evidence.tuned_texts --run RUN [--descriptions FILE]

Reads what `label_descriptions` reads, and DATA/text: 400 articles of AG News (drawn from the 2,000 there, which are
test rows) and the 872 dev sentences of SST-2. Those choose learning rate and steps (--choose). Reported are all other
test rows (or N of them): accuracy of one word in each published pattern before and after, and the gain (paired,
bootstrap over texts). --shuffled: on 200 rows, what descriptions drawn anew among the classes make of it.
--run: the same on the samples of a finished run, such as a shipped example of images, with what is said of its
classes.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.texts.columns import TextItems, clean
from core.encoders import load_encoder
from core.records import F64, I64
from core.statistics.intervals import bootstrap
from core.store import load
from core.systems.common.class_descriptions import of_classes, read_descriptions, read_patterns
from core.systems.probes.base import Images, ProbeInput
from core.systems.probes.zero_shot.label_descriptions import TUNED, WORDED, DescribedLabels
from core.systems.probes.zero_shot.minilm_halves import MiniLMHalves
from core.systems.probes.zero_shot.tuned_texts import tune
from research.evidence.label_descriptions import SETS, TextSet, read_set, vectors_of

RATES = (1e-5, 3e-5)
STEPS = (5, 10, 20)
TUNING = 400
SHUFFLED = 200
DRAWS = 10


def tuning_part(data: Path, name: str) -> tuple[list[str], I64, I64]:
    """(texts, classes, which test rows they are) of the part that chooses."""
    file = data / "text" / ("ag_news.csv" if name == "ag_news" else "sst2_dev.csv")
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if name == "sst2":
        return [clean(r["text"]) for r in rows], np.array([int(r["label"]) for r in rows]), np.empty(0, np.int64)
    rows = [rows[i] for i in np.random.default_rng(5).permutation(len(rows))[:TUNING]]
    texts = [clean(f"{r['title']}\n{r['desc']}") for r in rows]
    return texts, np.array([int(r["label"]) for r in rows]), np.array([int(r["id"].split("-")[-1]) for r in rows])


def said_of(one: TextSet, data: Path) -> tuple[tuple[tuple[str, ...], ...], list[tuple[str, ...]]]:
    """(descriptions of each class, for each pattern the classes' words in it), as published."""
    folder = data / "labeldesc" / one.folder
    found, _ = of_classes(read_descriptions(str(folder / "manual_24.tsv")), one.class_names, ", ".join(one.class_names))
    patterns = read_patterns(str(folder / "prompts.tsv"))
    return found, [tuple(p.filled(word) for word in one.words) for p in patterns]


def right_in(features: F64, filled: F64, labels: I64) -> F64:
    """(p, m) 1 where the nearest of a pattern's words is right."""
    return (np.einsum("md,pkd->pmk", features, filled).argmax(2) == labels).astype(np.float64)


def spread(right: F64) -> dict[str, float]:
    each = right.mean(1)
    ends = {"least": float(each.min()), "greatest": float(each.max())}
    return {"mean": float(each.mean()), "sd": float(each.std(ddof=1)), **ends}


def after(halves: MiniLMHalves, texts: Sequence[str], filled: Sequence[Sequence[str]], labels: I64) -> F64:
    """(p, m) what is right in each pattern by the encoder as it is now."""
    words = halves.vectors(halves.lower([t for own in filled for t in own])).detach().numpy().astype(np.float64)
    return right_in(halves.encode(texts).astype(np.float64), words.reshape(len(filled), len(filled[0]), -1), labels)


def choose(one: TextSet, data: Path) -> list[dict[str, Any]]:
    """Accuracy on the tuning part as it came, and for each learning rate and number of steps."""
    texts, labels, _ = tuning_part(data, one.name)
    described, filled = said_of(one, data)
    rows: list[dict[str, Any]] = []
    for lr, steps in [(0.0, 0), *((lr, steps) for lr in RATES for steps in STEPS)]:
        halves = MiniLMHalves()
        tune(halves, described, filled, lr=lr, steps=steps)
        figures = spread(after(halves, texts, filled, labels))
        rows.append({"set": one.name, "n": len(labels), "lr": lr, "steps": steps} | figures)
    return rows


def fresh_part(one: TextSet, data: Path, most: int | None) -> tuple[list[str], I64]:
    """(texts, classes) of the test rows that chose nothing, or of `most` of them."""
    texts, labels = read_set(data, one.name)
    fresh = np.setdiff1d(np.arange(len(labels)), tuning_part(data, one.name)[2])
    at = np.random.default_rng(2).permutation(fresh)[:most]
    return [texts[i] for i in at.tolist()], labels[at]


def reported(one: TextSet, data: Path, vectors: Path, most: int | None) -> dict[str, Any]:
    """Before and after on test rows."""
    texts, labels = fresh_part(one, data, most)
    features = vectors_of(texts, vectors / f"{one.name}_fresh_{len(texts)}.npz")
    folder = data / "labeldesc" / one.folder
    probe = DescribedLabels(
        descriptions=str(folder / "manual_24.tsv"),
        order=", ".join(one.class_names),
        words="\n".join(f"{name}: {word}" for name, word in zip(one.class_names, one.words, strict=True)),
        patterns="own",
        own_patterns=str(folder / "prompts.tsv"),
        by="tuned",
        shuffles=0,
    )
    ids = tuple(map(str, range(len(texts))))
    items = TextItems(ids, tuple(texts))
    encoder = load_encoder("minilm")
    found = probe.run(ProbeInput(one.class_names, encoder, Images(features, ids), items=items))
    before, tuned = (np.asarray(found.controls[key] == labels, np.float64) for key in (WORDED, TUNED))
    own = (found.logits.argmax(1) == labels).astype(np.float64)
    return _figures(one.name, before, tuned, own, (found.controls["descriptions"][0] == labels).astype(np.float64))


def of_run(folder: Path, descriptions: str) -> dict[str, Any]:
    """Before and after on the samples of a run, with the wordings that ship for them; groups are resampled whole."""
    run = load(folder)
    samples = run.samples
    words = run.words
    assert words is not None
    assert samples.labels is not None
    encoder = load_encoder(words.encoder)
    images = Images(words.joint.vectors, samples.ids)
    probe = DescribedLabels(descriptions=descriptions, by="tuned", shuffles=0)
    found = probe.run(ProbeInput(samples.class_names, encoder, images, items=samples.items))
    own = found.logits.argmax(1)
    said = found.controls["descriptions"][0]
    each = (found.controls[WORDED], found.controls[TUNED], own, said)
    right = [np.asarray(answers == samples.labels, np.float64) for answers in each]
    return _figures(folder.parent.name, *right, groups=samples.groups)


def _figures(name: str, before: F64, tuned: F64, own: F64, said: F64, groups: I64 | None = None) -> dict[str, Any]:
    def mean(values: F64) -> dict[str, float]:
        rng = np.random.default_rng(0)
        return bootstrap(lambda at: float(values[at].mean()), len(values), groups, rng, repeats=1000).to_dict()

    b = before.mean(0)
    t = tuned.mean(0)
    return {
        "set": name,
        "n": len(own),
        "before": {**spread(before), "mean": mean(b)},
        "after": {**spread(tuned), "mean": mean(t)},
        "gain": mean(t - b),
        "patterns that gain": int((tuned.mean(1) > before.mean(1)).sum()),
        "mean pattern, tuned": mean(own),
        "... minus descriptions": mean(own - said),
    }


def shuffled(one: TextSet, data: Path) -> dict[str, Any]:
    """Mean over patterns on some rows where the descriptions are drawn anew among the classes, as many each."""
    texts, labels = fresh_part(one, data, SHUFFLED)
    described, filled = said_of(one, data)
    flat = [t for own in described for t in own]
    ends = np.cumsum([len(own) for own in described])[:-1]
    values: list[float] = []
    for seed in range(DRAWS):
        mixed = [flat[i] for i in np.random.default_rng(seed).permutation(len(flat))]
        parts = [tuple(own) for own in np.split(np.array(mixed, object), ends)]
        tune(halves := MiniLMHalves(), parts, filled)
        values.append(float(after(halves, texts, filled, labels).mean()))
    ends_ = {"least": min(values), "greatest": max(values)}
    mean = float(np.mean(values))
    sd = float(np.std(values, ddof=1))
    return {"set": one.name, "n": len(labels), "drawn anew": DRAWS, "mean": mean, "sd": sd, **ends_}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--run", type=Path, help="a finished run in place of the data")
    parser.add_argument("--descriptions", default="", help="what is said of the run's classes: a JSON file")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--choose", action="store_true", help="settings, on the tuning parts")
    parser.add_argument("--shuffled", action="store_true", help="with descriptions drawn anew")
    parser.add_argument("--rows", type=int, help="test rows of each set (default: all that chose nothing)")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.run is not None:
        print(json.dumps(of_run(given.run, given.descriptions)))
        return
    if given.data is None or (given.vectors is None and not (given.choose or given.shuffled)):
        parser.error("give --run; or --data with --vectors, --choose or --shuffled")
    rows: list[dict[str, Any]] = []
    for one in reversed(SETS):
        if given.choose:
            rows += choose(one, given.data)
        elif given.shuffled:
            rows.append(shuffled(one, given.data))
        else:
            rows.append(reported(one, given.data, given.vectors or Path(), given.rows))
        print(*(json.dumps(row) for row in rows if row["set"] == one.name), sep="\n", flush=True)
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
