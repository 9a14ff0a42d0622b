"""How much one caller may ask: requests a minute and customers an hour, at all workers together."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from models.forgotten import Pseudonyms
from serving.access.curiosity import Curiosity
from serving.access.limits import ROOM, Bucket
from serving.app import create_app
from serving.refusals import TooMany, Unavailable
from serving.secret import installation_secret
from serving.settings import Settings
from serving.store.database import Database
from serving.store.keys import make_key
from serving.store.lookups import HOUR, Lookup, looked_up, note_lookups
from serving.store.retention import TOGETHER, forget_lookups
from tests.benchmarks.load import clv, free_port, started
from tests.databases import database, postgres_url
from tests.fakes import LocalClient, open_shop, publish_shop

__all__ = ["database", "postgres_url"]


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    assert [bucket.take("ann") for _ in range(61)][-1] == 1
    now[0] = 2.0
    assert [bucket.take("ann") for _ in range(3)] == [0, 0, 1]


def test_callers_share_what_is_left_to_them_at_every_worker() -> None:
    now, room = [100.0], bytearray(ROOM)
    here, there = Bucket(4, lambda: now[0], room), Bucket(4, lambda: now[0], room)
    assert [bucket.take("ann") for bucket in (here, there, here, there, here, there)] == [0, 0, 0, 0, 15, 15]
    assert here.take("bob") == 0
    now[0] = 5.0  # the machine was started anew, and the memory is a file that stayed
    assert there.take("ann") == 0


@given(st.lists(st.integers(0, 60), max_size=200))
def test_callers_without_room_start_afresh_and_nobody_is_taken_for_another(asked: list[int]) -> None:
    """In room for eight: whoever is counted more than their minute's worth was at least asked for it."""
    bucket = Bucket(3, lambda: 0.0, bytearray(ROOM // 512))
    times = Counter[int]()
    for caller in asked:
        times[caller] += 1
        assert bucket.take(str(caller)) == 0 or times[caller] > 3
    few = Counter(asked)
    if len(few) <= 8:
        fresh = Bucket(3, lambda: 0.0, bytearray(ROOM // 512))
        assert sum(fresh.take(str(caller)) == 0 for caller in asked) == sum(min(n, 3) for n in few.values())


class Desk:
    """An agent's questions at one worker, with a clock that stands still until it is put forward."""

    def __init__(self, database: Database, per_hour: int = 2) -> None:
        self.database, self.now, self.noted = database, 10 * HOUR, 0
        self.curiosity = Curiosity(per_hour, lambda: self.now, Pseudonyms(b"s" * 16).of, self.note)

    async def note(self, lookup: Lookup) -> list[Lookup] | None:
        try:
            with self.database.writing() as connection:
                note_lookups(connection, [lookup])
            self.noted += 1
            await asyncio.sleep(0)  # others note theirs
            return looked_up(self.database, lookup.who, lookup.at - HOUR)
        except Unavailable:
            return None

    def asks(self, about: str, who: str = "ann") -> bool:
        try:
            asyncio.run(self.curiosity.ask(who, about))
        except TooMany:
            return False
        return True


def test_an_agent_asks_about_so_many_customers_at_all_workers_together(database: Database) -> None:
    here, there = Desk(database), Desk(database)
    assert [here.asks("1"), there.asks("2"), here.asks("1"), there.asks("1")] == [True] * 4
    assert not here.asks("3")
    assert not there.asks("3")
    assert Desk(database).asks("2")  # a worker that was started again knows it
    assert not Desk(database).asks("4")
    assert here.asks("3", who="bob")


def test_who_asked_before_is_told_without_a_look_at_the_store(database: Database) -> None:
    desk = Desk(database)
    assert [desk.asks("1"), desk.asks("1"), desk.curiosity.knows("ann", "1")] == [True] * 3
    assert (desk.noted, desk.curiosity.knows("ann", "2"), desk.curiosity.knows("bob", "1")) == (
        1,
        False,
        False,
    )


def test_curiosity_is_forgiven_after_an_hour(database: Database) -> None:
    desk = Desk(database, per_hour=1)
    assert desk.asks("1")
    with pytest.raises(TooMany) as refused:
        asyncio.run(desk.curiosity.ask("ann", "2"))
    assert refused.value.retry_after == 3600
    desk.now += HOUR
    assert desk.asks("2")
    assert not desk.curiosity.knows("ann", "1")


def test_questions_go_on_and_are_counted_here_while_the_store_is_down() -> None:
    desk = Desk(Database("postgresql://nobody@127.0.0.1:1/none", 0.1))
    assert [desk.asks(about) for about in ("1", "2", "1", "3")] == [True, True, True, False]


def test_of_questions_asked_at_once_no_more_are_let_in_than_one_after_the_other(database: Database) -> None:
    desks = [Desk(database, per_hour=5) for _ in range(3)]

    async def all_at_once() -> list[BaseException | None]:
        asked = [desk.curiosity.ask("ann", f"{number}{desk}") for number in range(4) for desk in desks]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(all_at_once())
    assert sum(answer is None for answer in answers) == 5
    assert all(answer is None or isinstance(answer, TooMany) for answer in answers)


def test_lookups_are_forgotten_when_they_count_no_more(database: Database) -> None:
    with database.writing() as connection:
        note_lookups(connection, [Lookup("ann", b"%d" % at, at) for at in range(2 * TOGETHER)])
        assert forget_lookups(connection, [TOGETHER + 1]) == [TOGETHER]
        assert forget_lookups(connection, [TOGETHER + 1]) == [1]
        assert forget_lookups(connection, [TOGETHER + 1]) == [0]
    assert len(looked_up(database, "ann", -1)) == TOGETHER - 1


# -- over HTTP -----------------------------------------------------------------------------------------------
def signed_in(var: Path, **security: int) -> FastAPI:
    publish_shop(var / "published")
    return create_app(Settings(data={"data_dir": var}, security={"sign_in": True, **security}), open_shop)


def key(database: Database, settings: Settings, role: str) -> dict[str, str]:
    with database.writing() as connection:
        shown = make_key(connection, installation_secret(settings), owner=role, role=role, at=1)
    return {"authorization": f"Bearer {shown}"}


def keys(app: FastAPI, *roles: str) -> list[dict[str, str]]:
    service = app.state.service
    return [key(service.memory.database, service.settings, role) for role in roles]


def test_a_key_asks_so_often_and_no_more(tmp_path: Path) -> None:
    app = signed_in(tmp_path, requests_per_minute=5)
    with LocalClient(app) as shop:
        (admin,) = keys(app, "admin")
        statuses = [shop.get("/v1/segments", headers=admin).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2


def test_an_agent_does_not_read_the_whole_customer_base(tmp_path: Path) -> None:
    app = signed_in(tmp_path, customers_per_hour=2)
    with LocalClient(app) as shop:
        agent, marketer = keys(app, "agent", "marketer")
        asked = [shop.get(f"/v1/customers/{who}", headers=agent).status_code for who in ("a", "b", "a", "c")]
        assert shop.get("/v1/customers/c", headers=marketer).status_code == 200
        hints = [shop.post(f"/v1/customers/{who}/next-best-offers", json={}, headers=agent) for who in "bcab"]
        refused = hints[1]
        rows = looked_up(app.state.service.memory.database, "agent", 0)
    assert asked == [200, 200, 200, 429]
    assert [answer.status_code for answer in hints] == [200, 429, 200, 200]
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600
    assert len(rows) == 2  # who is refused leaves no row, and who is known no second one
    assert not {b"a", b"b"} & {row.name for row in rows}


def test_an_agent_does_not_read_it_by_conversations_either(tmp_path: Path) -> None:
    app = signed_in(tmp_path, customers_per_hour=2)
    with LocalClient(app) as shop:
        (agent,) = keys(app, "agent")
        asked = [
            shop.post(
                f"/v1/conversations/t-{who}/messages",
                json={"customer_id": who, "text": "Hello"},
                headers=agent,
            ).status_code
            for who in ("a", "b", "a", "c")
        ]
    assert asked == [200, 200, 200, 429]


def test_agents_ask_on_while_the_store_is_locked(tmp_path: Path) -> None:
    app = signed_in(tmp_path, customers_per_hour=3)
    with LocalClient(app) as shop:
        (agent,) = keys(app, "agent")
        assert shop.get("/v1/customers/a", headers=agent).status_code == 200
        with sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = [shop.get(f"/v1/customers/{who}", headers=agent).status_code for who in "bcd"]
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                sqlite3.connect(tmp_path / "service.sqlite", timeout=0).execute("DELETE FROM lookups")
            other.execute("ROLLBACK")
    assert asked == [200, 200, 429]


def test_two_workers_count_together(tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    settings, port = Settings(data={"data_dir": tmp_path}), free_port()
    database = Database(settings.store_url)
    database.upgrade()
    agent, admin = key(database, settings, "agent"), key(database, settings, "admin")
    database.close()
    limits = {"CLV_SECURITY__REQUESTS_PER_MINUTE": "40", "CLV_SECURITY__CUSTOMERS_PER_HOUR": "4"}
    command = clv("serve", "--port", str(port), "--data-dir", str(tmp_path), "--workers", "2")
    address = f"http://127.0.0.1:{port}"
    with started(command, port, tmp_path / "log", CLV_SECURITY__SIGN_IN="true", **limits):
        asked = [httpx2.get(f"{address}/v1/customers/{n}", headers=agent).status_code for n in range(12)]
        begun = time.monotonic()
        answers = [httpx2.get(f"{address}/v1/segments", headers=admin).status_code for _ in range(60)]
        let_in_again = (time.monotonic() - begun) * 40 / 60
        workers = len([*(tmp_path / "workers").glob("*/*.json")])
    assert asked == [200] * 4 + [429] * 8
    assert 40 <= answers.count(200) <= 41 + let_in_again
    assert workers == 2
