"""Candidates for one customer: the same numbers live, in a batch and after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv.errors import MissingColumn, NotFitted, TooLittleData, UnknownFormat
from recommend.calibration import smooth
from recommend.candidates import FORMAT, Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.exposures import contact_record, from_tables
from recommend.history import History
from recommend.profile import Contact, Profile

START = date(2024, 1, 1)
AS_OF = date(2024, 7, 28)
AT = datetime(2024, 7, 28, 12, tzinfo=UTC)


def shoppers(customers: int = 120, days: int = 210, seed: int = 1) -> pd.DataFrame:
    """Customers who shop weekly and re-buy their favourites, each at its own rhythm."""
    rng = np.random.default_rng(seed)
    popularity = rng.dirichlet(np.full(40, 0.6))
    rows = []
    for c in range(customers):
        favourites = rng.choice(40, 5, replace=False, p=popularity)
        rhythm = rng.integers(1, 5, 5)
        for visit, day in enumerate(range(int(rng.integers(0, 7)), days, 7)):
            basket = {
                int(f)
                for f, r in zip(favourites, rhythm, strict=True)
                if visit % r == 0 and rng.random() < 0.8
            }
            basket |= set(rng.choice(40, 2, p=popularity).tolist())
            rows += [(f"c{c}", f"i{i:02d}", START + timedelta(days=day)) for i in basket]
    return pd.DataFrame(rows, columns=["customer_id", "item", "order_day"])


def coupons(lines: pd.DataFrame, seed: int = 2) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Ten campaigns of four coupons each; those who buy the item redeem far more often."""
    rng = np.random.default_rng(seed)
    offers, shown, taken = [], [], []
    buyers = lines.groupby("item").customer_id.agg(set)
    for campaign in range(10):
        day = START + timedelta(days=30 + 16 * campaign)
        for item in rng.choice(40, 4, replace=False).tolist():
            offer_id = f"coupon:{campaign}:{item}"
            offers.append((offer_id, (f"i{item:02d}",), "Type A"))
            for c in lines.customer_id.unique():
                shown.append((c, offer_id, day))
                if rng.random() < (0.3 if c in buyers.get(f"i{item:02d}", ()) else 0.02):
                    taken.append((c, offer_id, "accepted", day + timedelta(days=3)))
    return (
        pd.DataFrame(offers, columns=["offer_id", "items", "group"]),
        pd.DataFrame(shown, columns=["customer_id", "offer_id", "at"]),
        pd.DataFrame(taken, columns=["customer_id", "offer_id", "outcome", "at"]),
    )


def profile_of(lines: pd.DataFrame, customer_id: str) -> Profile:
    own = lines[lines.customer_id == customer_id]
    days = sorted(set(own.order_day))
    place = {day: i for i, day in enumerate(days)}
    held = own.groupby("item").order_day.agg(lambda d: tuple(sorted(place[x] for x in set(d))))
    epoch = tuple((day - date(1970, 1, 1)).days for day in days)
    return Profile(customer_id, AS_OF, history=History(epoch, tuple(held.index), tuple(held)))


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return shoppers()


@pytest.fixture(scope="module")
def proposer(lines: pd.DataFrame) -> Proposer:
    return Proposer().fit(lines, *coupons(lines), as_of=AS_OF, horizon_days=14, random_state=3)


@pytest.fixture(scope="module")
def catalogue(proposer: Proposer) -> Catalogue:
    offer = Offer("coupon:9:x", "Coupon", "cross_sell", group="Type A", items=("i01", "i02"))
    return Catalogue([offer]).with_items(proposer.vocabulary)


def test_the_model_ranks_no_worse_than_frequency_and_keeps_its_promise(proposer: Proposer) -> None:
    found = proposer.evaluation_
    assert found["recall_at_10"] >= found["frequency_recall_at_10"] - 0.01  # type: ignore[operator]
    assert found["ndcg_at_10"] >= found["frequency_ndcg_at_10"] - 0.01  # type: ignore[operator]
    assert found["calibration_error"] <= 0.04  # type: ignore[operator]  # 150 customers: sampling noise alone is ~.02


