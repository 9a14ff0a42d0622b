"""Who takes up a coupon or campaign offer once it is put before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clv.errors import TooLittleData
from recommend.baskets import Baskets, Floats, Ints, side_by_side
from recommend.calibration import ChannelCalibration, calibrate_channels
from recommend.evaluation import area_under_curve, calibration_error, log_loss, reliability
from recommend.exposures import Exposures, require
from recommend.features import Matrix
from recommend.habits import Habits
from recommend.knowledge import Knowledge
from recommend.propensity import Trees, grow

if TYPE_CHECKING:
    import pandas as pd

RESPONSE_FEATURES = (
    "baskets",
    "basket_size",
    "days_since_last_basket",
    "distinct_items",
    "past_offer_days",
    "past_accepts",
    "past_accept_rate",
    "offer_items",
    "offer_order_share",
    "offer_accept_rate",
    "group_accept_rate",
    "own_items_in_offer",
    "times_bought_in_offer",
    "decayed_in_offer",
    "faded_in_offer",
    "recent_in_offer",
    "taste_for_offer",
    "share_of_own_decayed",
)
SETTINGS: dict[str, object] = {"num_leaves": 15, "min_data_in_leaf": 100, "learning_rate": 0.04}
_JUDGE_SHARE, _CALIBRATE_SHARE, _STOP_SHARE = 0.25, 0.25, 0.04
_RATE_EVIDENCE = 200.0


@dataclass(frozen=True, slots=True)
class OfferBook:
    """Offers as arrays: which items each is about, and its group.

    Parameters
    ----------
    ids
        Offer ids.
    entry_offers, entry_items
        Shape (entries): offer and item of each membership, by offer.
    groups
        Shape (offers): index of the offer's group.
    group_names
        Their names.
    """

    ids: tuple[str, ...]
    entry_offers: Ints
    entry_items: Ints
    groups: Ints
    group_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        items: Sequence[Sequence[str]],
        groups: Sequence[str],
        item_index: dict[str, int],
        group_names: Sequence[str] | None = None,
    ) -> OfferBook:
        """Index offers; items outside the vocabulary are passed over, unknown groups get the index -1."""
        members = [sorted({item_index[i] for i in held if i in item_index}) for held in items]
        names = tuple(sorted(set(groups))) if group_names is None else tuple(group_names)
        place = {name: i for i, name in enumerate(names)}
        return cls(
            ids=tuple(ids),
            entry_offers=np.repeat(np.arange(len(ids)), [len(m) for m in members]).astype(np.int64),
            entry_items=np.array([i for m in members for i in m], dtype=np.int64),
            groups=np.array([place.get(g, -1) for g in groups], dtype=np.int64),
            group_names=names,
        )

    @classmethod
    def from_table(cls, offers: pd.DataFrame, item_index: dict[str, int]) -> OfferBook:
        """Index a table of ``offer_id``, ``items`` and optionally ``group``."""
        require(offers, ("offer_id", "items"), "offers")
        groups = offers["group"].fillna("").astype(str).tolist() if "group" in offers else [""] * len(offers)
        items = [tuple(map(str, held)) if held is not None else () for held in offers["items"]]
        return cls.of(offers["offer_id"].astype(str).tolist(), items, groups, item_index)

    @property
    def sizes(self) -> Ints:
        """How many known items each offer is about."""
        return np.bincount(self.entry_offers, minlength=len(self.ids))

    def best(self, per_item: Floats) -> tuple[Floats, Ints]:
        """Return the highest value among the items of each offer, and whose it is, the first of equals.

        Parameters
        ----------
        per_item
            Shape (rows, items): a value each, below 0 for an item that has none.

        Returns
        -------
        tuple
            Two tables of shape (rows, offers): the value, and the item; -1 each where no item has one.
        """
        highest = np.full((len(per_item), len(self.ids)), -1.0)
        whose = np.full(highest.shape, -1, dtype=np.int64)
        sizes = self.sizes
        some = np.flatnonzero(sizes > 0)
        if len(some):
            begins = np.concatenate(([0], np.cumsum(sizes[some])[:-1])).astype(np.int64)
            values = per_item[:, self.entry_items]
            top = np.maximum.reduceat(values, begins, axis=1)
            is_top = values == np.repeat(top, sizes[some], axis=1)
            first = np.minimum.reduceat(np.where(is_top, self.entry_items, per_item.shape[1]), begins, axis=1)
            highest[:, some] = np.where(top >= 0, top, -1.0)
            whose[:, some] = np.where(top >= 0, first, -1)
        return highest, whose

    def totals(self, per_item: Floats) -> Floats:
        """Add up a table of shape (rows, items) over the items of each offer: shape (rows, offers)."""
        out = np.zeros((len(per_item), len(self.ids)))
        sizes = self.sizes
        some = np.flatnonzero(sizes > 0)
        if len(some):
            begins = np.concatenate(([0], np.cumsum(sizes[some])[:-1])).astype(np.int64)
            out[:, some] = np.add.reduceat(per_item[:, self.entry_items], begins, axis=1)
        return out


@dataclass(frozen=True, slots=True)
class Record:
    """How offers fared up to a moment: smoothed acceptance per offer and per group."""

    offers: Floats
    groups: Floats
    overall: float

    @classmethod
    def of(cls, book: OfferBook, offer: Ints, accepted: Floats, *, prior: float = 0.05) -> Record:
        """Count past presentations; little evidence leans on the group, a new group on all offers."""
        overall = (accepted.sum() + prior * 20) / (len(offer) + 20)
        group = book.groups[offer]
        n = np.bincount(group, minlength=len(book.group_names))
        a = np.bincount(group, weights=accepted, minlength=len(book.group_names))
        groups = (a + _RATE_EVIDENCE * overall) / (n + _RATE_EVIDENCE)
        n = np.bincount(offer, minlength=len(book.ids))
        a = np.bincount(offer, weights=accepted, minlength=len(book.ids))
        lean = groups[book.groups] if len(book.group_names) else np.full(len(book.ids), overall)
        return cls((a + _RATE_EVIDENCE * lean) / (n + _RATE_EVIDENCE), groups, float(overall))


def describe_response(
    baskets: Baskets,
    moments: Ints,
    knowledge: Knowledge,
    book: OfferBook,
    record: Record,
    past_days: Floats,
    past_accepts: Floats,
    customers: Ints,
    offers: Ints,
) -> Matrix:
    """Return one row of ``RESPONSE_FEATURES`` per (customer, offer).

    Parameters
    ----------
    baskets, moments
        What is visible of the customers, and the day of the question.
    past_days, past_accepts
        Shape (customers): days on which an offer was put before them or answered in the year before, and how
        many they took up.
    customers, offers
        Shape (pairs).
    """
    n_rows, n_items = baskets.n_customers, knowledge.n_items
    habits = Habits.of(baskets, moments, n_items)
    cell = habits.customers * n_items + habits.items

    def totals(values: Floats) -> Floats:
        flat = np.zeros(n_rows * n_items)
        flat[cell] = values
        return book.totals(flat.reshape(n_rows, n_items))[customers, offers]

    count = habits.counts.astype(np.float64)
    length = np.sqrt(np.maximum(np.bincount(habits.customers, weights=count**2, minlength=n_rows), 1e-9))
    taste = knowledge.tastes.scores(habits.customers, habits.items, count / length[habits.customers], n_rows)
    n = baskets.n_baskets.astype(np.float64)
    lines = np.bincount(baskets.basket_customers(), weights=baskets.sizes, minlength=n_rows)
    since = np.where(n > 0, moments - baskets.last_days(), np.nan)
    decayed = habits.decayed[:, 0]
    own = np.bincount(habits.customers, weights=decayed, minlength=n_rows)
    in_offer = totals(decayed)
    return side_by_side(
        (
            n[customers],
            (lines / np.maximum(n, 1))[customers],
            since[customers],
            np.bincount(habits.customers, minlength=n_rows)[customers],
            past_days[customers],
            past_accepts[customers],
            ((past_accepts + record.overall) / (past_days + 1))[customers],
            book.sizes[offers],
            book.totals(knowledge.items.order_share[None, :])[0][offers],
            record.offers[offers],
            _group_rates(book, record)[offers],
            totals(np.ones(len(count))),
            totals(count),
            in_offer,
            totals(habits.faded[:, 1]),
            totals(habits.recent[:, 2]),
            book.totals(taste)[customers, offers],
            in_offer / np.maximum(own, 1e-9)[customers],
        )
    ).astype(np.float32)


def _group_rates(book: OfferBook, record: Record) -> Floats:
    known = np.concatenate((record.groups, [record.overall]))
    return known[book.groups]


@dataclass(frozen=True, slots=True)
class ResponseModel:
    """Trees and calibration for offers put before a customer, and how offers fared so far."""

    trees: Trees
    calibration: ChannelCalibration
    record: Record
    book: OfferBook
    evidence: Ints

    def probability(self, rows: Matrix, channel: str = "") -> tuple[Floats, Floats]:
        """Return raw and calibrated probability of each row, presented in a channel."""
        raw = self.trees.probability(rows)
        return raw, self.calibration(raw, channel)


def fit_response(
    baskets: Baskets,
    knowledge: Knowledge,
    book: OfferBook,
    exposures: Exposures,
    *,
    negatives: float = 0.2,
    random_state: int = 0,
    num_threads: int = 1,
) -> tuple[ResponseModel, dict[str, object]]:
    """Learn from exposures in order of time and judge on the latest.

    Raises
    ------
    TooLittleData
        If there are not enough acceptances for four slices in time.
    """
    cuts = _cuts(exposures)
    rng = np.random.default_rng(random_state)
    day = exposures.days
    masks = [day < cuts[0], *((day >= a) & (day < b) for a, b in zip(cuts, [*cuts[1:], 10**9], strict=True))]
    masks[0] &= (exposures.accepted > 0) | (rng.random(len(day)) < negatives)
    rows = [_rows(baskets, knowledge, book, exposures, np.flatnonzero(mask)) for mask in masks]
    happened = [exposures.accepted[mask] for mask in masks]
    trees = grow(
        rows[0],
        happened[0],
        rows[1],
        happened[1],
        RESPONSE_FEATURES,
        weights=np.where(happened[0] > 0, 1.0, 1.0 / negatives),
        random_state=random_state,
        num_threads=num_threads,
        settings=SETTINGS,
    )
    calibration = calibrate_channels(
        trees.probability(rows[2]), happened[2], exposures.channels[masks[2]].tolist()
    )
    promised = _promised(calibration, trees.probability(rows[3]), exposures.channels[masks[3]])
    record = Record.of(book, exposures.offers, exposures.accepted)
    evidence = np.bincount(exposures.offers, minlength=len(book.ids))
    judged: dict[str, object] = {
        "rows": len(promised),
        "positives": int(happened[3].sum()),
        "training_positives": int(happened[0].sum()),
        "calibration_error": calibration_error(promised, happened[3]),
        "calibration_method": calibration.pooled.method,
        "calibrated_channels": sorted(calibration.by_channel),
        "auc": area_under_curve(promised, happened[3]),
        "log_loss": log_loss(promised, happened[3]),
        "base_log_loss": log_loss(np.full(len(promised), float(happened[2].mean())), happened[3]),
        "reliability": reliability(promised, happened[3]),
    }
    return ResponseModel(trees, calibration, record, book, evidence), judged


def _promised(calibration: ChannelCalibration, raw: Floats, channels: NDArray[np.str_]) -> Floats:
    out = np.empty(len(raw))
    for channel in np.unique(channels).tolist():
        mask = channels == channel
        out[mask] = calibration(raw[mask], channel)
    return out


def _cuts(exposures: Exposures) -> list[int]:
    """Return the first days of the stopping, calibrating and judging slices, by shares of acceptances."""
    days, place = np.unique(exposures.days, return_inverse=True)
    positives = np.bincount(place, weights=exposures.accepted)
    total = positives.sum()
    cuts: list[int] = []
    end = len(days)
    for share in (_JUDGE_SHARE, _CALIBRATE_SHARE, _STOP_SHARE):
        tail = np.cumsum(positives[:end][::-1])
        reached = np.flatnonzero(tail >= max(share * total, 5))
        if not len(reached):
            break
        end -= int(reached[0]) + 1
        cuts.insert(0, int(days[end]))
    if len(cuts) < 3 or positives[:end].sum() < 20:
        raise TooLittleData(
            f"{int(total)} accepted offers are too few to learn from.",
            hint="Offers are then proposed by their items and their starting propensity.",
        )
    return cuts


def _rows(
    baskets: Baskets, knowledge: Knowledge, book: OfferBook, exposures: Exposures, chosen: Ints
) -> Matrix:
    """Describe exposures as they stood the day before each was made."""
    out = np.empty((len(chosen), len(RESPONSE_FEATURES)), dtype=np.float32)
    days = exposures.days[chosen]
    for day in np.unique(days):
        here = np.flatnonzero(days == day)
        who, customers = np.unique(exposures.customers[chosen[here]], return_inverse=True)
        past = exposures.until(int(day))
        record = Record.of(book, past.offers, past.accepted)
        past_days, past_accepts = exposures.touches.record(int(day), baskets.n_customers)
        out[here] = describe_response(
            baskets.take(who).until(int(day) - 1),
            np.full(len(who), day, dtype=np.int64),
            knowledge,
            book,
            record,
            past_days[who],
            past_accepts[who],
            customers,
            exposures.offers[chosen[here]],
        )
    return out


def save_response(model: ResponseModel, path: Path, arrays: dict[str, Floats | Ints]) -> dict[str, object]:
    """Write the trees, add the arrays to ``arrays`` and return the rest as plain values."""
    model.trees.save(path)
    book = asdict(model.book)
    arrays |= {f"book.{k}": v for k, v in book.items() if isinstance(v, np.ndarray)}
    arrays |= {"record.offers": model.record.offers, "record.groups": model.record.groups}
    arrays["evidence"] = model.evidence
    return {
        "ids": list(model.book.ids),
        "group_names": list(model.book.group_names),
        "overall": model.record.overall,
        "calibration": model.calibration.as_json(),
    }


def load_response(head: dict[str, Any], path: Path, arrays: dict[str, Any]) -> ResponseModel:
    """Read what :func:`save_response` wrote."""
    ids, names = head["ids"], head["group_names"]
    return ResponseModel(
        trees=Trees.load(path),
        calibration=ChannelCalibration.from_json(head["calibration"]),
        record=Record(arrays["record.offers"], arrays["record.groups"], float(head["overall"])),
        book=OfferBook(
            tuple(ids),
            arrays["book.entry_offers"],
            arrays["book.entry_items"],
            arrays["book.groups"],
            tuple(names),
        ),
        evidence=arrays["evidence"],
    )
