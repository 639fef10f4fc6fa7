"""Does a diagnosis of composition name the weakness? Margins with a weakness planted on rendered items, and margins
with none.

    # weight of image against caption
    python -m research.evidence.composition_clusters --tune --seeds 0 5 --cache CACHE
    # every plant on every seed
    python -m research.evidence.composition_clusters --seeds 100 120 --cache CACHE --out runs.jsonl
    python -m research.evidence.composition_clusters --null --seeds 100 300 --cache CACHE --out runs.jsonl
    python -m research.evidence.composition_clusters --show runs.jsonl

Images and captions are those of `core.systems.composition.scenes.items`, seen by the embedded encoder; only the
margins are made: an item's own difficulty, each sample's noise, and for samples that the plant speaks of a shift that
lifts the chance of an error from `ERROR` to `WEAK`. A plant is found if one of the first three sentences that a reader
meets (confirmed ones, in the order of the report) speaks of the planted samples: its rows and theirs correlate by
`SAME` or more within its scope. A plant of a whole kind of item is found if that kind is confirmed as a class. A
sentence is false if the chance of an error is no higher inside it than outside. Seeds 0 to 99 are for choosing, those
from 100 for reporting; several processes may share a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from core.discovery.conditions import build_conditions
from core.discovery.ensemble import LossRegressor, out_of_fold
from core.discovery.method import diagnose_records
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.discovery.settings import EmbeddingSettings, Settings
from core.embeddings.texts import encode_texts
from core.encoders import load_encoder
from core.records import F64, Bool, Diagnosis, Insight, Outcomes
from core.statistics.groups import assign_folds
from core.statistics.intervals import wilson
from core.statistics.ranking import auroc
from core.systems.composition.failures.columns import named_things
from core.systems.composition.failures.diagnose import CompositionRecords, composition_records, joint_vectors
from core.systems.composition.records import CompositionResult, Item, LoadedBenchmark
from core.systems.composition.scenes.benchmarks import SceneStore, pictured
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scenes.shapes import Scene
from research.evidence.lines import append_line, keys_done, read_lines, show

N = 400
SETS = 5
"""Items of a set (twice as many samples), and how many sets the seeds take turns on."""
PLAN = RenderedPlan(kinds=("colour", "material", "size", "relation"))
ERROR = 0.25
WEAK = 0.60
OWN = 0.3
"""Share of the margin's variance that the samples of an item have in common."""
SAME = 0.8
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


Weakness = Callable[[Item, str, Scene], bool]


def _names(word: str) -> Weakness:
    def found(item: Item, caption: str, scene: Scene) -> bool:
        return any(word == thing.name or word in dict(thing.attributes) for thing in named_things(caption))

    return found


def _tag(name: str, value: str) -> Weakness:
    def found(item: Item, caption: str, scene: Scene) -> bool:
        return item.tags.get(name) == value

    return found


PLANTS: Mapping[str, Weakness] = {
    "same size": _tag("same size", "yes"),
    "names a star": _names("star"),
    "names a white thing": _names("white"),
    "names a striped thing": _names("striped"),
    "large thing named first": lambda item, caption, scene: "large" in dict(named_things(caption)[0].attributes),
    "left of": _tag("relation", "left"),
    "two other things beside": _tag("distractors", "2"),
    "woven ground": lambda item, caption, scene: scene.ground == "woven",
    "kind: material": _tag("kind", "material"),
}
"""What fails, of an image with its caption. Neither captions nor tags speak of the ground: only the images' vectors
and phrases can find it."""


@lru_cache(maxsize=SETS)
def records(number: int, cache: Path) -> tuple[LoadedBenchmark, CompositionRecords]:
    """Set `number` as the diagnosis takes it; its margins are placeholders."""
    shown = pictured(draw_items(PLAN, N, number, "seen"), "rendered")
    rng = np.random.default_rng(number)
    scores = tuple(rng.normal(size=(2, 2)) for _ in shown.benchmark.items)
    made = CompositionResult(
        "made", "rendered", "Rendered pairs", "pairs", "made", "made", "image", (), (), (),
        tuple(item.id for item in shown.benchmark.items), {}, np.zeros(N), np.zeros(N, bool), scores,
    )  # fmt: skip
    return shown, composition_records(shown, made, EmbeddingSettings(cache=cache))


