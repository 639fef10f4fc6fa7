"""Fixtures and switches shared by every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from core.encoders.embedded import minilm
from core.records import Diagnosis
from tests.support.chromium import ARGUMENTS, CHROMIUM, WEBGL
from tests.support.diagnoses import make_diagnosis
from tests.support.golden import hold
from tests.support.sentences import remembering

# Set before any test imports a library that reads them: tests never reach a model hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
# Each test process looks for 100 free ports in a range of its own: of two that look at once, one fails. The ranges of
# two runs of the tests beside each other are apart, too, nearly always.
os.environ["GRADIO_SERVER_PORT"] = str(12_000 + 100 * (os.getpid() % 200))

# Looking for garbage among all that is imported while tests are collected takes a fifth of the collection's time.
gc.disable()

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write what scenes say now into tests/golden")


def pytest_collection_finish() -> None:
    """What the modules hold lives as long as the process: none of it is looked at again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; a test that asks for it is skipped where there is none."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real data beside the checkout (../shared/data)")
    return folder


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """golden(name, scenes): each of these titled texts stands so in that file of tests/golden."""
    return partial(hold, rewrite=bool(request.config.getoption("--rewrite-golden")))


@pytest.fixture
def diagnosis() -> Diagnosis:
    """A small made-up diagnosis: 60 samples with images, two confirmed clusters."""
    return make_diagnosis()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of a test lie beside its own temporary folder, never in the user's, and its servers keep no runs there."""
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.setenv("ERRATA_KEEP", "none")


@pytest.fixture(scope="session", autouse=True)
def quick_comparisons() -> Iterator[None]:
    """Two models are compared with a tenth of the permutations, which nearly all of the time goes to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.checks.paired_errors.PERMUTATIONS", 499)
        yield


@pytest.fixture
def plain_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """The map as a PCA view: compiling UMAP takes longer than all else."""
    from core.embeddings.projection import pca_map

    monkeypatch.setattr("core.discovery.method.umap_map", lambda embeddings, **_: pca_map(embeddings))


@pytest.fixture
def few_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve phrases for names: speaking all that are shipped takes longer than all else."""

    from core.language.vocabulary import Vocabulary, read_vocabulary

    def read(path: Path | None, modality: str) -> Vocabulary:
        shipped = read_vocabulary(path, modality)
        return replace(shipped, phrases=shipped.phrases[:12])

    monkeypatch.setattr("core.language.phrases.read_vocabulary", read)


@pytest.fixture(scope="module")
def few_searched() -> Iterator[None]:
    """The weight of a re-ranker is chosen on 12 everyday images, and what a training cost is measured on 40 with
    labels and 20 with captions: drawing and reading hundreds takes longer than a tiny adapter's training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.systems.composition.training.train.SEARCHED", 12)
        patch.setattr("core.systems.composition.training.forgetting.LABELLED", 40)
        patch.setattr("core.systems.composition.training.forgetting.CAPTIONED", 20)
        yield


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests have in common: of `scripts/test`, or of one pytest."""
    base = tmp_path_factory.getbasetemp()
    if "ERRATA_TESTS_TOGETHER" in os.environ:
        return Path(os.environ["ERRATA_TESTS_TOGETHER"])
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def read_once(together: Path) -> Iterator[None]:
    """What one test had MiniLM read, the next one need not have read again, nor the other processes of this run."""
    tower = minilm.load_tower

    @cache
    def load_tower() -> minilm.Sentences:
        return remembering(tower(), together / "sentences")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minilm, "load_tower", load_tower)
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium driven by Playwright; the test is skipped where there is none.

    It is closed after each file: Playwright's event loop runs in this thread, and `asyncio.run` of other tests refuses
    to start beside it.
    """
    if CHROMIUM is None:
        pytest.skip("needs Chromium: install it, or name one in ERRATA_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *WEBGL])
        yield browser
        browser.close()
