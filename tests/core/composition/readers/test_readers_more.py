from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.composition.readers import read_benchmark
from core.composition.readers.aro import shuffled, tidy_words
from core.errors import InvalidInput
from tests.support import benchmark_files as written
from tests.support.benchmark_files import thing, write

# --- ARO, order


def test_order_foils_hold_the_caption_s_words_and_the_seed_repeats_them(tmp_path: Path) -> None:
    file = write(tmp_path / "coco.json", written.ORDER)
    first, again, other = (read_benchmark("aro-order", file, seed=seed) for seed in (1, 1, 2))
    item = first.items[0]
    assert item.captions[0] == "a man with a red helmet on a small moped"
    assert len(item.captions) == 3
    assert all(
        Counter(foil.split()) == Counter(item.captions[0].split()) and foil != item.captions[0]
        for foil in item.captions[1:]
    )
    assert [i.captions for i in first.items] == [i.captions for i in again.items]
    assert [i.captions for i in first.items] != [i.captions for i in other.items]
    assert first.items[1].captions == ("dogs run", "run dogs")
    assert any("need a tagger and are missing" in note for note in first.notes)
    assert "1 captions are too short for both foils and have one." in first.notes


def test_one_foil_moves_groups_of_three_and_the_other_moves_words_within_them() -> None:
    words = [f"w{i}" for i in range(10)]
    groups = {tuple(words[at : at + 3]) for at in range(0, 10, 3)}
    for seed in range(20):
        moved, within = (foil.split() for foil in shuffled(words, np.random.default_rng(seed)))
        short = moved.index("w9")
        whole = moved[:short] + moved[short + 1 :]
        assert {tuple(whole[at : at + 3]) for at in range(0, 9, 3)} | {("w9",)} == groups
        assert [set(within[at : at + 3]) for at in range(0, 10, 3)] == [
            set(words[at : at + 3]) for at in range(0, 10, 3)
        ]


@pytest.mark.parametrize("words", [[], ["one"], ["same", "same"]])
def test_a_caption_with_one_order_has_no_foil(words: list[str]) -> None:
    assert shuffled(words, np.random.default_rng(0)) == ()


def test_captions_are_tidied_as_aro_does_it() -> None:
    assert tidy_words('  A "man" (tall); well-dressed, runs: fast!\n', 30) == [
        "a",
        "man",
        "tall",
        "well-dressed,",
        "runs",
        "fast",
    ]
    assert tidy_words("a b c d", 2) == ["a", "b"]


def test_ready_made_orders_are_used_as_they_are(tmp_path: Path) -> None:
    records = [
        {"image": "1.jpg", "caption_options": ["a dog runs", "runs dog a", "dog a runs", "a runs dog", "dog runs a"]}
    ]
    benchmark = read_benchmark("", write(tmp_path / "order.json", records))
    assert benchmark.items[0].captions == tuple(records[0]["caption_options"])
    assert not any("tagger" in note for note in benchmark.notes)


@pytest.mark.parametrize("options", [{"seed": -1}, {"max_words": 1}])
def test_options_of_order_are_checked(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="seed must be 0 or more and max_words at least 2"):
        read_benchmark("aro-order", write(tmp_path / "coco.json", written.ORDER), **options)


# --- CREPE


def test_crepe_reads_python_lists_boxes_and_its_file_s_name(tmp_path: Path) -> None:
    benchmark = read_benchmark("crepe", write(tmp_path / "prod_vg_hard_negs_swap_complexity_12.csv", written.CREPE))
    first, second = benchmark.items
    assert first.captions == ("a dog on a log", "a log on a dog", "a dog's log")
    assert first.tags == {"foils": "swap", "complexity": "12"}
    assert [(p.name, p.box) for p in benchmark.pictures] == [("12.jpg", (1, 2, 30, 20)), ("13.jpg", (0, 0, 10, 10))]
    assert (second.captions, benchmark.headline) == (("a cup", "a cap"), "r@1")


def test_the_column_of_negatives_can_be_chosen_and_is_said(tmp_path: Path) -> None:
    text = "image_id,x,y,width,height,caption,valid_hard_negs_atom,valid_hard_negs_comp,valid_hard_negs_combined\n"
    text += "1,0,0,9,9,a dog,['a cat'],['a dog cat'],\"['a cat', 'a dog cat']\"\n2,0,0,9,9,a cup,[],['cap'],['cap']\n"
    file = write(tmp_path / "syst_vg_hard_negs_unseen_compounds_in_cc12m.csv", text)
    usual, atoms = read_benchmark("", file), read_benchmark("crepe", file, negatives="valid_hard_negs_atom")
    assert [len(item.captions) for item in usual.items] == [3, 2]
    assert usual.items[0].tags == {"compounds": "unseen", "corpus": "cc12m"}
    assert atoms.excluded == (("syst_vg_hard_negs_unseen_compounds_in_cc12m/1", "it has no foil"),)
    assert any("its column valid_hard_negs_combined" in note for note in usual.notes)
    with pytest.raises(InvalidInput, match=r"no column of hard negatives 'hard_negs'. It has 'valid_hard_negs_atom'"):
        read_benchmark("crepe", file, negatives="hard_negs")


