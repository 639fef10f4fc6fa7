"""Templates and other names of classes, from files and text boxes."""

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

PUBLISHED = {"7": "SIMPLE_IMAGENET_TEMPLATES", "80": "OPENAI_IMAGENET_TEMPLATES"}
"""Constants of open_clip by the name of a set of templates."""


def read_templates(which: str, own_templates: str = "", modality: str = "image") -> tuple[str, ...]:
    """Sentences with {} once each.

    Args:
        which: "simple", "7" (CLIP's best seven), "80" (CLIP's for ImageNet) or "own".
        own_templates: one template a line, for "own".
        modality: kind of the samples; the 7 and the 80 describe photographs.

    Raises:
        InvalidInput: an own template does not have {} exactly once, `own_templates` is empty, or `which` is unknown.
        MissingDependency: open_clip, which contains the 7 and the 80, is not installed.
    """
    if which == "simple":
        if modality == "image":
            return ("a photo of a {}.",)
        return (f"{SPEECH[modality].sentence}.",)
    if which in PUBLISHED:
        if modality != "image":
            raise InvalidInput(
                f"The {which} templates describe photographs, and the samples are {modality}s. Use 'simple' or 'own'."
            )
        return _published(PUBLISHED[which])
    if which != "own":
        raise InvalidInput(f"templates must be one of simple, 7, 80, own: got {which[:60]!r}.")
    templates: list[str] = []
    for i, line in enumerate(own_templates.splitlines(), 1):
        template = line.strip()
        if not template:
            continue
        if template.count("{}") != 1:
            raise InvalidInput(
                f"own_templates, line {i}: {template[:80]!r} has {{}} {template.count('{}')} times. "
                "Use it exactly once, for the class name."
            )
        templates.append(template)
    if not templates:
        raise InvalidInput(
            "templates is 'own', and own_templates is empty. Write one sentence a line, such as: a photo of a {}."
        )
    return tuple(dict.fromkeys(templates))


@cache
def _published(constant: str) -> tuple[str, ...]:
    """Templates of the installed open_clip. Only their file is executed: importing the package would load torch."""
    package = importlib.util.find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise MissingDependency(
            f"The 7 and 80 templates need open_clip. Run `{install_line('open_clip')}`, or use 'simple' or 'own'."
        )
    file = Path(package.submodule_search_locations[0]) / "zero_shot_metadata.py"
    spec = importlib.util.spec_from_file_location("_open_clip_templates", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    templates: Sequence[Callable[[str], str]] = getattr(module, constant)
    return tuple(template("{}") for template in templates)


def read_synonyms(source: str, class_names: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each class its spoken name followed by its other names; and notes.

    Args:
        source: lines "class: name, name", or JSON of lists or the path of a JSON file (for names with commas).

    Raises:
        InvalidInput: a line has no class, or a name belongs to two classes.
    """
    spoken = spoken_names(class_names)
    text = source.strip()
    if not text:
        return tuple((name,) for name in spoken), ()
    notes: tuple[str, ...] = ()
    if text.startswith(("{", "[")) or ("\n" not in text and text.casefold().endswith(".json")):
        synonyms, strangers = by_class(read_lists(text, "synonyms"), class_names, "synonyms")
        if strangers:
            notes = (strangers_note(strangers, "synonyms"),)
    else:
        synonyms = _from_lines(text, class_names)
    class_of = {fold_name(name): c for c, name in enumerate(spoken)}
    names: list[tuple[str, ...]] = []
    for c, (name, synonyms_of_class) in enumerate(zip(spoken, synonyms, strict=True)):
        for synonym in synonyms_of_class:
            first = class_of.setdefault(fold_name(synonym), c)
            if first != c:
                raise InvalidInput(
                    f"synonyms: {synonym[:60]!r} names both {spoken[first]!r} and {name!r}. Use it for one of them."
                )
        distinct: dict[str, str] = {}
        for n in (name, *spoken_names(synonyms_of_class)):
            distinct.setdefault(fold_name(n), n)  # the first spelling stays
        names.append(tuple(distinct.values()))
    return tuple(names), notes


def _from_lines(text: str, class_names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    class_of = {fold_name(name): c for c, name in enumerate(class_names)}
    synonyms: list[tuple[str, ...]] = [() for _ in class_names]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        # the last colon after a class name, because a name may contain colons itself
        cuts = [at for at, character in enumerate(line) if character in ":：" and fold_name(line[:at]) in class_of]
        if not cuts:
            raise InvalidInput(
                f"synonyms, line {number}: got {line.strip()[:80]!r}. Start with a class name and a colon, as in "
                f"'sofa: couch, settee'. The classes are {few_names(class_names)}."
            )
        names = line[cuts[-1] + 1 :].replace("，", ",").replace("、", ",").split(",")
        synonyms[class_of[fold_name(line[: cuts[-1]])]] += tuple(name.strip() for name in names if name.strip())
    return tuple(synonyms)
