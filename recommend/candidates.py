"""What could be put before a customer now, each with the probability that it is taken up."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clv.errors import NotFitted, TooLittleData, UnknownFormat
from recommend.baskets import NOWHERE, Baskets, Floats, Ints
from recommend.calibration import Calibration
from recommend.campaigns import campaigns, item_evidence
from recommend.candidate import Candidate
from recommend.catalogue import Catalogue
from recommend.context import Context
from recommend.exposures import days_of, from_tables, require
from recommend.features import FEATURES, describe, early
from recommend.habits import Habits
from recommend.itemmodel import ItemModel, Plan, fit_items
from recommend.items import Shelving
from recommend.knowledge import Knowledge
from recommend.profile import Profile
from recommend.propensity import Trees
from recommend.response import (
    OfferBook,
    ResponseModel,
    fit_response,
    load_response,
    save_response,
)
from recommend.shelf import Shelf
from recommend.sources import SOURCES, companions, propose_items

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 2
PLACE = "store_id"
MOST_ITEMS = 20_000
MOST_ITEMS_PROPOSED = 100
_PUT_CODES = 1 << np.arange(len(SOURCES))


class Proposer:
    """Puts candidates forward for a customer, learnt from order lines and, where there are any, past offers.

    Parameters
    ----------
    most_customers
        At most this many customers, drawn at random, are described per slice in training.

    Attributes
    ----------
    evaluation_
        How the model did on its last slice, next to frequency; under ``offers`` the same for past offers.
    """

    def __init__(self, *, most_customers: int = 20_000) -> None:
        self.most_customers = most_customers
        self.evaluation_: dict[str, object] = {}
        self.vocabulary: tuple[str, ...] = ()
        self._index: dict[str, int] = {}
        self._place_index: dict[str, int] = {}
        self._items: ItemModel | None = None
        self._response: ResponseModel | None = None
        self._as_of = 0
        self._bound: tuple[Catalogue, Shelf] | None = None

    def fit(
        self,
        lines: pd.DataFrame,
        offers: pd.DataFrame | None = None,
        exposures: pd.DataFrame | None = None,
        outcomes: pd.DataFrame | None = None,
        *,
        as_of: date,
        horizon_days: int = 28,
        random_state: int = 0,
        num_threads: int = 1,
        products: pd.DataFrame | None = None,
    ) -> Proposer:
        """Learn from everything up to the as-of day, and nothing after it.

        Parameters
        ----------
        lines
            ``customer_id``, ``item``, ``order_day``: one row per item bought on a day; optionally
            ``store_id``, where (a day in several stores counts for the last by name).
        offers
            ``offer_id``, ``items`` (a sequence per offer) and optionally ``group``.
        exposures
            ``customer_id``, ``offer_id``, ``at`` and optionally ``channel``: offers put before customers.
        outcomes
            ``customer_id``, ``offer_id``, ``outcome``, ``at``; accepted, purchased or redeemed counts.
        as_of
            The last visible day.
        horizon_days
            The period an item's probability speaks of.
        random_state
            Seed of every draw.
        num_threads
            Threads for the trees.
        products
            ``item`` and optionally ``kind`` (items of one kind can stand in for each other) and ``price``.

        Raises
        ------
        MissingColumn
            If a table lacks a column it needs.
        TooLittleData
            If the history is shorter than five horizons.
        """
        require(lines, ("customer_id", "item", "order_day"), "lines")
        last = (as_of - date(1970, 1, 1)).days
        day = days_of(lines["order_day"])
        lines, day = lines.loc[day <= last], day[day <= last]
        if lines.empty:
            raise TooLittleData("There is no order line up to the as-of day.", hint="Check as_of.")
        self._set_vocabulary(lines["item"].value_counts(sort=False))
        codes, ids = lines["customer_id"].astype(str).factorize(sort=True)
        customers = np.array(codes.tolist(), dtype=np.int64)
        item = np.array([self._index.get(name, -1) for name in lines["item"].astype(str)], dtype=np.int64)
        baskets = Baskets.from_lines(customers, item, day, len(ids), places=self._set_places(lines))
        self._items, self.evaluation_ = fit_items(
            baskets,
            Shelving.of(self.vocabulary, products),
            Plan.of(int(day.min()), last, horizon_days),
            as_of=last,
            horizon_days=horizon_days,
            most_customers=self.most_customers,
            random_state=random_state,
            num_threads=num_threads,
        )
        self.evaluation_["as_of"] = as_of.isoformat()
        self._as_of, self._response, self._bound = last, None, None
        if offers is not None and exposures is not None and outcomes is not None:
            index = {name: i for i, name in enumerate(ids)}
            self._fit_response(baskets, index, offers, exposures, outcomes, last, random_state, num_threads)
        return self

    def _set_vocabulary(self, counts: pd.Series) -> None:
        """Give items numbers by popularity, ties by name."""
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
        self.vocabulary = tuple(str(name) for name, _ in ordered[:MOST_ITEMS])
        self._index = {name: i for i, name in enumerate(self.vocabulary)}

    def _set_places(self, lines: pd.DataFrame) -> Ints | None:
        """Give places numbers in the order of their names; return the number of each line's."""
        self._place_index = {}
        if PLACE not in lines or not lines[PLACE].notna().any():
            return None
        codes, names = lines[PLACE].astype("string").factorize(sort=True)
        self._place_index = {str(name): number for number, name in enumerate(names)}
        return np.asarray(codes, dtype=np.int64)

    def _fit_response(
        self,
        baskets: Baskets,
        customer_index: dict[str, int],
        offers: pd.DataFrame,
        exposures: pd.DataFrame,
        outcomes: pd.DataFrame,
        last: int,
        random_state: int,
        num_threads: int,
    ) -> None:
        book = OfferBook.from_table(offers, self._index)
        seen = from_tables(exposures, outcomes, customer_index, book.ids, last)
        items = self._fitted()
        try:
            self._response, judged = fit_response(
                baskets, items.knowledge, book, seen, random_state=random_state, num_threads=num_threads
            )
            self.evaluation_["offers"] = judged
        except TooLittleData as error:
            self.evaluation_["offers"] = {"skipped": str(error)}

    def propose(
        self, profile: Profile, catalogue: Catalogue, context: Context, at: datetime, explain: bool = False
    ) -> list[Candidate]:
        """Return candidates for one customer, most probable first, ties by popularity and then by name.

        Parameters
        ----------
        profile
            The customer; only the history and the contacts are read.
        catalogue
            What may be offered; an item without an offer in it is not proposed.
        context
            The moment; its attribute ``store_id`` says where it is, else the customer is taken to be where
            the last order was.
        at
            When the question is asked, UTC.
        explain
            Whether to add what each feature contributed to the log-odds.
        """
        model = self._fitted()
        bound = self._bind(catalogue)
        baskets = Baskets.from_history(profile.history, self._index, self._place_index)
        day = (at.date() - date(1970, 1, 1)).days
        moment = np.array([max(day, int(baskets.last_days()[0]))], dtype=np.int64)
        items, ripe = self._propose_items(model, bound, baskets, moment, context, explain)
        found = [candidate for candidate, now in zip(items, ripe, strict=True) if now]
        found += campaigns(
            bound, model.knowledge, self._response, baskets, moment, profile, context, items, explain=explain
        )
        return sorted(found, key=lambda c: (-c.propensity, c.popularity_rank, c.offer_id))

    def _propose_items(
        self,
        model: ItemModel,
        bound: Shelf,
        baskets: Baskets,
        moment: Ints,
        context: Context,
        explain: bool,
    ) -> tuple[list[Candidate], list[bool]]:
        """Describe the best items, and say of each whether the time has come to put it forward by itself.

        An item bought only lately, by its usual gap, speaks for offers about it but is not asked about again
        unless the customer mentions it.
        """
        mentioned = {self._index[name] for name in context.mentions if name in self._index}
        named = companions(model.knowledge, mentioned) if mentioned else None
        at = self._where(baskets, context)
        habits = Habits.of(baskets, moment, len(self.vocabulary), at)
        pairs = propose_items(baskets, habits, moment, model.knowledge, own=90, others=10, named=named)
        rows = describe(baskets, habits, moment, model.knowledge, pairs, at)
        cold = not len(baskets.days)
        raw, promised = model.probability(rows)
        if cold:
            raw = promised = model.cold_probability()[pairs.items]
        order = np.lexsort((pairs.items, -promised))
        sellable = bound.has_offer[pairs.items[order]]
        best = order[sellable][:MOST_ITEMS_PROPOSED]
        if mentioned:
            best = np.union1d(best, order[sellable & np.isin(pairs.items[order], sorted(mentioned))])
        parts = model.trees.contributions(rows[best]) if explain and not cold else None
        codes = pairs.put[best] @ _PUT_CODES
        values, chosen = rows[best].tolist(), pairs.items[best]
        found = []
        for place, (item, code, chance, raw_chance, rank, evidence) in enumerate(
            zip(
                chosen.tolist(),
                codes.tolist(),
                promised[best].tolist(),
                raw[best].tolist(),
                model.knowledge.items.rank[chosen].tolist(),
                item_evidence(model.knowledge.items.buyers[chosen]).tolist(),
                strict=True,
            )
        ):
            added = {} if parts is None else dict(zip(FEATURES, parts[place].tolist(), strict=False))
            found.append(
                Candidate(
                    offer_id=bound.item_offers[item] or "",
                    item=self.vocabulary[item],
                    sources=_sources(code, item in mentioned),
                    propensity=chance,
                    propensity_raw=raw_chance,
                    features=dict(zip(FEATURES, values[place], strict=True)),
                    contributions=added,
                    popularity_rank=rank,
                    evidence=evidence,
                )
            )
        ripe = ~early(rows[best], model.horizon_days) | np.isin(chosen, sorted(mentioned))
        return found, ripe.tolist()

    def _where(self, baskets: Baskets, context: Context) -> Ints:
        """Return the place of the moment."""
        if PLACE in context.attributes:
            return np.array([self._place_index.get(str(context.attributes[PLACE]), NOWHERE)], dtype=np.int64)
        return baskets.last_places()

    def save(self, folder: Path) -> None:
        """Write the model as JSON, LightGBM text and plain arrays."""
        model = self._fitted()
        folder.mkdir(parents=True, exist_ok=True)
        head: dict[str, object] = {
            "format": FORMAT,
            "as_of_day": self._as_of,
            "most_customers": self.most_customers,
            "horizon_days": model.horizon_days,
            "vocabulary": list(self.vocabulary),
            "places": list(self._place_index),
            "calibration": model.calibration.as_json(),
            "evaluation": self.evaluation_,
        }
        arrays: dict[str, Floats | Ints] = dict(model.knowledge.arrays())
        model.trees.save(folder / "items.txt")
        if self._response is not None:
            head["offers"] = save_response(self._response, folder / "offers.txt", arrays)
        np.savez_compressed(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        (folder / "proposer.json").write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Proposer:
        """Read what :meth:`save` wrote; no code is run.

        Raises
        ------
        UnknownFormat
            If it was written by a newer format.
        """
        head = json.loads((folder / "proposer.json").read_text(encoding="utf-8"))
        if head["format"] != FORMAT:
            raise UnknownFormat(
                f"Format {head['format']} is not {FORMAT}.", where=str(folder), hint="Train it again."
            )
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        self = cls(most_customers=head["most_customers"])
        self.vocabulary = tuple(head["vocabulary"])
        self._index = {name: i for i, name in enumerate(self.vocabulary)}
        self._place_index = {name: i for i, name in enumerate(head["places"])}
        self.evaluation_, self._as_of = head["evaluation"], head["as_of_day"]
        self._items = ItemModel(
            trees=Trees.load(folder / "items.txt"),
            calibration=Calibration.from_json(head["calibration"]),
            knowledge=Knowledge.from_arrays(arrays),
            horizon_days=head["horizon_days"],
        )
        if "offers" in head:
            self._response = load_response(head["offers"], folder / "offers.txt", arrays)
        return self

    def _fitted(self) -> ItemModel:
        if self._items is None:
            raise NotFitted("The proposer has learnt nothing yet.", hint="Call fit or load.")
        return self._items

    def _bind(self, catalogue: Catalogue) -> Shelf:
        """Index a catalogue once; the same object is recognised on later calls."""
        bound = self._bound
        if bound is None or bound[0] is not catalogue:
            bound = (catalogue, Shelf(catalogue, self.vocabulary, self._index, self._response))
            self._bound = bound
        return bound[1]


@lru_cache(maxsize=4096)
def _sources(code: int, mentioned: bool) -> tuple[str, ...]:
    """Name who put an item forward; what nobody did is a companion of a mentioned item."""
    names = tuple(name for place, name in enumerate(SOURCES) if code >> place & 1)
    if mentioned:
        return ("mention", *names)
    return names or ("co_purchase",)
