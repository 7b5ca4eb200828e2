"""Engines: where jobs are done. Each yields (job, what came out) as it comes, with few jobs waiting, in any order.

What a job gives does not depend on the engine. Raising is for what stops everything: work that may fail on its own has
to give its failure back as a result. A job that ends its process gives `DIED`.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from konvergensi.base.errors import InputError, fault
from konvergensi.base.startup import started, starting

J = TypeVar("J")
ONE_AT_A_TIME = threading.Lock()  # a Dask worker may have several threads; the model is made for one
Results = Generator[tuple[J, Any], None, None]  # closing it ends the engine


class Died:
    """What comes of a job whose process ended by itself, each time it was tried."""


DIED = Died()
TRIES_ALONE = 2  # of a job that lost its process: the first loss may have been another's doing, the second chance


def in_process(work: Callable[[J], Any], jobs: Iterable[J]) -> Results[J]:
    """Do the jobs here, one after the other."""
    for job in jobs:
        yield job, work(job)


def processes(work: Callable[[J], Any], jobs: Iterable[J], workers: int, ahead: int = 0) -> Results[J]:
    """Do the jobs in local processes, started anew.

    Parameters: work, what another process can find; ahead, how many jobs wait besides those under way.
    A process that is killed takes nothing with it: its job is tried again, alone, and only what ends its process each
    time gives DIED. On Ctrl-C no other job is begun, and those under way are still yielded. Raises InputError when
    processes cannot be started at all, and whatever work raises.
    """
    waiting = iter(jobs)
    while True:
        broken = yield from _until_broken(work, waiting, workers, ahead)
        if not broken:
            return
        yield from _one_by_one(work, broken)


def _until_broken(
    work: Callable[[J], Any], waiting: Iterator[J], workers: int, ahead: int
) -> Generator[tuple[J, Any], None, list[J]]:
    """Do the jobs until a process is lost; return the jobs that were lost with it."""
    pool = _pool(workers)
    under_way: dict[Future[Any], J] = {}
    refused: list[J] = []  # taken when the pool was broken already

    def begin(count: int) -> None:
        for job in itertools.islice(waiting, count):
            refused.append(job)
            under_way[pool.submit(_do, work, job)] = job
            refused.pop()

    try:
        with unheard_interrupt():
            begin(workers + ahead)
        while under_way:
            for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                result = done.result()
                yield under_way.pop(done), result
                begin(1)
    except BrokenProcessPool:
        return [*under_way.values(), *refused]
    except KeyboardInterrupt:
        kept = {future: job for future, job in under_way.items() if not future.cancel()}
        for done in wait(kept).done:
            if not done.exception():
                yield kept[done], done.result()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return []


def _one_by_one(work: Callable[[J], Any], jobs: list[J]) -> Results[J]:
    """Do jobs that lost their process, one at a time. Raises InputError when a process cannot even start."""
    left = [(job, TRIES_ALONE) for job in jobs]
    while left:
        pool = _pool(1)
        try:
            with unheard_interrupt():
                alive = pool.submit(os.getpid)
            try:
                alive.result()
            except BrokenProcessPool:
                raise InputError(fault("", "--workers", "worker_died")) from None
            while left:
                result = pool.submit(_do, work, left[0][0]).result()
                yield left.pop(0)[0], result
        except BrokenProcessPool:
            job, tries = left.pop(0)
            if tries > 1:
                left.insert(0, (job, tries - 1))
            else:
                yield job, DIED
        finally:
            pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # the same on every system, and nothing is inherited by chance
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_as_worker)


def _do(work: Callable[[J], Any], job: J) -> Any:
    """Do a job in a worker, which has imported what it takes when it comes here."""
    started()
    return work(job)


def cores() -> int:
    """Processors this process may use."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


@contextmanager
def unheard_interrupt() -> Iterator[None]:
    """Processes started in here leave Ctrl-C to this one from their first moment; one that comes now is heard after."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may say so
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    # a blocked signal stays blocked in the processes started; where there are no masks they are open to it
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


def _as_worker() -> None:
    """Start without delay; end when the parent is gone, however it went."""
    starting()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
