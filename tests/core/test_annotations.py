"""A record that was read holds what its annotations say, or is refused by the field's name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from core.annotations import check_fields
from core.records import Diagnosis
from core.systems.probes.records import ProbeResult
from tests.support.diagnoses import make_diagnosis

Scalar = TypeVar("Scalar", bound=np.generic)
Vector = TypeAliasType("Vector", np.ndarray[tuple[Any, ...], np.dtype[Scalar]], type_params=(Scalar,))
"""As `numpy.typing.NDArray` is written in NumPy 2.5, where Python is 3.12 or later."""

WRONG: dict[str, Any] = {
    "clusters": (5,),
    "insights": [],
    "settings": {1: "a"},
    "fingerprint": None,
    "label_errors": np.array([0.5]),
    "family_null": np.array(["a"], dtype=object),
    "excluded": (("id",),),
    "notes": ("said", 3),
    "map": "umap",
}


def test_a_whole_diagnosis_passes_record_by_record() -> None:
    diagnosis = make_diagnosis()
    for record in (diagnosis, *(getattr(diagnosis, f.name) for f in fields(diagnosis) if f.name in ("map", "samples"))):
        check_fields(record)
    for record in (*diagnosis.clusters, *diagnosis.insights, *diagnosis.classes, *diagnosis.samples.metadata):
        check_fields(record)


@pytest.mark.parametrize("name", WRONG)
def test_a_field_that_is_something_else_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=rf"Diagnosis\.{name} has the wrong type"):
        check_fields(replace(make_diagnosis(), **{name: WRONG[name]}))


def test_a_word_that_is_none_of_those_it_may_be_is_named() -> None:
    column = make_diagnosis().samples.metadata[0]
    with pytest.raises(TypeError, match=r"Column\.kind"):
        check_fields(replace(column, kind="colour"))  # pyright: ignore[reportArgumentType]


def test_whole_numbers_may_stand_for_fractions_and_not_the_other_way_round() -> None:
    cluster = make_diagnosis().clusters[0]
    check_fields(replace(cluster, mean_loss=1, membership=np.ones(60, np.int64)))
    with pytest.raises(TypeError, match=r"FailureCluster\.size"):
        check_fields(replace(cluster, size=1.5))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", [Diagnosis, ProbeResult])
def test_every_annotation_of_a_stored_record_can_be_read(kind: Any) -> None:
    nothing = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(nothing, field.name, object())
    with pytest.raises(TypeError, match=kind.__name__):
        check_fields(nothing)


@dataclass(frozen=True)
class Aliased:
    values: Vector[np.float64] | None


def test_an_alias_of_arrays_stands_for_what_it_says() -> None:
    check_fields(Aliased(np.zeros(3)))
    check_fields(Aliased(None))
    with pytest.raises(TypeError, match=r"Aliased\.values has the wrong type"):
        check_fields(Aliased(np.array(["a"])))
