"""A model that answers and is weak at one thing, and whether the diagnosis of its losses says which.

    python -m research.evidence.answers_weak --scratch DIR --out FILE
    python -m research.evidence.answers_weak --scratch DIR --out FILE --show

The model learns colors from scenes none of which has a purple thing. Then one question about a color is put to each
of other scenes, of two or three things, some of them purple, by `answers --questions`, and the table is diagnosed as
anyone's is. Null: the same table with the losses dealt out anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from core.cli.main import main as errata
from core.data.samples import read_data_set
from core.diagnose import diagnose_data_set
from core.discovery.settings import EmbeddingSettings, Settings
from core.files import default_cache
from core.records import Diagnosis
from core.statistics.intervals import wilson
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import COLOURS
from core.systems.vl_t5.folder import write_describer
from core.systems.vl_t5.known_answers import WRITTEN
from core.systems.vl_t5.tasks import QUESTION
from research.evidence.lines import append_line, read_lines
from research.weights.vl_t5.fit import fit, words_of
from research.weights.vl_t5.material import HELD_OUT, Material, mixed, read_material
from research.weights.vl_t5.new_model import NewSizes
from research.weights.vl_t5.scene_draws import draw_scenes
from research.weights.vl_t5.scene_tasks import SceneTasks
from research.weights.vl_t5.teach import Teaching

UNSEEN = "purple"
TASKS = 12_000
DRAWN = 1000
SEED = 14
NULLS = 10
MOST = 3
"""Things of a scene that is asked about."""


def without(material: Material, colour: str) -> Material:
    """The scenes that have no thing of the color."""
    rows = [i for i, scene in enumerate(material.scenes) if all(t.colour != colour for t in scene.things)]
    scenes = tuple(material.scenes[i] for i in rows)
    return Material(scenes, material.scene_cells[rows], [], material.photo_cells, material.photo_rows)


def teach_weak(scratch: Path) -> Path:
    """The folder of the model, taught once."""
    folder = scratch / "weak"
    if not folder.is_dir():
        material = without(read_material(None, scratch), UNSEEN)
        tasks = mixed(material, TASKS, 0, {f"{QUESTION} colour": 1.0})
        words = [*words_of(material, tasks), *[colour for colour in COLOURS for _ in range(5)]]
        write_describer(fit(material, tasks, words, Teaching(), NewSizes())[0], folder)
    return folder


def asked(scratch: Path) -> tuple[Path, Path]:
    """The table of questions and the folder of images."""
    pictures = scratch / "weak_pictures"
    table = scratch / "weak_questions.csv"
    drawn = draw_scenes(DRAWN, SEED, HELD_OUT)
    scenes = [scene for scene in drawn if len(scene.things) <= MOST]
    rows: list[dict[str, str]] = []
    pictures.mkdir(exist_ok=True)
    for one in SceneTasks(scenes, np.random.default_rng(SEED)).one_each(QUESTION, "colour"):
        name = f"{one.picture}.png"
        if not (pictures / name).is_file():
            render_scene(scenes[one.picture]).save(pictures / name)
        rows.append({"image": name, "question": one.given.removeprefix(f"{QUESTION} "), "answer": one.wanted})
    pd.DataFrame(rows).to_csv(table, index=False)
    return table, pictures


def run(scratch: Path, out: Path) -> None:
    model, (table, pictures), losses = teach_weak(scratch), asked(scratch), scratch / "weak_losses.csv"
    named = ["--images", str(pictures), "--model", str(model), "--out", str(losses)]
    assert errata(["answers", "--questions", str(table), *named]) == 0
    frame = pd.read_csv(losses)
    for purple in (True, False):
        own = frame[(frame["answer"] == UNSEEN) == purple]
        line = {"what": "answers", "purple": purple, "n": len(own), "right": int(own["correct"].sum())}
        append_line(out, line | {"loss": round(float(own["loss"].mean()), 3)})
    append_line(out, told(diagnosed(frame, pictures, 5000), frame, "losses"))
    for seed in range(NULLS):
        dealt = frame.copy()
        order = np.random.default_rng(seed).permutation(len(frame))
        for name in WRITTEN:
            dealt[name] = frame[name].to_numpy()[order]
        append_line(out, told(diagnosed(dealt, pictures, 1000, seed), dealt, "null") | {"seed": seed})


def diagnosed(frame: pd.DataFrame, pictures: Path, permutations: int, seed: int = 0) -> Diagnosis:
    data = read_data_set(frame, images=pictures)
    settings = Settings(seed=seed, n_permutations=permutations, map=False)
    return diagnose_data_set(data, EmbeddingSettings(cache=default_cache()), settings=settings)


def told(found: Diagnosis, frame: pd.DataFrame, what: str) -> dict[str, Any]:
    """What the run confirms: its clusters, with the share of purple answers inside, and its conditions."""
    purple = (frame["answer"] == UNSEEN).to_numpy()
    clusters = [
        {
            "name": one.called.text if one.called else one.name,
            "size": one.size,
            "purple": round(float(purple[one.membership >= 0.5].mean()), 3),
            "p": one.p,
        }
        for one in found.clusters
    ]
    insights = [
        {"text": one.text, "size": one.size, "p": one.p, "effect": round(one.effect.value, 3)}
        for one in found.insights
        if one.confirmed
    ]
    r2 = found.estimate.predictability.r2
    return {"what": what, "n": len(frame), "clusters": clusters, "insights": insights, "r2": round(r2.value, 3)}


def show(out: Path) -> None:
    lines = read_lines(out)
    for line in lines:
        if line["what"] != "null":
            print(json.dumps(line, ensure_ascii=False))
    nulls = [bool(line["clusters"] or line["insights"]) for line in lines if line["what"] == "null"]
    if nulls:
        share = wilson(sum(nulls), len(nulls))
        print(f"null: {sum(nulls)} of {len(nulls)} say anything [{share.low:.3f}, {share.high:.3f}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not given.show:
        run(given.scratch, given.out)
    show(given.out)


if __name__ == "__main__":
    main()
