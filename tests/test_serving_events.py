"""Events in, answers moved, outcomes kept, conversations followed, people forgotten: over HTTP."""

from __future__ import annotations

import csv
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2
import orjson
import pytest
from sqlalchemy import select

from models.snapshot import SnapshotWriter
from recommend.context import Context
from serving.app import create_app
from serving.feedback import write_feedback
from serving.settings import Settings
from serving.store.conversations import Conversation
from serving.store.database import Database
from serving.store.people import erase
from serving.store.tables import decisions
from tests.browsing import running
from tests.fakes import AS_OF, CUSTOMERS, LocalClient, ShopEngine, open_shop, publish_shop


@pytest.fixture
def var(tmp_path: Path) -> Path:
    publish_shop(tmp_path / "published")
    return tmp_path


@pytest.fixture
def shop(var: Path) -> Iterator[LocalClient]:
    with LocalClient(create_app(Settings(data={"data_dir": var}), open_shop)) as client:
        yield client


def order(
    number: int, customer: str = "ann", day: str = "2026-02-01", total: float = 50.0
) -> dict[str, object]:
    return {
        "type": "track",
        "messageId": f"m{number}",
        "userId": customer,
        "event": "Order Completed",
        "timestamp": f"{day}T10:00:00Z",
        "properties": {
            "order_id": f"o{number}",
            "total": total,
            "products": [{"item": "TEA", "price": total}],
        },
    }


def test_an_order_shows_in_the_very_next_answer(shop: LocalClient) -> None:
    before = shop.get("/v1/customers/ann").json()
    taken = shop.post("/v1/events", json=order(1))
    after = shop.get("/v1/customers/ann").json()
    assert (taken.status_code, taken.json()) == (202, {"accepted": 1, "duplicates": 0, "rejected": []})
    assert (before["live"], after["live"]) == (False, True)
    assert after["parts"]["frequency"] == before["parts"]["frequency"] + 1
    assert after["value"]["predicted_clv"] != before["value"]["predicted_clv"]
    offers = shop.post("/v1/customers/ann/next-best-offers").json()["hints"]
    assert [hint["offer_id"] for hint in offers] == ["item:BREAD", "item:COFFEE", "item:TEA"]


def test_a_complaint_silences_the_next_hints(shop: LocalClient) -> None:
    complaint = {
        **order(1),
        "event": "Interaction Recorded",
        "properties": {"channel": "chat", "intent": "complaint", "topic": "delivery"},
    }
    shop.post("/v1/events", json=complaint)
    assert shop.get("/v1/customers/ann").json()["open_issue"] == "delivery"
    assert shop.post("/v1/customers/ann/next-best-offers").json()["hints"] == []


