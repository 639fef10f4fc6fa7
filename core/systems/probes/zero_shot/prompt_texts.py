"""Texts of the classes, from their names, templates and descriptions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from core.errors import InvalidInput
from core.files import ASSETS
from core.language.grammar import fold_name
from core.systems.common.named_texts import by_class, read_lists, strangers_note
from core.systems.probes.zero_shot.prompt_files import read_synonyms, read_templates

WORDS_FILE = ASSETS / "prompts" / "words.txt"
PAIRS = 15
"""Pairs of random words and random characters in WaffleCLIP: 30 texts a class."""
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔", "…", '."', ".”", ".'")
_VERBS = ("has", "often", "typically", "may", "can")


@dataclass(frozen=True, slots=True, eq=False)
class PromptTexts:
    """The texts of k classes. A class without descriptions has an empty tuple there."""

    names: tuple[tuple[str, ...], ...]
    """Each class's name, then its other names."""
    templated: tuple[tuple[str, ...], ...]
    described: tuple[tuple[str, ...], ...] = ()
    """Empty without descriptions."""
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
    """All texts of the classes, before encoding. Names may contain braces, quotes or any script.

    Args:
        templates, own_templates: see `prompt_files.read_templates`.
        synonyms: see `prompt_files.read_synonyms`; every template and every descriptor is used with each name of a
            class.
        descriptions: path of a JSON file, or its text: for each class a list of sentences (CuPL, Pratt et al. 2023,
            arXiv 2209.03320) or of short descriptors (Menon & Vondrick 2023, arXiv 2210.07183).
        description_shape: "sentences", "descriptors", or "auto" to decide by the texts.
        concept: category of all classes, put before the names (WaffleCLIP, Roth et al. 2023, arXiv 2306.07282);
            sentences stay unchanged.
        modality: kind of the samples.

    Raises:
        InvalidInput: a name is empty, or a file or text box breaks its rule.
    """
    names, notes = read_synonyms(synonyms, class_names)
    if not all(names_of_class[0] for names_of_class in names):
        raise InvalidInput("A class has an empty name. Name every class.")
    sentences = read_templates(templates, own_templates, modality)
    concept = " ".join(concept.split())
    if own_templates.strip() and templates != "own":
        notes += (f"Your own templates were not used, since templates is {templates!r}. Use 'own' for them.",)
    lead = f"{concept}: " if concept else ""
    templated: list[tuple[str, ...]] = []
    for names_of_class in names:
        texts: list[str] = []
        for name in names_of_class:
            subject = lead + _article(name, concept) + name
            texts += [sentence.replace("{}", subject) for sentence in sentences]
        templated.append(tuple(texts))
    if not descriptions.strip():
        return PromptTexts(names, tuple(templated), concept=concept, notes=notes)
    described, strangers = by_class(read_lists(descriptions, "descriptions"), class_names, "descriptions")
    if not any(described):
        raise InvalidInput("descriptions: the lists of all classes are empty. Write at least one text for a class.")
    shape, shape_note = shape_of(described, names, description_shape)
    notes += (shape_note,)
    missing = sum(not texts_of_class for texts_of_class in described)
    if missing:
        have = "has" if missing == 1 else "have"
        notes += (f"{missing:,} of {len(names):,} classes {have} no descriptions. Errata used the templates alone.",)
    if strangers:
        notes += (strangers_note(strangers, "descriptions"),)
    if shape == "descriptors":
        described = tuple(_with_names(*pair, concept) for pair in zip(names, described, strict=True))
    return PromptTexts(names, tuple(templated), described, shape, concept, notes)


def _with_names(names: Sequence[str], descriptors: Sequence[str], concept: str) -> tuple[str, ...]:
    """Each descriptor of a class after each of its names."""
    sentences: list[str] = []
    for name in names:
        sentences += [descriptor_sentence(name, descriptor, concept) for descriptor in descriptors]
    return tuple(sentences)


def _article(name: str, concept: str) -> str:
    """The article after a concept's colon; without a concept the template has it."""
    if not concept:
        return ""
    return "an " if name[:1].casefold() in set("aeiou") else "a "


