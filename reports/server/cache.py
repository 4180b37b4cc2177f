"""Answers that were worked out before: by question and build, bounded in bytes, emptied by the next build.

An answer that is being worked out is waited for, not worked out twice. Knows nothing of what is asked.
"""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

LIMIT = 128 * 2**20  # bytes
SHORT = 1_000  # bytes that are not worth compressing


class Asked(NamedTuple):
    """What an answer was asked for by its address alone: the text for the access log, the least role that may
    see it, and the route, for the counters."""

    what: str
    least: str
    route: Any


@dataclass(frozen=True)
class Answer:
    """A body, as it is and compressed, and its entity tag."""

    body: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    compressed: bytes = b""
    etag: str = ""
    asked: Asked | None = None

    def finished(self) -> "Answer":
        """It, with its tag and its compressed form."""
        compressed = gzip.compress(self.body, 5, mtime=0) if len(self.body) > SHORT else b""
        tag = f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'
        return replace(self, compressed=compressed, etag=tag)

    @property
    def size(self) -> int:
        """The bytes it takes."""
        return len(self.body) + len(self.compressed) + 1_000


class Cache:
    """The answers of one build."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.bytes, self.hits, self.misses = limit, 0, 0, 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._underway: dict[Hashable, asyncio.Task[Answer]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._answers)

    def known(self, key: Hashable) -> Answer | None:
        """The answer to a question that was worked out before."""
        if (known := self._answers.get(key)) is not None:
            self._answers.move_to_end(key)
            self.hits += 1
        return known

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a question: the known one, the one under way, or a new one."""
        if (known := self.known(key)) is not None:
            return known
        self.misses += 1
        # An answer begun before the last build is not waited for after it.
        slot = (key, self._generation)
        if (task := self._underway.get(slot)) is None:
            task = asyncio.ensure_future(self._make(slot, make))
            self._underway[slot] = task
            task.add_done_callback(lambda _: self._underway.pop(slot, None))
        return await asyncio.shield(task)  # who leaves does not take it from those who wait

    def clear(self) -> None:
        """Forget everything; what is being worked out now will not be kept."""
        self._generation += 1
        self._answers.clear()
        self.bytes = 0

    async def _make(self, slot: tuple[Hashable, int], make: Callable[[], Awaitable[Answer]]) -> Answer:
        key, generation = slot
        answer = await make()
        if generation == self._generation and answer.size <= self.limit // 4:
            self._answers[key] = answer
            self.bytes += answer.size
            while self.bytes > self.limit:
                _, oldest = self._answers.popitem(last=False)
                self.bytes -= oldest.size
        return answer
