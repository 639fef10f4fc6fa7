"""umap-learn without its search for neighbours, seen from processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # each process imports umap-learn, and compiles it where nobody did

BEGIN = """
import json, sys, zlib
import numpy as np
from core.embeddings import projection
from core.records import Embeddings
rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
def drawn():
    return zlib.crc32(projection.umap_map(Embeddings(rows, "given", "given"), seed=2).xy)
def has_search():
    return "pynndescent" in sys.modules
"""


def said(repository: Path, program: str) -> Any:
    command = [sys.executable, "-c", BEGIN + program]
    found = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=400, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def test_a_map_of_known_neighbours_is_the_same_and_imports_no_search(repository: Path) -> None:
    alone = said(repository, "print(json.dumps([drawn(), has_search()]))")
    beside = said(repository, "import pynndescent; print(json.dumps([drawn(), has_search()]))")
    assert (alone[1], beside[1]) == (False, True)
    assert alone[0] == beside[0]


def test_neighbours_are_sought_by_the_real_search_after_a_map_without_it(repository: Path) -> None:
    seek = "projection.EXACT = 100; sought = drawn(); print(json.dumps([sought, has_search()]))"
    first, after = said(repository, seek), said(repository, "drawn();" + seek)
    assert first == after
    assert first[1]


def test_others_in_the_process_find_umap_learn_whole_after_a_map(repository: Path) -> None:
    program = """
drawn()
from umap import UMAP, umap_
before = has_search()
index = umap_.NNDescent(rows, n_neighbors=5, random_state=0)
import pynndescent
made = type(index) is pynndescent.NNDescent
xy = UMAP(metric="chebyshev", random_state=0, n_epochs=5).fit_transform(rows)
print(json.dumps([before, made, "tsss" in umap_.pynn_named_distances, bool(np.isfinite(xy).all())]))
"""
    assert said(repository, program) == [False, True, True, True]
    asked = "drawn(); from umap import umap_; print(json.dumps(['tsss' in umap_.pynn_named_distances, has_search()]))"
    assert said(repository, asked) == [True, True]
