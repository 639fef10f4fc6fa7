"""Visual words in plain sentences."""

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

SHOWN = 10
"""Words that are listed beside the confirmed ones."""
RULE = (
    "A visual word is a kind of image cell; the words were made of these images without a look at the losses, and "
    "are tested together with clusters, conditions and phrases, so that p holds for all of them at once."
)


def verdict(search: VisualSearch) -> str:
    """How many words go with failure, and how the dictionary came out."""
    words = search.words
    confirmed = search.confirmed
    n = words.cell.shape[1]
    made = (
        f"{n:,} visual words of {words.maps.shape[1]} x {words.maps.shape[2]} cells in each of "
        f"{count(len(search.rows), 'image')} (some are rare: "
        f"the cells are spread as over {number(words.perplexity, 0)} equally frequent ones)"
    )
    if confirmed:
        what = "goes" if len(confirmed) == 1 else "go"
        said = f"{count(len(confirmed), 'visual word')} {what} with failure more than chance allows."
        return " ".join([said, *same_lines(search), f"Of {made}."])
    if search.diagnosis.family_null is None:
        return f"Nothing could be tested: there are too few groups to exchange. Shown are the strongest of {made}."
    return f"No visual word goes with failure more than chance allows. Looked at were {made}."


def same_lines(search: VisualSearch) -> list[str]:
    """For each set of confirmed words that touch each other, such as "6 of them mark the same place in 92% of the 24
    images with any of them (...): read them as one thing."."""
    lines: list[str] = []
    for place in search.places:
        n = len(place.findings)
        pictures = int(place.rows.sum())
        share = percent(float(place.together.sum() / pictures))
        named = ", ".join(finding.name for finding in place.findings[:6]) + ", ..." * (n > 6)
        lines.append(
            f"{n} of them mark the same place in {share} of the {count(pictures, 'image')} with any of them "
            f"({named}): read them as one thing."
        )
    return lines


def position_sentence(search: VisualSearch, finding: WordFinding) -> str:
    """That a word is one position in the images; "" where its cells lie in several."""
    at, (rows, columns) = position_of(finding, search.words.maps), search.words.maps.shape[1:]
    if at is None:
        return ""
    corner = at.row in (0, rows - 1) and at.column in (0, columns - 1)
    upper = "upper" if at.row == 0 else "lower"
    left = "left" if at.column == 0 else "right"
    where = f"the {upper} {left} corner" if corner else f"about row {at.row + 1} and column {at.column + 1}"
    return (
        f" It marks one position, {where} ({percent(at.share)} of its cells; {percent(at.of_pictures)} of all images "
        "have it there), so it may stand for the position and not for a thing."
    )


def word_sentence(search: VisualSearch, finding: WordFinding) -> str:
    """What one word shows: where, how often among failures, how much worse, how sure, what phrases go with it, and
    whether it is a position alone."""
    diagnosis = search.diagnosis
    digits = digits_for(diagnosis.outcomes.loss)
    effects = finding.effects
    where = "" if finding.scope == EVERYTHING else f"within {finding.scope}, "
    fails = "the failures" if diagnosis.outcomes.errors is not None else "the tenth of highest loss"
    said = (
        f"{finding.name}: {where}in {int(finding.rows.sum()):,} of {finding.of:,} images, "
        f"{percent(finding.among_failures)} of {fails} and {percent(finding.elsewhere)} of the rest"
    )
    if finding.measure == "error rate" and effects.error_difference is not None:
        worse = points(effects.error_difference.value, sign=True)
        said += f"; error rate {worse} {bracketed(effects.error_difference, points=True)}"
    else:
        said += f"; mean loss {with_interval(effects.excess_loss, digits=digits)}{with_unit(diagnosis)} above the rest"
    tested = "not tested" if finding.p is None else f"adjusted {p_value(finding.p)}"
    near = " or ".join(f'"{text}"' for text, _ in finding.phrases)
    more = (f" Images with it are most like {near}." if near else "") + position_sentence(search, finding)
    return f"{said}; {tested}{'' if finding.confirmed else ' (exploratory)'}.{more}"


