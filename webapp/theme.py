"""Gradio's theme, tied to the colors of assets/css/tokens.css."""

from __future__ import annotations

import re

from gradio.themes import Base

from core.files import ASSETS

COLOURS = {
    "body_background_fill": "page",
    "body_text_color": "ink",
    "background_fill_primary": "card",
    "block_background_fill": "card",
    "block_border_color": "line",
    "body_text_color_subdued": "ink-2",
    "block_info_text_color": "ink-2",
    "input_placeholder_color": "ink-2",
    "block_label_text_color": "ink-2",
    "block_title_text_color": "ink-2",
    "border_color_primary": "line",
    "panel_background_fill": "card",
    "input_background_fill": "field",
    "input_border_color": "line-2",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent-2",
    "button_primary_text_color": "accent-ink",
    "button_secondary_background_fill": "card",
    "button_secondary_border_color": "line",
    "button_secondary_text_color": "ink",
}
"""The style sheet's color of each, by day and by night."""


PLAIN = {"label_background_fill": "transparent", "shadow": "none"}
"""Of a block, by day and by night."""


def quiet_theme() -> Base:
    """A quiet theme of the fonts that the visitor's machine has; nothing is fetched."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    mono = ("ui-monospace", "SF Mono", "Cascadia Mono", "Menlo", "monospace")
    base = Base(primary_hue="indigo", neutral_hue="slate", font=sans, font_mono=mono, radius_size="md", text_size="md")
    day, night = map(_tokens, re.findall(r"\{([^}]*)\}", (ASSETS / "css/tokens.css").read_text("utf-8")))
    # the sign-in page comes without our style sheets, so each color stands here too
    modes = (("", day), ("_dark", night))
    both = {f"{n}{mode}": f"var(--{c}, {of[c]})" for n, c in COLOURS.items() for mode, of in modes}
    plain = {f"block_{name}{mode}": value for name, value in PLAIN.items() for mode in ("", "_dark")}
    return base.set(**both, **plain, input_border_width="1px", shadow_drop="none")


def _tokens(block: str) -> dict[str, str]:
    """Values by name of the variables in one block of the style sheet."""
    return dict(re.findall(r"--([\w-]+): ([^;]+);", block))
