"""Benchmarks of composition that mean harm, with and without their pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import EVIL, picture, pictures, png, written, zip_of

Made = dict[str, Any]
MB = 2**20
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"
DEEP = "[" * 100_000 + "]" * 100_000
ONE = {"image": "000.png", "caption": "a dog on a mat", "foil": "a mat on a dog"}


def _lines(*rows: Any) -> str:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"


CREPE = "image_id,caption,x,y,width,height,hard_negs\n"
_THING = {"color": "red", "size": "big", "material": "metal"}
_SCENE = {"image_filename": "a.png", "objects": [{**_THING, "shape": f"s{i}"} for i in range(20_000)]}
_BOX = {"bbox_x": "nan", "bbox_y": 1, "bbox_w": 1, "bbox_h": 1, "relation_name": "on", "image_path": "a.png"}
TWO = '"caption": "\\ud800 a", "foil": "\\udfff b"'
FILES: dict[str, tuple[str, bytes | str, str]] = {
    "nothing": ("b.json", "", REFUSED),
    "null": ("b.json", "null", REFUSED + "no|none|not"),
    "an empty list": ("b.json", "[]", REFUSED + r"(does not have|no.{0,40}shape|not.{0,40}shape|none)"),
    "lists 100,000 deep": ("b.json", DEEP, REFUSED + "deep"),
    "a number of 5,000 digits": ("b.json", "[" + "9" * 5000 + "]", REFUSED),
    "NaN": ("b.json", '[["a", "b", "c", NaN]]', REFUSED + "NaN"),
    "a key twice": ("b.json", '{"labels": [], "labels": [], "data": []}', REFUSED + "twice"),
    "20,000 keys, one twice": ("b.json", "{" + '"k": 1,' * 20_000 + '"k": 1}', REFUSED + "twice"),
    "lists of numbers": ("b.json", "[[1, 2, 3, 4]]", REFUSED),
    "lists of four and of five": ("b.json", '[["a", "b", "c", "d"], ["a", "b", "c", "d", "e"]]', REFUSED),
    "captions that are objects": ("b.jsonl", _lines({**ONE, "caption": {"a": 1}}), REFUSED),
    "captions of 5 MB": ("b.jsonl", _lines({**ONE, "caption": "a " * 2_500_000}), ANY),
    "captions of HTML": ("b.jsonl", _lines(*({**ONE, "caption": f"{EVIL} {i}"} for i in range(5))), ANY),
    "captions of ANSI codes": ("b.jsonl", _lines(*({**ONE, "caption": f"\x1b[2J a {i}"} for i in range(5))), ANY),
    "captions of lone surrogates": ("b.jsonl", ('{"image": "000.png", ' + TWO + "}\n") * 3, ANY),
    "captions of nothing": ("b.jsonl", _lines({**ONE, "caption": "", "foil": ""}), ANY),
    "images that climb": ("b.jsonl", _lines({**ONE, "image": "../../etc/passwd"}), ANY),
    "images of addresses": ("b.jsonl", _lines({**ONE, "image": "http://evil.example/a.png"}), ANY),
    "images of 64 KB": ("b.jsonl", _lines({**ONE, "image": "a" * 65_536}), ANY),
    "images that are numbers": ("b.jsonl", _lines({**ONE, "image": 5}), ANY),
    "100,000 items": ("b.jsonl", _lines(*({**ONE, "caption": f"a {i}"} for i in range(100_000))), ANY),
    "one line no JSON": ("b.jsonl", _lines(ONE, "{]", ONE), REFUSED + "line 2"),
    "line separators inside": ("b.jsonl", _lines({**ONE, "caption": "a\u2028b"}), ANY),
    "CREPE without its columns": ("b.csv", "image_id,caption\n1,a\n", REFUSED),
    "CREPE with boxes of words": ("b.csv", CREPE + "1,a,x,y,w,h,\"['b']\"\n", REFUSED),
    "CREPE with negatives of code": ("b.csv", CREPE + "1,a,0,0,1,1,\"[exec('1')]\"\n", ANY),
    "CREPE with negatives 20,000 deep": ("b.csv", CREPE + "1,a,0,0,1,1,\"" + "[" * 20_000 + '"\n', ANY),
    "CREPE with boxes of 1e400": ("b.csv", CREPE + "1,a,1e400,0,1,1,\"['b']\"\n", REFUSED),
    "a line of names of 1 MB": ("b.csv", "x" * MB + ",caption,foil\n", REFUSED),
    "a field of 10 MB": ("b.csv", "image,caption,foil\n000.png," + "a" * 10 * MB + ",b\n", ANY),
    "a quote never closed": ("b.csv", 'image,caption,foil\n000.png,"a,b\n' + "1,2,3\n" * 50_000, ANY),
    "zero bytes": ("b.csv", b"image,caption,foil\n0\0.png,a\0,b\n", ANY),
    "NegCLIP with negatives that are code": ("b.tsv", "title\tfilepath\tneg_caption\na\t0.png\t[exec('1')]\n", ANY),
    "no UTF-8": ("b.json", b"[\xff\xfe]", REFUSED + "UTF-8"),
    "CLEVR with scenes of numbers": ("b.json", '{"scenes": [1]}', REFUSED),
    "CLEVR with objects of numbers": ("b.json", '{"scenes": [{"image_filename": "a.png", "objects": [1]}]}', REFUSED),
    "CLEVR with a scene of 20,000 objects": ("b.json", json.dumps({"scenes": [_SCENE]}), ANY),
    "Cola with labels of words": ("b.json", '{"labels": ["a", 1], "data": [["a.png", [1, 2], ["x"]]]}', REFUSED),
    "SugarCrepe of one list": ("b.json", '{"0": {"filename": [], "caption": "", "negative_caption": 1}}', REFUSED),
    "VALSE with votes of words": (
        "b.json", '{"a": {"image_file": "a.png", "caption": "a", "foil": "b", "mturk": "many"}}', ANY,
    ),
    "ARO with boxes of NaN": ("b.json", json.dumps([{"true_caption": "a", "false_caption": "b", **_BOX}]), REFUSED),
    "ARO with captions of 10,000 words": (
        "b.json", json.dumps([{"image": "a.png", "caption": ["word " * 10_000]}] * 20), ANY,
    ),
}  # fmt: skip
for what, (name, data, expects) in FILES.items():
    add(f"benchmark: {what}", "benchmark_files", "bench", lambda folder, n=name, d=data: written(folder, n, d), expects)


def _with_pictures(folder: Path, rows: Any, members: Any) -> Made:
    return {**written(folder, "b.jsonl", _lines(*rows)), "images": str(zip_of(folder / "a.zip", members))}


ROWS = [{**ONE, "image": f"{i:03}.png", "caption": f"a dog {i}"} for i in range(24)]
PICTURES: dict[str, tuple[Any, str]] = {
    "that are bombs": ({name: png(60_000, 60_000) for name in pictures()}, ANY),
    "that are not there": ({"z.png": picture()}, REFUSED),
    "that are none": ({name: b"GIF89a" for name in pictures()}, ANY),
    "that climb": ({"../000.png": picture()}, REFUSED + "outside"),
    "that are empty": (dict.fromkeys(pictures(), b""), ANY),
}
for what, (members, expects) in PICTURES.items():
    add(
        f"benchmark: pictures {what}", "benchmark_files", "bench",
        lambda folder, m=members: _with_pictures(folder, ROWS, m), expects,
    )  # fmt: skip


@case("benchmark: its reader is a path", "bench", REFUSED)
def _(folder: Path) -> Made:
    return {**written(folder, "b.jsonl", _lines(ONE)), "form": "core.store:load"}


@case("benchmark: a name of 5,000 letters", "bench", REFUSED)
def _(folder: Path) -> Made:
    return {"path": "a" * 5000}


CAPTIONS: dict[str, list[str]] = {
    "nothing": [],
    "empty texts": ["", ""],
    "two the same": ["a dog", "a dog"],
    "ANSI codes twice": ["\x1b[31ma", "\x1b[31ma"],
    "HTML twice": [EVIL, EVIL],
    "lone surrogates": ["\ud800 a", "\udfff b"],
    "1 MB": ["a " * 500_000, "b"],
    "1,000": [f"a dog {i}" for i in range(1000)],
    "zero bytes": ["a\0b", "c"],
    "emoji joined 5,000 times": ["\U0001f468\u200d" * 5000, "a"],
}
for what, captions in CAPTIONS.items():
    add(
        f"pairs: captions of {what}", "benchmark_files", "pairs",
        lambda folder, c=captions: {**written(folder, "a.png", picture()), "captions": c}, ANY,
    )  # fmt: skip
