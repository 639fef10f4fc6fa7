"""Tiny CLIPs whose prompts are learned."""

from __future__ import annotations

import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from tests.support.tiny_clip import write_hugging_face, write_native


@pytest.fixture(scope="module", params=["native", "hugging face"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    if request.param == "native":
        write_native(folder)
    else:
        write_hugging_face(folder, context_length=16)
    return OpenClipEncoder(f"local-dir:{folder}")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_native(tmp_path_factory.mktemp('models') / 'native')}")
