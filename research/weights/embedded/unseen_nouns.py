"""Nouns, object names and place classes that `measure_words.py` tests with."""

from __future__ import annotations

NOUNS_TESTED = ("dog", "car", "chair", "bird", "bottle", "shoe", "person", "flower", "boat", "cup")
OBJECTS = tuple(
    name.strip()
    for name in (
        "accordion player, anchor, ant hill, antelope, armchair, avocado, axe, badge, bagpipe, bamboo, bandage, "
        "barn, basket, bathrobe, battery, beehive, belt buckle, bench, bicycle, binder, blender, bonsai, bowl, "
        "bracelet, brick, briefcase, broom, brush, bucket, bulldog, butterfly, button, cabbage, cable, cactus, cake, "
        "calculator, calendar, camel, candlestick, cane, canoe, carpet, carrot, cat, cello, chalk, chandelier, "
        "cheese, cherry, chess piece, chicken, chimney, clarinet, clock, coat, coconut, coffee, comb, compass, "
        "computer, cookie, corn, couch, cow, crab, crane, crown, cucumber, curtain, cushion, deer, "
        "dice, dolphin, door, "
        "donut, drawer, dress, drill, drum, duck, eagle, elephant, envelope, eraser, falcon, fan, faucet, fence, "
        "ferret, finger, flag, flute, football, fork, fox, frog, garlic, giraffe, glove, goat, grape, guitar, hammer, "
        "harp, hat, hedgehog, helmet, horse, hose, jacket, jar, kangaroo, kettle, key, kitten, knife, ladder, "
        "leopard, lion, lizard, lock, mirror, monkey, motorcycle, mouse, mug, mushroom, nail, "
        "necklace, needle, notebook, "
        "onion, orchid, otter, owl, ox, panda, parrot, peach, pear, pen, penguin, piano, pig, pillow, pineapple, "
        "pizza, plate, rabbit, radio, ring, robot, rope, ruler, saddle, sandwich, saw, scarf, "
        "scissors, shirt, shovel, "
        "spoon, squirrel, stapler, statue, stool, sweater, table, tank, teapot, telephone, tent, tie, tiger, "
        "toaster, toothbrush, tractor, train, trumpet, turtle, vase, violin, wallet, watch, whale, wheel, "
        "whistle, wolf, zebra"
    ).split(",")
)
PLACE_CLASSES: dict[str, tuple[str, ...]] = {
    "on snow": (
        "ski",
        "snowmobile",
        "bobsleigh",
        "dog sled",
        "snowplow",
        "alp",
        "polar bear",
        "mountain",
        "Alaskan Malamute",
    ),
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
    "in the mountains": (
        "alp",
        "cliff",
        "valley",
        "volcano",
        "alpine ibex",
        "bighorn sheep",
        "promontory",
        "mountain tent",
        "marmot",
    ),
}
"""ImageNet classes whose photographs mostly show the place, by the class name alone and not by looking at each
image."""
