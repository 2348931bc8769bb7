"""A worker of a Dask cluster on this computer, until it is told to end."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from distributed import Nanny

_START_SECONDS = 120.0
"""Time for a process to import torch on a machine that is busy with other runs."""

_CLOSING_SECONDS = 10.0
_AGAIN_SECONDS = 1.0


def work_for(
    address: str,
    *,
    num_processes: int,
    tell: Callable[[str], None],
    ended: threading.Event,
) -> None:
    """Carry out runs for a scheduler, and wait for it while it is gone.

    A process that dies is replaced.

    Args:
        address: Of the scheduler.
        num_processes: Processes, each with one thread and thus one run at a time.
        tell: Told when a scheduler was found or lost.
        ended: Set by whoever wants it to end.
    """
    asyncio.run(_all(address, num_processes=num_processes, tell=tell, ended=ended))


async def _all(
    address: str,
    *,
    num_processes: int,
    tell: Callable[[str], None],
    ended: threading.Event,
) -> None:
    tasks = [
        asyncio.create_task(_one(address, tell=tell, ended=ended))
        for _ in range(num_processes)
    ]
    await asyncio.gather(*tasks)


async def _one(
    address: str, *, tell: Callable[[str], None], ended: threading.Event
) -> None:
    waiting = False
    while not ended.is_set():
        nanny = Nanny(
            address, nthreads=1, memory_limit="0", death_timeout=_START_SECONDS
        )
        try:
            await nanny
        except (OSError, TimeoutError, RuntimeError, AssertionError) as error:
            # The last is distributed's own (2026.8.0), of a process that did not start
            # in time: its close() asserts that the start is over.
            if not waiting:
                tell(f"no scheduler at {address} yet ({error!r}); waiting for it")
            waiting = True
            with suppress(AssertionError):
                await nanny.close(timeout=_AGAIN_SECONDS)
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        waiting = False
        tell(f"at work for {address} as {nanny.worker_address}")
        await _until_over(nanny, ended)
        await nanny.close(timeout=_CLOSING_SECONDS)


async def _until_over(nanny: Nanny, ended: threading.Event) -> None:
    finished = asyncio.create_task(nanny.finished())
    while not (finished.done() or ended.is_set()):
        await asyncio.wait([finished], timeout=0.2)
    if not finished.done():
        finished.cancel()
        with suppress(asyncio.CancelledError):
            await finished
