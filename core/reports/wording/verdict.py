"""The result in two sentences: what is confirmed, and how much of the loss the encoder predicts."""

from __future__ import annotations

from core.discovery.class_pools import fits_classes
from core.discovery.settings import PREDICTABILITY_SHARE_OF_ALPHA, share_of_alpha
from core.numbers import count, either, interval, number, p_value, percent, plural
from core.records import Diagnosis
from core.reports.wording.sensitivity import confirmed_counts
from core.statistics.counts import share_of_failures
from core.statistics.measures import has_wrong

MAX_LITTLE = 0.05
"""Share of the variance below which it is called a little: a convention."""
MIN_SHOWN_SHARE = 0.0005
"""A smaller share would be rounded to 0.0%."""
MIN_SHOWN_R2 = -1.0
"""Below it R² says only that the fit is far off, as with few groups of related rows."""
PROXY = (
    "No true labels: the loss is the entropy of the prediction, a proxy. Groups show where the model is unsure. Name "
    "the label column to see errors."
)


def verdict(diagnosis: Diagnosis) -> str:
    """The result in one sentence, such as "3 groups account for about 61% of your model's errors."."""
    n = len(diagnosis.clusters)
    if n:
        whole = "the loss above the mean"
        if has_wrong(diagnosis.outcomes):
            whole = "your model's errors"
        account = plural(n, "accounts", "account")
        return f"{count(n, 'group')} {account} for about {percent(share_of_failures(diagnosis))} of {whole}."
    if diagnosis.samples.unanswered:
        return "No group is confirmed: rows look related, so nothing was tested."
    if diagnosis.estimate.predictability.p is None:
        return "No group is confirmed: too few independent rows to test anything."
    counts = confirmed_counts(diagnosis).values()
    if counts:
        n = sum(n for n, _ in counts)
        kinds = either([text for _, text in counts], "and")
        return f"No group is confirmed, but {kinds} {plural(n, 'is', 'are')}."
    if is_predictable(diagnosis):
        return "No group is confirmed."
    return "No group is confirmed: nothing beyond chance."


def is_predictable(diagnosis: Diagnosis) -> bool:
    """Whether the encoder predicts the loss beyond chance, at the share of alpha kept for that test."""
    return diagnosis.estimate.predictability.confirmed


def predictability_sentence(diagnosis: Diagnosis) -> str:
    """How much of the loss the encoder predicts on rows held out of the fit, such as "What the encoder sees explains
    36% of the variance in loss (95% CI 31 to 40%; p < 0.001).".

    Where the fit knows the classes, R² counts differences between their means, and the p-value does not: the sentence
    then credits R² to both, and the p-value to the embedding.
    """
    predictability = diagnosis.estimate.predictability
    r2 = predictability.r2
    loss = diagnosis.outcomes.name
    if diagnosis.outcomes.is_proxy:
        loss = f"{loss} (a proxy)"
    what = "The embedding" if diagnosis.embeddings.encoder == "given" else "What the encoder sees"
    name = "R²"
    within = ""
    if fits_classes(diagnosis.samples):
        name = "R² with class means"
        within = " within classes"
    figures = f"{name} {number(r2.value, 2)}, 95% CI {interval(r2, digits=2)}"
    if r2.value < MIN_SHOWN_R2:
        figures = f"{name} below −1"
    if predictability.p is None:
        return f"Too few independent rows to test whether the encoder predicts the {loss}{within} ({figures})."
    if not is_predictable(diagnosis):
        level = share_of_alpha(diagnosis.settings, PREDICTABILITY_SHARE_OF_ALPHA)
        threshold = f"{p_value(predictability.p)}, threshold {level:.2g}"
        if confirmed_counts(diagnosis):
            what = f"{what[0].lower()}{what[1:]}"
            return f"Over all samples, {what} does not predict the {loss}{within} ({figures}; {threshold})."
        return f"{what} does not predict the {loss}{within} better than chance ({figures}; {threshold})."
    if r2.value <= 0:  # beyond chance, since a fit to shuffled losses does even worse on held-out samples
        return (
            f"{what} is related to the {loss}{within} ({p_value(predictability.p)}), but too weakly to predict single "
            f"samples ({figures})."
        )
    amount = percent(r2.value)
    if r2.value < MIN_SHOWN_SHARE:
        amount = f"less than {percent(0.001)}"
    elif r2.value < MAX_LITTLE:
        amount = f"only {amount}"
    ci = f"95% CI {interval(r2, share=True)}"
    p = p_value(predictability.p)
    if not within:
        return f"{what} explains {amount} of the variance in {loss} ({ci}; {p})."
    return (
        f"Class and embedding together explain {amount} of the variance in {loss} ({ci}). Within classes, "
        f"{what[0].lower()}{what[1:]} predicts the {loss} beyond chance ({p})."
    )
