"""CREPE: Python lists in CSV cells, boxes, and the column of negatives."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


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
