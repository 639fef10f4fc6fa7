"""Which columns are told to be a model's."""

from typing import Any

import pytest

from core.data.tables.roles import Roles, is_model_output


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
