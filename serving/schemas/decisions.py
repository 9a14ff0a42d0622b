"""Decisions and outcomes, over the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from serving.live.messages import from_micros
from serving.schemas.wire import Identifier, Schema, Word
from serving.store.decisions import Logged


class OutcomeBody(Schema):
    """What became of one offer."""

    offer_id: Identifier = Field(examples=["item:COFFEE"])
    outcome: Literal["presented", "accepted", "rejected", "snoozed", "ignored", "purchased"] = Field(
        examples=["accepted"]
    )
    reason: Word = Field("", examples=["too expensive"], description="Why it was rejected.")
    value: float | None = Field(
        None, examples=[6.99], allow_inf_nan=False, description="What it brought, if known."
    )
    at: AwareDatetime | None = Field(None, examples=["2018-01-01T10:05:00Z"], description="Now, if left out.")


class OutcomesBody(Schema):
    """What became of the offers of a decision."""

    outcomes: tuple[OutcomeBody, ...] = Field(min_length=1, max_length=50)


class OutcomesAnswer(Schema):
    """How many outcomes are new."""

    recorded: int = Field(ge=0, examples=[1])
    duplicates: int = Field(ge=0, examples=[0], description="Told before: nothing changed.")


class DecisionAnswer(Schema):
    """The record of a decision as it was logged, and its outcomes."""

    decision_id: str = Field(examples=["0199c2b0e5d07a7c8f3b6c1d2e4f5a6b"])
    record: dict[str, Any] = Field(examples=[{"customer_id": "1058", "hints": [], "candidates": []}])
    outcomes: tuple[dict[str, Any], ...] = Field(examples=[[{"offer_id": "tea", "outcome": "accepted"}]])

    @classmethod
    def of(cls, logged: Logged, found: list[dict[str, Any]]) -> DecisionAnswer:
        """Build the answer from the log."""
        shown = ("offer_id", "outcome", "reason", "amount", "agent_id")
        outcomes = tuple(
            {**{name: row[name] for name in shown}, "at": from_micros(row["at"]).isoformat()} for row in found
        )
        return cls(decision_id=logged.decision_id, record=logged.record, outcomes=outcomes)
