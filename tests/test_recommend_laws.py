"""What holds for every decision, whatever the customer, the offers and the weather."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recommend.candidate import Candidate
from recommend.catalogue import Cap, Catalogue, Offer
from recommend.contact import Approaches, ContactLimit, Suppression
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.decide import decide
from recommend.decision import Decision, Ranked
from recommend.explore import EpsilonGreedy, PlackettLuce, Thompson
from recommend.funnel import Funnel
from recommend.history import History
from recommend.policies import Policies, PolicyRule, Slate
from recommend.profile import Contact, Profile
from recommend.worth import Annoyance, Arbitration

AT = datetime(2026, 2, 10, 9, tzinfo=UTC)
KINDS = ["cross_sell", "upsell", "replenish", "win_back", "bundle", "retention", "service"]
IDS = [f"o{i}" for i in range(6)]
ITEMS = ["", "TEA", "CUPS", "POT"]
CHANNELS = ["chat", "email"]
TESTS = settings(max_examples=100, deadline=timedelta(seconds=2))

amounts = st.sampled_from([-1.0, 0.0, 0.5, 3.0, 3.0, 20.0])


def an_offer(offer_id: str, *, friendly: bool = False) -> st.SearchStrategy[Offer]:
    """Any offer, or one in whose way nothing stands."""
    hurdles = {
        "available": st.sampled_from([True, True, True, False]),
        "caps": st.sampled_from([(), (Cap(1, "presented", 30),)]),
        "eligibility": st.sampled_from([(), (), ("customer.predicted_clv >= 50",), ("offer.margin > 1",)]),
        "mandatory": st.sampled_from([False, False, False, True]),
        "purpose": st.sampled_from(["marketing", "marketing", "service"]),
        "repeatable": st.booleans(),
    }
    return st.builds(
        Offer,
        offer_id=st.just(offer_id),
        name=st.just("An offer"),
        kind=st.sampled_from(KINDS[:3] if friendly else KINDS),
        issue=st.sampled_from(["", "keep"]),
        group=st.sampled_from(["", "g", "h"]),
        items=st.lists(st.sampled_from(ITEMS[1:]), max_size=2, unique=True).map(tuple),
        margin=st.sampled_from([2.0, 3.0, 4.0]) if friendly else st.none() | amounts,
        cost=st.sampled_from([0.0, 1.0]),
        lever=st.sampled_from([-150.0, -20.0, 0.0, 40.0]),
        lifetime_share=st.sampled_from([0.0, 0.01]),
        generated=st.sampled_from([False, False, True]),
        **({} if friendly else hurdles),
    )


def a_candidate(offer_id: st.SearchStrategy[str]) -> st.SearchStrategy[Candidate]:
    return st.builds(
        Candidate,
        offer_id=offer_id,
        item=st.sampled_from(ITEMS),
        propensity=st.sampled_from([0.0, 0.01, 0.1, 0.1, 0.5, 1.0]),
        popularity_rank=st.integers(0, 3),
        evidence=st.sampled_from([0.0, 10.0, 500.0]),
    )


each_once = st.tuples(*[a_candidate(st.just(offer_id)) for offer_id in IDS])
some_more = st.lists(a_candidate(st.sampled_from([*IDS, "gone"])), max_size=4)
candidates = st.builds(lambda one, more: [*one, *more], each_once, some_more)
contacts = st.builds(
    Contact,
    at=st.integers(0, 40).map(lambda days: AT - timedelta(days=days)),
    channel=st.sampled_from(CHANNELS),
    outcome=st.sampled_from(["sent", "presented", "accepted", "rejected", "ignored"]),
    offer_id=st.sampled_from(["", *IDS]),
    group=st.sampled_from(["", "g"]),
)
refusals = st.builds(
    Contact,
    at=st.integers(0, 12).map(lambda days: AT - timedelta(days=days)),
    channel=st.just("chat"),
    outcome=st.sampled_from(["rejected", "rejected", "ignored"]),
    offer_id=st.sampled_from(IDS[:2]),
)
consents = st.dictionaries(
    st.sampled_from(["chat", "email", "chat.marketing", "email.marketing", "*.marketing"]), st.booleans()
)
profiles = st.builds(
    Profile,
    customer_id=st.sampled_from(["ann", "bob"]),
    as_of=st.just(date(2026, 2, 9)),
    value=st.sampled_from([{}, {"predicted_clv": 40.0}, {"predicted_clv": 9000.0}]),
    segments=st.sampled_from([(), ("champions",)]),
    consent=consents,
    contacts=st.lists(contacts, max_size=6).map(tuple),
    open_issue=st.sampled_from(["", "", "", "billing"]),
    history=st.sampled_from([History(), History((20000,), ("TEA",), ((0,),))]),
)
contexts = st.builds(
    Context,
    channel=st.sampled_from(CHANNELS),
    intent=st.sampled_from(["", "", "buy", "cancel", "complaint"]),
    sentiment=st.sampled_from(["neutral", "neutral", "positive", "negative"]),
    mentions=st.sampled_from([(), ("CUPS",)]),
    direction=st.sampled_from(["inbound", "inbound", "outbound"]),
)
policies = st.builds(
    Policies,
    rules=st.sampled_from([(), (PolicyRule("applicability", "context.intent is missing", group="g"),)]),
    control=st.sampled_from([ControlGroup(0.0), ControlGroup(0.5)]),
    slate=st.builds(Slate, hints=st.sampled_from([1, 3, 4]), per_kind=st.integers(1, 3)),
)
arbitrations = st.builds(
    Arbitration,
    use_propensity=st.booleans(),
    use_value=st.booleans(),
    annoyance=st.sampled_from([Annoyance(), Annoyance(rate=0.0), Annoyance(rate=1e-3)]),
    floor=st.sampled_from([0.0, 0.01, 1.0]),
)
explorers = st.sampled_from([None, EpsilonGreedy(0.5, seed=1), Thompson(seed=1), PlackettLuce(0.5, seed=1)])


def asked(
    profile: st.SearchStrategy[Profile],
    context: st.SearchStrategy[Context],
    policies: st.SearchStrategy[Policies],
    arbitration: st.SearchStrategy[Arbitration],
    *,
    friendly: bool = False,
) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {
            "profile": profile,
            "candidates": candidates,
            "offers": st.tuples(*[an_offer(offer_id, friendly=friendly) for offer_id in IDS]),
            "policies": policies,
            "arbitration": arbitration,
            "context": context,
        }
    )


# any moment, and one in which little stands in an offer's way, so that offers meet each other
friendly = asked(
    st.just(Profile("ann", date(2026, 2, 9), consent={"chat": True})),
    st.just(Context()),
    st.builds(
        Policies, control=st.just(ControlGroup(0.0)), slate=st.builds(Slate, st.sampled_from([2, 3, 4]))
    ),
    st.builds(Arbitration, annoyance=st.just(Annoyance(rate=0.0)), floor=st.just(0.0)),
    friendly=True,
)
questions = st.one_of(asked(profiles, contexts, policies, arbitrations), friendly)
Question = dict[str, object]


def answer(question: Question, explorer: object = None, **changed: object) -> Decision:
    q = {**question, **changed}
    return decide(
        q["profile"],  # type: ignore[arg-type]
        q["candidates"],  # type: ignore[arg-type]
        Catalogue(q["offers"]),  # type: ignore[arg-type]
        q["policies"],  # type: ignore[arg-type]
        q["arbitration"],  # type: ignore[arg-type]
        q["context"],  # type: ignore[arg-type]
        AT,
        decision_id="d1",
        explorer=explorer,  # type: ignore[arg-type]
    )


def eligible(decision: Decision) -> set[str]:
    return {one.offer_id for one in decision.candidates if one.rank is not None}


def of(decision: Decision, offer_id: str) -> Ranked | None:
    return next((one for one in decision.candidates if one.offer_id == offer_id and one.rank), None)


@TESTS
@given(questions, explorers)
def test_silence_always_has_a_reason_and_hints_never_have_one(question: Question, explorer: object) -> None:
    decision = answer(question, explorer)
    assert bool(decision.hints) != bool(decision.silence)


@TESTS
@given(questions, explorers)
def test_every_candidate_is_either_said_or_dropped_by_a_stage_for_a_reason(
    question: Question, explorer: object
) -> None:
    decision = answer(question, explorer)
    assert len(decision.candidates) == len(question["candidates"])  # type: ignore[arg-type]
    said = {hint.offer_id for hint in decision.hints}
    for one in decision.candidates:
        assert bool(one.dropped_by) == bool(one.reason)
        if one.rank is not None:
            assert (one.dropped_by is None) == (one.offer_id in said)


@TESTS
@given(questions, explorers)
def test_an_identical_offer_never_appears_twice(question: Question, explorer: object) -> None:
    decision = answer(question, explorer)
    said = [hint.offer_id for hint in decision.hints]
    assert len(said) == len(set(said))
    ranked = {one.offer_id: one for one in decision.candidates if one.rank is not None}
    items = [ranked[offer_id].item for offer_id in said if ranked[offer_id].item]
    assert len(items) == len(set(items))


@TESTS
@given(questions, explorers)
def test_a_slate_is_never_longer_nor_more_of_a_kind_than_allowed(
    question: Question, explorer: object
) -> None:
    decision = answer(question, explorer)
    slate = question["policies"].slate  # type: ignore[attr-defined]
    kinds = [hint.kind for hint in decision.hints]
    assert len(kinds) <= slate.hints
    assert all(kinds.count(kind) <= slate.per_kind for kind in kinds)
    assert [hint.rank for hint in decision.hints] == list(range(1, len(kinds) + 1))


@TESTS
@given(questions)
def test_ranks_follow_the_written_order(question: Question) -> None:
    alike = [replace(one, popularity_rank=len(one.item)) for one in question["candidates"]]  # type: ignore[attr-defined]
    decision = answer(question, candidates=alike)
    offers = {offer.offer_id: offer for offer in question["offers"]}  # type: ignore[attr-defined]
    ranked = sorted((one for one in decision.candidates if one.rank), key=lambda one: one.rank or 0)

    def asked_for(offer: Offer) -> bool:
        context, weighs = question["context"], question["arbitration"].use_context  # type: ignore[attr-defined]
        named = {*offer.items, offer.category}.intersection(context.mentions)  # type: ignore[attr-defined]
        return weighs and context.intent in {"buy", "ask"} and bool(named)  # type: ignore[attr-defined]

    keys = []
    for one in ranked:
        offer = offers[one.offer_id]
        asked = asked_for(offer) and not offer.mandatory
        keys.append((not offer.mandatory, not asked, -one.priority, len(one.item), one.offer_id))
    assert keys == sorted(keys)
    assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))


@TESTS
@given(questions, explorers, st.randoms(use_true_random=False))
def test_the_order_of_what_comes_in_changes_nothing(
    question: Question, explorer: object, random: object
) -> None:
    mixed = {name: list(question[name]) for name in ("candidates", "offers")}  # type: ignore[call-overload]
    for values in mixed.values():
        random.shuffle(values)  # type: ignore[attr-defined]
    contacts_mixed = list(question["profile"].contacts)  # type: ignore[attr-defined]
    random.shuffle(contacts_mixed)  # type: ignore[attr-defined]
    profile = replace(question["profile"], contacts=tuple(contacts_mixed))  # type: ignore[type-var]
    assert answer(question, explorer, **mixed, profile=profile) == answer(question, explorer)


@TESTS
@given(
    questions,
    st.sampled_from(["chat", "email", "chat.marketing", "email.marketing", "*.marketing"]),
    st.booleans(),
)
def test_withdrawing_consent_never_adds_an_offer(question: Question, name: str, forget: bool) -> None:
    before = answer(question)
    profile = question["profile"]
    consent = {k: v for k, v in profile.consent.items() if k != name}  # type: ignore[attr-defined]
    if forget:
        assume(profile.consent.get(name) is True)  # type: ignore[attr-defined]
        assume(question["context"].direction == "outbound")  # type: ignore[attr-defined]
    else:
        consent[name] = False
    after = answer(question, profile=replace(profile, consent=consent))  # type: ignore[type-var]
    assert eligible(after) <= eligible(before)
    said = {hint.offer_id for hint in after.hints}
    assert said <= eligible(before)
    if len({offer.purpose for offer in question["offers"]}) < 2:  # type: ignore[attr-defined]
        assert said <= {hint.offer_id for hint in before.hints}


@TESTS
@given(friendly | questions, st.integers(0, 7), st.sampled_from([10.0, 60.0, 500.0]))
def test_a_higher_lever_never_lowers_a_rank(question: Question, which: int, more: float) -> None:
    before = answer(question)
    ranked = [one.offer_id for one in before.candidates if one.rank] or ["o0"]
    offer_id = ranked[which % len(ranked)]
    raised = [
        replace(offer, lever=offer.lever + more) if offer.offer_id == offer_id else offer
        for offer in question["offers"]  # type: ignore[attr-defined]
    ]
    after = answer(question, offers=raised)
    one, other = of(before, offer_id), of(after, offer_id)
    if one is not None:
        assert other is not None
        assert (other.rank or 0) <= (one.rank or 0)
    places = [{hint.offer_id: hint.rank for hint in decision.hints} for decision in (before, after)]
    if offer_id in places[0]:
        assert places[1][offer_id] <= places[0][offer_id]


@TESTS
@given(questions)
def test_more_contacts_or_an_open_complaint_never_add_an_offer(question: Question) -> None:
    before = answer(question)
    profile = question["profile"]
    once_more = (*profile.contacts, Contact(AT, "email", "rejected"))  # type: ignore[attr-defined]
    pressed = answer(question, profile=replace(profile, contacts=once_more))  # type: ignore[type-var]
    complaining = answer(question, profile=replace(profile, open_issue="billing"))  # type: ignore[type-var]
    assert eligible(pressed) <= eligible(before)
    assert eligible(complaining) <= eligible(before)


@TESTS
@given(st.lists(questions, max_size=3))
def test_the_funnel_adds_up(many: list[Question]) -> None:
    decisions = [answer(question) for question in many]
    funnel = Funnel().add_all(decisions)
    steps = funnel.steps()
    assert steps[0].reached == sum(len(decision.candidates) for decision in decisions)
    assert all(one.passed == other.reached for one, other in pairwise(steps))
    assert steps[-1].passed == funnel.said
    assert funnel.silent == sum(not decision.hints for decision in decisions)


@TESTS
@given(st.lists(refusals, max_size=6), st.integers(1, 3), st.integers(1, 8), st.integers(1, 12))
def test_a_pause_is_what_counting_each_window_by_hand_gives(
    seen: list[Contact], count: int, window: int, pause: int
) -> None:
    rule = Suppression("rejected", "offer", count, window, pause)
    found = Approaches(seen, AT).pauses([rule]).offers
    for offer_id in IDS:
        days = sorted((AT - c.at).days for c in seen if c.outcome == "rejected" and c.offer_id == offer_id)
        held = any(
            sum(1 for other in days if day <= other <= day + window) >= count and day < pause for day in days
        )
        assert (offer_id in found) == held


@TESTS
@given(st.lists(contacts, max_size=8), st.integers(0, 3), st.integers(1, 30))
def test_a_limit_is_reached_exactly_at_its_count(seen: list[Contact], count: int, days: int) -> None:
    reached = Approaches(seen, AT).over_limit([ContactLimit(count, days, "email")], "email", "outbound")
    recent = [c for c in seen if c.channel == "email" and (AT - c.at).days < days]
    assert bool(reached) == (len(recent) >= count)
