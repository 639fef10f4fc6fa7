"""The program `research.scenes`: what it draws again, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.ladder.cola import COLA
from research.scenes.__main__ import main
from research.scenes.write_benchmark import MULTI


def draw(folder: Path, *asked: str) -> None:
    main([*asked, "--out", str(folder)])


def test_drawing_again_with_the_same_seed_gives_the_same_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--n", "4", "--split", "train", "--seed", "3", "--queries", "2", "--kinds", "colour")
    for name in ("first", "again"):
        draw(tmp_path / name, *asked)
    assert "Written: 16 pictures of 4 items and 2 queries" in capsys.readouterr().out
    for name in (MULTI, "images/pair_00003.webp", "held_out.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    assert MULTI == COLA


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--n", "-1"), "0 or more"),
        (("--kinds", "taste"), "taste"),
        (("--queries", "-1"), "at least one"),
        ((), "already holds"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    asked: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not asked:
        draw(tmp_path, "--n", "2")
    with pytest.raises(SystemExit, match="2"):
        draw(tmp_path, *asked)
    assert words in capsys.readouterr().err
