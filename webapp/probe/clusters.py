"""The user's model and a probe by failure cluster, as markup: what is fixed, shared or broken, and the pictures of each
kind."""

from __future__ import annotations

from core.numbers import bracketed, count, number, p_value, points
from core.records import Comparison, Diagnosis, FourWay, ProbeResult
from core.reports.wording.findings import cluster_title
from webapp.markup.html import esc, hue, picture
from webapp.markup.shares import KINDS, is_own, kinds_of, rows_of_kind

PICTURES = 24
STATES = {"fixed": "held", "partly": "partly", "shared": "partly", "own": "held", "broken": "bad", "open": "unsure"}
"""Colour of a verdict."""


def four_way_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """One line for all samples and one for each cluster: four counts that can be pressed, a stacked bar, the difference
    and the verdict."""
    if comparison is None:
        return _alone(diagnosis, result)
    from core.reports.wording.probes import verdict_words  # scipy: not needed to start the page

    rows = [comparison.overall, *comparison.clusters]
    body = "".join(_row(diagnosis, comparison, f) for f in rows)
    head = "".join(f'<th scope="col" class="num">{title}</th>' for _, title in KINDS)
    legend = "".join(f'<span><i class="seg {key}"></i>{title.lower()}</span>' for key, title in KINDS)
    meaning = "".join(
        f"<li>{esc(text)}.</li>" for text in dict.fromkeys(verdict_words(comparison, f) for f in comparison.clusters)
    )
    none = (
        ""
        if comparison.clusters
        else '<p class="muted small-note">This run has no confirmed failure cluster to look inside.</p>'
    )
    kappa = comparison.agreement
    agree = f" Agreement of their failures beyond chance (kappa): {number(kappa)}." if kappa == kappa else ""
    notes = "".join(f"<li>{esc(n)}</li>" for n in comparison.notes)
    return (
        '<p class="muted small-note">Fixed: your model is wrong and the probe right. Broken: the other way round. '
        "Press a number to see the images. "
        "Each p is adjusted over the clusters (Holm), each interval is one cluster's own."
        f'{agree}</p><p class="seg-key" aria-hidden="true">{legend}</p>'
        '<div class="scroll tall"><table class="probes four-way"><thead><tr><th scope="col">Where</th><th '
        'scope="col">Verdict</th>'
        '<th scope="col" class="num">Images</th>'
        f'<th scope="col"></th>{head}<th scope="col">The probe’s gain</th><th scope="col">Its errors here above '
        "elsewhere</th></tr></thead>"
        f'<tbody>{body}</tbody></table></div>{none}<ul class="muted plain-list verdicts">{meaning}{notes}</ul>'
    )


def _row(diagnosis: Diagnosis, comparison: Comparison, found: FourWay) -> str:
    from core.reports.wording.probes import verdict_words

    cluster = next((c for c in diagnosis.clusters if c.id == found.cluster), None)
    name = "All images" if cluster is None else f"{cluster_title(diagnosis, cluster)}"
    badge = "" if cluster is None else f'<span class="badge" style="--hue:{hue(cluster.id)}">{cluster.id + 1}</span> '
    scope = "all" if cluster is None else str(cluster.id)
    counts = {"fixed": found.fixed, "broken": found.broken, "both": found.both, "neither": found.neither}
    buttons = "".join(_press(scope, key, counts[key], f"{title.lower()} in {name}") for key, title in KINDS)
    parts = "".join(f'<i class="seg {key}" style="flex-grow:{counts[key]}"></i>' for key, _ in KINDS if counts[key])
    p = p_value(found.p)
    shares = (
        ""
        if found.shares is None
        else f"{points(found.shares.value, sign=True)}<small>{bracketed(found.shares, points=True)} {p_value(found.shares_p)}</small>"
    )
    verdict = (
        f'<span class="outcome {STATES[found.verdict]}" '
        f'title="{esc(verdict_words(comparison, found))}">{found.verdict}</span>'
    )
    return (
        f'<tr><td class="where-name">{badge}<b>{esc(name)}</b></td><td>{verdict}</td>'
        f'<td class="num">{found.n:,}</td><td class="seg-cell"><span class="segs" '
        f'aria-hidden="true">{parts}</span></td>{buttons}'
        f'<td class="lines">{points(found.difference.value, sign=True)}<small>{bracketed(found.difference, points=True)} {p}</small></td><td '
        f'class="lines">{shares}</td></tr>'
    )


