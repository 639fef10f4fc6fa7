"""Rendered scenes for a grid of binding: two things each, drawn so that every attribute is shown with every shape."""

from __future__ import annotations

from core.errors import InvalidInput
from core.language.grammar import spoken
from core.systems.composition.grid.questions import PictureContents
from core.systems.composition.scenes.benchmarks import SceneStore, scenes_of
from core.systems.composition.scenes.held_out import HeldOut
from core.systems.composition.scenes.items import RenderedPlan, draw_items

ATTRIBUTES = ("colour", "material")
SEED = 2026


def draw_binding(
    n: int = 300, attribute: str = "colour", *, seed: int = SEED
) -> tuple[SceneStore, tuple[PictureContents, ...]]:
    """n images of two things that differ in shape and in one attribute, and what each shows, for
    `core.systems.composition.grid.binding.binding_grid`.

    They come in twos with the attribute exchanged, and nothing is held out, so that what a model thinks of a word
    whatever is shown evens out. For each of the 48 cells of colour and shape to have about ten images, draw 300.

    Raises:
        InvalidInput: n is odd or below 2, or the attribute is unknown.

    Example:
        >>> store, shown = draw_binding(2)
        >>> len(store), len(shown[0].things)
        (2, 2)
    """
    if attribute not in ATTRIBUTES or n < 2 or n % 2:
        raise InvalidInput(
            f"Images are drawn in pairs, for one of {', '.join(ATTRIBUTES)}: got {n} for {attribute[:40]!r}. "
            "Use an even number."
        )
    plan = RenderedPlan(kinds=(attribute,), distractors=(0, 0), held_out=HeldOut())
    scenes = scenes_of(draw_items(plan, n // 2, seed, "seen"))
    pairs = [
        tuple((spoken(getattr(thing, attribute)), spoken(thing.shape)) for thing in scene.things) for scene in scenes
    ]
    return SceneStore(scenes), tuple(PictureContents(i, things) for i, things in enumerate(pairs))
