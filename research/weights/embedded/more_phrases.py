"""More ways to say the conditions of `phrases.py`: (what it means, adjectives, places, bare)."""

MORE: list[tuple[str, str, str, str]] = [
    (
        "light -1",
        "underlit|faintly lit|darkened|blackish|dingy|nocturnal|inadequately "
        "lit|shaded|twilight|starlit|candle-lit|darkish|black-looking",
        "with the lights out|that is barely visible in the dark|hidden in shadow|swallowed by darkness|in a dark "
        "room|late in the evening|before dawn|on a moonless night|lit only by a candle|"
        "with too little exposure|that disappears in the dark|where no light falls|in a dark alley|under a black sky",
        "it is too dark to see anything|the photo came out too dark|everything is black|there is almost no light|the "
        "scene has little illumination|a dark environment|hard to see because of the darkness|"
        "the light was turned off|evening darkness|a low-key picture|blackness|dark pixels|the exposure is too "
        "low|dark shadows|a dim room",
    ),
    (
        "light 1",
        "over-lit|shining|light-filled|sunny|strongly "
        "lit|whitened|light-flooded|gleaming|illuminated|high-key|floodlit|blinding",
        "in dazzling sunshine|in the blazing sun|with the lights on|under a spotlight|shining in the sun|with too "
        "much exposure|in strong daylight|washed by strong sun|on a sunny day|in the midday sun|under bright lamps",
        "it is very bright|the photo came out too bright|everything is white with light|there is a lot of "
        "light|strong illumination|a bright environment|glare|a sunny scene|high-key picture|bright pixels|"
        "the exposure is too high|the light is blinding|intense light|burnt-out whites|shiny light",
    ),
    (
        "colour -1",
        "non-colour|toneless grey|colour-free|all-grey|b/w|black and gray|achromatic",
        "with no colour at all|printed in black ink only|on black-and-white television|with the colours removed|in "
        "grey tones|that has lost its colours|as in an old silent film",
        "the picture has no colours|the colours were removed|grey tones only|a bw photo|a black and white film "
        "still|an old photograph without colour|converted to grayscale|there are no colours|zero "
        "saturation|low saturation|grayness",
    ),
    (
        "blur 1",
        "ill-focused|misfocused|streaky from movement|shaky|fuzzed|poorly focused|bleary|low-resolution|soft",
        "that is not in focus|with blurred edges|with soft edges|taken from a moving train|that was moving during "
        "the exposure|with poor sharpness|with details that cannot be made out|through a greasy "
        "lens|seen without glasses",
        "the photo is not sharp|the picture came out blurry|details cannot be recognized|the edges are soft|the "
        "image lacks detail|the camera was not focused|shaky camera|long exposure with movement|bokeh blur|"
        "a smooth image without details|unclear|low resolution",
    ),
    (
        "blur -1",
        "clear|well-focused|high-definition|detailed",
        "in high definition|with clear edges",
        "the photo is perfectly sharp|clear details|well focused|high definition",
    ),
    (
        "noise 1",
        "grain-filled|noise-ridden|rough-grained|dotted with noise|coarse-grained",
        "with visible grain|with strong noise|disturbed by noise|with colour specks|with white and black dots all "
        "over|as seen by a cheap camera sensor|with digital noise",
        "the image is full of noise|the photo came out grainy|visible grain|digital noise|specks and dots|the sensor "
        "was noisy|bad signal|a coarse grain|random pixel errors|corrupted by noise|television static",
    ),
    (
        "contrast -1",
        "contrastless|milky|toned-down",
        "that hardly stands out from its surroundings",
        "everything has nearly the same brightness|a milky picture|hardly any contrast",
    ),
    (
        "small 1",
        "wee|faraway|remote-looking|undersized|very distant",
        "on the horizon|that is just a speck|way in the back|from a long distance|at a great distance|that can "
        "barely be made out because it is so small|taking up a small area",
        "the thing is far from the camera|a speck in the picture|a wide shot with a small subject|it occupies a "
        "small area|the subject is too small to see|a long shot|a small figure",
    ),
    (
        "small -1",
        "enormous|oversized",
        "right in front of the camera|that takes up all the space|in extreme close-up",
        "it occupies the whole picture|the object is very big|a tightly framed subject",
    ),
    (
        "turned 1",
        "up-ended|upturned|topsy-turvy|tilted|misoriented|vertically flipped|rolled over",
        "turned by a quarter|facing the wrong way up|that was turned round|with its feet in the air|tilted by ninety "
        "degrees|mirrored top to bottom|hanging upside down",
        "the picture is upside down|the image was rotated|the photo lies on its side|the picture stands on its "
        "head|turn the photo|top and bottom are swapped|rotated clockwise|the camera was upside down|tilted",
    ),
    (
        "plain 1",
        "",
        "alone on white|in front of a plain wall|with no background|against a white wall|on a monochrome "
        "surface|standing alone in an empty space|in front of a grey studio backdrop|photographed on a white sheet",
        "there is no background|the background is empty|the background has one colour|the background is white|a "
        "blank wall|simple surroundings|studio background",
    ),
    (
        "plain -1",
        "jumbled|untidy-looking|overfilled|disorderly",
        "in the middle of a mess|in front of many objects|hidden among other objects|with lots of other things "
        "around|in a heap of things|in a disorderly room",
        "the background is full of things|the background is busy|there are many other objects|a disorderly scene|so "
        "many things at once|a complicated background|visual clutter|a pile of stuff",
    ),
    (
        "fog 1",
        "fog-filled|mist-covered|cloudy and misty",
        "hidden by fog|in a cloud of mist|in a fog bank|behind haze|half hidden in mist|in the morning mist",
        "fog hides everything|there is fog|the air is hazy|visibility is low because of fog|morning mist|a foggy "
        "day|fog over the land",
    ),
    (
        "snowfall 1, snow 0.3",
        "snowing",
        "while snow falls|with snowflakes around it|in a snow shower|in drifting snow",
        "snow is falling|it snows|flakes fall from the sky|a snow shower|a storm of snow",
    ),
    (
        "rain 1",
        "rained-on|dripping wet from rain",
        "while it is raining|wet from the rain|under rain clouds in a downpour|in a thunderstorm with "
        "rain|behind a curtain of rain",
        "rain is falling|it rains heavily|wet weather|a rainstorm|drops of rain fall",
    ),
    (
        "grass 1",
        "",
        "on a grassy hill|in the grass|standing in tall grass|on the village green|on a golf course|on a sports "
        "lawn|in a hayfield|grazing on a field",
        "green grass|the ground is grass|grass all around|a garden lawn|a green meadow",
    ),
    (
        "snow 1",
        "",
        "in the snowy mountains|covered with snow|on a snowy street|on frozen ground|in the Arctic|on a snow "
        "slope|on an icy field",
        "the ground is white with snow|snow lies everywhere|snowy hills|a winter scene|fresh snow",
    ),
    (
        "city 1",
        "",
        "in front of a building|on the road in the city|between houses|on a sidewalk|by the roadside in town|in "
        "front of shop windows|in New York|on a busy street",
        "a city street|a row of houses|buildings in the background|an urban street|tall buildings|a built "
        "environment|a city square",
    ),
    (
        "forest 1",
        "",
        "behind tree trunks|on the forest floor|in a pine forest|in front of green leaves|among leaves|up "
        "in a tree|in a thicket",
        "trees in the background|a green forest|tree trunks|bushes and leaves|a pine wood|greenery",
    ),
    (
        "water 1",
        "",
        "in front of the sea|swimming in water|under water|on the surface of a lake|at the seaside|on a river bank "
        "by the water|in a swimming pool|out at sea",
        "water in the background|blue water|water all around|the surface of the water|sea and waves|a harbour",
    ),
    (
        "sand 1",
        "",
        "on a sandy beach|in the dunes|in a dry desert|on the sandy floor|in hot sand|in an arid landscape",
        "sand everywhere|the ground is sand|a sandy desert|desert dunes|dry land",
    ),
    (
        "indoors 1",
        "",
        "in a bedroom|on a table in a room|in a workshop|inside the house|under a ceiling|in a museum|on the floor "
        "of a room|in a corridor|in a factory hall",
        "walls and a ceiling|inside a house|the inside of a room|a furnished room|household interior",
    ),
    (
        "sky 1",
        "",
        "high up in the sky|against the clouds|flying overhead|with only sky behind|hovering in the air",
        "sky in the background|white clouds|blue sky above|the air above|sky all around",
    ),
    (
        "mountains 1",
        "",
        "on a mountain top|on a rock|in a canyon|in the Alps|on stony ground|in a rocky valley",
        "mountains in the background|rocky mountains|steep rocks|a mountain valley|bare rock",
    ),
]
for _hue in ("red", "orange", "yellow", "green", "blue", "purple"):
    MORE.append(
        (
            f"{_hue} 1",
            f"{_hue}-hued|{_hue}-coloured all over|strongly {_hue}",
            f"with everything turned {_hue}|where all is {_hue}|bathed in {_hue}|with a strong {_hue} shade",
            f"{_hue} everywhere|the photo is {_hue}|the colours are shifted to {_hue}|overall {_hue}|a {_hue} "
            f"shade|the light is {_hue}|shades of {_hue}|all {_hue}",
        )
    )
