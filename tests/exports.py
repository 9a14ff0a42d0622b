"""A small shop in files: what the tests of the ingest hand in, and what they get back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for
from pipelines.tally import IngestReport


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file as a shop would export it, byte for byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def take_in(
    ledger: Ledger, *specs: str | Path, mapping: Path | None = None, dry_run: bool = False
) -> IngestReport:
    """Ingest files into a ledger; every report must add up."""
    report = ingest(ledger, source_for(*specs, mapping=mapping), dry_run=dry_run)
    for counted in (*report.files, *report.tables):
        assert counted.read == counted.accepted + counted.duplicates + counted.quarantined
    return report


def rows(ledger: Ledger, query: str) -> list[tuple[object, ...]]:
    """Ask the ledger."""
    return ledger.connection.execute(query).fetchall()


def times(ledger: Ledger) -> list[datetime | None]:
    """Return when each purchase was made, in the order of the file."""
    return [row[0] for row in rows(ledger, "SELECT ordered_at FROM purchases ORDER BY rowid")]  # type: ignore[misc]


def log(lines: Sequence[str], header: str = "customer_id,date,amount") -> str:
    """Return the text of a purchase log."""
    return "\n".join([header, *lines]) + "\n"
