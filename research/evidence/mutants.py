"""Which small changes of the code no test notices: `python -m research.evidence.mutants FILE ... --sample 8 --seed 0
--work FOLDER --out FILE`, or `--of 60` for so many of all files together, then `--show FILE`.

A mutant is one change of one place (`_instead`), made in a copy of the checkout. There the test files nearest to it by
imports run until a test fails, or does not end: its mirrors, then those that import it, then the others. `--again FILE`
tries the survivors of that file once more, wherever their lines have moved to. Survivors that change nothing that a
user could see, and why, stand in `mutants_equal.jsonl` beside this file.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from research.lines import append_line, keys_done, read_lines
from scripts.changed import reached_tests

HERE = Path(__file__).resolve().parents[2]
EQUAL = Path(__file__).with_name("mutants_equal.jsonl")
KEY = ("file", "code", "column", "before", "after")
"""Of a mutant, wherever its line has moved to."""
PAIRS = (
    "Lt LtE Gt GtE Eq NotEq Is IsNot In NotIn And Or Add Sub Mult Div BitAnd BitOr "
    "min max minimum maximum argmin argmax any all floor ceil"
).split()
OTHER = dict(zip(PAIRS, (PAIRS[i ^ 1] for i in range(len(PAIRS))))) | {"FloorDiv": "Mult", "Pow": "Mult"}
NOT_INSIDE = (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)
"""Words and names; annotations and decorators are passed over too."""
Mutant = tuple[dict[str, Any], str]
"""Where it is and what it changes, and the file's new text."""


def mutants(file: str, text: str) -> list[Mutant]:
    """All of a file."""
    found = list[Mutant]()
    starts = np.cumsum([0, *(len(line.encode()) for line in text.splitlines(keepends=True))])
    for node, new in _changed(ast.parse(text)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        by = ast.unparse(new)
        whole = text.encode()
        inner = by if isinstance(node, ast.stmt | ast.Slice) else f"({by})"
        made = (whole[:start] + inner.encode() + whole[end:]).decode()
        row = {"file": file, "line": node.lineno, "code": text.splitlines()[node.lineno - 1].strip()}
        found.append((row | {"column": node.col_offset, "before": whole[start:end].decode(), "after": by}, made))
    return found


def _changed(node: ast.AST) -> Iterator[tuple[Any, ast.AST]]:
    """Each node below this one, and what may stand in its place."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name in ("annotation", "returns", "decorator_list") or isinstance(child, NOT_INSIDE):
                continue
            if isinstance(child, ast.AST):
                yield from ((child, new) for new in _instead(child) if ast.dump(new) != ast.dump(child))
                yield from _changed(child)


def _but(node: Any, **fields: Any) -> ast.AST:
    """A copy with other fields."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _other(op: ast.AST) -> ast.AST:
    return getattr(ast, OTHER[type(op).__name__])()


def _instead(node: Any) -> Iterator[ast.AST]:
    """Of this node itself; its children stay."""
    but = partial(_but, node)
    match node:
        case ast.Compare(ops=ops):
            yield from (but(ops=[*ops[:i], _other(op), *ops[i + 1 :]]) for i, op in enumerate(ops))
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op).__name__ in OTHER:
            yield but(op=_other(op))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)) if value < 30:
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=int(value) | float(value)):
            yield from (ast.Constant(value * 2 or 1.0), ast.Constant(type(value)(value / 2) or -1.0))
        case ast.Slice(step=None):
            for end in ("lower", "upper"):
                if (at := getattr(node, end)) is not None and not isinstance(at, ast.Constant):
                    yield but(**{end: ast.BinOp(at, ast.Add(), ast.Constant(1))})
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield ast.Pass()
        case ast.Call(func=func, args=args):
            for i, (one, other) in enumerate(pairwise(args)):
                if type(one) is type(other) and isinstance(one, ast.Name | ast.Attribute | ast.Subscript):
                    yield but(args=[*args[:i], other, one, *args[i + 2 :]])
            field = "attr" if isinstance(func, ast.Attribute) else "id"
            if (name := getattr(func, field, "")) in OTHER:
                yield but(func=_but(func, **{field: OTHER[name]}))
            if name == "range":
                yield but(args=[*args[:-1], ast.BinOp(args[-1], ast.Sub(), ast.Constant(1))])
        case _:
            pass


def drawn(found: list[Mutant], n: int, seed: int) -> list[Mutant]:
    """At most n of these mutants, each of another place."""
    places: dict[tuple[str, int, int], Mutant] = {}
    for i in np.random.default_rng([seed, len(found)]).permutation(len(found)):
        row = found[i][0]
        places.setdefault((row["file"], row["line"], row["column"]), found[i])
    return list(places.values())[:n]


def distances(folder: Path, file: str) -> dict[str, int]:
    """Test files by the steps that lead from them to a file of the kernel; 0 for its mirrors."""
    mirror = f"tests/{Path(file).parent.as_posix()}/test_{Path(file).stem}"
    return {test: 0 if test.startswith(mirror) else steps for test, steps in reached_tests(folder, [file]).items()}


