"""A result of composition as JSON values, as a table of items, and as a folder that can be opened again.

A result's folder holds

    composition.json    the figures for people and programs, and what else `load_result` needs; put there last
    items.parquet       one row for each item: captions, images, tags, right or wrong, scores
    scores.npz          every array; no pickle
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.arrays import DAMAGE, read_arrays
from core.documents import read_stored
from core.errors import InvalidInput
from core.files import replacing, write_arrays, write_json
from core.folders import Kind
from core.received import digest, open_plain
from core.records import F64
from core.records.codec import decode, encode, to_json
from core.reports.tables.values import fields, strings
from core.systems.composition.records import Benchmark, CompositionComparison, CompositionResult, Metric
from core.systems.composition.scoring.judging import items_of

FORMAT = 1
DOCUMENT = "composition.json"
ITEMS = "items.parquet"
ARRAYS = "scores.npz"
SECOND = "second"
"""The folder of the second model's result, below the first's."""
_OWN = (DOCUMENT, ITEMS, ARRAYS)


def _is_document(document: Mapping[str, Any]) -> bool:
    return document.get("format") == FORMAT and isinstance(document.get("state"), dict)


RESULT = Kind(
    "result",
    DOCUMENT,
    (*_OWN, "missing.txt", "comparison.json", "report.html", *(f"{SECOND}/{name}" for name in _OWN)),
    _is_document,
)
"""What a folder of results may hold: the first model's, the second's, and what `compose run` adds."""
Arrays = dict[str, npt.NDArray[Any]]


def comparison_document(comparison: CompositionComparison) -> dict[str, Any]:
    """The paired comparison of two models as plain JSON values."""
    rows = [fields(row, "key scope n p only_a only_b a b difference") for row in comparison.rows]
    return to_json(
        {
            "a": comparison.a,
            "b": comparison.b,
            "benchmark": comparison.benchmark,
            "rows": rows,
            "notes": list(comparison.notes),
        }
    )


def result_document(result: CompositionResult) -> dict[str, Any]:
    """The result as JSON values: every figure with its interval, chance and ties; what was left out, by reason."""
    similar = result.foil_similarity
    return to_json(
        {
            **fields(result, "name benchmark title kind source model fingerprint headline average"),
            "n": len(result.ids),
            "n_groups": None if result.groups is None else len(np.unique(result.groups)),
            "metrics": _metrics(result.metrics),
            "by_tag": [{"tag": t.tag, "value": t.value, "metrics": _metrics(t.metrics)} for t in result.by_tag],
            "blind": [{"name": name, "metrics": _metrics(metrics)} for name, metrics in result.blind],
            "n_tied": int(result.tied.sum()),
            "foil_similarity": None if similar is None or not len(similar) else float(similar.mean()),
            "published": result.published,
            "missing": result.missing,
            "excluded": {
                "n": len(result.excluded),
                "by_reason": dict(Counter(reason.split(": ")[0] for _, reason in result.excluded).most_common()),
                "items": [{"id": name, "reason": reason} for name, reason in result.excluded],
            },
            "notes": result.notes,
            "seconds": result.seconds,
        }
    )


def _metrics(metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    return [fields(metric, "key title value n chance ties") for metric in metrics]


def items_table(result: CompositionResult, benchmark: Benchmark) -> pd.DataFrame:
    """One row for each item that was scored, in the result's order.

    Columns: id; captions and images (lists); match (list of "image:caption" that belong together, counted from 0);
    "tag NAME"; margin; "correct KEY" and "value KEY" by metric; tied; foil_similarity (nan without a text tower);
    scores (list, image by image; nan where an image could not be read).

    Raises:
        InvalidInput: an item of the result is not in the benchmark.
    """
    items = items_of(result, benchmark)
    table: dict[str, Any] = {
        "id": strings(result.ids),
        "captions": [list(item.captions) for item in items],
        "pictures": [[benchmark.pictures[at].name for at in item.pictures] for item in items],
        "match": [[f"{picture}:{caption}" for picture, caption in item.match] for item in items],
    }
    table |= {f"tag {tag}": strings(values) for tag, values in result.tags.items()}
    table |= {"margin": result.margin}
    table |= {f"correct {key}": right for key, right in result.correct.items()}
    table |= {f"value {key}": values for key, values in result.values.items()}
    unknown = np.full(len(items), np.nan)
    table |= {
        "tied": result.tied,
        "foil_similarity": unknown if result.foil_similarity is None else result.foil_similarity,
    }
    table |= {"scores": [matrix.ravel().tolist() for matrix in result.matrices]}
    return pd.DataFrame(table)


def write_result(result: CompositionResult, benchmark: Benchmark, folder: Path) -> None:
    """Write the result into a folder that takes its place all at once (`core.folders`); `composition.json` holds the
    digest of every file there.

    Raises:
        InvalidInput: the benchmark is not the result's.
    """
    table = items_table(result, benchmark)
    folder.mkdir(exist_ok=True)
    arrays: Arrays = {}
    # all score matrices become one array, since thousands of small ones are slow to read
    arrays["matrices"] = np.concatenate([m.ravel() for m in result.matrices]) if result.matrices else np.empty(0)
    arrays["shapes"] = np.array([m.shape for m in result.matrices], np.int64).reshape(-1, 2)
    state = {"result": encode(replace(result, matrices=()), arrays, "result")}
    write_arrays(folder / ARRAYS, arrays)
    with replacing(folder / ITEMS) as part:
        table.to_parquet(part, index=False)
    digests = {path.name: digest(path) for path in sorted(folder.iterdir()) if path.is_file()}
    write_json(folder / DOCUMENT, {"format": FORMAT, **result_document(result), "digests": digests, "state": state})


def load_result(folder: Path) -> CompositionResult:
    """The result that `write_result` wrote.

    Raises:
        InvalidInput: `folder` holds no result, it is of another format, or it is damaged.
    """
    if not (folder / DOCUMENT).is_file():
        raise InvalidInput(
            f"No result of composition in {folder} (no {DOCUMENT}). Use a folder from `compose run --out`."
        )
    try:
        document = cast("dict[str, Any]", read_stored(folder / DOCUMENT, below=folder))
        if document["format"] != FORMAT:
            raise InvalidInput(
                f"The result in {folder} has format {document['format']}; this version reads format {FORMAT}. "
                "Run it again."
            )
        for name in (ITEMS, ARRAYS):
            with open_plain(folder / name, below=folder) as file:
                if digest(file) != document["digests"][name]:
                    raise ValueError(f"{name} has changed")
                arrays = read_arrays(file) if name == ARRAYS else {}
        result = decode(document["state"]["result"], arrays)
        shapes = arrays["shapes"]
        parts: list[F64] = np.split(arrays["matrices"], np.cumsum(shapes.prod(axis=1))[:-1]) if len(shapes) else []
        if not isinstance(result, CompositionResult) or len(parts) != len(result.ids):
            raise ValueError(f"{DOCUMENT} lacks parts of the result")
        matrices = tuple(part.reshape(shape) for part, shape in zip(parts, shapes.tolist()))
        return replace(result, matrices=matrices)
    except InvalidInput:
        raise
    except (*DAMAGE, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"The result in {folder} is damaged ({error}). Delete the folder and run it again."
        ) from error
