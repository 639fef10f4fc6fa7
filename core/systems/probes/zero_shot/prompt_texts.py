"""From class names, templates and descriptions to the texts that are encoded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.errors import InvalidInput
from core.files import ASSETS
from core.language.grammar import fold_name
from core.systems.common.named_texts import by_class, read_lists, strangers_note
from core.systems.probes.zero_shot.prompt_files import read_synonyms, read_templates

WORDS = ASSETS / "prompts" / "words.txt"
PAIRS = 15
"""Random words and random characters, of WaffleCLIP: 30 texts a class."""
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔", "…", '."', ".”", ".'")
_VERBS = ("has", "often", "typically", "may", "can")


@dataclass(frozen=True, slots=True, eq=False)
class PromptTexts:
    """The texts of k classes. A class without descriptions has an empty tuple there."""

    names: tuple[tuple[str, ...], ...]
    """Each class's own name, then its other names."""
    templated: tuple[tuple[str, ...], ...]
    described: tuple[tuple[str, ...], ...] = ()
    """Empty: no descriptions were given."""
    shape: str = ""
    """"sentences" or "descriptors"."""
    concept: str = ""
    notes: tuple[str, ...] = ()


def make_texts(
    class_names: Sequence[str],
    *,
    templates: str = "simple",
    own_templates: str = "",
    synonyms: str = "",
    descriptions: str = "",
    description_shape: str = "auto",
    concept: str = "",
    modality: str = "image",
) -> PromptTexts:
    """All texts of the classes, before any is encoded. Names may hold braces, quotes or any script.

    Args:
        templates, own_templates: see `prompt_files.read_templates`.
        synonyms: see `prompt_files.read_synonyms`; all names of a class go into every template and before every
            descriptor.
        descriptions: path of a JSON file, or its text: for each class a list of sentences (CuPL, Pratt et al. 2023,
            arXiv 2209.03320) or of short descriptors (Menon & Vondrick 2023, arXiv 2210.07183).
        description_shape: "sentences", "descriptors", or "auto" to tell by the texts.
        concept: what all classes are, put before the names (WaffleCLIP, Roth et al. 2023, arXiv 2306.07282); sentences
            stay as they are.
        modality: of the samples that the texts are set beside.

    Raises:
        InvalidInput: a name is empty, or a file or text box breaks its rule.
    """
    names, notes = read_synonyms(synonyms, class_names)
    if not all(own[0] for own in names):
        raise InvalidInput("A class has no name, so no sentence can be made of it. Give every class a name.")
    sentences = read_templates(templates, own_templates, modality)
    concept = " ".join(concept.split())
    if own_templates.strip() and templates != "own":
        notes += (f"Your own templates were not used: templates is {templates!r}. Choose 'own' to use them.",)
    lead = f"{concept}: " if concept else ""
    templated = tuple(
        tuple(t.replace("{}", lead + _article(name, concept) + name) for name in own for t in sentences)
        for own in names
    )
    if not descriptions.strip():
        return PromptTexts(names, templated, concept=concept, notes=notes)
    given, strangers = by_class(read_lists(descriptions, "descriptions"), class_names, "descriptions")
    shape, said = shape_of(given, names, description_shape)
    described = tuple(
        tuple(descriptor_sentence(name, text, concept) for name in own for text in texts)
        if shape == "descriptors"
        else texts
        for own, texts in zip(names, given, strict=True)
    )
    if not any(described):
        raise InvalidInput(
            "descriptions: the lists of your classes are all empty. Write at least one text for a class."
        )
    return PromptTexts(names, templated, described, shape, concept, (*notes, *_notes(described, strangers, said)))


def _article(name: str, concept: str) -> str:
    """The article after a concept's colon; templates carry their own otherwise."""
    return "" if not concept else "an " if name[:1].casefold() in set("aeiou") else "a "


def _notes(described: Sequence[Sequence[str]], strangers: Sequence[str], said: str) -> tuple[str, ...]:
    missing = sum(not own for own in described)
    k = len(described)
    notes = [said]
    if missing:
        notes.append(
            f"{missing:,} of {k:,} classes {'has' if missing == 1 else 'have'} no descriptions: "
            "only the templates speak there."
        )
    if strangers:
        notes.append(strangers_note(strangers, "descriptions"))
    return tuple(notes)


