"""Names of the two ends of a measured property: one table for titles, questions and conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """Names for samples that have little of a property, or much."""

    low: str = ""
    """Title of the low end; "" if people do not see it as a quality."""
    high: str = ""
    also_low: tuple[str, ...] = ()
    """Other names, including phrases of the vocabulary: if the property is measured, it replaces them."""
    also_high: tuple[str, ...] = ()
    least: float = -math.inf
    """Below it nobody sees the high end: grass has more noise than the sky, but is not noisy."""

    def all_of(self, sign: str) -> tuple[str, ...]:
        """Every name of the low end ("<=") or of the high one (">=", or "=" a category), the title first."""
        first = self.high
        also = self.also_high
        if sign == "<=":
            first = self.low
            also = self.also_low
        if not first:
            return also
        return (first, *also)


READINGS: Mapping[str, Reading] = {
    "grey": Reading(high="black and white", also_high=("in black and white", "greyscale", "grayscale",
        "in greyscale", "in grayscale")),
    "tint": Reading(high="with a {} tint"),
    "brightness change": Reading("darkening", "brightening"),
    "cuts": Reading(high="with cuts", least=1.0),
    "flicker": Reading(high="flickering", least=0.01),
    "brightness": Reading("dark", "bright",
        ("in the dark", "in dim light", "underexposed", "mostly black all over", "dark coloured", "darkness", "dim",
         "dimly lit", "poorly lit", "badly lit", "dim light", "low light", "poor light", "the dark"),
        ("overexposed", "washed-out", "mostly white all over", "pale coloured", "in bright sunlight", "brightly lit",
         "bright light")),
    "underexposed share": Reading(also_high=("underexposed",)),
    "overexposed share": Reading(also_high=("overexposed",)),
    "noise": Reading(high="noisy", also_high=("grainy", "noise"), least=0.01),
    "blur": Reading("", "blurred", ("focus", "sharp focus"),
        ("out-of-focus", "motion-blurred", "low-resolution", "blurry", "blur", "out of focus", "unsharp")),
    "colourfulness": Reading("almost colourless", "very colourful",
        ("in faded colours", "little colour", "hardly any colour", "colourless", "faded colours", "dull colours"),
        ("in vivid colours", "brightly coloured", "colourful", "vivid colours")),
    "saturation": Reading(also_low=("desaturated", "faded colours", "dull colours"),
        also_high=("saturated", "vivid colours")),
    "contrast": Reading("low-contrast", "high-contrast",
        ("with low contrast", "in fog", "hazy", "low contrast", "little contrast"),
        ("with high contrast", "high contrast", "strong contrast", "much contrast")),
    "plain border": Reading(high="with a plain border",
        also_high=("on a plain background", "with a border around the picture")),
    "width": Reading(also_low=("low resolution",), also_high=("high resolution",)),
    "height": Reading(also_low=("low resolution",), also_high=("high resolution",)),
    "megapixels": Reading(also_low=("low resolution",), also_high=("high resolution",)),
    "links": Reading(high="with links", least=1.0),
    "markup tags": Reading(high="with markup", also_high=("with code or markup",), least=1.0),
    "question marks": Reading(high="with questions", also_high=("asking a question",), least=1.0),
    "negations": Reading(high="with negations", also_high=("with a negation",), least=1.0),
    "hedges": Reading(high="hedged", least=1.0),
    "numbers": Reading(high="with numbers", least=1.0),
    "first-person words": Reading(also_high=("in the first person",)),
    "quotation marks": Reading(also_high=("quoting what somebody said",)),
    "capital share": Reading(also_high=("in capitals",)),
    "words": Reading("short", "long", ("short and bare",)),
    "still share": Reading(high="standing still"),
    "motion": Reading(high="with much motion"),
    "length": Reading("short", "long"),
    "bias field": Reading(high="with an uneven bias field"),
    "voxel spacing": Reading(high="coarsely sampled"),
}  # fmt: skip
"""For images, clips, texts and scans. Words that usually describe the object and not the image are left out ("a sharp
knife", "a small dog", "a wheat grain"); "dark" and "bright" are not, so an answer states what was measured. Properties
that only stand for others (file size, format, entropy) have no name here and do not title anything."""
