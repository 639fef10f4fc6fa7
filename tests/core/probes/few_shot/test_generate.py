"""The generator of support images, with a pipeline of coloured squares."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from core.errors import Cancelled, InvalidInput, MissingDependency
from core.probes.few_shot.generate import folder_names, generate_images, load_pipeline, seed_of
from core.probes.few_shot.pools import read_pool
from tests.core.probes.few_shot.test_pools import Colours

NAMES = ("cat/kitten", "CON: dog")


class Painter:
    """Paints a square whose colour is its seed, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, prompt: str, seed: int) -> Image.Image:
        self.asked.append((prompt, seed))
        return Image.new("RGB", (16, 16), (seed % 256, seed // 256 % 256, seed // 65536 % 256))


def test_each_class_gets_its_folder_and_the_pool_reads_it_back_by_name(tmp_path: Path) -> None:
    painter = Painter()
    found = generate_images(NAMES, tmp_path / "out", tmp_path, per_class=3, draw=painter)
    assert (found.made, found.there) == (6, 0)
    assert {prompt for prompt, _ in painter.asked} == {"A photo of a cat/kitten.", "A photo of a CON: dog."}
    assert len({seed for _, seed in painter.asked}) == 6
    pool = read_pool(tmp_path / "out", Colours(), NAMES[::-1])
    assert sorted(pool.images.labels.tolist()) == [0, 0, 0, 1, 1, 1]
    assert {name.split("/")[0] for name, c in zip(pool.images.ids, pool.images.labels.tolist()) if c == 1} == {
        "cat kitten"
    }


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    def stop(_: str, done: int, total: int) -> None:
        if done == 4:
            raise Cancelled("stopped")

    first, second, whole = Painter(), Painter(), Painter()
    with pytest.raises(Cancelled):
        generate_images(NAMES, tmp_path / "out", tmp_path, per_class=3, draw=first, progress=stop)
    found = generate_images(NAMES, tmp_path / "out", tmp_path, per_class=3, draw=second)
    generate_images(NAMES, tmp_path / "whole", tmp_path, per_class=3, draw=whole)
    assert (found.made, found.there) == (2, 4)
    assert first.asked + second.asked == whole.asked
    for path in (tmp_path / "whole").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes()
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_folder_of_other_settings_is_left_alone(tmp_path: Path) -> None:
    generate_images(NAMES, tmp_path / "out", tmp_path, per_class=1, draw=Painter())
    with pytest.raises(InvalidInput, match="drawn with other settings"):
        generate_images(NAMES, tmp_path / "out", tmp_path, per_class=1, seed=1, draw=Painter())


def test_another_order_of_classes_draws_the_same_pictures(tmp_path: Path) -> None:
    one, other = Painter(), Painter()
    generate_images(NAMES, tmp_path / "a", tmp_path, per_class=2, draw=one)
    generate_images(NAMES[::-1], tmp_path / "b", tmp_path, per_class=2, draw=other)
    assert sorted(one.asked) == sorted(other.asked)
    assert seed_of(0, "cat", 0) != seed_of(0, "cat", 1) != seed_of(1, "cat", 1)


def test_folder_names_are_safe_and_distinct() -> None:
    assert folder_names(["a/b", "a:b", "A b", ".."]) == ["a b", "a b 2", "A b 2 2", "class"]


def test_a_prompt_without_a_place_for_the_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="where the class name goes"):
        generate_images(NAMES, tmp_path, tmp_path, prompt="A photo.", draw=Painter())
    with pytest.raises(InvalidInput, match="at least 1"):
        generate_images(NAMES, tmp_path, tmp_path, per_class=0, draw=Painter())


@pytest.mark.skipif(find_spec("diffusers") is not None, reason="diffusers is installed here")
def test_without_diffusers_the_install_line_is_given(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency, match="pip install diffusers"):
        generate_images(NAMES, tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.probes.few_shot.generate.find_spec", lambda _: object())
    with pytest.raises(InvalidInput, match="holds no diffusion model"):
        load_pipeline(tmp_path)
