"""The short way answers as the long one does, and leaves every refusal to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from serving import express
from serving.app import create_app
from serving.express import Express
from serving.questions import Questions
from serving.refusals import NotSignedIn
from serving.schemas import OffersAnswer, offers_json
from serving.service import Answer
from serving.settings import Settings
from serving.store.database import Row
from serving.store.decisions import find_decision
from serving.store.keys import end_key, make_key
from tests.fakes import LocalClient, open_shop, publish_shop

ASK = "/v1/customers/{}/next-best-offers"
LONG_WAY = {"content-type": "application/json; charset=utf-8"}
"""A spelling of the same type that the short way leaves to the long one."""


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var = tmp_path_factory.mktemp("var")
    publish_shop(var / "published")
    return var


@pytest.fixture(scope="module")
def shop(var: Path) -> Iterator[LocalClient]:
    with LocalClient(create_app(Settings(data={"data_dir": var}), open_shop)) as client:
        yield client


@pytest.fixture
def guarded(var: Path) -> Iterator[LocalClient]:
    settings = Settings(data={"data_dir": var}, security={"sign_in": True, "requests_per_minute": 4})
    with LocalClient(create_app(settings, open_shop)) as client:
        yield client


def key_of(client: LocalClient, role: str, *scopes: str) -> str:
    service, keeper = client.app.state.service, client.app.state.gate._doorkeeper
    with service.memory.database.writing() as connection:
        shown = make_key(connection, keeper._secret, owner=role, role=role, scopes=scopes, at=1)
    keeper._read_at = float("-inf")
    return shown


@pytest.mark.parametrize("customer", ["ann", "bob", "nobody", "王小明", "=1+1"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"context": {"channel": "phone", "intent": "ask", "mentions": ["TEA"], "attributes": {"x": 1}}}',
        b'{"text": "Do you have coffee?"}',
        b'{"context": {"intent": "complaint"}}',
    ],
)
def test_both_ways_give_one_answer(shop: LocalClient, customer: str, body: bytes) -> None:
    path = ASK.format(customer)
    short = shop.post(path, content=body, headers={"content-type": "application/json"})
    long = shop.post(path, content=body, headers=LONG_WAY)
    assert (short.status_code, long.status_code) == (200, 200)
    assert {*short.headers} == {*long.headers}
    answers = [
        OffersAnswer.model_validate_json(one.content, strict=False).model_dump() for one in (short, long)
    ]
    for answer in answers:
        assert len(answer.pop("decision_id")) == 32
        answer.pop("at")
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"contxt": {}}', "application/json", 422),
        (b'{"context": {"sentiment": "grumpy"}}', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b"null", "application/json", 200),
        (b"x" * 600_000, "application/json", 413),
    ],
)
def test_what_is_refused_is_refused_by_the_long_way(
    shop: LocalClient, body: bytes, kind: str, status: int
) -> None:
    path = ASK.format("ann")
    short = shop.post(path, content=body, headers={"content-type": kind})
    long = shop.post(path, content=body, headers=LONG_WAY)
    assert (short.status_code, long.status_code) == (status, status)
    if status != 200:
        said = [{**one.json()["error"], "request_id": ""} for one in (short, long)]
        assert said[0] == said[1]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", ASK.format("ann"), {}),
        ("POST", ASK.format("ann") + "?a=1", {}),
        ("POST", ASK.format("a/b"), {}),
        ("POST", ASK.format("a" * 201), {}),
        ("POST", "/v1/customers/ann", {}),
        ("POST", ASK.format("ann"), LONG_WAY),
        ("POST", ASK.format("ann"), {"host": "elsewhere.example"}),
    ],
)
def test_what_is_not_ordinary_is_handed_on(
    shop: LocalClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """Only the ordinary question is answered on the short way."""
    state = shop.app.state

    async def handed_on(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=418)(scope, receive, send)

    client = TestClient(Express(handed_on, state.service, state.gate), base_url="http://127.0.0.1")
    asked = {"content-type": "application/json", **headers}
    assert client.request(method, path, content=b"{}", headers=asked).status_code == 418


def test_who_is_not_known_or_may_not_is_refused(guarded: LocalClient) -> None:
    path = ASK.format("ann")
    assert guarded.post(path, json={}).status_code == 401
    forged = {"authorization": "Bearer clv_000000000000_" + "x" * 43}
    assert guarded.post(path, json={}, headers=forged).status_code == 401
    auditor = {"authorization": f"Bearer {key_of(guarded, 'auditor')}"}
    assert guarded.post(path, json={}, headers=auditor).status_code == 403


def test_every_question_counts_once_whichever_way_it_takes(guarded: LocalClient) -> None:
    agent = {"authorization": f"Bearer {key_of(guarded, 'agent')}"}
    kinds = [{}, LONG_WAY, {}, {}]
    statuses = [
        guarded.post(ASK.format("ann"), json={}, headers={**agent, **kind}).status_code for kind in kinds
    ]
    refused = guarded.post(ASK.format("ann"), json={}, headers=agent)
    assert (statuses, refused.status_code) == ([200] * 4, 429)
    assert int(refused.headers["retry-after"]) > 0


def test_a_revoked_key_is_refused_within_a_second_or_so(guarded: LocalClient) -> None:
    shown = key_of(guarded, "machine", "offers:decide")
    headers = {"authorization": f"Bearer {shown}"}
    assert guarded.post(ASK.format("ann"), json={}, headers=headers).status_code == 200
    with guarded.app.state.service.memory.database.writing() as connection:
        end_key(connection, shown.split("_")[1], at=time.time_ns() // 1000)
    time.sleep(1.05)
    assert guarded.post(ASK.format("ann"), json={}, headers=headers).status_code == 401


def test_a_key_that_is_known_still_ends_when_it_was_said_to(guarded: LocalClient) -> None:
    keeper = guarded.app.state.gate._doorkeeper
    soon = time.time_ns() // 1000 + 300_000
    with guarded.app.state.service.memory.database.writing() as connection:
        shown = make_key(
            connection,
            keeper._secret,
            owner="x",
            role="machine",
            scopes=("offers:decide",),
            at=1,
            expires_at=soon,
        )
    keeper._read_at = float("-inf")
    headers = {"authorization": f"Bearer {shown}"}
    assert guarded.post(ASK.format("ann"), json={}, headers=headers).status_code == 200
    time.sleep(0.35)
    assert guarded.post(ASK.format("ann"), json={}, headers=headers).status_code == 401
    with pytest.raises(NotSignedIn):
        keeper._holder(shown.split("_")[1], shown.split("_", 2)[2])


def test_before_the_first_publication_the_short_way_says_so_too(tmp_path: Path) -> None:
    with LocalClient(create_app(Settings(data={"data_dir": tmp_path}), open_shop)) as client:
        answer = client.post(ASK.format("ann"), json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_published")
    assert answer.headers["retry-after"] == "1"


def test_the_text_is_made_while_the_disk_works_and_sent_after_the_commit(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it made after the commit, the commit below would wait in vain."""
    order: list[str] = []
    told = threading.Event()

    def tell(answer: Answer, refused_limit: int) -> bytes:
        said = offers_json(answer, refused_limit)
        order.append("told")
        told.set()
        return said

    monkeypatch.setattr(express, "offers_json", tell)
    app = create_app(Settings(data={"data_dir": var}), open_shop)
    database = app.state.service.memory.database
    insert = database.insert_on

    def slow(held: list[Connection], statement: str, values: Row) -> None:
        assert told.wait(5)
        time.sleep(0.1)
        insert(held, statement, values)
        order.append("committed")

    class Watched:
        state = app.state

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def watched(message: Message) -> None:
                if scope["type"] == "http":
                    order.append(message["type"])
                await send(message)

            await app(scope, receive, watched)

    with LocalClient(Watched()) as client:
        monkeypatch.setattr(database, "insert_on", slow)
        answer = client.post(ASK.format("ann"), json={}).json()
        kept = client.get(f"/v1/decisions/{answer['decision_id']}").status_code
    assert order[:4] == ["told", "committed", "http.response.start", "http.response.body"]
    assert (answer["logged"], kept) == (True, 200)


