"""What a name of a model says: a tag brings the activation that it was trained with, and a path is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.encoders.open_clip.source import parse_source
from core.errors import InvalidInput


def test_a_tag_brings_the_activation_it_was_trained_with() -> None:
    from core.encoders.open_clip.load import _tag_options

    assert _tag_options(parse_source("ViT-B-32/openai"), None) == {"force_quick_gelu": True}
    assert _tag_options(parse_source("ViT-B-32/laion2b_s34b_b79k"), None) == {}
    with pytest.raises(InvalidInput, match="has no weights called"):
        _tag_options(parse_source("ViT-B-32-quickgelu/laion2b_s34b_b79k"), None)


def test_a_path_alone_is_told_how_it_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InvalidInput, match=f"{path}' is a path.*'open_clip:local-dir:{path}'"):
            parse_source(str(path))
