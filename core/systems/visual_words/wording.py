"""Sentences about visual words."""

from __future__ import annotations

from core.numbers import bracketed, count, digits_for, number, p_value, percent, points, with_interval, with_unit
from core.records import EVERYTHING
from core.reports.wording.findings import THESE
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.fit import I16
from core.systems.visual_words.maps import WordMaps
from core.systems.visual_words.names import WordName
from core.systems.visual_words.places import position_of
from core.systems.visual_words.search import VisualSearch

SHOWN_UNCONFIRMED_WORDS = 10
"""Words listed after the confirmed ones."""
RULE = (
    "A visual word is a kind of image cell. The words come from these images without using the losses. One test "
    "covers words, groups, conditions and phrases, so each p is adjusted for all of them."
)


def verdict(search: VisualSearch) -> str:
    """How many words go with failure, and the size and spread of the dictionary."""
    words = search.words
    confirmed = search.confirmed
    n = words.cell.shape[1]
    dictionary = (
        f"{n:,} visual words of {words.maps.shape[1]} x {words.maps.shape[2]} cells in each of "
        f"{count(len(search.rows), 'image')}, used as evenly as {number(words.perplexity, 0)} equally frequent ones"
    )
    if confirmed:
        verb = "goes" if len(confirmed) == 1 else "go"
        first = f"{count(len(confirmed), 'visual word')} {verb} with failure more than chance allows."
        return " ".join([first, *same_lines(search), f"Tested: {dictionary}."])
    if search.diagnosis.family_null is None:
        return f"Nothing could be tested: too few related groups to permute. Shown: the strongest of {dictionary}."
    return f"No visual word goes with failure more than chance allows. Tested: {dictionary}."


def same_lines(search: VisualSearch) -> list[str]:
    """A line for each set of confirmed words that touch each other, such as "6 words mark the same region in 92% of the
    24 images with any of them (...): read them as one."."""
    lines: list[str] = []
    for same in search.places:
        n = len(same.findings)
        pictures = int(same.rows.sum())
        share = percent(float(same.together.sum() / pictures))
        names = ", ".join(finding.name for finding in same.findings[:6])
        if n > 6:
            names += ", ..."
        lines.append(
            f"{n} words mark the same region in {share} of the {count(pictures, 'image')} with any of them "
            f"({names}): read them as one."
        )
    return lines


def position_sentence(search: VisualSearch, finding: WordFinding) -> str:
    """A sentence on a word that marks one position; "" where its cells lie in several."""
    position = position_of(finding, search.words.maps)
    rows, columns = search.words.maps.shape[1:]
    if position is None:
        return ""
    where = f"about row {position.row + 1} and column {position.column + 1}"
    if position.row in (0, rows - 1) and position.column in (0, columns - 1):
        upper = "upper" if position.row == 0 else "lower"
        left = "left" if position.column == 0 else "right"
        where = f"the {upper} {left} corner"
    return (
        f" {percent(position.share)} of its cells lie at one position, {where}, in {percent(position.of_pictures)} of "
        "all images. It may stand for the position and not for an object."
    )


def word_sentence(search: VisualSearch, finding: WordFinding) -> str:
    """A word's frequency, effect and p, the phrases that go with it, and whether it only marks a position."""
    diagnosis = search.diagnosis
    digits = digits_for(diagnosis.outcomes.loss)
    effects = finding.effects
    where = "" if finding.scope == EVERYTHING else f"within {finding.scope}, "
    fails = "failures" if diagnosis.outcomes.errors is not None else "the tenth with the highest loss"
    text = (
        f"{finding.name}: {where}in {int(finding.rows.sum()):,} of {finding.of:,} images, "
        f"{percent(finding.among_failures)} of {fails}, {percent(finding.elsewhere)} of the others"
    )
    if finding.measure == "error rate" and effects.error_difference is not None:
        worse = points(effects.error_difference.value, sign=True)
        text += f"; error rate {worse} {bracketed(effects.error_difference, points=True)}"
    else:
        above = with_interval(effects.excess_loss, digits=digits)
        text += f"; mean loss {above}{with_unit(diagnosis)} above the others"
    if finding.p is None:
        text += "; not tested."
    elif finding.confirmed:
        text += f"; adjusted {p_value(finding.p)}."
    else:
        text += f"; not confirmed, adjusted {p_value(finding.p)}."
    if finding.phrases:
        near = " or ".join(f'"{phrase}"' for phrase, _ in finding.phrases)
        text += f" Images with it are most like {near}."
    return text + position_sentence(search, finding)