@pytest.mark.parametrize("kind", ["application/json", LONG_WAY["content-type"]])
def test_what_the_log_does_not_take_in_time_says_so_and_nothing_else_differs(var: Path, kind: str) -> None:
    settings = Settings(data={"data_dir": var}, store={"log_wait_seconds": 0.1})
    with LocalClient(create_app(settings, open_shop)) as client:
        headers = {"content-type": kind}
        usual = client.post(ASK.format("ann"), content=b"{}", headers=headers).json()
        held, go_on = client.app.state.service.memory.database, threading.Event()
        insert = held.insert_on

        def slow(*given: Sequence[object]) -> None:
            go_on.wait(5)
            insert(*given)

        held.insert_on = slow
        started = time.monotonic()
        unlogged = client.post(ASK.format("ann"), content=b"{}", headers=headers).json()
        took = time.monotonic() - started
        go_on.set()
        path, deadline = f"/v1/decisions/{unlogged['decision_id']}", time.monotonic() + 5
        while client.get(path).status_code == 404:  # it is written all the same, as soon as it can be
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert (usual["logged"], unlogged["logged"]) == (True, False)
    assert 0.09 < took < 1
    fresh = {"decision_id": "", "at": "", "logged": None}
    assert {**usual, **fresh} == {**unlogged, **fresh}


