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
from core.store import RunStore, load, put, reload, run_id, save
from core.store.layout import STATE, THUMBNAILS, check_target
from tests.support.commands import refused
from tests.support.diagnoses import MemoryImages, assert_same, draw_picture, make_diagnosis
from tests.support.stored import edit_state, member, rewrite


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run.errata"


@pytest.mark.parametrize(
    "options", [{}, {"n_clusters": 0}, {"with_images": False}, {"with_errors": False}, {"hostile": True}], ids=str
)
def test_everything_but_the_picture_bytes_comes_back(tmp_path: Path, options: dict[str, Any]) -> None:
    diagnosis = make_diagnosis(**options)
    save(diagnosis, tmp_path / "run.errata")
    assert_same(diagnosis, load(tmp_path / "run.errata"))


def test_extras_of_any_plain_shape_come_back(run: Path) -> None:
    extras = {
        "list": [1, 2.5, None, True],
        "nested": {"nan": float("nan"), "array": np.arange(6, dtype=np.int16).reshape(2, 3)},
        "words": ("a", "b"),
    }
    diagnosis = replace(make_diagnosis(), extras=extras)
    save(diagnosis, run)
    assert_same(extras, dict(load(run).extras))


def test_an_object_without_a_stored_form_is_named(run: Path) -> None:
    with pytest.raises(TypeError, match=r"extras/odd is a object"):
        save(replace(make_diagnosis(), extras={"odd": object()}), run)


def test_pictures_come_back_as_webp_no_larger_than_192_pixels(run: Path) -> None:
    large = MemoryImages(("a.png", "b.png"), (draw_picture(1, size=640), draw_picture(2, size=50)))
    diagnosis = make_diagnosis()
    pictures = MemoryImages(diagnosis.samples.ids, tuple(large.payloads[i % 2] for i in range(60)))
    save(replace(diagnosis, samples=replace(diagnosis.samples, items=pictures)), run)
    images = load(run).samples.items
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
    save(make_diagnosis(), tmp_path / "one.errata")
    once = load(tmp_path / "one.errata")
    save(once, tmp_path / "two.errata")
    twice = load(tmp_path / "two.errata")
    assert_same(once, twice)
    assert once.samples.items is not None
    assert twice.samples.items is not None
    assert once.samples.items.read(7) == twice.samples.items.read(7)


