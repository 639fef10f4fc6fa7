"""Measure properties of a text's words: the plain causes of failure that embeddings do not name.

Words are runs of letters and digits, with apostrophes and hyphens inside. In Chinese and Japanese, written without
blanks, each ideograph and hiragana sign is a word, and so is a run of katakana (the default of UAX #29). Thai, Lao,
Khmer and Burmese need a dictionary to separate words, which are not counted there. The lists of words are English, so
their counts are 0 in other languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

VERSION = "text properties 5"
"""Part of the cache's key: change it with anything that changes a value."""
WINDOW_WORDS = 50
"""Words of each window of the type-token ratio, which would otherwise fall with a text's length."""
MIN_LANGUAGE_BYTES = 20
"""Least UTF-8 bytes of letters to detect a language; with fewer it would often be wrong."""
MIN_LANGUAGE_PROBABILITY = 0.6
"""With it 4 in 5 of the shipped definitions get a language, and all of these the right one."""
PROPERTIES: dict[str, str] = {
    "words": "number of words; in Chinese and Japanese, of signs; not counted in Thai, Lao, Khmer and Burmese",
    "sentences": "number of sentences, by their end marks and line ends",
    "mean word length": "characters per word",
    "type-token ratio": (
        f"distinct words over words, 0 to 1, averaged over windows of {WINDOW_WORDS} words, or over all words of a "
        "shorter text (Covington and McFall 2010)"
    ),
    "negations": "words like not, never, nobody, without, and endings in n't",
    "hedges": "words like may, might, perhaps, seems, probably",
    "contrasts": "words like but, however, although, despite",
    "first-person words": "I, we, my, our and their forms",
    "numbers": "numbers in digits",
    "number share": "share of the characters that are digits",
    "punctuation share": "share of the characters that are punctuation marks",
    "question marks": "number of ?",
    "exclamation marks": "number of !",
    "quotation marks": "number of double quotation marks",
    "capital share": "share of the letters that are capitals",
    "capitalized words": "words that begin with a capital inside a sentence: mostly names",
    "links": "web and mail addresses, and words that begin with @ or #",
    "markup tags": "tags like <br>, and entities like &amp;",
    "language": (
        f"detected by py3langid with probability {MIN_LANGUAGE_PROBABILITY:g} or more, from at least "
        f"{MIN_LANGUAGE_BYTES} bytes of letters"
    ),
}
WORD_PROPERTIES = ("words", "mean word length", "type-token ratio")
"""None where words are not counted."""
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
"""Singular and plural of each counted property."""
_EDGES: dict[tuple[str, str, float], str] = {
    ("number share", "<=", 0): "no digit",
    ("punctuation share", "<=", 0): "no punctuation",
    ("capital share", "<=", 0): "no capital letter",
    ("capital share", ">=", 1): "capital letters alone",
    ("type-token ratio", ">=", 1): f"no word twice within {WINDOW_WORDS}",
}
_MARKS = frozenset(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in ("Mn", "Mc"))
"""Signs written on letters: vowels of Indian scripts, and accents without a composed letter."""
_UNITS = "\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
"""Ideographs and hiragana signs; each is a word."""
_UNBROKEN = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3]")
"""Letters of scripts without blanks between words (class SA of UAX #14)."""
_LETTERS = f"(?![{_UNITS}])[^\\W_](?:(?![{_UNITS}])[^\\W_]|[{''.join(sorted(_MARKS))}])*"
_WORD = re.compile(f"[{_UNITS}][{''.join(sorted(_MARKS))}\u30fc]*|{_LETTERS}(?:['\\-]{_LETTERS})*")
_PLAIN = frozenset(c for c in map(chr, range(0x10000)) if unicodedata.category(c)[0] == "P") - frozenset("#@%&")
_CONTENT = re.compile(
    f"{_WORD.pattern}|(?<!\\w)-(?=\\d)|(?<!\\w)[:;=]['o-]?[()\\[\\]/\\\\|dp3*]+(?!\\w)"
    f"|[^\\w\\s\u200c\u200d{re.escape(''.join(sorted(_PLAIN | _MARKS)))}]"
)
"""Words, the sign of a number, a smiley, or any other sign that is not punctuation."""
_SENTENCE_END = re.compile(
    r"(?<![.!?…。！？])[.!?…。！？]{1,20}[\"'”’)\]]{0,3}(?=\s|$)|(?<![。！？])[。！？]{1,20}[」』”’）]{0,3}(?=\S)|\n"
)
"""Full-width marks end a sentence without a blank after them."""
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d.,]*(?![\w])")
_LINK = re.compile(r"https?://\S+|www\.\S+|(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}\.\w+|(?<!\w)[@#]\w+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&(?:[A-Za-z]{2,8}|#\d{1,6});")
_LISTS: Mapping[str, frozenset[str]] = {
    "negations": frozenset(
        "not no never none nobody nothing nowhere neither nor cannot without hardly barely scarcely n't".split()
    ),
    "hedges": frozenset(
        (
            "may might could perhaps maybe possibly probably seems seem seemed seemingly apparently likely unlikely "
            "somewhat suggests suggest suggested rumoured allegedly reportedly presumably"
        ).split()
    ),
    "contrasts": frozenset(
        "but however although though yet despite nevertheless nonetheless whereas unlike while".split()
    ),
    "first-person words": frozenset("i me my mine myself we us our ours ourselves".split()),
}


