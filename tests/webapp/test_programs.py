"""What docs/programs.md tells programs to do works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from research.evidence.leaves_page import write_data
from webapp.app import build_app
from webapp.server.settings import launch_settings

REPOSITORY = Path(__file__).resolve().parents[2]
TOLD = (REPOSITORY / "docs/programs.md").read_text("utf-8")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A served page; its visitor's table and images lie in the test's folder."""
    table, pictures = write_data(tmp_path)
    table.rename(tmp_path / "table.csv")
    assert pictures.name == "pictures.zip"
    demo = build_app(examples=tmp_path / "none")
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    yield address.rstrip("/")
    demo.close()


def example(language: str, address: str, at: int = 0) -> str:
    """The document's example in a language, for the page at this address."""
    found = re.findall(rf"```{language}\n(.*?)```", TOLD, re.DOTALL)[at]
    assert "http://127.0.0.1:7860" in found
    return found.replace("http://127.0.0.1:7860", address)


def ran(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=600).stdout


@pytest.mark.slow
def test_the_examples_of_the_document_work(address: str, tmp_path: Path) -> None:
    sizes = re.findall(r"^(\d+) 0\.\d+$", ran([sys.executable, "-c", example("python", address)], tmp_path), re.M)
    assert sizes
    events = ran(["bash", "-c", example("bash", address)], tmp_path)
    assert re.search(r'event: complete\ndata: \["[\w-]{22}"\]', events), events


@pytest.mark.slow
def test_the_example_of_every_other_endpoint_works(address: str, tmp_path: Path) -> None:
    said = ran([sys.executable, "-c", example("python", address, at=1)], tmp_path)
    assert re.findall(r"^(\w+) ", said, re.M) == [
        "Loaded", "runs", "findings", "samples",
        "select", "ask", "audit", "predict", "report", "propose", "probe", "compare", "compose",
    ]  # fmt: skip


def test_each_endpoint_has_an_example_for_gradio_client() -> None:
    shown = re.findall(r'api_name="(/\w+)"', "".join(re.findall(r"```python\n(.*?)```", TOLD, re.DOTALL)))
    assert set(shown) == set(re.findall(r"^\| `(/\w+)` \|", TOLD, re.M))


def test_the_document_lists_the_endpoints_that_there_are() -> None:
    names = re.findall(r"^\| `(/\w+)` \|", TOLD, re.M)
    assert sorted(names) == sorted(build_app(examples=REPOSITORY / "none").get_api_info()["named_endpoints"])
