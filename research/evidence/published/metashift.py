"""MetaShift's cats and dogs, indoors and outdoors, by their captions: is the known bias found where a model has it?

    python -m research.evidence.published.metashift FOLDER --seeds 1000 1010 --out metashift.jsonl

FOLDER holds LADDER's captions of 349 validation images, by BLIP and by GPT-4o, with the class and the place. There
are no images and no predictions, so the model is ours: a logistic regression that reads BLIP's caption without the
words for the animal, asked out of fold. It knows the animal by what is around it and fails on cats outdoors and dogs
indoors. Errata and its peers see the sentence vector of GPT-4o's caption of the same image, the class, the losses and
the predictions. The seed draws the model's folds.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from core.encoders.embedded.minilm import embed_sentences
from core.records import F32, I64, Bool
from core.systems.composition.scoring.precision import average_precision
from core.systems.peers.engines.rows import EngineRows, engine_scores, fit_engine
from research.evidence.lines import append_line, keys_done, mean_over, read_lines, show
from research.evidence.published.blindspots import our_groups
from research.scoreboard.measures import expected_precision_at
from research.scoreboard.methods import find_method
from research.scoreboard.planting import MAX_LOSS

SLICES = {"cats outdoors": (1, 0), "dogs indoors": (0, 1)}
"""(class, place): 1 is cat, 1 is indoors."""
METHODS = ("errata", "domino", "planespot", "error logistic", "svm directions", "class ridge (0/1 error)", "raw loss")
ANIMAL = re.compile(r"\b(cat|dog|kitten|kitty|puppy|pup|feline|canine|terrier|retriever|bulldog|poodle)s?('s)?\b", re.I)


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedPictures:
    """What is known of each image."""

    labels: I64
    places: I64
    blip: F32
    """(n, 384) of BLIP's caption without the animal's words."""
    gpt: F32
    """(n, 384) unit rows of GPT-4o's caption."""


def read_captions(folder: Path) -> CaptionedPictures:
    blip = pd.read_csv(folder / "va_metadata_metashift_captioning_blip.csv")
    gpt = pd.read_csv(folder / "va_metadata_metashift_captioning_gpt.csv")
    rows = blip.merge(gpt[["filename", "gpt-4o_caption"]], on="filename", validate="one_to_one")
    told = [without_animal(text) for text in rows["blip_caption"]]
    seen = embed_sentences(rows["gpt-4o_caption"].tolist())
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    return CaptionedPictures(rows["y"].to_numpy(np.int64), rows["a"].to_numpy(np.int64), embed_sentences(told), seen)


def without_animal(caption: str) -> str:
    """The caption with "animal" for every word that names it."""
    return ANIMAL.sub("animal", caption)


def audited(pictures: CaptionedPictures, seed: int) -> EngineRows:
    """The model's results, each by folds that did not see the row."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    model = LogisticRegression(C=0.3, max_iter=500)
    found = np.asarray(cross_val_predict(model, pictures.blip, pictures.labels, cv=folds, method="predict_proba"))
    losses = np.minimum(-np.log(np.maximum(found[np.arange(len(found)), pictures.labels], 1e-12)), MAX_LOSS)
    return EngineRows(pictures.gpt, pictures.labels, losses, found.argmax(1) != pictures.labels, found)


def slices_of(pictures: CaptionedPictures) -> dict[str, Bool]:
    return {name: (pictures.labels == y) & (pictures.places == a) for name, (y, a) in SLICES.items()}


def measure(pictures: CaptionedPictures, seed: int) -> list[dict[str, Any]]:
    """One line a method and slice: of its best slice the precision at 10 and the average precision; of Errata also
    precision and recall of the confirmed cluster that holds most of the slice."""
    rows = audited(pictures, seed)
    lines = list[dict[str, Any]]()
    claimed, _ = our_groups(rows, seed)
    for name in METHODS:
        scores = engine_scores(fit_engine(find_method(name).make(seed), rows), rows)
        for which, truth in slices_of(pictures).items():
            line: dict[str, Any] = {"seed": seed, "method": name, "slice": which, "n": int(truth.sum())}
            line |= {"error": float(rows.errors[truth].mean()), "error_elsewhere": float(rows.errors[~truth].mean())}
            line["p10"] = max(expected_precision_at(10, column, truth) for column in scores.T)
            line["ap"] = max(average_precision(column, truth) for column in scores.T)
            if name == "errata":
                best = max(claimed, key=lambda group: int((group & truth).sum()), default=np.zeros(len(truth), bool))
                line |= {"claims": len(claimed), "recall": float(best[truth].mean())}
                line["precision"] = float(truth[best].mean()) if best.any() else None
            lines.append(line)
    return lines


def table(rows: list[dict[str, Any]]) -> str:
    """One line a slice and method; means and intervals over the model's folds."""
    lines = ["| slice | error there / elsewhere | method | P@10 | average precision |", "|---|---|---|---|---|"]
    for which in SLICES:
        for name in METHODS:
            mine = [row for row in rows if (row["slice"], row["method"]) == (which, name)]
            here, there = (float(np.mean([row[k] for row in mine])) for k in ("error", "error_elsewhere"))
            found = [show(mean_over([row[k] for row in mine])) for k in ("p10", "ap")]
            lines.append(f"| {which} ({mine[0]['n']}) | {here:.2f} / {there:.2f} | {name} | {' | '.join(found)} |")
    return "\n".join(lines)


def claims_line(rows: list[dict[str, Any]], which: str) -> str:
    """What Errata claims of a slice."""
    ours = [row for row in rows if (row["slice"], row["method"]) == (which, "errata")]
    held = [row for row in ours if row["precision"] is not None]
    precision, recall = (float(np.mean([row[k] for row in held])) if held else 0.0 for k in ("precision", "recall"))
    best = f"; the claim that holds most of it: precision {precision:.2f}, recall {recall:.2f}" if held else ""
    return f"{which}: claimed in {len(held)} of {len(ours)} runs{best}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of LADDER's two caption tables")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1010), metavar=("FIRST", "END"))
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    pictures = read_captions(given.folder)
    done = keys_done(read_lines(given.out), ("seed",))
    with threadpool_limits(1):
        for seed in range(*given.seeds):
            if (seed,) not in done:
                for line in measure(pictures, seed):
                    append_line(given.out, line)
    lines = read_lines(given.out)
    print(table(lines), *(claims_line(lines, which) for which in SLICES), sep="\n\n")


if __name__ == "__main__":
    main()
