"""What the store promises, on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text, update

from clv.errors import SettingError
from models.forgotten import Pseudonyms
from recommend.candidate import Candidate
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.decide import decide
from recommend.policies import Policies, Slate
from recommend.worth import Arbitration
from serving.app import create_app
from serving.live.book import Book
from serving.live.messages import Message, read_message
from serving.refusals import Unavailable
from serving.settings import Settings
from serving.store import conversations, generations, keys, people, trail
from serving.store.database import Database, Row
from serving.store.decisions import pack, unpack
from serving.store.events import EventLog, Taken, recount
from serving.store.layout import MIGRATIONS, is_newest, newest
from serving.store.lookups import Lookup, note_lookups
from serving.store.tables import audit, decisions, events, metadata, outcomes, profiles, seals
from tests.databases import database, postgres_url
from tests.fakes import CUSTOMERS, LocalClient, ShopEngine, open_shop, publish_shop

__all__ = ["database", "postgres_url"]

NOW = datetime(2026, 2, 1, tzinfo=UTC)
PEOPLE = Pseudonyms(b"a secret of sixteen")
LOG = EventLog(PEOPLE)


def order(number: int, customer: str = "ann", day: int = 1, total: float = 10.0) -> Message:
    raw = {
        "messageId": f"m{number}",
        "userId": customer,
        "event": "Order Completed",
        "timestamp": f"2026-01-{day:02d}T10:00:00Z",
        "properties": {"order_id": f"o{number}", "total": total},
    }
    return read_message(raw, NOW)


def take(database: Database, messages: Sequence[Message], received: int = 1) -> list[Taken]:
    with database.writing() as connection:
        return LOG.append(connection, [(messages, received)])[0]


def book_of(database: Database, customer: str) -> Book:
    rows = database.rows(select(profiles.c.book).where(profiles.c.customer_id == customer))
    return Book.from_bytes(bytes(rows[0][0])) if rows else Book()


def logged(decision_id: str) -> Row:
    return (decision_id, 1, 1, "1058", "ann", "000001-2026-01-31", b"{}")


def count(database: Database, table) -> int:
    return database.rows(select(func.count()).select_from(table))[0][0]


def test_the_migrations_make_the_tables_the_code_names(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_several_processes_may_bring_the_layout_up_to_date_at_once(database: Database) -> None:
    with database.writing() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(3)]
    threads = [threading.Thread(target=other.upgrade) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert count(database, events) == 0


def test_an_event_sent_again_changes_nothing(database: Database) -> None:
    assert take(database, [order(1), order(2), order(1)]) == ["accepted", "accepted", "duplicate"]
    assert take(database, [order(2), order(3)]) == ["duplicate", "accepted"]
    assert count(database, events) == 3
    assert len(book_of(database, "ann").of("order")) == 3


def test_another_event_under_a_known_id_is_a_conflict(database: Database) -> None:
    take(database, [order(1, total=10.0)])
    assert take(database, [order(1, total=11.0)]) == ["conflict"]
    assert book_of(database, "ann").of("order")[0][2] == 10.0


class LooksTooEarly(EventLog):
    """Looks which ids are known, and only then another machine writes one of them."""

    looked = False

    def _known(self, connection, ids):
        seen = super()._known(connection, ids) if self.looked else {}
        self.looked = True
        return seen


def test_an_id_another_machine_writes_at_the_same_moment_is_a_duplicate_only_if_the_event_is_the_same(
    database: Database,
) -> None:
    if database.is_sqlite:
        pytest.skip("who writes holds the lock of all SQLite: nobody can be between")
    take(database, [order(1), order(2)])
    with database.writing() as connection:
        late = LooksTooEarly(PEOPLE).append(connection, [([order(1), order(2, total=99.0), order(3)], 2)])
    assert late == [["duplicate", "conflict", "accepted"]]
    assert count(database, events) == 3


class LooksInVain(EventLog):
    """Looks for what another machine wrote, when that was erased again."""

    def _known(self, connection, ids):
        del connection, ids
        return {}


def test_an_event_neither_written_nor_found_is_not_acknowledged(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("who writes holds the lock of all SQLite: nobody can be between")
    take(database, [order(1)])
    with pytest.raises(Unavailable, match="same events"), database.writing() as connection:
        LooksInVain(PEOPLE).append(connection, [([order(1), order(2)], 2)])
    assert count(database, events) == 1


def test_a_book_does_not_depend_on_the_order_events_come_in(database: Database) -> None:
    messages = [order(n, day=1 + n % 28, total=float(n)) for n in range(60)]
    random.Random(7).shuffle(messages)
    for start in range(0, 60, 7):
        take(database, messages[start : start + 7])
    with database.reading() as connection:
        from_the_start = recount(connection, "ann")
    assert book_of(database, "ann").to_bytes() == from_the_start.to_bytes()


def test_machines_that_write_at_once_lose_and_double_nothing(database: Database) -> None:
    machines = [Database(database.url.render_as_string(hide_password=False), 20.0) for _ in range(3)]
    verdicts: list[Taken] = []

    def write(machine: Database, seed: int) -> None:
        batches = [[order(n, customer=f"c{n % 5}") for n in range(k, k + 10)] for k in range(0, 100, 10)]
        random.Random(seed).shuffle(batches)
        for batch in batches:  # everybody sends everything
            verdicts.extend(take(machine, batch))

    threads = [threading.Thread(target=write, args=(m, seed)) for seed, m in enumerate(machines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for machine in machines:
        machine.close()
    assert verdicts.count("accepted") == 100
    assert verdicts.count("duplicate") == 200
    assert count(database, events) == 100
    assert sum(len(book_of(database, f"c{n}").of("order")) for n in range(5)) == 100


def test_an_outcome_is_kept_beside_its_decision_and_as_a_contact(database: Database) -> None:
    raw = {
        "messageId": "x",
        "userId": "ann",
        "event": "Offer Outcome",
        "timestamp": "2026-01-05T10:00:00Z",
        "properties": {"decision_id": "d1", "offer_id": "tea", "outcome": "rejected", "reason": "no tea"},
    }
    take(database, [read_message(raw, NOW)])
    row = database.rows(select(outcomes))[0]
    assert (row.decision_id, row.offer_id, row.outcome, row.reason) == ("d1", "tea", "rejected", "no tea")
    assert book_of(database, "ann").of("outcome")[0][1:4] == ["chat", "rejected", "tea"]


def test_who_was_erased_is_in_no_table_and_is_not_taken_back(database: Database) -> None:
    take(database, [order(1), order(2, customer="bob")])
    with database.writing() as connection:
        note_lookups(connection, [Lookup("kim", PEOPLE.of(who), 3) for who in ("ann", "bob")])
    held = people.export(database, "ann", PEOPLE.of("ann"))
    assert [(row["who"], row["at"]) for row in held["lookups"]] == [("kim", 3)]
    with database.writing() as connection:
        gone = people.erase(connection, "ann", PEOPLE.of("ann"), at=5)
    assert (gone["events"], gone["profiles"], gone["lookups"]) == (1, 1, 1)
    assert people.export(database, "ann", PEOPLE.of("ann")) == {table.name: [] for table in people.HELD_IN}
    assert take(database, [order(3), order(4, customer="bob")]) == ["suppressed", "accepted"]
    assert len(people.export(database, "bob", PEOPLE.of("bob"))["events"]) == 2


def test_a_changed_line_of_the_audit_trail_is_found(database: Database) -> None:
    record = trail.Trail(b"a secret of sixteen")
    deeds = [trail.Deed(n, "ann", "list.exported", f"s{n}") for n in range(5)]
    with database.writing() as connection:
        record.append(connection, deeds[:2])
    with database.writing() as connection:
        record.append(connection, deeds[2:])
    assert record.verify(database) == trail.Findings(5, None)
    with database.writing() as connection:
        connection.execute(update(audit).where(audit.c.sequence == 3).values(actor="eve"))
    assert record.verify(database).broken_at == 3


def test_a_line_taken_out_of_the_audit_trail_is_found(database: Database) -> None:
    record = trail.Trail(b"a secret of sixteen")
    with database.writing() as connection:
        record.append(connection, [trail.Deed(n, "ann", "x", "y") for n in range(4)])
        connection.execute(audit.delete().where(audit.c.sequence == 2))
    assert record.verify(database).broken_at == 2


def test_lines_cut_off_the_end_of_the_audit_trail_are_missed(database: Database) -> None:
    record = trail.Trail(b"a secret of sixteen")
    with database.writing() as connection:
        record.append(connection, [trail.Deed(n, "ann", "x", "y") for n in range(4)])
    with database.writing() as connection:
        connection.execute(audit.delete().where(audit.c.sequence == 4))
    assert record.verify(database).broken_at == 4
    with database.writing() as connection:
        connection.execute(audit.delete())
    assert record.verify(database).broken_at == 1
    with database.writing() as connection:  # who says there were three never held the secret
        record.append(connection, [trail.Deed(n, "ann", "x", "y") for n in range(4)])
        connection.execute(audit.delete().where(audit.c.sequence == 4))
        connection.execute(update(seals).where(seals.c.name == "trail").values(lines=3))
    assert record.verify(database).broken_at == 4


def test_a_store_takes_one_secret_and_no_other(database: Database) -> None:
    ours = trail.Trail(b"a secret of sixteen")
    ours.claim(database, 1)
    ours.claim(database, 2)
    with pytest.raises(SettingError, match="another secret"):
        trail.Trail(b"another of sixteen").claim(database, 3)
    assert ours.verify(database) == trail.Findings(0, None)


def test_a_trail_from_before_it_was_sealed_says_so(database: Database) -> None:
    record = trail.Trail(b"a secret of sixteen")
    with database.writing() as connection:
        record.append(connection, [trail.Deed(1, "ann", "x", "y")])
        connection.execute(seals.delete())
    assert record.verify(database).broken_at == 2
    record.claim(database, 5)
    assert record.verify(database) == trail.Findings(2, None)
    assert trail.latest(database, 1) == [trail.Deed(5, "service", "trail.sealed", "1 lines")]


def test_a_key_is_kept_as_a_hash_and_ends_when_told(database: Database) -> None:
    with database.writing() as connection:
        shown = keys.make_key(connection, b"secret", owner="shop", role="machine", scopes=("a", "b"), at=10)
    _, key_id, password = shown.split("_", 2)
    kept = keys.all_keys(database)[key_id]
    assert password.encode() not in kept.digest
    assert kept.digest == keys.digest_of(b"secret", password)
    assert (kept.role, kept.scopes, kept.valid(11)) == ("machine", ("a", "b"), True)
    with database.writing() as connection:
        assert keys.end_key(connection, key_id, at=20) is True
        assert keys.end_key(connection, "none", at=20) is False
    ended = keys.all_keys(database)[key_id]
    assert (ended.valid(19), ended.valid(20)) == (True, False)


def test_an_erasure_waits_for_who_looked_before_it_and_leaves_nothing_of_them(database: Database) -> None:
    """On PostgreSQL it would not see rows that are not committed, and they would stay."""
    gone = threading.Event()

    def forget() -> None:
        with database.writing() as connection:
            people.erase(connection, "ann", PEOPLE.of("ann"), 5)
        gone.set()

    with database.writing() as connection:
        assert LOG.append(connection, [([order(1)], 1)]) == [["accepted"]]
        erasing = threading.Thread(target=forget)
        erasing.start()
        assert not gone.wait(0.3)
    erasing.join()
    assert (count(database, events), count(database, profiles)) == (0, 0)
    assert take(database, [order(2)]) == ["suppressed"]


def test_a_key_is_revoked_once(database: Database) -> None:
    with database.writing() as connection:
        key_id = keys.make_key(connection, b"secret", owner="shop", role="machine", at=10).split("_")[1]
        assert keys.revoke(connection, key_id, 20) is True
        assert keys.revoke(connection, key_id, 30) is False
    kept = keys.all_keys(database)[key_id]
    assert (kept.revoked_at, kept.valid(15)) == (20, False)


def test_a_conversation_is_kept_over_what_it_was(database: Database) -> None:
    first = conversations.Conversation("c1", "ann", "1058", 1, {"intent": ""}, b"{}", 1)
    second = conversations.Conversation("c1", "ann", "1058", 2, {"intent": "buy"}, b'{"a":1}', 2)
    late = replace(second, answer=b"{}")  # heard after the first turn, as the second was
    with database.writing() as connection:
        assert conversations.keep(connection, [(first, logged("d1")), (second, logged("d2"))]) == [True, True]
        assert conversations.keep(connection, [(late, logged("d3")), (first, logged("d4"))]) == [False, False]
    assert conversations.find(database, "c1") == second
    assert conversations.find(database, "c2") is None
    named = database.rows(select(decisions.c.decision_id).order_by(decisions.c.decision_id))
    assert [row[0] for row in named] == ["d1", "d2"]  # nobody was answered by the others


def test_what_was_in_force_can_be_read_after_the_generation_is_gone(database: Database) -> None:
    documents = {"offers": {"offers": [1]}, "policies": None, "segments": []}
    with database.writing() as connection:
        for name in ("g1", "g2"):  # equal documents are kept once
            generations.note_generation(
                connection, name=name, as_of="2026-01-31", at=1, facts={}, documents=documents
            )
    assert generations.documents_of(database, "g1") == documents
    assert generations.documents_of(database, "g3") == {}


@pytest.mark.xdist_group("postgresql")
def test_a_read_that_outlasts_the_store_leaves_no_connection_open(postgres_url: str) -> None:
    slow, watch = Database(postgres_url, wait_seconds=0.2), Database(postgres_url)
    here = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
    with pytest.raises(Unavailable):
        slow.few_rows(text("SELECT pg_sleep(0.6)"))
    assert watch.rows(here)[0][0] == 1
    slow.close()
    until = time.monotonic() + 10
    while watch.rows(here)[0][0] and time.monotonic() < until:
        time.sleep(0.05)
    assert watch.rows(here)[0][0] == 0
    watch.close()


def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingError, match="mysql"):
        Database("mysql://host/name")


def test_a_store_that_is_not_there_says_so() -> None:
    with pytest.raises(Unavailable):
        Database("postgresql://nobody@127.0.0.1:1/none").rows(select(events))


def test_a_logged_decision_is_read_back_with_every_digit() -> None:
    engine = ShopEngine("g1")
    decision = engine.decide(CUSTOMERS[0], Context(), NOW, "d1")
    record = unpack(pack(decision))
    assert record["candidates"] == [orjson.loads(orjson.dumps(one)) for one in decision.candidates]
    assert record["hints"] == [orjson.loads(orjson.dumps(one)) for one in decision.hints]
    silent = engine.decide(CUSTOMERS[0], Context(intent="complaint"), NOW, "d2")
    assert unpack(pack(silent))["silence"] == silent.silence


def test_a_decision_of_the_engine_is_logged_with_every_candidate_and_reason() -> None:
    catalogue = Catalogue(
        [
            Offer("tea", "Tea", "cross_sell", items=("TEA",), margin=9.0),
            Offer("cups", "Cups", "cross_sell", margin=4.0),
            Offer("pot", "Pot", "upsell", margin=0.02),
            Offer("loss", "Loss", "bundle", margin=1.0, cost=3.5),
            Offer("gone", "Gone", "upsell", available=False),
        ]
    )
    ids = ("tea", "cups", "pot", "loss", "gone", "unheard of")
    candidates = [Candidate(name, "", ("popular",), 0.1 / (1 + n), 0.3) for n, name in enumerate(ids)]
    policies = Policies(control=ControlGroup(0.0), slate=Slate(hints=1))
    decision = decide(
        CUSTOMERS[0], candidates, catalogue, policies, Arbitration(), Context(), NOW, decision_id="d1"
    )
    record = unpack(pack(decision))
    assert record["candidates"] == [orjson.loads(orjson.dumps(one)) for one in decision.candidates]
    assert {one["offer_id"]: one["dropped_by"] for one in record["candidates"]} == {
        "tea": None,
        "cups": "arbitration",
        "pot": "arbitration",
        "loss": "arbitration",
        "gone": "availability",
        "unheard of": "availability",
    }
    assert [one["reason"] for one in record["candidates"] if one["offer_id"] == "loss"] == [
        "costs 2.50 more than it earns"
    ]


def test_a_record_of_an_earlier_release_is_still_read() -> None:
    numbers = {"propensity": [0.5, 0.25], "propensity_raw": [0.5], "context_weight": [1.0], "value": [2.0]}
    columns = {"offer_id": ["tea", "cups"], "item": [""], "lever": [1.0], "priority": [1.0, 0.0]}
    codes = {"kind": [0], "sources": [1], "dropped_by": [2, 3], "reason": [4, 5], "rank": [1, None]}
    texts = ["upsell", ["popular"], None, "contact", "", "Mailed."]
    packed = {"count": 2, **numbers, **columns, **codes, "texts": texts}
    record = unpack(orjson.dumps({"decision_id": "d1", "candidates": packed}))
    assert record["decision_id"] == "d1"
    first, second = record["candidates"]
    assert (first["offer_id"], first["rank"], first["dropped_by"]) == ("tea", 1, None)
    assert (second["propensity"], second["sources"], second["reason"]) == (0.25, ["popular"], "Mailed.")


def test_a_record_of_the_release_before_is_still_read() -> None:
    # columns in the order of the ranks, and a reason with a place by name
    packed = {
        "offer_id": ["tea", "pot"],
        "item": ["TEA", ""],
        "kinds": ["cross_sell", "upsell"],
        "bits": ["popular", "campaign"],
        "refusals": [None, ["arbitration", "priority {priority:.4g} is under the floor 0.01", True]],
        "passed": 1,
        "context_weight": 1.0,
        "value": 2.0,
        "lever": 1.0,
        "columns": [
            *(["propensity", "<f8"], ["propensity_raw", "<f8"], ["priority", "<f8"]),
            *(["kind", "|u1"], ["sources", "<u4"], ["refusal", "<u2"]),
        ],
    }
    numbers = np.array([[0.5, 0.001], [0.4, 0.002], [1.0, 0.0021]]).tobytes()
    codes = (
        np.array([0, 1], "u1").tobytes()
        + np.array([1, 3], "<u4").tobytes()
        + np.array([0, 1], "<u2").tobytes()
    )
    head = orjson.dumps({"decision_id": "d1", "candidates": packed})
    record = unpack(b"\x02" + len(head).to_bytes(4, "little") + head + numbers + codes)
    first, second = record["candidates"]
    assert (first["offer_id"], first["rank"], first["sources"], first["priority"]) == (
        "tea",
        1,
        ["popular"],
        1.0,
    )
    assert (second["rank"], second["dropped_by"], second["sources"]) == (
        None,
        "arbitration",
        ["popular", "campaign"],
    )
    assert second["reason"] == "priority 0.0021 is under the floor 0.01"


def test_the_whole_service_runs_on_either_database(database: Database, tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    url = database.url.render_as_string(hide_password=False)
    settings = Settings(data={"data_dir": tmp_path}, store={"url": url}, serving={"log_level": "error"})
    raw = {
        "messageId": "m1",
        "userId": "ann",
        "event": "Order Completed",
        "timestamp": "2026-02-01T10:00:00Z",
        "properties": {"order_id": "o1", "total": 50.0},
    }
    with LocalClient(create_app(settings, open_shop)) as shop:
        assert shop.post("/v1/events", json=raw).json()["accepted"] == 1
        assert shop.post("/v1/events", json=raw).json()["duplicates"] == 1
        answer = shop.post("/v1/customers/ann/next-best-offers").json()
        assert (answer["logged"], len(answer["hints"])) == (True, 3)
        told = {"outcomes": [{"offer_id": "tea", "outcome": "accepted"}]}
        assert shop.post(f"/v1/decisions/{answer['decision_id']}/outcomes", json=told).json()["recorded"] == 1
        heard = {"customer_id": "ann", "text": "hello"}
        assert shop.post("/v1/conversations/c/messages", json=heard).status_code == 200
        assert shop.get("/v1/customers/ann").json()["parts"]["frequency"] == 4
        assert shop.delete("/v1/people/ann").json()["rows"]["events"] == 2
        assert shop.get("/v1/customers/ann").json()["known"] is False
        assert shop.get("/v1/audit").json()["whole"] is True


def test_the_newest_layout_is_told_by_its_file_and_known_once_it_is_there(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()
    with database.reading() as connection:
        assert is_newest(connection)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with database.reading() as connection:
        assert not is_newest(connection)
