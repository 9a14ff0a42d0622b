"""A published generation without somebody: the same again, whole, but for one person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from models.generation import MANIFEST
from models.snapshot import Snapshot, SnapshotWriter

PUBLISHED_AT = "published_at"


def publish_without(root: Path, customer_id: str) -> bool:
    """Publish the current generation again without a person, and take the ones that held them off the disk.

    Parameters
    ----------
    root
        Folder of the published generations.
    customer_id
        Who is left out.

    Returns
    -------
    bool
        False if nobody of that id is published, so that nothing was done.
    """
    if not (root / "CURRENT").exists():
        return False
    with Snapshot.current(root) as snapshot:
        if snapshot.profile(customer_id) is None:
            return False
        facts = {**snapshot.manifest.facts, PUBLISHED_AT: published_at(root, snapshot).isoformat()}
        with SnapshotWriter(root, snapshot.manifest.as_of, facts, keep=1) as writer:
            _copy(root / snapshot.manifest.name, snapshot, writer)
            writer.segments((size.name, size.description, size.rule) for size in snapshot.segments())
            writer.customers(p for p in snapshot.iter_profiles() if p.customer_id != customer_id)
            writer.commit()
    return True


def published_at(root: Path, snapshot: Snapshot) -> datetime:
    """Return when the numbers were published first; a copy of them is no newer than they are."""
    noted = snapshot.manifest.facts.get(PUBLISHED_AT)
    if noted:
        return datetime.fromisoformat(noted)
    return datetime.fromtimestamp((root / snapshot.manifest.name / MANIFEST).stat().st_mtime, UTC)


def _copy(folder: Path, snapshot: Snapshot, writer: SnapshotWriter) -> None:
    """Copy documents and models."""
    places = {Path(name).parts for name in snapshot.manifest.files}
    for name in sorted({parts[0] for parts in places if len(parts) > 1}):
        writer.folder(name, folder / name)
    for name in sorted(parts[0] for parts in places if len(parts) == 1):
        stem, _, suffix = name.rpartition(".")
        if suffix == "json" and stem != "segments":
            document = snapshot.document(stem)
            if document is not None:
                writer.document(stem, document)
