"""What an adapter learned and what that cost, in lines for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import clock, p_value

if TYPE_CHECKING:
    from core.systems.composition.training.adapted import Adapted, AdapterRecord
    from core.systems.composition.training.forgetting import ForgettingCheck
    from core.systems.composition.training.forgetting_rows import ForgettingRow


def trained_lines(adapted: Adapted) -> list[str]:
    """What was learned from how much, and the curve with the epoch that was kept."""
    from core.numbers import number, percent
    from core.systems.composition.reports.wording import aligned

    record = adapted.record
    rows = [("epoch", "loss", "validation loss", "validation items right", "")]
    for epoch in record.curve:
        loss = ""
        if epoch.loss is not None:
            loss = number(epoch.loss, 3)
        mark = ""
        if epoch.number == record.best:
            mark = "<- kept"
        rows.append(
            (str(epoch.number), loss, number(epoch.validation_loss, 3), percent(epoch.validation_accuracy), mark)
        )
    lines = [
        (
            f"{adapted.name}: {record.n_parameters:,} parameters, {clock(record.seconds)} of computing. It learned "
            f"from {record.n_training:,} items and was stopped by {record.n_validation:,} others of "
            f"{record.benchmark}"
        ),
        *aligned(rows),
    ]
    if sentence := reranking_sentence(record):
        lines.append(f"{sentence} (`compose run --rerank`)")
    if record.best == 0:
        lines.append(
            "The untrained module was best, so it stays: training taught it nothing. Try more items, or another "
            "step size (--lr)."
        )
    return lines


def reranked_sentence(adapter: str, weight: float, most: int, n: int, n_texts: int) -> str:
    """What put the matches of n of the texts in a new order."""
    if not n:
        return f"The adapter in {adapter} was not used: no answer rests on similarity."
    whose = "Of each answer"
    if n != n_texts:
        whose = f"In {n} of {n_texts} answers, those by similarity,"
    sentence = (
        f"{whose} the best matches, at most {most}, are ordered by the frozen encoder and the adapter in {adapter}"
    )
    if not weight:
        return f"{sentence}. The adapter's weight is 0, so the order is the encoder's."
    return f"{sentence}, whose weight is {weight:g} times the encoder's. The set of matches is unchanged."


def reranking_sentence(record: AdapterRecord) -> str:
    """The weight that was chosen for the adapter as a re-ranker, and what it brought where it was chosen; "" without
    one."""
    from core.numbers import percent

    if not record.weighed:
        return ""
    alone = record.weighed[0]
    chosen = min(record.weighed, key=lambda row: abs(row.weight - record.rerank))
    if not chosen.weight:
        return (
            "As a re-ranker it does not help: no weight gained more without losing what the frozen encoder ranks first"
        )
    return (
        f"As a re-ranker it weighs {record.rerank:g} times the frozen encoder. On held-out items "
        f"{percent(chosen.right)} are right (frozen encoder {percent(alone.right)}); {percent(chosen.found)} of "
        f"everyday searches rank the right one first (frozen encoder {percent(alone.found)})"
    )


def regression_lines(check: ForgettingCheck) -> list[str]:
    """What an adaptation cost: the sentence, a line for each task, and retrieval with the adapter as a re-ranker."""
    from core.systems.composition.reports.wording import aligned

    head = ("", "before", "after", "change", "95% interval", "p", "verdict")
    lines = [
        f"{check.before} before, {check.after} after. {check.sentence}",
        *aligned([head, *map(_regression_row, check.rows)]),
    ]
    if check.reranked:
        lines += [
            "With the adapter as a re-ranker of the frozen encoder's results",
            *aligned([head, *map(_regression_row, check.reranked)]),
        ]
    return lines + [f"Note: {note}" for note in check.notes]


def _regression_row(row: ForgettingRow) -> tuple[str, ...]:
    from core.systems.composition.reports.wording import pair_figures

    key = "mean rank"
    if "rank" not in row.metric:
        key = row.metric
    figures = pair_figures(key, row.before, row.after, row.difference)
    return f"{row.task}, {row.data}: {row.metric}", *figures, p_value(row.p, bare=True), row.verdict
