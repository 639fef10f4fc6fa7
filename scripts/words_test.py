# ruff: noqa: E501, SIM905  the lists of phrases read better unbroken
"""The wordings that `measure_words.py` tests with. They were written apart from those of `words_prompts.py` and share no phrase with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A condition or place, and ways to say it; {n} stands for a thing."""

    name: str
    wordings: tuple[str, ...]


WORDS = (
    Word(
        "dark",
        (
            "a murky photo of a {n}",
            "a {n} one can hardly see for lack of light",
            "a pitch-dark photograph",
            "the lamp was off when this {n} was photographed",
            "a {n} in a sombre, lightless scene",
        ),
    ),
    Word(
        "bright",
        (
            "a radiant, glowing photo of a {n}",
            "a {n} flooded with light",
            "an extremely light photograph",
            "a {n} bathed in brilliant sunshine",
            "a picture exposed for too long",
        ),
    ),
    Word(
        "black-and-white",
        (
            "an old monochromatic photo of a {n}",
            "a {n} shown in grey only",
            "a photograph that lacks hues",
            "a B&W shot of a {n}",
            "a {n} drained of colour",
        ),
    ),
    Word(
        "blurred",
        (
            "a {n} whose outlines are smudged",
            "an indistinct photo of a {n}",
            "a badly focused photograph",
            "a {n} shot with a trembling hand",
            "hazy contours because the lens was not adjusted",
        ),
    ),
    Word(
        "noisy",
        (
            "a {n} covered in random dots of noise",
            "a photo of a {n} with heavy grain",
            "interference and grain as on an old television",
            "a {n} photographed at a very high ISO",
            "lots of pixel noise",
        ),
    ),
    Word(
        "red tint",
        (
            "a photo of a {n} with everything in a red glow",
            "a {n} lit by a red lamp",
            "a picture that has turned completely red",
            "red as the overall shade of the photo",
        ),
    ),
    Word(
        "green tint",
        (
            "a photo of a {n} with everything in a green glow",
            "a {n} lit by a green lamp",
            "a picture that has turned completely green",
            "green as the overall shade of the photo",
        ),
    ),
    Word(
        "blue tint",
        (
            "a photo of a {n} with everything in a blue glow",
            "a {n} lit by a blue lamp",
            "a picture that has turned completely blue",
            "blue as the overall shade of the photo",
        ),
    ),
    Word(
        "yellow tint",
        (
            "a photo of a {n} with everything in a yellow glow",
            "a {n} lit by a yellow lamp",
            "a picture that has turned completely yellow",
            "yellow as the overall shade of the photo",
        ),
    ),
    Word(
        "orange tint",
        (
            "a photo of a {n} with everything in an orange glow",
            "a {n} lit by an orange lamp",
            "a picture that has turned completely orange",
            "orange as the overall shade of the photo",
        ),
    ),
    Word(
        "purple tint",
        (
            "a photo of a {n} with everything in a purple glow",
            "a {n} lit by a purple lamp",
            "a picture that has turned completely purple",
            "purple as the overall shade of the photo",
        ),
    ),
    Word(
        "small object",
        (
            "a {n} that looks minute",
            "a remote {n} in a wide view",
            "a {n} which takes up very few pixels",
            "a teeny {n}",
            "a photo of a {n} from a great distance",
        ),
    ),
    Word(
        "upside-down",
        (
            "a {n} with its top at the bottom",
            "a photo of a {n} on its head",
            "a {n} photographed with the camera inverted",
            "a photograph that should be rotated back",
            "a {n} tipped over by half a turn",
        ),
    ),
    Word(
        "rotated",
        (
            "a {n} rotated a quarter turn",
            "a photo of a {n} tilted onto its side",
            "a photograph turned clockwise by a right angle",
            "a {n} shown sideways",
            "the picture of the {n} was rotated",
        ),
    ),
    Word(
        "plain background",
        (
            "a {n} before an even, featureless wall",
            "a catalogue picture of a {n} with no surroundings",
            "a lone {n} on a uniform surface",
            "a {n} with a backdrop of one single colour",
        ),
    ),
    Word(
        "busy background",
        (
            "a {n} lost in a jumble of stuff",
            "a {n} with all sorts of objects around it",
            "an untidy photo full of different items",
            "a {n} in front of a chaotic, crowded backdrop",
        ),
    ),
    Word("fog", ("a {n} veiled by mist", "a {n} that vanishes into the fog", "pale and misty weather", "a fog-bound photo of a {n}")),
    Word("snowfall", ("a {n} while snow is coming down", "snowflakes whirl around the {n}", "a {n} during a snow flurry", "thick flakes drift down")),
    Word("rain", ("a {n} soaked by rain", "it pours with rain", "a {n} standing in a rain shower", "rain pelts down around the {n}")),
    Word(
        "on grass",
        ("a {n} standing upon mown grass", "a {n} in a green pasture field", "a grass-covered place with a {n}", "a {n} resting on the lawn"),
    ),
    Word(
        "on snow", ("a {n} standing upon white snow", "a {n} in a wintry, snow-clad land", "a snow-covered place with a {n}", "a {n} amid snowdrifts")
    ),
    Word(
        "in the city",
        (
            "a {n} between city buildings",
            "a {n} at the corner of two busy roads of a metropolis",
            "an urban place with a {n}",
            "a {n} amid urban housing blocks",
        ),
    ),
    Word(
        "in a forest",
        ("a {n} deep inside the leafy forest", "a {n} surrounded by trees", "a wooded area with a {n}", "a {n} beneath the branches of tall trees"),
    ),
    Word("on water", ("a {n} that drifts across the water", "a {n} surrounded by sea waves", "lake or sea water with a {n}", "a {n} upon the river")),
    Word(
        "in the desert",
        ("a {n} standing on hot desert sand", "a {n} in a sandy wasteland", "a bone-dry desert place with a {n}", "a {n} half buried in the sand"),
    ),
    Word(
        "indoors",
        ("a {n} within the four walls of a house", "a {n} in somebody's room", "the interior of a building with a {n}", "a {n} in the hallway"),
    ),
    Word(
        "in the sky",
        ("a {n} up among the clouds", "a {n} above us in the blue sky", "nothing but sky behind the {n}", "a {n} that soars through the air"),
    ),
    Word(
        "in the mountains",
        ("a {n} high up on a rocky mountain", "a {n} in an alpine landscape", "high alpine peaks with a {n}", "a {n} beside a stony cliff"),
    ),
)
NOUNS_TESTED = ("dog", "car", "chair", "bird", "bottle", "shoe", "person", "flower", "boat", "cup")
OBJECTS = tuple(
    name.strip()
    for name in (
        "accordion player, anchor, ant hill, antelope, armchair, avocado, axe, badge, bagpipe, bamboo, bandage, barn, basket, bathrobe, battery, beehive, belt buckle, bench, bicycle, binder, blender, bonsai, bowl, "
        "bracelet, brick, briefcase, broom, brush, bucket, bulldog, butterfly, button, cabbage, cable, cactus, cake, calculator, calendar, camel, candlestick, cane, canoe, carpet, carrot, cat, cello, chalk, chandelier, "
        "cheese, cherry, chess piece, chicken, chimney, clarinet, clock, coat, coconut, coffee, comb, compass, computer, cookie, corn, couch, cow, crab, crane, crown, cucumber, curtain, cushion, deer, dice, dolphin, door, "
        "donut, drawer, dress, drill, drum, duck, eagle, elephant, envelope, eraser, falcon, fan, faucet, fence, ferret, finger, flag, flute, football, fork, fox, frog, garlic, giraffe, glove, goat, grape, guitar, hammer, "
        "harp, hat, hedgehog, helmet, horse, hose, jacket, jar, kangaroo, kettle, key, kitten, knife, ladder, leopard, lion, lizard, lock, mirror, monkey, motorcycle, mouse, mug, mushroom, nail, necklace, needle, notebook, "
        "onion, orchid, otter, owl, ox, panda, parrot, peach, pear, pen, penguin, piano, pig, pillow, pineapple, pizza, plate, rabbit, radio, ring, robot, rope, ruler, saddle, sandwich, saw, scarf, scissors, shirt, shovel, "
        "spoon, squirrel, stapler, statue, stool, sweater, table, tank, teapot, telephone, tent, tie, tiger, toaster, toothbrush, tractor, train, trumpet, turtle, vase, violin, wallet, watch, whale, wheel, whistle, wolf, zebra"
    ).split(",")
)
PLACE_CLASSES: dict[str, tuple[str, ...]] = {
    "on snow": ("ski", "snowmobile", "bobsleigh", "dog sled", "snowplow", "alp", "polar bear", "mountain", "Alaskan Malamute"),
    "in the city": (
        "taxicab",
        "trolleybus",
        "tram",
        "street sign",
        "traffic light",
        "parking meter",
        "police van",
        "minibus",
        "parking lot",
        "triumphal arch",
        "mosque",
        "palace",
        "shoji screen",
        "pickpocket",
    ),
    "on water": (
        *(
            "container ship",
            "motorboat",
            "canoe",
            "catamaran",
            "fireboat",
            "gondola",
            "great white shark",
            "tiger shark",
            "grey whale",
            "killer whale",
            "pelican",
            "beach",
            "lakeshore",
            "dam",
            "pier",
            "yawl",
            "trimaran",
        ),
        *(
            "aircraft carrier",
            "submarine",
            "lifeboat",
            "paddle wheel",
            "ocean liner",
            "schooner",
            "shipwreck",
            "jellyfish",
            "stingray",
            "coral reef",
            "dugong",
            "sea lion",
            "black swan",
            "drake",
            "red-breasted merganser",
        ),
        *("American coot", "scuba diver", "geyser", "breakwater", "swimming pool", "sandbar", "shoal"),
    ),
    "in the desert": (
        "arabian camel",
        "sandbar",
        "shoal",
        "sidewinder rattlesnake",
        "Saharan horned viper",
        "beach",
        "desert grassland whiptail lizard",
        "dung beetle",
        "meerkat",
    ),
    "indoors": (
        *(
            "bookcase",
            "wardrobe",
            "dining table",
            "four-poster bed",
            "bookstore",
            "library",
            "restaurant",
            "barbershop",
            "home theater",
            "desk",
            "refrigerator",
            "stove",
            "sink",
            "toilet seat",
            "bathtub",
            "shoe store",
        ),
        *(
            "toy store",
            "grocery store",
            "butcher shop",
            "tobacco shop",
            "candy store",
            "bakery",
            "movie theater",
            "china cabinet",
            "infant bed",
            "entertainment center",
            "medicine cabinet",
            "microwave oven",
            "dishwasher",
        ),
        *(
            "washing machine",
            "chiffonier",
            "couch",
            "rocking chair",
            "table lamp",
            "window shade",
            "shower curtain",
            "photocopier",
            "billiard table",
            "crib",
            "desktop computer",
            "television",
            "gymnastic horizontal bar",
        ),
    ),
    "in the sky": (
        "airliner",
        "parachute",
        "hot air balloon",
        "airship",
        "military aircraft",
        "kite (bird of prey)",
        "kite",
        "bald eagle",
        "airplane wing",
    ),
    "in the mountains": ("alp", "cliff", "valley", "volcano", "alpine ibex", "bighorn sheep", "promontory", "mountain tent", "marmot"),
}
"""ImageNet classes whose photographs mostly show the place, by the class name alone and not by looking at each picture."""
