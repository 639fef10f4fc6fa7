"""The pages that people read: every link leads somewhere, and what README and notebook tell to run runs."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import errata
from tests.conftest import REPOSITORY
from tests.support.documented import blocks, commands, run_command, run_python

FEWER = {"diagnose": ["--permutations", "199", "--no-map"], "gate": ["--permutations", "199"]}
README = REPOSITORY / "README.md"
EXAMPLE = REPOSITORY / "assets/examples/scenes"


def pages(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md")), *sorted(root.glob("assets/**/*.md"))]


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(root: Path) -> list[str]:
    """Of each link inside the repository that leads nowhere, the page and the link."""
    broken: list[str] = []
    for page in pages(root):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            found = target.exists() and (not anchor or anchor in anchors(target.read_text("utf-8")))
            broken += [] if found else [f"{page.relative_to(root)}: {link}"]
    return broken


def test_every_link_of_the_pages_leads_to_a_file_and_a_heading() -> None:
    assert broken_links(REPOSITORY) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "# One `two`, three\n[a](#one-two-three) [b](#other) [c](no.md) [d](https://x.y) [e](more.md#here)\n", "utf-8"
    )
    (tmp_path / "more.md").write_text("# Here\n```\n# not a heading\n```\n[f](README.md#not-a-heading)\n", "utf-8")
    assert broken_links(tmp_path) == ["README.md: #other", "README.md: no.md", "more.md: README.md#not-a-heading"]


@pytest.fixture
def at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README names: 300 samples of an example, and 60 others."""
    table = pd.read_csv(EXAMPLE / "table.csv")
    for name, rows in (("val", table[:300]), ("new", table[:300]), ("next", table[300:360])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    for name in ("val", "next"):
        shutil.copyfile(EXAMPLE / "images.zip", tmp_path / f"{name}.zip")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_what_the_readme_tells_to_run_runs(at_work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order, but for the commands that install or go on serving; with fewer permutations."""
    told = [words for block in blocks(README, "bash") for words in commands(block, "errata") if words[0] != "serve"]
    assert [words[0] for words in told] == ["diagnose", "export", "ask", "predict", "gate", "export"]
    for words in told:
        run_command([*words, *FEWER.get(words[0], [])])
    assert (at_work / "report.html").is_file()
    assert (at_work / "page/index.html").is_file()
    quick = errata.Settings(n_permutations=199, map=False, sensitivity=False)
    monkeypatch.setattr(errata, "diagnose", partial(errata.diagnose, settings=quick))
    for block in blocks(README, "python"):
        run_python(block)


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_shows(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Its cells one after the other; what they print, and how many clusters there are, stands in it as they ran."""
    monkeypatch.chdir(REPOSITORY / "docs")
    monkeypatch.syspath_prepend("..")
    cells = [c for c in json.loads(Path("quickstart.ipynb").read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    names: dict[str, Any] = {"__name__": "notebook"}
    for cell in cells:
        exec(compile("".join(cell["source"]), "quickstart.ipynb", "exec"), names)
    shown = [output for cell in cells for output in cell["outputs"]]
    printed = "".join("".join(output["text"]) for output in shown if output["output_type"] == "stream")
    assert capsys.readouterr().out == printed
    plain = ["".join(output["data"].get("text/plain", "")) for output in shown if "data" in output]
    assert repr(names["run"]) in plain
