"""The API does what its own description says, whatever is sent; the store keeps its laws whatever comes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema
from sqlalchemy import select

from models.forgotten import Pseudonyms
from serving.access.limits import Bucket
from serving.access.roles import ACCESS, OPEN
from serving.app import create_app
from serving.live.book import Book
from serving.live.messages import read_message
from serving.secret import installation_secret
from serving.settings import Settings
from serving.store import people
from serving.store.database import Database
from serving.store.events import EventLog, recount
from serving.store.keys import make_key
from serving.store.tables import profiles
from tests.browsing import running
from tests.fakes import open_shop, publish_shop
from tests.figures import tell

pytestmark = pytest.mark.xdist_group("contract")
CASES = int(os.environ.get("CLV_CONTRACT_CASES", "6"))
SECRET = Pseudonyms(b"a secret of sixteen")
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BaseSchema, dict[str, str]]]:
    """Return the description of a service that asks who is there, and what an administrator presents."""
    var = tmp_path_factory.mktemp("var")
    publish_shop(var / "published")
    chosen = Settings(
        data={"data_dir": var},
        serving={"log_level": "error"},
        security={"sign_in": True, "requests_per_minute": 10_000_000},
    )
    app = create_app(chosen, open_shop)
    app.state.gate._bad_tries = Bucket(10**9, time.monotonic)  # every case is sent with a wrong key as well
    memory = app.state.service.memory
    memory.open()
    with memory.database.writing() as connection:
        key = make_key(connection, installation_secret(chosen), owner="tester", role="admin", at=1)
    with running(app) as address:
        api = schemathesis.openapi.from_url(f"{address}/openapi.json")
        # What is wrong may be large as well; and the checks leave the key out themselves.
        api.config.checks.negative_data_rejection.expected_statuses.append("413")
        api.config.generation.update(with_security_parameters=False)
        yield api, {"Authorization": f"Bearer {key}"}


ROUTES = sorted({*ACCESS, *OPEN} - {("GET", "/agent"), ("GET", "/v1/conversations/{conversation_id}/hints")})
GIVEN_NOTHING = {"/healthz", "/readyz", "/metrics", "/v1/segments"}
ASKED = [
    (f"{method} {path}", mode)
    for method, path in ROUTES  # but the stream that stays open: tested where conversations are
    for mode in GenerationMode
    if mode.is_positive or path not in GIVEN_NOTHING
]


@pytest.mark.parametrize(("label", "mode"), ASKED, ids=lambda part: getattr(part, "value", part))
def test_every_answer_is_one_the_description_allows(
    signed_in: tuple[BaseSchema, dict[str, str]], label: str, mode: GenerationMode, record_property
) -> None:
    """Whatever fits the description is answered as it says; what does not is refused; all by key."""
    api, presented = signed_in
    method, path = label.split(" ")
    cases = 0

    @settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        nonlocal cases
        case.call_and_validate(headers=presented)
        cases += 1

    ask()
    tell(record_property, cases=cases)


class Shop(RuleBasedStateMachine):
    """Orders come once, again, late; people are erased; the books must always equal what a set would say."""

    tried = 0

    def __init__(self) -> None:
        super().__init__()
        self.aside = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{self.aside.name}/store.sqlite")
        self.database.upgrade()
        self.log = EventLog(SECRET)
        self.held: dict[str, dict[str, tuple[int, float]]] = {}
        self.known: dict[str, str] = {}
        self.gone: set[str] = set()

    def teardown(self) -> None:
        type(self).tried += 1
        self.database.close()
        self.aside.cleanup()

    @rule(
        who=st.sampled_from("abc"),
        number=st.integers(0, 12),
        day=st.integers(1, 28),
        total=st.sampled_from([1.0, 2.5]),
    )
    def order(self, who: str, number: int, day: int, total: float) -> None:
        raw = {
            "messageId": f"m{number}",
            "userId": who,
            "event": "Order Completed",
            "timestamp": f"2026-01-{day:02}T00:00:00Z",
            "properties": {"order_id": f"o{number}", "total": total},
        }
        message = read_message(raw, NOW)
        with self.database.writing() as connection:
            (verdict,) = self.log.append(connection, [([message], 1)])[0]
        content = repr(sorted(raw.items(), key=str))
        if who in self.gone:
            assert verdict == "suppressed"
        elif message.message_id not in self.known:
            assert verdict == "accepted"
            self.known[message.message_id] = content
            self.held.setdefault(who, {})[message.message_id] = (message.entry[0], total)
        else:
            assert verdict == ("duplicate" if self.known[message.message_id] == content else "conflict")

    @rule(who=st.sampled_from("abc"))
    def erase(self, who: str) -> None:
        with self.database.writing() as connection:
            people.erase(connection, who, SECRET.of(who), 1)
        for message_id in self.held.pop(who, {}):
            del self.known[message_id]
        self.gone.add(who)

    @invariant()
    def books_hold_exactly_what_was_taken(self) -> None:
        found = {
            who: {entry[-1]: (entry[0], entry[2]) for entry in Book.from_bytes(bytes(raw)).of("order")}
            for who, raw in self.database.rows(select(profiles.c.customer_id, profiles.c.book))
        }
        assert found == self.held

    @rule()
    def replay(self) -> None:
        for who, raw in self.database.rows(select(profiles.c.customer_id, profiles.c.book)):
            with self.database.reading() as connection:
                assert recount(connection, who).to_bytes() == bytes(raw)


def test_events_erasure_and_replay_keep_their_laws(record_property) -> None:
    Shop.tried = 0
    trials = settings(
        max_examples=max(5, CASES // 2),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Shop, settings=trials)
    tell(record_property, sequences_tried=Shop.tried, steps_each=trials.stateful_step_count)
    assert Shop.tried >= trials.max_examples
