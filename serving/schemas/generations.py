"""What was in force under a generation, over the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from serving.schemas.wire import Schema


class GenerationAnswer(Schema):
    """Offers, policies and segments as they held while a generation answered."""

    snapshot: str = Field(examples=["000007-2017-12-31"])
    offers: dict[str, Any] | None = Field(examples=[{"offers": [{"offer_id": "club", "kind": "upsell"}]}])
    policies: dict[str, Any] | None = Field(examples=[{"max_per_day": 1}])
    segments: list[dict[str, Any]] = Field(examples=[[{"name": "rfm_champions", "customers": 312}]])
