"""Coroutines started by clicks: each belongs to a widget's :class:`Tasks`, which cancels and awaits them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.calls.model import Failure
from app.vendors.base import ActionRefused

log = logging.getLogger(__name__)

Refused = Callable[[Failure], None]


class Tasks:
    """Runs coroutines on the window's loop.

    A refusal (:class:`ActionRefused`) goes to *on_refused*; any other error is logged and shown there as one general
    sentence, because a click must never end in silence.
    """

    def __init__(self, on_refused: Refused | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.on_refused = on_refused

    def spawn(
        self, coroutine: Coroutine[Any, Any, Any], *, then: Callable[[Any], None] | None = None
    ) -> asyncio.Task[Any] | None:
        """Run *coroutine*; call *then* with its result when it ends well. ``None`` once the program is ending."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # The last widgets still hear of their own hiding when the loop is over.
            coroutine.close()
            return None
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(lambda t: self._done(t, then))
        return task

    def _done(self, task: asyncio.Task[Any], then: Callable[[Any], None] | None) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            if then is not None:
                then(task.result())
            return
        if isinstance(error, ActionRefused):
            failure = error.failure
        else:
            log.error("a task of the window failed", exc_info=error)
            failure = Failure("internal", "Something went wrong in Parley. Try again.", type(error).__name__)
        if self.on_refused is not None:
            self.on_refused(failure)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Cancel what runs and wait until it has ended."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