def plant(shown: LoadedBenchmark, made: CompositionRecords, name: str, seed: int) -> tuple[Outcomes, Bool]:
    """Margins with the weakness, and (n,) the samples that have it; "" plants none."""
    captions = next(c for c in made.samples.metadata if c.name == "caption").values
    of = {item.id: item for item in shown.benchmark.items}
    parts = [sample.rsplit(", caption ", 1) for sample in made.samples.ids]
    items = [of[name] for name, _ in parts]
    store = cast(SceneStore, shown.store)
    scenes = [store.scenes[item.pictures[int(caption) - 1]] for item, (_, caption) in zip(items, parts)]
    weak = np.array([bool(name) and PLANTS[name](*sample) for sample in zip(items, captions, scenes)], bool)
    rng = np.random.default_rng([seed, 7])
    _, which = np.unique([item.id for item in items], return_inverse=True)
    noise = np.sqrt(OWN) * rng.normal(size=which.max() + 1)[which] + np.sqrt(1 - OWN) * rng.normal(size=len(items))
    loss = noise + norm.ppf(chance_of(weak))
    return Outcomes(0.05 * loss, "negative margin", "of score", "made", errors=loss >= 0), weak


def chance_of(weak: Bool) -> F64:
    """(n,) each sample's chance of an error."""
    return np.where(weak, WEAK, ERROR)


def measure(name: str, seed: int, cache: Path, permutations: int) -> dict[str, Any]:
    """One diagnosis: whether the plant is among the first three sentences, what else was claimed, and how many could
    have been."""
    shown, made = records(1000 + seed % SETS if seed >= 100 else seed % SETS, cache)
    outcomes, weak = plant(shown, made, name, seed)
    settings = Settings(seed=seed, map=False, n_permutations=permutations, n_members=2)
    found = diagnose_records(made.samples, outcomes, made.embeddings, words=made.words, settings=settings)
    claims = [insight for insight in found.insights if insight.confirmed]
    kinds = [c.name for c in found.classes if c.confirmed]
    place = (
        kinds.index("material") + 1
        if "material" in kinds and name.startswith("kind")
        else place_of(found, claims, weak)
    )
    chance = chance_of(weak)
    return {
        "plant": name,
        "seed": seed,
        "permutations": permutations,
        "planted": int(weak.sum()),
        "family": family_size(found),
        "place": place,
        "first": [f"{i.scope}: {i.text}" for i in claims[:3]] + [f"class {k}" for k in kinds],
        "clusters": len(found.clusters),
        "lift": max(
            (float(weak[c.membership >= 0.5].mean() / weak.mean()) for c in found.clusters if weak.any()), default=0.0
        ),
        "claims": len(found.clusters) + len(claims) + len(kinds),
        "sentences": len(claims),
        "false": sum(_gap(found, i, chance) <= 1e-9 for i in claims),
    }


def place_of(found: Diagnosis, claims: list[Insight], weak: Bool) -> int | None:
    """Place, from 1, of the first claim that speaks of the planted samples."""
    for place, insight in enumerate(claims, 1):
        scope = _scope(found, insight.scope)
        inside = insight.mask[scope]
        planted = weak[scope]
        if inside.any() and planted.any() and not planted.all() and np.corrcoef(inside, planted)[0, 1] >= SAME:
            return place
    return None


def family_size(found: Diagnosis) -> int:
    """Conditions and phrases that were tested."""
    n = len(found.samples)
    conditions, _ = build_conditions(
        found.samples.metadata, smallest=max(MIN_CANDIDATE_ROWS, round(0.01 * n)), most=1500
    )
    return len(conditions) + (0 if found.words is None else len(found.words.phrases))


def _scope(found: Diagnosis, name: str) -> Bool:
    names = found.samples.class_names
    labels = found.samples.labels
    return np.ones(len(found.samples), bool) if labels is None or name not in names else labels == names.index(name)


def _gap(found: Diagnosis, insight: Insight, chance: F64) -> float:
    scope = _scope(found, insight.scope)
    return float(chance[insight.mask].mean() - chance[scope & ~insight.mask].mean())


