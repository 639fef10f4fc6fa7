"""Work on shards: what is done to each, and what became of it. A shard is one piece of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from core.errors import InvalidInput

T = TypeVar("T", covariant=True)

CLUSTER = "RAY_ADDRESS"
OTHER_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
TOKEN = "RAY_AUTH_TOKEN"
"""Ray's environment variables: the cluster to use; whether it listens to other machines, on any system, which it reads
while it is imported; and what a process must know to be let in."""


class ShardJob(Protocol[T]):
    """Work to be done on each shard; sent to every worker."""

    def start(self) -> Callable[[str], T]:
        """Load what all shards need, such as an encoder, once for each worker; gives the work on a shard by its
        name."""
        ...


@dataclass(frozen=True, slots=True)
class ShardDone(Generic[T]):
    """What became of one shard."""

    name: str
    value: T | None
    problem: str = ""
    """What the user can mend of it, in one message."""


class Worker(Generic[T]):
    """Does a job on one shard after another; what it needs is loaded at the first.

    What is wrong with a shard is told in its result; anything else, such as a package that is missing, is raised.
    """

    def __init__(self, job: ShardJob[T]) -> None:
        self._job = job
        self._work = None

    def __call__(self, name: str) -> ShardDone[T]:
        try:
            self._work: Callable[[str], T] | None = self._work or self._job.start()
            return ShardDone(name, self._work(name))
        except InvalidInput as error:
            return ShardDone(name, None, str(error))
