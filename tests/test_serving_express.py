"""The short way answers as the long one does, and leaves every refusal to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from serving.app import create_app
from serving.express import Express
from serving.refusals import NotSignedIn
from serving.schemas import OffersAnswer
from serving.settings import Settings
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
