"""From tonight's models to the service: every customer scored, and a whole generation published."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from clv.errors import StepError
from clv.valuation import ValueModel
from models.files import hash_file
from models.generation import CURRENT
from pipelines.assortment import assortment, only_mandatory
from pipelines.circumstances import circumstances_of
from pipelines.contest import Contest
from pipelines.economics import with_costs
from pipelines.ledger import Ledger
from pipelines.orders import order_log, tilted
from pipelines.publish import publish, read_policies
from pipelines.score import CUSTOMERS, score
from pipelines.shift import Shift, content
from pipelines.steps import Json, StepResult
from pipelines.trained import KINDS, PROPENSITY, VALUE
from recommend.audiences import read_audiences
from recommend.worth import Arbitration

_INTERACTIONS: Final = """
SELECT customer_id, occurred_at, channel, direction, handle_seconds, resolved
FROM interactions WHERE occurred_at::DATE <= ? ORDER BY ALL
"""


class Handover:
    """The steps that use the chosen models.

    Parameters
    ----------
    shift
        What the night's steps share.
    contest
        Says which models were chosen.
    """

    def __init__(self, shift: Shift, contest: Contest) -> None:
        self._shift, self._contest = shift, contest
        self._places, self._progress = shift.workspace, shift.progress

    def score(self, ledger: Ledger, as_of: date) -> StepResult:
        """Value every customer, and say which lists they are on.

        Raises
        ------
        StepError
            If there is no model or there are no features.
        """
        chosen = self._contest.choose(VALUE, as_of)
        folder, horizon = self._places.scores(as_of), self._shift.settings.value.horizon_days
        features = self._places.features(as_of) / "customers.parquet"
        data, centre = self._shift.settings.data, self._shift.settings.centre
        if chosen is None or not features.exists():
            raise StepError(
                "There is nothing to score with.",
                where=as_of.isoformat(),
                hint="Run `clv features`, `clv train`, `clv evaluate` and `clv register` for this day first.",
            )

        def work() -> dict[str, Json]:
            model = ValueModel.load(chosen.folder)
            known = with_costs(ledger, pd.read_parquet(features), as_of, centre.agent())
            if model.stack is not None:
                known = tilted(model, known, order_log(ledger, as_of), as_of, circumstances_of(ledger))
            scored = score(
                known,
                model,
                as_of,
                folder,
                horizon_days=horizon,
                interactions=ledger.connection.execute(_INTERACTIONS, [as_of]).df(),
                zone=data.zone,
                audiences=read_audiences(data.audiences) if data.audiences is not None else (),
                progress=self._progress,
            )
            facts = {name: str(v) if isinstance(v, Path) else v for name, v in asdict(scored).items()}
            return {**facts, "model": f"{chosen.name} {chosen.as_fact()}", "provisional": chosen.provisional}

        lists = "" if data.audiences is None else hash_file(data.audiences)
        read: list[Json] = [hash_file(features), chosen.version, horizon, data.zone, lists]
        read += [content(ledger), centre.model_dump()]
        return self._shift.once("score", as_of, read, [folder / CUSTOMERS], work)

    def publish(self, ledger: Ledger, as_of: date) -> StepResult:
        """Publish scores, lists, offers, policies and models as one generation."""
        found = {kind: self._contest.choose(kind, as_of) for kind in KINDS}
        # a value is better than none; what speaks to customers or listens to them must have been promoted
        chosen = {
            kind: one
            for kind, one in found.items()
            if one is not None and (kind == VALUE or not one.provisional)
        }
        facts = {one.name: one.as_fact() for one in chosen.values()}
        silence = "" if PROPENSITY in chosen else self._contest.why_silent(as_of, found[PROPENSITY])
        data, horizon = self._shift.settings.data, self._shift.settings.value.horizon_days
        decision = self._shift.settings.decision

        def work() -> dict[str, Json]:
            catalogue = assortment(
                ledger, as_of, margin_rate=self._shift.settings.value.margin_rate, file=data.offers
            )
            generation = publish(
                ledger,
                self._places.scores(as_of),
                only_mandatory(catalogue, silence) if silence else catalogue,
                as_of,
                self._places.published,
                bundles={kind: one.folder for kind, one in chosen.items()},
                facts={**facts, "horizon_days": str(horizon)},
                policies=read_policies(data.policies) if data.policies is not None else None,
                arbitration=Arbitration.from_json(decision.arbitration),
                exploration=decision.explorer(),
                progress=self._progress,
            )
            folder = str(self._places.published / generation.name)
            made: dict[str, Json] = {"generation": generation.name, "customers": generation.customers}
            return {**made, "offers": len(catalogue), "models": facts, "silence": silence, "folder": folder}

        files = [hash_file(file) for file in (data.offers, data.policies) if file is not None]
        scored = self._places.scores(as_of) / CUSTOMERS
        seen = hash_file(scored) if scored.exists() else ""
        read: list[Json] = [content(ledger), seen, facts, silence, files, horizon, decision.model_dump()]
        return self._shift.once("publish", as_of, read, [self._places.published / CURRENT], work)
