"""Sentences about a pretraining."""

from __future__ import annotations

from core.numbers import bracketed, count, number, percent, points
from core.records import Estimate
from core.systems.visual_words.pretraining.run import Figures, PretrainingResult


def pretraining_lines(result: PretrainingResult) -> list[str]:
    """Whether the network matches images and captions better than the encoder, the figures of both, and the notes."""
    lines = [_verdict(result), _training(result)]
    for name, figures in (("the network", result.network), (f"{result.encoder_name} alone", result.encoder)):
        lines += [f"  {line}" for line in _figures(name, figures, result)]
    return [*lines, *(f"Note: {note}" for note in result.notes)]


def _verdict(result: PretrainingResult) -> str:
    network = result.network.matching
    encoder = result.encoder.matching
    if network is None or encoder is None:
        return "Matching cannot be measured: fewer than two held-out images have different captions. Add captions."
    figures = f"{_share(network)} of held-out pairs are right, {_share(encoder)} with {result.encoder_name} alone"
    gain = result.gain
    assert gain is not None
    figures += f"; on the same pairs {points(gain.value, sign=True)} {bracketed(gain, points=True)}"
    if gain.low > 0:
        return f"The network matches images and captions better than the encoder: {figures}."
    if gain.high < 0:
        return f"The network matches images and captions worse than the encoder: {figures}. Use the encoder."
    return f"No difference shown between network and encoder: {figures}."


def _training(result: PretrainingResult) -> str:
    pretrained = result.pretrained
    words = ""
    if pretrained.model.dictionary is not None:
        words = (
            f", with {pretrained.settings.words:,} visual words, used as evenly as "
            f"{number(pretrained.perplexity, 0)} equally frequent ones"
        )
    share = result.n_held_out / (result.n_held_out + result.n_learned)
    return (
        f"Trained on {count(result.n_learned, 'image')} with {count(result.n_captions, 'caption')}{words}; "
        f"held out {count(result.n_held_out, 'image')} ({percent(share)})."
    )


def _figures(name: str, figures: Figures, result: PretrainingResult) -> list[str]:
    lines = list[str]()
    for what, shares in (("image of a caption", figures.pictures), ("caption of an image", figures.captions)):
        firsts = ", ".join(f"first {k}: {_share(share)}" for k, share in shares.items()) or "cannot be measured"
        lines.append(f"{name}, the {what} among {result.pool}: {firsts}")
    if figures.matching is not None:
        lines.append(f"{name}, matching or not ({count(result.pairs, 'pair')}): {_share(figures.matching)}")
    return lines


def _share(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} {bracketed(estimate, share=True)}"