def clusters_with(search: VisualSearch, finding: WordFinding) -> list[str]:
    """A line such as "group 1: in 34 of its 40, and in 12 of 160 others" for each confirmed cluster of the word's scope
    with the word at least twice as often as outside."""
    lines: list[str] = []
    for cluster in search.diagnosis.clusters:
        members = cluster.membership >= 0.5
        if cluster.scope != finding.scope:
            continue
        inside = int((members & finding.rows).sum())
        size = int(members.sum())
        others = int((~members & finding.rows).sum())
        of = finding.of - size
        if size and of and inside / size >= 2 * others / of:
            lines.append(f"group {cluster.id + 1}: in {inside:,} of its {size:,}, and in {others:,} of {of:,} others")
    return lines


def name_sentence(search: VisualSearch, name: WordName) -> str:
    """The evidence for a word as the name of a cluster without a likely title: how often members and others have it,
    and the word's own figures."""
    same = ""
    if name.alike > 1:
        share = percent(name.together / name.size)
        same = f" {name.alike} visual words mark the same region in {share} of the members: read them as one."
    return (
        f"A visual word describes group {name.cluster + 1}, which has no other likely title: {THESE} "
        f"({name.finding.name}), in {name.inside:,} of its {count(name.size, 'image')} and in "
        f"{name.others:,} of {name.of:,} others (AUROC {number(name.auroc, 2)}).{same} With the words in the search, "
        f"{word_sentence(search, name.finding)}"
    )


def unnamed_sentence(search: VisualSearch) -> str:
    """The number of clusters without a likely title or a word for it; "" without any."""
    n = search.n_unnamed - len(search.names)
    if n < 1:
        return ""
    verb = "has" if n == 1 else "have"
    return f"{count(n, 'group')} still {verb} no likely title: no confirmed visual word separates members from others."


def map_legend(maps: WordMaps, cells: I16) -> list[tuple[int, str]]:
    """(index, text) of each outlined word in an image, such as "visual word 17: 5 of 196 cells; in 83% of failures, 5%
    of the others"; cells: (r, c) as in `WordMaps`."""
    legend = list[tuple[int, str]]()
    for index, finding in enumerate(maps.findings):
        n = int((cells == index).sum())
        if n:
            where = "" if finding.scope == EVERYTHING else f"within {finding.scope} "
            shares = f"{percent(finding.among_failures)} of failures, {percent(finding.elsewhere)} of the others"
            legend.append((index, f"{finding.name}: {n:,} of {cells.size:,} cells; {where}in {shares}"))
    return legend


def no_outline(maps: WordMaps, cells: I16 | None) -> str:
    """Why an image has no outline, "" where it has one; cells: None for an unreadable image."""
    if cells is None:
        return "Visual words: this image was not readable during the search."
    if not maps.findings:
        return "Visual words: none goes with failure more than chance allows, so no cell is outlined."
    if (cells >= 0).any():
        return ""
    n = len(maps.findings)
    where = ""
    if any(finding.scope != EVERYTHING for finding in maps.findings):
        where = ", within its confirmed class"
    if n == 1:
        return f"Visual words: the confirmed one is not in this image{where}."
    return f"Visual words: this image has none of the {n} confirmed ones{where}."


def listed(search: VisualSearch) -> tuple[WordFinding, ...]:
    """The confirmed words, and the strongest of the others."""
    return search.findings[: len(search.confirmed) + SHOWN_UNCONFIRMED_WORDS]


def visual_lines(search: VisualSearch) -> list[str]:
    """The verdict, the words with their figures, and the notes."""
    lines = [verdict(search), RULE]
    for finding in listed(search):
        lines.append(f"  {word_sentence(search, finding)}")
        lines += [f"    {line}" for line in clusters_with(search, finding)]
    lines += [name_sentence(search, name) for name in search.names]
    if unnamed_sentence(search):
        lines.append(unnamed_sentence(search))
    lines += [f"Note: {note}" for note in search.notes]
    return lines
