"""The settings of a probe with a text classifier: which texts stand for a class."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from core.errors import InvalidInput
from core.options import setting
from core.systems.probes.base import ProbeInput
from core.systems.probes.zero_shot.prompt_files import read_templates
from core.systems.probes.zero_shot.text_classifier import TextClassifier, check_weight, text_classifier


@dataclass(frozen=True)
class PromptSettings:
    """What every probe with a text classifier can be told of its texts.

    Page and command line list a probe's settings in the order of its fields, and a dataclass takes the fields of its
    last base first: a probe whose own settings come before these names the class that holds them behind this one.
    """

    templates: str = setting(
        "simple",
        "the sentences around a class name: one, CLIP's best 7, CLIP's 80, or your own",
        choices=("simple", "7", "80", "own"),
    )
    own_templates: str = setting("", "your own sentences, one a line, each with {} where the name goes", kind="text")
    synonyms: str = setting(
        "", 'other names, one class a line, as in "sofa: couch, settee"; or a JSON file', kind="text", advanced=True
    )
    descriptions: str = setting(
        "", "a JSON file, or its text, with sentences (CuPL) or short descriptors (DCLIP) for each class", kind="file"
    )
    description_weight: float | None = setting(
        None,
        "weight of the descriptions against the templates; empty pools all sentences, 1 uses descriptions alone",
        low=0.0,
        high=1.0,
        advanced=True,
    )
    concept: str = setting("", 'what all classes are, as in "food": "a photo of a food: a pizza."', advanced=True)

    def __post_init__(self) -> None:
        for one in fields(self):
            choices = one.metadata.get("choices")
            value = getattr(self, one.name)
            if choices and value not in choices:
                raise InvalidInput(f"{one.name} must be one of {', '.join(choices)}: got {str(value)[:60]!r}.")
        check_weight(self.description_weight)
        if self.templates == "own":
            read_templates("own", self.own_templates)

    def texts(self) -> dict[str, Any]:
        """What `core.systems.probes.zero_shot.prompt_texts.make_texts` takes of these settings."""
        names = ("templates", "own_templates", "synonyms", "descriptions", "concept")
        return {name: getattr(self, name) for name in names}

    def classifier(self, part: ProbeInput) -> TextClassifier:
        """The text classifier of the part's classes.

        Raises:
            InvalidInput: a file or text box breaks its rule.
        """
        weight = self.description_weight
        return text_classifier(
            part.encoder, part.class_names, **self.texts(), description_weight=weight, cache=part.cache
        )
