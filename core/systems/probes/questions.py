"""Which probe answers which question, in plain words, for the page, `probe --help`, `probes` and docs/probes.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What one probe answers, and how to read its answer."""

    asked: str
    reading: str


QUESTIONS = {
    "zero-shot": Question(
        "Would a model that never saw your training set fail here too?",
        "It knows your classes by name alone. Where it is right and your model wrong, look at your data or model. "
        "Where both are wrong, the samples are hard or mislabeled.",
    ),
    "label-desc": Question(
        "Are the class names at fault?",
        "A class may hold more than its name says. Descriptions that beat the names and random words put the names at "
        "fault. The result also shows how much the wording matters.",
    ),
    "sus-x": Question(
        "Are the class names at fault: would unlabeled samples help them?",
        "Each class name picks similar samples from a pool, and these help to classify. If that beats the names alone, "
        "the names say too little.",
    ),
    "lp++": Question(
        "Would a few labeled examples fix it?",
        "It combines the names with a few labeled samples. What it gets right can be learned from few samples. What it "
        "gets wrong with many shots is hard for this encoder or mislabeled.",
    ),
    "tip-adapter": Question(
        "Would a few labeled examples fix it, by similarity alone?",
        "A sample takes the class of the labeled samples it resembles, and you see these. Where it is wrong, see what "
        "it was confused with.",
    ),
    "linear-probe": Question(
        "Can the classes be separated without their names?",
        "It uses labeled samples alone. Where it is right and zero-shot wrong, the samples show the difference and the "
        "names do not.",
    ),
    "coop": Question(
        "Would other words around the names fix it?",
        "It learns the words from a few labeled images. If it beats zero-shot, the words around the names were at "
        "fault.",
    ),
    "cocoop": Question(
        "Would learned words also work for classes without shots?",
        "Like CoOp, with words that adapt to each image. They depend less on the classes they were trained on.",
    ),
}
"""By the name of the probe, in the order of `core.systems.probes.PROBES`."""
BINDING = (
    "Does the encoder read “a red cube and a blue ball” as more than a bag of words? No probe of single classes can "
    "tell. Use Composition in Probe."
)
"""The question that Composition answers."""


def question_lines() -> list[str]:
    """Each probe with its question, one a line, for a terminal."""
    wide = max(map(len, QUESTIONS))
    return [f"{name:<{wide}}  {question.asked}" for name, question in QUESTIONS.items()]


def question_of(name: str) -> Question:
    """The question of the probe with that name; an empty one for an unknown name."""
    return QUESTIONS.get(name, Question("", ""))
