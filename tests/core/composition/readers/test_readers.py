from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.composition.readers import READERS, read_benchmark, reader_options
from core.composition.readers.aro import SYMMETRIC
from core.composition.readers.recognise import KNOWN, recognise
from core.composition.scoring.published import figures_for
from core.errors import InvalidInput
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write

FILES: dict[str, tuple[str, Any]] = {
    "cola": ("COLA_multiobjects_matching_benchmark.json", written.COLA),
    "cola-single": ("COLA_singleobjects_benchmark_GQA.json", written.COLA_SINGLE),
    "winoground": ("examples.jsonl", written.WINOGROUND),
    "colorswap": ("test.json", written.COLORSWAP),
    "sugarcrepe": ("swap_obj.json", written.SUGARCREPE),
    "aro-relation": ("visual_genome_relation.json", [written.relation("on")]),
    "aro-attribution": ("visual_genome_attribution.json", [written.attribution("red", "big")]),
    "aro-order": ("coco_karpathy_test.json", written.ORDER),
    "crepe": ("prod_vg_hard_negs_swap_complexity_5.csv", written.CREPE),
    "valse": ("existence.json", {"a_1": written.valse()}),
    "clevr": ("scenes.json", written.SCENES),
    "negclip": ("valid_neg_clip.tsv", written.NEGCLIP),
    "own": ("mine.csv", written.OWN_CHOICE),
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
def test_a_format_is_recognised_and_read_from_its_file_and_from_its_folder(name: str, tmp_path: Path) -> None:
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
    assert benchmark.notes[0] == "1 other files of the folder were not read, being of another form: 'settings.json'."


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


@pytest.mark.parametrize("document", ["3", "[]", "{}", '{"a": 1}', '[["a"]]', '[{"a": 1}]', "null", '"text"'])
def test_what_fits_no_format_is_answered_with_all_formats(document: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        recognise(write(tmp_path / "x.json", document))
    assert all(form in str(raised.value) for form in KNOWN.values())


def test_an_unknown_name_and_an_unknown_option_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no benchmark 'kola'. Use one of cola, "):
        read_benchmark("kola", tmp_path)
    with pytest.raises(InvalidInput, match=r"'cola' has no option 'seed'. It has none"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA), seed=1)
    assert reader_options("aro-order") == ("seed", "max_words")


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no file or folder"):
        read_benchmark("cola", tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"nowhere\.json"):
        read_benchmark("", tmp_path / "nowhere.json")


# --- Cola


def test_cola_is_read_as_it_was_published(shared_data: Path) -> None:
    benchmark = read_benchmark("", shared_data / "cola")
    raw = json.loads((shared_data / "cola" / "COLA_multiobjects_matching_benchmark.json").read_text())
    assert (benchmark.name, len(benchmark), len(benchmark.pictures), benchmark.headline) == ("cola", 210, 218, "image")
    for item, row in zip(benchmark.items, raw, strict=True):
        first, second = (benchmark.pictures[at].name for at in item.pictures)
        assert [first, item.captions[0], second, item.captions[1]] == [
            row[0],
            " ".join(row[1].split()),
            row[2],
            " ".join(row[3].split()),
        ]
        assert item.match == ((0, 0), (1, 1))


def test_cola_pictures_are_listed_once_and_spaces_are_single(tmp_path: Path) -> None:
    benchmark = read_benchmark("cola", write(tmp_path / "b.json", written.COLA))
    assert [p.name for p in benchmark.pictures] == [f"https://a.org/vg/{i}.jpg" for i in (1, 2, 3)]
    assert benchmark.items[1].pictures == (1, 2)
    assert benchmark.items[1].captions[0] == "tall tree near low wall"


def cola_single(tmp_path: Path, document: Any = written.COLA_SINGLE, **options: Any) -> Any:
    return read_benchmark("cola-single", write(tmp_path / "COLA_singleobjects_benchmark_GQA.json", document), **options)


def test_a_query_ranks_every_picture_and_says_which_are_hard(tmp_path: Path) -> None:
    benchmark = cola_single(tmp_path)
    first, second = benchmark.items
    assert (benchmark.headline, benchmark.title) == ("map", "Cola, single-object (GQA)")
    assert first.captions == ("square white plate",)
    assert first.pictures == second.pictures == (0, 1, 2, 3)
    assert (first.match, second.match) == (((0, 0),), ((1, 0),))
    np.testing.assert_array_equal(first.hard, [True, True, False, False])
    np.testing.assert_array_equal(second.hard, [True, True, True, False])


def test_queries_that_cannot_be_ranked_are_counted(tmp_path: Path) -> None:
    benchmark = cola_single(tmp_path)
    assert benchmark.excluded == (
        ("green cup", "no picture fits the query"),
        ("old clock", "the query has no hard picture"),
    )
    assert "Left out while reading: 1 item because the query has no hard picture." in benchmark.notes
    assert any(
        note.startswith("1 times a picture fits a query for which the file does not mark it as hard")
        for note in benchmark.notes
    )


def test_both_published_shapes_and_rows_without_annotation_read_the_same(tmp_path: Path) -> None:
    short = [[name, label, hard] for name, _, label, hard in written.COLA_SINGLE["data"]]
    a, b, c = (
        cola_single(tmp_path, d)
        for d in (written.COLA_SINGLE, [*written.COLA_SINGLE.values()], [written.COLA_SINGLE["labels"], short])
    )
    for other in (b, c):
        assert [(i.id, i.match, i.hard.tolist()) for i in a.items] == [
            (i.id, i.match, i.hard.tolist()) for i in other.items
        ]


def test_seen_queries_are_tagged_from_the_option_or_the_file(tmp_path: Path) -> None:
    by_option = cola_single(tmp_path, seen="round red plate\nno such query")
    by_file = cola_single(tmp_path, {**written.COLA_SINGLE, "seen": ["round red plate"]})
    for benchmark in (by_option, by_file):
        assert [item.tags["split"] for item in benchmark.items] == ["unseen", "seen"]
    assert "1 queries named as seen are not in the file: 'no such query'." in by_option.notes
    with pytest.raises(InvalidInput, match="seen: none of its 1 queries"):
        cola_single(tmp_path, seen=["else"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ["1.jpg", [1, 0, 0], [1, 1, 0, 0]],
            "data, row 0, label must be a list of 4 zeros and ones, one for each query: it has 3",
        ),
        (["1.jpg", [1, 0, 0, 2], [1, 1, 0, 0]], "data, row 0, label, entry 3 must be 0 or 1: it is 2"),
        (["1.jpg", [1, 0, 0, 0], [1, "0", 0, 0]], "hard list, entry 1 must be 0 or 1: it is text"),
        (["1.jpg", [1, 0, 0, 0]], "must have 3 or 4 entries"),
        ([7, [1, 0, 0, 0], [1, 0, 0, 0]], "row 0, image must be text: it is a number"),
    ],
)
def test_a_wrong_row_of_single_objects_is_named(row: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        cola_single(tmp_path, {"labels": written.COLA_SINGLE["labels"], "data": [row]})


# --- pairs and SugarCrepe


def test_winoground_keeps_its_tags_and_names_without_ending(tmp_path: Path) -> None:
    benchmark = read_benchmark("winoground", write(tmp_path / "examples.jsonl", written.WINOGROUND))
    first = benchmark.items[0]
    assert [p.name for p in benchmark.pictures[:2]] == ["ex_0_img_0", "ex_0_img_1"]
    assert first.tags == {
        "collapsed tag": "Object",
        "tag": "Noun",
        "secondary tag": "Morpheme-Level",
        "main predicates": "1",
    }
    assert "secondary tag" not in benchmark.items[1].tags
    assert (first.captions[0], benchmark.headline) == ("a dog bites man 0", "group")


def test_colorswap_reads_both_parts_with_caption_1_for_image_1(tmp_path: Path) -> None:
    write(tmp_path / "train.json", written.COLORSWAP)
    write(tmp_path / "test.json", written.COLORSWAP[:1])
    benchmark = read_benchmark("", tmp_path)
    assert [item.id for item in benchmark.items] == ["test/0", "train/0", "train/1"]
    assert [item.tags["split"] for item in benchmark.items] == ["test", "train", "train"]
    item = benchmark.items[2]
    assert [benchmark.pictures[at].name for at in item.pictures] == ["images/img_1_1.png", "images/img_1_2.png"]
    assert item.captions == ("red hat, blue shoe 1", "blue hat, red shoe 1")


def test_sugarcrepe_is_read_as_it_was_published(shared_data: Path) -> None:
    benchmark = read_benchmark("", shared_data / "sugarcrepe")
    counts = {
        "replace_obj": 1652,
        "replace_att": 788,
        "replace_rel": 1406,
        "swap_obj": 245,
        "swap_att": 666,
        "add_obj": 2062,
        "add_att": 692,
    }
    assert Counter(item.tags["kind"] for item in benchmark.items) == counts
    assert (len(benchmark), len(benchmark.pictures), benchmark.average, benchmark.headline) == (
        7511,
        1560,
        "kind",
        "pairwise",
    )
    assert benchmark.excluded == ()
    raw = json.loads((shared_data / "sugarcrepe" / "swap_obj.json").read_text())
    mine = {item.id: item for item in benchmark.items if item.tags["kind"] == "swap_obj"}
    assert {id: (i.captions, benchmark.pictures[i.pictures[0]].name) for id, i in mine.items()} == {
        f"swap_obj/{key}": ((" ".join(r["caption"].split()), " ".join(r["negative_caption"].split())), r["filename"])
        for key, r in raw.items()
    }


def test_missing_files_of_sugarcrepe_are_said(tmp_path: Path) -> None:
    benchmark = read_benchmark("sugarcrepe", write(tmp_path / "swap_obj.json", written.SUGARCREPE))
    assert [item.id for item in benchmark.items] == ["swap_obj/0", "swap_obj/2"]
    assert any("these are not here" in note and "'replace_obj'" in note for note in benchmark.notes)


def test_an_empty_caption_leaves_its_item_out(tmp_path: Path) -> None:
    records = {**written.SUGARCREPE, "5": {"filename": "a.jpg", "caption": "A cat.", "negative_caption": "  "}}
    benchmark = read_benchmark("sugarcrepe", write(tmp_path / "swap_obj.json", records))
    assert benchmark.excluded == (("swap_obj/5", "a caption is empty"),)


# --- ARO


def test_relations_that_aro_leaves_out_are_scored_outside_the_headline(tmp_path: Path) -> None:
    rows = [written.relation(name, i) for i, name in enumerate(["on", "next to", "eating", "with"])]
    benchmark = read_benchmark("aro-relation", write(tmp_path / "r.json", rows))
    assert benchmark.average == "relation"
    assert [item.tags for item in benchmark.items] == [
        {"relation": "on"},
        {"relation left out": "next to"},
        {"relation": "eating"},
        {"relation left out": "with"},
    ]
    assert any(
        note.startswith("2 of 4 items have one of the 2 relations that ARO leaves out") for note in benchmark.notes
    )
    assert len(SYMMETRIC) == 157
    assert benchmark.items[0].captions == ("the horse is on the grass", "the grass is on the horse")
    assert (benchmark.pictures[0].name, benchmark.pictures[0].box) == ("0.jpg", (1.0, 2.0, 30.0, 20.0))


def test_crops_of_one_picture_are_pictures_of_their_own(tmp_path: Path) -> None:
    rows = [written.relation("on"), {**written.relation("on"), "bbox_x": 5}, written.relation("in")]
    benchmark = read_benchmark("aro-relation", write(tmp_path / "r.json", rows))
    assert [item.pictures for item in benchmark.items] == [(0,), (1,), (0,)]


def test_pairs_of_attributes_with_fewer_than_25_items_are_outside_the_headline(tmp_path: Path) -> None:
    rows = [written.attribution("red", "big", i) for i in range(25)] + [
        written.attribution("old", "wet", i) for i in range(24)
    ]
    benchmark = read_benchmark("aro-attribution", write(tmp_path / "a.json", rows))
    assert benchmark.average == "attributes"
    assert Counter(tuple(item.tags.items()) for item in benchmark.items) == {
        (("attributes", "red / big"),): 25,
        (("attributes left out", "pairs with fewer than 25 items"),): 24,
    }
    assert any(note.startswith("24 of 49 items belong to the 1 pairs") for note in benchmark.notes)
    few = read_benchmark("aro-attribution", write(tmp_path / "a.json", rows[25:]))
    assert few.average == ""


def test_a_box_that_is_no_number_is_named(tmp_path: Path) -> None:
    rows = [written.relation("on"), {**written.relation("on"), "bbox_w": "wide"}]
    with pytest.raises(InvalidInput, match="record 1: 'bbox_w' must be a number: it is 'wide'"):
        read_benchmark("aro-relation", write(tmp_path / "r.json", rows))


def test_tags_beside_a_file_in_colas_form_are_read_and_it_is_not_called_cola(repository: Path) -> None:
    benchmark = read_benchmark(
        "cola", repository / "assets/composition/rendered/COLA_multiobjects_matching_benchmark.json"
    )
    assert benchmark.title == "Pairs in Cola's form"
    assert {item.tags["split"] for item in benchmark.items} == {"seen", "unseen"}
    assert figures_for(benchmark) == ()


@pytest.mark.parametrize("tags", ['["a"]', '{"0": 1}', '{"0": {"kind": 1}}', "no json"])
def test_tags_of_another_shape_are_refused(tags: str, tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_text(tags)
    with pytest.raises(InvalidInput, match=r"tags\.json"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA))
