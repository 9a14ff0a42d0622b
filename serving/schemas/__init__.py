"""What goes over the wire, with an example of each field.

Map
---
wire          the shape of everything that goes over the wire, and of every error
customers     who a customer is, over the wire
offers        the question what to say next, and its answer, over the wire
segments      segments and their lists, over the wire
events        how events were taken, over the wire
decisions     decisions and outcomes, over the wire
generations   what was in force under a generation, over the wire
people        a person's data and the audit trail, over the wire
health        alive and ready, over the wire
"""

from __future__ import annotations

from serving.schemas.customers import VALUE_NAMES, CustomerAnswer, TagAnswer, ValueAnswer
from serving.schemas.decisions import DecisionAnswer, OutcomeBody, OutcomesAnswer, OutcomesBody
from serving.schemas.events import EventsAnswer, RejectedAnswer
from serving.schemas.generations import GenerationAnswer
from serving.schemas.health import HealthAnswer, ReadyAnswer
from serving.schemas.offers import (
    ContextBody,
    HintAnswer,
    MessageBody,
    OffersAnswer,
    OffersBody,
    RefusedAnswer,
    offers_json,
)
from serving.schemas.people import AuditAnswer, DeedAnswer, ErasedAnswer, PersonAnswer
from serving.schemas.segments import MemberAnswer, MembersAnswer, SegmentAnswer, SegmentsAnswer
from serving.schemas.wire import ErrorAnswer, ErrorBody, Schema

__all__ = [
    "VALUE_NAMES",
    "AuditAnswer",
    "ContextBody",
    "CustomerAnswer",
    "DecisionAnswer",
    "DeedAnswer",
    "ErasedAnswer",
    "ErrorAnswer",
    "ErrorBody",
    "EventsAnswer",
    "GenerationAnswer",
    "HealthAnswer",
    "HintAnswer",
    "MemberAnswer",
    "MembersAnswer",
    "MessageBody",
    "OffersAnswer",
    "OffersBody",
    "OutcomeBody",
    "OutcomesAnswer",
    "OutcomesBody",
    "PersonAnswer",
    "ReadyAnswer",
    "RefusedAnswer",
    "RejectedAnswer",
    "Schema",
    "SegmentAnswer",
    "SegmentsAnswer",
    "TagAnswer",
    "ValueAnswer",
    "offers_json",
]
