"""Workers of Ray: on the cluster at $RAY_ADDRESS, else on this machine only and closed to others.

Only names of shards and small results pass through Ray: each worker reads and writes its shards itself, so Ray's object
store is almost empty.
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
"""Ray's shared memory on this machine; small, since only names and small results pass through it."""
MAX_RETRIES = 3
"""Retries of a shard whose worker died, for example out of memory. A convention."""


class _RayWorker:
    def __init__(self) -> None:
        os.environ[THREADS] = "1"  # its own core
        self._worker: Worker[Any] | None = None

    def do(self, job: ShardJob[Any], name: str) -> ShardDone[Any]:
        self._worker = self._worker or Worker(job)
        return self._worker(name)


def ray_results(job: ShardJob[Any], names: Sequence[str], workers: int) -> Iterator[ShardDone[Any]]:
    """The result of each shard, in the order in which they are done; a worker that dies is restarted."""
    ray, exceptions = _packages()
    n = min(workers, len(names))
    with started(workers):
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < n:  # workers without a core would wait forever
            raise InvalidInput(
                f"Ray has {cores} cores and {n} workers need one each. Lower --workers, or add machines."
            )
        sent = ray.put(job)
        worker = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=MAX_RETRIES)(_RayWorker)
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
                continue  # its shard stays in `left`
            del left[done.name]
            yield done
        for name in left:
            problem = f"{name}: each worker that opened it died ({MAX_RETRIES + 1} times). Check the memory."
            yield ShardDone(name, None, problem)


def _packages() -> tuple[Any, Any]:
    """Ray and its errors, imported on first use."""
    return import_module("ray"), import_module("ray.exceptions")


@contextmanager
def started(workers: int) -> Generator[None]:
    """Start Ray for the block; a Ray that already runs in this process is used and left running."""
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
            subject = "Ray could not be started"
            if os.environ.get(CLUSTER):
                subject = f"The cluster at {os.environ[CLUSTER]} ($RAY_ADDRESS) could not be reached"
            raise InvalidInput(f"{subject} ({str(error)[:200]}). Fix it, or remove --engine ray.") from error
        if main:
            signal.signal(signal.SIGTERM, before)  # Ray sets its own handler
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
