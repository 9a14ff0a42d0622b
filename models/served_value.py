"""The value model behind ``mlflow models serve``: summaries of customers in, what they are worth out.

MLflow copies this file beside the bundle and runs it there; it needs this application installed. Our own
service does not come this way: it reads the bundle.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from clv.valuation import ValueModel
from models.files import read_bundle
from models.tracking import PythonModel, mlflow


class Summary(BaseModel):
    """One customer's orders so far."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    frequency: float = Field(ge=0, description="Days with a purchase after the first.")
    recency_days: float = Field(ge=0, description="Days from the first to the last purchase day.")
    age_days: float = Field(ge=0, description="Days from the first purchase day to the as-of day.")
    monetary_value: float = Field(0.0, description="Mean net amount of the repeat purchase days.")
    historic_revenue: float | None = Field(None, description="Net amounts so far; estimated without it.")
    horizon_days: float = Field(365.0, gt=0, le=36_500, description="Days ahead to look.")
    as_of: str | None = Field(None, description="Day of the summary, ISO; the day of the fit without it.")
    tilt: float | None = Field(None, ge=0, description="By what the log's past corrects the value.")


class Value(BaseModel):
    """What the customer is worth, under the names marketing tools use."""

    historic_clv: float
    predicted_clv: float
    total_clv: float
    historic_number_of_orders: int
    predicted_number_of_orders: float
    average_days_between_orders: float | None = None
    average_order_value: float
    churn_probability: float
    expected_date_of_next_order: str | None = None
    probability_alive: float


class ServedValue(PythonModel):
    """Reads a checked bundle and answers one customer at a time."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401  (MLflow's own, without a public name)
        """Load the bundle after checking every hash; no file of it is executed."""
        folder = Path(context.artifacts["bundle"])
        read_bundle(folder)
        self._model = ValueModel.load(folder)

    def predict(
        self,
        context: Any,  # noqa: ANN401
        model_input: list[Summary],
        params: dict[str, Any] | None = None,
    ) -> list[Value]:
        """Return one answer for each summary."""
        return [self._answer(one) for one in model_input]

    def _answer(self, one: Summary) -> Value:
        scored = self._model.predict_one(
            one.frequency,
            one.recency_days,
            one.age_days,
            one.monetary_value,
            historic_revenue=one.historic_revenue,
            horizon_days=one.horizon_days,
            as_of=None if one.as_of is None else date.fromisoformat(one.as_of),
            tilt=one.tilt,
        )
        due = scored.expected_date_of_next_order
        fields = {name: getattr(scored, name) for name in Value.model_fields}
        return Value(**{**fields, "expected_date_of_next_order": None if due is None else due.isoformat()})


mlflow.models.set_model(ServedValue())
