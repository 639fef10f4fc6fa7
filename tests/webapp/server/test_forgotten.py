"""What is left of a visit on the server once its data were deleted, seen from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.evidence.load import Server, made_up, served
from tests.support.files_below import files_below
from tests.support.page_over_http import HttpPage
from tests.support.quick_server import START
from webapp.state.downloads import FILES

pytestmark = pytest.mark.slow


def files(folder: Path) -> set[Path]:
    """All that lies below the server's temporary folder."""
    return set(files_below(folder / "tmp"))


def bring(server: Server, seed: int = 1, n: int = 64) -> HttpPage:
    """A page with a table and its images in the form."""
    page = HttpPage(server.address)
    page.open("data")
    table, pictures = made_up(n, seed)
    page.put("table", f"t{seed}.csv", table)
    page.put("images", f"p{seed}.zip", pictures)
    page.change("table")
    return page


def test_what_was_made_of_a_run_is_served_to_nobody_once_the_visitor_deletes_it(
    tmp_path: Path, repository: Path
) -> None:
    with served(repository, tmp_path, start=START) as server:
        before = files(tmp_path)
        page = bring(server)
        page.click("run")
        paths = list[str]()
        page.unfold("closing")
        for name, _ in FILES:
            page.act("downloads", take=name)
            paths.append(page.values[page.of("download-file")]["path"])
        assert len(set(paths)) == len(FILES)
        assert [page.get(path).status_code for path in paths] == [200] * len(FILES)
        page.click("forget")
        assert all(page.get(path).status_code in (403, 404) for path in paths)
        assert files(tmp_path) == before
