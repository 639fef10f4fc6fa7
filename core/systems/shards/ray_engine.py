"""Workers of Ray: of a cluster that $RAY_ADDRESS names, else of this machine alone, reached by no other.

Only names of shards and small results pass through Ray: each worker reads and writes its shards itself, so its object
store holds next to nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from core.encoders.embedded.lite0_runtime import THREADS
from core.errors import InvalidInput
from core.systems.shards.jobs import CLUSTER, ShardDone, ShardJob, Worker

STORE_BYTES = 256 * 2**20
"""Ray's shared memory on this machine."""
RETRIES = 3
"""How often a shard is tried again whose worker died, as where memory ran out."""


class _RayWorker:
    def __init__(self) -> None:
        os.environ[THREADS] = "1"  # its own core
        self._worker: Worker[Any] | None = None

    def do(self, job: ShardJob[Any], name: str) -> ShardDone[Any]:
        self._worker = self._worker or Worker(job)
        return self._worker(name)


def ray_results(job: ShardJob[Any], names: Sequence[str], workers: int) -> Iterator[ShardDone[Any]]:
    """What became of each shard, in the order in which they are done; a worker that dies is started again."""
    ray, exceptions = _packages()
    n = min(workers, len(names))
    with started(workers):
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < n:  # those without a core would wait for one without end, and shards for them
            raise InvalidInput(
                f"Ray has {cores} cores and {n} workers need one each. Lower --workers, or add machines."
            )
        sent = ray.put(job)
        worker = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(_RayWorker)
        pool = import_module("ray.util").ActorPool([worker.remote() for _ in range(n)])
        for name in names:
            pool.submit(lambda worker, name: worker.do.remote(sent, name), name)
        left = dict.fromkeys(names)
        while pool.has_next():
            try:
                done = pool.get_next_unordered()
            except exceptions.RayTaskError as error:
                raise error.cause from error
            except exceptions.RayActorError:
                continue  # which shard it was is told below
            del left[done.name]
            yield done
        for name in left:
            yield ShardDone(
                name, None, f"{name}: each worker that opened it died ({RETRIES + 1} times). Is there memory enough?"
            )


def _packages() -> tuple[Any, Any]:
    """Ray and its errors, imported when they are needed."""
    return import_module("ray"), import_module("ray.exceptions")


@contextmanager
def started(workers: int) -> Generator[None]:
    """Ray, for the block; one that runs in this process already is used and left running."""
    ray, _ = _packages()
    if ray.is_initialized():
        yield
        return
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        try:
            _start(workers)
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = f"The cluster at {os.environ[CLUSTER]} ($RAY_ADDRESS)" if os.environ.get(CLUSTER) else "Ray"
            raise InvalidInput(
                f"{where} could not be reached or started ({str(error)[:200]}). See to it, or leave --engine ray out."
            ) from error
        if main:
            signal.signal(signal.SIGTERM, before)  # Ray puts its own in place
        yield
    finally:
        ray.shutdown()


def _start(workers: int) -> None:
    ray, _ = _packages()
    if os.environ.get(CLUSTER):
        ray.init(log_to_driver=False, logging_level="error")
        return
    ray.init(
        address="local",
        num_cpus=workers,
        object_store_memory=STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
