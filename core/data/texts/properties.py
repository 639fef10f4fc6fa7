"""Properties measured on a text's words: the plain causes of failure that embeddings do not name.

Words are runs of letters and digits, with apostrophes and hyphens inside; in Chinese and Japanese, which write no
blanks, each ideograph and each hiragana sign is one, and a run of katakana (as the default of UAX #29 has it). Words of
scripts whose words a dictionary alone can tell (Thai, Lao, Khmer, Burmese) are not counted. Lists of words are
English; a text in another language has none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from core.records import Column

VERSION = "text properties 5"
"""Change it with anything that changes a value: it is part of the cache's key."""
WINDOW = 50
"""Words over which the type-token ratio is averaged."""
MIN_BYTES = 20
"""Of the letters (UTF-8) of a text whose language is told; of fewer it would often be told wrongly."""
SURE = 0.6
"""Least probability with which a language is said: of the shipped definitions 4 in 5 are told then, none wrongly."""
PROPERTIES: dict[str, str] = {
    "words": "number of words; of Chinese and Japanese, signs; of Thai, Lao, Khmer and Burmese not counted",
    "sentences": "number of sentences, by their end marks and line ends",
    "mean word length": "characters a word",
    "type-token ratio": (
        f"distinct words over words, 0 to 1, the mean over windows of {WINDOW} words (Covington and McFall 2010), of "
        "all words where there are fewer"
    ),
    "negations": "words such as not, never, nobody, without, and endings in n't",
    "hedges": "words such as may, might, perhaps, seems, probably",
    "contrasts": "words such as but, however, although, despite",
    "first-person words": "I, we, my, our and their forms",
    "numbers": "numbers in digits",
    "number share": "share of the characters that are digits",
    "punctuation share": "share of the characters that are marks",
    "question marks": "number of ?",
    "exclamation marks": "number of !",
    "quotation marks": "number of double quotation marks",
    "capital share": "share of the letters that are capitals",
    "capitalized words": "words that begin with a capital inside a sentence: mostly names",
    "links": "web and mail addresses, and words that begin with @ or #",
    "markup tags": "tags such as <br>, and entities such as &amp;",
    "language": f"as py3langid tells it with probability {SURE:g} or more, if the letters take {MIN_BYTES} bytes",
}
OF_WORDS = ("words", "mean word length", "type-token ratio")
"""What is None where words are not counted."""
SPOKEN: dict[str, tuple[str, str]] = {
    "words": ("word", "words"),
    "sentences": ("sentence", "sentences"),
    "negations": ("negation", "negations"),
    "hedges": ("hedging word", "hedging words"),
    "contrasts": ("word of contrast", "words of contrast"),
    "first-person words": ("first-person word", "first-person words"),
    "numbers": ("number", "numbers"),
    "question marks": ("question mark", "question marks"),
    "exclamation marks": ("exclamation mark", "exclamation marks"),
    "quotation marks": ("quotation mark", "quotation marks"),
    "capitalized words": ("capitalized word inside a sentence", "capitalized words inside a sentence"),
    "links": ("link", "links"),
    "markup tags": ("markup tag", "markup tags"),
}
"""One and many of what is counted."""
_EDGES: dict[tuple[str, str, float], str] = {
    ("number share", "<=", 0): "no digit",
    ("punctuation share", "<=", 0): "no punctuation",
    ("capital share", "<=", 0): "no capital letter",
    ("capital share", ">=", 1): "capital letters alone",
    ("type-token ratio", ">=", 1): f"no word twice within {WINDOW}",
}
_MARKS = frozenset(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in ("Mn", "Mc"))
"""Signs written on letters: vowels of Indian scripts, accents that have no letter of their own."""
_UNITS = "\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
"""Ideographs and hiragana, each of which is a word."""
_UNBROKEN = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3]")
"""Letters of scripts without blanks between words (class SA of UAX #14)."""
_LETTERS = f"(?![{_UNITS}])[^\\W_](?:(?![{_UNITS}])[^\\W_]|[{''.join(sorted(_MARKS))}])*"
_WORD = re.compile(f"[{_UNITS}][{''.join(sorted(_MARKS))}\u30fc]*|{_LETTERS}(?:['\\-]{_LETTERS})*")
_PLAIN = frozenset(c for c in map(chr, range(0x10000)) if unicodedata.category(c)[0] == "P") - frozenset("#@%&")
_SAYING = re.compile(
    f"{_WORD.pattern}|(?<!\\w)-(?=\\d)|(?<!\\w)[:;=]['o-]?[()\\[\\]/\\\\|dp3*]+(?!\\w)"
    f"|[^\\w\\s\u200c\u200d{re.escape(''.join(sorted(_PLAIN | _MARKS)))}]"
)
"""Words, the sign of a number, a smiley, any other sign that is no punctuation."""
_SENTENCE_END = re.compile(
    r"(?<![.!?…。！？])[.!?…。！？]{1,20}[\"'”’)\]]{0,3}(?=\s|$)|(?<![。！？])[。！？]{1,20}[」』”’）]{0,3}(?=\S)|\n"
)
"""Full-width marks end a sentence without a blank behind them."""
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d.,]*(?![\w])")
_LINK = re.compile(r"https?://\S+|www\.\S+|(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}\.\w+|(?<!\w)[@#]\w+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&(?:[A-Za-z]{2,8}|#\d{1,6});")
_WORDS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "negations": ("not no never none nobody nothing nowhere neither nor cannot without hardly barely scarcely n't"),
        "hedges": (
            "may might could perhaps maybe possibly probably seems seem seemed seemingly apparently likely unlikely "
            "somewhat suggests suggest suggested rumoured allegedly reportedly presumably"
        ),
        "contrasts": "but however although though yet despite nevertheless nonetheless whereas unlike while",
        "first-person words": "i me my mine myself we us our ours ourselves",
    }.items()
}