def shape_of(
    described: Sequence[Sequence[str]], names: Sequence[Sequence[str]], shape: str = "auto"
) -> tuple[str, str]:
    """("sentences" or "descriptors", a note on it). A sentence ends like one or contains its class; the majority of the
    texts decides.

    All texts of CuPL's published files end like sentences, and none of the published descriptors does.
    """
    if shape not in ("auto", "sentences", "descriptors"):
        raise InvalidInput(f"description_shape must be one of auto, sentences, descriptors: got {shape[:60]!r}.")
    reason = "as set"
    if shape == "auto":
        n = 0
        n_sentences = 0
        for texts, names_of_class in zip(described, names, strict=True):
            folded = [fold_name(name) for name in names_of_class]
            n += len(texts)
            n_sentences += sum(text.endswith(_ENDS) or any(f in fold_name(text) for f in folded) for text in texts)
        shape = "sentences" if 2 * n_sentences > n else "descriptors"
        reason = f"{n_sentences:,} of {n:,} texts end like a sentence or contain their class"
    use = "encoded unchanged"
    if shape == "descriptors":
        use = 'each after its class name with "which is" or "which has"'
    return shape, f"Errata read the descriptions as {shape} ({reason}), {use}."


def descriptor_sentence(name: str, descriptor: str, concept: str = "") -> str:
    """Such as "hen, which has two legs."

    Source: the published rules of Menon & Vondrick 2023 (arXiv 2210.07183): "which is" before a, an and used; nothing
    added after "which" before has, often, typically, may and can; else "which has". Theirs look at first letters, so
    that "antlers" and "candles" lose their verb; here whole words count.
    """
    text = descriptor.strip().rstrip(".")
    first = (text.split() or [""])[0].casefold()
    verb = "has "
    if first in ("a", "an", "used"):
        verb = "is "
    elif first in _VERBS:
        verb = ""
    return f"{_opening(name, concept)}, which {verb}{text}."


def _opening(name: str, concept: str) -> str:
    if not concept:
        return name
    return f"A photo of {_article(concept, 'x')}{concept}: {_article(name, concept)}{name}"


@cache
def _words() -> tuple[str, ...]:
    return tuple(WORDS_FILE.read_text("utf-8").split())


def random_texts(texts: PromptTexts, size: int, seed: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """`size` meaningless texts for each described class: its name, and random words or characters that are the same for
    all classes.

    Number and length of the words match the class names. Words and characters alternate.

    Source: WaffleCLIP (Roth et al. 2023, arXiv 2306.07282). Departures: the word list is our own; "which has" precedes
    every string, where theirs depends on its first letter; each class's texts are written with its name, where theirs
    replaces one class's name by another's and so also hits random words; a class without descriptions gets none here
    either, and other names alternate, so that sizes match.
    """
    rng = np.random.default_rng(list(seed))
    name_words = [names[0].split() for names in texts.names]
    count = max(1, round(float(np.mean([len(words) for words in name_words]))))
    length = max(1, round(float(np.mean([np.mean([len(w) for w in words]) for words in name_words]))))
    groups = round(float(np.mean([len(words) - 1 for words in name_words]))) + 1
    each = math.ceil(np.mean([max(map(len, words)) for words in name_words])) // groups + 1
    characters = set("".join(chain.from_iterable(texts.described)))
    letters = sorted(characters - set(" ,.")) or list("abcdefghij")
    strings: list[str] = []
    for i in range(size):
        if i % 2 == 0:
            strings.append(" ".join(word[:length] for word in rng.choice(_words(), count).tolist()))
        else:
            strings.append(", ".join("".join(rng.choice(letters, each).tolist()) for _ in range(groups)))
    bare = ""
    if texts.shape == "sentences" and not texts.concept:
        bare = "A photo of a "
    random: list[tuple[str, ...]] = []
    for names, described in zip(texts.names, texts.described, strict=True):
        sentences: list[str] = []
        if described:
            openings = [_opening(name, texts.concept) for name in names]
            sentences = [f"{bare}{openings[i % len(names)]}, which has {text}." for i, text in enumerate(strings)]
        random.append(tuple(sentences))
    return tuple(random)


def mean_size(texts: PromptTexts) -> int:
    """Mean number of descriptions over the classes with any, rounded."""
    return max(1, round(float(np.mean([len(described) for described in texts.described if described]))))
