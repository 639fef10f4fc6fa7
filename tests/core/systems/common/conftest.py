"""Fixtures of other folders that these tests ask for."""

from tests.core.systems.tinybert.conftest import (
    classifier as classifier,
    classifying as classifying,
    folder as folder,
    teacher as teacher,
)
