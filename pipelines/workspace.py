"""Where things lie: the one folder that holds data and artefacts, and the place of each in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The layout below the data folder (``var/`` unless configured).

    Examples
    --------
    >>> from datetime import date
    >>> Workspace(Path("var")).scores(date(2026, 1, 31)).as_posix()
    'var/scores/2026-01-31'
    """

    root: Path

    @property
    def ledger(self) -> Path:
        """The DuckDB file every accepted row lies in."""
        return self.root / "ledger.duckdb"

    @property
    def quarantine(self) -> Path:
        """Refused rows, each with file, line, column and reason."""
        return self.root / "quarantine"

    def features(self, as_of: date) -> Path:
        """Tables of features as of a day."""
        return self.root / "features" / as_of.isoformat()

    def training(self, as_of: date) -> Path:
        """Bundles trained as of a day, before and after registration."""
        return self.root / "training" / as_of.isoformat()

    def scores(self, as_of: date) -> Path:
        """Scored customers, segments and tags as of a day."""
        return self.root / "scores" / as_of.isoformat()

    @property
    def champions(self) -> Path:
        """Bundles fetched from the registry, by model and version."""
        return self.root / "champions"

    @property
    def published(self) -> Path:
        """Generations the service reads, and the pointer to the current one."""
        return self.root / "published"

    @property
    def registry_uri(self) -> str:
        """The model registry's SQLite store."""
        return f"sqlite:///{(self.root / 'mlflow.db').resolve()}"

    @property
    def artefacts(self) -> Path:
        """Files of registered models."""
        return self.root / "mlartifacts"

    @property
    def steps(self) -> Path:
        """What each step read and made, so that nothing is done twice."""
        return self.root / "runs"
