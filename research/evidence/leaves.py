"""Whom do whole journeys reach, and which files do they write? Seen from outside, by system calls.

    python -m research.evidence.leaves --out FOLDER            # every command, then the page in a real browser
    python -m research.evidence.leaves --out FOLDER --only page
    python -m research.evidence.leaves --out FOLDER --repository OTHER   # another checkout

The exit code is 1 where anything left the machine or was written outside the folders that were named to the command.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from research.evidence.leaves_page import Browsed, browse
from tests.support.system_calls import Run, Watched, harmless, stays_here, watch, why_not

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = "assets/examples/scenes/table.csv"
IMAGES = "assets/examples/scenes/images.zip"
PYTHON = """
import sys
from core.diagnose import Settings, diagnose
from core.checks.questions import ask
found = diagnose(sys.argv[1], images=sys.argv[2], settings=Settings(n_permutations=100))
print(len(found.clusters), [answer.text for answer in ask(found, ["a dog in snow"])])
"""


@dataclass(frozen=True)
class Place:
    """A fresh user: an empty home, and a folder for each thing that may be written."""

    folder: Path
    repository: Path = REPOSITORY

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def stated(self) -> list[Path]:
        """The folders that the documents name: results, caches, temporary files, kept runs."""
        return [self.folder / name for name in ("out", "cache", "tmp", "kept")]

    def env(self) -> dict[str, str]:
        """The environment of a fresh user: nothing of ours but what these variables say."""
        _, cache, tmp, kept = map(str, self.stated)
        own = {"TMPDIR": tmp, "ERRATA_CACHE": cache, "ERRATA_KEEP": kept}
        given = {"HOME": str(self.home), **own, "LANG": "C.UTF-8"}
        return {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **given}

    def make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.home, *self.stated):
            folder.mkdir(parents=True)

    def run(self, name: str, command: list[str]) -> Run:
        """The command in this place, its logs below it."""
        return Run(name, command, self.folder / "logs" / name.replace(" ", "_"), self.env(), self.repository)


def shorten(table: Path, rows: int, to: Path) -> Path:
    """The first rows of a CSV table."""
    to.write_text("".join(table.read_text("utf-8").splitlines(keepends=True)[: rows + 1]), "utf-8")
    return to


IN_ONE = """
import sys
from core.cli.main import main
for line in {lines!r}:
    if main(line):
        sys.exit(f"{{line[0]}} failed")
"""


def lines_of(place: Place, table: Path, pictures: Path) -> dict[str, list[str]]:
    """The arguments of each command on an example, by name; the later ones read what the earlier wrote."""
    out = place.folder / "out"
    images = str(pictures)
    run = str(out / "run.errata")
    few = ["--permutations", "100"]
    return {
        "diagnose": ["diagnose", "--table", str(table), "--images", images, "--out", run, *few, "--hold-back", "0.25"],
        "ask": ["ask", run, "a dog in snow", "a dog on grass"],
        "audit": ["audit", run, "--out", str(out / "audit.html")],
        "predict": ["predict", run, "--fresh", str(table), "--images", images],
        "assign": ["assign", run, "--images", images, "--out", str(out / "new.csv")],
        "export": ["export", run, "--what", "weights", "--format", "csv"],
        "probe": ["probe", "zero-shot", run],
        "compare": ["compare", run, "model", "zero-shot"],
        "compose": ["compose", "run", "rendered", "--n", "20", "--out", str(out / "composed")],
        "phrases": ["phrases", "--out", str(out / "phrases.json")],
        "encoders": ["encoders"],
    }


def commands(place: Place, table: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command in a process of its own, by name."""
    images = place.repository / IMAGES
    for name, line in lines_of(place, table, images).items():
        yield name, [sys.executable, "-m", "core", *line]
    yield "from Python", [sys.executable, "-c", PYTHON, str(table), str(images)]


