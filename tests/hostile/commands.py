"""Command lines that mean harm, and what a browser may say to the page's callbacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add
from tests.hostile.making import EVIL, csv_of, good_rows, pictures, written

Made = dict[str, Any]
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"

RUN = ["diagnose", "--table", "TABLE", "--embeddings", "VECTORS", "--out", "OUT.errata"]
LOOK = ["diagnose", "--table", "TABLE", "--images", "PICTURES", "--out", "OUT.errata"]
LINES: dict[str, list[str]] = {
    "no command of that name": [EVIL],
    "a command of ANSI codes": ["\x1b[2J"],
    "a command of a lone surrogate": ["\udcff"],
    "a command of 100,000 letters": ["x" * 100_000],
    "10,000 options": ["diagnose", *["--out=a"] * 10_000],
    "a table of an address": ["diagnose", "--table", "http://evil.example/t.csv", "--out", "OUT.errata"],
    "a table of a device": ["diagnose", "--table", "/dev/zero", "--out", "OUT.errata"],
    "a table of this process' memory": ["diagnose", "--table", "/proc/self/mem", "--out", "OUT.errata"],
    "a table of standard input": ["diagnose", "--table", "/dev/stdin", "--out", "OUT.errata"],
    "pictures of a device": ["diagnose", "--images", "/dev/zero", "--out", "OUT.errata"],
    "pictures of /proc": ["diagnose", "--table", "TABLE", "--images", "/proc/self/fd", "--out", "OUT.errata"],
    "embeddings of a device": ["diagnose", "--table", "TABLE", "--embeddings", "/dev/zero", "--out", "OUT.errata"],
    "to write into /proc": ["diagnose", "--table", "TABLE", "--embeddings", "VECTORS", "--out", "/proc/evil"],
    "to write onto a file": ["diagnose", "--table", "TABLE", "--embeddings", "VECTORS", "--out", "TABLE"],
    "an alpha of nan": ["diagnose", "--table", "TABLE", "--out", "OUT.errata", "--alpha", "nan"],
    "an alpha of 1e400": ["diagnose", "--table", "TABLE", "--out", "OUT.errata", "--alpha", "1e400"],
    "a seed of 5,000 digits": ["diagnose", "--table", "TABLE", "--out", "OUT.errata", "--seed", "9" * 5000],
    "a seed of -1": [*RUN, "--seed", "-1"],
    "10^30 permutations": [*RUN, "--permutations", "1" + "0" * 30],
    "an encoder of a path": [*LOOK, "--encoder", "../../etc/passwd"],
    "an encoder of HTML": [*LOOK, "--encoder", EVIL],
    "a run of a device": ["ask", "/dev/zero", "dark"],
    "a run of HTML": ["ask", EVIL, "dark"],
    "a run of 5,000 letters": ["ask", "a" * 5000, "dark"],
    "a run with a zero byte": ["ask", "a\0b", "dark"],
    "a question of 1 MB": ["ask", "RUN", "dark " * 200_000],
    "a question of nothing": ["ask", "RUN", ""],
    "a question of ANSI codes": ["ask", "RUN", "\x1b[2Jdark"],
    "a question of a lone surrogate": ["ask", "RUN", "\udcff"],
    "a port of 99,999": ["serve", "--port", "99999"],
    "a probe of a path": ["probe", "RUN", "--probe", "os:system", "--out", "OUT.errata"],
    "a split file of a device": ["probe", "RUN", "--probe", "zero-shot", "--split", "/dev/zero", "--out", "OUT"],
    "to assign a device": ["assign", "RUN", "--table", "/dev/zero", "--out", "OUT.csv"],
    "to export to a path that climbs": ["export", "RUN", "--what", "samples", "--out", "/proc/evil.csv"],
    "a benchmark of a device": ["compose", "/dev/zero", "--out", "OUT"],
    "a benchmark of a lone surrogate": ["compose", "\udcff.json", "--out", "OUT"],
    "phrases to /dev/full": ["phrases", "--out", "/dev/full"],
    "a column of ANSI codes": ["diagnose", "--table", "TABLE", "--out", "OUT.errata", "--loss", "\x1b[31m"],
    "a column of a lone surrogate": ["diagnose", "--table", "TABLE", "--out", "OUT.errata", "--loss", "\udcff"],
}  # fmt: skip


def _line(folder: Path, arguments: list[str]) -> Made:
    """The command line with its capital words replaced by real files."""
    from core.files import ASSETS

    np.save(folder / "v.npy", np.random.default_rng(0).random((24, 8)))
    (folder / "pictures").mkdir()
    for name, data in pictures().items():
        (folder / "pictures" / name).write_bytes(data)
    real = {
        "TABLE": csv_of(folder, good_rows())["path"],
        "VECTORS": str(folder / "v.npy"),
        "PICTURES": str(folder / "pictures"),
        "RUN": str(ASSETS / "examples" / "scenes" / "run.errata"),
        "OUT": str(folder / "out"),
        "OUT.errata": str(folder / "out.errata"),
        "OUT.csv": str(folder / "out.csv"),
    }
    return {"arguments": [real.get(word, word) for word in arguments]}


for what, arguments in LINES.items():
    free = what.startswith("a question") or "/dev/full" in what
    add(
        f"command: {what}", "commands", "command",
        lambda folder, a=arguments: _line(folder, a), ANY if free else REFUSED, max_cpu_s=20,
    )  # fmt: skip

JUNK: dict[str, Any] = {
    "nothing": {},
    "a list": [],
    "a number": 5,
    "infinities": {"do": "row", "at": float("inf"), "row": float("nan"), "cluster": float("inf")},
    "a number of 400 digits": {"do": "row", "row": 10**400, "at": 10**400, "cluster": 10**400},
    "HTML": {key: EVIL for key in ("do", "at", "row", "which", "value", "tag", "part", "rows", "answers", "cluster")},
    "lists in lists": {"do": [[]], "at": [], "rows": [[[]]], "answers": [[]], "polygon": [[[]]]},
    "10 MB": {"do": "x" * 10_000_000, "rows": ["x"] * 100_000},
    "a negative place": {"do": "row", "row": -1, "at": -1, "cluster": -1},
    "texts for numbers": {"do": "row", "row": "1; drop", "at": "0x10", "cluster": "\u0661"},
    "lone surrogates": {"do": "\ud800", "at": "\udfff", "value": "\ud800", "rows": ["\ud800"]},
}
CALLBACKS = (
    ("webapp.systems.composition.pairs", "on_edit", "PairsState"),
    ("webapp.systems.composition.pairs", "on_cell", "PairsState"),
    ("webapp.explore.picked", "on_act", "Session"),
)


def _event(folder: Path, module: str, name: str, state: str, said: Any) -> Made:
    from importlib import import_module

    made = getattr(import_module(module), state)()
    given: list[Any] = {"on_edit": [made], "on_cell": [made, "embedded", None], "on_act": [made]}[name]
    return {"module": module, "name": name, "arguments": given, "event": said}


for module, name, state in CALLBACKS:
    for what, said in JUNK.items():
        add(
            f"event of {name}: {what}", "commands", "callback",
            lambda folder, m=module, n=name, s=state, e=said: _event(folder, m, n, s, e), ANY,
        )  # fmt: skip

POLYGONS: dict[str, Any] = {
    "text": EVIL,
    "a million corners": [[0.0, 0.0]] * 1_000_000,
    "corners of nan": [[float("nan")] * 2] * 5,
    "corners of 1e308": [[1e308, -1e308], [-1e308, 1e308], [1e308, 1e308]],
    "corners of three numbers": [[1, 2, 3]] * 5,
    "corners of texts": [["a", "b"]] * 5,
    "corners of 400 digits": [[10**400, 1]] * 5,
    "an object": {"a": 1},
    "nothing": None,
}
for what, polygon in POLYGONS.items():
    add(
        f"outline: {what}", "commands", "callback",
        lambda folder, p=polygon: {"module": "webapp.failure_map", "name": "read_polygon", "arguments": [p]}, ANY,
    )  # fmt: skip

OPTIONS: dict[str, Any] = {
    "a list": [1],
    "HTML as a key": {EVIL: 1},
    "ANSI codes as a key": {"\x1b[2J": 1},
    "a seed of 400 digits": {"seed": 10**400},
    "a seed that is a list": {"seed": [[]]},
    "an alpha of nan": {"alpha": float("nan")},
    "an encoder of a path": {"encoder": "/etc/passwd"},
    "an encoder of an address": {"encoder": "hf-hub:evil/model"},
    "a million names": {"conditions": ["x"] * 1_000_000},
    "masks of one": {"masks": ["a"]},
    "a loss that is an object": {"loss": {"a": 1}},
    "half to hide, as text": {"hold_back": EVIL},
    "a lone surrogate": {"loss": "\ud800"},
}
for what, options in OPTIONS.items():
    add(
        f"options: {what}", "commands", "callback",
        lambda folder, o=options: {
            "module": "webapp.api", "name": "diagnose",
            "arguments": [csv_of(folder, good_rows())["path"], None, None, o],
        },
        REFUSED,
    )  # fmt: skip


def _fresh(folder: Path, text: str) -> Made:
    return written(folder, "fresh.csv", text)


FRESH = {
    "without a column of the run": "id,loss\na,1\n" * 30,
    "of HTML": f"{EVIL},{EVIL}\n" + "1,2\n" * 30,
    "of nothing": "",
    "of ANSI codes": "\x1b[2J,b\n" + "1,2\n" * 30,
    "of JSON": json.dumps([{"a": 1}]),
}
for what, text in FRESH.items():
    add(f"predict: a table {what}", "commands", "predict", lambda folder, t=text: _fresh(folder, t), REFUSED)
