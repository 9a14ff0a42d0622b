"""What could be put before a customer now, each with the probability that it is taken up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clv.errors import NotFitted, TooLittleData, UnknownFormat
from recommend.baskets import NOWHERE, Baskets, Floats, Ints
from recommend.calibration import Calibration
from recommend.catalogue import ITEM_PREFIX, Catalogue
from recommend.context import Context
from recommend.exposures import contact_record, days_of, from_tables, require
from recommend.itemmodel import ItemModel, Plan, fit_items, snapshots_for
from recommend.items import Shelving
from recommend.knowledge import Knowledge
from recommend.profile import Profile
from recommend.propensity import Trees
from recommend.proposed import Proposed
from recommend.proposing import Question, likeliest_first, put_forward
from recommend.response import (
    OfferBook,
    ResponseModel,
    fit_response,
    load_response,
    save_response,
)
from recommend.shelf import Shelf

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 2
PLACE = "store_id"
MOST_ITEMS = 20_000


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
            ``item`` and optionally ``kind`` (items of one kind can stand in for each other), ``price`` and
            ``margin``.

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
            Plan.of(int(day.min()), last, horizon_days, snapshots_for(len(ids), len(self.vocabulary))),
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
    ) -> Proposed:
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
        return likeliest_first(self.propose_all([profile], catalogue, context, at, explain=explain)[0])

    def propose_all(
        self,
        profiles: Sequence[Profile],
        catalogue: Catalogue,
        context: Context,
        at: datetime,
        explain: bool = False,
    ) -> list[Proposed]:
        """Return the candidates of each customer, by offer: the numbers of :meth:`propose`, many at once.

        Parameters
        ----------
        profiles
            The customers; a few hundred at once keep the memory small.
        catalogue, context, at, explain
            As for one customer.
        """
        model, shelf = self._fitted(), self.shelf_of(catalogue)
        baskets = Baskets.join(
            [Baskets.from_history(one.history, self._index, self._place_index) for one in profiles]
        )
        moments = np.maximum((at.date() - date(1970, 1, 1)).days, baskets.last_days())
        question = Question(
            baskets,
            moments,
            self._where(baskets, context),
            self._past(profiles, moments),
            context.channel,
            frozenset(self._index[name] for name in context.mentions if name in self._index),
            explain,
        )
        return put_forward(model, self._response, shelf, question)

    def complete(self, catalogue: Catalogue) -> Catalogue:
        """Return a catalogue with an offer for every item the model knows."""
        missing = [item for item in self.vocabulary if f"{ITEM_PREFIX}{item}" not in catalogue.by_id]
        return catalogue.with_items(missing) if missing else catalogue

    def same_for_all(self, context: Context, other: Context) -> bool:
        """Return whether two contexts put the same candidates before everybody."""
        return self._asked_as(context) == self._asked_as(other)

    def _asked_as(self, context: Context) -> tuple[object, ...]:
        """Return all of a context that candidates depend on."""
        answered = self._response.calibration.by_channel if self._response else {}
        return (
            frozenset(name for name in context.mentions if name in self._index),
            context.attributes.get(PLACE),
            context.channel if context.channel in answered else None,
        )

    def _past(self, profiles: Sequence[Profile], moments: Ints) -> tuple[Floats, Floats]:
        """Return each customer's record with offers; nothing where no model reads it."""
        if self._response is None:
            return np.zeros(0), np.zeros(0)
        records = [contact_record(one, day) for one, day in zip(profiles, moments.tolist(), strict=True)]
        days, accepts = zip(*records, strict=True)
        return np.concatenate(days), np.concatenate(accepts)

    def _where(self, baskets: Baskets, context: Context) -> Ints:
        """Return the place of the moment, for each customer."""
        if PLACE in context.attributes:
            here = self._place_index.get(str(context.attributes[PLACE]), NOWHERE)
            return np.full(baskets.n_customers, here, dtype=np.int64)
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
            If it was written in another format.
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

    def shelf_of(self, catalogue: Catalogue) -> Shelf:
        """Index a catalogue once; the same object is recognised on later calls."""
        bound = self._bound
        if bound is None or bound[0] is not catalogue:
            bound = (catalogue, self._shelve(catalogue))
            self._bound = bound
        return bound[1]

    def _shelve(self, catalogue: Catalogue) -> Shelf:
        items = self._fitted().knowledge.items
        return Shelf(catalogue, self.vocabulary, self._index, self._response, items.rank, items.buyers)
