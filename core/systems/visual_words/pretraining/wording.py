"""A pretraining in plain sentences."""

from __future__ import annotations

from core.numbers import bracketed, count, number, percent, points
from core.records import Estimate
from core.systems.visual_words.pretraining.run import Figures, PretrainingResult


def pretraining_lines(result: PretrainingResult) -> list[str]:
    """Whether the network finds images and captions better than the encoder, the figures of both, and the notes."""
    lines = [_verdict(result), _learned(result)]
    for name, figures in (("the network", result.network), (f"{result.encoder_name} alone", result.encoder)):
        lines += [f"  {line}" for line in _figures(name, figures, result)]
    return [*lines, *(f"Note: {note}" for note in result.notes)]


def _verdict(result: PretrainingResult) -> str:
    own = result.network.matching
    other = result.encoder.matching
    if own is None or other is None:
        return "Matching cannot be measured: fewer than two held-out images have captions that differ. Bring more."
    said = f"{_share(own)} of held-out pairs against {_share(other)} by {result.encoder_name}"
    gain = result.gain
    assert gain is not None
    said += f"; on the same pairs {points(gain.value, sign=True)} {bracketed(gain, points=True)}"
    if gain.low > 0:
        return f"The network tells matching pairs better than the encoder that it looks through: {said}."
    if gain.high < 0:
        return f"The network tells matching pairs less well than the encoder that it looks through: {said}. Use that."
    return f"Whether the network tells matching pairs better than the encoder alone is open: {said}."


def _learned(result: PretrainingResult) -> str:
    found = result.found
    words = ""
    if found.model.dictionary is not None:
        even = f"the cells are spread as over {number(found.perplexity, 0)} equally frequent ones"
        words = f", through {found.settings.words:,} visual words ({even})"
    return (
        f"Learned from {count(result.n_learned, 'image')} with {count(result.n_captions, 'caption')}{words}; "
        f"{count(result.n_held_out, 'image')} held out "
        f"({percent(result.n_held_out / (result.n_held_out + result.n_learned))})."
    )


def _figures(name: str, figures: Figures, result: PretrainingResult) -> list[str]:
    found = list[str]()
    for what, shares in (("image of a caption", figures.pictures), ("caption of an image", figures.captions)):
        firsts = ", ".join(f"first {k}: {_share(share)}" for k, share in shares.items()) or "cannot be measured"
        found.append(f"{name}, the {what} among {result.pool}: {firsts}")
    if figures.matching is not None:
        found.append(f"{name}, matching or not ({count(result.pairs, 'pair')}): {_share(figures.matching)}")
    return found


def _share(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} {bracketed(estimate, share=True)}"
