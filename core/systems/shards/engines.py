"""Where the work on shards is done: in this process, or by workers of Ray."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.shards.jobs import CLUSTER, OTHER_MACHINES, TOKEN, ShardDone, ShardJob, Worker

T = TypeVar("T")

EngineName = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = ("local", "ray")
_TOLD = 3
"""Broken shards that a message tells of."""


@dataclass(frozen=True, slots=True)
class ShardEngine:
    """Who does the work."""

    name: EngineName = "local"
    workers: int = 1
    """Of Ray, each with a core of its own."""

    def __post_init__(self) -> None:
        if self.name not in ENGINES or self.workers < 1 or (self.name == "local" and self.workers > 1):
            raise InvalidInput(
                f"The engine must be one of {', '.join(ENGINES)} with at least 1 worker, and local has 1: got "
                f"{self.name!r} with {self.workers}. Several workers need Ray."
            )

    def results(self, job: ShardJob[T], names: Sequence[str]) -> Iterator[ShardDone[T]]:
        """What became of each shard, in the order in which they are done."""
        if self.name == "ray":
            if not os.environ.get(CLUSTER):
                os.environ[OTHER_MACHINES] = "0"
                os.environ.setdefault(TOKEN, secrets.token_hex(32))  # else Ray keeps one in the home folder
            from core.systems.shards.ray_engine import ray_results  # Ray

            return ray_results(job, names, self.workers)
        return map(Worker(job), names)


LOCAL = ShardEngine()


def over_shards(
    job: ShardJob[T], names: Sequence[str], step: str, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress
) -> dict[str, T]:
    """The job's value of each shard, by name and in the order of the names.

    A shard that cannot be used stops no other: what these wrote stays, and is not done again.

    Args:
        step: what the progress is called, counted in shards.

    Raises:
        InvalidInput: some could not be used; the message names the first three and says why.
        MissingDependency: Ray is not installed.
    """
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    progress(step, 0, len(names))
    for done in engine.results(job, names):
        if done.problem:
            problems[done.name] = done.problem
        else:
            found[done.name] = done.value
        progress(step, len(found) + len(problems), len(names))
    if problems:
        told = " ".join(problems[name] for name in sorted(problems)[:_TOLD])
        raise InvalidInput(
            f"{len(problems):,} of {len(names):,} shards could not be used (in all steps of a run, every shard must "
            f"be). {told} Mend them or take them out, and run the same command again: what is done stays."
        )
    return {name: found[name] for name in names}
