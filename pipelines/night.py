"""The steps of one night on one data folder: what each reads and makes, and whether it is done already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from clv.errors import DataError, StepError
from pipelines.contest import Contest
from pipelines.features import category_features, customer_features
from pipelines.forgetting import forget, held
from pipelines.handover import Handover
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.progress import Progress, silent
from pipelines.settings import Settings
from pipelines.shift import Shift, content
from pipelines.sources import source_for
from pipelines.steps import STEPS, Json, StepResult, fingerprint
from pipelines.workspace import Workspace


class Night:
    """One night's work: each step done once for the same inputs.

    Parameters
    ----------
    settings
        What a person set.
    as_of
        The last visible day; the last day of the log if None.
    today
        Without ``as_of``, a log that goes on after the morrow of this day is refused.
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
        today: date | None = None,
        progress: Progress = silent,
        dry_run: bool = False,
        again: bool = False,
    ) -> None:
        self._asked_as_of, self._today = as_of, today
        self._shift = Shift(settings, progress, dry_run=dry_run, again=again)
        self._contest = Contest(self._shift)
        self._handover = Handover(self._shift, self._contest)

    @property
    def workspace(self) -> Workspace:
        """Where things lie."""
        return self._shift.workspace

    def run(self, sources: Sequence[str], mapping: Path | None) -> Iterator[StepResult]:
        """Do every step in order, yielding what each did.

        A dry run asks each step until one would run: all after it would run too, on what that one makes.
        """
        if not self._shift.dry_run:
            self.forget()
        if sources or self._configured() or not self.workspace.ledger.exists():
            yield self.ingest(sources, mapping)
        if self._shift.dry_run and not self.workspace.ledger.exists():
            return
        stale = False
        for name in STEPS:
            result = StepResult(name, ran=False, summary={"would": "run"}) if stale else self.step(name)
            stale = stale or result.summary.get("would") == "run"
            yield result

    def forget(self) -> dict[str, int]:
        """Take everybody who asked for it out of the data folder; return the rows taken, by place."""
        return forget(self.workspace, self._shift.forgotten())

    def held(self, customer_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return everything the data folder holds about a person, by place."""
        return held(self.workspace, customer_id)

    def step(self, name: str) -> StepResult:
        """Do one of :data:`pipelines.steps.STEPS`."""
        with self._ledger() as ledger:
            as_of = self._day(ledger)
            steps: dict[str, Callable[[Ledger, date], StepResult]] = {
                "features": self._features,
                "train": self._contest.train,
                "evaluate": self._contest.evaluate,
                "register": self._contest.register,
                "score": self._handover.score,
                "publish": self._handover.publish,
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
        source = source_for(*named, mapping=mapping or self._shift.settings.data.mapping)
        read = fingerprint(*sorted(f"{feed.table} {feed.label} {feed.sha256()}" for feed in source.feeds))

        def work() -> dict[str, Json]:
            if not self._shift.dry_run:
                self.workspace.root.mkdir(parents=True, exist_ok=True)
            rehearsal = self._shift.dry_run and not self.workspace.ledger.exists()
            with Ledger(None if rehearsal else self.workspace.ledger) as ledger:
                report = ingest(
                    ledger,
                    source,
                    dry_run=self._shift.dry_run,
                    progress=self._shift.progress,
                    forgotten=self._shift.forgotten(),
                )
                absences = [asdict(absence) for absence in ledger.absent()]
            return {
                "source": report.source,
                "tables": [asdict(table) for table in report.tables],
                "reasons": [[f.file, list(map(list, f.reasons))] for f in report.files if f.reasons],
                "notes": [f"{f.file}: {note}" for f in report.files for note in f.notes],
                "quarantine": [str(path) for path in report.quarantine],
                "absent": absences,
            }

        if self._shift.dry_run:
            return StepResult("ingest", ran=False, summary={"would": "ingest this", **work()})
        return self._shift.log.run("ingest", read, [self.workspace.ledger], work, again=self._shift.again)

    def _features(self, ledger: Ledger, as_of: date) -> StepResult:
        folder = self.workspace.features(as_of)
        customers, categories = folder / "customers.parquet", folder / "categories.parquet"

        def work() -> dict[str, Json]:
            folder.mkdir(parents=True, exist_ok=True)
            self._shift.progress("features: customers", 0, 2)
            ordered = customer_features(ledger, as_of).order_by("customer_id")
            ledger.backend.to_parquet(ordered, customers)
            self._shift.progress("features: categories", 1, 2)
            ordered = category_features(ledger, as_of).order_by("customer_id", "category")
            ledger.backend.to_parquet(ordered, categories)
            self._shift.progress("features: categories", 2, 2)
            return {
                "customers": len(pd.read_parquet(customers, columns=["customer_id"])),
                "folder": str(folder),
            }

        return self._shift.once("features", as_of, [content(ledger)], [customers, categories], work)

    def _configured(self) -> list[str]:
        data = self._shift.settings.data
        tables = [f"{table}={source}" for table, source in data.tables.items()]
        return [data.source, *tables] if data.source else tables

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        with Ledger(self.workspace.ledger, read_only=True) as ledger:
            yield ledger

    def _day(self, ledger: Ledger) -> date:
        days = ledger.days()
        if days is None:
            raise StepError(
                "The ledger holds no purchase.",
                where=str(self.workspace.ledger),
                hint="Take in a log of purchases: clv ingest --source purchases=FILE.",
            )
        asked = self._asked_as_of
        if asked is not None and asked < days[0]:
            raise DataError(
                f"Nothing is known as of {asked}.", where="--as-of", hint=f"The log begins on {days[0]}."
            )
        if asked is None and self._today is not None and days[1] > self._today + timedelta(days=1):
            raise DataError(
                f"The log's last purchase is on {days[1]}, after today: everybody would seem long gone.",
                where=f"{self.workspace.ledger}, customer {ledger.last_customer()}",
                hint="Correct the date and take the log into a new data folder, or see nothing later with "
                f"--as-of {self._today}.",
            )
        return asked or days[1]
