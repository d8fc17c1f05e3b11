"""The deliveries of one endpoint after the other: posted when they fall due, due again when they are not taken.

Times are of the local Stripe's clock; the signature's timestamp is the machine's, receivers compare it with theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

from payments.sandbox import signing
from payments.sandbox.store import Record
from payments.sandbox.webhook_faults import Spoil
from payments.sandbox.world import World

KIND, ENDPOINT = "delivery", "webhook_endpoint"
PATIENCE = aiohttp.ClientTimeout(total=10)  # seconds an endpoint has to answer
AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


class Couriers:
    """A task per endpoint, so a slow endpoint delays no other. `attempts`: the last thousand."""

    def __init__(self, world: Callable[[], World], commit: Callable[[], None]) -> None:
        self._world, self._commit = world, commit
        self._waiting: dict[str, list[tuple[float, int, str]]] = {}  # by endpoint: heaps of (due, number, delivery)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._session: aiohttp.ClientSession | None = None
        self._number = 0
        self.attempts: deque[dict[str, Any]] = deque(maxlen=1000)

    async def start(self) -> None:
        """Pick up the deliveries that a former server left."""
        self._session = aiohttp.ClientSession(timeout=PATIENCE)
        for record in self._world().store.all(KIND):
            self.queue(record)

    async def stop(self) -> None:
        """End the tasks; what waits stays written down."""
        await self.forget()
        if self._session is not None:
            await self._session.close()

    async def forget(self) -> None:
        """Drop what waits, for a world that is begun anew."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for kept in (self._waiting, self._tasks, self._bells, self.attempts):
            kept.clear()

    @property
    def waiting(self) -> int:
        """How many deliveries are due now or later."""
        return sum(len(heap) for heap in self._waiting.values())

    def queue(self, record: Record) -> None:
        """Deliver it when it is due."""
        endpoint = record.data["endpoint"]
        self._number += 1
        heapq.heappush(self._waiting.setdefault(endpoint, []), (record.data["due"], self._number, record.id))
        self._bells.setdefault(endpoint, asyncio.Event()).set()
        if self._session is not None and endpoint not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._courier(self._session, endpoint))
            self._tasks[endpoint] = task

    def hurry(self) -> int:
        """Make everything that waits due now; how many."""
        for heap in self._waiting.values():
            heap[:] = [(0.0, place, wanted) for _, place, wanted in heap]
            heapq.heapify(heap)
        self.wake()
        return self.waiting

    def wake(self) -> None:
        """The clock was turned: look what is due."""
        for bell in self._bells.values():
            bell.set()

    async def _courier(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        bell, heap = self._bells[endpoint], self._waiting[endpoint]
        while True:
            bell.clear()
            if due := self._due(heap):
                await asyncio.gather(*(self._attempt(session, one) for one in due))
                continue
            wait = heap[0][0] - self._world().clock.exact() if heap else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), wait)

    def _due(self, heap: list[tuple[float, int, str]]) -> list[Record]:
        """The deliveries to make now, as many as go at a time."""
        world, due = self._world(), list[Record]()
        while heap and heap[0][0] <= world.clock.exact() and len(due) < world.settings.parallel_webhooks:
            record = world.store.find(KIND, heapq.heappop(heap)[2])
            if record is not None:
                due.append(record)
        return due

    async def _attempt(self, session: aiohttp.ClientSession, record: Record) -> None:
        """Post a delivery, and its copies at the same moment; then it is done, or due again later."""
        store, data = self._world().store, record.data
        event, endpoint = store.find("event", data["event"]), store.find(ENDPOINT, data["endpoint"])
        if event is None or endpoint is None or endpoint.data["status"] != "enabled":
            store.remove(record)
            return
        spoil = Spoil(**record.hidden["spoil"])
        posts = (_post(session, event, endpoint, spoil) for _ in range(1 + spoil.copies))
        outcomes = await asyncio.gather(*posts)
        seen = {"event": event.id, "type": event.data["type"], "url": endpoint.data["url"], "attempt": data["attempt"]}
        self.attempts.extend(seen | {"outcome": outcome} for outcome in outcomes)
        self._conclude(record, event, taken=outcomes[0].isdigit() and 200 <= int(outcomes[0]) < 300)
        self._commit()

    def _conclude(self, record: Record, event: Record, *, taken: bool) -> None:
        world, attempt = self._world(), record.data["attempt"]
        if taken or attempt > len(world.settings.retry_seconds):
            world.store.change(event, pending_webhooks=max(0, event.data["pending_webhooks"] - 1))
            world.store.remove(record)
            return
        due = world.clock.exact() + world.settings.retry_seconds[attempt - 1]
        world.store.change(record, attempt=attempt + 1, due=due)
        self.queue(record)


async def _post(session: aiohttp.ClientSession, event: Record, endpoint: Record, spoil: Spoil) -> str:
    """The endpoint's status in digits, or what went wrong."""
    body = json.dumps(event.data | ({"livemode": True} if spoil.livemode else {})).encode()
    secret = "whsec_wrong" if spoil.wrong_secret else endpoint.hidden["secret"]
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": AGENT,
        "Stripe-Signature": signing.header(body, secret, int(time.time()) - spoil.age),
    }
    try:
        async with session.post(endpoint.data["url"], data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return str(answer.status)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
