"""How to speak of samples, by modality: of an image by what it shows, of a text by what it is about and how it is
written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.files import ASSETS

Pairs = tuple[tuple[str, str], ...]
"""(with a phrase, the same without it): templates or sentences."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The words for samples of one modality."""

    vocabulary: Path
    """The shipped phrases."""
    sentence: str
    """A sentence that shows an object: "a photo of {}"."""
    nouns: tuple[str, ...]
    """What prompts are about if they name no class."""
    noun: str
    """The name of a sample: "photo"."""
    class_patterns: str
    """The set of patterns (a file of `assets/prompts`) for the word of a class."""
    trait_patterns: str
    """The same for what a sample may have."""
    of_classes: bool
    """Whether prompts name the classes: an image shows a dog, but no text is "a positive"."""
    starts: tuple[tuple[str, str], ...]
    """(before the noun, between noun and phrase) for a phrase without a shipped family."""

    @property
    def templates(self) -> Pairs:
        """Templates and references for a phrase without a shipped family."""
        return tuple((f"{start}{{noun}}{link}{{phrase}}", f"{start}{{noun}}") for start, link in self.starts)

    def shows(self, name: str) -> str:
        """The sentence that shows an object: "a text about a dog", for "about a dog" as well."""
        before = self.sentence.removesuffix("{}").split()[-1] + " "
        return self.sentence.format(name.removeprefix(before))

    def has(self, trait: str) -> tuple[str, ...]:
        """A trait alone and in plain sentences: "this photo has motion blur"."""
        return trait, f"a {self.noun} with {trait}", f"this {self.noun} has {trait}"


SPEECH: Mapping[str, Speech] = {
    "image": Speech(
        ASSETS / "phrases" / "phrases.json",
        "a photo of {}",
        ("thing", "scene", "object", "view"),
        "photo",
        "photo",
        "photo trait",
        True,
        (
            ("a photo of ", " "), ("", " "), ("a picture of ", " "), ("an image of ", " "),
            ("a photo of ", ", "), ("", ", "), ("a photograph of ", " "), ("this shows ", " "),
        ),
    ),
    "clip": Speech(
        ASSETS / "phrases" / "phrases.json",
        "a video of {}",
        ("thing", "scene", "object", "view"),
        "video",
        "photo",
        "photo trait",
        True,
        (
            ("a video of ", " "), ("", " "), ("a clip of ", " "), ("footage of ", " "),
            ("a video of ", ", "), ("", ", "), ("a film of ", " "), ("this shows ", " "),
        ),
    ),
    "text": Speech(
        ASSETS / "phrases" / "texts.json",
        "a text about {}",
        ("text", "message", "sentence", "passage"),
        "text",
        "topic",
        "trait",
        False,
        (("", " "), ("this is ", " "), ("", ", "), ("here is ", " ")),
    ),
}  # fmt: skip
