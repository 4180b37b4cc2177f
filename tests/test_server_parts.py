"""Parts of the server by themselves: the cache under load, pages that do not take their events, the policy of a page."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest

from reports.server import builds, export
from reports.server.builds import WAITING_EVENTS, Build, Builds
from reports.server.cache import Answer, Cache
from reports.server.catalogue import Column, Relation
from reports.server.problems import Problem
from reports.server.queries import Selection
from reports.server.row_filter import RowFilter
from reports.server.security import policy

pytestmark = pytest.mark.unit


def maker(calls: list[str], name: str, wait: asyncio.Event | None = None) -> Callable[[], Awaitable[Answer]]:
    async def make() -> Answer:
        calls.append(name)
        if wait:
            await wait.wait()
        return Answer(name.encode() * 1_000).finished()

    return make


def test_what_many_ask_at_once_is_worked_out_once() -> None:
    async def run() -> None:
        cache, calls, wait = Cache(), list[str](), asyncio.Event()
        asking = [asyncio.ensure_future(cache.get("a", maker(calls, "a", wait))) for _ in range(50)]
        await asyncio.sleep(0)
        asking[0].cancel()  # who leaves does not take it from the others
        wait.set()
        answers = await asyncio.gather(*asking[1:])
        assert calls == ["a"]
        assert {answer.etag for answer in answers} == {(await cache.get("a", maker(calls, "b"))).etag}

    asyncio.run(run())


def test_an_answer_that_a_build_overtook_is_not_kept() -> None:
    async def run() -> None:
        cache, calls, wait = Cache(), list[str](), asyncio.Event()
        old = asyncio.ensure_future(cache.get("a", maker(calls, "old", wait)))
        await asyncio.sleep(0)
        cache.clear()
        new = await cache.get("a", maker(calls, "new"))  # does not wait for the old one either
        wait.set()
        assert (await old).body.startswith(b"old")
        assert new.body.startswith(b"new")
        assert (await cache.get("a", maker(calls, "newer"))).body.startswith(b"new")
        assert calls == ["old", "new"]

    asyncio.run(run())


def test_the_cache_is_bounded_and_forgets_what_was_asked_longest_ago() -> None:
    async def run() -> None:
        size = (await maker([], "x")()).size
        cache, calls = Cache(limit=size * 10), list[str]()
        for number in range(30):
            await cache.get(number, maker(calls, "x"))
            await cache.get(0, maker(calls, "x"))
        assert cache.bytes <= cache.limit
        assert len(calls) == 30  # 0 was asked all the time, so it stayed
        await cache.get(1, maker(calls, "x"))
        assert len(calls) == 31

    asyncio.run(run())


def test_a_failure_is_told_and_not_kept() -> None:
    async def run() -> None:
        cache = Cache()

        async def fail() -> Answer:
            raise Problem(503, "away")

        with pytest.raises(Problem):
            await cache.get("a", fail)
        assert (await cache.get("a", maker([], "a"))).body

    asyncio.run(run())


def test_a_page_that_takes_no_events_is_let_go() -> None:
    async def run() -> None:
        builds = Builds(lambda build: None, lambda: None)

        async def welcome() -> bool:
            return True

        slow, quick = builds.stream(welcome), builds.stream(welcome)
        await anext(slow)
        await anext(quick)
        for number in range(WAITING_EVENTS + 1):
            builds.publish(Build(number).event())
            assert f'"load_id":{number}'.encode() in await anext(quick)
        assert builds.listeners == 1
        with pytest.raises(StopAsyncIteration):
            await anext(slow)

    asyncio.run(run())


def test_a_page_that_is_no_longer_welcome_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        events = Builds(lambda build: None, lambda: None)
        answers = iter([True, False])

        async def is_welcome() -> bool:
            return next(answers)

        stream = events.stream(is_welcome)
        await anext(stream)
        assert await anext(stream) == b": alive\n\n"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert events.listeners == 0

    monkeypatch.setattr(builds, "HEARTBEAT_SECONDS", 0.01)
    asyncio.run(run())


def test_an_export_that_takes_too_long_is_cut_and_never_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, done, closed = list[dict[str, Any]](), list[bool](), list[bool]()

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def take(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))
        await asyncio.sleep(0.01)

    async def stay() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    made = chunks()
    answer = export.Export(made, next(made), export.Suffix.CSV, "x", lambda: done.append(True))
    monkeypatch.setattr(export, "EXPORT_SECONDS", 0.2)
    asyncio.run(asyncio.wait_for(answer({"type": "http"}, stay, take), 10))
    assert len(sent) > 2
    assert all(message.get("more_body", True) for message in sent)  # uvicorn cuts what has no end
    assert done == closed == [True]


def test_the_policy_knows_the_scripts_of_a_page_and_no_other() -> None:
    page = b'<script>a()</script><script type="application/json">{"x": 1}</script><SCRIPT type="module">\nb()</SCRIPT>'
    found = policy(page)
    for code in (b"a()", b"\nb()"):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode()}'" in found
    assert found.count("sha256") == 2
    assert "unsafe-eval" not in found
    assert "script-src 'none'" in policy(b"<p>no script</p>")


TABLE = Relation(
    "marts",
    "fact_x",
    "",
    {"x_id": Column("x_id", "integer", ""), "n": Column("n", "numeric(10,2)", "")},
    ("x_id",),
)


def test_a_place_belongs_to_its_order() -> None:
    up, down = (Selection.of(TABLE, RowFilter(), order=order) for order in ("n", "-n"))
    place = up.place((1, 5, "5", "1"))
    up.page(10, place)
    with pytest.raises(Problem, match="same order"):
        down.page(10, place)
    with pytest.raises(Problem, match="same order"):
        Selection.of(TABLE, RowFilter()).page(10, place)


def test_a_table_that_a_filter_cannot_reach_is_closed() -> None:
    mine = RowFilter({"store": ("S1",)})
    with pytest.raises(Problem) as refused:
        mine.conditions(TABLE)
    assert refused.value.status == 403
    dates = Relation("marts", "dim_dates", "", {"date_day": Column("date_day", "date", "")}, ("date_day",))
    assert mine.conditions(dates) == []
