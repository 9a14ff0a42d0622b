"""Alive and ready, over the wire."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from serving.schemas.wire import Schema


class HealthAnswer(Schema):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyAnswer(Schema):
    """Whether questions can be answered, and what is wrong if not wholly."""

    status: Literal["ready", "degraded", "not_ready"] = Field(examples=["ready"])
    reasons: tuple[str, ...] = Field(examples=[[]])
    snapshot: str = Field(examples=["000007-2017-12-31"])
    as_of: date | None = Field(examples=["2017-12-31"])
    models: dict[str, str] = Field(examples=[{"clv-value": "3", "clv-propensity": "2", "clv-topics": "1"}])
    sign_in: bool = Field(examples=[False], description="False: everyone on this machine may do everything.")