# ---- choosing the weight


def tune(seeds: range, cache: Path) -> str:
    """AUROC with which the predicted loss of unseen items finds the planted samples within their kind, by weight, mean
    over plants and seeds."""
    found: dict[float, list[float]] = {share: [] for share in SHARES}
    for seed in seeds:
        shown, made = records(seed % SETS, cache)
        captions = next(c for c in made.samples.metadata if c.name == "caption").values
        pictures = made.embeddings.vectors[:, : _picture_width(made)]
        texts = encode_texts(load_encoder("embedded"), list(captions), cache)
        labels = made.samples.labels
        assert labels is not None
        for name in (p for p in PLANTS if not p.startswith("kind")):
            outcomes, weak = plant(shown, made, name, seed)
            for share in SHARES:
                vectors = joint_vectors(pictures / np.linalg.norm(pictures, axis=1, keepdims=True), texts, share)
                folds = assign_folds(len(labels), labels, made.samples.groups, 5, np.random.default_rng(seed))
                predicted, _ = out_of_fold(
                    LossRegressor(n_members=3, random_state=seed),
                    vectors,
                    outcomes.loss,
                    labels,
                    made.samples.groups,
                    folds,
                )
                areas = [auroc(predicted[labels == k], weak[labels == k]) for k in np.unique(labels)]
                found[share].append(float(np.nanmean(areas)))
    lines = ["| weight of the picture | AUROC of the planted samples |", "|---|---|"]
    return "\n".join([*lines, *(f"| {share:g} | {np.mean(areas):.3f} |" for share, areas in found.items())])


def _picture_width(made: CompositionRecords) -> int:
    return made.embeddings.vectors.shape[1] - load_encoder("embedded").encode_texts(["a"]).shape[1]


# ---- tables


def table(rows: list[dict[str, Any]]) -> str:
    """Recall at 3 by plant, false sentences, and how often a run without a plant claims anything."""
    lines = [
        "| plant | runs | planted of 800 | in the first three | first | a cluster | false sentences |",
        "|---|---|---|---|---|---|---|",
    ]
    planted = [row for row in rows if row["plant"]]
    for name in [*PLANTS, None]:
        own = [row for row in planted if name in (None, row["plant"])]
        if own:
            three, one, cluster = (
                wilson(sum(map(hit, own)), len(own))
                for hit in (lambda r: (r["place"] or 9) <= 3, lambda r: r["place"] == 1, lambda r: r["lift"] > 1.5)
            )
            said = sum(row["sentences"] for row in own)
            false = sum(row["false"] for row in own)
            size = f"{np.mean([row['planted'] for row in own]):.0f}"
            lines.append(
                f"| {name or 'all'} | {len(own)} | {size} | {show(three)} | {show(one)} | {show(cluster)} "
                f"| {false} of {said} |"
            )
    null = [row for row in rows if not row["plant"]]
    if null:
        lines.append(
            "\nNothing planted: a run claims anything "
            f"{show(wilson(sum(row['claims'] > 0 for row in null), len(null)), 3)} (n = {len(null)})."
        )
    if rows:
        lines.append(f"Conditions and phrases tested: at least {min(row['family'] for row in rows):,}.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 120), metavar=("FIRST", "STOP"))
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--null", action="store_true")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    arguments = parser.parse_args()
    if arguments.show:
        print(table(read_lines(arguments.show)))
        return
    with threadpool_limits(1):
        if arguments.tune:
            print(tune(range(*arguments.seeds), arguments.cache))
            return
        done = keys_done(read_lines(arguments.out), ("plant", "seed")) if arguments.out else set[tuple[Any, ...]]()
        rows: list[dict[str, Any]] = []
        for seed in range(*arguments.seeds):
            for name in [""] if arguments.null else PLANTS:
                if (name, seed) not in done:
                    rows.append(measure(name, seed, arguments.cache, arguments.permutations))
                    append_line(arguments.out, rows[-1]) if arguments.out else print(rows[-1])
        print(table(read_lines(arguments.out) if arguments.out else rows))


if __name__ == "__main__":
    main()
