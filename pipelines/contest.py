"""Tonight's models against the champions: trained, judged, registered, and one of each kind chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

from clv.valuation import ValueConfig
from models.files import read_bundle
from pipelines.chosen import REGISTERED, Chosen, choose
from pipelines.evaluate import evaluate_value
from pipelines.evaluation import Evaluation
from pipelines.ledger import Ledger
from pipelines.promises import evaluate_propensity
from pipelines.register import fetch_champion, register
from pipelines.shift import Shift, content
from pipelines.steps import Json, StepResult
from pipelines.topics import evaluate_topics, train_topics
from pipelines.train import train_propensity, train_value
from pipelines.trained import KINDS, PROPENSITY, TOPICS, VALUE, Absent, Trained

ABSENT: Final = "absent.json"


class Contest:
    """The steps that make models and let one of each kind become the champion.

    Parameters
    ----------
    shift
        What the night's steps share.
    """

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._places, self._progress = shift.workspace, shift.progress

    def train(self, ledger: Ledger, as_of: date) -> StepResult:
        """Fit every model the ledger has data for; what cannot be made is noted with its reason."""
        folder, value, training = (
            self._places.training(as_of),
            self._shift.settings.value,
            self._shift.settings.training,
        )
        config = ValueConfig(
            annual_discount=value.annual_discount,
            margin_rate=value.margin_rate,
            horizon_days=value.horizon_days,
            random_state=training.random_state,
        )

        def work() -> dict[str, Json]:
            folder.mkdir(parents=True, exist_ok=True)
            made: list[Trained | Absent] = [
                train_value(ledger, as_of, folder / VALUE, config=config, progress=self._progress),
                train_propensity(
                    ledger,
                    as_of,
                    folder / PROPENSITY,
                    horizon_days=training.propensity_days,
                    random_state=training.random_state,
                    threads=training.threads,
                    progress=self._progress,
                ),
                train_topics(ledger, as_of, folder / TOPICS, progress=self._progress),
            ]
            absent = {one.kind: asdict(one) for one in made if isinstance(one, Absent)}
            (folder / ABSENT).write_text(json.dumps(absent, indent=1), encoding="utf-8")
            trained: dict[str, Json] = {
                one.bundle.kind: {"customers": one.customers, "rows": one.rows, **one.bundle.facts}
                for one in made
                if isinstance(one, Trained)
            }
            return {"trained": trained, "absent": absent, "folder": str(folder)}

        read: list[Json] = [content(ledger), value.model_dump(), training.model_dump()]
        return self._shift.once("train", as_of, read, [folder / VALUE, folder / ABSENT], work)

    def evaluate(self, ledger: Ledger, as_of: date) -> StepResult:
        """Judge what was trained, against naive answers and the champions."""
        folder = self._places.training(as_of)
        kinds = self._kinds(folder)
        rivals = {kind: self._rival(kind, folder / kind) for kind in kinds}
        against = self._against(rivals, as_of)

        def work() -> dict[str, Json]:
            found = {kind: self._judge(kind, ledger, as_of, rivals[kind]) for kind in kinds}
            told = {kind: {"headline": e.headline, "verdict": e.verdict.reason} for kind, e in found.items()}
            return {"judged": told, "against": against}

        read: list[Json] = [self._shift.done("train", as_of), against]
        reports = [folder / f"{kind}-report" for kind in kinds]
        return self._shift.once("evaluate", as_of, read, reports, work)

    def _judge(self, kind: str, ledger: Ledger, as_of: date, rival: Path | None) -> Evaluation:
        folder = self._places.training(as_of)
        report, days = folder / f"{kind}-report", self._shift.settings.training.holdout_days
        if kind == PROPENSITY:
            return evaluate_propensity(folder / kind, report, champion=rival, progress=self._progress)
        if kind == TOPICS:
            return evaluate_topics(folder / kind, report, champion=rival, progress=self._progress)
        return evaluate_value(
            ledger,
            as_of,
            folder / kind,
            report,
            holdout_days=days,
            champion=rival,
            progress=self._progress,
        )

    def _rival(self, kind: str, candidate: Path) -> Path | None:
        """Return the champion's bundle; None if there is none, or if it is the candidate itself."""
        found = fetch_champion(self._shift.registry, kind, self._places.champions)
        if found is None or read_bundle(found[1]).version == read_bundle(candidate).version:
            return None
        return found[1]

    def _against(self, rivals: Mapping[str, Path | None], as_of: date) -> Json:
        """Return the versions of the rivals; to be the champion since then is no reason to judge again."""
        state = self._shift.log.state(f"evaluate-{as_of.isoformat()}") or {}
        before: Mapping[str, Json] = state.get("summary", {}).get("against", {})
        return {
            kind: before.get(kind) if rival is None else read_bundle(rival).version
            for kind, rival in rivals.items()
        }

    def register(self, _ledger: Ledger, as_of: date) -> StepResult:
        """Hand what was judged to the registry; a good verdict makes it the champion."""
        folder = self._places.training(as_of)
        kinds = self._kinds(folder)

        def work() -> dict[str, Json]:
            registry = self._shift.registry
            made = {
                kind: asdict(
                    register(registry, folder / kind, folder / f"{kind}-report", progress=self._progress)
                )
                for kind in kinds
            }
            (folder / REGISTERED).write_text(json.dumps(made, indent=1), encoding="utf-8")
            return dict(made)

        return self._shift.once(
            "register", as_of, [self._shift.done("evaluate", as_of)], [folder / REGISTERED], work
        )

    @staticmethod
    def _kinds(folder: Path) -> list[str]:
        return [kind for kind in KINDS if (folder / kind).exists()]

    def choose(self, kind: str, as_of: date) -> Chosen | None:
        """Return the model to use tonight: the champion, or the newest candidate while there is none."""
        folder = self._places.training(as_of)
        return choose(self._shift.registry, kind, folder, self._places.champions)

    def why_silent(self, as_of: date, propensity: Chosen | None) -> str:
        """Return why there is no propensity model that may speak."""
        if propensity is not None:
            return f"no propensity model may speak yet: {propensity.provisional}"
        try:
            absent = json.loads((self._places.training(as_of) / ABSENT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            absent = {}
        return (
            f"no offers: {absent[PROPENSITY]['because']}" if PROPENSITY in absent else "no propensity model"
        )
