"""Which steps are done already: a step runs again only when something it reads has changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias, TypedDict

Json: TypeAlias = "str | float | int | bool | Sequence[Json] | Mapping[str, Json] | None"

STEPS: Final = {
    "features": "Describe every customer as of a day: orders, spend, gaps, categories, contacts.",
    "train": "Fit the value, propensity and topic models on everything up to a day.",
    "evaluate": "Judge the models on days they did not see, against naive answers and the champion.",
    "register": "Hand the models to the registry; a good verdict makes them champion.",
    "score": "Value every customer with the champion; segments and lists.",
    "publish": "Hand a whole generation of scores, lists, offers and models to the service.",
}


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did: whether it ran or found its work done, and what it reported then."""

    step: str
    ran: bool
    summary: dict[str, Json]


class _Done(TypedDict):
    read: str
    outputs: list[str]
    summary: dict[str, Json]


def fingerprint(*inputs: Json) -> str:
    """Return one hash over everything a step reads, and over the version of this software.

    Examples
    --------
    >>> fingerprint("a", 1) == fingerprint("a", 1), fingerprint("a", 1) == fingerprint("a", 2)
    (True, False)
    """
    text = json.dumps([version("clv-next-best-offer"), *inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class StepLog:
    """Remembers, one JSON file a step, what was read and which files were made.

    Parameters
    ----------
    folder
        Where the files lie; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(
        self,
        step: str,
        read: str,
        outputs: Sequence[Path],
        work: Callable[[], Mapping[str, Json]],
        *,
        again: bool = False,
    ) -> StepResult:
        """Do ``work`` unless the same step made the same outputs from the same inputs before.

        Parameters
        ----------
        step
            Name of the step, with the as-of day where it has one; names its file.
        read
            :func:`fingerprint` of all it reads.
        outputs
            Files and folders that must be there for the step to count as done.
        work
            Makes the outputs and returns what is worth reporting.
        again
            Do it in any case.
        """
        before = self._read(step)
        if not again and before is not None and self.is_done(step, read, outputs):
            return StepResult(step, ran=False, summary=before["summary"])
        self._file(step).unlink(missing_ok=True)  # an interrupted run must not look finished
        summary = dict(work())
        self._write(step, {"read": read, "outputs": [str(p) for p in outputs], "summary": summary})
        return StepResult(step, ran=True, summary=summary)

    def is_done(self, step: str, read: str, outputs: Sequence[Path]) -> bool:
        """Tell whether the step made these outputs from these inputs and they are still there."""
        before = self._read(step)
        return before is not None and before["read"] == read and all(path.exists() for path in outputs)

    def state(self, step: str) -> dict[str, Any] | None:
        """Return what the step read and reported when it last ran, or None if it never finished."""
        before = self._read(step)
        return None if before is None else {"read": before["read"], "summary": before["summary"]}

    def _file(self, step: str) -> Path:
        return self._folder / f"{step}.json"

    def _read(self, step: str) -> _Done | None:
        try:
            found: _Done = json.loads(self._file(step).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return found

    def _write(self, step: str, state: _Done) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._file(step).with_suffix(".draft")
        draft.write_text(json.dumps(state, indent=1, default=str))
        os.replace(draft, self._file(step))
