"""A decision as the bytes the log keeps, and back.

A decision weighs a hundred candidates. Their numbers are kept as they are in memory, a column of equals once,
and texts that repeat once: half the bytes of JSON, every digit, and no number is ever printed to be logged.

A record is ``MARK``, the length of its head (four bytes, little-endian), the head as JSON, and the columns as
the head names them: as candidates were put forward, with a column of the order in which they are read;
in that order where it is missing. A record that begins with a brace is one of earlier releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from recommend.catalogue import KINDS
from recommend.considered import Considered, Refusal
from recommend.decision import Decision, Ranked
from recommend.drawn import Bits

MARK: Final = b"\x03"
_MARKS: Final = (MARK, b"\x02")  # the latter of a release before
_ORDER: Final = "order"
_NUMBERS: Final = ("propensity", "propensity_raw", "context_weight", "value", "lever", "priority")
_OFTEN_EQUAL: Final = frozenset({"context_weight", "value", "lever"})
_CODES: Final = ("kind", "sources", "refusal")
_KINDS: Final = dict.fromkeys(_NUMBERS, "<f8") | {
    "kind": "|u1",
    "sources": "<u4",
    "refusal": "<u2",
    _ORDER: "<u4",
}
_LAYOUT: Final = {name: (name, kind) for name, kind in _KINDS.items()}
_PLAIN: Final = tuple(field.name for field in fields(Decision) if field.name != "candidates")
_CANDIDATE: Final = tuple(field.name for field in fields(Ranked))
_HEAD_AT: Final = len(MARK) + 4


def pack(decision: Decision) -> bytes:
    """Return a decision as the log keeps it."""
    candidates = decision.candidates
    found = _considered(candidates) if isinstance(candidates, Considered) else _ranked(candidates)
    texts, columns = found
    record: dict[str, Any] = {name: getattr(decision, name) for name in _PLAIN}
    kept: list[bytes] = []
    layout: list[tuple[str, str]] = []
    for name, column in columns.items():
        if name in _OFTEN_EQUAL and _equal(column):
            texts[name] = column[0].item()
        else:
            layout.append(_LAYOUT[name])
            kept.append(column.tobytes())
    texts["columns"] = layout
    record["candidates"] = texts
    head = orjson.dumps(record)
    return b"".join((MARK, len(head).to_bytes(4, "little"), head, *kept))


def _equal(column: NDArray[Any]) -> bool:
    if not len(column):
        return False
    return column.strides == (0,) or bool(column[0] == column[-1] and (column == column[0]).all())


def unpack(raw: bytes) -> dict[str, Any]:
    """Return the record :func:`pack` wrote, each candidate whole again."""
    if not raw.startswith(_MARKS):
        return _unpack_json(raw)
    end = _HEAD_AT + int.from_bytes(raw[len(MARK) : _HEAD_AT], "little")
    record: dict[str, Any] = orjson.loads(raw[_HEAD_AT:end])
    packed = record["candidates"]
    many = len(packed["offer_id"])
    columns: dict[str, list[Any]] = {
        name: [packed[name]] * many for name in (*_NUMBERS, *_CODES) if name in packed
    }
    for name, kind in packed["columns"]:
        column = np.frombuffer(raw, kind, many, end)
        columns[name], end = column.tolist(), end + column.nbytes
    order = columns.pop(_ORDER, range(many))
    record["candidates"] = [
        _candidate(packed, {name: column[place] for name, column in columns.items()}, place, rank)
        for rank, place in enumerate(order)
    ]
    return record


def _candidate(packed: dict[str, Any], numbers: dict[str, Any], place: int, rank: int) -> dict[str, Any]:
    refusal = packed["refusals"][numbers["refusal"]]
    stage, reason, filled = refusal or (None, "", False)
    if filled is True:  # of the release before: a template with names
        reason = reason.format(priority=numbers["priority"], loss=-numbers["value"])
    elif filled:
        reason = Refusal(*refusal).words(numbers["priority"], numbers["value"])
    whole = {
        **numbers,
        "offer_id": packed["offer_id"][place],
        "item": packed["item"][place],
        "kind": packed["kinds"][numbers["kind"]],
        "sources": _sources(packed, numbers["sources"]),
        "rank": packed["ranks"][place] if "ranks" in packed else _rank(rank, packed["passed"]),
        "dropped_by": stage,
        "reason": reason,
    }
    return {name: whole[name] for name in _CANDIDATE}


def _sources(packed: dict[str, Any], number: int) -> list[str]:
    if "sets" in packed:
        found: list[str] = packed["sets"][number]
        return found
    return [name for place, name in enumerate(packed["bits"]) if number >> place & 1]


def _rank(place: int, passed: int) -> int | None:
    return place + 1 if place < passed else None


Columns = tuple[dict[str, Any], dict[str, NDArray[Any]]]


def _considered(candidates: Considered) -> Columns:
    """Return texts and numbers of candidates that are columns already."""
    proposed, weights = candidates.proposed, candidates.weights
    item_names, names = proposed.item_names, proposed.source_names
    texts = {
        "offer_id": proposed.offer_ids,
        "item": [item_names[item] for item in proposed.items.tolist()],
        "kinds": KINDS,
        **({"bits": names.names} if isinstance(names, Bits) else {"sets": names}),
        "refusals": [refusal and tuple(refusal) for refusal in candidates.refusals],
        "passed": candidates.passed,
    }
    return texts, {
        "propensity": proposed.propensity,
        "propensity_raw": proposed.propensity_raw,
        "context_weight": weights.context,
        "value": weights.value,
        "lever": weights.lever,
        "priority": weights.priority,
        "kind": candidates.kinds,
        "sources": proposed.sources.astype(np.uint32),
        "refusal": candidates.codes,
        _ORDER: candidates.order.astype(_KINDS[_ORDER]),
    }


def _ranked(candidates: Sequence[Ranked]) -> Columns:
    """Return texts and numbers of candidates that come one by one."""
    kinds, kind = _numbered((one.kind for one in candidates), "kind")
    sets, sources = _numbered((one.sources for one in candidates), "sources")
    refusals, refusal = _numbered(((one.dropped_by, one.reason) for one in candidates), "refusal")
    texts = {
        "offer_id": [one.offer_id for one in candidates],
        "item": [one.item for one in candidates],
        "kinds": kinds,
        "sets": sets,
        "refusals": [(stage, reason, "") for stage, reason in refusals],
        "ranks": [one.rank for one in candidates],
    }
    numbers = {
        name: np.array([getattr(one, name) for one in candidates], dtype=np.float64) for name in _NUMBERS
    }
    return texts, {**numbers, "kind": kind, "sources": sources, "refusal": refusal}


def _numbered(values: Iterable[Any], column: str) -> tuple[list[Any], NDArray[Any]]:
    """Return the distinct values of a column, and the place of each value among them."""
    told = list(values)
    place = {value: number for number, value in enumerate(dict.fromkeys(told))}
    return list(place), np.array([place[value] for value in told], dtype=_KINDS[column])


def _unpack_json(raw: bytes) -> dict[str, Any]:
    """Read a record of earlier releases: all of it JSON, columns of equals and repeated texts once."""
    record: dict[str, Any] = orjson.loads(raw)
    packed = record["candidates"]
    many, texts = packed.pop("count"), packed.pop("texts")
    columns = {name: column * many if len(column) == 1 else column for name, column in packed.items()}
    for name in ("kind", "sources", "dropped_by", "reason"):
        columns[name] = [texts[place] for place in columns[name]]
    record["candidates"] = [{name: columns[name][place] for name in _CANDIDATE} for place in range(many)]
    return record
