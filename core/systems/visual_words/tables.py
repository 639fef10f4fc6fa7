"""Visual words as a table and as JSON values: see docs/schema.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.records.codec import to_json
from core.reports.tables.values import estimate, fields
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.maps import maps_of
from core.systems.visual_words.names import WordName
from core.systems.visual_words.search import VisualSearch
from core.systems.visual_words.wording import clusters_with, listed, name_sentence, verdict, word_sentence


def visual_document(search: VisualSearch) -> dict[str, Any]:
    """The search as JSON values."""
    words = search.words
    return to_json(
        {
            "verdict": verdict(search),
            "pictures": len(search.rows),
            "size": words.cell.shape[1],
            "grid": list(words.maps.shape[1:]),
            "perplexity": words.perplexity,
            "unexplained": words.unexplained,
            "words": [_word(search, finding) for finding in search.findings],
            "names": [_name(search, name) for name in search.names],
            "unnamed": search.n_unnamed,
            "maps": _maps(search),
            "notes": search.notes,
        }
    )


def _word(search: VisualSearch, finding: WordFinding) -> dict[str, Any]:
    effects = finding.effects
    return {
        **fields(finding, "name scope of among_failures elsewhere measure p confirmed"),
        "size": int(finding.rows.sum()),
        "excess_loss": estimate(effects.excess_loss),
        "error_difference": None if effects.error_difference is None else estimate(effects.error_difference),
        "phrases": [{"text": text, "auroc": area} for text, area in finding.phrases],
        "clusters": clusters_with(search, finding),
        "sentence": word_sentence(search, finding),
    }


def _name(search: VisualSearch, name: WordName) -> dict[str, Any]:
    return {
        "cluster": name.cluster + 1,
        "word": name.finding.name,
        **fields(name, "inside size others of auroc"),
        "sentence": name_sentence(search, name),
    }


def _maps(search: VisualSearch) -> list[dict[str, Any]]:
    """The cells of each image with a confirmed word, row by row."""
    maps = maps_of(search, None)
    ids = search.diagnosis.samples.ids
    flat = maps.cells.reshape(len(maps.cells), -1)
    rows = list[dict[str, Any]]()
    for at in np.flatnonzero((flat >= 0).any(1)).tolist():
        cells = dict[str, list[int]]()
        for index, finding in enumerate(maps.findings):
            if (flat[at] == index).any():
                cells[finding.name] = np.flatnonzero(flat[at] == index).tolist()
        rows.append({"id": ids[at], "cells": cells})
    return rows


def visual_table(search: VisualSearch) -> pd.DataFrame:
    """A row for each image: its id, and its number of cells of each confirmed word, or without any of each listed
    word."""
    ids = list(search.diagnosis.samples.ids)
    counts = {f.name: (search.words.maps == f.word).sum((1, 2)) for f in search.confirmed or listed(search)}
    return pd.DataFrame({"id": ids, **counts})