def measure_text(text: str) -> dict[str, Any]:
    """Measure each of `PROPERTIES`: a str or None for the language, otherwise a float, or None where words are not
    counted.

    Args:
        text: cleaned by `core.data.texts.columns.clean`.
    """
    text = _composed(text)
    words = _WORD.findall(text)
    folded = [word.casefold() for word in words]
    n_letters = sum(map(str.isalpha, text))
    n_characters = max(len(text), 1)
    # words count unless half of the letters belong to scripts without blanks between words
    countable = 2 * sum(map(str.isalpha, _UNBROKEN.findall(text))) < max(n_letters, 1)
    values: dict[str, Any] = {
        "words": len(words),
        "sentences": max(len(_SENTENCE_END.findall(text.rstrip())), 1),
        "mean word length": sum(map(len, words)) / max(len(words), 1),
        "type-token ratio": type_token_ratio(folded),
        **{name: sum(_is_listed(word, listed) for word in folded) for name, listed in _LISTS.items()},
        "numbers": len(_NUMBER.findall(text)),
        "number share": sum(map(str.isdigit, text)) / n_characters,
        "punctuation share": sum(not (c.isalnum() or c.isspace() or c in _MARKS) for c in text) / n_characters,
        "question marks": sum(text.count(c) for c in "?？"),
        "exclamation marks": sum(text.count(c) for c in "!！"),
        "quotation marks": sum(text.count(c) for c in '"“”„«»'),
        "capital share": sum(c.isupper() and c.isalpha() for c in text) / max(n_letters, 1),
        "capitalized words": _count_capitalized(text),
        "links": len(_LINK.findall(text)),
        "markup tags": len(_TAG.findall(text)),
    }
    values = {name: float(value) for name, value in values.items()}
    if not countable:
        values.update(dict.fromkeys(WORD_PROPERTIES))
    return values | {"language": language_of(text)}


def spoken_limit(name: str, sign: str, limit: float) -> str | None:
    """Describe a limit of a text property in plain words; None where the bare number reads better.

    Args:
        sign: "<=", ">=", "=" or "missing".

    Example:
        >>> spoken_limit("negations", ">=", 1.0), spoken_limit("words", "<=", 7.0), spoken_limit("links", "=", 0.0)
        ('at least one negation', 'at most 7 words', 'no link')
        >>> spoken_limit("capital share", "<=", 0.0), spoken_limit("capital share", "<=", 0.1)
        ('no capital letter', None)
    """
    if sign == "missing":
        if name in WORD_PROPERTIES:
            return f"{name} not counted"
        return "language unknown" if name == "language" else None
    if name not in SPOKEN:
        if sign == "=":
            sign = "<=" if limit == 0 else ">="
        return _EDGES.get((name, sign, limit))
    singular, plural = SPOKEN[name]
    if limit == 0 and sign != ">=":
        return f"no {singular}"
    if not float(limit).is_integer():
        return None
    prefix = {"<=": "at most ", ">=": "at least ", "=": ""}[sign]
    if limit == 1:
        return f"{prefix}one {singular}"
    return f"{prefix}{limit:,.0f} {plural}"


def words_of(text: str) -> list[str]:
    """The words in order, casefolded."""
    return [word.casefold() for word in _WORD.findall(_composed(text))]


def content_of(text: str) -> str:
    """Reduce a text to its content, without case, blanks and punctuation: its words, and signs with a meaning (symbols,
    emoji, "#", "@", "%", "&", and smileys).

    Example:
        >>> content_of("It is GOOD."), content_of("C++ and C"), content_of("fine :)")
        ('it is good', 'c + + and c', 'fine :)')
    """
    return " ".join(_CONTENT.findall(_composed(text).casefold()))


def _composed(text: str) -> str:
    """The text with one spelling of each accented letter, and one of apostrophes and of hyphens inside words."""
    return unicodedata.normalize("NFC", text).replace("’", "'").replace("\u2010", "-").replace("\u2011", "-")


def type_token_ratio(words: Sequence[str], window: int = WINDOW_WORDS) -> float:
    """Distinct words over words, averaged over all windows of that many words; 1 without words.

    Source: the moving-average type-token ratio (Covington and McFall 2010), for texts of any length.

    Example:
        >>> type_token_ratio("the cat saw the dog".split()), type_token_ratio("a b a b".split(), 2)
        (0.8, 1.0)
    """
    if not words:
        return 1.0
    if len(words) <= window:
        return len(set(words)) / len(words)
    counts: dict[str, int] = {}
    total = 0
    for i, word in enumerate(words):
        counts[word] = counts.get(word, 0) + 1
        if i >= window:
            leaving = words[i - window]
            counts[leaving] -= 1
            if not counts[leaving]:
                del counts[leaving]
        if i >= window - 1:
            total += len(counts)
    return total / window / (len(words) - window + 1)


def language_of(text: str) -> str | None:
    """The code (ISO 639-1) of the text's language; None if it is uncertain."""
    if sum(len(c.encode()) for c in text if c.isalpha()) < MIN_LANGUAGE_BYTES:
        return None
    code, probability = _identifier().classify(text[:2_000])
    if float(probability) < MIN_LANGUAGE_PROBABILITY:
        return None
    return str(code)


@cache
def _identifier() -> Any:
    from importlib import import_module

    langid: Any = import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def _is_listed(word: str, listed: frozenset[str]) -> bool:
    return word in listed or ("n't" in listed and word.endswith("n't"))


def _count_capitalized(text: str) -> int:
    """Words that begin with a capital inside a sentence, without "I"; 0 for a text in capitals."""
    if text.isupper():
        return 0
    count = 0
    for sentence in _SENTENCE_END.split(text):
        words = _WORD.findall(sentence)
        count += sum(word[0].isupper() and word.split("'")[0] != "I" for word in words[1:])
    return count
