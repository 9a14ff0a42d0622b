"""What became of the rows of an ingest, counted so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.tables import TABLES


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of the rows of one file: ``read = accepted + duplicates + quarantined + forgotten``.

    Parameters
    ----------
    table, file
        What was fed, and from where.
    read
        Rows in the file.
    accepted
        Rows that are new in the ledger, or that replaced an older row of the same key.
    updated
        Of these, those that replaced one.
    duplicates
        Rows that were there already.
    quarantined
        Rows that cannot be used.
    reasons
        How many rows were quarantined for each reason, the commonest first.
    unknown
        Rows that name a product or an offer the ledger does not hold, by column.
    notes
        What was found out about the file.
    forgotten
        Rows of people who asked to be forgotten: left out, and kept nowhere.
    """

    table: str
    file: str
    read: int
    accepted: int
    updated: int
    duplicates: int
    quarantined: int
    reasons: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class TableReport:
    """What became of all rows meant for one table, added up."""

    table: str
    read: int
    accepted: int
    updated: int
    duplicates: int
    quarantined: int
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    source
        What was ingested.
    files
        One report per file.
    quarantine
        The quarantine files that were written.
    dry_run
        True if nothing was kept.
    """

    source: str
    files: tuple[FileReport, ...]
    quarantine: tuple[Path, ...] = ()
    dry_run: bool = False

    @property
    def tables(self) -> tuple[TableReport, ...]:
        """The counts added up by table."""
        return tuple(
            _sum(table, [report for report in self.files if report.table == table])
            for table in TABLES
            if any(report.table == table for report in self.files)
        )

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(report.read for report in self.files)

    @property
    def accepted(self) -> int:
        """Rows accepted."""
        return sum(report.accepted for report in self.files)

    @property
    def duplicates(self) -> int:
        """Rows that were there already."""
        return sum(report.duplicates for report in self.files)

    @property
    def quarantined(self) -> int:
        """Rows that cannot be used."""
        return sum(report.quarantined for report in self.files)

    @property
    def changed(self) -> bool:
        """Whether the ledger is another than before."""
        return self.accepted > 0 and not self.dry_run


def _sum(table: str, reports: list[FileReport]) -> TableReport:
    names = ("read", "accepted", "updated", "duplicates", "quarantined", "forgotten")
    return TableReport(table, **{name: sum(getattr(report, name) for report in reports) for name in names})
