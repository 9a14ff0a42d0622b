"""One decision: what passes, what is held back and why, in which order, and when to say nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from clv.errors import RuleError
from recommend.candidate import Candidate
from recommend.catalogue import Cap, Catalogue, Offer, Treatment
from recommend.contact import Suppression
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.decide import decide
from recommend.decision import Decision
from recommend.engine import Engine
from recommend.explore import EpsilonGreedy
from recommend.history import History
from recommend.policies import Policies, PolicyRule, Slate
from recommend.profile import Contact, Profile
from recommend.rulebook import Rulebook
from recommend.worth import Annoyance, Arbitration, ContextWeight

AT = datetime(2026, 2, 10, 9, tzinfo=UTC)
NOBODY_HELD_OUT = Policies(control=ControlGroup(share=0.0))
CALM = Arbitration(annoyance=Annoyance(rate=0.0))
ANN = Profile(
    "ann", date(2026, 2, 9), value={"predicted_clv": 1000.0}, history=History((20000,), ("TEA",), ((0,),))
)


def offer(offer_id: str, kind: str = "cross_sell", **more: object) -> Offer:
    return Offer(offer_id, offer_id.title(), kind, **{"margin": 10.0, **more})  # type: ignore[arg-type]


def ask(
    *offers: Offer,
    profile: Profile = ANN,
    policies: Policies = NOBODY_HELD_OUT,
    arbitration: Arbitration = CALM,
    context: Context = Context(),  # noqa: B008  (frozen)
    propensity: float = 0.1,
    **more: object,
) -> Decision:
    candidates = [Candidate(o.offer_id, propensity=propensity) for o in offers]
    catalogue = Catalogue(offers)
    return decide(
        profile, candidates, catalogue, policies, arbitration, context, AT, decision_id="d1", **more
    )  # type: ignore[arg-type]


def fate(decision: Decision, offer_id: str) -> tuple[str | None, str]:
    ranked = next(one for one in decision.candidates if one.offer_id == offer_id)
    return ranked.dropped_by, ranked.reason


def said(decision: Decision) -> list[str]:
    return [hint.offer_id for hint in decision.hints]


# -- arbitration ------------------------------------------------------------------------------------------


def test_priority_is_propensity_times_context_times_value_times_lever() -> None:
    gold = offer("gold", "retention", margin=12.0, cost=2.0, lever=50.0, issue="keep", lifetime_share=0.01)
    arbitration = replace(CALM, issue_levers={"keep": 5.0})
    hint = ask(gold, arbitration=arbitration, context=Context(intent="cancel"), propensity=0.2)
    shown = hint.candidates[0]
    # V = 12 - 2 + 1 % of 1,000 = 20; C = 1 + 100/100 for retention on cancel; L = 1 + (5 + 50)/100
    assert (shown.propensity, shown.context_weight, shown.value, shown.lever) == (0.2, 2.0, 20.0, 1.55)
    assert shown.priority == pytest.approx(0.2 * 2 * 20 * 1.55)


def test_what_a_policy_holds_back_has_no_value_not_even_a_negative_one() -> None:
    held = ask(offer("loss", margin=-5.0, available=False))
    assert repr(held.candidates[0].value) == "0.0"


@pytest.mark.parametrize(
    ("switch", "priority"),
    [("use_propensity", 62.0), ("use_context", 6.2), ("use_value", 0.62), ("use_lever", 8.0)],
)
def test_each_factor_can_be_switched_off(switch: str, priority: float) -> None:
    # P 0.2, C 2, V 20, L 1.55: together 12.4; each one divided out
    gold = offer("gold", "retention", margin=20.0, lever=55.0)
    decision = ask(
        gold, arbitration=replace(CALM, **{switch: False}), context=Context(intent="cancel"), propensity=0.2
    )
    assert decision.candidates[0].priority == pytest.approx(priority)


def test_what_the_customer_names_weighs_double() -> None:
    decision = ask(
        offer("cups", items=("CUPS",)), offer("pots", items=("POTS",)), context=Context(mentions=("POTS",))
    )
    assert [(one.offer_id, one.context_weight) for one in decision.candidates] == [
        ("pots", 2.0),
        ("cups", 1.0),
    ]


def test_a_weight_may_hang_on_a_segment_a_mood_or_a_named_item() -> None:
    weights = (
        ContextWeight("segment", "champions", 50.0, kind="upsell"),
        ContextWeight("sentiment", "positive", 20.0),
        ContextWeight("mention", "POTS", -40.0, offer_id="cups"),
    )
    arbitration = replace(CALM, context_weights=weights)
    champion = replace(ANN, segments=("champions",))
    happy = Context(sentiment="positive", mentions=("POTS",))
    decision = ask(
        offer("gold", "upsell"), offer("cups"), profile=champion, arbitration=arbitration, context=happy
    )
    found = {one.offer_id: one.context_weight for one in decision.candidates}
    assert found == {"gold": pytest.approx(1.7), "cups": pytest.approx(0.8)}


def test_at_most_three_are_said_and_at_most_two_of_a_kind() -> None:
    offers = [offer(f"c{i}", margin=20.0 - i) for i in range(3)] + [
        offer("u1", "upsell", margin=5.0),
        offer("w1", "win_back", margin=4.0),
    ]
    decision = ask(*offers)
    assert said(decision) == ["c0", "c1", "u1"]
    assert fate(decision, "w1") == ("arbitration", "3 hints are said already")
    assert fate(decision, "c2") == ("arbitration", "2 hints of kind cross_sell are said already")


def test_two_offers_about_one_item_are_not_both_said() -> None:
    decision = ask(offer("coupon", items=("CUPS",), margin=9.0), offer("cups", "bundle", items=("CUPS",)))
    assert said(decision) == ["cups"]
    assert fate(decision, "coupon") == ("arbitration", "an offer about CUPS is said already")


def test_ties_go_to_the_more_popular_item_and_then_to_the_smaller_id() -> None:
    offers = [offer(name) for name in ("b", "a", "c")]
    candidates = [
        Candidate("a", propensity=0.1, popularity_rank=9),
        Candidate("b", propensity=0.1, popularity_rank=9),
        Candidate("c", propensity=0.1, popularity_rank=1),
    ]
    wide = replace(NOBODY_HELD_OUT, slate=Slate(per_kind=3))
    decision = decide(ANN, candidates, Catalogue(offers), wide, CALM, Context(), AT, decision_id="d")
    assert said(decision) == ["c", "a", "b"]


def test_mandatory_service_messages_go_first_even_in_a_complaint_and_in_the_control_group() -> None:
    recall = offer("recall", "service", mandatory=True, purpose="service", margin=0.0)
    everybody_held_out = Policies(control=ControlGroup(share=0.999999))
    angry = Context(sentiment="negative")
    assert said(ask(recall, offer("cups"))) == ["recall", "cups"]
    assert said(ask(recall, offer("cups"), context=angry)) == ["recall"]
    assert said(ask(recall, offer("cups"), policies=everybody_held_out)) == ["recall"]


def test_the_price_of_annoyance_grows_with_lifetime_value_and_contacts() -> None:
    priced = Arbitration(annoyance=Annoyance(rate=0.001))
    tired = replace(ANN, contacts=(Contact(AT - timedelta(days=3), "mail"),))
    # priority 0.1 x 15 = 1.5; one prompt costs 0.1 % of 1,000 = 1, and with one recent contact 2
    assert said(ask(offer("cups", margin=15.0), arbitration=priced)) == ["cups"]
    held = ask(offer("cups", margin=15.0), profile=tired, arbitration=priced)
    assert held.annoyance == pytest.approx(2.0)
    assert fate(held, "cups") == ("arbitration", "priority 1.5 is under the price 2 of one more prompt")
    assert held.silence == "nothing is worth saying: priority 1.5 is under the price 2 of one more prompt"


def test_an_offer_under_the_floor_or_at_a_loss_is_not_said() -> None:
    decision = ask(offer("cheap", margin=0.05), offer("gift", margin=1.0, cost=3.0))
    assert fate(decision, "cheap") == ("arbitration", "priority 0.005 is under the floor 0.01")
    assert fate(decision, "gift") == ("arbitration", "costs 2.00 more than it earns")


# -- policies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"available": False}, "not available"),
        ({"valid_from": date(2026, 2, 11)}, "not before 2026-02-11"),
        ({"valid_to": date(2026, 2, 9)}, "ended on 2026-02-09"),
        ({"stock": 0}, "out of stock"),
        ({"cap_total": 3, "taken": 3}, "taken 3 times; the cap is 3"),
        ({"treatments": (Treatment("email"),)}, "has no treatment for the channel 'chat'"),
    ],
)
def test_what_cannot_be_had_is_not_offered(more: dict[str, object], reason: str) -> None:
    assert fate(ask(offer("cups", **more)), "cups") == ("availability", reason)


def test_the_last_piece_is_gone_once_somebody_took_it() -> None:
    last = offer("cups", stock=1)
    assert said(ask(last)) == ["cups"]
    assert said(ask(last, taken={"cups": 1})) == []


def test_rules_of_policies_and_offers_stop_at_the_first_stage_that_fails() -> None:
    policies = replace(
        NOBODY_HELD_OUT,
        rules=(
            PolicyRule("eligibility", "customer.birth_year <= 2007", "must be of age", group="wine"),
            PolicyRule("suitability", "offer.price <= customer.average_order_value", kind="upsell"),
        ),
        fields={"customer.birth_year": "number"},
    )
    young = replace(ANN, attributes={"birth_year": 2010}, value={**ANN.value, "average_order_value": 30.0})
    wine = offer("wine", group="wine", suitability=("customer.segments has 'champions'",))
    decision = ask(
        wine,
        offer("dear", "upsell", price=99.0),
        offer("fair", "upsell", price=9.0),
        offer("vip", applicability=("customer.segments has 'champions'",)),
        profile=young,
        policies=policies,
    )
    assert fate(decision, "wine") == ("eligibility", "must be of age")
    assert fate(decision, "dear") == ("suitability", "offer.price <= customer.average_order_value")
    assert fate(decision, "vip") == ("applicability", "customer.segments has 'champions'")
    assert said(decision) == ["fair"]


def test_a_rule_that_does_not_parse_names_the_offer_it_stands_in() -> None:
    with pytest.raises(RuleError) as caught:
        ask(offer("cups", eligibility=("customer.agee > 18",)))
    assert caught.value.where == "offer 'cups', eligibility, character 1: ▸customer.agee > 18"


def test_who_owns_it_is_not_sold_it_again_unless_it_can_be_repeated() -> None:
    decision = ask(
        offer("tea", items=("TEA",)),
        offer("tea2", items=("TEA",), repeatable=True),
        offer("both", items=("TEA", "POT")),
    )
    assert fate(decision, "tea") == ("applicability", "already owned")
    assert set(said(decision)) == {"tea2", "both"}


def test_an_item_is_a_replenishment_to_who_buys_it_and_a_cross_sell_to_others() -> None:
    catalogue = Catalogue().with_items(["TEA", "CUPS"], margins={"TEA": 1.0, "CUPS": 1.0})
    candidates = [Candidate(f"item:{item}", item, propensity=0.2) for item in ("TEA", "CUPS")]
    decision = decide(ANN, candidates, catalogue, NOBODY_HELD_OUT, CALM, Context(), AT, decision_id="d")
    assert {hint.offer_id: hint.kind for hint in decision.hints} == {
        "item:TEA": "replenish",
        "item:CUPS": "cross_sell",
    }


def test_a_dearer_item_of_a_kind_they_buy_is_an_upsell_and_asked_about_as_one() -> None:
    catalogue = Catalogue().with_items(["TEA", "SENCHA"], margins={"TEA": 1.0, "SENCHA": 2.0})
    better = [Candidate(f"item:{i}", i, ("popular", "upsell"), propensity=0.2) for i in ("TEA", "SENCHA")]
    decision = decide(ANN, better, catalogue, NOBODY_HELD_OUT, CALM, Context(), AT, decision_id="d")
    assert {hint.offer_id: hint.kind for hint in decision.hints} == {
        "item:SENCHA": "upsell",
        "item:TEA": "replenish",  # what they buy is no upsell
    }
    never = replace(
        NOBODY_HELD_OUT, rules=(PolicyRule("suitability", "offer.kind != 'upsell'", "no upselling"),)
    )
    held = decide(ANN, better, catalogue, never, CALM, Context(), AT, decision_id="d")
    assert fate(held, "item:SENCHA") == ("suitability", "no upselling")
    assert said(held) == ["item:TEA"]


@pytest.mark.parametrize(
    ("context", "first"),
    [
        (Context(), ["dear", "dear2", "cups"]),
        (Context(mentions=("CUPS",)), ["dear", "dear2", "cups"]),  # named in passing
        (Context(intent="buy", mentions=("CUPS",)), ["cups", "dear", "dear2"]),
        (Context(intent="ask", mentions=("CUPS",)), ["cups", "dear", "dear2"]),
        (Context(intent="complaint", mentions=("CUPS",)), []),
    ],
)
@pytest.mark.parametrize("explorer", [None, EpsilonGreedy(1.0)])
def test_what_a_customer_asks_for_by_name_comes_first_whatever_it_earns(
    context: Context, first: list[str], explorer: EpsilonGreedy | None
) -> None:
    offers = [
        offer("dear", margin=900.0),
        offer("dear2", margin=800.0),
        offer("cups", items=("CUPS",), margin=0.001),  # under the floor: said to who asks for it
    ]
    decision = ask(
        *offers,
        context=context,
        arbitration=replace(CALM, floor=0.0 if not context.intent else 0.01),
        policies=replace(NOBODY_HELD_OUT, slate=Slate(3, 3)),
        explorer=explorer,
    )
    if explorer is None:
        assert said(decision) == first
    elif context.intent in {"buy", "ask"}:
        assert (said(decision)[0], decision.hints[0].selection_probability) == ("cups", 1.0)
    blind = replace(CALM, floor=0.0, use_context=False)
    assert (
        said(ask(*offers, context=Context(intent="buy", mentions=("CUPS",)), arbitration=blind))[0] == "dear"
    )


def test_goods_of_health_and_harm_are_brought_up_by_the_customer_only() -> None:
    items = ["PREGNANCY TESTS", "CIGARETTES", "COFFEE"]
    catalogue = Catalogue().with_items(items, margins=dict.fromkeys(items, 5.0))
    candidates = [Candidate(f"item:{item}", item, propensity=0.5) for item in items]

    def hinted(profile: Profile, context: Context = Context()) -> set[str]:  # noqa: B008  (frozen)
        policies = replace(NOBODY_HELD_OUT, slate=Slate(3, 3))
        decision = decide(profile, candidates, catalogue, policies, CALM, context, AT, decision_id="d")
        return {hint.name for hint in decision.hints}

    buyer = replace(ANN, history=History((20000,), ("CIGARETTES", "PREGNANCY TESTS"), ((0,), (0,))))
    assert hinted(ANN) == {"COFFEE"}
    assert hinted(buyer) == {"COFFEE", "CIGARETTES"}
    assert hinted(ANN, Context(intent="buy", mentions=("CIGARETTES", "PREGNANCY TESTS"))) == set(items)


@pytest.mark.parametrize(
    ("consent", "direction", "reason"),
    [
        ({}, "inbound", ""),
        ({}, "outbound", "no consent is recorded for chat.marketing"),
        ({"chat": True}, "outbound", ""),
        ({"chat.marketing": True}, "outbound", ""),
        ({"chat.marketing": False}, "inbound", "consent for chat.marketing was withdrawn"),
        ({"chat": False, "chat.marketing": True}, "inbound", "consent for chat was withdrawn"),
        ({"*.marketing": False}, "inbound", "consent for *.marketing was withdrawn"),
        ({"email.marketing": False}, "inbound", ""),
        ({"chat.research": False}, "inbound", ""),
    ],
)
def test_consent_is_asked_per_channel_and_purpose(
    consent: dict[str, bool], direction: str, reason: str
) -> None:
    decision = ask(offer("cups"), profile=replace(ANN, consent=consent), context=Context(direction=direction))  # type: ignore[arg-type]
    assert fate(decision, "cups") == (("consent", reason) if reason else (None, ""))
    assert decision.silence == (f"no consent: {reason}" if reason else "")


@pytest.mark.parametrize(
    ("profile", "context", "reason"),
    [
        (replace(ANN, open_issue="billing"), Context(intent="buy"), "an open complaint about billing"),
        (replace(ANN, open_issue="complaint"), Context(intent="buy"), "an open complaint"),
        (ANN, Context(intent="complaint"), "the customer's intent is 'complaint'"),
        (ANN, Context(sentiment="negative"), "the customer's mood is negative"),
    ],
)
def test_service_comes_first(profile: Profile, context: Context, reason: str) -> None:
    help_out = offer("help", "service", purpose="service")
    decision = ask(offer("cups"), help_out, profile=profile, context=context)
    assert fate(decision, "cups") == ("service_first", reason)
    assert said(decision) == ["help"]
    assert ask(offer("cups"), profile=profile, context=context).silence == f"service first: {reason}"


def test_who_wants_to_leave_hears_of_staying_but_not_of_more() -> None:
    offers = offer("stay", "retention"), offer("cups")
    assert said(ask(*offers, context=Context(intent="cancel"))) == ["stay"]
    complaining = replace(ANN, open_issue="billing")
    assert said(ask(*offers, profile=complaining, context=Context(intent="cancel"))) == []


def met(days: float, outcome: str = "sent", offer_id: str = "", channel: str = "chat") -> Contact:
    return Contact(AT - timedelta(days=days), channel, outcome, offer_id)


@pytest.mark.parametrize(
    ("contacts", "direction", "channel", "reason"),
    [
        (
            [met(3, channel="email")],
            "outbound",
            "email",
            "contacted by email 1 times in 7 days; the limit is 1",
        ),
        ([met(8, channel="email")], "outbound", "email", ""),
        ([met(3, channel="email")], "inbound", "email", ""),
        ([met(3, channel="email")], "outbound", "sms", ""),
        ([met(-1, channel="email")], "outbound", "email", ""),
        ([met(1, "presented")] * 12, "inbound", "chat", "presented 12 times in 7 days; the limit is 12"),
        (
            [met(9, "rejected", "cups")],
            "inbound",
            "chat",
            "this offer rejected once: paused until 2026-03-03",
        ),
        ([met(31, "rejected", "cups")], "inbound", "chat", ""),
        (
            [met(i, "rejected", f"x{i}") for i in (2, 3, 4)],
            "inbound",
            "chat",
            "group 'g' rejected 3 times: paused until 2026-02-22",
        ),
        (
            [met(i, "rejected", f"y{i}") for i in range(1, 6)],
            "inbound",
            "chat",
            "all offers rejected 5 times: paused until 2026-02-16",
        ),
        ([met(2, "snoozed", "cups")], "inbound", "chat", "this offer snoozed once: paused until 2026-02-15"),
    ],
)
def test_enough_is_enough(contacts: list[Contact], direction: str, channel: str, reason: str) -> None:
    profile = replace(ANN, contacts=tuple(contacts), consent={channel: True})
    others = [offer(f"x{i}", group="g", available=False) for i in (2, 3, 4)]
    cups = offer("cups", group="g")
    decision = ask(cups, *others, profile=profile, context=Context(channel=channel, direction=direction))  # type: ignore[arg-type]
    assert fate(decision, "cups") == (("contact", reason) if reason else (None, ""))


def test_a_pause_counts_only_what_fell_into_its_window() -> None:
    policies = replace(NOBODY_HELD_OUT, suppressions=(Suppression("ignored", "offer", 2, 10, 30),), limits=())
    spread = replace(ANN, contacts=(met(20, "ignored", "cups"), met(5, "ignored", "cups")))
    dense = replace(ANN, contacts=(met(15, "ignored", "cups"), met(5, "ignored", "cups")))
    assert said(ask(offer("cups"), profile=spread, policies=policies)) == ["cups"]
    assert said(ask(offer("cups"), profile=dense, policies=policies)) == []


def test_an_offer_is_made_only_so_often_to_one_customer() -> None:
    cups = offer("cups", caps=(Cap(2, "presented", 30),))
    twice = replace(ANN, contacts=(met(3, "presented", "cups"), met(9, "presented", "cups")))
    assert fate(ask(cups, profile=twice), "cups") == ("contact", "presented 2 times in 30 days; the cap is 2")
    assert said(ask(cups, profile=replace(twice, contacts=twice.contacts[:1]))) == ["cups"]


# -- silence ----------------------------------------------------------------------------------------------


def test_a_log_without_offers_is_answered_with_what_is_missing() -> None:
    decision = Engine(Catalogue()).decide(ANN, Context(), AT, "d1")
    assert decision.silence == "no offers: the offers table is missing"
    assert decision.hints == ()
    told = Engine(Catalogue(note="no offers: the log does not say what was bought")).decide(
        ANN, Context(), AT, "d1"
    )
    assert told.silence == "no offers: the log does not say what was bought"


def test_nothing_known_is_nothing_said() -> None:
    decision = Engine(Catalogue([offer("cups")])).decide(ANN, Context(), AT, "d1")
    assert decision.silence == "no candidates: nothing is known that this customer might want"


def test_the_control_group_hears_nothing_but_what_it_would_have_heard_is_kept() -> None:
    held_out = Policies(control=ControlGroup(share=0.999999))
    decision = ask(offer("cups"), policies=held_out)
    assert decision.arm == "control"
    assert decision.silence.startswith("control group")
    assert decision.candidates[0].rank == 1
    assert fate(decision, "cups") == ("control", "held back: the customer is in the control group")


def test_an_offer_that_left_the_catalogue_is_named_and_not_said() -> None:
    decision = decide(
        ANN,
        [Candidate("old")],
        Catalogue([offer("cups")]),
        NOBODY_HELD_OUT,
        CALM,
        Context(),
        AT,
        decision_id="d",
    )
    assert fate(decision, "old") == ("availability", "not in the catalogue")
    assert decision.silence == "nothing is available: not in the catalogue"


# -- words and the engine ---------------------------------------------------------------------------------


def test_the_words_are_those_of_the_channel_and_the_language() -> None:
    cups = offer(
        "cups",
        treatments=(
            Treatment("chat", {"en": "New cups?", "zh-Hant": "新杯子?"}),
            Treatment("phone", {"en": "Cups."}),
        ),
    )
    assert ask(cups, context=Context(locale="zh-Hant")).hints[0].words == "新杯子?"
    assert ask(cups, context=Context(locale="en-GB")).hints[0].words == "New cups?"
    assert ask(cups, context=Context(channel="phone")).hints[0].words == "Cups."
    assert ask(cups, context=Context(locale="de")).hints[0].words == "Cups"


class OneList:
    """Proposes the same candidates to everybody."""

    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = list(candidates)

    def propose(
        self, profile: Profile, catalogue: Catalogue, context: Context, at: datetime, explain: bool = False
    ) -> list[Candidate]:
        return self.candidates


def test_the_engine_says_mandatory_messages_no_model_thought_of() -> None:
    recall = offer("recall", "service", mandatory=True, purpose="service")
    engine = Engine(
        Catalogue([offer("cups"), recall]),
        NOBODY_HELD_OUT,
        CALM,
        OneList(Candidate("cups", sources=("popular",), propensity=0.1)),
        model_version="clv-propensity/3",
        snapshot="2026-02-09",
    )
    decision = engine.decide(ANN, Context(agent_id="kim"), AT, "d1")
    assert said(decision) == ["recall", "cups"]
    assert (decision.model_version, decision.snapshot, decision.agent_id) == (
        "clv-propensity/3",
        "2026-02-09",
        "kim",
    )
    assert [hint.selection_probability for hint in decision.hints] == [1.0, 1.0]
    assert decision.hints[1].reasons == ("popular",)


def test_a_campaign_is_decided_customer_by_customer_like_a_conversation() -> None:
    engine = Engine(
        Catalogue([offer("cups")]), NOBODY_HELD_OUT, CALM, OneList(Candidate("cups", propensity=0.1))
    )
    called = replace(ANN, customer_id="bob", consent={"email.marketing": True})
    outbound = Context(channel="email", direction="outbound")
    decisions = list(engine.decide_all([ANN, called], outbound, AT, campaign="spring"))
    assert [said(decision) for decision in decisions] == [[], ["cups"]]
    assert decisions[1] == engine.decide(called, outbound, AT, "spring:bob")


def test_a_rule_about_the_kind_sees_what_an_item_is_to_this_customer() -> None:
    only_new = replace(NOBODY_HELD_OUT, rules=(PolicyRule("suitability", "offer.kind = 'cross_sell'"),))
    catalogue = Catalogue().with_items(["TEA", "CUPS"])
    candidates = [Candidate(f"item:{item}", item, propensity=0.2) for item in ("TEA", "CUPS")]
    decision = decide(ANN, candidates, catalogue, only_new, CALM, Context(), AT, decision_id="d")
    assert said(decision) == ["item:CUPS"]


def test_a_table_of_customers_and_one_customer_pass_the_same_engagement_rules() -> None:
    policies = replace(
        NOBODY_HELD_OUT,
        rules=(
            PolicyRule("eligibility", "customer.birth_year <= 2007 and context.channel = 'email'"),
            PolicyRule("suitability", "offer.price < customer.average_order_value", kind="upsell"),
            PolicyRule("suitability", "customer.known = false", kind="bundle"),
        ),
        fields={"customer.birth_year": "number"},
    )
    dear = offer("dear", "upsell", price=20.0, applicability=("customer.segments has 'champions'",))
    book = Rulebook(Catalogue([dear]), policies)
    rows = [
        {"birth_year": year, "average_order_value": spend, "segments": segments}
        for year in (1980, 2010, None)
        for spend in (10.0, 30.0, None)
        for segments in (["champions"], [])
    ]
    context = Context(channel="email")
    table = ibis.memtable(pa.Table.from_pylist(rows))
    fits = table.select(fits=book.fits("dear", table, context, AT)).to_pyarrow()["fits"].to_pylist()
    for row, fit in zip(rows, fits, strict=True):
        profile = replace(
            ANN,
            attributes={"birth_year": row["birth_year"]},
            value={"average_order_value": row["average_order_value"]},
            segments=tuple(row["segments"]),
        )
        assert bool(said(ask(dear, profile=profile, policies=policies, context=context))) == fit
    assert sum(fits) == 1
