"""Fit the models as of a day, each into a sealed folder of its own.

The value model needs who bought when for how much. The propensity model needs what was bought as well; where
that is missing, the answer is an :class:`Absent` that says so, not an error.
"""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from clv.backtest import backtest
from clv.circumstances import Circumstances
from clv.columns import CUSTOMER_ID
from clv.errors import TooLittleData
from clv.fitting import DropoutNotIdentified, LittleEvidence
from clv.valuation import ValueConfig, ValueModel
from pipelines.circumstances import circumstances_of
from pipelines.ledger import Ledger
from pipelines.orders import fingerprint_of, order_log, summary_of
from pipelines.progress import Progress, silent
from pipelines.responses import responses_of
from pipelines.trained import PROPENSITY, VALUE, Absent, Trained, absent, seal
from recommend.candidates import Proposer

_REMARKS: Final = (DropoutNotIdentified, LittleEvidence)


def train_value(
    ledger: Ledger,
    as_of: date,
    folder: Path,
    *,
    config: ValueConfig | None = None,
    choose: bool = True,
    progress: Progress = silent,
) -> Trained:
    """Fit the lifetime-value model on every order up to a day.

    Parameters
    ----------
    ledger
        Where the purchases lie.
    as_of
        The last visible day.
    folder
        Where the bundle goes; what is there is replaced once the new one is whole.
    config
        Horizon, discount and margin; and, unless it is to be chosen, the purchase model and method.
    choose
        Whether a back-test on earlier days chooses purchase model and method; a log too short for one gets
        those of ``config``.
    progress
        Told what is being done.

    Raises
    ------
    TooLittleData
        If there is no purchase up to that day.
    """
    progress("value: orders", 0, None)
    orders = order_log(ledger, as_of)
    circumstances = circumstances_of(ledger)
    facts: dict[str, str] = {}
    config = config or ValueConfig()
    if choose:
        progress("value: choose", 0, 1)
        config, facts["chosen"] = _choose(orders, as_of, config, circumstances)
        progress("value: choose", 1, 1)
    progress("value: fit", 0, 1)
    summary = summary_of(orders, as_of)
    model, notes = fit_value(orders, summary, as_of, config, circumstances)
    facts |= {
        "purchase model": model.config.kind,
        "method": model.config.method,
        "customers": str(len(summary)),
    }
    if notes:
        facts["note"] = " ".join(notes)
    fingerprint = fingerprint_of(orders)
    if circumstances is not None and model.stack is not None and model.stack.circumstances:
        facts["knows beyond orders"] = ", ".join(model.stack.circumstances)
        known = circumstances(as_of)
        fingerprint = fingerprint_of(pd.DataFrame({"part": [fingerprint, fingerprint_of(known)]}))
    bundle = seal(folder, model.save, kind=VALUE, as_of=as_of, fingerprint=fingerprint, facts=facts)
    progress("value: fit", 1, 1)
    return Trained(folder, bundle, customers=len(summary), rows=len(orders))


def _choose(
    orders: pd.DataFrame, as_of: date, config: ValueConfig, circumstances: Circumstances | None
) -> tuple[ValueConfig, str]:
    """Return the configuration a back-test prefers and its reason."""
    try:
        report = backtest(
            orders,
            as_of=as_of,
            horizon_days=round(config.horizon_days),
            config=config,
            circumstances=circumstances,
        )
    except TooLittleData as error:
        return config, f"{config.kind}, not by a back-test: {error.what}"
    return report.config, report.reason


def fit_value(
    orders: pd.DataFrame,
    summary: pd.DataFrame,
    as_of: date,
    config: ValueConfig | None,
    circumstances: Circumstances | None = None,
) -> tuple[ValueModel, tuple[str, ...]]:
    """Fit a value model, and return what it remarked on the data beside it instead of warning.

    Parameters
    ----------
    orders
        The purchase log; what is later than ``as_of`` is not looked at.
    summary
        One row a customer, as of ``as_of``.
    as_of
        The day the summary was made for.
    config
        Purchase model, discount and margin; the usual ones if None.
    circumstances
        What is known of customers beyond their orders, for the trees.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = ValueModel.fit(
            summary, as_of=as_of, config=config, purchases=orders, circumstances=circumstances
        )
    for other in told:
        if not issubclass(other.category, _REMARKS):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    remarks = [str(one.message) for one in told if issubclass(one.category, _REMARKS)]
    return model, tuple(dict.fromkeys(remarks))


def train_propensity(
    ledger: Ledger,
    as_of: date,
    folder: Path,
    *,
    horizon_days: int = 14,
    random_state: int = 0,
    threads: int = 1,
    progress: Progress = silent,
) -> Trained | Absent:
    """Fit the propensity model on basket lines, offers and their outcomes up to a day.

    It learns from several earlier days, stops on a later one, is calibrated on a later one still and judged
    on the last; see ``recommend.candidates``.

    Parameters
    ----------
    ledger
        Where the purchases, products, offers, interactions and outcomes lie.
    as_of
        The last visible day.
    folder
        Where the bundle goes; what is there is replaced once the new one is whole, and removed if there is
        to be none.
    horizon_days
        Days within which a proposed item must be bought.
    random_state
        Seed of everything random.
    threads
        Threads for the trees.
    progress
        Told what is being done.

    Returns
    -------
    Trained or Absent
        Absent when nothing is known about what was bought, or the log is too short.
    """
    progress("propensity: baskets", 0, None)
    known = responses_of(ledger, as_of)
    if known.lines.empty:
        return absent(
            PROPENSITY,
            folder,
            "the purchase log does not say what was bought",
            "Add a product_id column (or sku, article, item ...) to the purchases.",
        )
    progress("propensity: fit", 0, 1)
    try:
        proposer = Proposer().fit(
            known.lines,
            known.offers,
            known.exposures,
            known.outcomes,
            as_of=as_of,
            horizon_days=horizon_days,
            random_state=random_state,
            num_threads=threads,
            products=known.products,
        )
    except TooLittleData as error:
        return absent(PROPENSITY, folder, error.what, error.hint)
    facts = {"horizon in days": str(horizon_days), "items": str(len(proposer.vocabulary))}
    bundle = seal(
        folder, proposer.save, kind=PROPENSITY, as_of=as_of, fingerprint=known.fingerprint, facts=facts
    )
    progress("propensity: fit", 1, 1)
    return Trained(folder, bundle, customers=int(known.lines[CUSTOMER_ID].nunique()), rows=len(known.lines))
