"""What every step of one night shares: settings, places, what is done already, and the ledger's content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from clv.errors import StepError
from models.forgotten import NOBODY, Forgotten, names_in
from models.registry import Registry
from models.secret import secret_of
from pipelines.ledger import Ledger
from pipelines.progress import Progress, silent
from pipelines.settings import Settings
from pipelines.steps import Json, StepLog, StepResult, fingerprint
from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shift:
    """What one night's steps work with.

    Parameters
    ----------
    settings
        What a person set.
    progress
        Told what is being done.
    dry_run
        Only say what would be done.
    again
        Do it even if nothing it reads has changed.
    """

    settings: Settings
    progress: Progress = silent
    dry_run: bool = False
    again: bool = False

    @property
    def workspace(self) -> Workspace:
        """Where things lie."""
        return Workspace(self.settings.data.data_dir)

    @property
    def log(self) -> StepLog:
        """What each step read and made."""
        return StepLog(self.workspace.steps)

    @property
    def registry(self) -> Registry:
        """The model registry."""
        return Registry(self.workspace.registry_uri, self.workspace.artefacts)

    def forgotten(self) -> Forgotten:
        """Tell who asked to be forgotten; the secret is looked for only if somebody did."""
        folder, security = self.settings.data.data_dir, self.settings.security
        names = names_in(folder)
        if not names:
            return NOBODY
        given = None if security.secret is None else security.secret.get_secret_value()
        return Forgotten(secret_of(folder, given, security.secret_file), names)

    def once(
        self,
        step: str,
        as_of: date,
        read: Sequence[Json],
        outputs: Sequence[Path],
        work: Callable[[], Mapping[str, Json]],
    ) -> StepResult:
        """Do a step unless it made the same outputs from the same inputs before; a dry run only tells.

        Parameters
        ----------
        step
            One of :data:`pipelines.steps.STEPS`.
        as_of
            The last visible day.
        read
            All it reads.
        outputs
            Files and folders that must be there for the step to count as done.
        work
            Makes the outputs and returns what is worth reporting.
        """
        name, found = f"{step}-{as_of.isoformat()}", fingerprint(as_of.isoformat(), *read)
        if self.dry_run:
            done = not self.again and self.log.is_done(name, found, outputs)
            return StepResult(step, ran=False, summary={"would": "do nothing" if done else "run"})
        result = self.log.run(name, found, outputs, work, again=self.again)
        return StepResult(step, result.ran, {"as_of": as_of.isoformat(), **result.summary})

    def done(self, step: str, as_of: date) -> Json:
        """Return what an earlier step reported and read.

        Raises
        ------
        StepError
            If it is not done for this day.
        """
        found = self.log.state(f"{step}-{as_of.isoformat()}")
        if found is None:
            raise StepError(
                f"The step {step} is not done for this day.",
                where=as_of.isoformat(),
                hint=f"Run `clv {step}`.",
            )
        return found


def content(ledger: Ledger) -> Json:
    """Return what tells one content of the ledger from another: hashes of the files that added to it."""
    query = 'SELECT DISTINCT "table", sha256 FROM files WHERE accepted > 0 ORDER BY ALL'
    return [list(row) for row in ledger.connection.execute(query).fetchall()]
