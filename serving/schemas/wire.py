"""The shape of everything that goes over the wire, and of every error."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Word: TypeAlias = Annotated[str, StringConstraints(max_length=200)]
PRINTED: Final = r"^[^\x00-\x1f\x7f]+$"
"""A key holds no control character: neither store nor log nor header is led astray by one."""

Identifier: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTED)]


class Schema(BaseModel):
    """An answer: fields in the order written, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorBody(Schema):
    """What went wrong, and what to do about it."""

    code: str = Field(examples=["not_found"], description="A fixed word to switch on.")
    message: str = Field(examples=["There is no segment of that name."])
    hint: str = Field(examples=["GET /v1/segments lists them."], description="What to do; may be empty.")
    request_id: str = Field(examples=["7c9e6679f7a84b5c9f6a3f0e1d2c3b4a"])


class ErrorAnswer(Schema):
    """The one shape of every error."""

    error: ErrorBody
