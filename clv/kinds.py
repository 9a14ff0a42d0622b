"""Which purchase models there are, by name."""

from __future__ import annotations

import json
from typing import Final

from clv.bgbb import BGBB
from clv.bgnbd import BGNBD
from clv.cnbd import BGCNBD, MBGCNBD
from clv.errors import SettingError
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from clv.process import PurchaseProcess

__all__ = ["KINDS", "model_of_json", "process_of"]

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