def measure_text(text: str) -> dict[str, Any]:
    """One value for each of `PROPERTIES`: a str or None for the language, otherwise a float, or None where words are
    not counted.

    Args:
        text: as `core.data.texts.columns.clean` gives it.
    """
    text = _composed(text)
    words = _WORD.findall(text)
    folded = [word.casefold() for word in words]
    letters = sum(map(str.isalpha, text))
    n = max(len(text), 1)
    counted = 2 * sum(map(str.isalpha, _UNBROKEN.findall(text))) < max(letters, 1)
    found: dict[str, float] = {
        "words": len(words),
        "sentences": max(len(_SENTENCE_END.findall(text.rstrip())), 1),
        "mean word length": sum(map(len, words)) / max(len(words), 1),
        "type-token ratio": type_token_ratio(folded),
        **{name: sum(_is_listed(word, listed) for word in folded) for name, listed in _WORDS.items()},
        "numbers": len(_NUMBER.findall(text)),
        "number share": sum(map(str.isdigit, text)) / n,
        "punctuation share": sum(not (c.isalnum() or c.isspace() or c in _MARKS) for c in text) / n,
        "question marks": sum(text.count(c) for c in "?？"),
        "exclamation marks": sum(text.count(c) for c in "!！"),
        "quotation marks": sum(text.count(c) for c in '"“”„«»'),
        "capital share": sum(c.isupper() and c.isalpha() for c in text) / max(letters, 1),
        "capitalized words": _capitalised_inside(text),
        "links": len(_LINK.findall(text)),
        "markup tags": len(_TAG.findall(text)),
    }
    told = {name: float(value) if counted or name not in OF_WORDS else None for name, value in found.items()}
    return told | {"language": language_of(text)}


