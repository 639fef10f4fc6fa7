"""Training as markup: its curve, what is known of the trained module, and what it cost elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, number, p_value, percent, points
from webapp.compose.markup import with_interval
from webapp.markup.html import esc
from webapp.state.jobs import duration

if TYPE_CHECKING:
    from core.probes.epochs import Epoch
    from core.training.adapted import AdapterRecord
    from core.training.forgetting import ForgettingCheck
    from core.training.forgetting_rows import ForgettingRow

PER_ITEM = {
    "linear": 0.001,
    "late": 0.005,
    "prompt-tuning": 0.012,
    "local": 0.018,
    "unimodal": 0.023,
    "mm-adapter": 0.029,
    "mm-pred": 0.031,
}
"""CPU seconds of one item in one epoch, measured with the embedded encoder; others have wider tokens."""
READING = 0.15
"""Seconds to draw an item's two pictures and to read their tokens."""
SIGNS = {"lost": ("▼", "bad"), "gained": ("▲", "held"), "kept": ("=", "held"), "open": ("?", "even")}


def estimate_view(adapter: str, n: int | None, epochs: int) -> str:
    """What a training is likely to take (n None: a part of the open benchmark, whose size is not asked)."""
    if n is None:
        return (
            '<p class="estimate">Of the open benchmark half the items are learned from, '
            "or those that its file calls “train”.</p>"
        )
    reading, training = n * READING, n * epochs * PER_ITEM.get(adapter, 0.03)
    said = (
        f"About {duration(reading + training)} of one core with the embedded encoder, "
        f"{duration(reading)} of them to draw and read."
    )
    return f'<p class="estimate">{said}</p>'


def curve_view(curve: Sequence[Epoch]) -> str:
    """The share of validation items that are right, epoch by epoch, as a line with its figures beneath."""
    if not curve:
        return ""
    n = max(len(curve) - 1, 1)
    at = [(100 * i / n, 100 - 96 * epoch.validation_accuracy - 2) for i, epoch in enumerate(curve)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    best = max(range(len(curve)), key=lambda i: (curve[i].validation_accuracy, -curve[i].validation_loss))
    dots = "".join(
        f'<i class="{"best" if i == best else ""}" style="left:{x:.1f}%;top:{y:.1f}%"></i>'
        for i, (x, y) in enumerate(at)
    )
    first, last = percent(curve[0].validation_accuracy), percent(curve[best].validation_accuracy)
    said = f"Right on held-back items: {first} untrained" + (f", {last} after epoch {best}" if len(curve) > 1 else "")
    return (
        f'<figure class="answer teach-curve"><h3>{said}</h3><div class="plot" role="img" aria-label="{said}">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><polyline class="curve" '
        f'points="{path}"/></svg>{dots}</div>'
        f"<figcaption><span>untrained</span><span>{count(len(curve) - 1, 'epoch')}</span></figcaption></figure>"
    )


def taught_view(name: str, record: AdapterRecord, regression: ForgettingCheck | str, *, stopped: bool) -> str:
    """The curve, the facts of the trained module, and what it cost."""
    facts = (
        ("Learned from", f"{count(record.n_training, 'item')}, {record.n_validation:,} to stop by"),
        ("Parameters", f"{record.n_parameters:,}"),
        ("Kept", f"epoch {record.best} of {len(record.curve) - 1}{', stopped' if stopped else ''}"),
        ("CPU time", f"{number(record.seconds)} s"),
        ("Encoder", record.encoder),
    )
    listed = "".join(f"<div><dt>{title}</dt><dd>{esc(value)}</dd></div>" for title, value in facts)
    where = (
        "Before and after stand above, under “Against each other”. "
        "It can now be chosen as a model, here and in the binding grid."
    )
    return (
        f'{curve_view(record.curve)}<article class="answer"><h2>{esc(name)}</h2><dl class="probe-facts">{listed}</dl>'
        f'<p class="muted small-note">{where}</p>{regression_view(regression)}</article>'
    )


def regression_view(found: ForgettingCheck | str) -> str:
    """What the trained module cost on tasks that it was not trained for, or why that is not known."""
    if isinstance(found, str):
        return f'<p class="muted small-note">What it cost elsewhere was not checked: {esc(found)}</p>'
    notes = "".join(f"<li>{esc(note)}</li>" for note in found.notes)
    again = ""
    if found.reranked:
        again = (
            "<details><summary>Retrieval with the module only re-ranking the frozen encoder’s "
            f"best</summary>{_table(found.reranked)}</details>"
        )
    return (
        f'<h3>What it cost elsewhere</h3><p class="said">{esc(found.sentence)}</p>{_table(found.rows)}{again}'
        f'<ul class="compose-list muted">{notes}</ul>'
    )


def _table(rows: Sequence[ForgettingRow]) -> str:
    body = "".join(_row(row) for row in rows)
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Task", "Frozen", "Trained", "Difference", "p, adjusted", "")
    )
    return (
        '<div class="scroll tall"><table '
        f'class="probes"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(row: ForgettingRow) -> str:
    sign, kind = SIGNS[row.verdict]
    return (
        f'<tr><td>{esc(row.task)}, {esc(row.metric)}<small class="where"> {esc(row.data)}</small></td>'
        f"<td>{with_interval(row.metric, row.before)}</td><td>{with_interval(row.metric, row.after)}</td>"
        f"<td>{points(row.difference.value, sign=True)} <small>{bracketed(row.difference, points=True)}</small></td><td>{p_value(row.p, bare=True)}</td>"
        f'<td><span class="outcome {kind}">{sign} {row.verdict}</span></td></tr>'
    )


INTRO = (
    '<h2 class="teach-title">3. Mend it: train a small module</h2><p class="muted small-note">The encoder stays '
    "frozen. A module on its tokens "
    "learns to tell a caption from the same words put together in another way. "
    "Of rendered scenes, half of the test names pairs of attribute and "
    "shape that the training never shows (“unseen”): there it must have learned to bind, not to remember. "
    "A curve that still rises wants more epochs or items; Stop keeps the best epoch so far.</p>"
)
EMPTY = (
    '<div class="empty small"><p>The training’s curve will stand here, then what the module cost on plain '
    "recognition and retrieval. Before "
    "and after on the open benchmark take their place in the result above.</p></div>"
)
