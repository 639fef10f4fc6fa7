from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.pictures import base_name, find_pictures, picture_list
from core.systems.composition.readers import read_benchmark
from tests.support.found_pictures import benchmark, choice, folder, pair, query
from tests.support.pictures import blobs, encoded


@pytest.mark.parametrize("packed", ["folder", "zip", "tar", "tar.gz"])
def test_pictures_are_found_in_a_folder_a_zip_and_a_tar_in_the_benchmark_s_order(packed: str, tmp_path: Path) -> None:
    root = folder(tmp_path / "in", "x/1.jpg x/2.jpg x/3.jpg")
    images = root
    if packed == "zip":
        images = tmp_path / "in.zip"
        with zipfile.ZipFile(images, "w") as archive:
            for path in sorted(root.rglob("*.jpg")):
                archive.write(path, path.relative_to(root).as_posix())
    elif packed != "folder":
        images = tmp_path / f"in.{packed}"
        with tarfile.open(images, "w:gz" if packed.endswith("gz") else "w") as archive:
            archive.add(root, "top")
    found = find_pictures(benchmark("pairs", "https://a.org/vg/3.jpg https://a.org/vg/1.jpg", pair("p")), images)
    assert [found.store.read(i) for i in range(2)] == [(root / "x" / f"{n}.jpg").read_bytes() for n in (3, 1)]
    assert [base_name(found.store.name(i)) for i in range(2)] == ["3.jpg", "1.jpg"]
    assert (len(found.store), found.missing, found.benchmark.excluded) == (2, (), ())


@pytest.mark.parametrize(
    ("written", "there", "found"),
    [
        ("images/1.jpg", "images/1.jpg other/1.jpg", "images/1.jpg"),
        ("/data/images/1.jpg", "images/1.jpg other/1.jpg", "images/1.jpg"),
        ("C:\\vg\\1.jpg", "deep/down/1.jpg", "deep/down/1.jpg"),
        ("ex_0_img_0", "images/ex_0_img_0.png", "images/ex_0_img_0.png"),
        ("1.jpg", "1.png", "1.png"),
        ("1.jpg", "1.png x/1.jpg", "x/1.jpg"),
    ],
)
def test_a_path_comes_before_a_name_and_a_name_before_one_without_ending(
    written: str, there: str, found: str, tmp_path: Path
) -> None:
    store = find_pictures(benchmark("choice", written, choice("c")), folder(tmp_path / "in", there)).store
    assert store.name(0) == found


def test_a_name_that_several_files_have_counts_as_missing_and_is_said(tmp_path: Path) -> None:
    found = find_pictures(
        benchmark("choice", "1.jpg 2.jpg", choice("one"), choice("two", 1)),
        folder(tmp_path / "in", "a/1.jpg b/1.jpg 2.jpg"),
    )
    assert [item.id for item in found.benchmark.items] == ["two"]
    assert found.missing == ("1.jpg",)
    reason = "several images share a name, and none has the listed path: 1.jpg may be a/1.jpg or b/1.jpg"
    assert found.benchmark.excluded == (("one", reason),)


def test_items_without_their_pictures_are_left_out_counted_and_the_rest_renumbered(tmp_path: Path) -> None:
    items = pair("p", (0, 1)), pair("q", (1, 2)), pair("r", (3, 4)), pair("s", (2, 4))
    found = find_pictures(
        benchmark("pairs", "0.jpg 1.jpg 2.jpg 3.jpg 4.jpg", *items),
        folder(tmp_path / "in", "0.jpg 2.jpg 3.jpg 4.jpg 9.jpg"),
    )
    assert [(item.id, item.pictures) for item in found.benchmark.items] == [("r", (1, 2)), ("s", (0, 2))]
    assert [picture.name for picture in found.benchmark.pictures] == ["2.jpg", "3.jpg", "4.jpg"]
    assert [found.store.name(i) for i in range(3)] == ["2.jpg", "3.jpg", "4.jpg"]
    assert found.missing == ("1.jpg",)
    assert found.benchmark.excluded == tuple((id, "an image is missing: 1.jpg") for id in "pq")
    assert "Left out for their images or captions: 2 items because an image is missing." in found.benchmark.notes


def test_files_that_are_no_pictures_are_left_out_with_the_reason(tmp_path: Path) -> None:
    root = folder(tmp_path / "in", "3.jpg")
    (root / "0.jpg").write_bytes(b"")
    (root / "1.jpg").write_bytes(b"<svg></svg>")
    (root / "2.jpg").write_bytes(b"plain words")
    found = find_pictures(benchmark("choice", "0.jpg 1.jpg 2.jpg 3.jpg", *(choice(str(i), i) for i in range(4))), root)
    reasons = dict(found.benchmark.excluded)
    assert list(reasons) == ["0", "1", "2"]
    assert all(reasons[str(i)].startswith(f"an image cannot be used: {i}.jpg, the ") for i in range(3))
    assert found.missing == ()


def test_no_item_left_is_one_message_with_numbers_examples_and_the_next_step(tmp_path: Path) -> None:
    names = " ".join(f"{i}.jpg" for i in range(5))
    with pytest.raises(InvalidInput) as raised:
        find_pictures(
            benchmark("choice", names, *(choice(str(i), i) for i in range(5))),
            folder(tmp_path / "mine", "cat.jpg dog.png"),
        )
    assert str(raised.value) == (
        "Made: 5 of its 5 images are not in 'mine' (0.jpg, 1.jpg, 2.jpg, ...), so none of its 5 items can be used. "
        "It holds 2 files, such as cat.jpg, dog.png. Add a folder, zip or tar with files of those names; the endings "
        "may differ."
    )
    with pytest.raises(
        InvalidInput,
        match=r"none of its 1 items can be used: 1 item because captions are "
        r"equal\. Check its file",
    ):
        find_pictures(benchmark("choice", "cat.jpg", choice("c", 0, "a", "a")), tmp_path / "mine")


