from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import READERS, read_benchmark, reader_options
from core.systems.composition.readers.recognise import KNOWN, recognise
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write

FILES: dict[str, tuple[str, Any]] = {
    "cola": ("COLA_multiobjects_matching_benchmark.json", written.COLA),
    "cola-single": ("COLA_singleobjects_benchmark_GQA.json", written.COLA_SINGLE),
    "winoground": ("examples.jsonl", written.WINOGROUND),
    "colorswap": ("test.json", written.COLORSWAP),
    "sugarcrepe": ("swap_obj.json", written.SUGARCREPE),
    "sugarcrepe++": ("swap_obj.json", written.TWO_TRUE),
    "aro-relation": ("visual_genome_relation.json", [written.relation("on")]),
    "aro-attribution": ("visual_genome_attribution.json", [written.attribution("red", "big")]),
    "aro-order": ("coco_karpathy_test.json", written.ORDER),
    "crepe": ("prod_vg_hard_negs_swap_complexity_5.csv", written.CREPE),
    "valse": ("existence.json", {"a_1": written.valse()}),
    "clevr": ("scenes.json", written.SCENES),
    "negclip": ("valid_neg_clip.tsv", written.NEGCLIP),
    "own": ("mine.csv", written.OWN_CHOICE),
    "captions": ("captions.csv", written.CAPTIONS),
}
PICTURE_KINDS = {
    "cola": "pairs",
    "winoground": "pairs",
    "colorswap": "pairs",
    "cola-single": "retrieval",
    "clevr": "retrieval",
}


def test_every_format_is_known_listed_and_tried_here() -> None:
    assert set(READERS) == set(KNOWN) == set(FILES)


@pytest.mark.parametrize("name", READERS)
def test_a_format_is_recognized_and_read_from_its_file_and_from_its_folder(name: str, tmp_path: Path) -> None:
    file = write(tmp_path / "data" / FILES[name][0], FILES[name][1])
    assert recognise(file) == recognise(file.parent) == name
    for benchmark in (read_benchmark(name, file), read_benchmark("", file.parent)):
        assert benchmark.name == name
        assert benchmark.kind == PICTURE_KINDS.get(name, "choice")
        assert benchmark.blind == (benchmark.kind == "choice")
        assert all((benchmark.title, benchmark.source, benchmark.headline, benchmark.items, benchmark.pictures))
        assert {at for item in benchmark.items for at in item.pictures} == set(range(len(benchmark.pictures)))
        assert len({item.id for item in benchmark.items}) == len(benchmark)
        assert all(0 <= p < len(i.pictures) and 0 <= t < len(i.captions) for i in benchmark.items for p, t in i.match)


def test_a_folder_with_pictures_and_notes_beside_the_file_is_read_and_other_data_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "b.json", written.COLA)
    write(tmp_path / "settings.json", {"a": 1})
    write(tmp_path / "README.md", "words")
    benchmark = read_benchmark("cola", tmp_path)
    assert len(benchmark) == 2
    assert benchmark.notes[0] == "Skipped 1 other files of the folder, of another form: 'settings.json'."


def test_a_folder_with_two_benchmarks_must_be_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.json", written.COLA)
    write(tmp_path / "swap_obj.json", written.SUGARCREPE)
    with pytest.raises(InvalidInput, match=r"several benchmarks \(cola, sugarcrepe\)"):
        recognise(tmp_path)
    assert len(read_benchmark("sugarcrepe", tmp_path)) == 2


def test_two_files_of_a_benchmark_of_one_file_must_be_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.json", written.COLA)
    write(tmp_path / "b.json", written.COLA)
    with pytest.raises(InvalidInput, match=r"2 files of this form: 'a.json', 'b.json'. Name one"):
        read_benchmark("cola", tmp_path)


def test_an_unknown_name_and_an_unknown_option_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Unknown benchmark 'kola'. Use one of cola, "):
        read_benchmark("kola", tmp_path)
    with pytest.raises(InvalidInput, match=r"'cola' has no option 'seed'. It has none"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA), seed=1)
    assert reader_options("aro-order") == ("seed", "max_words")


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No file or folder"):
        read_benchmark("cola", tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"nowhere\.json"):
        read_benchmark("", tmp_path / "nowhere.json")
