"""The wordings that `measure_words.py` tests with. They were written apart from those of `prompts.py` and share no
phrase with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wordings:
    """A condition or place, and ways to say it; {n} stands for a thing."""

    name: str
    wordings: tuple[str, ...]


WORDS = (
    Wordings(
        "dark",
        (
            "a murky photo of a {n}",
            "a {n} one can hardly see for lack of light",
            "a pitch-dark photograph",
            "the lamp was off when this {n} was photographed",
            "a {n} in a sombre, lightless scene",
        ),
    ),
    Wordings(
        "bright",
        (
            "a radiant, glowing photo of a {n}",
            "a {n} flooded with light",
            "an extremely light photograph",
            "a {n} bathed in brilliant sunshine",
            "a picture exposed for too long",
        ),
    ),
    Wordings(
        "black-and-white",
        (
            "an old monochromatic photo of a {n}",
            "a {n} shown in grey only",
            "a photograph that lacks hues",
            "a B&W shot of a {n}",
            "a {n} drained of colour",
        ),
    ),
    Wordings(
        "blurred",
        (
            "a {n} whose outlines are smudged",
            "an indistinct photo of a {n}",
            "a badly focused photograph",
            "a {n} shot with a trembling hand",
            "hazy contours because the lens was not adjusted",
        ),
    ),
    Wordings(
        "noisy",
        (
            "a {n} covered in random dots of noise",
            "a photo of a {n} with heavy grain",
            "interference and grain as on an old television",
            "a {n} photographed at a very high ISO",
            "lots of pixel noise",
        ),
    ),
    Wordings(
        "red tint",
        (
            "a photo of a {n} with everything in a red glow",
            "a {n} lit by a red lamp",
            "a picture that has turned completely red",
            "red as the overall shade of the photo",
        ),
    ),
    Wordings(
        "green tint",
        (
            "a photo of a {n} with everything in a green glow",
            "a {n} lit by a green lamp",
            "a picture that has turned completely green",
            "green as the overall shade of the photo",
        ),
    ),
    Wordings(
        "blue tint",
        (
            "a photo of a {n} with everything in a blue glow",
            "a {n} lit by a blue lamp",
            "a picture that has turned completely blue",
            "blue as the overall shade of the photo",
        ),
    ),
    Wordings(
        "yellow tint",
        (
            "a photo of a {n} with everything in a yellow glow",
            "a {n} lit by a yellow lamp",
            "a picture that has turned completely yellow",
            "yellow as the overall shade of the photo",
        ),
    ),
    Wordings(
        "orange tint",
        (
            "a photo of a {n} with everything in an orange glow",
            "a {n} lit by an orange lamp",
            "a picture that has turned completely orange",
            "orange as the overall shade of the photo",
        ),
    ),
    Wordings(
        "purple tint",
        (
            "a photo of a {n} with everything in a purple glow",
            "a {n} lit by a purple lamp",
            "a picture that has turned completely purple",
            "purple as the overall shade of the photo",
        ),
    ),
    Wordings(
        "small object",
        (
            "a {n} that looks minute",
            "a remote {n} in a wide view",
            "a {n} which takes up very few pixels",
            "a teeny {n}",
            "a photo of a {n} from a great distance",
        ),
    ),
    Wordings(
        "upside-down",
        (
            "a {n} with its top at the bottom",
            "a photo of a {n} on its head",
            "a {n} photographed with the camera inverted",
            "a photograph that should be rotated back",
            "a {n} tipped over by half a turn",
        ),
    ),
    Wordings(
        "rotated",
        (
            "a {n} rotated a quarter turn",
            "a photo of a {n} tilted onto its side",
            "a photograph turned clockwise by a right angle",
            "a {n} shown sideways",
            "the picture of the {n} was rotated",
        ),
    ),
    Wordings(
        "plain background",
        (
            "a {n} before an even, featureless wall",
            "a catalogue picture of a {n} with no surroundings",
            "a lone {n} on a uniform surface",
            "a {n} with a backdrop of one single colour",
        ),
    ),
    Wordings(
        "busy background",
        (
            "a {n} lost in a jumble of stuff",
            "a {n} with all sorts of objects around it",
            "an untidy photo full of different items",
            "a {n} in front of a chaotic, crowded backdrop",
        ),
    ),
    Wordings(
        "fog",
        (
            "a {n} veiled by mist",
            "a {n} that vanishes into the fog",
            "pale and misty weather",
            "a fog-bound photo of a {n}",
        ),
    ),
    Wordings(
        "snowfall",
        (
            "a {n} while snow is coming down",
            "snowflakes whirl around the {n}",
            "a {n} during a snow flurry",
            "thick flakes drift down",
        ),
    ),
    Wordings(
        "rain",
        (
            "a {n} soaked by rain",
            "it pours with rain",
            "a {n} standing in a rain shower",
            "rain pelts down around the {n}",
        ),
    ),
    Wordings(
        "on grass",
        (
            "a {n} standing upon mown grass",
            "a {n} in a green pasture field",
            "a grass-covered place with a {n}",
            "a {n} resting on the lawn",
        ),
    ),
    Wordings(
        "on snow",
        (
            "a {n} standing upon white snow",
            "a {n} in a wintry, snow-clad land",
            "a snow-covered place with a {n}",
            "a {n} amid snowdrifts",
        ),
    ),
    Wordings(
        "in the city",
        (
            "a {n} between city buildings",
            "a {n} at the corner of two busy roads of a metropolis",
            "an urban place with a {n}",
            "a {n} amid urban housing blocks",
        ),
    ),
    Wordings(
        "in a forest",
        (
            "a {n} deep inside the leafy forest",
            "a {n} surrounded by trees",
            "a wooded area with a {n}",
            "a {n} beneath the branches of tall trees",
        ),
    ),
    Wordings(
        "on water",
        (
            "a {n} that drifts across the water",
            "a {n} surrounded by sea waves",
            "lake or sea water with a {n}",
            "a {n} upon the river",
        ),
    ),
    Wordings(
        "in the desert",
        (
            "a {n} standing on hot desert sand",
            "a {n} in a sandy wasteland",
            "a bone-dry desert place with a {n}",
            "a {n} half buried in the sand",
        ),
    ),
    Wordings(
        "indoors",
        (
            "a {n} within the four walls of a house",
            "a {n} in somebody's room",
            "the interior of a building with a {n}",
            "a {n} in the hallway",
        ),
    ),
    Wordings(
        "in the sky",
        (
            "a {n} up among the clouds",
            "a {n} above us in the blue sky",
            "nothing but sky behind the {n}",
            "a {n} that soars through the air",
        ),
    ),
    Wordings(
        "in the mountains",
        (
            "a {n} high up on a rocky mountain",
            "a {n} in an alpine landscape",
            "high alpine peaks with a {n}",
            "a {n} beside a stony cliff",
        ),
    ),
)
