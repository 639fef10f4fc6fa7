"""Nothing leaves: whole journeys watched from outside, by system calls, and in a browser by its own network log.

Each command in a process of its own, on the whole example, with what was seen printed:
`python -m research.evidence.leaves --out FOLDER`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from research.evidence.leaves import Place, all_in_one
from research.evidence.leaves_page import browse, why_no_browser
from tests.support.system_calls import watch, why_not

pytestmark = pytest.mark.slow
watched = pytest.mark.skipif(bool(why_not()), reason=why_not() or "can be watched")
ROWS = 120


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A fresh user with an empty home."""
    made = Place(tmp_path / "user")
    made.make()
    return made


@watched
def test_no_command_reaches_anyone_or_writes_outside_the_stated_folders(place: Place) -> None:
    seen = watch(place.run("commands", all_in_one(place, ROWS)))
    assert seen.exit_code == 0, seen.output
    assert seen.faults(place.stated) == []
    written = [str(place.folder / "out" / name) for name in ("run.errata", "audit.html", "new.csv", "phrases.json")]
    assert set(written) <= set(seen.written)  # the watch itself works
    assert list(place.home.iterdir()) == []


@watched
@pytest.mark.browser
def test_a_visitors_whole_journey_asks_the_page_alone(place: Place) -> None:
    if reason := why_no_browser():
        pytest.skip(reason)
    with ThreadPoolExecutor(1) as apart:  # the browser tests' own Playwright may hold this thread
        served, browsed = apart.submit(browse, place.run("serve", []), place.folder).result()
    assert browsed.steps[-1] == "guide"
    assert browsed.faults() == []
    assert browsed.requests[browsed.address] > 50  # the watch itself works
    assert served.faults(place.stated) == []
    assert any(path.endswith(".errata") for path in served.written)
    assert list(place.home.iterdir()) == []


def test_a_benchmark_of_pictures_is_scored_where_there_is_no_network_at_all(place: Place) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("needs a network namespace of its own: unshare -rn")
    command = ["unshare", "-rn", sys.executable, "-m", "core", "compose", "run", "rendered", "--n", "20"]
    done = subprocess.run(command, env=place.env(), cwd=place.repository, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "20 items" in done.stdout
