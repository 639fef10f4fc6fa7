"""Does a description from captions help a reader to tell a cluster's images from the rest?

    python -m research.evidence.described sheets DATA --out FOLDER
    # four readers, each with the sheets and texts of its own folder alone, write NAME.answer.txt there: numbers
    python -m research.evidence.described score FOLDER

DATA holds flickr8k/ (and what else `names.CASES` draws from). Failures are planted on its dev photographs (`names`); of
the first 20 cases with a confirmed cluster of at least LEAST members, a sheet has 24 numbered images: half drawn from
its members, half from the rest of its scope, which the readers are told. Two readers see above them the cluster's eight
worst images, as on the page (none of these is a numbered one); two have words alone. The text beside the sheet gives
the cluster's name, if it has one; for one reader of the two also the description, made of the nearest captions of other
photographs (of the train part, one each). What one gets with a description the other gets without, half of them each,
so that no reader sees a cluster twice. The readers must not open the key.

What is scored is the mean of the share of members that were picked and the share of the others that were not; 0.5 says
nothing. Intervals resample clusters.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from core.discovery.called import scope_rows
from core.discovery.settings import EmbeddingSettings
from core.records import F64, Diagnosis, FailureCluster
from core.statistics.runs import mean_over, show
from core.systems.vl_t5.describe import CaptionedCluster, describe_clusters, nearest_captions
from research.evidence.blind import sheet
from research.evidence.name_cases import CASES, TRUTHS, Case
from research.evidence.names import diagnose_case, name_of

SHEETS = 20
WORST = 8
EACH = 12
LEAST = WORST + EACH
READERS = {"eight pictures and words": ("one", "two"), "words alone": ("three", "four")}
Key = dict[str, Any]


def cases() -> list[Case]:
    """Of the photographs of Flickr8k, natural attributes before corruptions."""
    return sorted((c for c in CASES if c.data == "flickr8k"), key=lambda case: not TRUTHS[case.truth].captions)


def bank_of(data: Path) -> list[str]:
    """A caption of each photograph of the train part, each sentence once."""
    table = pd.read_csv(data / "flickr8k" / "captions.csv")
    return list(dict.fromkeys(table[table["split"] == "train"]["caption_0"].str.strip(" .")))


def drawn(found: Diagnosis, cluster: FailureCluster, seed: int) -> tuple[list[int], list[int], list[bool]]:
    """The worst members, the numbered images, and which of these are members."""
    members = cluster.membership >= 0.5
    inside = np.flatnonzero(members)
    rest = np.flatnonzero(scope_rows(found, cluster.scope) & ~members)
    worst = inside[np.argsort(-found.outcomes.loss[inside], kind="stable")[:WORST]]
    rng = np.random.default_rng(seed)
    own = rng.choice(np.setdiff1d(inside, worst), EACH, replace=False)
    rows = rng.permutation(np.concatenate([own, rng.choice(rest, EACH, replace=False)]))
    return worst.tolist(), rows.tolist(), members[rows].tolist()


def text_of(name: str, said: CaptionedCluster | None) -> str:
    """What a reader gets beside the sheet."""
    lines = [f'The group is called "{name}".' if name else "The group has no title."]
    if said is not None:
        quoted = "; ".join(f'"{text}"' for text in said.quoted)
        lines.append(f"Captions of other photographs that its pictures are nearest to: {quoted}.")
        words = [f"{w.word} ({w.inside:.0%} of the group, {w.outside:.0%} of the rest)" for w in said.confirmed]
        lines.append(f"Words that its captions have more often: {', '.join(words) or 'none that passes a test'}.")
    return "\n".join(lines) + "\n"


def on_one_sheet(found: Diagnosis, worst: list[int], rows: list[int]) -> Image.Image:
    """The worst of the group above, if any, the numbered ones below."""
    asked = [("Of the group:", worst)] if worst else []
    parts = [(text, sheet(found, own)) for text, own in (*asked, ("Which are of it?", rows))]
    page = Image.new("RGB", (parts[0][1].width, sum(part.height + 40 for _, part in parts)), "white")
    draw = ImageDraw.Draw(page)
    y = 0
    for text, part in parts:
        draw.text((6, y + 8), text, fill="black", font_size=22)
        page.paste(part, (0, y + 40))
        y += part.height + 40
    return page.resize((page.width * 3 // 4, page.height * 3 // 4))


def make_sheets(data: Path, out: Path, seed: int) -> None:
    bank = bank_of(data)
    key = dict[str, Key]()
    for reader in sum(READERS.values(), ()):
        (out / reader).mkdir(parents=True, exist_ok=True)
    for case in cases():
        if len(key) == SHEETS:
            break
        found, _ = diagnose_case(case, data, EmbeddingSettings(cache=out / "cache"), 119, seed)
        cluster = next((c for c in found.clusters if c.size >= LEAST), None)
        if cluster is None:
            continue
        captions, near = nearest_captions(found, bank, cache=out / "cache")
        said = next(d for d in describe_clusters(found, captions, cosines=near) if d.cluster == cluster.id)
        worst, rows, member = drawn(found, cluster, seed + len(key))
        stem = f"group_{len(key) + 1:02d}"
        with_it = len(key) % 2
        for shown, pair in zip((worst, list[int]()), READERS.values()):
            for number, reader in enumerate(pair):
                on_one_sheet(found, shown, rows).save(out / reader / f"{stem}.png")
                text = text_of(name_of(found, cluster), said if number == with_it else None)
                (out / reader / f"{stem}.txt").write_text(text, "utf-8")
        key[stem] = {"case": case.name, "member": member, "with": with_it, "words": [w.word for w in said.confirmed]}
        (out / "key.json").write_text(json.dumps(key))
        print(stem, case.name, cluster.size, flush=True)


def right(picked: Sequence[int], member: Sequence[bool]) -> float:
    """Mean of the share of members that were picked (by number, from 1) and of the others that were not."""
    own = np.array(member)
    chosen = np.isin(np.arange(1, len(member) + 1), picked)
    return float((chosen[own].mean() + (~chosen[~own]).mean()) / 2)


def score(folder: Path) -> str:
    """A table of what was right with and without the description."""
    key: dict[str, Key] = json.loads((folder / "key.json").read_text())
    lines = ["| readers have | clusters | n | with the description | without | gain |", "|---|---|---|---|---|---|"]
    spoken = np.array([bool(one["words"]) for one in key.values()])
    parts = {"all": np.ones(len(key), bool), "a word passes": spoken, "none passes": ~spoken}
    for have, pair in READERS.items():
        told = [[_read(folder, stem, one, pair[one["with"] ^ away]) for away in (0, 1)] for stem, one in key.items()]
        lines += [f"| {have} " + _line(what, np.array(told)[rows]) for what, rows in parts.items() if rows.any()]
    return "\n".join(lines)


def _read(folder: Path, stem: str, one: Key, reader: str) -> float:
    text = (folder / reader / f"{stem}.answer.txt").read_text("utf-8")
    return right([int(number) for number in text.replace(",", " ").split()], one["member"])


def _line(what: str, found: F64) -> str:
    figures = (found[:, 0], found[:, 1], found[:, 0] - found[:, 1])
    return f"| {what} | {len(found)} | " + " | ".join(show(mean_over(each, seed=0), 3) for each in figures) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sheets", "score"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "score":
        print(score(given.folder))
    elif given.out is None:
        parser.error("sheets needs --out FOLDER")
    else:
        make_sheets(given.folder, given.out, given.seed)


if __name__ == "__main__":
    main()
