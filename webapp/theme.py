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
"""Color names of the style sheet, for light and dark."""


PLAIN = {"label_background_fill": "transparent", "shadow": "none"}
"""Block settings for light and dark."""


def quiet_theme() -> Base:
    """Return a plain theme in the visitor's system fonts; nothing is downloaded."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    mono = ("ui-monospace", "SF Mono", "Cascadia Mono", "Menlo", "monospace")
    base = Base(primary_hue="indigo", neutral_hue="slate", font=sans, font_mono=mono, radius_size="md", text_size="md")
    blocks = re.findall(r"\{([^}]*)\}", (ASSETS / "css/tokens.css").read_text("utf-8"))  # light, then dark
    # the sign-in page lacks our style sheets, so colors are set here too
    values = dict[str, str]()
    for mode, block in zip(("", "_dark"), blocks, strict=True):
        tokens = dict(re.findall(r"--([\w-]+): ([^;]+);", block))
        values |= {f"{name}{mode}": f"var(--{token}, {tokens[token]})" for name, token in COLOURS.items()}
        values |= {f"block_{name}{mode}": value for name, value in PLAIN.items()}
    return base.set(**values, input_border_width="1px", shadow_drop="none")
