"""Programs that people write from Python, each with the lines that it takes, before runs answered and now.

`python -m research.evidence.python_programs` runs each on 320 of the shipped scenes (about 150 CPU seconds) and prints
the table of docs/evidence/python.md. A program whose package is not installed is listed as such.

A line is a statement: one that is broken over several lines counts once, and imports do not count. Counted is what
stands between what the user has anyway (`given`) and the answer. What was written before is the shortest program that
gave the same answer at commit 3e0d26603, and was run there.
"""

from __future__ import annotations

import ast
import io
import json
import os
import tempfile
import time
import traceback
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

import errata

SCENES = Path(__file__).parents[2] / "assets" / "examples" / "scenes"
N = 320
QUICK = errata.Settings(n_permutations=199, map=False, sensitivity=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and the package that it needs beside Errata's own."""

    name: str
    source: str
    before: str
    """The program at commit 3e0d26603; "" where there was none."""
    package: str = ""
    hard: bool = False


PROGRAMS = (
    Program(
        "a frame and vectors",
        "run = errata.diagnose(frame, embeddings=vectors, settings=quick)\nrun.findings",
        "run = errata.diagnose(frame, embeddings=vectors, settings=quick)\nerrata.findings_table(run)",
    ),
    Program(
        "losses and a list of images",
        "errata.diagnose(losses, images, settings=quick)",
        "from torch.utils.data import StackDataset\n"
        "errata.diagnose({'loss': losses}, images=StackDataset(images, labels), settings=quick)",
    ),
    Program(
        "a torch data set",
        "from torch.utils.data import StackDataset\n"
        "run = errata.diagnose(frame, StackDataset(images, labels), settings=quick)\nrun.findings",
        "from torch.utils.data import StackDataset\n"
        "run = errata.diagnose(frame, images=StackDataset(images, labels), settings=quick)\nerrata.findings_table(run)",
    ),
    Program(
        "a table and a zip",
        'run = errata.diagnose("val.csv", "val.zip", settings=quick)\nrun.to_frame()',
        'run = errata.diagnose("val.csv", images="val.zip", settings=quick)\nerrata.samples_table(run)',
    ),
    Program(
        "a data set of Hugging Face",
        "from datasets import Dataset\nerrata.diagnose(Dataset.from_pandas(frame), images, settings=quick)",
        "from datasets import Dataset\nerrata.diagnose(Dataset.from_pandas(frame), images=images, settings=quick)",
        "datasets",
    ),
    Program(
        "texts, and a question",
        'run = errata.diagnose({"text": texts, "label": text_labels, "prediction": said}, settings=quick)\n'
        'run.ask("about prices")',
        "run = errata.diagnose({'text': texts, 'label': text_labels, 'prediction': said}, settings=quick)\n"
        "answer, = errata.ask(run, ['about prices'])\nerrata.answer_parts(run, answer)",
    ),
    Program(
        "a question, and its samples",
        'run = errata.open("run.errata")\nrun.ask("small objects").samples',
        "run = errata.load('run.errata')\nanswer, = errata.ask(run, ['small objects'])\n"
        "errata.samples_table(run).iloc[answer.rows]",
    ),
    Program(
        "six images of a group",
        'errata.open("run.errata").findings[1].images(6)',
        "import io\nfrom PIL import Image\nrun = errata.load('run.errata')\n"
        "rows = numpy.flatnonzero(run.clusters[0].membership >= 0.5)\n"
        "rows = rows[numpy.argsort(-run.outcomes.loss[rows])][:6]\n"
        "[Image.open(io.BytesIO(run.samples.items.read(row))) for row in rows]",
    ),
    Program(
        "a report",
        'errata.open("run.errata").report("report.html")',
        "errata.write_report(errata.load('run.errata'), 'report.html')",
    ),
    Program(
        "a second model",
        'errata.open("run.errata").compare(second)',
        "run, name, notes = errata.with_second(errata.load('run.errata'), second)\nerrata.compare(run, 'model', name)",
    ),
    Program(
        "a lazy frame of polars",
        "import polars\nerrata.diagnose(polars.from_pandas(frame).lazy(), embeddings=vectors, settings=quick)",
        "import polars\n"
        "errata.diagnose(polars.from_pandas(frame).lazy().collect(), embeddings=vectors, settings=quick)",
        "polars",
        hard=True,
    ),
    Program(
        "a streaming data set",
        "from datasets import Dataset\nstream = Dataset.from_pandas(frame).to_iterable_dataset()\n"
        "errata.diagnose(stream, embeddings=vectors, settings=quick)",
        "import pandas\nfrom datasets import Dataset\nstream = Dataset.from_pandas(frame).to_iterable_dataset()\n"
        "table = pandas.DataFrame(list(stream))\nerrata.diagnose(table, embeddings=vectors, settings=quick)",
        "datasets",
        hard=True,
    ),
    Program(
        "floats in NCHW order",
        "import torch\nbatch = torch.stack([torch.as_tensor(numpy.array(i)).permute(2, 0, 1) / 255 for i in images])\n"
        "errata.diagnose(losses, batch, settings=quick)",
        "import torch\nfrom torch.utils.data import TensorDataset\n"
        "batch = torch.stack([torch.as_tensor(numpy.array(i)).permute(2, 0, 1) / 255 for i in images])\n"
        "errata.diagnose({'loss': losses}, images=TensorDataset(batch), settings=quick)",
        hard=True,
    ),
    Program(
        "any number of boxes a row",
        "errata.diagnose(frame.assign(boxes=boxes), embeddings=vectors, settings=quick)",
        "errata.diagnose(frame.assign(boxes=boxes), embeddings=vectors, settings=quick)",
        hard=True,
    ),
    Program(
        "a frame of several labels an image",
        "from core.data.tasks.multilabel import read_multilabel\nfrom core.diagnose import diagnose_data_set\n"
        "roles = errata.Roles(probabilities=('prob_*',))\n"
        "data = read_multilabel(several, ['true_*'], embeddings=vectors, roles=roles)\n"
        "diagnose_data_set(data, settings=quick)",
        "from core.data.tasks.multilabel import read_multilabel\nfrom core.diagnose import diagnose_data_set\n"
        "roles = errata.Roles(probabilities=('prob_*',))\n"
        "data = read_multilabel(several, ['true_*'], embeddings=vectors, roles=roles)\n"
        "diagnose_data_set(data, settings=quick)",
        hard=True,
    ),
    Program("a pickle round trip", "import pickle\npickle.loads(pickle.dumps(run_of_scenes)).findings", "", hard=True),
    Program(
        "two models as two runs",
        "first = errata.diagnose(frame, embeddings=vectors, settings=quick)\n"
        "errata.compare(first, errata.diagnose(other, embeddings=vectors, settings=quick))",
        "first = errata.diagnose(frame, embeddings=vectors, settings=quick)\n"
        "both, name, notes = errata.with_second(first, other)\nerrata.compare(both, 'model', name)",
        hard=True,
    ),
    Program(
        "a gate with a margin",
        "run_of_scenes.gate(second, margin=2).passed",
        "errata.gate(run_of_scenes, second, margin=2).passed",
        hard=True,
    ),
    Program("a probe, then a comparison with it", 'run_of_scenes.probe("zero-shot").run.compare()', "", hard=True),
    Program(
        "rows as dicts",
        "errata.diagnose(rows, embeddings=vectors, settings=quick)",
        "import pandas\ntable = pandas.DataFrame(rows)\nerrata.diagnose(table, embeddings=vectors, settings=quick)",
        hard=True,
    ),
    Program(
        "new rows from memory",
        "run = errata.diagnose(frame[100:], embeddings=vectors[100:], settings=quick)\n"
        "run.predict(frame[:100], embeddings=vectors[:100])",
        "run = errata.diagnose(frame[100:], embeddings=vectors[100:], settings=quick)\n"
        "errata.predict(run, frame[:100], embeddings=vectors[:100]).prediction",
        hard=True,
    ),
    Program(
        "a lasso as rows",
        "run_of_scenes.to_frame().query('x > 0 and y > 0').id",
        "table = errata.samples_table(run_of_scenes)\ntable[(table['x'] > 0) & (table['y'] > 0)]['id']",
        hard=True,
    ),
    Program(
        "words that a chat model proposes",
        'run_of_scenes.propose(url=chat_model, model="stand-in").proposals',
        "",
        hard=True,
    ),
)


def lines(source: str) -> int:
    """Its statements, without imports."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    return sum(not isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements)


def table() -> str:
    """The table of docs/evidence/python.md."""
    rows = ["| program | lines before | lines now |", "|---|---|---|"]
    for program in PROGRAMS:
        before = str(lines(program.before)) if program.before else "not possible"
        rows.append(f"| {program.name} | {before} | {lines(program.source)} |")
    return "\n".join(rows)


def answer(program: Program, values: dict[str, Any]) -> Any:
    """Run the program; the value of its last line."""
    *before, last = ast.parse(program.source).body
    assert isinstance(last, ast.Expr)
    names = dict(values)
    exec(compile(ast.Module(before, []), program.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), program.name, "eval"), names)


class _ChatModel(BaseHTTPRequestHandler):
    """Stands in for a chat model: always the same two phrases."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = {"choices": [{"message": {"content": '["far away", "on a beach"]'}}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def chat_model() -> str:
    """Start the stand-in; its address. It ends with the process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ChatModel)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


def given(folder: Path, n: int = N) -> dict[str, Any]:
    """What the user has anyway: a table, images, vectors, a finished run and a second model."""
    frame = pd.read_csv(SCENES / "table.csv").head(n)
    with zipfile.ZipFile(SCENES / "images.zip") as archive:
        names = [next(n for n in archive.namelist() if n.endswith(str(name))) for name in frame.iloc[:, 0]]
        images = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    frame.to_csv(folder / "val.csv", index=False)
    (folder / "val.zip").write_bytes((SCENES / "images.zip").read_bytes())
    (folder / "run.errata").write_bytes((SCENES / "run.errata").read_bytes())
    (folder / "images.zip").write_bytes((SCENES / "images.zip").read_bytes())
    run = errata.open(SCENES / "run.errata")
    table = run.to_frame().head(n)
    plain = table[["id", "label", "prediction"]]
    rng = np.random.default_rng(0)
    said = rng.choice(["price", "sport"], n)
    kinds = np.where(rng.random(n) < 0.8, said, "price")
    present = rng.random((n, 3)) < 0.4
    scores = np.clip(0.7 * present + 0.15 + rng.normal(0, 0.2, present.shape), 0.01, 0.99)
    several = {f"true_{i}": present[:, i].astype(int) for i in range(3)}
    several |= {f"prob_{i}": scores[:, i] for i in range(3)}
    return {
        "errata": errata,
        "numpy": np,
        "quick": QUICK,
        "frame": plain,
        "rows": plain.to_dict("records"),
        "other": plain.assign(prediction=plain["prediction"].where(rng.random(n) < 0.5, plain["label"])),
        "vectors": run.embeddings.vectors[:n],
        "losses": table["loss"].to_numpy(),
        "labels": table["label"].tolist(),
        "images": images,
        "texts": [f"A short text on {kind}s, number {i}." for i, kind in enumerate(said)],
        "text_labels": said,
        "said": kinds,
        "second": pd.read_csv(SCENES / "second.csv"),
        "run_of_scenes": run,
        "boxes": [[[1.0, 2.0, 3.0, 4.0]] * int(k) for k in rng.integers(0, 4, n)],
        "several": pd.DataFrame(several),
        "chat_model": chat_model(),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        values = given(Path(name))
        os.chdir(name)
        for program in PROGRAMS:
            started = time.process_time()
            try:
                answer(program, values)
                state = "works"
            except ModuleNotFoundError as error:
                if error.name != program.package:
                    raise
                state = f"{program.package} is not installed"
            except Exception:
                traceback.print_exc()
                state = "FAILS"
            kind = "harder" if program.hard else "plain"
            print(f"{kind:7} {time.process_time() - started:5.1f} CPU s  {state:8} {program.name}")
    print()
    print(table())


if __name__ == "__main__":
    main()