def run(copy: Path, tests: list[str], limit: float) -> tuple[str, float]:
    """The first test that fails ("" if none, "time" if they need more than `limit` CPU seconds), and these seconds: in
    a child, which has nothing of ours loaded."""
    said = copy / "said.txt"
    begun = time.monotonic()
    if not (child := os.fork()):
        os.setsid()
        os.chdir(copy)
        sys.path[0] = str(copy)
        for name in [name for name in sys.modules if name.split(".")[0] in ("core", "research", "scripts", "tests")]:
            del sys.modules[name]
        resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 1))
        for stream in (1, 2):
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        options = ["-x", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-m", "not browser"]
        os._exit(pytest.main([*options, "--basetemp", str(copy / "made"), *tests]))
    while time.monotonic() - begun < 10 * limit:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said.read_text("utf-8"), re.MULTILINE)
            by = failed[1] if failed else "time" if os.WIFSIGNALED(status) else "import"
            return "" if os.waitstatus_to_exitcode(status) in (0, 5) else by, used.ru_utime + used.ru_stime
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "time", limit


def nearest(copy: Path, file: str, kept: Path, budget: float) -> tuple[list[str], float]:
    """The nearest test files that pass and together need `budget` CPU seconds, at least one, the fastest first among
    equally near ones; and their seconds. What each file needs is kept."""
    near = distances(copy, file)
    taken = dict[str, tuple[int, float]]()
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    spent = 0.0
    too_slow = 0
    for name in sorted(near, key=lambda name: (near[name], f"/{file.split('/')[1]}/" not in name, name)):
        if name not in known:
            failed, seconds = run(copy, [name], 2 * budget)
            known[name] = 1e9 if failed else seconds
            kept.write_text(json.dumps(known), "utf-8")
        if spent + known[name] <= budget or (not taken and known[name] < 1e9):
            taken[name], spent = (near[name], known[name]), spent + known[name]
        else:
            too_slow += 1
        if spent > 0.8 * budget or too_slow == 4:
            break
    return sorted(taken, key=lambda name: taken[name]), spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sample", type=int, default=10, help="mutants of a file")
    parser.add_argument("--of", type=int, default=0, help="mutants of all files together, instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=20.0, help="CPU seconds of tests for a mutant")
    for name in ("--again", "--work", "--out", "--show"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    if given.show:
        return show(read_lines(given.show))
    for needed in ("scipy.stats", "sklearn.linear_model"):  # loaded once, before the tests are forked off
        importlib.import_module(needed)
    copy = given.work.resolve() / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns(".git", ".venv"))
    old = [row for row in read_lines(given.again) if not row["killed"]] if given.again else []
    again = keys_done(old, KEY)
    stamp = 0
    every = {
        file: mutants(file, (copy / file).read_text("utf-8"))
        for file in given.files or dict.fromkeys(row["file"] for row in old)
    }
    together = drawn([one for found in every.values() for one in found], given.of, given.seed)
    for file, found in every.items():
        path = copy / file
        text = (copy / file).read_text("utf-8")
        done = keys_done(read_lines(given.out), KEY)
        if given.of:
            found = [one for one in together if one[0]["file"] == file]
        elif not again:
            found = drawn(found, given.sample, given.seed)
        left = [one for one in found if not (key := keys_done([one[0]], KEY)) & done and (not again or key & again)]
        tests, spent = nearest(copy, file, given.work / "seconds.json", given.budget) if left else ([], 0.0)
        for row, made in left:
            path.write_text(made, "utf-8")
            os.utime(path, (stamp := stamp + 1, stamp))  # compiled code is known by its second
            by, seconds = run(copy, tests, 3 * spent + 20)
            append_line(given.out, row | {"killed": bool(by), "by": by, "seconds": round(seconds, 1), "tests": tests})
            print(file, row["line"], row["before"], "=>", row["after"], "|", by or "SURVIVED", flush=True)
        path.write_text(text, "utf-8")


def show(rows: list[dict[str, Any]]) -> None:
    """Killed by file, of all and of those that change something, and the survivors."""
    from core.statistics.runs import clopper_pearson, show

    equal = {tuple(row[name] for name in KEY): row["why"] for row in read_lines(EQUAL)}
    why = [equal.get(tuple(row[name] for name in KEY), "") for row in rows]
    for file in [*sorted({row["file"] for row in rows}), ""]:
        own = [(row["killed"], bool(said)) for row, said in zip(rows, why) if row["file"].startswith(file)]
        killed, same = sum(killed for killed, _ in own), sum(said for killed, said in own if not killed)
        share = show(clopper_pearson(killed, len(own) - same)) if len(own) > same else "–"
        print(f"| {file or 'all'} | {len(own)} | {killed} | {same} | {share} |")
    for row, said in zip(rows, why):
        if not row["killed"]:
            print(f"{row['file']}:{row['line']}  {row['before']}  =>  {row['after']}  {said}")


if __name__ == "__main__":
    main()