def spoken_limit(name: str, sign: str, limit: float) -> str | None:
    """What a text has whose property meets a limit, in plain words; None where its number says it better.

    Args:
        sign: "<=", ">=", "=" or "missing".

    Example:
        >>> spoken_limit("negations", ">=", 1.0), spoken_limit("words", "<=", 7.0), spoken_limit("links", "=", 0.0)
        ('at least one negation', 'at most 7 words', 'no link')
        >>> spoken_limit("capital share", "<=", 0.0), spoken_limit("capital share", "<=", 0.1)
        ('no capital letter', None)
    """
    if sign == "missing":
        return f"{name} not counted" if name in OF_WORDS else "language not told" if name == "language" else None
    if name not in SPOKEN:
        return _EDGES.get((name, ("<=" if limit == 0 else ">=") if sign == "=" else sign, limit))
    one, many = SPOKEN[name]
    if limit == 0 and sign != ">=":
        return f"no {one}"
    if not float(limit).is_integer():
        return None
    return {"<=": "at most ", ">=": "at least ", "=": ""}[sign] + (
        f"one {one}" if limit == 1 else f"{limit:,.0f} {many}"
    )


def columns(measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The measurements of many texts as columns, in the order of `PROPERTIES`."""

    def column(name: str) -> Column:
        values = [row[name] for row in measured]
        if name == "language":
            return Column(name, "category", np.array(values, object), measured=True)
        return Column(name, "number", np.array(values, np.float64), measured=True)

    return tuple(column(name) for name in PROPERTIES)


def words_of(text: str) -> list[str]:
    """The words in their order, folded to small letters."""
    return [word.casefold() for word in _WORD.findall(_composed(text))]


def said_by(text: str) -> str:
    """What a text says, whatever its case, blanks and punctuation: its words, and of other signs those that mean
    something of themselves (symbols, emoji, "#", "@", "%", "&", and smileys).

    Example:
        >>> said_by("It is GOOD."), said_by("C++ and C"), said_by("fine :)")
        ('it is good', 'c + + and c', 'fine :)')
    """
    return " ".join(_SAYING.findall(_composed(text).casefold()))


def _composed(text: str) -> str:
    """The text with one spelling of each accented letter, and one of apostrophes and of hyphens inside words."""
    return unicodedata.normalize("NFC", text).replace("’", "'").replace("\u2010", "-").replace("\u2011", "-")


def type_token_ratio(words: Sequence[str], window: int = WINDOW) -> float:
    """Distinct words over words, the mean over all windows of that many words; 1 where there is no word.

    Example:
        >>> type_token_ratio("the cat saw the dog".split()), type_token_ratio("a b a b".split(), 2)
        (0.8, 1.0)
    """
    if len(words) <= window:
        return len(set(words)) / len(words) if words else 1.0
    counts: dict[str, int] = {}
    total = 0
    for i, word in enumerate(words):
        counts[word] = counts.get(word, 0) + 1
        if i >= window:
            out = words[i - window]
            counts[out] -= 1
            if not counts[out]:
                del counts[out]
        total += len(counts) if i >= window - 1 else 0
    return total / window / (len(words) - window + 1)


def language_of(text: str) -> str | None:
    """The code (ISO 639-1) of the text's language; None where it cannot be told."""
    if sum(len(c.encode()) for c in text if c.isalpha()) < MIN_BYTES:
        return None
    code, probability = _identifier().classify(text[:2_000])
    return str(code) if float(probability) >= SURE else None


@cache
def _identifier() -> Any:
    from importlib import import_module

    langid: Any = import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def _is_listed(word: str, listed: frozenset[str]) -> bool:
    return word in listed or ("n't" in listed and word.endswith("n't"))


def _capitalised_inside(text: str) -> int:
    """Words that begin with a capital and do not begin a sentence; "I" and words of an all-capital text are none."""
    if text.isupper():
        return 0
    count = 0
    for sentence in _SENTENCE_END.split(text):
        words = _WORD.findall(sentence)
        count += sum(word[0].isupper() and word.split("'")[0] != "I" for word in words[1:])
    return count