def test_coupons_go_to_those_who_buy_what_they_are_about(proposer: Proposer) -> None:
    assert proposer.evaluation_["offers"]["auc"] >= 0.65  # type: ignore[index]  # .02 against .3


def test_a_customer_gets_candidates_in_order_of_propensity(
    proposer: Proposer, catalogue: Catalogue, lines: pd.DataFrame
) -> None:
    found = proposer.propose(profile_of(lines, "c1"), catalogue, Context(), AT)
    promised = [c.propensity for c in found]
    assert promised == sorted(promised, reverse=True)
    assert all(0 < p < 1 for p in promised)
    assert {c.offer_id for c in found} <= set(catalogue.by_id)
    assert len({c.offer_id for c in found}) == len(found)
    assert any(c.sources == ("campaign",) for c in found)


def test_a_restart_changes_no_number(
    proposer: Proposer, catalogue: Catalogue, lines: pd.DataFrame, tmp_path: Path
) -> None:
    proposer.save(tmp_path)
    again = Proposer.load(tmp_path)
    profile = profile_of(lines, "c2")
    before, after = (p.propose(profile, catalogue, Context(), AT, explain=True) for p in (proposer, again))
    assert [(c.offer_id, c.propensity, c.contributions) for c in before] == [
        (c.offer_id, c.propensity, c.contributions) for c in after
    ]
    assert again.evaluation_ == proposer.evaluation_


def test_contributions_add_up_to_the_raw_log_odds_up_to_the_common_part(
    proposer: Proposer, catalogue: Catalogue, lines: pd.DataFrame
) -> None:
    found = proposer.propose(profile_of(lines, "c3"), catalogue, Context(), AT, explain=True)
    items = [c for c in found if c.offer_id.startswith("item:")]
    common = {
        round(float(np.log(c.propensity_raw / (1 - c.propensity_raw))) - sum(c.contributions.values()), 6)
        for c in items
    }
    assert len(common) == 1


def test_an_unknown_customer_is_offered_what_most_customers_buy(
    proposer: Proposer, catalogue: Catalogue
) -> None:
    found = proposer.propose(Profile("nobody", AS_OF, known=False), catalogue, Context(), AT)
    items = [c for c in found if c.offer_id.startswith("item:")]
    assert items
    assert all("popular" in c.sources for c in items)
    assert items[0].propensity < 1


def test_an_item_outside_the_catalogue_is_not_proposed(proposer: Proposer, lines: pd.DataFrame) -> None:
    found = proposer.propose(profile_of(lines, "c4"), Catalogue().with_items(["i00"]), Context(), AT)
    assert [c.offer_id for c in found] == ["item:i00"]


def test_nothing_after_the_as_of_day_is_seen(lines: pd.DataFrame) -> None:
    as_of = date(2024, 5, 26)
    early = lines[lines.order_day <= as_of]
    a, b = (Proposer().fit(x, as_of=as_of, horizon_days=14) for x in (lines, early))
    assert a.evaluation_ == b.evaluation_
    assert a.vocabulary == b.vocabulary


def test_the_order_of_the_lines_does_not_matter_and_the_seed_settles_every_draw(lines: pd.DataFrame) -> None:
    as_of = date(2024, 5, 26)
    a, b = (
        Proposer().fit(x, as_of=as_of, horizon_days=14)
        for x in (lines, lines.sample(frac=1.0, random_state=5))
    )
    assert a.evaluation_ == b.evaluation_


def test_too_short_a_history_says_which_horizon_would_do(lines: pd.DataFrame) -> None:
    with pytest.raises(TooLittleData, match="horizon_days=41 or less"):
        Proposer().fit(lines, as_of=AS_OF, horizon_days=90)


def test_a_missing_column_is_named(lines: pd.DataFrame) -> None:
    with pytest.raises(MissingColumn, match="order_day"):
        Proposer().fit(lines.drop(columns="order_day"), as_of=AS_OF)


