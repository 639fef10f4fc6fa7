# pyright: reportConstantRedefinition=false
"""Ways to say a condition of a photograph (light, sharpness, color, place and so on), with what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from research.weights.embedded.more_phrases import MORE


@dataclass(frozen=True, slots=True)
class FitPhrase:
    """One way to say something; `form` says where in a prompt it can stand."""

    text: str
    form: str
    """"adjective" of the photo or thing, "place" after the thing, "bare" alone."""
    means: tuple[tuple[str, float], ...]
    group: str
    """Phrases of one group are ways to say the same; groups of one topic are not drawn together."""


def _say(means: str, adjectives: str = "", places: str = "", bare: str = "") -> list[FitPhrase]:
    """Phrases from lists with | between them; `means` is "light -1" or "red 1, color 0.5"."""
    parts = tuple((part.split()[0], float(part.split()[1])) for part in means.split(","))
    found: list[FitPhrase] = []
    for form, text in (("adjective", adjectives), ("place", places), ("bare", bare)):
        found += [FitPhrase(entry.strip(), form, parts, means) for entry in text.split("|") if entry.strip()]
    return found


PHRASES: list[FitPhrase] = [
    *_say(
        "light -1",
        "dark|very dark|underexposed|dim|dimly lit|badly lit|gloomy|shadowy|low-light|too dark|poorly "
        "lit|night-time|dusky|unlit",
        "at night|in the dark|in dim light|in deep shadow|in low light|in the shade|after sunset|with hardly any "
        "light|in near darkness|in poor light|at dusk|in the gloom|by moonlight",
        "darkness|a dark image|a dark picture|not enough light|night|the picture is too dark|insufficient "
        "lighting|low brightness|little light|a night scene|poor lighting|dark lighting|"
        "shot without flash in a dark room|taken at night|an image with low exposure|almost black|images taken in "
        "the dark|weak light|deep shadows everywhere",
    ),
    *_say(
        "light 1",
        "bright|very bright|overexposed|brightly lit|too "
        "bright|sunlit|well-lit|dazzling|glaring|sun-drenched|blown-out|luminous",
        "in bright light|in the sun|in bright sunshine|in full daylight|in broad daylight|with too much light|under "
        "strong lights|in glaring light|at noon|lit by a flash|on a bright day",
        "brightness|a bright image|a bright picture|too much light|overexposure|the picture is too bright|strong "
        "lighting|high brightness|dazzling light|blown highlights|bright lighting|"
        "an image with high exposure|sunlight everywhere|almost white|images taken in bright light|harsh sunlight",
    ),
    *_say(
        "colour -1",
        "black-and-white|black and white|monochrome|greyscale|grayscale|grey-scale|colourless|desaturated|gray toned",
        "in black and white|in greyscale|in grayscale|without colour|without any colors|in shades of grey|on "
        "black-and-white film|in monochrome",
        "black and white|a black and white photo|monochrome|a grayscale image|greyscale|no colour|an image without "
        "color|a desaturated picture|only shades of gray|"
        "black-and-white photography|lacking all colour|all grey tones|a colorless picture",
    ),
    *_say(
        "colour 1",
        "colourful|colorful|vivid|highly saturated|brightly coloured|vibrant|richly coloured|multicoloured",
        "in vivid colours|in vibrant colors|with saturated colours|in many colours",
        "vivid colours|a colourful picture|strong colours|high saturation|bright and saturated colors|a vibrant "
        "image|intense colors|an oversaturated photo|full of colour",
    ),
    *_say(
        "contrast -1",
        "low-contrast|washed-out|faded|flat-looking|pale|bleached",
        "with low contrast|with washed-out tones|with little contrast",
        "low contrast|a washed-out picture|a faded photo|flat contrast|weak contrast|a pale image with little "
        "contrast|dull flat tones",
    ),
    *_say(
        "contrast 1",
        "high-contrast|harsh|strongly contrasted|contrasty",
        "with high contrast|with strong contrast|with hard blacks and whites",
        "high contrast|strong contrast|an image with high contrast|very contrasty picture|deep "
        "blacks and bright whites",
    ),
    *_say(
        "blur 1",
        "blurred|blurry|out-of-focus|unfocused|fuzzy|unsharp|motion-blurred|hazily "
        "focused|smeared|soft-focus|very blurry|defocused",
        "out of focus|with motion blur|that is out of focus|taken with a shaky camera|in soft "
        "focus|that moved too fast",
        "blur|a blurred picture|a blurry image|motion blur|camera shake|poor focus|the focus is wrong|lack of "
        "sharpness|fuzzy and unclear|everything is out of focus|"
        "gaussian blur|a lens out of focus|an unsharp photograph|the camera moved|blurring|no sharp edges",
    ),
    *_say(
        "blur -1",
        "sharp|crisp|in-focus|finely detailed|razor-sharp",
        "in sharp focus|with crisp detail|in fine detail",
        "sharpness|a sharp picture|crisp details|perfect focus|a crisp image|sharp focus everywhere|a "
        "high-resolution detailed photo",
    ),
    *_say(
        "noise 1",
        "noisy|grainy|speckled|very noisy|pixelated and noisy|static-filled|high-iso|granular",
        "with a lot of noise|with film grain|with sensor noise|full of grain|with speckles all over",
        "noise|image noise|a grainy picture|a noisy image|film grain|sensor noise|salt and pepper noise|gaussian "
        "noise|random speckles|high ISO noise|static|"
        "grain all over the picture|a picture with noise|a speckled photograph|noisy pixels|coloured noise",
    ),
]
COLOURS = {
    "red": ("red", "reddish", "crimson", "scarlet"),
    "orange": ("orange", "orange-toned", "amber", "tangerine-coloured"),
    "yellow": ("yellow", "yellowish", "golden yellow", "lemon-yellow"),
    "green": ("green", "greenish", "emerald", "lime-green"),
    "blue": ("blue", "bluish", "azure", "navy-blue"),
    "purple": ("purple", "purplish", "violet", "magenta"),
}
for _hue, (_plain, _ish, *_others) in COLOURS.items():
    PHRASES += _say(
        f"{_hue} 1",
        f"{_plain}-tinted|{_ish}|{_plain}-toned|{_plain} tinted|{'|'.join(_others)} tinted|{_plain} filtered",
        f"with a {_plain} tint|under {_plain} light|in {_plain} light|with a {_plain} colour cast|with a {_plain} "
        f"filter|seen through {_plain} glass|in {_plain} tones|with a {_ish} hue",
        f"a {_plain} tint|a {_plain} color cast|{_plain} light|the whole image is {_plain}|everything looks {_ish}|a "
        f"{_ish} picture|{_plain} tones|a {_plain} filter over the photo|"
        f"a picture tinted {_plain}|dominated by {_plain}|{_plain}|mostly {_plain}|{_others[0]} light "
        f"everywhere|too much {_plain}",
    )
    PHRASES += _say(
        f"{_hue} 0.6",
        f"{_plain} coloured|all-{_plain}",
        f"painted {_plain}|that is {_plain}|in front of a {_plain} wall|on a {_plain} background",
        f"a {_plain} thing|a {_plain} background|{_plain} objects",
    )
PHRASES += [
    *_say(
        "small 1",
        "tiny|small|distant|far-away|little|very small|miniature-looking",
        "far away|in the distance|that is very small in the picture|seen from afar|a long way off|that fills only a "
        "little of the frame|small in the frame",
        "a small object|a tiny thing in the picture|the subject is small|an object far away|something in the "
        "distance|a distant subject|a small subject in a big frame|small objects|tiny objects|"
        "the object fills a small part of the image|a faraway thing",
    ),
    *_say(
        "small -1",
        "large|huge|frame-filling|big|giant|very large",
        "that fills the frame|very close to the camera|seen from very near|that fills the whole picture",
        "a large object|a big thing in the picture|the subject fills the frame|an object close to the camera|large "
        "objects|the object takes up the whole image|a huge subject",
    ),
    *_say(
        "turned 1",
        "upside-down|rotated|upside down|sideways|turned|flipped|overturned|inverted",
        "upside down|turned on its side|rotated by 90 degrees|turned upside down|standing on its head|rotated "
        "sideways|the wrong way up|lying on its side",
        "an upside down picture|a rotated image|the photo is turned|rotated by ninety degrees|flipped "
        "vertically|upside down|the image is the wrong way up|a sideways photo|rotation|"
        "the camera was held sideways|turned by 180 degrees|wrong orientation|an inverted picture",
    ),
    *_say(
        "plain 1",
        "isolated|cut-out",
        "on a plain background|on a white background|against a uniform background|on a blank background|on a simple "
        "background|in front of a bare wall|with nothing behind it|on an empty background|"
        "on a black background|against a clean backdrop|on a solid colour background|in a studio shot "
        "with a seamless backdrop",
        "a plain background|a uniform background|an empty background|nothing in the background|a simple backdrop|a "
        "white backdrop|a clean background|a solid background|a bare wall|"
        "a blank backdrop|minimal background|product photo on white",
    ),
    *_say(
        "plain -1",
        "cluttered|busy|crowded|messy|chaotic",
        "on a cluttered background|among many other things|with a busy background|in a messy scene|amid "
        "clutter|surrounded by lots of objects|in front of a confusing background|in a crowded scene|"
        "with many things behind it|between piles of stuff",
        "clutter|a cluttered background|a busy background|a messy scene|many objects|a crowded picture|too much "
        "going on|a confusing background|lots of things in the picture|a jumble of objects|disorder",
    ),
    *_say(
        "fog 1",
        "foggy|misty|hazy|fog-covered|smoky",
        "in fog|in the mist|in thick fog|in haze|behind a veil of fog|on a foggy morning|in dense mist|shrouded in "
        "haze|in foggy weather",
        "fog|mist|haze|foggy weather|thick fog|a misty scene|poor visibility|a hazy day|a veil of "
        "mist|smog|dense fog over everything",
    ),
    *_say(
        "snowfall 1, snow 0.3",
        "",
        "in falling snow|in a snowstorm|while it is snowing|in a blizzard|in snowfall|among snowflakes|under falling "
        "snowflakes|in snowy weather|during heavy snowfall",
        "falling snow|snowfall|a snowstorm|snowflakes in the air|it is snowing|a blizzard|snowflakes|snowy "
        "weather|flurries of snow",
    ),
    *_say(
        "rain 1",
        "rainy|rain-soaked|rain-swept",
        "in the rain|in heavy rain|on a rainy day|during a downpour|in pouring rain|in a rainstorm|while it rains|in "
        "a shower of rain|behind streaks of rain|in wet weather",
        "rain|rainfall|a rainy day|heavy rain|a downpour|raindrops|it is raining|a shower|drizzle|rainy "
        "weather|streaks of rain|pouring rain",
    ),
    *_say(
        "grass 1",
        "grassy",
        "on grass|on the grass|on a lawn|in a meadow|on a green field|in a grassy field|in a pasture|on the green "
        "grass|in a park|on turf",
        "grass|a lawn|a meadow|a grassy field|green fields|pasture|a grass background|grassland|a grassy place|a "
        "hillside of green grass",
    ),
    *_say(
        "snow 1",
        "snow-covered|snowy",
        "on snow|in the snow|on snowy ground|in deep snow|on a snowfield|in a winter landscape|in a snowy "
        "landscape|on a ski slope|on ice and snow|in winter",
        "snow|a snowy landscape|snow on the ground|a snow background|winter|a field of snow|a white winter "
        "scene|snow-covered ground|snowy ground",
    ),
    *_say(
        "city 1",
        "urban",
        "in the city|in a street|on a city street|in town|in front of buildings|in an urban setting|among "
        "skyscrapers|on the pavement|in a city square|downtown|in a built-up area",
        "a city|a street|a town|buildings|an urban scene|a cityscape|skyscrapers|city streets|an urban background|a "
        "downtown street|houses and streets|architecture behind",
    ),
    *_say(
        "forest 1",
        "wooded",
        "in a forest|in the woods|among trees|in the jungle|between trees|in a woodland|under the trees|in the "
        "rainforest|in a wood|in the bushes",
        "a forest|the woods|trees|woodland|a forest background|dense trees|jungle|leaves and branches|a wooded "
        "place|forest scenery|foliage",
    ),
    *_say(
        "water 1",
        "watery|underwater",
        "on water|in the water|in the sea|on a lake|by the sea|in a river|at sea|on the ocean|floating on water|in a "
        "pond|by the water|in the waves",
        "water|the sea|a lake|the ocean|a river|waves|a water background|open water|a pond|seawater|a watery "
        "scene|rippling water",
    ),
    *_say(
        "sand 1",
        "sandy",
        "in the desert|on sand|on a sandy ground|on a dune|among sand dunes|on the beach|in a sandy place|on dry "
        "sandy soil|in a dry barren land|in the Sahara",
        "a desert|sand|dunes|a sandy beach|a desert background|dry sand|a sandy place|an arid landscape|barren "
        "dry ground|sand dunes",
    ),
    *_say(
        "indoors 1",
        "indoor",
        "indoors|inside a room|in a room|in a house|inside a building|in the kitchen|in an office|at home|in a "
        "living room|inside|in a hall|in a shop",
        "an indoor scene|a room|an interior|inside a building|a kitchen|an office|the inside of a house|an indoor "
        "background|a living room|a hall|indoor furniture and walls",
    ),
    *_say(
        "indoors -1",
        "outdoor",
        "outdoors|outside|in the open air|in nature|in the open",
        "an outdoor scene|outdoors|the open air|nature|outside|an outdoor background",
    ),
    *_say(
        "sky 1",
        "airborne",
        "in the sky|in the air|against the sky|in front of clouds|against a blue sky|up in the clouds|flying in the "
        "sky|high in the air|in mid-air",
        "the sky|clouds|a blue sky|a cloudy sky|a sky background|the open sky|sky and clouds|the heavens",
    ),
    *_say(
        "mountains 1",
        "mountainous|rocky",
        "in the mountains|on a mountain|on rocks|on a cliff|on a rocky slope|in front of mountains|among rocks|in "
        "the hills|on a summit",
        "mountains|a mountain|rocks|a rocky landscape|a mountain background|cliffs|a mountain range|peaks|stony ground",
    ),
]
PHRASES += [phrase for more in MORE for phrase in _say(*more)]
