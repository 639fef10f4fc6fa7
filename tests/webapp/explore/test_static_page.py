"""A run as a folder that opens without a server."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli.main import main
from core.errors import InvalidInput
from core.files import ASSETS
from core.store import load, save
from tests.support.showcase import add_words, make_showcase
from webapp.explore import static_page
from webapp.explore.static_page import on_make, write_page
from webapp.state.runs import RUNS
from webapp.state.session import Session

HOSTILE = "</script><script>alert(1)</script>"


def read(index: Path) -> tuple[str, dict[str, Any]]:
    """(the page, its data)."""
    text = index.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return text, json.loads(found[1])


def test_everything_of_the_run_is_in_the_folder_and_each_picture_once(tmp_path: Path) -> None:
    made = add_words(make_showcase(90))
    text, data = read(write_page(made, tmp_path / "page"))
    assert data["ids"] == list(made.samples.ids)
    loss = np.frombuffer(base64.b64decode(data["loss"]), "<f4")
    np.testing.assert_array_equal(loss, made.outcomes.loss.astype("<f4"))
    files = {path.name for path in (tmp_path / "page" / "pictures").iterdir()}
    assert {f"{number}.webp" for _, number in data["pictured"]} == files
    assert dict(data["pictured"]).keys() == set(range(90))
    assert 'src="data:image/webp' not in text
    assert (tmp_path / "page" / "report.html").is_file()
    for cluster in made.clusters:
        members = np.flatnonzero(cluster.membership >= 0.5).tolist()
        assert data["members"][f"cluster-{cluster.id}"] == members
        assert f'data-view="cluster-{cluster.id}"' in text
    assert set(data["colours"]) == {choice["key"] for choice in data["choices"]}


def test_its_table_can_be_searched_and_has_a_column_of_texts(tmp_path: Path) -> None:
    page = write_page(make_showcase(60), tmp_path / "page").read_text("utf-8")
    assert '<input id="find" type="search"' in page
    assert "hasTexts ? { text: textOf }" in page


def test_texts_that_are_not_searched_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = load(ASSETS / "examples" / "definitions" / "run.errata")
    said = "the texts of the first 500 of 1,600 samples"
    assert static_page._searched(made) == ""
    monkeypatch.setattr(static_page, "MAX_TEXTS", 500)
    text, data = read(write_page(made, tmp_path / "page"))
    assert said in text
    assert len(data["texts"]) == 500
    assert static_page._searched(make_showcase(60)) == ""


def test_only_the_page_s_own_script_may_run_and_nothing_is_fetched(tmp_path: Path) -> None:
    text, _ = read(write_page(make_showcase(60), tmp_path / "page"))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    script = re.search(r"<script>(.*)</script>\n</body>", text, re.DOTALL)
    assert policy is not None
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy[1] == (
        f"default-src 'none'; img-src data: 'self' file:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_what_is_exploratory_looks_so_as_on_the_live_page(tmp_path: Path) -> None:
    text, _ = read(write_page(add_words(make_showcase(90)), tmp_path / "page"))
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    assert "exploratory" in text
    assert ".insight.quiet .insight-name" in style
    assert ".mark {" in style


def test_names_from_a_table_stay_text(tmp_path: Path) -> None:
    made = make_showcase(60)
    samples = replace(
        made.samples, ids=(HOSTILE, *made.samples.ids[1:]), class_names=(HOSTILE, *made.samples.class_names[1:])
    )
    text, data = read(write_page(replace(made, samples=samples), tmp_path / "page"))
    assert "<script>alert" not in text
    assert text.count("<script") == 2
    assert data["ids"][0] == HOSTILE


def test_a_class_name_with_an_arrow_stays_whole(tmp_path: Path) -> None:
    made = make_showcase(60)
    names = ("left → right", *made.samples.class_names[1:])
    made = replace(made, samples=replace(made.samples, class_names=names))
    _, data = read(write_page(made, tmp_path / "page"))
    labels, predictions = made.samples.labels, made.outcomes.predictions
    assert labels is not None
    assert predictions is not None
    pairs = [(names[a], names[b]) if a != b else (names[a],) for a, b in zip(labels.tolist(), predictions.tolist())]
    assert list(map(tuple, data["said"])) == pairs
    assert any("left → right" in said for said in pairs)


def test_pictures_end_at_their_bound_and_what_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_showcase(60)
    monkeypatch.setattr(static_page, "MAX_PICTURES", 20)
    text, data = read(write_page(made, tmp_path / "few"))
    assert "40 of 60 samples have no image in this folder." in text
    members = np.flatnonzero(made.clusters[0].membership >= 0.5).tolist()
    assert [row for row, _ in data["pictured"]][: min(20, len(members))] == members[:20]
    monkeypatch.setattr(static_page, "MAX_PICTURE_BYTES", 3000)
    write_page(made, tmp_path / "small")
    assert sum(path.stat().st_size for path in (tmp_path / "small" / "pictures").iterdir()) <= 3000


def test_a_folder_that_holds_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="already contains files"):
        write_page(make_showcase(60), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(make_showcase(60), tmp_path / "run.errata")
    assert main(["export", str(tmp_path / "run.errata"), "--what", "page"]) == 2
    assert main(["export", str(tmp_path / "run.errata"), "--what", "page", "--out", str(tmp_path / "page")]) == 0
    assert str(tmp_path / "page" / "index.html") in capsys.readouterr().out


def test_the_page_packs_it(tmp_path: Path) -> None:
    save(make_showcase(60), tmp_path / "packed" / "run.errata")
    *_, (_, _, taken) = on_make(Session(RUNS.offer(tmp_path / "packed" / "run.errata")))
    names = zipfile.ZipFile(taken["value"]).namelist()
    assert {"index.html", "report.html", "pictures/0.webp"} <= set(names)
    assert [path.suffix for path in Path(taken["value"]).parent.iterdir()] == [".zip"]
