"""Which purchase models there are, by name, and which of them the data make most likely."""

from __future__ import annotations

import json
from typing import Final

from clv.bgbb import BGBB
from clv.bgnbd import BGNBD
from clv.cnbd import BGCNBD, MBGCNBD
from clv.columns import LOG_GAP_SUM
from clv.errors import SettingError
from clv.histories import Table
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from clv.process import PurchaseProcess

__all__ = ["KINDS", "likeliest", "model_of_json", "process_of"]

KINDS: Final[dict[str, type[PurchaseProcess]]] = {
    model.kind: model for model in (NBD, BGNBD, MBGNBD, ParetoNBD, BGCNBD, MBGCNBD, BGBB)
}


def process_of(kind: str) -> type[PurchaseProcess]:
    """Return the class of a kind of purchase model.

    Examples
    --------
    >>> process_of("bgnbd").__name__
    'BGNBD'
    """
    try:
        return KINDS[kind]
    except KeyError as error:
        raise SettingError(
            "There is no such purchase model.", where=kind, hint=f"One of {', '.join(KINDS)}."
        ) from error


def model_of_json(text: str) -> PurchaseProcess:
    """Read any fitted purchase model back from its JSON."""
    return process_of(str(json.loads(text)["kind"])).from_json(text)


def likeliest(summary: Table, *, prior: bool = True) -> PurchaseProcess:
    """Return the most likely of the fitted models with dropout; regular buyers' only where gaps are known.

    Parameters
    ----------
    summary
        As :func:`clv.summary.summarize` gives it, with ``log_gap_sum`` where regular buyers are to be tried.
    prior
        Weak priors on the parameters.
    """
    kinds = ["bgnbd", "mbgnbd", "paretonbd", *(["mbgcnbd"] if LOG_GAP_SUM in summary else [])]
    models = [process_of(kind)(prior=prior).fit(summary) for kind in kinds]
    # a regular buyers' model with one tick an order is the MBG/NBD again
    regular = [model for model in models if model.parameters_.get("k", 2.0) > 1.0]
    return max(regular, key=lambda model: model.log_likelihood_)