def test_pairs_of_one_picture_or_one_caption_are_left_out(tmp_path: Path) -> None:
    items = pair("one file", (0, 1)), pair("same", (2, 2)), pair("case", (0, 2), ("A b", "a  B")), pair("good", (0, 2))
    found = find_pictures(benchmark("pairs", "x/0.jpg 0.jpg 1.jpg", *items), folder(tmp_path / "in", "0.jpg 1.jpg"))
    one = "both images are the same"
    assert found.benchmark.excluded == (("one file", one), ("same", one), ("case", "captions are equal"))
    assert len(found.store) == 2


def test_foils_that_say_what_the_caption_says_are_dropped_and_counted(tmp_path: Path) -> None:
    items = choice("some", 0, "a b", "A B", "b a", "c"), choice("all", 0, "a b", "a b")
    found = find_pictures(benchmark("choice", "0.jpg", *items), folder(tmp_path / "in", "0.jpg"))
    assert found.benchmark.items[0].captions == ("a b", "b a", "c")
    assert found.benchmark.excluded == (("all", "captions are equal"),)
    assert "Dropped 1 foils that read the same as their caption." in found.benchmark.notes


def test_items_that_are_asked_twice_are_kept_and_said(tmp_path: Path) -> None:
    found = find_pictures(
        benchmark("choice", "0.jpg", choice("a"), choice("b"), choice("c", 0, "x", "y")),
        folder(tmp_path / "in", "0.jpg"),
    )
    assert len(found.benchmark) == 3
    assert "1 items repeat the images and captions of another, such as b. They stay." in found.benchmark.notes


def test_a_query_loses_only_the_pictures_that_are_missing(tmp_path: Path) -> None:
    items = (
        query("kept", 4, (0, 1), "1101"),
        query("no fit", 4, (1,), "1111"),
        query("not hard", 4, (0, 1), "0111"),
        query("plain", 4, (3,)),
    )
    found = find_pictures(
        benchmark("retrieval", "0.jpg 1.jpg 2.jpg 3.jpg", *items), folder(tmp_path / "in", "0.jpg 2.jpg 3.jpg")
    )
    kept, plain = found.benchmark.items
    assert (kept.id, kept.pictures, kept.match) == ("kept", (0, 1, 2), ((0, 0),))
    np.testing.assert_array_equal(kept.hard, [True, False, True])
    assert (plain.pictures, plain.match, plain.hard) == ((0, 1, 2), ((2, 0),), None)
    assert found.missing == ("1.jpg",)
    assert found.benchmark.excluded == (
        ("no fit", "of the images present, no image fits the query"),
        ("not hard", "of the images present, no fitting image is among its hard ones"),
    )
    few = "2 queries rank fewer than the 4 images of the benchmark (1 because an image is missing)."
    assert few in found.benchmark.notes


def test_a_query_ranks_a_file_of_two_names_once_and_it_fits_if_either_does(tmp_path: Path) -> None:
    found = find_pictures(
        benchmark("retrieval", "x/0.jpg y/0.jpg 1.jpg", query("q", 3, (1,))), folder(tmp_path / "in", "0.jpg 1.jpg")
    )
    assert (found.benchmark.items[0].pictures, found.benchmark.items[0].match) == ((0, 1), ((0, 0),))


def test_queries_share_one_tuple_of_pictures(tmp_path: Path) -> None:
    found = find_pictures(
        benchmark("retrieval", "0.jpg 1.jpg", query("a", 2, (0,)), query("b", 2, (1,))),
        folder(tmp_path / "in", "0.jpg 1.jpg"),
    )
    assert found.benchmark.items[0].pictures is found.benchmark.items[1].pictures


# --- published files


@pytest.mark.parametrize(("name", "n"), [("cola", 218), ("sugarcrepe", 1560)])
def test_the_list_of_pictures_says_what_to_bring(name: str, n: int, shared_data: Path) -> None:
    names = picture_list(read_benchmark(name, shared_data / name))
    assert len(set(names)) == len(names) == n
    assert all("/" not in each and each.endswith(".jpg") for each in names)


@pytest.mark.parametrize(("name", "n"), [("cola", 210), ("sugarcrepe", 7511)])
def test_every_published_item_can_be_asked_once_its_pictures_are_there(
    name: str, n: int, shared_data: Path, tmp_path: Path
) -> None:
    published, one = read_benchmark(name, shared_data / name), encoded(blobs(0, (8, 8)), "JPEG")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for each in picture_list(published):
            archive.writestr(each, one)
    found = find_pictures(published, tmp_path / "in.zip")
    assert (len(found.benchmark), found.missing, found.benchmark.excluded) == (n, (), ())
    assert len(found.store) == len(published.pictures)


@pytest.mark.parametrize(("written", "name"), [("https://a.org/x/a.jpg", "a.jpg"), ("x/", "x"), ("/", "/")])
def test_the_base_name_is_the_last_part(written: str, name: str) -> None:
    assert base_name(written) == name
