"""Days and nights together: what the live service says before a night is what the night says after it.

A shop whose orders come by file, and events of all kinds beside them: refunds of published orders, late
orders, complaints, approaches. A night that does not read the service's log changes nothing of what was said;
one that reads it says the same itself, and leaves no news.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from models.snapshot import Snapshot
from pipelines.night import Night
from pipelines.settings import Settings as NightSettings
from recommend.profile import Profile
from serving.app import create_app
from serving.engines import open_publication
from serving.feedback import write_feedback
from serving.service import Service
from serving.settings import Settings
from serving.store.database import Database
from tests.fakes import LocalClient
from tests.shop import write_shop

TONIGHT = ("features", "score", "publish")
NUMBERS = (
    "frequency recency_days age_days monetary_value historic_revenue predicted_clv probability_alive orders "
    "returns_amount log_gap_sum std_gap_days last_gap_days"
).split()
TALKS: tuple[tuple[dict[str, object], ...], ...] = (
    ({"intent": "complaint", "topic": "delivery"},),
    ({"sentiment": "negative", "resolved": False},),
    ({"topic": "complaint about tea", "resolved": False}, {"resolved": True}),
    ({"intent": "cancel", "ago": 40},),
    (),
)


def publish(var: Path, source: Path, *steps: str) -> None:
    night = Night(NightSettings(data={"data_dir": var}))
    night.ingest([str(source)], None)
    for step in steps:
        night.step(step)


def happened(snapshot: Snapshot, people: list[str]) -> list[dict[str, object]]:
    """One person after the other: a refund, an order in between, one of the last day, talks, a mail, a no."""
    last = snapshot.manifest.as_of
    batch: list[dict[str, object]] = []

    def tell(who: str, name: str, day: date, **properties: object) -> None:
        batch.append(
            {
                "messageId": f"m{len(batch)}",
                "userId": who,
                "event": name,
                "timestamp": f"{day}T10:00:00Z",
                "properties": properties,
            }
        )

    for number, who in enumerate(people):
        held = snapshot.receipts(who)
        assert held is not None
        day, order_id, amount = sorted(held.orders)[len(held.orders) // 2]
        bought = date(1970, 1, 1) + timedelta(days=day)
        returned = min(last, bought + timedelta(days=2))
        tell(who, "Order Refunded", returned, order_id=order_id, total=round(amount / 2, 2))
        tea = [{"product_id": "tea", "price": 9.5}]
        after = bought + timedelta(days=1)
        tell(who, "Order Completed", after, order_id=f"late-{who}", total=9.5, products=tea)
        tell(who, "Order Completed", last, order_id=f"new-{who}", total=4.0)
        for turn, said in enumerate(TALKS[number % len(TALKS)]):
            when = last - timedelta(days=int(str(said.get("ago", 3))) - turn)
            tell(who, "Interaction Recorded", when, channel="chat", **said)
        yesterday = last - timedelta(days=1)
        tell(who, "Interaction Recorded", yesterday, channel="mail", direction="outbound")
        tell(who, "Offer Outcome", yesterday, offer_id="club", outcome="rejected")
    return batch


async def seen(service: Service, people: list[str]) -> dict[str, tuple[Profile, bool]]:
    """Everybody's profile as of the last day of the generation in use, and whether anything is news."""
    found = {}
    publication = service.shelf.require()
    for who in people:
        published = publication.snapshot.profile(who)
        book = (await service.memory.of_customer(who)).book
        news = publication.standing.news(published, book, partial(publication.snapshot.receipts, who))
        moved = publication.standing.now(who, published, news, publication.as_of)
        found[who] = moved, news.moved
    return found


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, tuple[Profile, bool]]]:
    """What is said on a day with news, after a night that read no log, and after one that did."""
    folder = tmp_path_factory.mktemp("nights")
    var, log, region = folder / "var", folder / "log", folder / "more"
    publish(var, write_shop(folder / "shop"), "features", "train", "evaluate", "register", "score", "publish")
    said = []
    with LocalClient(create_app(Settings(data={"data_dir": var}), open_publication)) as shop:
        service = shop.app.state.service
        snapshot = service.shelf.require().snapshot
        people = list(snapshot.customer_ids())[:40]
        events = happened(snapshot, people)
        assert shop.post("/v1/batch", json={"batch": events}).json()["accepted"] == len(events)
        said.append(shop.portal.call(seen, service, people))
        region.mkdir()
        (region / "customers.csv").write_text("customer_id,region\nc149,west\n")
        publish(var, region, *TONIGHT)
        service.shelf.refresh()
        said.append(shop.portal.call(seen, service, people))
        database = Database(f"sqlite:///{var / 'service.sqlite'}")
        write_feedback(database, log, attribution_days=14)
        database.close()
        for name in ("decisions.csv", "questions.csv"):  # labels, no tables of the ledger
            (log / name).unlink()
        publish(var, log, *TONIGHT)
        service.shelf.refresh()
        said.append(shop.portal.call(seen, service, people))
    return said


def agree(one: Profile, other: Profile) -> None:
    for name in NUMBERS:
        here, there = one.value[name], other.value[name]
        assert here == there or math.isclose(here, there, rel_tol=1e-9, abs_tol=1e-9), (name, here, there)  # type: ignore[arg-type]
    assert one.open_issue == other.open_issue
    assert one.history.order_days == other.history.order_days
    contacts = [[(c.at, c.outcome, c.offer_id) for c in profile.contacts] for profile in (one, other)]
    assert sorted(contacts[0]) == sorted(contacts[1])


def test_a_night_that_did_not_read_the_log_takes_back_nothing(
    nights: list[dict[str, tuple[Profile, bool]]],
) -> None:
    day, unread, _ = nights
    for who, (profile, moved) in day.items():
        assert moved
        agree(unread[who][0], profile)


def test_a_night_that_read_the_log_says_what_the_day_said_and_leaves_no_news(
    nights: list[dict[str, tuple[Profile, bool]]],
) -> None:
    day, _, read = nights
    for who, (profile, _moved) in day.items():
        agree(read[who][0], profile)
        assert read[who][1] is False
    issues = sorted({profile.open_issue for profile, _ in day.values()})
    assert issues == ["", "complaint", "delivery"]
