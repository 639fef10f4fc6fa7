"""Each piece of work draws its own random numbers, and nobody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from core.systems.common.own_random import OwnRandom


def drawn(seed: int, blocks: int = 50) -> list[float]:
    own, found = OwnRandom(seed), list[float]()
    for _ in range(blocks):
        with own:
            found.append(float(torch.nn.functional.dropout(torch.ones(8), 0.5).sum() + torch.rand(1)))
    return found


def test_threads_at_once_draw_what_each_would_draw_alone() -> None:
    alone = [drawn(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(drawn, range(8))) == alone
    assert len({tuple(one) for one in alone}) == 8


def test_the_state_of_the_process_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    with OwnRandom(3):
        torch.rand(5)
        with OwnRandom(4):
            torch.rand(5)
        inner = torch.rand(5)
    assert torch.equal(torch.get_rng_state(), before)
    with OwnRandom(3):
        torch.rand(5)
        assert torch.equal(torch.rand(5), inner)  # the block within it took nothing of its sequence


def test_nothing_else_sets_the_state_that_threads_share(repository: Path) -> None:
    names = ("torch.manual_seed", "torch.seed(", "set_rng_state", "fork_rng", "np.random.seed", "\nimport random\n")
    setting = {
        path.relative_to(repository).as_posix()
        for room in ("core", "webapp")
        for path in (repository / room).rglob("*.py")
        if any(name in path.read_text("utf-8") for name in names)
    }
    assert setting == {"core/systems/common/own_random.py"}
