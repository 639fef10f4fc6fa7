"""Images with captions and no foils."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.samples import read_data_set
from core.errors import Cancelled, InvalidInput
from core.records import no_progress
from core.systems.composition.commands.score_models import open_pictured
from core.systems.composition.foils.of_captions import LEAST_NAMED, caption_foils, things_named
from core.systems.composition.readers import read_benchmark
from core.systems.composition.readers.captions import read_run
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write
from tests.support.tables import N, folder, frame


def test_each_row_gives_an_item_for_each_kind_of_foil_and_is_counted_without_one(tmp_path: Path) -> None:
    benchmark = read_benchmark("", write(tmp_path / "captions.csv", written.CAPTIONS))
    of_first = {item.tags["kind"]: item for item in benchmark.items if item.tags["split"] == "train"}
    assert of_first["position"].captions == ("A black dog on a red mat .", "A black dog under a red mat .")
    assert of_first["swap attributes"].captions[1] == "A red dog on a black mat ."
    assert {item.tags["change"] for item in of_first.values()} == {"swap", "replace", "add"}
    assert [picture.name for picture in benchmark.pictures] == ["1.jpg", "2.jpg"]
    assert dict(benchmark.excluded) == {
        "3.jpg": "its captions allow no foil",
        "captions.csv, row 3": "it names no image",
    }


def test_no_foil_brings_in_a_word_that_another_caption_of_the_picture_says() -> None:
    rng, captions = np.random.default_rng(0), ["A black dog runs .", "A white dog near a ball ."]
    foils = caption_foils(captions, ["ball", "bicycle"], rng)
    assert foils
    black = [foil.foil for foil in foils if foil.caption == captions[0]]
    assert not any("white" in foil or "ball" in foil for foil in black)
    (added,) = (foil for foil in foils if foil.kind == "add object")
    assert added.foil == "A black dog runs near a bicycle ."
    alone = {foil.kind: foil.foil for foil in caption_foils(captions[:1], [], rng)}
    assert alone["colour"] == "A white dog runs ."  # it is what the second caption kept out


def test_only_things_that_several_captions_name_are_added() -> None:
    said = ["A dog with a ball beside a fence ."] * LEAST_NAMED + ["A man in a hat with a kite ."] * (LEAST_NAMED - 1)
    assert things_named(said) == ("ball", "fence")


def test_rows_of_one_split_are_taken_and_another_is_refused_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "captions.csv", written.CAPTIONS)
    assert {item.tags["split"] for item in read_benchmark("", file, split="dev").items} == {"dev"}
    with pytest.raises(InvalidInput, match=r"no row with the split 'test'. It has 'dev', 'train'"):
        read_benchmark("captions", file, split="test")


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    rows = "".join(f"{i}.jpg,A dog by a {thing} .\n" for i, thing in enumerate(["fence", "wall", "kite"] * LEAST_NAMED))
    file = write(tmp_path / "captions.csv", f"image,caption\n{rows}")
    first, again, other = ([item.captions for item in read_benchmark("", file, seed=seed).items] for seed in (1, 1, 2))
    assert first == again != other


def test_a_table_without_pictures_or_captions_is_refused_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"needs a column image .* It has 'a', 'b'"):
        read_benchmark("captions", write(tmp_path / "other.csv", "a,b\n1,2\n"))


def test_rows_of_one_picture_are_taken_together(tmp_path: Path) -> None:
    rows = "1.jpg,A black dog on a mat .\n2.jpg,A red cat .\n1.jpg,A white dog under a mat .\n"
    benchmark = read_benchmark("", write(tmp_path / "long.csv", f"image,caption\n{rows}"))
    kinds = [item.tags["kind"] for item in benchmark.items if benchmark.pictures[item.pictures[0]].name == "1.jpg"]
    assert len(kinds) == len(set(kinds)) > 1
    said = " ".join(caption for item in benchmark.items for caption in item.captions if caption.startswith("A white"))
    assert "A white dog on" not in said  # the third row says that it is white


def test_captions_listed_in_a_cell_are_those_in_columns(tmp_path: Path) -> None:
    said = ["A black dog on a mat .", "A dog, black, lies under a lamp ."]
    wide = pd.DataFrame({"image": ["1.jpg"], "caption_0": said[:1], "caption_1": said[1:]})
    listed = pd.DataFrame({"image": ["1.jpg"], "captions": [said]})
    (tmp_path / "wide.csv").write_text(wide.to_csv(index=False), "utf-8")
    (tmp_path / "listed.csv").write_text(listed.to_csv(index=False), "utf-8")
    one, other = (read_benchmark("", tmp_path / f"{name}.csv").items for name in ("wide", "listed"))
    assert [item.captions for item in one] == [item.captions for item in other]


def test_reading_says_where_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    write(tmp_path / "captions.csv", "image,caption\n0.png,A black dog .\n1.png,A red cat .\n")
    for i in range(2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    seen: list[tuple[str, int, int]] = []
    open_pictured(str(tmp_path), progress=lambda *now: seen.append(now))
    assert ("make foils", 0, 2) in seen
    assert ("check images", 0, 2) in seen

    def stop(step: str, done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read_benchmark("captions", tmp_path / "captions.csv", progress=stop)


def test_a_folder_with_such_a_table_can_be_drawn_from(tmp_path: Path) -> None:
    write(tmp_path / "captions.csv", "image,caption\n0.png,A black dog .\n1.png,A red cat .\n")
    for i in range(2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    for path in (tmp_path, tmp_path / "captions.csv"):
        assert len(open_pictured(str(path), n=1, progress=no_progress).benchmark.pictures) == 1
    with pytest.raises(InvalidInput, match="No benchmark"):
        open_pictured(str(tmp_path / "none.csv"), n=1, progress=no_progress)


def test_a_table_that_brings_its_foils_is_not_taken_for_captions_alone(tmp_path: Path) -> None:
    for column in ("foil", "negative_caption", "hard_negs", "neg_caption"):
        file = write(tmp_path / f"{column}.csv", f"filename,caption,{column}\n1.jpg,A black dog .,A white dog .\n")
        with pytest.raises(InvalidInput, match="does not have the shape"):
            read_benchmark("", file)
        assert read_benchmark("captions", file).items  # by name it is


@pytest.mark.parametrize(
    ("rows", "given", "said"),
    [
        ("1.jpg,ein schwarzer Hund auf einer Matte\n", {}, "The rules read English"),
        ("1.jpg,A black dog .\n", {"most": 0}, "must be at least 1 image: got 0"),
        ("1.jpg,A black dog .\n", {"most": -5}, "must be at least 1 image: got -5"),
        ("1.jpg,A black dog .\n", {"seed": -1}, "seed must be at least 0"),
        ("1.jpg,A black dog .\n2.jpg,A red cat .\n3.jpg,A red cat .\n", {}, "3 images; .* at most 2 .* --n"),
    ],
)
def test_each_fault_has_its_own_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, given: dict[str, int], said: str
) -> None:
    monkeypatch.setattr("core.systems.composition.readers.captions.MAX_PICTURES", 2)
    with pytest.raises(InvalidInput, match=said):
        read_benchmark("", write(tmp_path / "captions.csv", f"image,caption\n{rows}"), **given)


def test_a_caption_that_is_too_long_is_left_out_and_counted_and_the_picture_keeps_its_others(tmp_path: Path) -> None:
    file = tmp_path / "captions.csv"
    rows = [f"a.jpg,A black dog on a red mat.\na.jpg,{'x ' * 1001}\nb.jpg,{'y ' * 1001}\n"]
    file.write_text("image,caption\n" + "".join(rows), "utf-8")
    found = read_benchmark("captions", file)
    assert {item.id.split("/")[0] for item in found.items} == {"a.jpg"}
    assert [reason for _, reason in found.excluded] == ["a caption is longer than 2,000 characters"] * 2


def test_no_foil_says_what_a_caption_says_that_is_too_long_itself(tmp_path: Path) -> None:
    short, words = "A black dog on a red mat.", "blue green yellow pink purple orange white brown grey"
    long = f"a.jpg,{words} {'x ' * 1001}\n"
    alone, beside = (
        read_benchmark("captions", write(tmp_path / f"{at}.csv", f"image,caption\na.jpg,{short}\n{more}"))
        for at, more in enumerate(("", long))
    )
    foils = [{foil for item in found.items for foil in item.captions} - {short} for found in (alone, beside)]
    assert any(word in foil for foil in foils[0] for word in words.split())
    assert foils[1]
    assert not any(word in foil.lower().split() for foil in foils[1] for word in words.split())


def test_a_row_without_a_picture_is_left_out_once(tmp_path: Path) -> None:
    rows = f"image,caption\n,{'x ' * 1001}\nb.jpg,A black dog on a red mat.\n"
    assert len(read_benchmark("captions", write(tmp_path / "captions.csv", rows)).excluded) == 1


@pytest.mark.parametrize(
    "cell", ["A red cup {i} and a blue car.", '["A red cup {i}.", "A car {i} left of a red cup."]']
)
def test_captions_of_the_table_of_a_run_come_with_its_images(cell: str, tmp_path: Path) -> None:
    table = frame(caption=[cell.replace("{i}", str(i)) for i in range(N)])
    samples = read_data_set(table=table, images=folder(tmp_path / "images")).samples
    read = read_run(samples)
    assert {picture.name for picture in read.benchmark.pictures} == set(samples.ids)
    assert samples.items is not None
    for at, picture in enumerate(read.benchmark.pictures):
        assert read.store.name(at) == samples.items.name(samples.ids.index(picture.name))
    with pytest.raises(InvalidInput, match="no images with a column caption"):
        read_run(read_data_set(table=frame(), images=folder(tmp_path / "images")).samples)
