"""The service trusts the candidates of the night while model and catalogue are those of the night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.files import write_bundle
from models.receipts import Receipts
from models.snapshot import SnapshotWriter
from pipelines.publish import prepare
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.engine import Engine
from recommend.prepared import Prepared
from recommend.profile import Profile
from serving.champions import PROPENSITY_NAME, Champion
from serving.engines import open_publication
from serving.live.book import Book
from serving.live.messages import EPOCH
from tests.test_recommend_candidates import AS_OF, profile_of, shoppers

NEXT_DAY = datetime.combine(AS_OF + timedelta(days=1), datetime.min.time(), UTC)
BUSINESS = Catalogue([Offer("tea", "Tea", "upsell", items=("i01",), margin=9.0)])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines")
    lines, bundle = shoppers(), folder / "propensity"
    Proposer().fit(lines, as_of=AS_OF, horizon_days=14, random_state=3).save(bundle)
    write_bundle(bundle, kind="propensity", as_of=AS_OF, fingerprint="shoppers")
    people = [profile_of(lines, f"c{number}") for number in range(20)]
    with SnapshotWriter(folder / "published", AS_OF, {PROPENSITY_NAME: "7"}) as writer:
        writer.folder("propensity", bundle)
        writer.document("offers", BUSINESS.as_json())
        writer.customers(prepare(writer, people, bundle, BUSINESS, AS_OF))
        writer.commit()
    return folder


def test_a_publication_opens_with_the_candidates_of_its_night(root: Path) -> None:
    publication = open_publication(root / "published")
    engine = publication.decider
    assert isinstance(engine, Engine)
    assert isinstance(engine.prepared, Prepared)
    assert engine.prepared.holds(Context(), NEXT_DAY)
    for number in range(20):
        found = publication.snapshot.customer(f"c{number}")
        assert found is not None
        assert found.prepared
        live = engine.decide(found.profile, Context(), NEXT_DAY, "d")
        assert engine.decide(found.profile, Context(), NEXT_DAY, "d", prepared=found.prepared) == live


@pytest.mark.parametrize(("version", "trusted"), [("7", True), ("8", False)])
def test_another_champion_than_the_night_s_does_not_speak_through_its_candidates(
    root: Path, version: str, trusted: bool
) -> None:
    engine = open_publication(root / "published", Champion(version, root / "propensity")).decider
    assert isinstance(engine, Engine)
    assert (engine.prepared is not None) is trusted


def test_a_customer_whose_events_the_night_has_seen_has_no_news(root: Path) -> None:
    standing = open_publication(root / "published").standing
    last = AS_OF.toordinal() - EPOCH
    seen, fresh = Book(), Book()
    seen.add("order", [last - 3, "o1", 9.0, []], 1, "m1")
    fresh.add("order", [last + 1, "o2", 9.0, []], 1, "m2")
    nobody, held = Profile("c", AS_OF), Receipts([[last - 3, "o1", 9.0]])
    assert not standing.news(nobody, Book(), lambda: held).moved
    assert not standing.news(nobody, seen, lambda: held).moved
    assert standing.news(nobody, fresh, lambda: held).moved
