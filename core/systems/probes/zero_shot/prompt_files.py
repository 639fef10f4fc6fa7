"""Files and text boxes that speak of classes: templates and other names. Read with one clear message for each fault."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from core.errors import InvalidInput, MissingDependency
from core.language.grammar import fold_name, spoken_names
from core.language.speech import SPEECH
from core.program import install_line
from core.systems.common.named_texts import by_class, few_names, read_lists, strangers_note


def read_templates(which: str, own: str = "", modality: str = "image") -> tuple[str, ...]:
    """Sentences that hold {} once each.

    Args:
        which: "simple", "7" (CLIP's best seven), "80" (CLIP's for ImageNet) or "own".
        own: one template a line, for "own".
        modality: what the sentences are set beside; the 7 and the 80 speak of photographs.

    Raises:
        InvalidInput: an own template does not hold {} exactly once, there is none, or there is no such set.
        MissingDependency: open_clip, which carries the 7 and the 80, is not installed.
    """
    if which == "simple":
        return ("a photo of a {}.",) if modality == "image" else (f"{SPEECH[modality].sentence}.",)
    if which in ("7", "80"):
        if modality != "image":
            raise InvalidInput(
                f"The {which} templates speak of photographs, and the samples are {modality}s. Use 'simple', or 'own'."
            )
        return _published("SIMPLE_IMAGENET_TEMPLATES" if which == "7" else "OPENAI_IMAGENET_TEMPLATES")
    if which != "own":
        raise InvalidInput(f"templates must be one of simple, 7, 80, own: got {which[:60]!r}.")
    lines = [(i, line.strip()) for i, line in enumerate(own.splitlines(), 1) if line.strip()]
    if not lines:
        raise InvalidInput(
            "templates is 'own', and own_templates is empty. Write one sentence a line, such as: a photo of a {}."
        )
    for i, line in lines:
        if (holes := line.count("{}")) != 1:
            raise InvalidInput(
                f"own_templates, line {i}: each template must hold {{}} exactly once, where the name goes: "
                f"{line[:80]!r} holds it {holes} times."
            )
    return tuple(dict.fromkeys(line for _, line in lines))


@cache
def _published(constant: str) -> tuple[str, ...]:
    """Templates of the installed open_clip, whose one file is run by itself: importing the package would load torch."""
    package = importlib.util.find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise MissingDependency(
            "The 7 and the 80 templates are read from open_clip. "
            f"Run `{install_line('open_clip')}`, or use 'simple' or 'own'."
        )
    file = Path(package.submodule_search_locations[0]) / "zero_shot_metadata.py"
    spec = importlib.util.spec_from_file_location("_open_clip_templates", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Sequence[Callable[[str], str]] = getattr(module, constant)
    return tuple(template("{}") for template in made)


def read_synonyms(source: str, class_names: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each class its own tidy name and its other names; and notes.

    Args:
        source: lines "class: name, name", or JSON of lists or the path of such a file (for names with commas).

    Raises:
        InvalidInput: a line names no class, or a name belongs to two classes.
    """
    own = spoken_names(class_names)
    text = source.strip()
    if not text:
        return tuple((name,) for name in own), ()
    notes: tuple[str, ...] = ()
    if text.startswith(("{", "[")) or ("\n" not in text and text.casefold().endswith(".json")):
        others, strangers = by_class(read_lists(text, "synonyms"), class_names, "synonyms")
        if strangers:
            notes = (strangers_note(strangers, "synonyms"),)
    else:
        others = _from_lines(text, class_names)
    owner = {fold_name(name): i for i, name in enumerate(own)}
    found: list[tuple[str, ...]] = []
    for i, (name, more) in enumerate(zip(own, others, strict=True)):
        for other in more:
            if (of := owner.setdefault(fold_name(other), i)) != i:
                raise InvalidInput(
                    f"synonyms: {other[:60]!r} would name both {own[of]!r} and {name!r}. Keep it with one of them."
                )
        distinct = {fold_name(n): n for n in reversed((name, *spoken_names(more)))}  # the first spelling stays
        found.append(tuple(reversed(distinct.values())))
    return tuple(found), notes


def _from_lines(text: str, class_names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    place = {fold_name(name): i for i, name in enumerate(class_names)}
    found: list[tuple[str, ...]] = [() for _ in class_names]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cuts = [at for at, character in enumerate(line) if character in ":：" and fold_name(line[:at]) in place]
        if not cuts:  # the longest name that is a class goes before the colon, for a name may hold colons itself
            raise InvalidInput(
                f"synonyms, line {number}: must start with a class name and a colon, as in 'sofa: couch, settee': "
                f"got {line.strip()[:80]!r}. The classes are {few_names(class_names)}."
            )
        names = line[cuts[-1] + 1 :].replace("，", ",").replace("、", ",").split(",")
        found[place[fold_name(line[: cuts[-1]])]] += tuple(name.strip() for name in names if name.strip())
    return tuple(found)
