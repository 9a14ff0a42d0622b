"""Who may do what: every role at every route, keys, tokens, limits."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from clv.errors import SettingError
from models.forgotten import Pseudonyms, pseudonym
from serving.access.identity import Doorkeeper
from serving.access.roles import ACCESS, OPEN, ROLES, SCOPES, may
from serving.access.tokens import Tokens, read_keys
from serving.app import ROUTERS, create_app
from serving.chance import CHANCE, Chance
from serving.refusals import NotSignedIn
from serving.secret import installation_secret
from serving.settings import SecuritySettings, Settings
from serving.store.keys import Key, digest_of, end_key, make_key
from serving.threshold import Threshold
from tests.browsing import running
from tests.fakes import LocalClient, open_shop, publish_shop

ISSUER, AUDIENCE = "https://sign-in.example", "clv"
RSA, OTHER, EC = (
    rsa.generate_private_key(65537, 2048),
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var = tmp_path_factory.mktemp("var")
    publish_shop(var / "published")
    public = [
        {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "r1", "use": "sig", "alg": "RS256"},
        {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "e1", "use": "sig", "alg": "ES256"},
    ]
    (var / "jwks.json").write_bytes(orjson.dumps({"keys": public}))
    return var


def settings(var: Path, **security: object) -> Settings:
    chosen = {
        "sign_in": True,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks": str(var / "jwks.json"),
        **security,
    }
    return Settings(data={"data_dir": var}, security=chosen)


@pytest.fixture(scope="module")
def app(var: Path) -> FastAPI:
    return create_app(settings(var), open_shop)


@pytest.fixture(scope="module")
def shop(app: FastAPI) -> Iterator[LocalClient]:
    with LocalClient(app) as client:
        yield client


@pytest.fixture
def patient(var: Path) -> Iterator[LocalClient]:
    """Return a service of its own, whose limits nobody has used up."""
    with LocalClient(create_app(settings(var), open_shop)) as client:
        yield client


def key(app: FastAPI, role: str, *scopes: str, expires_at: int | None = None) -> str:
    service = app.state.service
    with service.memory.database.writing() as connection:
        secret = installation_secret(service.settings)
        shown = make_key(
            connection, secret, owner=f"{role}-1", role=role, scopes=scopes, at=1, expires_at=expires_at
        )
    app.state.gate._doorkeeper._read_at = float("-inf")
    return shown


@pytest.fixture(scope="module")
def keys(app: FastAPI, shop: LocalClient) -> dict[str, str]:
    return {role: key(app, role) for role in ROLES}


def bearer(presented: str) -> dict[str, str]:
    return {"authorization": f"Bearer {presented}"}


def routes() -> list[tuple[str, str]]:
    found = [route for noun in ROUTERS for route in noun.router.routes if isinstance(route, APIRoute)]
    return sorted((method, route.path) for route in found for method in route.methods)


def test_every_route_is_either_open_or_has_a_line_of_its_own() -> None:
    assert set(routes()) == set(ACCESS) | set(OPEN)


def test_the_matrix_is_what_was_agreed() -> None:
    """Each cell written out: what an agent, a marketer, a data scientist, an auditor may do; an admin all."""
    allowed = {
        role: {f"{method} {path}" for method, path in ACCESS if may(role, (), method, path)} for role in ROLES
    }
    assert allowed["admin"] == {f"{method} {path}" for method, path in ACCESS}
    assert allowed["machine"] == set()
    assert allowed["agent"] == {
        "GET /v1/customers/{customer_id}",
        "POST /v1/customers/{customer_id}/next-best-offers",
        "GET /v1/decisions/{decision_id}",
        "POST /v1/decisions/{decision_id}/outcomes",
        "POST /v1/conversations/{conversation_id}/messages",
        "GET /v1/conversations/{conversation_id}/hints",
    }
    assert allowed["marketer"] == {
        "GET /v1/customers/{customer_id}",
        "GET /v1/segments",
        "GET /v1/segments/{name}/customers",
        "GET /v1/generations/{name}",
    }
    assert allowed["data_scientist"] == {"GET /v1/segments", "GET /v1/generations/{name}", "GET /metrics"}
    assert allowed["auditor"] == {
        "GET /v1/decisions/{decision_id}",
        "GET /v1/generations/{name}",
        "GET /v1/audit",
        "GET /metrics",
    }


@pytest.mark.parametrize(("method", "path"), routes())
@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_role_at_each_route(
    shop: LocalClient, keys: dict[str, str], role: str | None, method: str, path: str
) -> None:
    url = path.format(customer_id="nobody", name="champions", decision_id="none", conversation_id="none")
    headers = bearer(keys[role]) if role else {}
    answer = shop.request(method, url, headers=headers)
    if (method, path) in OPEN:
        assert answer.status_code == 200
    elif role is None:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    elif may(role, (), method, path):
        assert answer.status_code not in {401, 403}
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_machine_may_do_what_its_scope_says_and_no_more(
    app: FastAPI, shop: LocalClient, scope: str
) -> None:
    headers = bearer(key(app, "machine", scope))
    for (method, path), (_, needed) in ACCESS.items():
        url = path.format(customer_id="nobody", name="champions", decision_id="x", conversation_id="x")
        status = shop.request(method, url, headers=headers).status_code
        assert (status == 403) == (needed != scope), (method, path)


def test_what_is_not_listed_is_refused_to_everybody() -> None:
    assert [role for role in ROLES if may(role, tuple(SCOPES), "GET", "/v1/new-route")] == []


def test_an_agent_does_not_see_another_agents_decision_or_conversation(
    app: FastAPI, shop: LocalClient, keys: dict[str, str]
) -> None:
    service = app.state.service
    with service.memory.database.writing() as connection:
        other = make_key(
            connection, installation_secret(service.settings), owner="agent-2", role="agent", at=1
        )
    app.state.gate._doorkeeper._read_at = float("-inf")
    mine = bearer(keys["agent"])
    decision = shop.post("/v1/customers/ann/next-best-offers", headers=mine).json()["decision_id"]
    shop.post("/v1/conversations/c7/messages", json={"customer_id": "ann", "text": "hi"}, headers=mine)
    for url in (f"/v1/decisions/{decision}", "/v1/conversations/c7/hints"):
        assert shop.get(url, headers=bearer(other)).status_code == 404
    told = {"outcomes": [{"offer_id": "tea", "outcome": "accepted"}]}
    assert (
        shop.post(f"/v1/decisions/{decision}/outcomes", json=told, headers=bearer(other)).status_code == 404
    )
    assert shop.get(f"/v1/decisions/{decision}", headers=mine).json()["record"]["agent_id"] == "agent-1"


def test_who_asks_is_told_before_the_body_is_read(shop: LocalClient) -> None:
    answer = shop.post("/v1/batch", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "presented",
    [
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer clv_000000000000_" + "x" * 43,
        "Bearer ../../etc/passwd",
        "Bearer " + "x" * 9000,
    ],
)
def test_what_is_no_key_and_no_token_opens_nothing(patient: LocalClient, presented: str) -> None:
    answer = patient.get("/v1/segments", headers={"authorization": presented})
    assert answer.status_code == 401
    assert "x" * 43 not in answer.text


def test_a_key_that_ended_or_was_revoked_opens_nothing(app: FastAPI, patient: LocalClient) -> None:
    past = key(app, "admin", expires_at=2)
    assert patient.get("/v1/segments", headers=bearer(past)).status_code == 401
    valid = key(app, "admin")
    other = patient.app.state.gate._doorkeeper
    other._read_at = float("-inf")
    assert patient.get("/v1/segments", headers=bearer(valid)).status_code == 200
    with app.state.service.memory.database.writing() as connection:
        end_key(connection, valid.split("_")[1], at=time.time_ns() // 1000)
    other._read_at = float("-inf")
    assert patient.get("/v1/segments", headers=bearer(valid)).status_code == 401


def test_keys_are_read_again_before_they_are_too_old_and_nobody_waits_for_it() -> None:
    """Else everybody who comes in that moment waits, once a second."""
    secret, readings, let_go = b"s" * 32, 0, threading.Event()
    good = Key(
        "0123456789ab", digest_of(secret, "x" * 43), "desk", "machine", ("offers:decide",), 1, None, None
    )

    def read_slowly() -> dict[str, Key]:
        nonlocal readings
        readings += 1
        if readings > 1:
            assert let_go.wait(10)
        return {good.key_id: good} if readings < 3 else {}

    async def a_while() -> None:
        keeper, presented = Doorkeeper(secret, read_slowly), b"Bearer clv_0123456789ab_" + b"x" * 43
        await keeper.refresh()
        for count in (2, 3):
            keeper._read_at -= 0.6
            before = keeper._read_at
            let_go.clear()
            for _ in range(3):
                assert keeper.holder(presented) is not None  # at once, while the keys are being read
            let_go.set()
            while keeper._read_at == before:
                await asyncio.sleep(0.001)
            assert readings == count
        assert keeper.holder(presented) is None  # the last reading no longer had it

    asyncio.run(a_while())


def test_a_good_key_is_asked_to_come_back_while_no_key_could_be_read_yet(tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    store = {"url": "postgresql://nobody@127.0.0.1:1/none", "wait_seconds": 0.1}
    chosen = Settings(data={"data_dir": tmp_path}, security={"sign_in": True}, store=store)
    presented = "clv_0123456789ab_" + "x" * 43
    with LocalClient(create_app(chosen, open_shop)) as shop:
        answers = [shop.get("/v1/customers/ann", headers=bearer(presented)) for _ in range(15)]
    assert {answer.status_code for answer in answers} == {503}  # no bad try of anybody


def token(signer: Any = RSA, algorithm: str = "RS256", kid: str = "r1", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "mia",
        "exp": time.time() + 300,
        "nbf": time.time() - 10,
        "roles": ["marketer"],
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, signer, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    "good",
    [token, lambda: token(EC, "ES256", "e1"), lambda: token(exp=time.time() - 30)],
    ids=["RS256", "ES256", "just over"],
)
def test_a_person_signs_in_with_a_token_of_the_issuer(patient: LocalClient, good: Callable[[], str]) -> None:
    held = good()  # made now: a token made when tests are collected is old by the time this one runs
    assert patient.get("/v1/segments", headers=bearer(held)).status_code == 200
    assert patient.get("/v1/audit", headers=bearer(held)).status_code == 403


@pytest.mark.parametrize(
    "bad",
    [
        lambda: token(exp=time.time() - 3600),
        lambda: token(nbf=time.time() + 3600),
        lambda: token(iss="https://elsewhere.example"),
        lambda: token(aud="another"),
        lambda: token(sub=None),
        lambda: token(exp=None),
        lambda: token(roles=["king"]),
        lambda: token(roles=["machine"]),
        lambda: token(roles=None),
        lambda: token(kid="unknown"),
        lambda: token(kid="../../jwks"),
        lambda: token(OTHER),
        lambda: token(EC, "ES256", "r1"),
        lambda: jwt.encode({"sub": "mia", "roles": ["admin"]}, None, algorithm="none"),
        lambda: jwt.encode({"sub": "mia"}, "a shared secret of some thirty letters", "HS256", {"kid": "r1"}),
    ],
    ids=range(15),
)
def test_a_token_that_is_not_wholly_right_opens_nothing(patient: LocalClient, bad: Callable[[], str]) -> None:
    assert patient.get("/v1/segments", headers=bearer(bad())).status_code == 401


def test_the_public_key_used_as_a_shared_secret_opens_nothing(patient: LocalClient) -> None:
    import base64
    import hashlib
    import hmac

    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r1"}').rstrip(b"=")
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": time.time() + 99, "roles": ["admin"]}
    body = base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=")
    public = RSAAlgorithm.to_jwk(RSA.public_key()).encode()
    seal = base64.urlsafe_b64encode(hmac.digest(public, head + b"." + body, hashlib.sha256)).rstrip(b"=")
    forged = b".".join((head, body, seal)).decode()
    assert patient.get("/v1/segments", headers=bearer(forged)).status_code == 401


def test_issuer_keys_over_an_open_line_are_refused() -> None:
    with pytest.raises(SettingError, match="https"):
        Tokens(SecuritySettings(issuer=ISSUER, audience=AUDIENCE, jwks="http://sign-in.example/keys"))


def test_who_guesses_keys_is_sent_away_and_keeps_nobody_else_out(patient: LocalClient) -> None:
    good = bearer(key(patient.app, "admin"))
    tries = [patient.get("/v1/segments", headers=bearer("guess")).status_code for _ in range(12)]
    assert tries == [401] * 10 + [429] * 2
    assert patient.get("/v1/segments", headers=bearer("guess")).headers["retry-after"] == "60"
    assert patient.get("/v1/segments", headers=good).status_code == 200
    assert patient.post("/v1/customers/ann/next-best-offers", headers=good).status_code == 200


def jwk(private: Any, kid: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": kid, "use": "sig"}


def checker(folder: Path, *keys: dict[str, Any]) -> tuple[Tokens, Path]:
    place = folder / "keys.json"
    place.write_bytes(orjson.dumps({"keys": keys}))
    return Tokens(SecuritySettings(issuer=ISSUER, audience=AUDIENCE, jwks=str(place))), place


def taken(tokens: Tokens, presented: str) -> bool:
    async def check() -> bool:
        try:
            return await tokens.check(presented) == ("mia", "marketer")
        except NotSignedIn:
            return False

    return asyncio.run(check())


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    then = time.monotonic() + seconds
    monkeypatch.setattr("serving.access.tokens.time.monotonic", lambda: then)


def test_a_new_key_of_the_issuer_is_known_within_a_minute_and_a_withdrawn_one_gone_within_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, place = checker(tmp_path, jwk(RSA, "r1"))
    old, new = token(), token(OTHER, kid="r2")
    assert taken(tokens, old)
    place.write_bytes(orjson.dumps({"keys": [jwk(OTHER, "r2")]}))
    assert not taken(tokens, new)
    assert taken(tokens, old)
    later(monkeypatch, 61)
    assert taken(tokens, new)
    assert not taken(tokens, old)


def test_a_withdrawn_key_opens_nothing_after_ten_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, place = checker(tmp_path, jwk(RSA, "r1"))
    held = token(exp=time.time() + 3600)
    assert taken(tokens, held)
    place.write_bytes(b'{"keys": []}')
    later(monkeypatch, 601)
    assert not taken(tokens, held)


@pytest.mark.parametrize("answer", [None, b"<html>", b"[]", b'{"keys": 7}', b'{"keys": [7, {"kty": "RSA"}]}'])
def test_an_issuer_that_is_away_keeps_those_in_whose_keys_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    tokens, place = checker(tmp_path, jwk(RSA, "r1"))
    held = token(exp=time.time() + 3600)
    assert taken(tokens, held)
    if answer is None:
        place.unlink()
    else:
        place.write_bytes(answer)
    assert not taken(tokens, token(OTHER, kid="r2"))
    later(monkeypatch, 61)
    assert not taken(tokens, token(OTHER, kid="r2"))
    away = answer is None or b"{" not in answer or b"7}" in answer
    assert taken(tokens, held) is away


def test_an_odd_key_in_the_set_does_not_spoil_the_others(tmp_path: Path) -> None:
    odd = {"kty": "EC", "crv": "P-000", "x": "x", "y": "y", "kid": "odd"}
    tokens, _ = checker(tmp_path, odd, jwk(RSA, "r1"))
    assert taken(tokens, token())


def test_many_who_come_at_once_are_all_let_in(tmp_path: Path) -> None:
    tokens, _ = checker(tmp_path, jwk(RSA, "r1"))

    async def all_at_once() -> list[tuple[str, str]]:
        return await asyncio.gather(*(tokens.check(token()) for _ in range(20)))

    assert asyncio.run(all_at_once()) == [("mia", "marketer")] * 20


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({"aud": ["other", AUDIENCE]}, True),
        ({"aud": ["other"]}, False),
        ({"sub": "x" * 201}, False),
        ({"sub": "mia\nadmin"}, False),
        ({"nbf": time.time() + 86_400}, False),
    ],
)
def test_audience_and_subject_are_looked_at(tmp_path: Path, changes: dict[str, Any], right: bool) -> None:
    tokens, _ = checker(tmp_path, jwk(RSA, "r1"))
    assert taken(tokens, token(**changes)) is right


@pytest.mark.parametrize("missing", ["audience", "jwks"])
def test_an_issuer_without_audience_or_keys_is_refused(missing: str) -> None:
    given = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": "keys.json", missing: ""}
    with pytest.raises(SettingError, match="this is not"):
        Tokens(SecuritySettings(**given))


def test_keys_are_not_fetched_from_where_the_issuer_points_to(tmp_path: Path) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", f"file://{tmp_path}/keys.json")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.handle_request).start()
    with pytest.raises(OSError, match="302"):
        read_keys(f"http://127.0.0.1:{server.server_port}/keys")
    server.server_close()


@pytest.mark.parametrize("who", ["a%00b", "a%0Ab", "%1b[31m", "x" * 201])
@pytest.mark.parametrize(
    "url",
    [
        "/v1/customers/{}",
        "/v1/people/{}",
        "/v1/segments/{}/customers",
        "/v1/decisions/{}",
        "/v1/conversations/{}/hints",
    ],
)
def test_a_key_with_control_characters_or_without_end_is_refused(
    patient: LocalClient, url: str, who: str
) -> None:
    admin = bearer(key(patient.app, "admin"))
    answer = patient.get(url.format(who), headers=admin)
    assert answer.status_code == 422
    assert "x" * 50 not in answer.text
    offers = patient.post(f"/v1/customers/{who}/next-best-offers", headers=admin, json={})
    assert offers.status_code == 422


def test_no_other_origin_is_told_that_it_may_read_answers(patient: LocalClient) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "GET"}
    for answer in (patient.options("/v1/segments", headers=asked), patient.get("/healthz", headers=asked)):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_who_listens_to_a_conversation_is_heard_out_only_while_their_key_holds(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.api.conversations.CHECK_SECONDS", 0.1)
    monkeypatch.setattr("serving.access.identity._FRESH_SECONDS", 0.1)
    app = create_app(settings(var), open_shop)
    with running(app) as address, httpx2.Client(base_url=address, timeout=20) as client:
        held = key(app, "agent")
        client.headers |= bearer(held)
        client.post("/v1/conversations/c9/messages", json={"customer_id": "ann", "text": "hi"})
        with client.stream("GET", "/v1/conversations/c9/hints") as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("id:")) == "id: 1"
            with app.state.service.memory.database.writing() as connection:
                end_key(connection, held.split("_")[1], at=time.time_ns() // 1000)
            started = time.monotonic()
            list(lines)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "head",
    [b"x: " + b"a" * 100_000, b"".join(b"x%d: %s\r\n" % (n, b"a" * 500) for n in range(300))],
    ids=["one header", "many headers"],
)
def test_a_head_without_end_is_hung_up_on(var: Path, head: bytes) -> None:
    app = create_app(settings(var), open_shop)
    with running(app, http=Threshold) as address:
        port = int(address.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n")
            with contextlib.suppress(ConnectionError):
                line.sendall(head)
                answer = line.recv(100)
                assert answer.startswith(b"HTTP/1.1 400")
                while line.recv(1000):  # until it is hung up on; a line kept open would time out
                    pass
        large = {"x": "a" * 30_000}
        assert httpx2.get(f"{address}/healthz", headers=large).status_code == 200
        body = b"[" + b"1," * 200_000 + b"1]"
        sent = httpx2.post(f"{address}/v1/batch", content=body, headers={"content-type": "application/json"})
        assert sent.status_code == 401


def test_no_random_name_is_handed_out_twice() -> None:
    names = [Chance().hex(16)] + [CHANCE.hex(16) for _ in range(1_000)]
    assert {len(name) for name in names} == {32}
    assert len(set(names)) == 1_001


def test_a_process_that_was_split_in_two_hands_out_different_names() -> None:
    split = """if True:
        import os
        from serving.chance import CHANCE
        CHANCE.hex(16)
        child = os.fork()
        assert not child or os.waitpid(child, 0)[1] == 0
        print(CHANCE.hex(16), flush=True)
    """
    told = subprocess.run(
        [sys.executable, "-c", split], capture_output=True, text=True, check=True, timeout=60
    )
    first, second = told.stdout.split()
    assert first != second


def test_the_secret_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    chosen = Settings(data={"data_dir": tmp_path})
    assert installation_secret(chosen) == installation_secret(chosen)
    assert (tmp_path / "service.secret").stat().st_mode & 0o777 == 0o600


def test_the_secret_comes_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "given").write_text("a secret from a file\n")
    from_file = Settings(security={"secret_file": tmp_path / "given"})
    assert installation_secret(from_file) == b"a secret from a file"
    monkeypatch.setenv("CLV_SECURITY__SECRET", "a secret from the environment")
    assert installation_secret(Settings()) == b"a secret from the environment"
    assert "environment" not in repr(Settings())


@pytest.mark.parametrize("content", [None, "short"])
def test_a_secret_that_is_missing_or_short_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "given"
    if content:
        file.write_text(content)
    with pytest.raises(SettingError):
        installation_secret(Settings(security={"secret_file": file}))


@pytest.mark.parametrize("secret", [b"a secret of sixteen", b"x" * 64, b"y" * 200])
@pytest.mark.parametrize("who", ["ann", "", "王小明", "x" * 300])
def test_service_and_night_give_a_person_one_name(secret: bytes, who: str) -> None:
    names = Pseudonyms(secret)
    assert names.of(who) == names.of(who) == pseudonym(secret, who)
    assert names.of(who) == hmac.digest(secret, b"person\x00" + who.encode(), "sha256")
