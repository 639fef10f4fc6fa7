"""Whether two captions mean the same although their words stand in another order."""

from __future__ import annotations

from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.parse import read_caption
from core.systems.composition.captions.records import NounPhrase, ParsedCaption


def same_meaning_key(text: str) -> tuple[str, ...]:
    """A key that captions share which say the same by symmetry: what "and", "next to", ... join stands in any order,
    attributes too, and case, spacing, "a" or "an" and the final stop do not count.

    >>> same_meaning_key("a red cube and a blue ball") == same_meaning_key("A blue ball and a red cube.")
    True
    >>> same_meaning_key("a cube on a ball") == same_meaning_key("a ball on a cube")
    False
    """
    reading = read_caption(text)
    symmetric = read_lexicon().phrases["symmetric"]
    key: list[str] = []
    at = 0
    run = list[NounPhrase]()
    for k, noun in enumerate(reading.things):
        if not run:
            key += [token.word for token in reading.tokens[at : noun.start]]
        run.append(noun)
        at = noun.stop
        following = None
        if k + 1 < len(reading.things):
            following = reading.things[k + 1]
        if (
            following is None
            or not noun.heads
            or not following.heads
            or reading.between(noun, following) not in symmetric
        ):
            key += sorted(" ".join(_bag(reading, one)) for one in run)
            run = []
        else:
            key.append("+" + " ".join(reading.between(noun, following)))
    key += [token.word for token in reading.tokens[at:]]
    return tuple(key)


def _bag(reading: ParsedCaption, noun: NounPhrase) -> list[str]:
    """The thing's words: attributes in one order, then nouns."""
    described = {at for a in noun.attributes for at in range(a.start, a.stop)}
    words = [
        token.word for k, token in enumerate(reading.tokens[noun.start : noun.stop], noun.start) if k not in described
    ]
    small = [word for word in words if word not in ("a", "an", "and")]
    return [*sorted(" ".join(reading.tokens[k].word for k in range(a.start, a.stop)) for a in noun.attributes), *small]
