"""Store what `honesty.py` reads of a data set: embeddings, loss, labels, errors, groups, conditions and words, in one
npz.

python -m research.evidence.store_rows OUT.npz --table T [--images I] [the column options of `python -m core diagnose`]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from core.cli.diagnose import diagnose
from core.data.samples import read_data_set
from core.discovery.prepare import embed
from core.records import Column


def stored(column: Column) -> Any:
    """Numbers as they are, categories as text with "" for missing."""
    return column.values if column.kind == "number" else np.array(["" if v is None else str(v) for v in column.values])


def main() -> None:
    out, *rest = sys.argv[1:]
    given = diagnose.make_context("diagnose", [*rest, "--out", out]).params
    task = given["task"]
    audit = embed(
        read_data_set(task.table, images=task.images, embeddings=task.embeddings, roles=given["roles"]),
        given["embedding"],
    )
    assert audit.embeddings is not None
    arrays: dict[str, Any] = {"embeddings": audit.embeddings.vectors, "loss": audit.outcomes.fitted}
    for name, array in (
        ("labels", audit.samples.labels),
        ("groups", audit.samples.groups),
        ("errors", audit.outcomes.errors),
    ):
        if array is not None:
            arrays[name] = array
    arrays |= {f"column.{c.name}": stored(c) for c in audit.samples.metadata if c.kind != "text"}
    if audit.words is not None:
        words = audit.words
        arrays |= {"joint": words.joint.vectors, "directions": words.directions, "phrases": np.array(words.phrases)}
        arrays |= {} if words.strengths is None else {"strengths": words.strengths}
    np.savez_compressed(Path(out), **arrays)
    print(f"{out}: {len(audit.outcomes.loss):,} rows, {', '.join(arrays)}")


if __name__ == "__main__":
    main()
