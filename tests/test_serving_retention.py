"""How long the log of decisions is kept, on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from logging import LogRecord
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from recommend.context import Context
from serving.app import create_app
from serving.live.heard import heard_message
from serving.live.messages import micros
from serving.settings import Settings, StoreSettings
from serving.store import retention
from serving.store.conversations import Conversation, keep
from serving.store.database import Database
from serving.store.decisions import log_decisions
from serving.store.retention import TOGETHER, cutoff, forget_old
from serving.store.tables import conversations, decisions, events, outcomes, profiles
from tests.databases import database, postgres_url
from tests.fakes import LocalClient, open_shop, publish_shop
from tests.overhearing import log_lines

__all__ = ["database", "log_lines", "postgres_url"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR_AGO, YESTERDAY = micros(NOW - timedelta(days=365)), micros(NOW - timedelta(days=1))
BEFORE = cutoff(NOW, 90)


def log(database: Database, names: Iterable[str], at: int) -> None:
    with database.writing() as connection:
        log_decisions(
            connection, [(name, at, at, "ann", "kim", "000001-2026-01-31", b"{}") for name in names]
        )


def answer(database: Database, decision_id: str) -> None:
    told = {"decision_id": decision_id, "customer_id": "ann", "offer_id": "tea", "outcome": "accepted"}
    with database.writing() as connection:
        connection.execute(
            outcomes.insert().values(**told, at=YESTERDAY, reason="", amount="", agent_id="kim")
        )


def talk(database: Database, name: str, at: int, turn: int = 1) -> None:
    decision = (f"{name}-{turn}", YESTERDAY, YESTERDAY, "ann", "kim", "000001-2026-01-31", b"{}")
    with database.writing() as connection:
        keep(connection, [(Conversation(name, "kim", "ann", turn, {}, b"{}", at), decision)])


def forget(database: Database) -> int:
    with database.writing() as connection:
        return forget_old(connection, [BEFORE])[0]


def kept(database: Database, column) -> list[str]:
    return sorted(row[0] for row in database.rows(select(column)))


def count(database: Database, table) -> int:
    return database.rows(select(func.count()).select_from(table))[0][0]


def test_an_old_decision_goes_with_its_outcomes_and_a_young_one_stays_with_its_own(
    database: Database,
) -> None:
    log(database, ["old"], YEAR_AGO)
    log(database, ["young"], YESTERDAY)
    answer(database, "old")
    answer(database, "young")
    assert forget(database) == 1
    assert kept(database, decisions.c.decision_id) == kept(database, outcomes.c.decision_id) == ["young"]


def test_an_old_conversation_goes_and_one_that_went_on_stays(database: Database) -> None:
    talk(database, "over", YEAR_AGO)
    talk(database, "going on", YEAR_AGO)
    talk(database, "going on", YESTERDAY, turn=2)
    assert forget(database) == 1
    assert kept(database, conversations.c.conversation_id) == ["going on"]


def test_what_is_just_as_old_as_it_is_kept_stays(database: Database) -> None:
    log(database, ["to the microsecond"], BEFORE)
    assert forget(database) == 0


def test_no_transaction_forgets_more_than_its_part_and_the_oldest_go_first(database: Database) -> None:
    log(database, [f"d{n:04}" for n in range(TOGETHER)], YEAR_AGO)
    log(database, [f"e{n:04}" for n in range(5)], YEAR_AGO + 1)
    assert [forget(database) for _ in range(3)] == [TOGETHER, 5, 0]
    log(database, ["later"], YEAR_AGO + 2)
    log(database, [f"f{n:04}" for n in range(TOGETHER)], YEAR_AGO + 1)
    forget(database)
    assert kept(database, decisions.c.decision_id) == ["later"]


def test_machines_that_forget_at_once_neither_fail_nor_wait_for_each_other(database: Database) -> None:
    log(database, [f"d{n:04}" for n in range(3 * TOGETHER)], YEAR_AGO)
    machines = [Database(database.url.render_as_string(hide_password=False), 20.0) for _ in range(3)]
    gone: list[int] = []

    def empty(machine: Database) -> None:
        while rows := forget(machine):
            gone.append(rows)

    threads = [threading.Thread(target=empty, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for machine in machines:
        machine.close()
    assert sum(gone) == 3 * TOGETHER
    assert count(database, decisions) == 0


def test_decisions_are_not_forgotten_while_an_order_may_count_for_them() -> None:
    with pytest.raises(ValidationError, match="more than attribution_days"):
        StoreSettings(keep_days=14)
    assert StoreSettings(keep_days=15).keep_days == 15


def test_a_complaint_is_heard_again_in_a_conversation_that_was_forgotten_and_begins_anew() -> None:
    angry = Context(intent="complaint", topic="delivery")
    first, again, anew = (
        heard_message("t1", 1, "ann", angry, NOW + timedelta(days=day), over=False) for day in (0, 0, 100)
    )
    assert first.message_id == again.message_id != anew.message_id


# -- the service -------------------------------------------------------------------------------------------
ORDER = {
    "type": "track",
    "messageId": "m1",
    "userId": "ann",
    "event": "Order Completed",
    "timestamp": "2026-02-01T10:00:00Z",
    "properties": {"order_id": "o1", "total": 50.0},
}


def service(var: Path, **store: int) -> LocalClient:
    return LocalClient(create_app(Settings(data={"data_dir": var}, store=store), open_shop))


def year_old_log(var: Path, questions: int) -> Database:
    """Return the store of a shop that was asked so often a year ago, and took one order then."""
    publish_shop(var / "published")
    with service(var) as shop:
        shop.post("/v1/events", json=ORDER)
        for number in range(questions):
            decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
            shop.post(f"/v1/conversations/t{number}/messages", json={"customer_id": "ann", "text": "Hello"})
        told = {"outcomes": [{"offer_id": "tea", "outcome": "rejected", "reason": "too dear"}]}
        shop.post(f"/v1/decisions/{decision}/outcomes", json=told)
    long_ago = micros(datetime.now(UTC) - timedelta(days=365))
    database = Database(f"sqlite:///{var / 'service.sqlite'}")
    with database.writing() as connection:
        connection.execute(update(decisions).values(logged_at=long_ago))
        connection.execute(update(conversations).values(changed_at=long_ago))
    return database


def wait_until_empty(database: Database) -> None:
    until = time.monotonic() + 20
    while count(database, decisions) + count(database, conversations) and time.monotonic() < until:
        time.sleep(0.05)


def test_the_service_forgets_the_log_part_by_part_and_answers_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "TOGETHER", 2)
    database = year_old_log(tmp_path, questions=5)
    with service(tmp_path, keep_days=90) as shop:
        before = shop.get("/v1/customers/ann").json()
        wait_until_empty(database)
        assert (count(database, decisions), count(database, conversations)) == (0, 0)
        assert count(database, outcomes) == 0
        assert shop.get("/v1/customers/ann").json() == before
        assert shop.post("/v1/events", json=ORDER).json()["duplicates"] == 1
        assert shop.post("/v1/customers/ann/next-best-offers").json()["logged"] is True
    assert (count(database, events), count(database, profiles)) == (2, 1)
    database.close()


def test_nothing_is_forgotten_unless_it_is_said_how_long_to_keep_it(tmp_path: Path) -> None:
    database = year_old_log(tmp_path, questions=2)
    logged = count(database, decisions)
    with service(tmp_path) as shop:
        assert shop.get("/v1/customers/ann").status_code == 200
        time.sleep(0.3)
    assert count(database, decisions) == logged > 0
    database.close()


def test_a_store_in_trouble_forgets_the_next_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_lines: list[LogRecord]
) -> None:
    monkeypatch.setattr("serving.app._FORGET_SECONDS", 0.1)
    database = year_old_log(tmp_path, questions=1)
    with database.engine.connect() as locked:
        locked.begin()  # the write lock: nobody else has it until it is let go of
        with service(tmp_path, keep_days=90, wait_seconds=0.1) as shop:
            assert shop.post("/v1/events", json={**ORDER, "messageId": "m2"}).status_code == 503
            assert count(database, decisions) > 0
            locked.rollback()
            wait_until_empty(database)
            assert count(database, decisions) == 0
    assert "old rows not forgotten" in [line.getMessage() for line in log_lines]
    database.close()
