"""Gradio's theme, tied to the colours of assets/css/tokens.css."""

from __future__ import annotations

from gradio.themes import Base


def quiet_theme() -> Base:
    """A quiet theme of the fonts that the visitor's machine has; nothing is fetched. Colours come from
    assets/css/tokens.css."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    mono = ("ui-monospace", "SF Mono", "Cascadia Mono", "Menlo", "monospace")
    base = Base(primary_hue="indigo", neutral_hue="slate", font=sans, font_mono=mono, radius_size="md", text_size="md")
    return base.set(
        body_background_fill="var(--page)",
        body_background_fill_dark="var(--page)",
        body_text_color="var(--ink)",
        body_text_color_dark="var(--ink)",
        background_fill_primary="var(--card)",
        background_fill_primary_dark="var(--card)",
        block_background_fill="var(--card)",
        block_background_fill_dark="var(--card)",
        block_border_color="var(--line)",
        block_border_color_dark="var(--line)",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_text_color="var(--ink-2)",
        block_label_text_color_dark="var(--ink-2)",
        block_title_text_color="var(--ink-2)",
        block_title_text_color_dark="var(--ink-2)",
        border_color_primary="var(--line)",
        border_color_primary_dark="var(--line)",
        input_background_fill="var(--field)",
        input_background_fill_dark="var(--field)",
        button_primary_background_fill="var(--accent)",
        button_primary_background_fill_dark="var(--accent)",
        button_primary_background_fill_hover="var(--accent-2)",
        button_primary_background_fill_hover_dark="var(--accent-2)",
        button_primary_text_color="var(--accent-ink)",
        button_primary_text_color_dark="var(--accent-ink)",
        button_secondary_background_fill="var(--card)",
        button_secondary_background_fill_dark="var(--card)",
        button_secondary_border_color="var(--line)",
        button_secondary_border_color_dark="var(--line)",
        button_secondary_text_color="var(--ink)",
        button_secondary_text_color_dark="var(--ink)",
        shadow_drop="none",
        block_shadow="none",
        block_shadow_dark="none",
    )
