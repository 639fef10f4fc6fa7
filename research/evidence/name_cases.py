"""The planted cases of the benchmark of names: which photographs fail, and which names are right of them.

A corruption is put on a random part of some photographs; a natural attribute is what at least three of the five
captions of a photograph say and, elsewhere, none. For each, two patterns say which names are right and which are near:
read over the name in lower case without the class in front of it. Any other name is wrong. Fixed before any figure was
looked at; since then only "low-contrast", "bike", "skateboard" and "swing" came in, when titles began to say these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Data = Literal["clothing", "cifar10", "flickr8k", "imagenet_sample"]
Half = Literal["tune", "report"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What may be said of a planted attribute."""

    right: str
    """Pattern of names that say it; "" where the shipped vocabulary has no word for it."""
    near: str = ""
    """Pattern of names that say a part or a usual companion of it: true of most of the rows, and not the point."""
    captions: str = ""
    """Pattern of captions that mention it; "" of a corruption."""


@dataclass(frozen=True, slots=True)
class Case:
    """One planted failure."""

    truth: str
    """Key of `TRUTHS`."""
    data: Data
    half: Half
    within: str = ""
    """The class that it is planted in; "" for all photographs."""

    @property
    def name(self) -> str:
        return f"{self.data} {self.within + ' ' if self.within else ''}{self.truth}"


_FLAT = r"low[- ]contrast|contrast at most|\bflat contrast"
_BLURRED = r"blurred(?! background)|out[- ]of[- ]focus|blur at least"
_GRAIN = r"nois[ye]|grain"
TRUTHS: dict[str, Truth] = {
    "grey": Truth(
        r"black and white|grey = grey|without colou?r|colou?rless|(colou?rfulness|saturation) at most",
        r"^grey$|faded|washed-out|sepia|dominant colour = grey|pale coloured",
    ),
    "sepia": Truth(r"sepia", r"yellow tint|warm colours|faded|^brown|orange|dominant colour = (brown|orange)|golden"),
    "dark": Truth(
        r"\bdark\b(?! coloured)|brightness at most|underexposed|at night|mostly black|dim light",
        r"moonlight|candlelight|dusk|silhouette|dark coloured|black background|^black$|street lamps|spotlight|shade$",
    ),
    "bright": Truth(
        r"overexposed|brightness at least|^bright(?!ly)|mostly white",
        r"washed-out|sunlight|flash|glare|white background|pale|^white|faded|pastel|dominant colour = white",
    ),
    "low contrast": Truth(_FLAT, r"hazy|fog|washed-out|faded|entropy at most|pale|pastel|soft light|smoke"),
    "blur": Truth(_BLURRED, r"low-resolution|hazy|edge density at most|pixelated|smooth|blurred background|close up"),
    "motion blur": Truth(rf"motion|moving fast|{_BLURRED}", r"low-resolution|hazy|edge density at most|pixelated"),
    "noise": Truth(
        _GRAIN,
        r"edge density at least|blur at most|entropy at least|low-resolution|compressed|scratched|glitchy|specks",
    ),
    "specks": Truth(
        rf"{_GRAIN}|specks", r"edge density at least|blur at most|falling snow|scratched|spotted|glitchy|dusty"
    ),
    "red tint": Truth(r"red tint|(tinted|cast of) red|red cast", r"^red\b|= red\b|= pink|^pink|warm colours|purple"),
    "green tint": Truth(r"green tint|green cast", r"^green\b|= green\b|green background|cold colours"),
    "blue tint": Truth(r"blue tint|blue cast", r"^blue\b|= blue\b|blue background|cold colours|^purple|underwater"),
    "yellow tint": Truth(r"yellow tint|yellow cast", r"^yellow\b|= (yellow|brown|orange)\b|warm colours|golden|sepia"),
    "upside down": Truth(r"upside[- ]down", r"rotated|lying on its side"),
    "quarter turn": Truth(r"rotated|turned", r"upside[- ]down|on its side|lying down"),
    "fog": Truth(r"\bfog|hazy|haze", rf"smoke|{_FLAT}|washed-out|faded|dust storm|frost|cloudy|pale"),
    "snowfall": Truth(r"snow", r"storm|winter|frost|rain$|spotted|edge density at least|noisy|specks"),
    "compressed": Truth(
        r"compressed|pixelated|low-resolution|blocky", r"glitchy|blur|distorted|edge density|pixel art|posteri"
    ),
    "pixelated": Truth(r"pixelated|low-resolution|pixel art|blocky|compressed", rf"{_BLURRED}|mosaic|edge density"),
    "framed": Truth(
        r"border|frame", r"(white|black) background|plain background|cut out|postage|poster|= (black|white)"
    ),
    "lettered": Truth(
        r"printed text|watermark|caption under|lettering|handwriting|numbers on|date stamp",
        r"poster|logo|printed page|brand name|price tag|arrow|icon|packaging",
    ),
    "covered": Truth(
        r"partly hidden|covered|behind another|only a part|something in front",
        r"cut off|in a box|plain|edge density at most|entropy at most|one-coloured|square",
    ),
    "inverted": Truth(r"inverted|negative", r"x-ray|blue tint|cold colours|purple"),
    "close-up": Truth(
        r"close up|filling the whole|macro|only a part|cut off|badly cropped",
        rf"{_BLURRED}|low-resolution|edge density at most|smooth",
    ),
    "vivid": Truth(
        r"vivid|(colou?rfulness|saturation) at least|brightly coloured|very colou?rful", r"multicoloured|high contrast"
    ),
    # natural attributes of flickr8k
    "beach": Truth(
        r"beach|\bsea\b", r"sand|water behind|lake|surf|dominant colour = cyan", r"beach|\bocean|\bsea\b|\bshore|\bsurf"
    ),
    "snow": Truth(r"snow", r"winter|\bice\b|frost|mountains|white", r"\bsnow"),
    "grass": Truth(
        r"grass|in a field", r"green|garden|trees|farm|in a stadium", r"\bgrass|\blawn\b|\bfield\b|\bmeadow"
    ),
    "water": Truth(
        r"water|lake|\bsea\b|beach|swimming|harbour", r"\bwet\b|blue", r"\bwater|\bpool\b|\blake|\briver|\bocean|\bswim"
    ),
    "dog": Truth(r"\bdog", r"with a (leash|collar)|furry|animal|running|on grass", r"\bdogs?\b"),
    "running": Truth(
        r"running", r"moving fast|walking|jumping|playing|\bdog|on grass|in a field", r"\bruns?\b|\brunning"
    ),
    "jumping": Truth(r"jumping", r"flying|falling|moving fast|playing|against the sky|arms raised", r"\bjump|\bleap"),
    "child": Truth(
        r"with a (child|baby)|^young",
        r"next to a person|human face|playing|smiling",
        r"\bchild|\bboys?\b|\bgirls?\b|\bkid",
    ),
    "sitting": Truth(r"sitting", r"lying down|on a sofa|next to a chair|on a table", r"\bsits?\b|\bsitting|\bseated"),
    "bicycle": Truth(
        r"bicycle|\bbikes?\b",
        r"ridden|on a highway|on a city street|in a forest|moving fast",
        r"\bbike|\bbicycl|\bcyclist",
    ),
    "ball games": Truth(
        r"with a ball|in a stadium",
        r"playing|uniform|in use|fighting|running",
        r"\bsoccer|football|basketball|baseball|tennis",
    ),
    "street": Truth(
        r"street|buildings|tarmac",
        r"crowd|car park|highway|next to a (car|house)|walking|shop",
        r"\bstreet|\bcity\b|\bsidewalk",
    ),
    "group": Truth(
        r"crowd|people|small group|many|packed",
        r"on a city street|next to a person|a few|street",
        r"\bpeople|\bcrowd|\bgroup",
    ),
    "rocks": Truth(r"rock|mountain|cave", r"climb|arms raised|tall|stone", r"\brock|\bclimb|\bcliff|\bmountain"),
    "red clothes": Truth(r"\bred\b", r"uniform|brightly coloured", r"\bred\b"),
    "indoors": Truth(
        r"indoors|bedroom|kitchen|sofa|on a bed|on a table|office|on the floor",
        r"artificial light|chair|flash",
        r"\bindoor|\broom\b|\bcouch|\btable\b|\bbed\b|\bkitchen|\bsofa",
    ),
    "skateboard": Truth(r"skateboard", r"jumping|tarmac|on a city street|ridden", r"\bskateboard|\bskater"),
    "swing": Truth(r"\bswing", r"playing|hanging|with a child", r"\bswing(s|ing)?\b(?! at)"),
}

