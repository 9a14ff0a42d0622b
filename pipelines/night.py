"""The steps of one night on one data folder: what each reads and makes, and whether it is done already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from clv.errors import DataError, StepError
from clv.valuation import ValueConfig, ValueModel
from models.files import hash_file, read_bundle
from models.registry import Registry
from pipelines.assortment import assortment, only_mandatory
from pipelines.chosen import REGISTERED, Chosen, choose
from pipelines.evaluate import evaluate_propensity, evaluate_value
from pipelines.evaluation import Evaluation
from pipelines.features import category_features, customer_features
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.orders import order_log, tilted
from pipelines.progress import Progress, silent
from pipelines.publish import publish, read_policies
from pipelines.register import fetch_champion, register
from pipelines.score import CUSTOMERS, score
from pipelines.settings import Settings
from pipelines.sources import source_for
from pipelines.steps import Json, StepLog, StepResult, fingerprint
from pipelines.train import PROPENSITY, VALUE, Absent, Trained, train_propensity, train_value
from pipelines.workspace import Workspace
from recommend.audiences import read_audiences

STEPS: Final = {
    "features": "Describe every customer as of a day: orders, spend, gaps, categories, contacts.",
    "train": "Fit the value and propensity models on everything up to a day.",
    "evaluate": "Judge the models on days they did not see, against naive answers and the champion.",
    "register": "Hand the models to the registry; a good verdict makes them champion.",
    "score": "Value every customer with the champion; segments and lists.",
    "publish": "Hand a whole generation of scores, lists, offers and models to the service.",
}
ABSENT: Final = "absent.json"
_INTERACTIONS: Final = """
SELECT customer_id, occurred_at, channel, direction, handle_seconds, resolved
FROM interactions WHERE occurred_at::DATE <= ? ORDER BY ALL
"""


class Night:
    """One night's work: each step a method, done once for the same inputs.

    Parameters
    ----------
    settings
        What a person set.
    as_of
        The last visible day; the last day of the log if None.
    progress
        Told what is being done.
    dry_run
        Only say what would be done.
    again
        Do it even if nothing it reads has changed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        as_of: date | None = None,
        progress: Progress = silent,
        dry_run: bool = False,
        again: bool = False,
    ) -> None:
        self.settings = settings
        self.workspace = Workspace(settings.data.data_dir)
        self._asked_as_of, self._progress, self._dry_run, self._again = as_of, progress, dry_run, again
        self._log = StepLog(self.workspace.steps)

    # -- the steps ---------------------------------------------------------------------------------
    def run(self, sources: Sequence[str], mapping: Path | None) -> Iterator[StepResult]:
        """Do every step in order, yielding what each did.

        A dry run reads the sources and stops there: what later steps would do depends on what was read.
        """
        if sources or self._configured() or not self.workspace.ledger.exists():
            yield self.ingest(sources, mapping)
        if self._dry_run and not self.workspace.ledger.exists():
            return
        for name in STEPS:
            yield self.step(name)

    def step(self, name: str) -> StepResult:
        """Do one of :data:`STEPS`."""
        with self._ledger() as ledger:
            as_of = self._day(ledger)
            steps: dict[str, Callable[[Ledger, date], StepResult]] = {
                "features": self._features,
                "train": self._train,
                "evaluate": self._evaluate,
                "register": self._register,
                "score": self._score,
                "publish": self._publish,
            }
            return steps[name](ledger, as_of)

    def ingest(self, sources: Sequence[str], mapping: Path | None) -> StepResult:
        """Read sources into the ledger.

        Parameters
        ----------
        sources
            What :func:`pipelines.sources.source_for` understands; those of the settings if there are none.
        mapping
            Mapping file; that of the settings if None.
        """
        named = [*sources] or self._configured()
        source = source_for(*named, mapping=mapping or self.settings.data.mapping)
        read = fingerprint(*sorted(f"{feed.table} {feed.label} {feed.sha256()}" for feed in source.feeds))

        def work() -> dict[str, Json]:
            if not self._dry_run:
                self.workspace.root.mkdir(parents=True, exist_ok=True)
            rehearsal = self._dry_run and not self.workspace.ledger.exists()
            with Ledger(None if rehearsal else self.workspace.ledger) as ledger:
                report = ingest(ledger, source, dry_run=self._dry_run, progress=self._progress)
                absences = [asdict(absence) for absence in ledger.absent()]
            return {
                "source": report.source,
                "tables": [asdict(table) for table in report.tables],
                "reasons": [[f.file, list(map(list, f.reasons))] for f in report.files if f.reasons],
                "notes": [f"{f.file}: {note}" for f in report.files for note in f.notes],
                "quarantine": [str(path) for path in report.quarantine],
                "absent": absences,
            }

        if self._dry_run:
            return StepResult("ingest", ran=False, summary={"would": "ingest this", **work()})
        return self._log.run("ingest", read, [self.workspace.ledger], work, again=self._again)

    def _features(self, ledger: Ledger, as_of: date) -> StepResult:
        folder = self.workspace.features(as_of)
        customers, categories = folder / "customers.parquet", folder / "categories.parquet"

        def work() -> dict[str, Json]:
            folder.mkdir(parents=True, exist_ok=True)
            self._progress("features: customers", 0, 2)
            ledger.backend.to_parquet(customer_features(ledger, as_of), customers)
            self._progress("features: categories", 1, 2)
            ledger.backend.to_parquet(category_features(ledger, as_of), categories)
            self._progress("features: categories", 2, 2)
            return {
                "customers": len(pd.read_parquet(customers, columns=["customer_id"])),
                "folder": str(folder),
            }

        return self._once("features", as_of, [self._content(ledger)], [customers, categories], work)

    def _train(self, ledger: Ledger, as_of: date) -> StepResult:
        folder, value, training = self.workspace.training(as_of), self.settings.value, self.settings.training
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
            ]
            absent = {one.kind: asdict(one) for one in made if isinstance(one, Absent)}
            (folder / ABSENT).write_text(json.dumps(absent, indent=1), encoding="utf-8")
            trained: dict[str, Json] = {
                one.bundle.kind: {"customers": one.customers, "rows": one.rows, **one.bundle.facts}
                for one in made
                if isinstance(one, Trained)
            }
            return {"trained": trained, "absent": absent, "folder": str(folder)}

        read: list[Json] = [self._content(ledger), value.model_dump(), training.model_dump()]
        return self._once("train", as_of, read, [folder / VALUE, folder / ABSENT], work)

    def _evaluate(self, ledger: Ledger, as_of: date) -> StepResult:
        folder = self.workspace.training(as_of)
        kinds = self._kinds(folder)
        rivals = {kind: self._rival(kind, folder / kind) for kind in kinds}
        against = self._against(rivals, as_of)

        def work() -> dict[str, Json]:
            found = {kind: self._judge(kind, ledger, as_of, rivals[kind]) for kind in kinds}
            told = {kind: {"headline": e.headline, "verdict": e.verdict.reason} for kind, e in found.items()}
            return {"judged": told, "against": against}

        read: list[Json] = [self._done("train", as_of), against]
        reports = [folder / f"{kind}-report" for kind in kinds]
        return self._once("evaluate", as_of, read, reports, work)

    def _judge(self, kind: str, ledger: Ledger, as_of: date, rival: Path | None) -> Evaluation:
        folder = self.workspace.training(as_of)
        report, days = folder / f"{kind}-report", self.settings.training.holdout_days
        if kind == PROPENSITY:
            return evaluate_propensity(folder / kind, report, champion=rival, progress=self._progress)
        return evaluate_value(
            ledger, as_of, folder / kind, report, holdout_days=days, champion=rival, progress=self._progress
        )

    def _rival(self, kind: str, candidate: Path) -> Path | None:
        """Return the champion's bundle; None if there is none, or if it is the candidate itself."""
        found = fetch_champion(self._registry(), kind, self.workspace.champions)
        if found is None or read_bundle(found[1]).version == read_bundle(candidate).version:
            return None
        return found[1]

    def _against(self, rivals: Mapping[str, Path | None], as_of: date) -> Json:
        """Return the versions of the rivals; to be the champion since then is no reason to judge again."""
        state = self._log.state(f"evaluate-{as_of.isoformat()}") or {}
        before: Mapping[str, Json] = state.get("summary", {}).get("against", {})
        return {
            kind: before.get(kind) if rival is None else read_bundle(rival).version
            for kind, rival in rivals.items()
        }

    def _register(self, _ledger: Ledger, as_of: date) -> StepResult:
        folder = self.workspace.training(as_of)
        kinds = self._kinds(folder)

        def work() -> dict[str, Json]:
            registry = self._registry()
            made = {
                kind: asdict(
                    register(registry, folder / kind, folder / f"{kind}-report", progress=self._progress)
                )
                for kind in kinds
            }
            (folder / REGISTERED).write_text(json.dumps(made, indent=1), encoding="utf-8")
            return dict(made)

        return self._once("register", as_of, [self._done("evaluate", as_of)], [folder / REGISTERED], work)

    def _score(self, ledger: Ledger, as_of: date) -> StepResult:
        chosen = self._choose(VALUE, as_of)
        folder, horizon = self.workspace.scores(as_of), self.settings.value.horizon_days
        features, data = self.workspace.features(as_of) / "customers.parquet", self.settings.data
        if chosen is None or not features.exists():
            raise StepError(
                "There is nothing to score with.",
                where=as_of.isoformat(),
                hint="Run `clv features`, `clv train`, `clv evaluate` and `clv register` for this day first.",
            )

        def work() -> dict[str, Json]:
            model = ValueModel.load(chosen.folder)
            known = pd.read_parquet(features)
            if model.stack is not None:
                known = tilted(model, known, order_log(ledger, as_of), as_of)
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
        return self._once("score", as_of, read, [folder / CUSTOMERS], work)

    def _publish(self, ledger: Ledger, as_of: date) -> StepResult:
        value, propensity = self._choose(VALUE, as_of), self._choose(PROPENSITY, as_of)
        speaking = propensity if propensity is not None and not propensity.provisional else None
        chosen = {kind: one for kind, one in ((VALUE, value), (PROPENSITY, speaking)) if one is not None}
        facts = {one.name: one.as_fact() for one in chosen.values()}
        silence = "" if speaking is not None else self._why_silent(as_of, propensity)
        data, horizon = self.settings.data, self.settings.value.horizon_days

        def work() -> dict[str, Json]:
            catalogue = assortment(
                ledger, as_of, margin_rate=self.settings.value.margin_rate, file=data.offers
            )
            generation = publish(
                ledger,
                self.workspace.scores(as_of),
                only_mandatory(catalogue, silence) if silence else catalogue,
                as_of,
                self.workspace.published,
                bundles={kind: one.folder for kind, one in chosen.items()},
                facts={**facts, "horizon_days": str(horizon)},
                policies=read_policies(data.policies) if data.policies is not None else None,
                progress=self._progress,
            )
            folder = str(self.workspace.published / generation.name)
            made: dict[str, Json] = {"generation": generation.name, "customers": generation.customers}
            return {**made, "offers": len(catalogue), "models": facts, "silence": silence, "folder": folder}

        files = [hash_file(file) for file in (data.offers, data.policies) if file is not None]
        scored = self.workspace.scores(as_of) / CUSTOMERS
        seen = hash_file(scored) if scored.exists() else ""
        read: list[Json] = [self._content(ledger), seen, facts, silence, files, horizon]
        return self._once("publish", as_of, read, [self.workspace.published / "CURRENT"], work)

    # -- what the steps share ----------------------------------------------------------------------
    def _once(
        self,
        step: str,
        as_of: date,
        read: Sequence[Json],
        outputs: Sequence[Path],
        work: Callable[[], Mapping[str, Json]],
    ) -> StepResult:
        name, found = f"{step}-{as_of.isoformat()}", fingerprint(as_of.isoformat(), *read)
        if self._dry_run:
            done = not self._again and self._log.is_done(name, found, outputs)
            return StepResult(step, ran=False, summary={"would": "do nothing" if done else "run"})
        result = self._log.run(name, found, outputs, work, again=self._again)
        return StepResult(step, result.ran, {"as_of": as_of.isoformat(), **result.summary})

    def _done(self, step: str, as_of: date) -> Json:
        """Return what an earlier step reported and read, or refuse to go on without it."""
        found = self._log.state(f"{step}-{as_of.isoformat()}")
        if found is None:
            raise StepError(
                f"The step {step} is not done for this day.",
                where=as_of.isoformat(),
                hint=f"Run `clv {step}`.",
            )
        return found

    def _configured(self) -> list[str]:
        data = self.settings.data
        tables = [f"{table}={source}" for table, source in data.tables.items()]
        return [data.source, *tables] if data.source else tables

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        with Ledger(self.workspace.ledger, read_only=True) as ledger:
            yield ledger

    def _day(self, ledger: Ledger) -> date:
        days = ledger.days()
        if days is None:
            raise StepError("The ledger holds no purchase.", where=str(self.workspace.ledger))
        asked = self._asked_as_of
        if asked is not None and asked < days[0]:
            raise DataError(
                f"Nothing is known as of {asked}.", where="--as-of", hint=f"The log begins on {days[0]}."
            )
        return asked or days[1]

    @staticmethod
    def _content(ledger: Ledger) -> Json:
        """Return what tells one content of the ledger from another: hashes of the files that added to it."""
        query = 'SELECT DISTINCT "table", sha256 FROM files WHERE accepted > 0 ORDER BY ALL'
        return [list(row) for row in ledger.connection.execute(query).fetchall()]

    def _registry(self) -> Registry:
        return Registry(self.workspace.registry_uri, self.workspace.artefacts)

    @staticmethod
    def _kinds(folder: Path) -> list[str]:
        return [kind for kind in (VALUE, PROPENSITY) if (folder / kind).exists()]

    def _choose(self, kind: str, as_of: date) -> Chosen | None:
        folder = self.workspace.training(as_of)
        return choose(self._registry(), kind, folder, self.workspace.champions)

    def _why_silent(self, as_of: date, propensity: Chosen | None) -> str:
        if propensity is not None:
            return f"no propensity model may speak yet: {propensity.provisional}"
        try:
            absent = json.loads((self.workspace.training(as_of) / ABSENT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            absent = {}
        return (
            f"no offers: {absent[PROPENSITY]['because']}" if PROPENSITY in absent else "no propensity model"
        )