def _press(scope: str, kind: str, n: int, said: str) -> str:
    if not n:
        return '<td class="num muted">0</td>'
    label = f"Show {count(n, 'image')}: {said}"
    press = f'data-do="kind" data-scope="{scope}" data-kind="{kind}" aria-label="{esc(label)}"'
    return f'<td class="num"><button type="button" class="plain press-count" {press}>{n:,}</button></td>'


def _alone(diagnosis: Diagnosis, result: ProbeResult) -> str:
    buttons = "".join(
        f'<button type="button" class="chip-button" data-do="kind" data-scope="all" data-kind="{kind}">{title}: '
        f"{len(rows_of_kind(diagnosis, result, kind)):,}</button>"
        for kind, title in kinds_of(diagnosis, result)
    )
    why = (
        "The model of this run is this probe itself. Run another one to set it beside."
        if is_own(diagnosis, result.name)
        else "Of your model only losses are known, and losses of two models have no common scale. "
        "Bring a label with predictions or "
        "probabilities to see what the probe fixes and breaks."
    )
    return (
        f'<div class="empty small"><p>{why}</p></div><div class="chips"><span class="muted">This probe '
        f"is</span>{buttons}</div>"
    )


def gallery_view(diagnosis: Diagnosis, result: ProbeResult, kind: str, scope: str, shown: int = PICTURES) -> str:
    """The images of one kind in one scope, the probe's largest loss first; a press explains one."""
    kinds = kinds_of(diagnosis, result)
    titles = dict(kinds)
    kind = (
        kind
        if kind in titles
        else next((k for k in titles if len(rows_of_kind(diagnosis, result, k, scope))), kinds[0][0])
    )
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    where = "all images" if cluster is None else f"cluster {cluster.id + 1}: {cluster_title(diagnosis, cluster)}"
    scope = "all" if cluster is None else scope
    chips = ""
    for key, title in kinds:
        n = len(rows_of_kind(diagnosis, result, key, scope))
        state = f'aria-pressed="{str(key == kind).lower()}"{"" if n else " disabled"}'
        chips += (
            f'<button type="button" class="chip-button" data-do="kind" data-scope="{scope}" data-kind="{key}" '
            f"{state}>{title} {n:,}</button>"
        )
    back = (
        ""
        if cluster is None
        else '<button type="button" class="plain" data-do="kind" data-scope="all" '
        f'data-kind="{kind}">Show all images</button>'
    )
    found = rows_of_kind(diagnosis, result, kind, scope)
    tiles = "".join(probe_tile(diagnosis, result, place) for place in found[:shown].tolist())
    more = (
        f'<button type="button" class="plain more" data-do="more">Show more of {len(found):,}</button>'
        if len(found) > shown
        else ""
    )
    empty = '<p class="muted">None here.</p>' if not len(found) else ""
    return (
        f'<section class="probe-gallery"><h3 class="pane-title" tabindex="-1">{titles[kind]}: '
        f"{count(len(found), 'image')} of {esc(where)}</h3>"
        f'<div class="chips">{chips}{back}</div><div class="gallery">{tiles}</div>{more}{empty}</section>'
    )


def probe_tile(diagnosis: Diagnosis, result: ProbeResult, place: int) -> str:
    """A small picture with its true class and what each model says; a press explains it."""
    row, names = int(result.rows[place]), result.class_names
    predictions, own = result.outcomes.predictions, diagnosis.outcomes.predictions
    assert predictions is not None
    true, said = names[int(result.labels[place])], names[int(predictions[place])]
    mine = "" if own is None else names[int(own[row])]
    source, name = picture(diagnosis, row), diagnosis.samples.ids[row]
    alt = f"{true}: the probe says {said}{f', your model {mine}' if mine else ''}"
    face = (
        f'<img src="{source}" alt="{esc(alt)}" loading="lazy">'
        if source
        else f'<span class="no-picture">{esc(name)}</span>'
    )
    yours = f'<span class="tile-line">yours: {esc(mine)}</span>' if mine else ""
    return (
        f'<button type="button" class="tile explain" data-do="explain" data-place="{place}" data-row="{row}" '
        f'title="{esc(name)}">{face}'
        f'<span class="tile-foot"><b>{esc(true)}</b></span>{yours}<span class="tile-line">probe: '
        f"{esc(said)}</span></button>"
    )
