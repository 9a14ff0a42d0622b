"""The topic model behind ``mlflow models serve``: a message in, what it is about out.

MLflow copies this file beside the bundle and runs it there; it needs this application installed. Our own
service does not come this way: it reads the bundle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.files import read_bundle
from models.tracking import PythonModel, mlflow
from recommend.topics import TopicModel


class Message(BaseModel):
    """What a customer wrote."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The message, in any language the labelled messages were in.")


class Topic(BaseModel):
    """What it is about, empty if the model is not sure enough, and the probability of every topic."""

    topic: str
    probabilities: dict[str, float]


class ServedTopics(PythonModel):
    """Reads a checked bundle and answers one message at a time."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401  (MLflow's own, without a public name)
        """Load the bundle after checking every hash; no file of it is executed."""
        folder = Path(context.artifacts["bundle"])
        read_bundle(folder)
        self._model = TopicModel.load(folder)

    def predict(
        self,
        context: Any,  # noqa: ANN401
        model_input: list[Message],
        params: dict[str, Any] | None = None,
    ) -> list[Topic]:
        """Return one answer for each message."""
        return [
            Topic(topic=self._model.predict(one.text), probabilities=self._model.probabilities(one.text))
            for one in model_input
        ]


mlflow.models.set_model(ServedTopics())
