"""Is the name of a cluster right? Failures planted on photographs, and what the cluster that holds them is called.

    python -m research.evidence.names DATA --half tune --out names.jsonl     choose settings on these
    python -m research.evidence.names DATA --half report --out names.jsonl   report these
    python -m research.evidence.names --show names.jsonl
    python -m research.evidence.names --list names.jsonl                     each case with its name

DATA holds clothing/, cifar10/, flickr8k/ and imagenet_sample/. The cases and the patterns by which a name is judged
stand in `name_cases.py`, the corruptions in `name_edits.py`. Of the planted photographs 80% are wrong, of the others
8%. The judged cluster is the confirmed one with the most planted photographs, if it holds half of them or half of its
members are planted; without such a cluster the case is "missed". Of the photographs of Flickr8k only those of its dev
part are used, which no encoder of ours was fitted on.
"""

from __future__ import annotations

import argparse
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageOps
from threadpoolctl import threadpool_limits

from core.data.samples import DataSet
from core.diagnose import diagnose_data_set
from core.discovery.called import cluster_name
from core.discovery.settings import EmbeddingSettings, Settings
from core.records import Bool, Diagnosis, FailureCluster, NamedItems, Outcomes, SampleSet
from core.statistics.intervals import wilson
from research.evidence.lines import append_line, keys_done, read_lines, show
from research.evidence.name_cases import CASES, TRUTHS, Case, Truth
from research.evidence.name_edits import EDITS, Rng

ROWS = 300
SHARE = 0.15
MOST_PLANTED = 60
"""Photographs of a case, the share of them that a corruption is put on, and the most that a natural attribute has."""
WRONG_INSIDE = 0.8
WRONG_OUTSIDE = 0.08
SIDE = 224
VERDICTS = ("right", "near", "wrong")
MENTIONS = 3
"""Captions of five that must mention a natural attribute."""


@dataclass(frozen=True)
class Photographs(NamedItems):
    """Images as they are in memory, as JPEG."""

    payloads: tuple[bytes, ...]

    def read(self, index: int) -> bytes:
        return self.payloads[index]


def make_case(case: Case, data: Path, seed: int = 0) -> tuple[DataSet, Bool]:
    """The photographs with their losses, and (n,) which of them were planted."""
    rng = np.random.default_rng([seed, zlib.crc32(case.name.encode())])
    truth = TRUTHS[case.truth]
    table = table_of(case, data)
    if truth.captions:
        rows, planted = _by_captions(truth, table, rng)
        table = table.iloc[rows].reset_index(drop=True)
    else:
        table = table.iloc[np.sort(np.random.default_rng(seed).permutation(len(table))[:ROWS])].reset_index(drop=True)
        able = np.ones(len(table), bool) if not case.within else (table["class_name"] == case.within).to_numpy()
        count = round((SHARE if not case.within else 0.4) * able.sum())
        planted = np.isin(np.arange(len(table)), rng.permutation(np.flatnonzero(able))[:count])
    pictures = [square_picture(source) for source in table["picture"]]
    if not truth.captions:
        edit = EDITS[case.truth]
        pictures = [edit(p, rng) if inside else p for p, inside in zip(pictures, planted)]
    ids = tuple(f"{i:04d}" for i in range(len(table)))
    labels = None
    names = ()
    if case.data in ("clothing", "cifar10"):
        names = tuple(sorted(set(table["class_name"])))
        labels = np.array([names.index(name) for name in table["class_name"]], np.int64)
    samples = SampleSet(ids, Photographs(ids, tuple(map(encoded_picture, pictures))), labels, names, name=case.name)
    return DataSet(samples, _outcomes(planted, rng), None, (), ()), planted


