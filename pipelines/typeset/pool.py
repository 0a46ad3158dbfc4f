"""Processes of the standard library that make pages, in the order of their numbers."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from ...engine.errors import PagemillError
from .request import JOB_PAGES, PageRange, TypesetRequest
from .worker import EncodedPage, FailedPage, PageWorker, pages_here, start_process

_JOBS_AHEAD = 4
"""Jobs that wait or are done, a process."""
_MOST_FAILURES = 16
"""Pages that fail in a row and stop the run: then it is not the pages."""

Progress = Callable[[int, int], None]
"""Called with pages made and pages in all."""


class ProcessPool:
    """The processes that make pages; with one worker, this process alone.

    Args:
        request: what to make.
        workers: processes.
        done: pages that an earlier run made.
        progress: called after each job.
    """

    def __init__(
        self, request: TypesetRequest, workers: int, *, done: int = 0, progress: Progress | None
    ) -> None:
        self._request = request
        self._workers = min(workers, max(1, (request.total_pages - done) // JOB_PAGES))
        self._done, self._progress = done, progress
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> ProcessPool:
        if self._workers > 1:
            self._executor = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=start_process,
                initargs=(self._request,),
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def pages(self, jobs: Iterable[PageRange]) -> Iterator[EncodedPage | FailedPage]:
        """The pages of all jobs, in order.

        Raises:
            PagemillError: a process died, or page after page failed.
        """
        failures = 0
        for pages in self._results(iter(jobs)):
            self._done += len(pages)
            if self._progress is not None:
                self._progress(self._done, self._request.total_pages)
            for page in pages:
                failures = failures + 1 if isinstance(page, FailedPage) else 0
                if isinstance(page, FailedPage) and failures == _MOST_FAILURES:
                    raise PagemillError(
                        f"{failures} pages in a row could not be typeset; please report what "
                        f"happened to the last one, {page.name}:\n{page.message}"
                    )
                yield page

    def _results(self, jobs: Iterator[PageRange]) -> Iterator[list[EncodedPage | FailedPage]]:
        if self._executor is None:
            yield from map(PageWorker(self._request).pages, jobs)
            return
        ahead: deque[Future[list[EncodedPage | FailedPage]]] = deque()
        try:
            for job in islice(jobs, self._workers * _JOBS_AHEAD):
                ahead.append(self._executor.submit(pages_here, job))
            while ahead:
                pages = ahead.popleft().result()
                for job in islice(jobs, 1):
                    ahead.append(self._executor.submit(pages_here, job))
                yield pages
        except BrokenProcessPool as err:
            raise PagemillError(
                "a worker died, perhaps for want of memory: the same command again goes on, "
                "with fewer --workers"
            ) from err
