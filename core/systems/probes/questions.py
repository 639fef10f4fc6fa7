"""Which probe answers which question, in plain words: what page, `probe --help`, `probes` and docs/probes.md say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What one probe is asked, and how its answer is read."""

    asked: str
    reading: str


QUESTIONS = {
    "zero-shot": Question(
        "Would a model that never saw your training set fail here too?",
        "It knows your classes by their names alone. Where it is right and your model wrong, look at your data or your "
        "model; where both are wrong, the samples are hard or their labels wrong.",
    ),
    "label-desc": Question(
        "Is it the words?",
        "A class may hold more than its name says. Where descriptions do better than the names, and than random words, "
        "the names were at fault; how far the wording matters at all is said too.",
    ),
    "sus-x": Question(
        "Is it the words: would unlabeled samples beside them do better?",
        "Each class's name looks for its samples in a pool, and these speak with it. Where that is better than the "
        "names alone, these said too little.",
    ),
    "lp++": Question(
        "Would a few labeled examples mend it?",
        "Names and a few labeled samples together. What it gets right can be learned from little; what it gets wrong "
        "with many shots too is hard for this encoder or wrongly labeled.",
    ),
    "tip-adapter": Question(
        "Would a few labeled examples mend it, by likeness alone?",
        "A sample takes after the labeled ones that it looks like, and these are shown. Where it is wrong, see what "
        "it was taken for.",
    ),
    "linear-probe": Question(
        "Can the classes be told apart if their names are forgotten?",
        "Labeled samples alone. Where it is right and zero-shot wrong, the samples hold the difference and the names "
        "do not say it.",
    ),
    "coop": Question(
        "Would other words around the names mend it?",
        "The words are learned from a few labeled images. Where it is better than zero-shot, the frame around the "
        "names was at fault.",
    ),
    "cocoop": Question(
        "Would other words mend it that also serve classes nobody taught?",
        "As CoOp, with words that bend to each image, so that they are bound less to the classes that taught them.",
    ),
}
"""By the name of the probe, in the order of `core.systems.probes.PROBES`."""
BINDING = (
    "Do the words bind? No probe of single classes can say whether “a red cube and a blue ball” is more than a bag of "
    "words: that is asked in the tab Compose."
)
"""What is asked elsewhere."""


def question_lines() -> list[str]:
    """Each question with its probe, one a line, for a terminal."""
    wide = max(map(len, QUESTIONS))
    return [f"{name:<{wide}}  {question.asked}" for name, question in QUESTIONS.items()]


def question_of(name: str) -> Question:
    """What a probe of that name is asked; of one that is not in the table nothing."""
    return QUESTIONS.get(name, Question("", ""))
