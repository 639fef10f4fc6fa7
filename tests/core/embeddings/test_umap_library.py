"""umap-learn without its search for neighbors, seen from processes of their own."""

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


def test_what_is_stood_in_for_comes_when_it_is_asked_for(repository: Path) -> None:
    program = """
drawn()
from umap import umap_
before, late = has_search(), umap_.NNDescent
try:
    late(rows, metric="none such")
except ValueError as error:
    refused = str(error)
import pynndescent
from pynndescent import distances, sparse
real = (pynndescent.NNDescent, distances.named_distances, sparse.sparse_named_distances)
print(json.dumps([before, refused, real == (
    umap_.NNDescent, umap_.pynn_named_distances, umap_.pynn_sparse_named_distances)]))
"""
    before, refused, real = said(repository, program)
    assert (before, real) == (False, True)
    assert "Metric" in refused  # in pynndescent's words
    asked = "drawn(); from umap import umap_; print(json.dumps([has_search(), 'tsss' in umap_.pynn_named_distances]))"
    assert said(repository, asked) == [False, True]


def test_where_neighbours_will_be_sought_the_search_comes_along(repository: Path) -> None:
    program = """
from core.embeddings.umap_library import load_umap
drawn()
umap, before = load_umap(search=True), has_search()
import pynndescent
print(json.dumps([before, umap.umap_.NNDescent is pynndescent.NNDescent]))
"""
    assert said(repository, program) == [True, True]


def test_after_a_map_another_s_search_is_by_cosine_and_its_index_is_known(repository: Path) -> None:
    program = """
drawn()
from umap import umap_
tables = umap_.pynn_named_distances, umap_.pynn_sparse_named_distances
known, before = ["cosine" in table for table in tables], has_search()
import pynndescent
from pynndescent import distances, sparse
real = ["cosine" in table for table in (distances.named_distances, sparse.sparse_named_distances)]
index, late = object.__new__(pynndescent.NNDescent), umap_.NNDescent
print(json.dumps([known == real, real, before, late is pynndescent.NNDescent, isinstance(index, late),
    isinstance(None, late)]))
"""
    assert said(repository, program) == [True, [True, True], False, False, True, False]
