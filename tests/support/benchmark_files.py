"""Small files in the forms of published benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


COLA = [
    ["https://a.org/vg/1.jpg", "red cube left of blue ball", "https://a.org/vg/2.jpg", "blue cube left of red ball"],
    ["https://a.org/vg/2.jpg", "tall tree near low  wall", "https://a.org/vg/3.jpg", "low tree near tall wall"],
]
COLA_SINGLE = {
    "labels": ["square white plate", "round red plate", "green cup", "old clock"],
    "data": [
        ["1.jpg", {"plate": ["white", "square"]}, [1, 0, 0, 0], [1, 1, 0, 0]],
        ["2.jpg", {"plate": ["red", "round"]}, [0, 1, 0, 0], [1, 1, 0, 0]],
        ["3.jpg", {"cup": ["red"]}, [0, 0, 0, 0], [0, 1, 1, 0]],
        ["4.jpg", {"clock": ["old"]}, [0, 0, 0, 1], [0, 0, 0, 0]],
    ],
}
WINOGROUND = "\n".join(
    json.dumps(
        {
            "id": i,
            "image_0": f"ex_{i}_img_0",
            "image_1": f"ex_{i}_img_1",
            "caption_0": f"a dog bites man {i}",
            "caption_1": f"a man bites dog {i}",
            "tag": "Noun",
            "secondary_tag": "" if i else "Morpheme-Level",
            "num_main_preds": 1,
            "collapsed_tag": "Object",
        }
    )
    for i in range(2)
)
COLORSWAP = [
    {
        "id": i,
        "image_1": f"images/img_{i}_1.png",
        "image_2": f"images/img_{i}_2.png",
        "caption_1": f"red hat, blue shoe {i}",
        "caption_2": f"blue hat, red shoe {i}",
        "image_source": "midjourney",
        "caption_source": "gpt-4",
    }
    for i in range(2)
]
TWO_TRUE: list[dict[str, Any]] = [
    {
        "id": 0,
        "filename": "000000000001.jpg",
        "caption": "A cat sits on a mat.",
        "caption2": "On a mat there is a cat.",
        "negative_caption": "A mat sits on a cat.",
    },
    {
        "id": 7,
        "filename": "000000000002.jpg",
        "caption": "A dog chases a man.",
        "caption2": "A man is chased by a dog.",
        "negative_caption": "A man chases a dog.",
    },
]
SUGARCREPE = {
    "0": {"filename": "a.jpg", "caption": "A cat on a mat.", "negative_caption": "A mat on a cat."},
    "2": {"filename": "b.jpg", "caption": "Two dogs.", "negative_caption": "Two cats."},
}


def relation(name: str, i: int = 0) -> dict[str, Any]:
    box = {"bbox_x": 1, "bbox_y": 2, "bbox_w": 30, "bbox_h": 20}
    captions = {"true_caption": f"the horse is {name} the grass", "false_caption": f"the grass is {name} the horse"}
    return {"image_id": str(i), "image_path": f"{i}.jpg", **box, **captions, "relation_name": name}


def attribution(first: str, second: str, i: int = 0) -> dict[str, Any]:
    made = relation("on", i)
    del made["relation_name"]
    return {**made, "attributes": [first, second], "false_caption": f"the {second} {first} thing {i}"}


ORDER = [{"image": "val2014/1.jpg", "caption": ["A man with a red helmet on a small moped.", "Dogs run."]}]
CREPE = (
    "image_id,x,y,width,height,caption,hard_negs\n"
    '12,1,2,30,20,a dog on a log,"[\'a log on a dog\', ""a dog\'s log""]"\n'
    "13,0,0,10.0,10,a cup,['a cap']\n"
)
CAPTIONS = (
    "file,split,caption_0,caption_1\n"
    "1.jpg,train,A black dog on a red mat .,A dog and a cat beside a basket .\n"
    "2.jpg,dev,Two boys run along a beach .,\n"
    "3.jpg,dev,Snow .,\n"
    ",dev,A red car .,\n"
)
NEGCLIP = (
    "\ttitle\tfilepath\tneg_caption\tneg_image\n"
    "0\tA child pets a yak.\tcoco/val2014/1.jpg\t['A yak pets a child .', 'A yak child pets a .']\t[1]\n"
    '1\tIt\'s red.\tcoco/val2014/2.jpg\t"[""Red \'s it .""]"\t[0]\n'
)


def valse(votes: int | None = 3, **more: Any) -> dict[str, Any]:
    asked = None if votes is None else {"foil": 0, "caption": votes, "other": 3 - votes}
    made = {
        "dataset": "v7w",
        "original_split": "test",
        "image_file": "v7w_1.jpg",
        "linguistic_phenomena": "existence",
        "classes": "a",
    }
    return {**made, "caption": "a dog", "foil": "no dog", "classes_foil": "b", "mturk": asked, **more}


def thing(size: str, color: str, material: str, shape: str) -> dict[str, Any]:
    return {"size": size, "color": color, "material": material, "shape": shape, "pixel_coords": [1, 2, 3]}


SCENES = {
    "scenes": [
        {
            "image_filename": "0.png",
            "objects": [thing("large", "red", "metal", "cube"), thing("small", "blue", "rubber", "sphere")],
        },
        {"image_filename": "1.png", "objects": [thing("large", "red", "metal", "cube")]},
        {"image_filename": "2.png", "objects": [thing("small", "green", "metal", "cylinder")]},
        {"image_filename": "3.png", "objects": []},
    ]
}
OWN_CHOICE = "image,caption,foil,place\na.png,a red cup,a blue cup,home\nb.png,two dogs,two cats,\n"
OWN_PAIRS = "image_1;caption_1;image_2;caption_2\na.png;red cup, blue hat;b.png;blue cup, red hat\n"