@pytest.mark.parametrize(
    "cell",
    [
        "['a'",
        "__import__('os').system('true')",
        "[open('x')]",
        "['a', 3]",
        "{'a'}",
        "[" * 300 + "]" * 300,
        "['a' * 10**9]",
        "[b'a']",
    ],
)
def test_a_cell_that_is_no_list_of_texts_is_refused_and_nothing_is_run(cell: str, tmp_path: Path) -> None:
    quoted = cell.replace('"', '""')
    file = write(tmp_path / "x.csv", f'image_id,x,y,width,height,caption,hard_negs\n1,0,0,9,9,a dog,"{quoted}"\n')
    with pytest.raises(InvalidInput, match=r"x\.csv, row 0: 'hard_negs'"):
        read_benchmark("crepe", file)


@pytest.mark.parametrize("value", ["", "nan", "inf", "wide"])
def test_a_box_of_crepe_must_be_finite(value: str, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", f"image_id,x,y,width,height,caption,hard_negs\n1,0,0,{value},9,a dog,['a cat']\n")
    with pytest.raises(InvalidInput, match="row 0: 'width' must be a number"):
        read_benchmark("crepe", file)


# --- VALSE


def test_valse_keeps_what_two_annotators_confirmed(tmp_path: Path) -> None:
    records = {"a": written.valse(3), "b": written.valse(2), "c": written.valse(1), "d": written.valse(None)}
    benchmark = read_benchmark("", write(tmp_path / "plurals.json", records))
    assert [item.id for item in benchmark.items] == ["plurals/a", "plurals/b"]
    assert [reason for _, reason in benchmark.excluded] == [
        f"fewer than 2 annotators confirmed its caption: {n}" for n in (1, 0)
    ]
    assert "Left out while reading: 2 items because fewer than 2 annotators confirmed its caption." in benchmark.notes
    assert (benchmark.average, benchmark.items[0].tags) == ("piece", {"piece": "plurals", "phenomenon": "existence"})


def test_valse_says_the_statement_where_the_caption_is_a_question(tmp_path: Path) -> None:
    records = {
        "a": written.valse(caption="Is there a dog?", declarative_statement="There is a dog."),
        "b": written.valse(declarative_statement=None),
    }
    records["c"] = written.valse(declarative_statement="a dog")
    benchmark = read_benchmark("valse", write(tmp_path / "existence.json", records))
    assert [item.captions for item in benchmark.items] == [
        ("There is a dog.", "no dog"),
        ("a dog", "no dog"),
        ("a dog", "no dog"),
    ]
    assert "1 captions differ from the statement that the file gives beside them, which was used." in benchmark.notes


def test_votes_must_be_a_number(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'mturk.caption' must be a number: it is text"):
        read_benchmark("valse", write(tmp_path / "plurals.json", {"a": {**written.valse(), "mturk": {"caption": "3"}}}))


# --- scenes


def test_scenes_give_the_queries_that_occur_with_their_truth(tmp_path: Path) -> None:
    benchmark = read_benchmark("clevr", write(tmp_path / "scenes.json", written.SCENES))
    items = {item.captions[0]: item for item in benchmark.items}
    assert set(items) == {"large red metal cube", "small blue rubber sphere", "small green metal cylinder"}
    cube = items["large red metal cube"]
    assert cube.match == ((0, 0), (1, 0))
    np.testing.assert_array_equal(items["small blue rubber sphere"].hard, [True, False, True, False])
    np.testing.assert_array_equal(items["small green metal cylinder"].hard, [True, True, True, False])
    assert cube.tags == {"size": "large", "colour": "red", "material": "metal", "shape": "cube"}
    assert benchmark.excluded == ()


def test_scenes_agree_with_a_plain_loop(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    words = (["large", "small"], ["red", "blue", "green"], ["metal", "rubber"], ["cube", "ball"])
    scenes = [[tuple(str(rng.choice(own)) for own in words) for _ in range(rng.integers(0, 3))] for _ in range(25)]
    document = {
        "scenes": [{"image_filename": f"{i}.png", "objects": [thing(*o) for o in own]} for i, own in enumerate(scenes)]
    }
    benchmark = read_benchmark("clevr", write(tmp_path / "scenes.json", document))
    assert len(benchmark) + len(benchmark.excluded) == len({o for own in scenes for o in own})
    for item in benchmark.items:
        wanted = tuple(item.captions[0].split())
        assert {p for p, _ in item.match} == {i for i, own in enumerate(scenes) if wanted in own}
        assert item.hard.tolist() == [
            any(a == b for o in own for a, b in zip(o, wanted, strict=True)) for own in scenes
        ]


def test_scenes_may_leave_properties_out_and_cubes_that_every_picture_shows_are_counted(tmp_path: Path) -> None:
    def scene(name: str, *shapes: str) -> dict[str, Any]:
        return {"image_filename": name, "objects": [{"shape": shape, "colour": "red"} for shape in shapes]}

    file = write(tmp_path / "scenes.json", {"scenes": [scene("0.png", "cube", "ball"), scene("1.png", "cube")]})
    benchmark = read_benchmark("clevr", file)
    assert [item.captions[0] for item in benchmark.items] == ["red ball"]
    assert benchmark.excluded == (("red cube", "every hard picture fits the query"),)


def test_a_picture_with_two_scenes_is_refused(tmp_path: Path) -> None:
    scenes = [*written.SCENES["scenes"], written.SCENES["scenes"][0]]
    with pytest.raises(InvalidInput, match=r"scene 4: the picture '0.png' has a scene already"):
        read_benchmark("clevr", write(tmp_path / "scenes.json", {"scenes": scenes}))


# --- NegCLIP


def test_negclips_rows_are_choices(tmp_path: Path) -> None:
    benchmark = read_benchmark("negclip", write(tmp_path / "valid.tsv", written.NEGCLIP))
    assert benchmark.items[0].captions == ("A child pets a yak.", "A yak pets a child .", "A yak child pets a .")
    assert benchmark.items[1].captions == ("It's red.", "Red 's it .")
    assert benchmark.pictures[1].name == "coco/val2014/2.jpg"


# --- one's own


def test_own_choices_of_one_foil_are_pairwise_and_other_columns_are_tags(tmp_path: Path) -> None:
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", written.OWN_CHOICE))
    assert (benchmark.title, benchmark.headline) == ("mine", "pairwise")
    assert [item.captions for item in benchmark.items] == [("a red cup", "a blue cup"), ("two dogs", "two cats")]
    assert [item.tags for item in benchmark.items] == [{"place": "home"}, {}]


def test_own_choices_take_several_foils_from_columns_or_lists(tmp_path: Path) -> None:
    table = read_benchmark(
        "own", write(tmp_path / "a.csv", "Image,Caption,foil_1,foil_2\na.png,x y,y x,y y\nb.png,p,q,\nc.png,p,,\n")
    )
    lines = (
        '{"id": "k", "image": "a.png", "caption": "x y", "foils": ["y x", "y y"]}\n\n{"image": "b.png", '
        '"caption": "p", "foils": "q"}\n'
    )
    listed = read_benchmark("", write(tmp_path / "a.jsonl", lines))
    assert (
        [i.captions for i in table.items] == [i.captions for i in listed.items] == [("x y", "y x", "y y"), ("p", "q")]
    )
    assert table.excluded == (("2", "it has no foil"),)
    assert (table.headline, listed.headline, listed.items[0].id) == ("r@1", "r@1", "k")


def test_own_pairs_and_a_semicolon_between_columns(tmp_path: Path) -> None:
    benchmark = read_benchmark("", write(tmp_path / "mine.csv", written.OWN_PAIRS))
    assert (benchmark.kind, benchmark.headline, benchmark.blind) == ("pairs", "group", False)
    assert benchmark.items[0].captions == ("red cup, blue hat", "blue cup, red hat")


def test_a_column_of_many_values_is_no_tag_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{i}.png,a {i},b {i},v{i},{i % 2}\n" for i in range(60))
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", "image,caption,foil,note,half\n" + rows))
    assert Counter(item.tags["half"] for item in benchmark.items) == {"0": 30, "1": 30}
    assert "note" not in benchmark.items[0].tags
    assert any(note.endswith("other than text and numbers: 'note'.") for note in benchmark.notes)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"image": "a.png", "caption": ["x"], "foil": "y"}', r"line 1: 'caption' must be text: it is a list"),
        (
            '{"image": "a.png", "caption": "x", "foil": {"a": 1}}',
            r"line 1: 'foil' must be text or a list of texts: it is an object",
        ),
        (
            '{"image": "a.png", "caption": "x", "foil": ["y", null]}',
            r"line 1: 'foil', entry 1 must be text: it is null",
        ),
        ('{"picture": "a.png", "caption": "x"}', r"must have other columns\. Your own: .* It has 'picture', 'caption'"),
        ('["a.png"]', r"line 1 must be an object"),
    ],
)
def test_a_wrong_cell_of_one_s_own_file_is_named(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_benchmark("own", write(tmp_path / "mine.jsonl", line))


def test_a_row_without_a_picture_is_left_out(tmp_path: Path) -> None:
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", "id,image,caption,foil\nu,,x,y\nv,b.png,x,y\n"))
    assert benchmark.excluded == (("u", "it names no picture"),)
