"""Jobs on shards: the work on one shard, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from core.errors import InvalidInput

T = TypeVar("T", covariant=True)

CLUSTER = "RAY_ADDRESS"
OTHER_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
TOKEN = "RAY_AUTH_TOKEN"
"""Ray's environment variables: the cluster to use; whether Ray listens to other machines, on any system, which it reads
on import; and the token that admits a process."""


class ShardJob(Protocol[T]):
    """Work on each shard; sent to every worker."""

    def start(self) -> Callable[[str], T]:
        """Load what all shards need, such as an encoder, once per worker; returns the work on a shard by its name."""
        ...


@dataclass(frozen=True, slots=True)
class ShardDone(Generic[T]):
    """The result of one shard."""

    name: str
    value: T | None
    problem: str = ""
    """A message about a broken shard that the user can fix."""


class Worker(Generic[T]):
    """Does a job on one shard after another; loads what the job needs at the first shard.

    A broken shard is reported in its result; other errors, such as a missing package, are raised.
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
