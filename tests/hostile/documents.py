"""Phrases, words about classes and notes of data sets that mean harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import EVIL, pictures, written

Made = dict[str, Any]
MB = 2**20
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"
DEEP = "[" * 100_000 + "]" * 100_000


def _families(families: Any) -> str:
    return json.dumps({"version": 1, "families": families})


def _family(template: str = "", reference: str = "{noun}", **said: Any) -> str:
    """A phrase file of one family."""
    own = {"templates": [template], "references": [reference]} if template else {}
    return _families([{"name": "a", "phrases": ["b"], **own, **said}])


PHRASES: dict[str, tuple[str, bytes | str, str]] = {
    "nothing": ("p.txt", "", REFUSED),
    "blank lines": ("p.txt", "\n" * 9000, REFUSED),
    "5 MB": ("p.txt", "in the dark\n" * 450_000, REFUSED + "may have"),
    "a line of 3 MB": ("p.txt", "x" * 3 * MB, REFUSED + "at most 60 characters"),
    "100,000 phrases": ("p.txt", "".join(f"thing {i}\n" for i in range(100_000)), REFUSED + "phrases"),
    "a phrase of HTML": ("p.txt", f"{EVIL}\nin the dark\n", ANY),
    "ANSI codes": ("p.txt", "\x1b[31mred\x1b[0m\nblue\x07\n", ANY),
    "family names of HTML and ANSI codes": ("p.txt", f"{EVIL}: dark\n\x1b[2J: bright\n", ANY),
    "a family of 60,000 letters": ("p.txt", "x" * 60_000 + ": dark\n", ANY),
    "2,000 strange families": ("p.txt", "".join(f"family {i}: thing {i}\n" for i in range(1900)), ANY),
    "no UTF-8": ("p.txt", b"caf\xe9 \xff\xfe\n", REFUSED + "UTF-8"),
    "UTF-16": ("p.txt", "in the dark\n".encode("utf-16"), REFUSED + "UTF-8"),
    "zero bytes": ("p.txt", b"in\0the\0dark\n", ANY),
    "right to left": ("p.txt", "\u202eevil\u2066 word\n", ANY),
    "combining accents": ("p.txt", "a" + "\u0301" * 50 + "\n", ANY),
    "emoji alone": ("p.txt", "\U0001f600\U0001f600\n", ANY),
    "templates": ("p.txt", "{noun} {phrase} {0.__class__}\n%s %(x)s\n", ANY),
    "colons alone": ("p.txt", ":::::\n", REFUSED),
    "JSON 100,000 deep": ("p.json", DEEP, REFUSED + "JSON"),
    "JSON of a number with 5,000 digits": ("p.json", '{"version": ' + "9" * 5000 + "}", REFUSED),
    "JSON with version true": ("p.json", '{"version": true, "families": []}', REFUSED),
    "JSON with a version of 1e400": ("p.json", '{"version": 1e400, "families": []}', REFUSED),
    "JSON with families 5": ("p.json", '{"version": 1, "families": 5}', REFUSED),
    "JSON with families of null": ("p.json", '{"version": 1, "families": [null]}', REFUSED),
    "JSON with a name that is a list": ("p.json", _family(name=["a"]), REFUSED),
    "JSON with lone surrogates": ("p.json", _family(name="\ud800", phrases=["a \udfff b"]), ANY),
    "JSON with a template of braces": ("p.json", _family("{noun} {phrase} {noun.__class__.__mro__}"), ANY),
    "JSON with a template open": ("p.json", _family("{noun} {phrase} {", "{noun} }"), ANY),
    "JSON with a template of 3 MB": ("p.json", _family("{noun} {phrase} " + "x" * 3 * MB), ANY),
    "JSON with 50,000 names": ("p.json", _families([{"name": f"f{i}"} for i in range(50_000)]), REFUSED),
    "JSON with HTML in a name": ("p.json", _family(name=EVIL, phrases=[5]), REFUSED),
}  # fmt: skip
for what, (name, data, expects) in PHRASES.items():
    add(f"phrases: {what}", "documents", "phrases", lambda folder, n=name, d=data: written(folder, n, d), expects)

CLASSES = ["cat", "dog"]
TEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    "other names 100,000 deep": ("aliases", {"source": '{"a":' * 100_000, "class_names": CLASSES}),
    "other names of 5,000 digits": ("aliases", {"source": '{"cat": ' + "9" * 5000 + "}", "class_names": CLASSES}),
    "other names that are a list": ("aliases", {"source": "[1]", "class_names": CLASSES}),
    "other names of other names": ("aliases", {"source": '{"cat": {"dog": 1}}', "class_names": CLASSES}),
    "other names twice": ("aliases", {"source": '{"cat": "a", "cat": "b"}', "class_names": CLASSES}),
    "other names of nobody, in HTML": ("aliases", {"source": json.dumps({EVIL: EVIL}), "class_names": CLASSES}),
    "other names with ANSI codes": ("aliases", {"source": json.dumps({"\x1b[2J": "\x1b[31m"}), "class_names": CLASSES}),
    "other names of a path": ("aliases", {"source": "/etc/passwd", "class_names": CLASSES}),
    "other names of a path of 5,000 letters": ("aliases", {"source": "x" * 5000, "class_names": CLASSES}),
    "other names of a path with a zero byte": ("aliases", {"source": "a\0b", "class_names": CLASSES}),
    "other names of a device": ("aliases", {"source": "/dev/zero", "class_names": CLASSES}),
    "other names of 60 MB": ("aliases", {"source": '{"cat": "' + "x" * 60 * MB + '"}', "class_names": CLASSES}),
    "other names of surrogates": ("aliases", {"source": '{"cat": 1, "\\ud800": "\\udfff"}', "class_names": CLASSES}),
    "descriptions 100,000 deep": ("lists", {"source": '{"cat": ' + DEEP + "}", "what": "descriptions"}),
    "descriptions that are numbers": ("lists", {"source": '{"cat": [1e999, null]}', "what": "descriptions"}),
    "descriptions that are one text": ("lists", {"source": '{"cat": "a cat"}', "what": "descriptions"}),
    "descriptions of nothing": ("lists", {"source": '{"cat": [""]}', "what": "descriptions"}),
    "descriptions of a quote without an end": ("said", {"source": '1\t"' + "x" * 200_000}),
    "descriptions of 100,000 cells": ("said", {"source": "1" + "\ta" * 100_000}),
    "descriptions of surrogates": ("said", {"source": "1\t\ud800\n"}),
    "descriptions of a device": ("said", {"source": "/dev/zero"}),
    "descriptions of a path with a zero byte": ("said", {"source": "a\0b"}),
    "patterns of 10,000 places": ("patterns", {"source": "<mask>" * 10_000}),
    "patterns of 10,000 lines": ("patterns", {"source": "<mask>\n" * 10_000}),
    "patterns with a number of 5,000 digits": (
        "patterns",
        {
            "source": "pattern type\tpattern id\tbefore/after\tstring\tmask position\nqa\t"
            + "9" * 5000
            + "\tbefore\t<mask>\t-1"
        },
    ),
    "tags by the million": ("tags", {"source": "a," * 1_000_000, "modality": "text"}),
    "tags of a path of 5,000 letters": ("tags", {"source": "x" * 5000 + ".txt", "modality": "text"}),
    "tags of surrogates": ("tags", {"source": "a, \ud800", "modality": "text"}),
    "templates without a place": ("templates", {"which": "own", "own_templates": "a photo\n" * 10}),
    "templates with 10,000 places": ("templates", {"which": "own", "own_templates": "{}" * 10_000}),
    "templates of a kind that is not known": ("templates", {"which": EVIL * 20}),
    "templates of ANSI codes": ("templates", {"which": "own", "own_templates": "\x1b[31m"}),
}
for what, (reader, given) in TEXTS.items():
    add(f"classes: {what}", "documents", "class_texts", lambda folder, r=reader, g=given: {"reader": r, **g}, REFUSED)

SPLITS: dict[str, str] = {
    "100,000 deep": DEEP,
    "parts that are numbers": '{"train": 5}',
    "rows that are numbers": '{"train": [5]}',
    "labels of 4,000 digits": '{"train": [["a", ' + "9" * 4000 + ', "cat"]]}',
    "labels of 5,000 digits": '{"train": [["a", ' + "9" * 5000 + ', "cat"]]}',
    "names of HTML that disagree": json.dumps({"train": [["a", 0, EVIL], ["b", 0, "\x1b[2J"]]}),
    "names of surrogates that disagree": '{"train": [["a", 0, "\\ud800"], ["b", 0, "\\udfff"]]}',
    "nothing": "",
    "null": "null",
    "NaN as a label": '{"train": [["a", NaN, "cat"]]}',
}
for what, text in SPLITS.items():
    add(
        f"split file: {what}", "documents", "class_texts",
        lambda folder, text=text: {"reader": "split", "path": Path(written(folder, "split.json", text)["path"])},
        ANY if "4,000" in what else REFUSED,
    )  # fmt: skip


def yolo(folder: Path, name: str, text: str | bytes) -> Made:
    """A data set of YOLO with this file of names, as a command."""
    for part in ("truth", "said"):
        (folder / part).mkdir()
        for i in range(24):
            (folder / part / f"{i:03}.txt").write_text("0 0.5 0.5 0.2 0.2" + (" 0.9" if part == "said" else "") + "\n")
    (folder / "images").mkdir()
    for file, data in pictures(24).items():
        (folder / "images" / file).write_bytes(data)
    (folder / "truth" / name).write_bytes(text.encode() if isinstance(text, str) else text)
    line = f"diagnose --truth {folder}/truth --detections {folder}/said --images {folder}/images"
    return {"arguments": f"{line} --out {folder}/out.errata --permutations 100".split()}


def _aliases(depth: int, wide: int) -> str:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * wide)}]" for i in range(1, depth)]
    return "\n".join(lines) + f"\nnames: *a{depth - 1}\n"


NAMES: dict[str, str | bytes] = {
    "a bomb of aliases": _aliases(9, 9),
    "a wide bomb of aliases": _aliases(6, 40),
    "an object with itself inside": "names: &a [*a, *a]\n",
    "100,000 brackets": "names: " + "[" * 100_000,
    "2,000 brackets that close": "names: " + "[" * 2000 + "]" * 2000,
    "10,000 levels by indent": "".join(" " * i + "a:\n" for i in range(3000)),
    "a Python object": "names: !!python/object/apply:os.system ['id']\n",
    "a number of 5,000 digits": "names: [" + "9" * 5000 + "]\n",
    "a number in base 60": "names: [" + ":".join(["59"] * 9000) + "]\n",
    "a date of month 99": "names: [2020-99-99]\n",
    "binary that is none": "names: [!!binary '*']\n",
    "names that are numbered wrongly": "names: {3: a, x: b}\n",
    "names of ANSI codes": 'names: {"\\e[2J": a, "\\x07": b}\n',
    "zero bytes": b"names: [\0]\n",
    "5 MB of one key": "names: [" + "a, " * 1_700_000 + "a]\n",
    "a key that is a list": "? [a, b]\n: 1\nnames: {[1]: a}\n",
    "merges of merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 28))
    + "names: [a]\n",
}  # fmt: skip
for what, text in NAMES.items():
    add(
        f"yaml: {what}", "documents", "command",
        lambda folder, text=text: yolo(folder, "data.yaml", text),
        REFUSED if "binary" in what else REFUSED + "(data.yaml|names)",
    )  # fmt: skip


@case("yaml: 10,000 names of one class", "command", ANY, slow=True, max_cpu_s=20)
def _(folder: Path) -> Made:
    return yolo(folder, "data.yaml", "names: [" + ", ".join(f"c{i}" for i in range(10_000)) + "]\n")


def _coco(**changed: str) -> str:
    """The truth of one box, with some of its parts bent."""
    part = {
        "image": '{"id": 1, "file_name": "a.png"}',
        "box": '{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}',
        "category": '{"id": 1, "name": "a"}',
    } | changed
    return f'{{"images": [{part["image"]}], "annotations": [{part["box"]}], "categories": [{part["category"]}]}}'


COCO: dict[str, str] = {
    "100,000 deep": DEEP,
    "5,000 digits": _coco(image='{"id": ' + "9" * 5000 + "}"),
    "images that are numbers": _coco(image="1, 2"),
    "a name that is a list": _coco(image='{"id": 1, "file_name": []}'),
    "a width of NaN": _coco(image='{"id": 1, "file_name": "a.png", "width": NaN}', box='{"image_id": 1}'),
    "ids that are objects": _coco(image='{"id": {}, "file_name": "a.png"}', box='{"image_id": {}}'),
    "ids of 400 digits": _coco(image='{"id": ' + "9" * 400 + ', "file_name": "a.png"}', box='{"image_id": 1e999}'),
    "boxes of four texts": _coco(box='{"image_id": 1, "category_id": 1, "bbox": ["a", "b", {}, null]}'),
    "names of surrogates": _coco(image='{"id": 1, "file_name": "\\ud800"}', category='{"id": 1, "name": "\\udfff"}'),
    "nothing": "",
}  # fmt: skip
for what, text in COCO.items():
    add(
        f"coco: {what}", "documents", "command",
        lambda folder, text=text: {"arguments": [
            "diagnose", "--truth", written(folder, "truth.json", text)["path"],
            "--detections", written(folder, "said.json", "[]")["path"], "--out", str(folder / "out.errata"),
        ]},
        REFUSED,
    )  # fmt: skip
