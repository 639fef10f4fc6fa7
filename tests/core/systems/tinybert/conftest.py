"""Teachers that several tests ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.systems.tinybert.teacher import BertFolder, read_bert
from tests.support.tiny_bert import write_bert


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BertModel."""
    return write_bert(tmp_path_factory.mktemp("bert") / "teacher")


@pytest.fixture(scope="session")
def classifying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BertForSequenceClassification of three classes."""
    return write_bert(tmp_path_factory.mktemp("bert") / "classes", "BertForSequenceClassification", num_labels=3)


@pytest.fixture
def teacher(folder: Path) -> BertFolder:
    return read_bert(folder)


@pytest.fixture
def classifier(classifying: Path) -> BertFolder:
    return read_bert(classifying)
