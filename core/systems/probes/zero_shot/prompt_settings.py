"""Settings of probes with a text classifier: the texts of a class."""

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
    """Settings of the texts, for every probe with a text classifier.

    Page and command line list a probe's settings in the order of its fields, and a dataclass takes the fields of its
    last base first. A probe with settings before these therefore lists their class after this one.
    """

    templates: str = setting(
        "simple",
        "sentences around a class name: one, CLIP's best 7, CLIP's 80, or your own",
        choices=("simple", "7", "80", "own"),
    )
    own_templates: str = setting("", "your own sentences, one a line, each with {} for the name", kind="text")
    synonyms: str = setting(
        "", 'other names, one class a line, as in "sofa: couch, settee"; or a JSON file', kind="text", advanced=True
    )
    descriptions: str = setting(
        "", "JSON file or text with sentences (CuPL) or short descriptors (DCLIP) for each class", kind="file"
    )
    description_weight: float | None = setting(
        None,
        "weight of descriptions against templates (empty: pool all sentences; 1: descriptions alone)",
        low=0.0,
        high=1.0,
        advanced=True,
    )
    concept: str = setting("", 'category of all classes, as in "food": "a photo of a food: a pizza."', advanced=True)

    def __post_init__(self) -> None:
        for f in fields(self):
            choices = f.metadata.get("choices")
            value = getattr(self, f.name)
            if choices and value not in choices:
                raise InvalidInput(f"{f.name} must be one of {', '.join(choices)}: got {str(value)[:60]!r}.")
        check_weight(self.description_weight)
        if self.templates == "own":
            read_templates("own", self.own_templates)

    def texts(self) -> dict[str, Any]:
        """The arguments of `core.systems.probes.zero_shot.prompt_texts.make_texts`."""
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
