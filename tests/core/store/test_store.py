"""A run goes to disk and comes back whole; damage and strangers get one clear message."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled, InvalidInput
from core.records import Diagnosis
from core.store import ARRAYS, STATE, THUMBNAILS, RunStore, finish, load, reload, run_id, save
from tests.support.diagnoses import MemoryImages, assert_same, draw_picture, make_diagnosis


@pytest.mark.parametrize(
    "options", [{}, {"n_clusters": 0}, {"with_images": False}, {"with_errors": False}, {"hostile": True}], ids=str
)
def test_everything_but_the_picture_bytes_comes_back(tmp_path: Path, options: dict[str, Any]) -> None:
    diagnosis = make_diagnosis(**options)
    save(diagnosis, tmp_path / "run")
    assert_same(diagnosis, load(tmp_path / "run"))


def test_a_finished_run_has_its_report_beside_it(tmp_path: Path) -> None:
    report = finish(make_diagnosis(), tmp_path / "run")
    assert report == tmp_path / "run" / "report.html"
    assert "<html" in report.read_text("utf-8")
    assert load(tmp_path / "run").samples.ids == make_diagnosis().samples.ids


def test_extras_of_any_plain_shape_come_back(tmp_path: Path) -> None:
    extras = {
        "list": [1, 2.5, None, True],
        "nested": {"nan": float("nan"), "array": np.arange(6, dtype=np.int16).reshape(2, 3)},
        "words": ("a", "b"),
    }
    diagnosis = replace(make_diagnosis(), extras=extras)
    save(diagnosis, tmp_path)
    assert_same(extras, dict(load(tmp_path).extras))


def test_an_object_without_a_stored_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"extras/odd is a object"):
        save(replace(make_diagnosis(), extras={"odd": object()}), tmp_path)


def test_pictures_come_back_as_webp_no_larger_than_192_pixels(tmp_path: Path) -> None:
    large = MemoryImages(("a.png", "b.png"), (draw_picture(1, size=640), draw_picture(2, size=50)))
    diagnosis = make_diagnosis()
    pictures = MemoryImages(diagnosis.samples.ids, tuple(large.payloads[i % 2] for i in range(60)))
    save(replace(diagnosis, samples=replace(diagnosis.samples, items=pictures)), tmp_path)
    images = load(tmp_path).samples.items
    assert images is not None
    assert len(images) == 60
    assert images.name(3) == "street/0003.png"
    sizes = []
    for row in (0, 1):
        with Image.open(io.BytesIO(images.read(row))) as picture:
            assert picture.format == "WEBP"
            sizes.append(picture.size)
    assert sizes == [(192, 192), (50, 50)]
    assert images.keep(np.array([1, 0])).read(1) == images.read(0)


def test_a_reloaded_run_can_be_saved_again(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "one")
    once = load(tmp_path / "one")
    save(once, tmp_path / "two")
    twice = load(tmp_path / "two")
    assert_same(once, twice)
    assert once.samples.items is not None
    assert twice.samples.items is not None
    assert once.samples.items.read(7) == twice.samples.items.read(7)


def test_a_picture_that_cannot_be_decoded_is_logged_and_named_when_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    diagnosis = make_diagnosis()
    images = diagnosis.samples.items
    assert isinstance(images, MemoryImages)
    broken = MemoryImages(images.names, (b"no picture", *images.payloads[1:]))
    save(replace(diagnosis, samples=replace(diagnosis.samples, items=broken)), tmp_path)
    assert "street/0000.png" in caplog.text
    reloaded = load(tmp_path).samples.items
    assert reloaded is not None
    assert reloaded.read(1)
    with pytest.raises(InvalidInput, match=r"no thumbnail of 'street/0000\.png'"):
        reloaded.read(0)


@pytest.mark.parametrize("name", [STATE, ARRAYS])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_run_gives_one_message_that_names_the_folder(tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "run"
    save(make_diagnosis(), folder)
    content = (folder / name).read_bytes()
    if damage == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content[: len(content) // 2] if damage == "cut" else b"#" + content[1:])
    with pytest.raises(InvalidInput, match=r"is damaged|no finished run") as caught:
        load(folder)
    assert str(folder) in str(caught.value)


def test_a_state_nested_without_end_is_damaged_too(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("[" * 100_000)
    with pytest.raises(InvalidInput, match="is damaged"):
        load(tmp_path)


def test_damaged_thumbnails_do_not_keep_a_run_from_loading(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    (tmp_path / THUMBNAILS).write_bytes(b"no zip")
    images = load(tmp_path).samples.items
    assert images is not None
    with pytest.raises(InvalidInput, match="thumbnails of this run cannot be read"):
        images.read(0)
    (tmp_path / THUMBNAILS).unlink()
    with pytest.raises(InvalidInput, match=r"read \(No such file[^:]*\)"):  # and not where it was looked for
        images.read(0)


def test_a_run_of_an_earlier_format_is_refused_with_the_command_that_makes_it_anew_in_its_place(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    text = (tmp_path / STATE).read_text("utf-8")
    (tmp_path / STATE).write_text(text.replace('"format": 3', '"format": 2'), "utf-8")
    with pytest.raises(
        InvalidInput, match=r"has format 2, and this .* reads format 3.*core diagnose --table TABLE --out"
    ):
        load(tmp_path)
    save(make_diagnosis(), tmp_path)
    load(tmp_path)


def test_a_save_that_is_cancelled_or_fails_leaves_the_earlier_run_as_it_was_and_no_scraps(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def cancel(step: str, done: int, total: int) -> None:
        if done == 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        save(make_diagnosis(seed=1), tmp_path, cancel)
    with pytest.raises(TypeError):
        save(replace(make_diagnosis(seed=1), extras={"odd": object()}), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    load(tmp_path)


def test_a_first_save_that_is_cancelled_half_way_is_no_finished_run_and_leaves_no_scraps(tmp_path: Path) -> None:
    def cancel(step: str, done: int, total: int) -> None:
        if done == 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        save(make_diagnosis(), tmp_path, cancel)
    with pytest.raises(InvalidInput, match="no finished run"):
        load(tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_run_is_reloaded_as_it_is_now_unless_there_is_none_or_another(tmp_path: Path) -> None:
    first = make_diagnosis()
    assert reload(first, tmp_path) is first
    save(replace(first, notes=("new",)), tmp_path)
    assert reload(first, tmp_path).notes == ("new",)
    other = replace(first, samples=replace(first.samples, ids=tuple(f"x{i}" for i in range(len(first.samples)))))
    for changed in (other, replace(first, fingerprint="of other losses")):
        with pytest.raises(InvalidInput, match="became another"):
            reload(changed, tmp_path)


def test_no_stored_file_holds_a_pickle(tmp_path: Path) -> None:
    save(make_diagnosis(hostile=True), tmp_path)
    with np.load(tmp_path / ARRAYS, allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="cannot be written"):
        save(make_diagnosis(), tmp_path / "file" / "run")


def test_the_id_follows_data_and_settings_and_the_secret_is_new_each_time() -> None:
    diagnosis = make_diagnosis()
    assert run_id(diagnosis) == run_id(make_diagnosis())
    assert run_id(diagnosis) != run_id(replace(diagnosis, settings={**diagnosis.settings, "alpha": 0.01}))
    assert run_id(diagnosis) != run_id(replace(diagnosis, fingerprint="cd" * 32))
    secrets = {run_id(diagnosis, secret=True) for _ in range(5)}
    assert len(secrets) == 5
    assert all(name.startswith(run_id(diagnosis) + "-") for name in secrets)


def test_a_stored_run_is_found_again_by_another_store(tmp_path: Path, diagnosis: Diagnosis) -> None:
    name = RunStore(tmp_path).put(diagnosis)
    other = RunStore(tmp_path)
    assert other.names() == [name]
    assert_same(diagnosis, other.get(name))
    assert other.get(name) is other.get(name)


def test_the_same_run_without_secret_is_stored_once(tmp_path: Path, diagnosis: Diagnosis) -> None:
    store = RunStore(tmp_path)
    first = store.put(diagnosis, secret=False)
    written = (store.folder(first) / STATE).stat().st_mtime_ns
    assert store.put(diagnosis, secret=False) == first
    assert (store.folder(first) / STATE).stat().st_mtime_ns == written


def test_memory_holds_only_the_runs_used_last(tmp_path: Path) -> None:
    store = RunStore(tmp_path, keep_loaded=2)
    names = [store.put(make_diagnosis(seed=seed, with_images=False)) for seed in range(3)]
    first = store.get(names[0])
    store.get(names[1])
    assert store.get(names[0]) is first
    store.get(names[2])
    assert store.get(names[0]) is first
    assert len(store._loaded) == 2


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc", "/etc/passwd", "a" * 16 + "-" + "b" * 8, "a" * 16 + "-" + "b" * 8 + "/.."]
)
def test_no_path_passes_for_an_id(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="There is no run"):
        RunStore(tmp_path).get(name)


def test_a_run_without_thumbnails_shows_the_pictures_that_lie_beside_it(tmp_path: Path) -> None:
    diagnosis = make_diagnosis()
    images = diagnosis.samples.items
    assert images is not None
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for i in reversed(range(len(images))):  # in another order than the rows
            archive.writestr(images.name(i), images.read(i))
    save(diagnosis, tmp_path / "run")
    (tmp_path / "run" / THUMBNAILS).unlink()
    shown = load(tmp_path / "run").samples.items
    assert shown is not None
    assert [shown.read(i) for i in range(3)] == [images.read(i) for i in range(3)]


def test_a_run_whose_pictures_are_gone_opens_without_them_and_says_so(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    (tmp_path / "thumbnails.zip").unlink()
    found = load(tmp_path)
    assert found.samples.items is None
    assert sum("pictures of this run were not found" in note for note in found.notes) == 1
    save(found, tmp_path)
    assert [note for note in load(tmp_path).notes if "pictures of this run" in note] == [found.notes[-1]]


def test_half_a_pair_of_utf_16_in_an_edited_run_becomes_a_question_mark(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    state = tmp_path / "state.json"
    state.write_text(state.read_text("utf-8").replace('"bus"', '"\\ud800bus"'), "utf-8")
    assert load(tmp_path).samples.class_names == ("?bus", "car", "tram")