def table_of(case: Case, data: Path) -> pd.DataFrame:
    """The photographs that a case draws from, with what opens each in the column "picture"."""
    folder = data / case.data
    if case.data == "cifar10":
        index = pd.read_csv(folder / "index.csv")
        stored = pd.read_parquet(folder / "cifar10.parquet")
        return index.assign(picture=[image["bytes"] for image in stored["image"]])
    if case.data == "flickr8k":
        table = pd.read_csv(folder / "captions.csv")
        table = table[table["split"] == "dev"].reset_index(drop=True)
        return table.assign(picture=[folder / "images" / file for file in table["file"]])
    index = pd.read_csv(folder / "index.csv")
    if case.within:
        index = index[index["class_name"].isin((case.within, "dress", "t-shirt", "pants", "hat"))]
    return index.assign(picture=[folder / file for file in index["file"]])


def _by_captions(truth: Truth, table: pd.DataFrame, rng: Rng) -> tuple[np.ndarray[Any, Any], Bool]:
    """Rows of photographs whose captions mention the attribute clearly or never, and which of them do."""
    pattern = re.compile(truth.captions)
    mentions = np.array(
        [sum(bool(pattern.search(str(row[f"caption_{i}"]).lower())) for i in range(5)) for _, row in table.iterrows()]
    )
    inside = rng.permutation(np.flatnonzero(mentions >= MENTIONS))[:MOST_PLANTED]
    outside = rng.permutation(np.flatnonzero(mentions == 0))[: ROWS - len(inside)]
    rows = np.sort(np.concatenate([inside, outside]))
    return rows, np.isin(rows, inside)


def square_picture(source: Path | bytes) -> Image.Image:
    """The largest centered square of 224 pixels; Flickr8k's are squares already."""
    image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source).convert("RGB")
    return ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.BICUBIC)


def encoded_picture(image: Image.Image) -> bytes:
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=92)
    return memory.getvalue()


def _outcomes(planted: Bool, rng: Rng) -> Outcomes:
    """A cross-entropy whose errors are frequent inside and rare outside."""
    errors = rng.random(len(planted)) < np.where(planted, WRONG_INSIDE, WRONG_OUTSIDE)
    truth = np.where(errors, rng.uniform(0.03, 0.45, len(planted)), rng.uniform(0.55, 0.99, len(planted)))
    return Outcomes(-np.log(truth), "cross-entropy", "nats", "planted", errors=errors)


def judge(title: str, truth: Truth, *, first_alone: bool = False) -> str:
    """ "right", "near" or "wrong": of a guess that lists several words the best of them, or the first alone."""
    words = title.casefold().removeprefix("perhaps: ").replace(" things", "").split(", ")
    for verdict, pattern in (("right", truth.right), ("near", truth.near)):
        if any(re.search(pattern, word) for word in words[: 1 if first_alone else None]):
            return verdict
    return "wrong"


def name_of(found: Diagnosis, cluster: FailureCluster) -> str:
    """The title of the cluster; "" of one that says that nothing is common to its members."""
    called = cluster_name(found, cluster)
    return "" if called.grade == "mixed" else called.text


def judged_cluster(found: Diagnosis, planted: Bool) -> FailureCluster | None:
    """The confirmed cluster with the most planted rows, if it is mostly of them or holds most of them."""
    members = {c.id: c.membership >= 0.5 for c in found.clusters}
    best = max(found.clusters, key=lambda c: int((members[c.id] & planted).sum()), default=None)
    if best is None:
        return None
    both = int((members[best.id] & planted).sum())
    return best if 2 * both >= min(int(planted.sum()), best.size) else None


def diagnose_case(
    case: Case, data: Path, embedding: EmbeddingSettings, permutations: int, seed: int
) -> tuple[Diagnosis, Bool]:
    """The diagnosis of one case, and which of its rows were planted."""
    made, planted = make_case(case, data, seed)
    settings = Settings(map=False, n_permutations=permutations, n_members=4)
    return diagnose_data_set(made, embedding, settings=settings), planted


