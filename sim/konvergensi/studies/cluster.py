"""The engine on a Dask cluster: any number of machines, by the address of their scheduler.

Dask gives a job of a lost worker to another. What it cannot mend is the loss of the scheduler: that ends the study,
which can be resumed. On Ctrl-C, jobs under way are given up.
"""

from __future__ import annotations

import itertools
import logging
import queue
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from konvergensi.base.errors import InputError, fault
from konvergensi.studies.engines import DIED, J, Results

TIMEOUT_S = 10  # for the scheduler to answer
JOBS_PER_THREAD = 3  # one under way and two waiting keep a worker busy while results travel


def dask(work: Callable[[J], Any], jobs: Iterable[J], address: str, check: Callable[[], None]) -> Results[J]:
    """Do the jobs on the workers of a Dask scheduler, also on those that come later.

    Parameters: work, what a worker can find; check, run on each worker there is, raises InputError where it may not.
    Raises InputError when there is no scheduler, when it is lost, when a worker refuses or cannot find the work.
    """
    client = _connect(address)
    with _closing(client):
        _refuse_others(client, check, address)
        yield from _work_off(client, work, iter(jobs), address)


def _work_off(client: Any, work: Callable[[J], Any], waiting: Iterator[J], address: str) -> Results[J]:
    under_way: dict[Any, J] = {}
    ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
    names = (f"cell-{uuid.uuid4().hex}-{number}" for number in itertools.count())  # no key of another study
    while True:
        try:
            room = JOBS_PER_THREAD * max(sum(client.nthreads().values()), 1) - len(under_way)
            for job in itertools.islice(waiting, max(room, 0)):
                future = client.submit(work, job, key=next(names))
                under_way[future] = job
                future.add_done_callback(ready.put)
        except (OSError, RuntimeError):  # what Dask says when the line is dead
            raise _lost(address) from None
        if not under_way:
            return
        for future in _some(ready, client, address):
            result = _result(future, address)
            yield under_way.pop(future), result


def _some(ready: queue.SimpleQueue[Any], client: Any, address: str) -> Iterator[Any]:
    """Futures that are done, at least one. Raises InputError when the scheduler is lost."""
    while True:
        try:
            yield ready.get(timeout=1.0)
            break
        except queue.Empty:
            if client.status != "running":
                raise _lost(address) from None
    while not ready.empty():
        yield ready.get()


def _result(future: Any, address: str) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        return DIED
    except InputError:
        raise
    except BaseException as problem:  # CancelledError is no Exception
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            raise
        if future.status != "error":  # it was done, but its result cannot be had any more
            raise _lost(address) from None
        reason = f"{type(problem).__name__}: {problem}"
        raise InputError(fault("", "--cluster", "cluster_failed", value=address, reason=reason)) from None


def _lost(address: str) -> InputError:
    return InputError(fault("", "--cluster", "cluster_lost", value=address))


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(fault("", "--cluster", "no_distributed")) from None
    try:
        return Client(address, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as problem:  # TimeoutError is an OSError
        raise InputError(fault("", "--cluster", "no_scheduler", value=address, reason=problem)) from None


@contextmanager
def _closing(client: Any) -> Iterator[None]:
    """Close the client whatever happens; what Dask logs of a lost connection is told in our own words."""
    loggers = [logging.getLogger(name) for name in ("distributed.client", "distributed.comm", "distributed.batched")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        try:
            client.close(timeout=5)
        except OSError:
            pass
        finally:
            for logger, level in zip(loggers, before):
                logger.setLevel(level)


def _refuse_others(client: Any, check: Callable[[], None], address: str) -> None:
    found = client.run(check, on_error="return")
    for worker, said in found.items():
        if isinstance(said, InputError):
            raise said
        if isinstance(said, BaseException):
            reason = f"{worker}: {type(said).__name__}: {said}"
            raise InputError(fault("", "--cluster", "cluster_failed", value=address, reason=reason))