_IN_TWO: dict[str, tuple[Data, Data]] = {
    "grey": ("clothing", "cifar10"),
    "dark": ("cifar10", "flickr8k"),
    "bright": ("flickr8k", "clothing"),
    "low contrast": ("imagenet_sample", "flickr8k"),
    "blur": ("clothing", "imagenet_sample"),
    "noise": ("flickr8k", "cifar10"),
    "red tint": ("cifar10", "imagenet_sample"),
    "blue tint": ("imagenet_sample", "clothing"),
    "upside down": ("clothing", "flickr8k"),
    "fog": ("flickr8k", "cifar10"),
    "snowfall": ("clothing", "imagenet_sample"),
    "compressed": ("imagenet_sample", "clothing"),
    "framed": ("flickr8k", "clothing"),
    "close-up": ("imagenet_sample", "flickr8k"),
}
"""A set for tuning and one for the report."""
_IN_ONE: dict[Half, tuple[tuple[str, Data, str], ...]] = {
    "tune": (
        ("sepia", "imagenet_sample", ""),
        ("motion blur", "cifar10", ""),
        ("green tint", "flickr8k", ""),
        ("lettered", "imagenet_sample", ""),
        ("inverted", "flickr8k", ""),
        ("dark", "clothing", "dress"),
        *((name, "flickr8k", "") for name in ("beach", "dog", "jumping", "bicycle", "group", "indoors", "rocks")),
        ("skateboard", "flickr8k", ""),
    ),
    "report": (
        ("specks", "clothing", ""),
        ("yellow tint", "flickr8k", ""),
        ("quarter turn", "imagenet_sample", ""),
        ("pixelated", "flickr8k", ""),
        ("covered", "clothing", ""),
        ("vivid", "cifar10", ""),
        ("grey", "clothing", "t-shirt"),
        *((name, "flickr8k", "") for name in ("snow", "grass", "water", "running", "child", "sitting", "ball games")),
        *((name, "flickr8k", "") for name in ("street", "red clothes", "swing")),
    ),
}
"""Corruptions and attributes that only one half knows."""
CASES: tuple[Case, ...] = (
    *(Case(truth, data, half) for truth, two in _IN_TWO.items() for data, half in zip(two, ("tune", "report"))),  # type: ignore[arg-type]
    *(Case(truth, data, half, within) for half, cases in _IN_ONE.items() for truth, data, within in cases),
)