def clusters_with(search: VisualSearch, finding: WordFinding) -> list[str]:
    """Such as "cluster 1: in 34 of its 40, and in 12 of 160 others", for each confirmed cluster of the word's scope in
    which it is at least twice as frequent."""
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
            lines.append(f"cluster {cluster.id + 1}: in {inside:,} of its {size:,}, and in {others:,} of {of:,} others")
    return lines


def name_sentence(search: VisualSearch, name: WordName) -> str:
    """What a word rests on as the name of a cluster without a likely title: how often members and others have it, and
    the word's own figures."""
    same = ""
    if name.alike > 1:
        share = percent(name.together / name.size)
        same = f" {name.alike} visual words mark the same place in {share} of the members: they are one thing."
    return (
        f"No phrase, property or column is a likely title of cluster {name.cluster + 1}; a visual word tells it, "
        f"{THESE} ({name.finding.name}): in {name.inside:,} of its {count(name.size, 'image')}, and in "
        f"{name.others:,} of {name.of:,} others (AUROC {number(name.auroc, 2)}).{same} With the words in the search, "
        f"{word_sentence(search, name.finding)}"
    )


def unnamed_sentence(search: VisualSearch) -> str:
    """Of the clusters without a likely title that no word tells either; "" where there are none."""
    n = search.n_unnamed - len(search.names)
    if n < 1:
        return ""
    what = "No confirmed visual word is such that having it tells the members from the rest"
    return f"{count(n, 'cluster')} without a likely title {'stays' if n == 1 else 'stay'} so. {what}."


def map_legend(maps: WordMaps, cells: I16) -> list[tuple[int, str]]:
    """Place and text of each word that is outlined in one image, such as "visual word 17: 5 of 196 cells (3%); in
    83% of failures and 5% of the rest"; cells: (r, c) as in `WordMaps`."""
    found = list[tuple[int, str]]()
    for place, finding in enumerate(maps.findings):
        if n := int((cells == place).sum()):
            where = "" if finding.scope == EVERYTHING else f"within {finding.scope} "
            shares = f"{percent(finding.among_failures)} of failures and {percent(finding.elsewhere)} of the rest"
            found.append((place, f"{finding.name}: {n:,} of {cells.size:,} cells; {where}in {shares}"))
    return found


def no_outline(maps: WordMaps, cells: I16 | None) -> str:
    """Why nothing is outlined in an image, "" where something is; cells: None where it could not be read."""
    if cells is None:
        return "Visual words: this image could not be read when they were looked for."
    if not maps.findings:
        return "Visual words: none goes with failure more than chance allows, so no cell is outlined."
    if (cells >= 0).any():
        return ""
    n = len(maps.findings)
    elsewhere = any(finding.scope != EVERYTHING for finding in maps.findings)
    where = ", within the class in which it was confirmed" if elsewhere else ""
    if n == 1:
        return f"Visual words: the confirmed one is not in this image{where}."
    return f"Visual words: none of the {n} confirmed ones is in this image{where}."


def listed(search: VisualSearch, more: int = SHOWN) -> tuple[WordFinding, ...]:
    """The confirmed words, and the strongest of the others."""
    return search.findings[: len(search.confirmed) + more]


def visual_lines(search: VisualSearch) -> list[str]:
    """The verdict, the words, and what is to be known of them."""
    lines = [verdict(search), RULE]
    for finding in listed(search):
        lines.append(f"  {word_sentence(search, finding)}")
        lines += [f"    {line}" for line in clusters_with(search, finding)]
    lines += [name_sentence(search, name) for name in search.names]
    return [*lines, *filter(None, [unnamed_sentence(search)]), *(f"Note: {note}" for note in search.notes)]
