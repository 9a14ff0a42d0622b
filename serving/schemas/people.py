"""A person's data and the audit trail, over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from serving.live.messages import from_micros
from serving.schemas.wire import Schema
from serving.store.trail import Deed


class PersonAnswer(Schema):
    """Everything held about a person."""

    customer_id: str = Field(examples=["1058"])
    held: dict[str, list[dict[str, Any]]] = Field(examples=[{"events": [], "decisions": []}])
    published: dict[str, Any] | None = Field(examples=[{"segments": ["rfm_champions"]}])


class ErasedAnswer(Schema):
    """What was erased."""

    pseudonym: str = Field(examples=["5f2c..."], description="Stands for the person in the audit trail.")
    rows: dict[str, int] = Field(examples=[{"events": 12, "decisions": 3}])
    published_again: bool = Field(examples=[True], description="The generation was made anew without them.")


class DeedAnswer(Schema):
    """One line of the audit trail."""

    at: datetime = Field(examples=["2026-02-01T09:00:00Z"])
    actor: str = Field(examples=["ops"])
    action: str = Field(examples=["list.exported"])
    subject: str = Field(examples=["rfm_champions"])
    detail: str = Field(examples=["312 customers of 000007-2017-12-31"])

    @classmethod
    def of(cls, deed: Deed) -> DeedAnswer:
        """Build the answer from a line."""
        return cls(
            at=from_micros(deed.at),
            actor=deed.actor,
            action=deed.action,
            subject=deed.subject,
            detail=deed.detail,
        )


class AuditAnswer(Schema):
    """The newest lines of the audit trail, and whether it is whole."""

    lines: int = Field(ge=0, examples=[214])
    whole: bool = Field(examples=[True])
    deeds: tuple[DeedAnswer, ...]