def all_in_one(place: Place, rows: int) -> list[str]:
    """The same commands, one after the other in one process, so that what they import is imported once; on the first
    rows and images of the shipped example alone."""
    table = shorten(place.repository / TABLE, rows, place.folder / "table.csv")
    pictures = place.folder / "few.zip"
    with ZipFile(place.repository / IMAGES) as whole, ZipFile(pictures, "w") as few:
        for name in sorted(whole.namelist())[:rows]:
            few.writestr(name, whole.read(name))
    return [sys.executable, "-c", IN_ONE.format(lines=list(lines_of(place, table, pictures).values()))]


def watch_commands(place: Place, rows: int) -> Iterator[Watched]:
    """Run and watch every command on the first rows of the example."""
    table = shorten(place.repository / TABLE, rows, place.folder / "table.csv")
    for name, command in commands(place, table):
        yield watch(place.run(name, command))


def folders(written: Counter[str], place: Place) -> Counter[str]:
    """How many paths were written in each folder, at most two deep in the place; compiled code counts as one folder."""
    found: Counter[str] = Counter()
    for path in written:
        if "/__pycache__" in path:
            found["compiled code (__pycache__)"] += 1
        elif harmless(path):
            found[str(Path(path).parent)] += 1
        else:
            parent = Path(path).parent
            inside = parent.is_relative_to(place.folder)
            found[str(Path(*parent.relative_to(place.folder).parts[:2])) if inside else str(parent)] += 1
    return found


def show(seen: Watched, place: Place) -> list[str]:
    """Print what one journey did; returns its faults."""
    faults = seen.faults(place.stated)
    print(f"\n{seen.name}: exit code {seen.exit_code}, {len(faults)} faults")
    for address, n in sorted(seen.reached.items()):
        print(f"  reached {address} {n:,} times{'' if stays_here(address) else '  <-- LEAVES'}")
    for name, n in sorted(seen.asked.items()):
        print(f"  asked for {name} {n:,} times  <-- LEAVES")
    for folder, n in sorted(folders(seen.written, place).items()):
        print(f"  wrote {n:,} paths in {folder}")
    print(f"  started {', '.join(f'{Path(p).name} ({n:,})' for p, n in sorted(seen.started.items()))}")
    for fault in faults:
        print(f"  FAULT {fault}")
    return faults


def show_browser(seen: Browsed) -> list[str]:
    """Print what the browser asked for; returns its faults."""
    print(f"\nthe browser: {sum(seen.requests.values()):,} requests of the page, {len(seen.faults())} faults")
    for origin, n in sorted(seen.requests.items()):
        print(f"  asked {origin} {n:,} times")
    for host, n in sorted(seen.hosts.items()):
        print(f"  network log: {host} {n:,} times")
    for fault in seen.faults():
        print(f"  FAULT {fault}")
    return seen.faults()


def main() -> int:
    """Watch the journeys and print what was seen."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--out", type=Path, required=True, help="emptied, then holds the logs and what was written")
    parse.add_argument("--rows", type=int, default=600, help="of the shipped example (default: all)")
    parse.add_argument("--only", choices=["commands", "page"])
    parse.add_argument("--repository", type=Path, default=REPOSITORY, help="the checkout whose code runs")
    given = parse.parse_args()
    if reason := why_not():
        print(f"Nothing was watched: {reason}")
        return 2
    place = Place(given.out.resolve(), given.repository.resolve())
    place.make()
    faults = []
    if given.only != "page":
        for seen in watch_commands(place, given.rows):
            faults += show(seen, place)
            faults += [f"{seen.name} ended with {seen.exit_code}: {seen.output[-500:]}"] * (seen.exit_code != 0)
    if given.only != "commands":
        served, browsed = browse(place.run("serve", []), place.folder)
        faults += show(served, place) + show_browser(browsed)
    left = sorted(str(path.relative_to(place.home)) for path in place.home.rglob("*"))
    print(f"\nleft in the home folder: {', '.join(left) or 'nothing'}; faults in all: {len(faults)}")
    return 1 if faults or left else 0


if __name__ == "__main__":
    sys.exit(main())
