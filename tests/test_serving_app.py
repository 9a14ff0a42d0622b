"""The three kinds of reader ask the service, over HTTP, about a published shop."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from logging import LogRecord
from pathlib import Path
from urllib.parse import quote

import pytest

from clv.errors import SnapshotError
from recommend.rfm import DESCRIPTIONS
from serving.app import create_app
from serving.settings import Settings
from tests.fakes import AS_OF, CUSTOMERS, LocalClient, open_shop, publish_shop
from tests.overhearing import log_lines

__all__ = ["log_lines"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClient]:
    var = tmp_path_factory.mktemp("var")
    publish_shop(var / "published")
    with LocalClient(create_app(Settings(data={"data_dir": var}), open_shop)) as client:
        yield client


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(create_app(Settings(data={"data_dir": tmp_path}), open_shop)) as client:
        yield client


def test_an_agent_sees_who_the_customer_is(shop: LocalClient) -> None:
    ann = shop.get("/v1/customers/ann").json()
    assert ann["known"] is True
    assert ann["value"]["predicted_clv"] == 310.0
    assert ann["value"]["probability_alive"] == 0.97
    assert ann["value"]["expected_date_of_next_order"] == "2026-02-07"
    assert ann["parts"]["frequency"] == 3
    assert ann["segments"] == ["champions"]
    assert ann["tags"] == [{"name": "regular_rhythm", "source": "orders", "since": "2026-01-25"}]
    assert ann["as_of"] == "2026-01-31"
    assert (ann["model_version"], ann["snapshot"]) == ("clv-value/3", "000001-2026-01-31")


def test_what_the_customer_table_holds_beyond_the_contract_is_not_shown(shop: LocalClient) -> None:
    assert "ann@example.com" not in shop.get("/v1/customers/ann").text


def test_a_segment_that_tells_what_an_agent_must_not_see_is_never_named(tmp_path: Path) -> None:
    def private(root: Path):
        return replace(open_shop(root), private_segments=frozenset({"champions"}))

    publish_shop(tmp_path / "published")
    with LocalClient(create_app(Settings(data={"data_dir": tmp_path}), private)) as client:
        assert client.get("/v1/customers/ann").json()["segments"] == []
        assert "champions" not in client.post("/v1/customers/ann/next-best-offers").text


def test_an_unknown_customer_gets_the_cold_answer(shop: LocalClient) -> None:
    answer = shop.get("/v1/customers/nobody")
    cold = answer.json()
    assert answer.status_code == 200
    assert (cold["known"], cold["segments"], cold["tags"]) == (False, [], [])
    assert set(cold["value"].values()) == {None}


def test_an_unknown_customer_is_offered_what_is_popular(shop: LocalClient) -> None:
    cold = shop.post("/v1/customers/nobody/next-best-offers").json()
    assert cold["known"] is False
    assert [hint["offer_id"] for hint in cold["hints"]] == ["tea"]


def test_hints_come_with_words_reasons_and_what_was_held_back(shop: LocalClient) -> None:
    answer = shop.post("/v1/customers/ann/next-best-offers", json={}).json()
    assert [hint["offer_id"] for hint in answer["hints"]] == ["item:COFFEE", "item:BREAD", "tea"]
    assert answer["hints"][0]["words"] == "May I suggest COFFEE?"
    assert answer["hints"][0]["reasons"] == ["Bought before."]
    assert answer["refused"] == [
        {
            "offer_id": "gold",
            "name": "Gold plan",
            "kind": "upsell",
            "stage": "contact",
            "reason": "Mailed 11 days ago.",
            "propensity": 0.3,
        }
    ]
    assert answer["silence"] == ""


@pytest.mark.parametrize(("value", "status"), [("x" * 200, 200), (3, 200), (True, 200), ("0" * 201, 422)])
def test_an_attribute_is_a_word_a_number_or_a_yes(shop: LocalClient, value: object, status: int) -> None:
    asked = {"context": {"attributes": {"plan": value}}}
    assert shop.post("/v1/customers/ann/next-best-offers", json=asked).status_code == status


def test_a_complaint_is_met_with_a_reasoned_silence(shop: LocalClient) -> None:
    answer = shop.post("/v1/customers/ann/next-best-offers", json={"context": {"intent": "complaint"}}).json()
    assert answer["hints"] == []
    assert answer["silence"] == "A complaint is open: help first."
    assert answer["refused_total"] == 4


def test_each_decision_has_its_own_id(shop: LocalClient) -> None:
    ids = {shop.post("/v1/customers/ann/next-best-offers").json()["decision_id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_clock_stands_on_the_day_after_the_published_data(shop: LocalClient) -> None:
    assert shop.post("/v1/customers/ann/next-best-offers").json()["at"].startswith("2026-02-01T")


def test_a_customer_id_may_be_in_any_script(shop: LocalClient) -> None:
    assert shop.get("/v1/customers/王小明").json()["open_issue"] == "delivery"


@pytest.mark.parametrize("key", ["ERP/2024/7", "/", "a/b%2Fc", "100%/x", "1/next-best-offers"])
def test_a_customer_id_may_hold_a_slash(shop: LocalClient, key: str) -> None:
    path = f"/v1/customers/{quote(key, safe='')}"
    assert shop.get(path).json()["customer_id"] == key
    assert shop.post(f"{path}/next-best-offers").json()["customer_id"] == key


def test_a_slash_that_divides_an_address_still_does(shop: LocalClient) -> None:
    assert shop.get("/v1/customers/a/b").status_code == 404
    assert shop.get("/v1/customers/1/next-best-offers").status_code == 405


def test_segments_come_with_size_and_value(shop: LocalClient) -> None:
    segments = {s["name"]: s for s in shop.get("/v1/segments").json()["segments"]}
    assert segments["champions"]["customers"] == 2
    assert segments["champions"]["predicted_clv"] == 450.0
    assert segments["champions"]["rule"] == "frequency >= 3"


def test_a_list_is_read_page_by_page(shop: LocalClient) -> None:
    first = shop.get("/v1/segments/champions/customers", params={"limit": 1}).json()
    assert [c["customer_id"] for c in first["customers"]] == ["=1+1"]
    assert first["total"] == 2
    second = shop.get(
        "/v1/segments/champions/customers", params={"limit": 1, "cursor": first["next_cursor"]}
    ).json()
    assert [c["customer_id"] for c in second["customers"]] == ["ann"]
    assert second["next_cursor"] is None


def test_a_whole_list_comes_as_csv_that_no_spreadsheet_runs(shop: LocalClient) -> None:
    answer = shop.get("/v1/segments/champions/customers", headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="champions.csv"'
    assert answer.headers["x-total-count"] == "2"
    assert [row["customer_id"] for row in rows] == ["'=1+1", "ann"]
    assert rows[1]["predicted_clv"] == "310.0"


def test_page_file_and_count_agree(shop: LocalClient) -> None:
    for segment in shop.get("/v1/segments").json()["segments"]:
        url = f"/v1/segments/{segment['name']}/customers"
        page = shop.get(url).json()
        file = shop.get(url, params={"format": "csv"})
        assert len(page["customers"]) == len(file.text.splitlines()) - 1 == segment["customers"]
        assert page["snapshot"] == file.headers["x-snapshot"]


def test_a_list_holds_nothing_personal(shop: LocalClient) -> None:
    page = shop.get("/v1/segments/champions/customers").text
    file = shop.get("/v1/segments/champions/customers?format=csv").text
    assert "example.com" not in page + file


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/segments/none/customers", None, 404, "not_found"),
        ("GET", "/v1/segments/champions/customers?limit=0", None, 422, "invalid"),
        ("GET", f"/v1/segments/champions/customers?cursor={'x' * 401}", None, 422, "invalid"),
        ("GET", "/v1/nothing", None, 404, "not_found"),
        ("DELETE", "/v1/segments", None, 405, "wrong_method"),
        ("POST", "/v1/customers/ann/next-best-offers", b"{", 400, "malformed"),
        ("POST", "/v1/customers/ann/next-best-offers", b'{"surprise": 1}', 422, "invalid"),
        ("POST", "/v1/customers/ann/next-best-offers", b" " * 600_000, 413, "too_large"),
        ("GET", f"/v1/customers/{'x' * 201}", None, 422, "invalid"),
    ],
)
def test_every_error_has_one_shape(
    shop: LocalClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", "x-request-id": "call-0001"}
    answer = shop.request(method, path, content=body, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert sorted(error) == ["code", "hint", "message", "request_id"]
    assert (error["code"], error["request_id"]) == (code, "call-0001")
    assert answer.headers["x-request-id"] == "call-0001"


def test_a_body_that_grows_too_large_on_the_way_is_refused(shop: LocalClient) -> None:
    parts = iter([b'{"context": {"topic": "', *[b"x" * 100_000] * 6, b'"}}'])
    headers = {"content-type": "application/json"}
    answer = shop.post("/v1/customers/ann/next-best-offers", content=parts, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_mistake_of_ours_tells_nothing_of_its_insides(tmp_path: Path) -> None:
    def broken(root: Path):
        publication = open_shop(root)

        class Sulking:
            def decide(self, profile, context, at, decision_id, *, prepared=b""):
                if decision_id != "self-test":
                    raise ZeroDivisionError("secret detail")
                return publication.decider.decide(profile, context, at, decision_id, prepared=prepared)

        return replace(publication, decider=Sulking())

    publish_shop(tmp_path / "published")
    app = create_app(Settings(data={"data_dir": tmp_path}), broken)
    with LocalClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/v1/customers/ann/next-best-offers")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "failed"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_before_the_first_publication_it_lives_but_is_not_ready(empty: LocalClient) -> None:
    assert empty.get("/healthz").json() == {"status": "ok"}
    ready = empty.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    asked = empty.get("/v1/customers/ann")
    assert (asked.status_code, asked.json()["error"]["code"]) == (503, "not_published")
    assert "publish" in asked.json()["error"]["hint"]
    assert "/" not in asked.json()["error"]["message"] + " ".join(ready.json()["reasons"])


def test_readiness_names_generation_and_models(shop: LocalClient) -> None:
    ready = shop.get("/readyz").json()
    assert ready["status"] == "ready"
    assert (ready["snapshot"], ready["as_of"]) == ("000001-2026-01-31", AS_OF.isoformat())
    assert ready["models"] == {"clv-value": "3", "clv-propensity": "2"}


def test_every_answer_carries_the_security_headers(shop: LocalClient) -> None:
    for path in ("/agent", "/v1/segments", "/healthz", "/static/agent.js", "/v1/nothing"):
        headers = shop.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_the_page_loads_nothing_from_elsewhere(shop: LocalClient) -> None:
    page = shop.get("/agent").text
    assert "31 January 2026" in page
    assert "//" not in page.replace("<!doctype html>", "")
    assert " style=" not in page
    for name in ("agent.js", "agent.css", "mark.svg"):
        assert shop.get(f"/static/{name}").status_code == 200


def test_the_api_describes_itself_with_examples(shop: LocalClient) -> None:
    api = shop.get("/openapi.json").json()
    assert sorted(api["paths"]) == [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/audit",
        "/v1/batch",
        "/v1/conversations/{conversation_id}/hints",
        "/v1/conversations/{conversation_id}/messages",
        "/v1/customers/{customer_id}",
        "/v1/customers/{customer_id}/next-best-offers",
        "/v1/decisions/{decision_id}",
        "/v1/decisions/{decision_id}/outcomes",
        "/v1/events",
        "/v1/generations/{name}",
        "/v1/people/{customer_id}",
        "/v1/segments",
        "/v1/segments/{name}/customers",
    ]
    lacking = [
        f"{name}.{field}"
        for name, schema in api["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if not {"examples", "$ref", "const"} & set(told) and "$ref" not in str(told)
    ]
    assert lacking == []
    bodies = [
        (path, content)
        for path, methods in api["paths"].items()
        for operation in methods.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    assert len(bodies) == 5
    assert [path for path, content in bodies if not {"example", "examples"} & set(content)] == []


def test_a_parameter_nobody_knows_is_ignored_and_the_description_says_so(shop: LocalClient) -> None:
    plain, odd = shop.get("/v1/segments"), shop.get("/v1/segments?colour=red&limit=a")
    assert (odd.status_code, odd.json()) == (200, plain.json())
    hints = shop.post("/v1/customers/ann/next-best-offers?colour=red", json={})
    assert (hints.status_code, len(hints.json()["hints"])) == (200, 3)
    assert "parameter that a route does not know" in shop.get("/openapi.json").json()["info"]["description"]


def test_the_examples_of_bodies_are_taken(shop: LocalClient) -> None:
    paths = shop.get("/openapi.json").json()["paths"]
    said = paths["/v1/conversations/{conversation_id}/messages"]["post"]["requestBody"]["content"]
    for number, example in enumerate(said["application/json"]["examples"].values()):
        answer = shop.post(f"/v1/conversations/example-{number}/messages", json=example["value"])
        assert answer.status_code == 200
    told = paths["/v1/decisions/{decision_id}/outcomes"]["post"]["requestBody"]["content"]
    made = shop.post("/v1/customers/ann/next-best-offers", json={}).json()
    for example in told["application/json"]["examples"].values():
        named = [{**one, "offer_id": made["hints"][0]["offer_id"]} for one in example["value"]["outcomes"]]
        answer = shop.post(f"/v1/decisions/{made['decision_id']}/outcomes", json={"outcomes": named})
        assert answer.status_code == 202


def test_a_new_publication_is_picked_up_and_a_broken_one_is_not(tmp_path: Path) -> None:
    root = tmp_path / "published"
    publish_shop(root)
    app = create_app(Settings(data={"data_dir": tmp_path}), open_shop)
    shelf = app.state.service.shelf
    with LocalClient(app) as client:
        publish_shop(root, CUSTOMERS[:1])
        assert shelf.refresh() is True
        assert client.get("/v1/customers/bob").json()["known"] is False

        made = publish_shop(root)
        (root / made.name / "segments.json").write_text("[]")
        assert shelf.refresh() is False
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "The file's hash is not the manifest's." in " ".join(ready.json()["reasons"])
        assert str(tmp_path) not in ready.text
        assert client.get("/v1/customers/ann").json()["snapshot"] == "000002-2026-01-31"


def test_a_broken_publication_is_logged_once(tmp_path: Path, log_lines: list[LogRecord]) -> None:
    root = tmp_path / "published"
    publish_shop(root)
    settings = Settings(data={"data_dir": tmp_path}, serving={"poll_seconds": 0.1})
    with LocalClient(create_app(settings, open_shop)):
        made = publish_shop(root)
        (root / made.name / "segments.json").write_text("[]")
        time.sleep(0.8)
    told = [line.facts["why"] for line in log_lines if line.getMessage() == "publication not in use"]
    assert len(told) == 1
    assert "segments.json" in told[0]


@pytest.mark.parametrize("failure", [SnapshotError("It holds nothing."), OSError(5, "gone")])
def test_a_model_that_cannot_be_loaded_leaves_the_last_good_one_in_place(
    tmp_path: Path, failure: Exception
) -> None:
    root = tmp_path / "published"
    publish_shop(root)
    broken: list[Exception] = []

    def opener(root: Path):
        if broken:
            raise broken[0]
        return open_shop(root)

    app = create_app(Settings(data={"data_dir": tmp_path}), opener)
    with LocalClient(app) as client:
        publish_shop(root)
        broken.append(failure)
        assert app.state.service.shelf.refresh() is False
        assert client.get("/readyz").json()["status"] == "degraded"
        assert client.get("/v1/customers/ann").json()["snapshot"] == "000001-2026-01-31"
        broken.clear()
        assert app.state.service.shelf.refresh() is True
        assert client.get("/readyz").json()["status"] == "ready"


def test_a_mistake_of_ours_does_not_end_the_watch_for_new_generations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_lines: list[LogRecord]
) -> None:
    monkeypatch.setattr("serving.app._RECOVER_SECONDS", 0.05)
    mistakes = [RuntimeError("never thought of")]

    def opener(root: Path):
        publication = open_shop(root)
        if publication.snapshot.manifest.sequence > 1 and mistakes:
            raise mistakes.pop()
        return publication

    publish_shop(tmp_path / "published")
    settings = Settings(data={"data_dir": tmp_path}, serving={"poll_seconds": 0.05})
    app = create_app(settings, opener)
    with LocalClient(app):
        publish_shop(tmp_path / "published")
        deadline = time.monotonic() + 20
        while app.state.service.shelf.sequence < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert [line.facts for line in log_lines if line.getMessage() == "duty failed"] == [{"duty": "watch"}]


def test_a_service_whose_first_generation_is_broken_starts_and_says_so(tmp_path: Path) -> None:
    def opener(root: Path):
        raise SnapshotError("It holds nothing.")

    publish_shop(tmp_path / "published")
    with LocalClient(create_app(Settings(data={"data_dir": tmp_path}), opener)) as client:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    assert ready.json()["reasons"] == ["It holds nothing."]


def test_the_segment_the_description_shows_is_one_every_night_makes(shop: LocalClient) -> None:
    paths = shop.get("/openapi.json").json()["paths"]
    name = paths["/v1/segments/{name}/customers"]["get"]["parameters"][0]["schema"]["examples"][0]
    assert name in {f"rfm_{grid}" for grid in DESCRIPTIONS}