def test_a_picture_that_cannot_be_decoded_is_logged_and_named_when_asked_for(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    diagnosis = make_diagnosis()
    images = diagnosis.samples.items
    assert isinstance(images, MemoryImages)
    broken = MemoryImages(images.names, (b"no picture", *images.payloads[1:]))
    save(replace(diagnosis, samples=replace(diagnosis.samples, items=broken)), run)
    assert "street/0000.png" in caplog.text
    reloaded = load(run).samples.items
    assert reloaded is not None
    assert reloaded.read(1)
    with pytest.raises(InvalidInput, match=r"no thumbnail of 'street/0000\.png'"):
        reloaded.read(0)


@pytest.mark.parametrize("at", [0, 30, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_run_gives_one_message_that_names_the_file(run: Path, at: float, damage: str) -> None:
    save(make_diagnosis(with_images=False), run)
    content = bytearray(run.read_bytes())
    place = int(at * len(content)) if at < 1 else int(at)
    run.write_bytes(content[:place] if damage == "cut" else content[:place] + b"#@" + content[place + 2 :])
    with pytest.raises(InvalidInput, match=r"is damaged|has format") as caught:
        load(run)
    assert str(run) in str(caught.value)


def test_every_changed_byte_of_an_array_is_noticed(run: Path) -> None:
    save(make_diagnosis(with_images=False), run)
    content = run.read_bytes()
    with zipfile.ZipFile(run) as archive:
        largest = max(archive.infolist(), key=lambda one: one.compress_size)
    for at in range(largest.header_offset + 200, largest.header_offset + largest.compress_size, 97):
        run.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(InvalidInput, match="is damaged"):
            load(run)


def test_a_state_nested_without_end_is_damaged_too(run: Path) -> None:
    save(make_diagnosis(with_images=False), run)
    rewrite(run, {STATE: b"[" * 100_000})
    with pytest.raises(InvalidInput, match="is damaged"):
        load(run)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK"])
def test_what_is_no_run_is_refused_by_its_name(run: Path, content: bytes) -> None:
    run.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"run\.errata is damaged"):
        load(run)
    with zipfile.ZipFile(run, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InvalidInput, match=r"is not a run \(a zip without state.json\)"):
        load(run)


def test_a_table_in_place_of_a_run_is_not_called_damaged(tmp_path: Path) -> None:
    table = tmp_path / "lp.csv"
    table.write_text("id,label\n1,a\n", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load(table)
    assert str(caught.value) == (
        "lp.csv is a table, not a run (.errata). Make a run: `python -m core diagnose --table lp.csv --out lp.errata`."
    )
    with pytest.raises(InvalidInput, match=r"got 'lp\.csv'\. Use lp\.errata\."):
        check_target(table)


def test_a_thumbnail_that_was_changed_or_taken_away_does_not_keep_a_run_from_loading(run: Path) -> None:
    save(make_diagnosis(), run)
    rewrite(run, {THUMBNAILS: None})
    found = load(run)
    assert found.samples.items is None
    assert sum("images of this run were not found" in note for note in found.notes) == 1
    save(found, run)
    assert [note for note in load(run).notes if "images of this run" in note] == [found.notes[-1]]


@pytest.mark.parametrize("content", [b"", b"x" * 10])
def test_thumbnails_that_are_not_as_long_as_their_sizes_say_are_damage(run: Path, content: bytes) -> None:
    save(make_diagnosis(), run)
    rewrite(run, {THUMBNAILS: content})  # the last member now, so nothing but the directory follows
    with pytest.raises(InvalidInput, match=r"is damaged"):
        load(run)


def test_a_run_goes_on_showing_its_own_pictures_where_another_takes_its_place(run: Path) -> None:
    save(make_diagnosis(), run)
    first = load(run).samples.items
    other = make_diagnosis(seed=1)
    save(replace(other, samples=replace(other.samples, items=None)), run)
    assert first is not None
    for row in (0, 59):
        with Image.open(io.BytesIO(first.read(row))) as picture:
            picture.load()


def test_a_run_of_an_earlier_version_is_refused_with_the_command_that_makes_it_anew(tmp_path: Path, run: Path) -> None:
    save(make_diagnosis(), run)
    edit_state(run, lambda said: said.update(format=3))
    with pytest.raises(InvalidInput, match=r"has format 3; .* reads format 4.*core diagnose --table TABLE --out"):
        load(run)
    save(make_diagnosis(), run)
    edit_state(run, lambda said: said.update(format=5))
    with pytest.raises(InvalidInput, match=r"has format 5; .* Update Errata\."):
        load(run)
    save(make_diagnosis(), run)
    load(run)
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"is a folder; a run is one file.*core diagnose --table TABLE"):
        load(tmp_path)


def test_a_run_takes_the_place_of_a_run_alone(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run.write_text("mine")
    (tmp_path / "below.errata").mkdir()
    for path in (run, tmp_path / "below.errata"):
        with pytest.raises(InvalidInput, match="is not a run and would be overwritten"):
            save(make_diagnosis(with_images=False), path)
        said = refused(capsys, "diagnose", "--table", str(tmp_path / "no table.csv"), "--out", str(path))
        assert "is not a run and would be overwritten" in said  # before the table is read
    with pytest.raises(InvalidInput, match=r"name of a run ends in \.errata: got 'run'"):
        save(make_diagnosis(with_images=False), tmp_path / "run")
    assert run.read_text() == "mine"


def test_a_save_that_is_cancelled_or_fails_leaves_the_earlier_run_as_it_was_and_no_scraps(
    tmp_path: Path, run: Path
) -> None:
    save(make_diagnosis(), run)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def cancel(step: str, done: int, total: int) -> None:
        if done == 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        save(make_diagnosis(seed=1), run, cancel)
    with pytest.raises(TypeError):
        save(replace(make_diagnosis(seed=1), extras={"odd": object()}), run)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    load(run)


def test_a_first_save_that_is_cancelled_half_way_leaves_nothing(tmp_path: Path, run: Path) -> None:
    def cancel(step: str, done: int, total: int) -> None:
        if done == 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        save(make_diagnosis(), run, cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_reloaded_as_it_is_now_unless_there_is_none_or_another(run: Path) -> None:
    first = make_diagnosis()
    assert reload(first, run) is first
    save(replace(first, notes=("new",)), run)
    assert reload(first, run).notes == ("new",)
    other = replace(first, samples=replace(first.samples, ids=tuple(f"x{i}" for i in range(len(first.samples)))))
    for changed in (other, replace(first, fingerprint="of other losses")):
        with pytest.raises(InvalidInput, match="was replaced by a run of other samples"):
            reload(changed, run)


def test_a_run_is_a_zip_whose_arrays_numpy_reads_without_pickle(run: Path) -> None:
    save(make_diagnosis(hostile=True), run)
    with np.load(run, allow_pickle=False) as file:
        arrays = [file[name] for name in file.files if name.startswith("arrays/")]
    assert len(arrays) > 10
    assert all(array.dtype != object for array in arrays)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(make_diagnosis(), tmp_path / f"{name}.errata")
    assert (tmp_path / "one.errata").read_bytes() == (tmp_path / "two.errata").read_bytes()


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="Cannot write the run"):
        save(make_diagnosis(), tmp_path / "file" / "run.errata")


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
    written = store.path(first).stat().st_mtime_ns
    assert store.put(diagnosis, secret=False) == first
    assert store.path(first).stat().st_mtime_ns == written


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
    with pytest.raises(InvalidInput, match="No run "):
        RunStore(tmp_path).get(name)


def test_a_run_without_thumbnails_shows_the_pictures_that_lie_beside_it(tmp_path: Path) -> None:
    diagnosis = make_diagnosis()
    images = diagnosis.samples.items
    assert images is not None
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for i in reversed(range(len(images))):  # in another order than the rows
            archive.writestr(images.name(i), images.read(i))
    put(diagnosis, tmp_path / "run.errata", thumbnails=False)
    shown = load(tmp_path / "run.errata").samples.items
    assert shown is not None
    assert [shown.read(i) for i in range(3)] == [images.read(i) for i in range(3)]


def test_half_a_pair_of_utf_16_in_an_edited_run_becomes_a_question_mark(run: Path) -> None:
    save(make_diagnosis(), run)
    rewrite(run, {STATE: member(run, STATE).replace(b'"bus"', b'"\\ud800bus"')})
    assert load(run).samples.class_names == ("?bus", "car", "tram")