ASKED = b'{"context": {"channel": "chat", "intent": "ask"}}'


def test_a_body_seen_before_is_known_again_and_each_keeps_their_own_name() -> None:
    questions = Questions()
    first = questions.read(ASKED, "kim")
    assert first is not None
    assert (first.context.agent_id, first.context.intent, first.text) == ("kim", "ask", "")
    assert questions.read(ASKED, "kim") is first
    other = questions.read(ASKED, "lee")
    assert other is not None
    assert other.context.agent_id == "lee"
    assert questions.read(ASKED, "kim") is first


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "I am ill"}',
        b'{"context": {}, "text": "x"}',
        b'{"text": "I am ill", "text": ""}',
        b'{"te\\u0078t": "I am ill", "te\\u0078t": ""}',
        b'{"context": {"mentions": ["TESTS"]}}',
        b'{"context": {"attributes": {"caller": "Ann"}}}',
        b"{",
        b"null",
    ],
)
def test_what_a_customer_said_is_not_remembered_nor_what_cannot_be_read(body: bytes) -> None:
    questions = Questions()
    first, again = questions.read(body, "kim"), questions.read(body, "kim")
    assert first == again
    assert not questions._known


def test_only_so_much_is_remembered() -> None:
    questions = Questions()
    for number in range(3000):
        body = b'{"context": {"topic": "%d"}}' % number
        question = questions.read(body, "kim")
        assert question is not None
        assert question.context.topic == str(number)
    assert len(questions._known) == 1024
    long = b'{"context": {"topic": "x"}%s}' % (b" " * 600)
    assert questions.read(long, "kim") is not None
    assert len(questions._known) == 1024
    assert (long, "kim") not in questions._known


def test_two_who_ask_the_same_are_told_apart_in_the_log(guarded: LocalClient) -> None:
    with guarded.app.state.service.memory.database.writing() as connection:
        shown = {
            owner: make_key(
                connection,
                guarded.app.state.gate._doorkeeper._secret,
                owner=owner,
                role="agent",
                scopes=(),
                at=1,
            )
            for owner in ("kim", "lee")
        }
    guarded.app.state.gate._doorkeeper._read_at = float("-inf")
    for owner in ("kim", "lee", "kim"):
        headers = {"authorization": f"Bearer {shown[owner]}", "content-type": "application/json"}
        answer = guarded.post(ASK.format("ann"), content=ASKED, headers=headers).json()
        kept = find_decision(guarded.app.state.service.memory.database, answer["decision_id"])
        assert kept is not None
        assert kept.agent_id == owner
