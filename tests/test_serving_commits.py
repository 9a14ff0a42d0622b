"""Many writers, one commit: company shares it, who is alone does not wait, and a lock is waited for."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from serving.refusals import TooMany, Unavailable
from serving.store.commits import Commits
from serving.store.database import Database, Row
from serving.store.decisions import log_at_once, log_decisions
from serving.store.patience import Waiting
from serving.store.tables import decisions


def row(number: int) -> Row:
    return (f"d{number}", number, number, "ann", "agent", "000001-2026-01-31", b"{}")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'service.sqlite'}", wait_seconds=1.0)
    database.upgrade()
    return database


def commits_on(database: Database, most_waiting: int = 1000) -> Commits:
    return Commits(database, {"decisions": log_decisions}, most_waiting, {"decisions": log_at_once})


def kept(database: Database) -> list[str]:
    return [one.decision_id for one in database.rows(select(decisions).order_by(decisions.c.at))]


def test_what_arrives_together_shares_a_commit(database: Database) -> None:
    async def write() -> int:
        commits = commits_on(database)
        await asyncio.gather(*(commits.write("decisions", row(number)) for number in range(200)))
        await commits.close()
        return commits.commits

    assert asyncio.run(write()) <= 3
    assert kept(database) == [f"d{number}" for number in range(200)]


def test_who_writes_alone_waits_for_nobody(database: Database) -> None:
    async def write() -> int:
        commits = commits_on(database)
        for number in range(5):
            await commits.write("decisions", row(number))
        await commits.close()
        return commits.commits

    assert asyncio.run(write()) == 5


def test_nothing_of_a_group_is_kept_when_one_of_it_cannot_be(database: Database) -> None:
    async def write() -> list[Any]:
        commits = commits_on(database)
        await commits.write("decisions", row(1))
        answers = await asyncio.gather(
            *(commits.write("decisions", row(number)) for number in (2, 1, 3)), return_exceptions=True
        )
        await commits.write("decisions", row(4))  # on a connection of its own: the other one was let go
        await commits.close()
        return answers

    assert [type(answer) for answer in asyncio.run(write())] == [Unavailable] * 3
    assert kept(database) == ["d1", "d4"]


def test_another_process_writing_is_waited_for(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.15, other.execute, ["COMMIT"]).start()

    async def write() -> float:
        commits, started = commits_on(database), time.perf_counter()
        await commits.write("decisions", row(1))
        took = time.perf_counter() - started
        await commits.close()
        return took

    assert 0.1 < asyncio.run(write()) < 0.9
    other.close()
    assert kept(database) == ["d1"]


def test_a_lock_nobody_gives_back_is_told_in_time(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> str:
        commits = commits_on(database)
        with pytest.raises(Unavailable):
            await commits.write("decisions", row(1))
        trouble = commits.trouble
        other.execute("ROLLBACK")
        await commits.write("decisions", row(2))
        assert commits.trouble == ""
        await commits.close()
        return trouble

    assert "does not answer" in asyncio.run(write())
    other.close()
    assert kept(database) == ["d2"]


def test_more_than_may_wait_is_refused_at_once(database: Database) -> None:
    async def write() -> list[Any]:
        commits = commits_on(database, most_waiting=10)
        answers = await asyncio.gather(
            *(commits.write("decisions", row(number)) for number in range(12)), return_exceptions=True
        )
        await commits.close()
        return answers

    refused = [type(answer) for answer in asyncio.run(write()) if answer is not None]
    assert refused == [TooMany] * 2
    assert len(kept(database)) == 10


def test_what_weighs_nothing_keeps_nobody_out(database: Database) -> None:
    async def write() -> None:
        commits = commits_on(database, most_waiting=10)
        tidying = asyncio.create_task(commits.write("decisions", row(0), weight=0))
        await asyncio.sleep(0)
        await asyncio.gather(commits.write("decisions", row(1), weight=11), tidying)
        await commits.close()

    asyncio.run(write())
    assert len(kept(database)) == 2


def test_different_work_is_done_in_one_transaction_in_the_order_of_its_kinds(database: Database) -> None:
    seen: list[tuple[str, int]] = []

    def note(connection: Connection, payloads: Sequence[Any]) -> list[str]:
        seen.append(("other", len(payloads)))
        return [f"noted {payload}" for payload in payloads]

    async def write() -> list[Any]:
        handlers = {"decisions": log_decisions, "other": note}
        commits = Commits(database, handlers, 100, {"decisions": log_at_once})
        answers = await asyncio.gather(
            commits.write("other", 7), commits.write("decisions", row(1)), commits.write("other", 8)
        )
        await commits.close()
        assert commits.commits == 1
        return answers

    assert asyncio.run(write()) == ["noted 7", None, "noted 8"]
    assert seen == [("other", 2)]


def test_tidying_leaves_nothing_in_the_write_ahead_log(database: Database) -> None:
    async def write() -> None:
        commits = commits_on(database)
        await asyncio.gather(*(commits.write("decisions", row(number)) for number in range(50)))
        database.tidy()
        with database.reading() as connection:
            _, pages, moved = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
        assert (pages > 0, pages == moved) == (True, True)
        await commits.close()

    asyncio.run(write())


def test_what_is_submitted_alone_is_on_its_way_at_once(database: Database) -> None:
    """Its writer need not wait for it to go off."""

    async def write() -> int:
        commits, came = commits_on(database), 0
        for number in range(3):
            entry = commits.submit("decisions", row(number), 1.0, lambda _: None)
            deadline = time.monotonic() + 5
            while commits.commits == came and time.monotonic() < deadline:
                time.sleep(0.001)  # the event loop does nothing meanwhile
            came = commits.commits
            await entry.written
        await commits.close()
        return came

    assert asyncio.run(write()) == 3
    assert kept(database) == ["d0", "d1", "d2"]


def test_each_is_let_go_when_its_own_time_is_over_and_written_all_the_same(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None)
    gone: list[tuple[str, float]] = []

    async def write() -> None:
        commits, started = commits_on(database), time.monotonic()

        def let_go(entry: Waiting) -> None:
            gone.append((entry.payload[0], time.monotonic() - started))

        other.execute("BEGIN IMMEDIATE")
        entries = [
            commits.submit("decisions", row(number), wait, let_go)
            for number, wait in enumerate((0.4, 0.05, 0.2, 0.05, 5.0))
        ]
        await asyncio.sleep(0.6)
        other.execute("ROLLBACK")
        await asyncio.gather(*(entry.written for entry in entries))
        await commits.close()

    asyncio.run(write())
    other.close()
    assert [name for name, _ in gone] == ["d1", "d3", "d2", "d0"]
    for (_, took), patience in zip(gone, (0.05, 0.05, 0.2, 0.4), strict=True):
        assert patience - 0.01 < took < patience + 0.15
    assert len(kept(database)) == 5


def test_who_waits_in_another_loop_is_let_go_in_time_too(database: Database, tmp_path: Path) -> None:
    commits = commits_on(database)
    asyncio.run(commits.write("decisions", row(1)))  # its timer dies with its loop
    commits._patience_seconds = 0.1
    other = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="in time"):
        asyncio.run(commits.write("decisions", row(2)))
    other.close()


def test_nothing_is_taken_any_more_once_it_is_closed(database: Database) -> None:
    async def write() -> None:
        commits = commits_on(database)
        await commits.close()
        with pytest.raises(Unavailable, match="ending"):
            await commits.write("decisions", row(1))
        assert commits._thread is None

    asyncio.run(write())


def test_a_mistake_of_ours_is_raised_where_they_wait_and_the_next_is_written(database: Database) -> None:
    def stumble(connection: Connection, payloads: Sequence[Any]) -> list[str]:
        raise ZeroDivisionError

    async def write() -> None:
        commits = Commits(database, {"decisions": log_decisions, "other": stumble}, 100)
        with pytest.raises(ZeroDivisionError):
            await commits.write("other", 1)
        await commits.write("decisions", row(1))
        await commits.close()
        await commits.close()  # twice is once

    asyncio.run(write())
    assert kept(database) == ["d1"]
