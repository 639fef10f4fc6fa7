"""How a class name appears in a sentence: article, plural, and the stems by which names and phrases are compared.

Rules, not a dictionary. A name takes no article if its last word is an uncountable of a short list or ends like a
plural ("sunglasses", "jeans", "people"); "an" goes before a vowel letter, save for words that sound otherwise ("a
unicycle", "an hour", "an SUV", "an 8"). A name that the rules misread costs an odd article in a prompt, nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNCOUNTABLE = _set(
    "air bread butter cheese clothing coffee dirt fire food foliage footwear fruit fur furniture glassware grass "
    "ground hair ice jewellery jewelry luggage meat milk money mud music paint paper rain rice sand seaweed "
    "silverware sky smoke snow soil sugar tea text traffic trash vegetation water wood wool"
)
_SAME_PLURAL = _set(
    "aircraft bison cod cattle deer fish hovercraft moose offspring salmon sheep shrimp spacecraft "
    "species series swine trout"
)
_PAIRS = (
    (
        "person people, man men, woman women, child children, mouse mice, goose geese, foot feet, tooth teeth, "
        "ox oxen, knife knives, wolf wolves, leaf leaves, loaf loaves, shelf shelves, calf calves, half halves, "
        "wife wives, life lives, scarf scarves, thief thieves, cactus cacti, fungus fungi, tomato tomatoes, "
        "potato potatoes, hero heroes, buffalo buffaloes, mango mangoes, mosquito mosquitoes, volcano volcanoes"
    )
    .replace(",", "")
    .split()
)
_IRREGULAR = dict(zip(_PAIRS[::2], _PAIRS[1::2]))
"""Singular and plural."""
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()} | {"cattle": "cattle"}
_ENDS_IN_S = _set(
    "bus gas lens canvas atlas iris christmas trellis bias mantis hippopotamus chaos tennis chess always rhinoceros"
)
_SOUNDS_LIKE_CONSONANT = re.compile(r"(?:uni(?!m|n)|us[aeu]|ut[ei]|eu|ewe|one\b|once\b|u-|ubiq|ukul)", re.IGNORECASE)
_SOUNDS_LIKE_VOWEL = re.compile(r"(?:hour|honest|honou?r|heir|8|11\b|18\b)", re.IGNORECASE)
_SPELT_WITH_A_VOWEL = "AEFHILMNORSX"
_SMALL_WORDS = _set(
    "a an the of in on at to by from with without and or for its it is are be being near next behind before under "
    "over above below against around inside outside into out up down as very only so that this than all any other "
    "another one made seen taken held worn photo picture image top bottom left right"
)


def spoken(name: str) -> str:
    """The name as people say it: "_" is a blank, "/" is "or", of names separated by commas only the first, and without
    a leading article.

    >>> spoken("traffic_light"), spoken("the  Moon"), spoken("T-shirt/top"), spoken("tench, Tinca tinca")
    ('traffic light', 'Moon', 'T-shirt or top', 'tench')
    """
    text = unicodedata.normalize("NFKC", name).replace("_", " ").split(",")[0]
    text = " ".join(re.sub(r"(?<=[^\W\d])\s*/\s*(?=[^\W\d])", " or ", text).split())
    return re.sub(r"^(?:an?|the) (?=\S)", "", text, flags=re.IGNORECASE)


def alternatives(name: str) -> tuple[str, ...]:
    """The names that a class name lists, separated by commas or slashes.

    >>> alternatives("T-shirt/top")
    ('T-shirt', 'top')
    """
    return tuple(part.strip() for part in re.split(r"[,/;|]", name) if words_in(part))


def is_plural(name: str) -> bool:
    """Whether the last word of a spoken name looks like a plural.

    >>> [is_plural(n) for n in ("running shoes", "bus", "glass", "people", "tennis")]
    [True, False, False, True, False]
    """
    word = _last(name)
    return word in _SINGULAR or (
        len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _ENDS_IN_S
    )


def takes_article(name: str) -> bool:
    """False for plurals and for the uncountable names of a short list ("grass", "food")."""
    return not is_plural(name) and _last(name) not in _UNCOUNTABLE


def plural(name: str) -> str:
    """The plural of a spoken name; what looks like a plural stays as it is.

    >>> [plural(n) for n in ("dog", "box", "fire truck", "puppy", "person", "sheep", "jeans", "bus", "grass")]
    ['dogs', 'boxes', 'fire trucks', 'puppies', 'people', 'sheep', 'jeans', 'buses', 'pieces of grass']
    >>> plural("outerwear")
    'outerwear'
    """
    word = _last(name)
    if word in _UNCOUNTABLE:
        return f"pieces of {name}"
    if not re.search(r"[a-z\u00df-\u024f]$", word) or is_plural(name) or word in _SAME_PLURAL or word.endswith("wear"):
        return name
    if word in _IRREGULAR:
        return name[: len(name) - len(word)] + _IRREGULAR[word]
    if re.search(r"[^aeiou]y$", word):
        return name[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return name + "es"
    return name + "s"


def right_articles(sentence: str) -> str:
    """The sentence with "a" or "an" as the next word requires.

    >>> right_articles("a image of a unicycle, an red apple and a SUV")
    'an image of a unicycle, a red apple and an SUV'
    """
    return re.sub(r"\b[Aa]n? (?=(\w[\w'-]*))", lambda match: "an " if _wants_an(match[1]) else "a ", sentence)


def _wants_an(word: str) -> bool:
    if len(word) > 1 and word.isupper():
        return word[0] in _SPELT_WITH_A_VOWEL
    if _SOUNDS_LIKE_VOWEL.match(word):
        return True
    return word[0].lower() in "aeiou" and not _SOUNDS_LIKE_CONSONANT.match(word)


def words_in(text: str) -> tuple[str, ...]:
    """The words of a text, folded for comparison: no case, no punctuation, "_" and "-" as blanks."""
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().replace("_", " ")))


def singular(word: str) -> str:
    """A key that a folded word shares with its plural; not always a word itself.

    >>> [singular(w) for w in ("dogs", "horse", "horses", "bus", "buses", "movies", "movie", "people", "glass")]
    ['dog', 'hors', 'hors', 'bus', 'bus', 'movy', 'movy', 'person', 'glass']
    """
    base = _SINGULAR.get(word)
    if base is None:
        base = word[:-1] if is_plural(word) else word
    base = re.sub(r"(?<=\w\w)ie$", "y", base)
    return re.sub(r"(?<=\w)(s|x|z|ch|sh)e$", r"\1", base)


def stems(text: str) -> tuple[str, ...]:
    """The words that carry a text's meaning, without plural, "-ing", "-ed" and "-en"; small words, and those for a
    position in the image, are left out.

    >>> stems("next to the running dogs"), stems("wooden"), stems("in a parking lot")
    (('run', 'dog'), ('wood',), ('park', 'lot'))
    """
    return tuple(_stem(word) for word in map(singular, words_in(text)) if word not in _SMALL_WORDS)


def _stem(word: str) -> str:
    bare = re.sub(r"(?<=[a-z]{3})(?:ing|ed|en)$", "", word)
    doubled = bare != word and len(bare) > 3 and bare[-1] == bare[-2] and bare[-1] not in "lsz"  # "running", "run"
    if doubled:
        return bare[:-1]
    return bare


def _last(name: str) -> str:
    words = name.casefold().split()
    if not words:
        return ""
    return words[-1]


def spoken_names(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as they appear in a sentence: underscores become spaces, without doubled spaces."""
    return tuple(" ".join(name.replace("_", " ").split()) for name in names)


def fold_name(name: str) -> str:
    """What two spellings of a name share: tidied, composed, without case and invisible marks."""
    seen = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFC", spoken_names([seen])[0]).casefold()
