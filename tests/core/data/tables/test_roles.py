"""Which columns are told to be a model's."""

from typing import Any

import pytest

from core.data.tables.roles import COLUMNS, Roles, is_model_output


@pytest.mark.parametrize(
    "name", ["pred_resnet", "cl_loss", "err_rate_4cnn", "PredClass", "prob_3", "logit0", "confidence"]
)
def test_a_models_columns_are_told_by_whole_words(name):
    assert is_model_output(name)


@pytest.mark.parametrize("name", ["problem", "predator", "colour", "errand", "closs"])
def test_words_that_only_begin_alike_are_no_model_outputs(name):
    assert not is_model_output(name)


def test_one_name_is_a_list_of_one() -> None:
    said: Any = {"texts": "body", "conditions": "site"}
    roles = Roles(**said)
    assert (roles.texts, roles.conditions) == (("body",), ("site",))
    assert roles.named()["texts"] == ("body",)


def test_what_a_run_was_made_with_is_taken_where_nothing_else_is_named() -> None:
    kept = {COLUMNS: {"image": ["slide"], "masks": ["seg", "out"], "loss": ["mine"]}}
    assert Roles().or_of_run(kept) == Roles(image="slide", masks=("seg", "out"))
    assert Roles(image="other").or_of_run(kept).image == "other"


@pytest.mark.parametrize("said", [None, [], {"image": "slide"}, {"image": [3]}, {"masks": ["seg"]}, {"image": []}])
def test_what_does_not_read_as_columns_is_passed_over(said: Any) -> None:
    assert Roles().or_of_run({COLUMNS: said}) == Roles()