def measure(case: Case, found: Diagnosis, planted: Bool) -> dict[str, Any]:
    """One line of the result."""
    cluster = judged_cluster(found, planted)
    row: dict[str, Any] = {"case": case.name, "truth": case.truth, "half": case.half, "n": len(planted)}
    row |= {"planted": int(planted.sum()), "clusters": len(found.clusters)}
    others = [(c, name_of(found, c)) for c in found.clusters if c is not cluster]
    row["others"] = [[name, judge(name, TRUTHS[case.truth])] for _, name in others if name]
    if cluster is None:
        return row | {"name": "", "verdict": "missed"}
    members = cluster.membership >= 0.5
    name = name_of(found, cluster)
    row |= {"size": cluster.size, "inside": int((members & planted).sum()), "name": name}
    row |= {"grade": cluster_name(found, cluster).grade, "chance": cluster_name(found, cluster).chance}
    return row | {"verdict": judge(name, TRUTHS[case.truth]) if name else "silent"}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """What docs/evidence/words.md shows."""
    lines = [
        "| cases | n | missed | mixed | likely: right, near, wrong | perhaps: right, near, wrong | by their first word "
        "| named, of found | wrong, of likely |",
        "|" + "---|" * 9,
    ]
    parts = [(half, [r for r in rows if r["half"] == half]) for half in ("tune", "report")]
    for half, own in parts:
        groups = {half: own, f"{half}: corruptions": [r for r in own if not TRUTHS[r["truth"]].captions]}
        groups[f"{half}: natural attributes"] = [r for r in own if TRUTHS[r["truth"]].captions]
        for what, some in groups.items():
            lines += [_line(what, some)] if some else []
    return "\n".join(lines)


def _line(what: str, rows: Sequence[dict[str, Any]]) -> str:
    counts = Counter(row["verdict"] for row in rows)
    found = len(rows) - counts["missed"]
    likely = [row for row in rows if row.get("grade") == "likely"]
    wrong = sum(row["verdict"] == "wrong" for row in likely)
    shares = [show(wilson(k, n)) if n else "–" for k, n in ((found - counts["silent"], found), (wrong, len(likely)))]
    guesses = [row for row in rows if row.get("grade") == "perhaps"]
    alone = [judge(row["name"], TRUTHS[row["truth"]], first_alone=True) for row in guesses]
    verdicts = ([row["verdict"] for row in likely], [row["verdict"] for row in guesses], alone)
    graded = [", ".join(str(own.count(v)) for v in VERDICTS) for own in verdicts]
    numbers = [str(counts["missed"]), str(counts["silent"]), *graded]
    return f"| {what} | {len(rows)} | {' | '.join(numbers)} | {' | '.join(shares)} |"


def listing(rows: Sequence[dict[str, Any]]) -> str:
    """Each case with the name and its verdict."""
    lines = ["| case | half | cluster: members, planted of all | title | grade | verdict |", "|" + "---|" * 6]
    for row in rows:
        held = "–" if "size" not in row else f"{row['size']}, {row['inside']} of {row['planted']}"
        cells = [row["case"], row["half"], held, row["name"] or "–", row.get("grade", "–"), row["verdict"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--half", choices=("tune", "report"), default="tune")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of photographs, plants and losses")
    parser.add_argument("--permutations", type=int, default=119)
    parser.add_argument("--cache", type=Path, help="folder for embeddings, outside the repository")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--list", type=Path)
    given = parser.parse_args()
    if given.show or given.list:
        return print(table(read_lines(given.show)) if given.show else listing(read_lines(given.list)))
    done = keys_done(read_lines(given.out), ("case",)) if given.out else set()
    rows: list[dict[str, Any]] = []
    embedding = EmbeddingSettings(encoder=given.encoder, cache=given.cache)
    with threadpool_limits(1):
        for case in CASES:
            if case.half == given.half and (case.name,) not in done:
                rows.append(measure(case, *diagnose_case(case, given.data, embedding, given.permutations, given.seed)))
                print(rows[-1], flush=True)
                if given.out:
                    append_line(given.out, rows[-1])
    print(table(rows))


if __name__ == "__main__":
    main()