def test_a_batch_tells_of_each_event_how_it_was_taken(shop: LocalClient) -> None:
    shop.post("/v1/events", json=order(1))
    batch = [
        order(1),
        order(2),
        order(2, total=9.0),
        {"messageId": "x"},
        "nonsense",
        order(3, customer="bob"),
    ]
    answer = shop.post("/v1/batch", json={"batch": batch}).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [
        (2, "conflict"),
        (3, "missing"),
        (4, "not_an_event"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/events", b"{", 400, "malformed"),
        ("/v1/events", b"[]", 422, "data"),
        ("/v1/batch", b"[]", 422, "data"),
        ("/v1/batch", orjson.dumps({"batch": ["x" * 600_000]}), 413, "too_large"),
        ("/v1/events", orjson.dumps({**order(1), "note": "x" * 40_000}), 413, "too_large"),
    ],
)
def test_what_cannot_be_read_or_is_too_large_is_refused(
    shop: LocalClient, path: str, body: bytes, status: int, code: str
) -> None:
    answer = shop.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_page_elsewhere_cannot_slip_an_event_in_through_a_browser(shop: LocalClient, kind: str) -> None:
    answer = shop.post("/v1/events", content=orjson.dumps(order(1)), headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "media_type")


def test_a_name_that_was_pointed_at_this_machine_is_not_answered(shop: LocalClient) -> None:
    answer = shop.get("/v1/customers/ann", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")


def test_what_became_of_an_offer_is_kept_once_and_counts_as_a_contact(shop: LocalClient) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    told = {"outcomes": [{"offer_id": "tea", "outcome": "rejected", "reason": "has enough"}]}
    url = f"/v1/decisions/{decision}/outcomes"
    first, again = shop.post(url, json=told), shop.post(url, json=told)
    assert (first.status_code, first.json()) == (202, {"recorded": 1, "duplicates": 0})
    assert again.json() == {"recorded": 0, "duplicates": 1}
    record = shop.get(f"/v1/decisions/{decision}").json()
    assert [(o["offer_id"], o["outcome"], o["reason"]) for o in record["outcomes"]] == [
        ("tea", "rejected", "has enough")
    ]
    assert shop.get("/v1/customers/ann").json()["live"] is True


def test_every_answer_is_in_the_log_with_all_its_candidates(shop: LocalClient) -> None:
    answer = shop.post("/v1/customers/ann/next-best-offers").json()
    record = shop.get(f"/v1/decisions/{answer['decision_id']}").json()["record"]
    assert answer["logged"] is True
    assert [c["offer_id"] for c in record["candidates"]] == ["item:COFFEE", "item:BREAD", "tea", "gold"]
    assert record["hints"][0]["selection_probability"] == 1.0
    assert record["candidates"][3]["reason"] == "Mailed 11 days ago."
    assert record["snapshot"] == answer["snapshot"]


@pytest.mark.parametrize(
    ("decision", "outcome", "status"),
    [
        ("none", {"offer_id": "tea", "outcome": "accepted"}, 404),
        (None, {"offer_id": "x", "outcome": "accepted"}, 422),
        (None, {"offer_id": "tea", "outcome": "liked"}, 422),
    ],
)
def test_an_outcome_of_nothing_we_said_is_refused(
    shop: LocalClient, decision: str | None, outcome: dict[str, str], status: int
) -> None:
    decision = decision or shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    answer = shop.post(f"/v1/decisions/{decision}/outcomes", json={"outcomes": [outcome]})
    assert answer.status_code == status


def test_a_conversation_remembers_what_it_is_about(shop: LocalClient) -> None:
    url = "/v1/conversations/chat-1/messages"
    first = shop.post(
        url, json={"customer_id": "ann", "text": "I want to complain: it arrived broken"}
    ).json()
    second = shop.post(url, json={"customer_id": "ann", "text": "Hello?"}).json()
    assert first["hints"] == [] == second["hints"]
    other = shop.post(url, json={"customer_id": "bob", "text": "Hello"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")


def test_asking_about_a_complaint_is_not_its_end(shop: LocalClient) -> None:
    url = "/v1/conversations/chat-broken/messages"
    said = ("It arrived broken, I want to complain", "When will you fix it?", "What are you going to do?")
    for text in said:
        answer = shop.post(url, json={"customer_id": "zoe", "text": text}).json()
        assert (answer["hints"], "complaint" in answer["silence"]) == ([], True), text
    bought = shop.post(url, json={"customer_id": "zoe", "text": "I want to buy coffee"}).json()
    assert "complaint" not in bought["silence"]


def test_a_complaint_heard_in_one_conversation_holds_in_every_other_until_they_wish_to_buy(
    shop: LocalClient,
) -> None:
    first, other = "/v1/conversations/chat-old/messages", "/v1/conversations/chat-new/messages"
    ask = "/v1/customers/bob/next-best-offers"
    assert shop.get("/v1/customers/bob").json()["open_issue"] == ""
    shop.post(first, json={"customer_id": "bob", "text": "The coffee arrived broken, I want to complain"})
    assert shop.get("/v1/customers/bob").json()["open_issue"]
    for answer in (shop.post(ask), shop.post(other, json={"customer_id": "bob", "text": "Hello"})):
        assert (answer.json()["hints"], answer.json()["silence"][:19]) == ([], "A complaint is open")
    shop.post(first, json={"customer_id": "bob", "text": "All sorted. I want to buy coffee"})
    assert shop.get("/v1/customers/bob").json()["open_issue"] == ""


def test_a_complaint_repeated_in_a_conversation_is_one_event(shop: LocalClient) -> None:
    url = "/v1/conversations/chat-angry/messages"
    for text in ("It arrived broken", "I want to complain", "This is unacceptable"):
        shop.post(url, json={"customer_id": "zoe", "text": text})
    held = shop.get("/v1/people/zoe").json()["held"]["events"]
    assert [one["kind"] for one in held] == ["interaction"]


def test_what_a_customer_wrote_is_heard_and_not_kept(shop: LocalClient, var: Path) -> None:
    text = "I want a refund, this is unacceptable zebra-crossing"
    shop.post("/v1/conversations/chat-1/messages", json={"customer_id": "ann", "text": text})
    shop.post("/v1/customers/ann/next-best-offers", json={"text": text})
    assert [f.name for f in var.rglob("*") if f.is_file() and b"zebra" in f.read_bytes()] == []


def test_whoever_watches_a_conversation_is_told_of_each_change(var: Path) -> None:
    app = create_app(Settings(data={"data_dir": var}), open_shop)
    with running(app) as address, httpx2.Client(base_url=address, timeout=10) as client:
        url = "/v1/conversations/chat-1"
        assert client.get(f"{url}/hints").status_code == 404
        client.post(f"{url}/messages", json={"customer_id": "ann", "text": "coffee?"})
        with client.stream("GET", f"{url}/hints") as stream:
            lines = stream.iter_lines()
            first = [next(lines) for _ in range(5)]
            sender = threading.Timer(
                0.3, client.post, (f"{url}/messages",), {"json": {"customer_id": "ann", "text": "more"}}
            )
            sender.start()
            second = next(line for line in lines if line.startswith("id:"))
            sender.join()
    assert first[2:4] == ["id: 1", "event: hints"]
    assert first[4].startswith('data: {"decision_id":')
    assert second == "id: 2"


def test_a_person_is_handed_everything_and_then_forgotten(shop: LocalClient, var: Path) -> None:
    shop.post("/v1/batch", json={"batch": [order(1), order(2, customer="bob")]})
    shop.post("/v1/customers/ann/next-best-offers")
    held = shop.get("/v1/people/ann").json()
    assert {name: len(rows) for name, rows in held["held"].items()} == {
        "events": 1, "profiles": 1, "decisions": 1, "outcomes": 0, "conversations": 0, "lookups": 0,
    }  # fmt: skip
    assert held["published"]["attributes"]["email"] == "ann@example.com"

    erased = shop.delete("/v1/people/ann").json()
    assert (erased["rows"]["events"], erased["published_again"]) == (1, True)
    assert shop.get("/v1/customers/ann").json()["known"] is False
    assert "ann" not in shop.get("/v1/segments/champions/customers").text.replace("channel", "")
    assert shop.post("/v1/batch", json={"batch": [order(3)]}).json()["rejected"][0]["code"] == "suppressed"
    assert shop.get("/v1/customers/bob").json()["live"] is True
    found = [f.name for f in var.rglob("*") if f.is_file() and b"ann@example.com" in f.read_bytes()]
    assert found == []
    trail = shop.get("/v1/audit").json()
    assert trail["whole"] is True
    assert [deed["action"] for deed in trail["deeds"]] == ["person.erased", "person.exported"]
    assert "ann" not in [deed["subject"] for deed in trail["deeds"]]


def test_what_was_under_way_when_somebody_was_erased_goes_too(shop: LocalClient, var: Path) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    database = Database(f"sqlite:///{var / 'service.sqlite'}")
    (row,) = database.rows(select(decisions).where(decisions.c.decision_id == decision))
    with ThreadPoolExecutor() as pool:
        erased = pool.submit(shop.delete, "/v1/people/ann")
        while database.rows(select(decisions)):
            time.sleep(0.01)
        with database.writing() as connection:  # what another worker decided just before
            connection.execute(decisions.insert().values(**row._mapping))
        assert erased.result().json()["rows"]["decisions"] == 2
    assert database.rows(select(decisions)) == []
    memory = shop.app.state.service.memory
    memory._later.append(tuple(row))  # what the store had not taken until now
    shop.portal.call(memory.recover)
    assert [kept.customer_id for kept in database.rows(select(decisions))] == [""]
    database.close()


def test_the_generation_an_erasure_makes_can_be_looked_up_like_any_other(var: Path) -> None:
    settings = Settings(data={"data_dir": var}, serving={"poll_seconds": 0.1})
    with LocalClient(create_app(settings, open_shop)) as shop:
        before = shop.get("/v1/generations/current").json()
        shop.delete("/v1/people/ann")
        found = shop.get("/v1/generations/current")
        for _ in range(100):  # it is noted by the next look for a newer generation
            if found.status_code == 200 and found.json() != before:
                break
            time.sleep(0.1)
            found = shop.get("/v1/generations/current")
        assert found.status_code == 200
        assert found.json()["snapshot"] != before["snapshot"]
        assert found.json()["offers"] == before["offers"]


def test_an_erasure_that_was_cut_short_is_finished_when_the_service_is_there_again(var: Path) -> None:
    memory = create_app(Settings(data={"data_dir": var}), open_shop).state.service.memory
    memory.open()
    with memory.database.writing() as connection:
        erase(connection, "ann", memory.pseudonyms.of("ann"), 1)
    memory.database.close()
    assert any(b"ann@example.com" in file.read_bytes() for file in (var / "published").rglob("*.sqlite"))
    app = create_app(Settings(data={"data_dir": var}, serving={"poll_seconds": 0.05}), open_shop)
    with LocalClient(app) as client:
        assert client.get("/v1/customers/ann").json()["known"] is False
        deadline = time.monotonic() + 20
        while app.state.service.shelf.sequence < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.get("/v1/segments").json()["segments"][0]["customers"] == 1
        assert client.get("/v1/customers/bob").json()["known"] is True
    held = [file for file in var.rglob("*") if file.is_file() and b"ann@example.com" in file.read_bytes()]
    assert held == []
    assert (var / "forgotten.txt").read_text().strip() == memory.pseudonyms.of("ann").hex()


def test_what_was_in_force_when_a_decision_was_made_can_still_be_read(shop: LocalClient, var: Path) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    snapshot = shop.get(f"/v1/decisions/{decision}").json()["record"]["snapshot"]
    now = shop.get("/v1/generations/current").json()
    assert (now["snapshot"], now["policies"]) == (snapshot, None)
    assert {"tea", "gold"} <= {offer["offer_id"] for offer in now["offers"]["offers"]}
    assert {segment["name"] for segment in now["segments"]} == {"champions", "new", "lost, maybe"}
    for _ in range(3):  # by now its files are gone
        publish_shop(var / "published")
        shop.app.state.service.shelf.refresh()
    assert not (var / "published" / snapshot).exists()
    assert shop.get(f"/v1/generations/{snapshot}").json() == now
    assert shop.get("/v1/generations/000099-2026-01-31").status_code == 404


def test_who_exports_a_list_is_on_the_audit_trail(shop: LocalClient) -> None:
    shop.get("/v1/segments/champions/customers?format=csv")
    deed = shop.get("/v1/audit").json()["deeds"][0]
    assert (deed["actor"], deed["action"], deed["subject"]) == ("local", "list.exported", "champions")


def test_hints_go_on_while_the_store_is_locked_and_are_logged_when_it_is_not(var: Path) -> None:
    settings = Settings(data={"data_dir": var}, store={"wait_seconds": 0.2, "log_wait_seconds": 0.5})
    with LocalClient(create_app(settings, open_shop)) as client:
        other = sqlite3.connect(var / "service.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/customers/ann/next-best-offers").json()
        refused = client.post("/v1/events", json=order(1))
        ready = client.get("/readyz").json()
        other.execute("ROLLBACK")
        other.close()
        assert (len(answer["hints"]), answer["logged"]) == (3, False)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"] == "1"
        assert ready["status"] == "degraded"
        assert client.post("/v1/events", json=order(1)).status_code == 202
        deadline = time.monotonic() + 5
        while client.get(f"/v1/decisions/{answer['decision_id']}").status_code == 404:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.get("/readyz").json()["status"] == "ready"


def test_more_than_may_wait_is_sent_away_with_a_time_to_come_back(var: Path) -> None:
    app = create_app(Settings(data={"data_dir": var}, store={"most_waiting": 100}), open_shop)
    with LocalClient(app) as shop, ThreadPoolExecutor() as pool:
        other = sqlite3.connect(var / "service.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # so that what is sent has to wait
        first = pool.submit(shop.post, "/v1/batch", json={"batch": [order(n) for n in range(101)]})
        while not app.state.service.memory.commits.weight:
            time.sleep(0.01)
        answer = shop.post("/v1/events", json=order(101))
        unread = shop.post("/v1/events", content=b"{", headers={"content-type": "application/json"})
        other.execute("ROLLBACK")
        other.close()
        assert first.result().json()["accepted"] == 101  # no batch is too large for an empty queue
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many")
    assert answer.headers["retry-after"] == "1"
    assert unread.status_code == 429  # what finds no room costs no reading


def test_messages_of_a_conversation_that_come_at_once_are_all_heard(shop: LocalClient, var: Path) -> None:
    url = "/v1/conversations/chat-busy/messages"
    said = [{"customer_id": "ann", "text": f"Do you have {item}?"} for item in ("coffee", "bread", "tea")] * 3
    with ThreadPoolExecutor(len(said)) as pool:
        answers = list(pool.map(lambda one: shop.post(url, json=one).status_code, said))
    store = sqlite3.connect(var / "service.sqlite")
    turn, state = store.execute("SELECT turn, state FROM conversations").fetchone()
    decided = store.execute("SELECT count(*) FROM decisions").fetchone()[0]
    store.close()
    assert answers == [200] * 9
    assert (turn, sorted(orjson.loads(state)["mentions"])) == (9, ["BREAD", "COFFEE", "TEA"])
    assert decided == 9


def test_of_messages_that_two_machines_hear_at_once_only_what_was_answered_is_logged(
    shop: LocalClient, var: Path
) -> None:
    url, said = "/v1/conversations/chat-race/messages", {"customer_id": "ann", "text": "Do you have coffee?"}
    with (
        LocalClient(create_app(Settings(data={"data_dir": var}), open_shop)) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = [
            answer.json() for answer in pool.map(lambda one: one.post(url, json=said), [shop, other] * 20)
        ]
    store = sqlite3.connect(var / "service.sqlite")
    (turn,) = store.execute("SELECT turn FROM conversations").fetchone()
    logged = [row[0] for row in store.execute("SELECT decision_id FROM decisions ORDER BY decision_id")]
    store.close()
    assert turn == 40
    assert logged == sorted(answer["decision_id"] for answer in answers)


def told(number: int, decision: str, customer: str = "ann", **properties: object) -> dict[str, object]:
    said = {"decision_id": decision, "offer_id": "tea", "outcome": "presented", **properties}
    raw = order(number, customer)
    return {**raw, "event": "Offer Outcome", "properties": said}


def test_an_outcome_belongs_to_the_customer_the_decision_was_about(shop: LocalClient) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    answer = shop.post(
        "/v1/batch",
        json={"batch": [told(1, decision, "bob"), told(2, decision), told(3, "elsewhere", "bob")]},
    ).json()
    assert (answer["accepted"], [one["code"] for one in answer["rejected"]]) == (2, ["another_customer"])


def test_an_outcome_told_by_event_and_by_the_api_counts_as_one(shop: LocalClient) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    body = {"outcomes": [{"offer_id": "tea", "outcome": "presented", "value": 0.0}]}
    shop.post(f"/v1/decisions/{decision}/outcomes", json=body)
    shop.post("/v1/events", json=told(1, decision))
    kept = shop.get(f"/v1/decisions/{decision}").json()["outcomes"]
    assert [(one["outcome"], one["amount"]) for one in kept] == [("presented", "0.0")]
    service = shop.app.state.service
    seen = shop.portal.call(service.see, "ann")
    assert [one.outcome for one in seen.profile.contacts if one.offer_id == "tea"] == ["presented"]


def test_what_is_told_of_an_offer_long_after_its_decision_is_no_label(
    shop: LocalClient, var: Path, tmp_path: Path
) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    late = {**told(1, decision, outcome="accepted"), "timestamp": "2026-03-20T10:00:00Z"}
    early = {**told(2, decision, outcome="rejected"), "timestamp": "2026-01-20T10:00:00Z"}
    assert shop.post("/v1/batch", json={"batch": [late, early]}).json()["accepted"] == 2
    database = Database(f"sqlite:///{var / 'service.sqlite'}")
    write_feedback(database, tmp_path / "feedback", attribution_days=14)
    database.close()
    with (tmp_path / "feedback" / "decisions.csv").open() as file:
        tea = next(row for row in csv.DictReader(file) if row["offer_id"] == "tea")
    assert (tea["accepted"], tea["rejected"]) == ("0", "0")


def test_a_name_that_no_address_can_hold_is_refused_and_a_backslash_is_a_text(shop: LocalClient) -> None:
    batch = [order(1, "a\nb"), {**order(2), "messageId": "m\t2"}]
    batch.append({**order(3), "context": {"note": "a literal \\u0000 of somebody's"}})
    batch.append({**order(4), "context": {"note": "a zero \x00"}})
    answer = shop.post("/v1/batch", json={"batch": batch}).json()
    assert answer["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (0, "invalid"), (1, "invalid"), (3, "invalid"),
    ]  # fmt: skip


def test_an_erasure_the_publication_could_not_follow_is_made_up_for(var: Path) -> None:
    settings = Settings(data={"data_dir": var}, serving={"poll_seconds": 0.1})
    with LocalClient(create_app(settings, open_shop)) as shop:
        with SnapshotWriter(var / "published", AS_OF):  # a night is at it
            assert shop.delete("/v1/people/ann").status_code == 503
        deadline = time.monotonic() + 10
        while b"ann" in shop.get("/v1/segments/champions/customers").content.replace(b"channel", b""):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while shop.app.state.service.shelf.require().snapshot.profile("ann") is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_list_is_not_searched_for_people_who_are_not_in_it(var: Path) -> None:
    settings = Settings(data={"data_dir": var}, serving={"poll_seconds": 0.1})
    with LocalClient(create_app(settings, open_shop)) as shop:
        service = shop.app.state.service
        for person in ("ann", "nobody"):  # one is published, the other is not
            shop.delete(f"/v1/people/{person}")
            assert service._left_in(service.shelf.require()) == frozenset()
        assert shop.get("/v1/segments/champions/customers").json()["total"] == 1
        publish_shop(var / "published")  # by a night that did not know
        deadline = time.monotonic() + 10
        while service.shelf.require().snapshot.manifest.sequence < 4:
            assert time.monotonic() < deadline
            assert shop.get("/v1/segments/champions/customers").json()["total"] == 1
            time.sleep(0.02)


def test_a_generation_the_store_could_not_note_is_noted_later(var: Path) -> None:
    settings = Settings(
        data={"data_dir": var}, serving={"poll_seconds": 0.1}, store={"write_wait_seconds": 0.2}
    )
    Database(f"sqlite:///{var / 'service.sqlite'}").upgrade()
    other = sqlite3.connect(var / "service.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with LocalClient(create_app(settings, open_shop)) as shop:
        other.execute("ROLLBACK")
        deadline = time.monotonic() + 10
        while not other.execute("SELECT count(*) FROM snapshots").fetchone()[0]:
            assert time.monotonic() < deadline
            shop.get("/healthz")
            time.sleep(0.05)
    other.close()


def test_the_log_becomes_labelled_rows(shop: LocalClient, var: Path, tmp_path: Path) -> None:
    decision = shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"]
    told = [{"offer_id": "tea", "outcome": "presented"}, {"offer_id": "tea", "outcome": "accepted"}]
    shop.post(f"/v1/decisions/{decision}/outcomes", json={"outcomes": told})
    shop.post("/v1/batch", json={"batch": [order(1, day="2026-02-03")]})
    database = Database(f"sqlite:///{var / 'service.sqlite'}")
    written = write_feedback(database, tmp_path / "feedback", attribution_days=14)
    database.close()
    with (tmp_path / "feedback" / "decisions.csv").open() as file:
        rows = {row["offer_id"]: row for row in csv.DictReader(file)}
    assert {path.name: rows for path, rows in written.items()} == {
        "decisions.csv": 3, "questions.csv": 1, "purchases.csv": 1, "interactions.csv": 0, "outcomes.csv": 2,
    }  # fmt: skip
    assert (rows["tea"]["presented"], rows["tea"]["accepted"], rows["tea"]["purchased"]) == ("1", "1", "1")
    assert (rows["item:COFFEE"]["presented"], rows["item:COFFEE"]["purchased"]) == ("0", "0")
    assert float(rows["tea"]["selection_probability"]) == 1.0
    with (tmp_path / "feedback" / "questions.csv").open() as file:
        (asked,) = csv.DictReader(file)
    assert (asked["customer_id"], asked["arm"], asked["hints"]) == ("ann", "treatment", "3")


def test_a_stored_line_whose_price_is_no_number_does_not_stop_the_log_from_becoming_tables(
    shop: LocalClient, var: Path, tmp_path: Path
) -> None:
    shop.post("/v1/events", json=order(1, total=5.0))
    store = sqlite3.connect(var / "service.sqlite")
    (body,) = store.execute("SELECT body FROM events").fetchone()
    raw = orjson.loads(body)
    raw["properties"]["products"] = [{"product_id": "p0", "price": "abc", "quantity": None}]
    store.execute("UPDATE events SET body = ?", [orjson.dumps(raw)])  # as an earlier release took it
    store.commit()
    store.close()
    database = Database(f"sqlite:///{var / 'service.sqlite'}")
    write_feedback(database, tmp_path / "feedback", attribution_days=14)
    database.close()
    with (tmp_path / "feedback" / "purchases.csv").open() as file:
        assert [(row["product_id"], float(row["amount"])) for row in csv.DictReader(file)] == [
            ("p0", 0.0),
            ("", 5.0),
        ]


def test_a_complaint_is_heard_whatever_the_channel_is_called(shop: LocalClient) -> None:
    said = {"customer_id": "ann", "text": "My delivery is three days late, I complain"}
    for channel in ("", " "):
        answer = shop.post(f"/v1/conversations/t{channel!r}/messages", json={**said, "channel": channel})
        assert answer.status_code == 200
    assert shop.get("/v1/customers/ann").json()["open_issue"]


def test_of_who_asked_to_be_forgotten_nothing_is_kept_when_they_are_asked_about(
    shop: LocalClient, var: Path
) -> None:
    shop.delete("/v1/people/ann")
    answer = shop.post("/v1/customers/ann/next-best-offers").json()
    assert (answer["customer_id"], answer["known"], answer["logged"]) == ("ann", False, True)
    said = {"customer_id": "ann", "text": "Where is my parcel? I complain!"}
    assert shop.post("/v1/conversations/t1/messages", json=said).status_code == 200
    assert not any(shop.get("/v1/people/ann").json()["held"].values())
    logged = shop.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert b'"ann"' not in orjson.dumps({**logged, "agent_id": ""})
    store = sqlite3.connect(var / "service.sqlite")
    assert [row[0] for row in store.execute("SELECT DISTINCT customer_id FROM decisions")] == [""]
    store.close()


def test_an_erasure_is_on_the_trail_though_the_publication_cannot_be_changed_just_then(
    shop: LocalClient, var: Path
) -> None:
    made = publish_shop(var / "published")
    (var / "published" / made.name / "segments.json").write_text("[]")
    assert shop.delete("/v1/people/ann").status_code == 503
    assert [deed["action"] for deed in shop.get("/v1/audit").json()["deeds"]] == ["person.erased"]


def test_what_is_counted_can_be_fetched(shop: LocalClient) -> None:
    shop.post("/v1/customers/ann/next-best-offers")
    shop.post("/v1/events", json=order(1))
    text = shop.get("/metrics").text
    assert 'clv_decisions_total{outcome="hints"' in text
    assert 'clv_refused_offers_total{stage="contact"' in text
    assert 'clv_events_total{verdict="accepted"' in text
    assert 'clv_stage_seconds_bucket{le="0.01",stage="decide"' in text
    assert 'route="/v1/customers/{customer_id}/next-best-offers"' in text
    assert "ann" not in text.replace("channel", "")


def test_a_log_line_names_the_route_and_never_the_customer(
    shop: LocalClient, capsys: pytest.CaptureFixture[str]
) -> None:
    import logging

    from serving.logs import JsonLines

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonLines().format(record))  # type: ignore[method-assign]
    logging.getLogger("clv.requests").addHandler(handler)
    try:
        shop.get("/v1/customers/ann", headers={"x-request-id": "call-0001"})
    finally:
        logging.getLogger("clv.requests").removeHandler(handler)
    line = orjson.loads(lines[0])
    assert (line["request_id"], line["route"], line["status"]) == (
        "call-0001",
        "/v1/customers/{customer_id}",
        200,
    )
    assert '"ann"' not in lines[0]
    assert datetime.fromisoformat(line["at"]).tzinfo == UTC


def test_who_was_forgotten_when_it_was_decided_is_not_named_where_that_cannot_be_looked_up_again(
    shop: LocalClient, var: Path
) -> None:
    memory, at = shop.app.state.service.memory, datetime(2026, 2, 1, tzinfo=UTC)
    decision = ShopEngine("g1").decide(CUSTOMERS[0], Context(), at, "d1")
    turn = Conversation("t1", "kim", decision.customer_id, 1, {}, b"{}", 1)  # the store knows of no erasure
    assert shop.portal.call(partial(memory.keep_turn, turn, decision, erased=True)) is True
    store = sqlite3.connect(var / "service.sqlite")
    assert store.execute("SELECT customer_id FROM decisions").fetchall() == [("",)]
    assert store.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
    store.close()