def shape_of(given: Sequence[Sequence[str]], names: Sequence[Sequence[str]], wanted: str = "auto") -> tuple[str, str]:
    """("sentences" or "descriptors", a note that says so). A sentence ends like one or says its class; the majority of
    the texts decides.

    All texts of CuPL's published files end like sentences, and none of the published descriptors does.
    """
    if wanted not in ("auto", "sentences", "descriptors"):
        raise InvalidInput(f"description_shape must be one of auto, sentences, descriptors: got {wanted[:60]!r}.")
    pairs = [(text, own) for texts, own in zip(given, names, strict=True) for text in texts]
    whole = sum(text.endswith(_ENDS) or any(fold_name(name) in fold_name(text) for name in own) for text, own in pairs)
    shape = wanted if wanted != "auto" else "sentences" if 2 * whole > len(pairs) else "descriptors"
    how = f"{whole:,} of {len(pairs):,} texts end like a sentence or say their class" if wanted == "auto" else "as set"
    follows = 'each follows its class name as "which is" or "which has"'
    used = "they are encoded as they stand" if shape == "sentences" else follows
    return shape, f"The descriptions were taken for {shape} ({how}); {used}."


def descriptor_sentence(name: str, descriptor: str, concept: str = "") -> str:
    """Such as "hen, which has two legs."

    Source: the published rules of Menon & Vondrick 2023 (arXiv 2210.07183): "which is" before a, an and used; nothing
    added after "which" before has, often, typically, may and can; else "which has". Theirs look at first letters, so
    that "antlers" and "candles" lose their verb; here whole words count.
    """
    text = descriptor.strip().rstrip(".")
    first = (text.split() or [""])[0].casefold()
    verb = "is " if first in ("a", "an", "used") else "" if first in _VERBS else "has "
    return f"{_opening(name, concept)}, which {verb}{text}."


def _opening(name: str, concept: str) -> str:
    return f"A photo of {_article(concept, 'x')}{concept}: {_article(name, concept)}{name}" if concept else name


@cache
def _words() -> tuple[str, ...]:
    return tuple(WORDS.read_text("utf-8").split())


def random_texts(texts: PromptTexts, size: int, seed: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """For each described class `size` texts that say nothing: its name, and random words or characters that are the
    same for all classes.

    Number and length of the words match the class names. Words and characters take turns.

    Source: WaffleCLIP (Roth et al. 2023, arXiv 2306.07282). Departures: the word list is our own; "which has" is said
    before every string, where theirs depends on its first letter; each class's texts are written with its name, where
    theirs replaces one class's name by another's and so also hits random words; a class that has no descriptions gets
    none here either, and other names take turns, so that sizes match.
    """
    rng = np.random.default_rng(list(seed))
    own = [names[0].split() for names in texts.names]
    count = max(1, round(float(np.mean([len(words) for words in own]))))
    length = max(1, round(float(np.mean([np.mean([len(w) for w in words]) for words in own]))))
    groups = round(float(np.mean([len(words) - 1 for words in own]))) + 1
    each = math.ceil(np.mean([max(map(len, words)) for words in own])) // groups + 1
    said = {c for described in texts.described for text in described for c in text}
    letters = sorted(said - set(" ,.")) or list("abcdefghij")
    strings: list[str] = []
    for i in range(size):
        if i % 2 == 0:
            strings.append(" ".join(word[:length] for word in rng.choice(_words(), count).tolist()))
        else:
            strings.append(", ".join("".join(rng.choice(letters, each).tolist()) for _ in range(groups)))
    bare = "A photo of a " if texts.shape == "sentences" and not texts.concept else ""
    return tuple(
        tuple(f"{bare}{_opening(names[i % len(names)], texts.concept)}, which has {strings[i]}." for i in range(size))
        if described
        else ()
        for names, described in zip(texts.names, texts.described, strict=True)
    )


def mean_size(texts: PromptTexts) -> int:
    """Descriptions of a class that has any, on average, rounded."""
    return max(1, round(float(np.mean([len(own) for own in texts.described if own]))))