def test_lines_only_after_the_as_of_day_are_too_little(lines: pd.DataFrame) -> None:
    with pytest.raises(TooLittleData, match="no order line"):
        Proposer().fit(lines, as_of=date(2023, 1, 1))


def test_proposing_before_learning_is_refused() -> None:
    with pytest.raises(NotFitted):
        Proposer().propose(Profile("c", AS_OF), Catalogue(), Context(), AT)


def test_a_newer_format_is_refused(proposer: Proposer, tmp_path: Path) -> None:
    proposer.save(tmp_path)
    head = (tmp_path / "proposer.json").read_text()
    (tmp_path / "proposer.json").write_text(head.replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(UnknownFormat, match="99"):
        Proposer.load(tmp_path)


def test_too_few_answers_leave_offers_to_their_items_and_starting_propensity(lines: pd.DataFrame) -> None:
    offers, shown, taken = coupons(lines)
    as_of = date(2024, 5, 26)
    proposer = Proposer().fit(lines, offers, shown, taken.head(3), as_of=as_of, horizon_days=14)
    assert "too few" in str(proposer.evaluation_["offers"])
    offer = Offer("new", "New", "cross_sell", items=("nothing",), starting_propensity=0.07)
    found = proposer.propose(profile_of(lines, "c1"), Catalogue([offer]), Context(), AT)
    assert [(c.offer_id, c.propensity) for c in found] == [("new", 0.07)]


def test_a_new_offer_leans_on_what_the_business_expects_until_evidence_outweighs_it() -> None:
    # SE=50, SP=.30: with no evidence .30; with 50 presentations at .10 halfway, .20
    assert smooth(np.array([0.1, 0.1]), np.array([0, 50]), np.full(2, 0.3), np.full(2, 50.0)).tolist() == [
        0.3,
        0.2,
    ]


def test_what_the_chat_mentions_is_a_candidate_with_its_companions(
    proposer: Proposer, catalogue: Catalogue, lines: pd.DataFrame
) -> None:
    rare = proposer.vocabulary[-1]
    found = proposer.propose(profile_of(lines, "c5"), catalogue, Context(mentions=(rare, "unheard of")), AT)
    assert next(c for c in found if c.item == rare).sources[0] == "mention"
    assert all(c.sources for c in found)


def test_an_offer_nobody_has_answered_is_judged_by_its_best_item(
    proposer: Proposer, lines: pd.DataFrame
) -> None:
    both = ("i00", "i01")
    offers = [
        Offer("either", "Either", "cross_sell", group="unseen", items=both),
        Offer("both", "Both", "bundle", group="unseen", items=both),
        Offer(
            "trusted",
            "Trusted",
            "cross_sell",
            group="unseen",
            items=both,
            starting_propensity=0.9,
            starting_evidence=300,
        ),
        Offer("over", "Over", "cross_sell", group="unseen", items=both, valid_to=date(2024, 7, 27)),
    ]
    catalogue = Catalogue(offers).with_items(both)
    found = {
        c.offer_id: c
        for c in proposer.propose(profile_of(lines, "c6"), catalogue, Context(mentions=both), AT)
    }
    best = max(found["item:i00"].propensity, found["item:i01"].propensity)
    least = min(found["item:i00"].propensity, found["item:i01"].propensity)
    assert found["either"].propensity == pytest.approx(best)
    assert found["both"].propensity <= least  # a bundle is taken no more often than its least wanted part
    assert found["trusted"].propensity == pytest.approx(0.75 * 0.9 + 0.25 * best)  # 300 expected against 100
    assert "over" not in found  # it ended the day before


def test_kinds_and_prices_let_a_dearer_item_be_put_forward(lines: pd.DataFrame) -> None:
    items = sorted(lines.item.unique())
    products = pd.DataFrame(
        {"item": items, "kind": [i[:2] for i in items], "price": range(10, 10 + len(items))}
    )
    proposer = Proposer().fit(lines, as_of=date(2024, 5, 26), horizon_days=14, products=products)
    catalogue = Catalogue().with_items(proposer.vocabulary)
    found = proposer.propose(profile_of(lines, "c7"), catalogue, Context(), AT)
    assert any("upsell" in c.sources for c in found)
    with pytest.raises(MissingColumn, match="item"):
        Proposer().fit(lines, as_of=AS_OF, horizon_days=14, products=products.drop(columns="item"))


def test_a_dearer_item_that_earns_less_is_not_put_forward_as_better(lines: pd.DataFrame) -> None:
    items = sorted(lines.item.unique())
    prices = range(10, 10 + len(items))
    products = pd.DataFrame({"item": items, "kind": "all", "price": prices, "margin": [-p for p in prices]})
    proposer = Proposer().fit(lines, as_of=date(2024, 5, 26), horizon_days=14, products=products)
    catalogue = Catalogue().with_items(proposer.vocabulary)
    found = proposer.propose(profile_of(lines, "c7"), catalogue, Context(), AT)
    assert not any("upsell" in c.sources for c in found)


def test_a_history_of_unknown_items_is_answered_with_what_others_buy(
    proposer: Proposer, catalogue: Catalogue
) -> None:
    history = History((19_900, 19_910), ("discontinued",), ((0, 1),))
    found = proposer.propose(Profile("c", AS_OF, history=history), catalogue, Context(), AT)
    assert {"popular"} == {source for c in found if c.offer_id.startswith("item:") for source in c.sources}


def test_of_very_many_offers_the_most_promising_are_looked_at_and_every_service(
    proposer: Proposer, lines: pd.DataFrame
) -> None:
    many = [
        Offer(
            f"o{n:03d}",
            "Offer",
            "cross_sell",
            group="unseen",
            items=("nothing",),
            starting_propensity=n / 1000,
        )
        for n in range(200)
    ]
    service = Offer("recall", "Recall", "service", group="unseen", starting_propensity=0.0, mandatory=True)
    catalogue = Catalogue([service, *many])
    found = {c.offer_id for c in proposer.propose(profile_of(lines, "c8"), catalogue, Context(), AT)}
    assert found == {"recall", *(f"o{n:03d}" for n in range(140, 200))}


def test_a_candidate_says_how_much_evidence_its_propensity_rests_on(
    proposer: Proposer, lines: pd.DataFrame
) -> None:
    offers, shown, _ = coupons(lines)
    known = offers.iloc[0]
    catalogue = Catalogue(
        [
            Offer(known.offer_id, "Known", "cross_sell", group="Type A", items=known["items"]),
            Offer("fresh", "Fresh", "cross_sell", group="Type A", items=("i00",), starting_evidence=30),
            Offer("unseen", "Unseen", "cross_sell", group="new", items=("nothing",), starting_evidence=7),
        ]
    ).with_items(proposer.vocabulary)
    found = {c.offer_id: c for c in proposer.propose(profile_of(lines, "c1"), catalogue, Context(), AT)}
    assert found[known.offer_id].evidence == (shown.offer_id == known.offer_id).sum()
    assert found["fresh"].evidence == 30  # nobody has seen it: what the business brings
    assert found["unseen"].evidence == 7
    item = next(c for c in found.values() if c.offer_id.startswith("item:"))
    buyers = lines[lines.item == item.item].customer_id.nunique()
    assert item.evidence == pytest.approx(100 * buyers / (buyers + 100))


def test_past_offers_count_alike_in_training_and_in_a_chat_and_service_calls_do_not() -> None:
    days = [date(2023, 1, 5), date(2024, 6, 1), date(2024, 6, 1), date(2024, 6, 20), date(2024, 7, 1)]
    shown = pd.DataFrame({"customer_id": "c", "offer_id": list("aabcd"), "at": days})
    taken = pd.DataFrame(
        {
            "customer_id": "c",
            "offer_id": ["a", "a", "b"],
            "outcome": ["accepted", "purchased", "rejected"],
            "at": [date(2024, 6, 3), date(2024, 6, 4), date(2024, 6, 20)],
        }
    )
    seen = from_tables(shown, taken, {"c": 0}, list("abcd"), 10**6)
    contacts = [
        *(Contact(_noon(day), "mail", "sent", o) for day, o in zip(days, shown.offer_id, strict=True)),
        *(Contact(_noon(r["at"]), "", r.outcome, r.offer_id) for _, r in taken.iterrows()),
        Contact(_noon(date(2024, 6, 11)), "phone"),  # a service call, about no offer
    ]
    moment = (date(2024, 7, 1) - date(1970, 1, 1)).days
    live = contact_record(Profile("c", AS_OF, contacts=tuple(contacts)), moment)
    trained = seen.touches.record(moment, 1)
    # 1, 3, 4 and 20 June; not the mail of January the year before, nor that of the day itself
    assert [float(x[0]) for x in trained] == [4.0, 1.0]
    assert [float(x[0]) for x in live] == [4.0, 1.0]


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_what_is_bought_twice_a_year_is_not_hinted_nine_days_later_unless_it_is_mentioned() -> None:
    rng = np.random.default_rng(5)
    rows = [
        (f"c{c}", f"w{rng.integers(12)}", START + timedelta(days=d))
        for c in range(80)
        for d in range(c % 7, 420, 7)
    ]
    rows += [
        (f"c{c}", "boiler service", START + timedelta(days=c + 150 * k)) for c in range(80) for k in range(3)
    ]
    log = pd.DataFrame(rows, columns=["customer_id", "item", "order_day"])
    as_of = START + timedelta(days=420)
    log = log[log.order_day <= as_of]
    proposer = Proposer().fit(log, as_of=as_of, horizon_days=14)
    catalogue = Catalogue().with_items(proposer.vocabulary)
    last = (as_of - date(1970, 1, 1)).days
    lately, long_ago = (
        Profile(
            "x", as_of, history=History((last - 309, last - 159, last - ago), ("boiler service",), (places,))
        )
        for ago, places in ((9, (0, 1, 2)), (3, (0, 1)))
    )

    def hinted(profile: Profile, *mentions: str) -> bool:
        found = proposer.propose(profile, catalogue, Context(mentions=mentions), _noon(as_of))
        return "boiler service" in {c.item for c in found}

    assert not hinted(lately)
    assert hinted(lately, "boiler service")
    assert hinted(long_ago)


def test_the_store_of_the_moment_decides_what_is_offered_there(lines: pd.DataFrame) -> None:
    rng = np.random.default_rng(6)
    rows = []
    for c in range(100):
        for visit, day in enumerate(range(c % 7, 210, 7)):
            store = "north" if (visit + c) % 2 else "south"  # by turns; each sells its own ten items
            rows += [
                (f"c{c}", f"{store}{i}", START + timedelta(days=day), store)
                for i in rng.choice(10, 3, replace=False, p=np.arange(1, 11) / 55)
            ]
    log = pd.DataFrame(rows, columns=["customer_id", "item", "order_day", "store_id"])
    as_of = START + timedelta(days=209)
    proposer = Proposer().fit(log, as_of=as_of, horizon_days=7)
    catalogue = Catalogue().with_items(proposer.vocabulary)
    own = profile_of(log, "c1")
    stores = dict(
        zip(log.order_day[log.customer_id == "c1"], log.store_id[log.customer_id == "c1"], strict=True)
    )
    history = replace(own.history, places=tuple(stores[day] for day in sorted(stores)))
    profile = replace(own, history=history)

    def features(**where: str) -> dict[str, float]:
        found = proposer.propose(profile, catalogue, Context(attributes=dict(where)), _noon(as_of))
        return {c.item: c.features["item_place_share"] for c in found}

    north = features(store_id="north")
    assert north["north9"] > 5 * north["south9"]
    usual = features()  # nobody says: where the last order was
    assert usual == features(store_id=history.places[-1])
    assert all(np.isnan(share) for share in features(store_id="elsewhere").values())
