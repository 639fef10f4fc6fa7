from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.errors import InvalidInput
from core.options import settings_of
from core.systems.probes.zero_shot.prompt_settings import PromptSettings


@dataclass(frozen=True)
class First:
    shots: int = 3


@dataclass(frozen=True)
class Shared(PromptSettings, First):
    other: int = 3


def test_shared_settings_have_choices_and_bounds_and_stand_where_the_bases_put_them():
    settings = {s.name: s for s in settings_of(Shared)}
    assert [*settings][:3] + [*settings][-2:] == ["shots", "templates", "own_templates", "concept", "other"]
    assert settings["templates"].choices == ("simple", "7", "80", "own")
    assert (settings["description_weight"].optional, settings["description_weight"].high) == (True, 1.0)
    assert Shared(templates="7").texts()["templates"] == "7"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"templates": "9"}, "templates must be one of"),
        ({"templates": "own"}, "own_templates is empty"),
        ({"description_weight": 1.5}, "0 to 1"),
        ({"description_weight": float("nan")}, "0 to 1"),
    ],
)
def test_shared_settings_out_of_range_are_refused(settings: dict[str, object], said: str):
    with pytest.raises(InvalidInput, match=said):
        Shared(**settings)  # pyright: ignore[reportArgumentType]
