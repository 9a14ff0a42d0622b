"""The propensity model behind ``mlflow models serve``: what a customer bought in, what they may buy next out.

MLflow copies this file beside the bundle and runs it there; it needs this application installed. Our own
service does not come this way: it reads the bundle, and applies policies before anything is said.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.files import read_bundle
from models.tracking import PythonModel, mlflow
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue
from recommend.context import Context
from recommend.history import History
from recommend.profile import Profile

_EPOCH = date(1970, 1, 1)


class Purchase(BaseModel):
    """One item bought on one day."""

    model_config = ConfigDict(extra="forbid")

    item: str
    day: str = Field(description="ISO day.")

    @field_validator("day")
    @classmethod
    def _a_day(cls, day: str) -> str:
        return date.fromisoformat(day).isoformat()


class Customer(BaseModel):
    """What one customer bought, and the day the question is asked."""

    model_config = ConfigDict(extra="forbid")

    purchases: list[Purchase]
    as_of: str = Field(description="ISO day.")
    limit: int = Field(10, ge=1, le=100, description="Most items to return.")

    @field_validator("as_of")
    @classmethod
    def _a_day(cls, as_of: str) -> str:
        return date.fromisoformat(as_of).isoformat()


class Proposal(BaseModel):
    """An item, the probability that it is bought within the model's horizon, and what put it forward."""

    item: str
    propensity: float
    sources: list[str]


class Proposals(BaseModel):
    """The most probable items, best first."""

    items: list[Proposal]


class ServedPropensity(PythonModel):
    """Reads a checked bundle and answers one customer at a time."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401  (MLflow's own, without a public name)
        """Load the bundle after checking every hash; no file of it is executed."""
        folder = Path(context.artifacts["bundle"])
        read_bundle(folder)
        self._proposer = Proposer.load(folder)
        self._catalogue = Catalogue([]).with_items(list(self._proposer.vocabulary))

    def predict(
        self,
        context: Any,  # noqa: ANN401
        model_input: list[Customer],
        params: dict[str, Any] | None = None,
    ) -> list[Proposals]:
        """Return the most probable items of each customer."""
        return [self._answer(one) for one in model_input]

    def _answer(self, one: Customer) -> Proposals:
        as_of = date.fromisoformat(one.as_of)
        profile = Profile("", as_of, history=history_of(one.purchases))
        at = datetime.combine(as_of, datetime.min.time(), UTC)
        found = self._proposer.propose(profile, self._catalogue, Context(), at)[: one.limit]
        return Proposals(
            items=[Proposal(item=c.item, propensity=c.propensity, sources=list(c.sources)) for c in found]
        )


def history_of(purchases: list[Purchase]) -> History:
    """Return the compact history of a list of purchases.

    Examples
    --------
    >>> bought = [Purchase(item="tea", day="1970-01-03"), Purchase(item="milk", day="1970-01-02")]
    >>> history_of(bought)
    History(order_days=(1, 2), items=('milk', 'tea'), positions=((0,), (1,)), places=())
    """
    bought = {(one.item, (date.fromisoformat(one.day) - _EPOCH).days) for one in purchases}
    days = sorted({day for _, day in bought})
    place = {day: index for index, day in enumerate(days)}
    baskets: dict[str, list[int]] = {}
    for item, day in sorted(bought):
        baskets.setdefault(item, []).append(place[day])
    return History(tuple(days), tuple(baskets), tuple(tuple(held) for held in baskets.values()))


mlflow.models.set_model(ServedPropensity())
