"""A published generation without somebody: the same again, whole, but for those who asked to be forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from models.forgotten import Forgotten, remember
from models.generation import CURRENT, pointed_at
from models.snapshot import Snapshot, SnapshotWriter
from serving.secret import installation_secret
from serving.store.people import suppressed

if TYPE_CHECKING:
    from serving.service import Service

WITHOUT = "without"


def publish_without(root: Path, gone: Forgotten) -> int:
    """Publish the current generation again without some people, and take those that held them off the disk.

    Parameters
    ----------
    root
        Folder of the published generations.
    gone
        Who is left out.

    Returns
    -------
    int
        How many of them were published; 0 if nobody was, so that nothing was done.
    """
    if not gone or not (root / CURRENT).exists():
        return 0
    with Snapshot.current(root) as snapshot:
        if snapshot.manifest.facts.get(WITHOUT) == gone.fingerprint:
            return 0
        held = [one for one in map(snapshot.profile, gone.among(snapshot.customer_ids())) if one is not None]
        if not held:
            return 0
        facts = {
            **snapshot.manifest.facts,
            WITHOUT: gone.fingerprint,  # so that nobody looks through it again for the same people
        }
        folder = root / snapshot.manifest.name
        with SnapshotWriter(root, snapshot.manifest.as_of, facts, keep=1) as writer:
            _copy(folder, snapshot, writer)
            writer.take_over(folder, snapshot.segments(), held)
            writer.commit()
    return len(held)


def forget_published(service: Service) -> int:
    """Leave everybody who asked to be forgotten out of what is published; tell the night who they are.

    Returns
    -------
    int
        How many were taken out.
    """
    names, root = suppressed(service.memory.database), service.settings.published
    pointer, taken = pointed_at(root), 0
    if names:
        gone = Forgotten(installation_secret(service.settings), names)
        remember(service.settings.data.data_dir, names)
        taken = publish_without(root, gone)
    if taken:
        service.shelf.refresh()
        pointer = pointed_at(root)
    service.looked_through = (pointer[0] if pointer else "", names)
    return taken


def is_looked_through(service: Service) -> bool:
    """Return whether nobody who asked to be forgotten can be in the newest generation."""
    pointer = pointed_at(service.settings.published)
    names = suppressed(service.memory.database)
    return not names or service.looked_through == (pointer[0] if pointer else "", names)


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
