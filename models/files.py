"""Are these files the ones that were handed over? Hashes of folders, durable writes, and bundles on disk.

A bundle folder is a set of files plus ``bundle.json``, which is written last and names the SHA-256 of each.
Reading it opens nothing but JSON and bytes: no file of a bundle is ever executed or unpickled.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath

import orjson

from clv.errors import BundleError, TamperedBundle
from models.bundle import FORMAT, Bundle, check_format, content_version

MANIFEST = "bundle.json"
_CHUNK = 1 << 20
_LARGEST = 8 << 30  # bytes an unpacked bundle may have: far above any model, far below any disk


def write_bundle(
    folder: Path,
    *,
    kind: str,
    as_of: date,
    fingerprint: str,
    metrics: Mapping[str, float] | None = None,
    facts: Mapping[str, str] | None = None,
) -> Bundle:
    """Seal a folder of model files: hash each one and write the manifest last.

    Parameters
    ----------
    folder
        Holds the files a model saved; sub-folders are taken along.
    kind
        What it is: ``value``, ``propensity`` or ``topics``.
    as_of
        Last day the training saw.
    fingerprint
        Of the training data, so that the same data are recognised.
    metrics
        Holdout figures, by name.
    facts
        Anything else worth knowing, such as the reason of a choice.

    Returns
    -------
    Bundle
        What was sealed.

    Raises
    ------
    BundleError
        If there is no file to seal, or a link instead of a file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     _ = Path(name, "parameters.json").write_text('{"r": 0.243}')
    ...     sealed = write_bundle(Path(name), kind="value", as_of=date(2026, 1, 31), fingerprint="0")
    ...     read_bundle(Path(name)) == sealed
    True
    """
    hashes = {name: digest for name, digest in hash_folder(folder).items() if name != MANIFEST}
    if not hashes:
        raise BundleError("There is no model file to seal.", where=str(folder), hint="Save the model first.")
    bundle = Bundle(
        kind=kind,
        version=content_version(hashes),
        format=FORMAT,
        as_of=as_of,
        fingerprint=fingerprint,
        metrics=dict(metrics or {}),
        facts=dict(facts or {}),
        files=hashes,
    )
    write_durably(folder / MANIFEST, orjson.dumps(bundle.as_json(), option=orjson.OPT_INDENT_2))
    return bundle


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's manifest and check every file against it.

    Parameters
    ----------
    folder
        A folder that :func:`write_bundle` sealed, wherever it was copied to.

    Returns
    -------
    Bundle
        The manifest, once it is known to be true.

    Raises
    ------
    BundleError
        If there is no readable manifest.
    UnknownFormat
        If a newer major format wrote it.
    TamperedBundle
        If a file is missing, added, changed, linked, or named outside the folder.
    """
    path = folder / MANIFEST
    try:
        raw = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "Point at a folder that the register step wrote."
        raise BundleError("There is no bundle here.", where=str(path), hint=hint) from None
    except orjson.JSONDecodeError as error:
        raise TamperedBundle(f"The manifest is not JSON: {error}.", where=str(path)) from error
    check_format(raw, str(path))
    bundle = Bundle.from_json(raw, str(path))
    check_folder(folder, bundle.files, beside=(MANIFEST,))
    if bundle.version != content_version(bundle.files):
        raise TamperedBundle("The manifest's version does not follow from its files.", where=str(path))
    return bundle


def check_folder(folder: Path, promised: Mapping[str, str], beside: tuple[str, ...] = ()) -> None:
    """Refuse a folder whose files are not exactly the promised ones.

    Parameters
    ----------
    folder
        The folder to check.
    promised
        SHA-256 in hexadecimal, by path relative to the folder.
    beside
        Paths that may be there without being promised: the manifest itself.

    Raises
    ------
    TamperedBundle
        Naming the first file at fault.
    """
    for name in promised:
        check_name(name, str(folder))
    found = hash_folder(folder)
    for name in sorted(promised.keys() | found.keys()):
        where = str(folder / name)
        if name not in found:
            raise TamperedBundle("A file of the manifest is missing.", where=where)
        if name not in promised and name not in beside:
            raise TamperedBundle("This file is not in the manifest.", where=where)
        if name in promised and promised[name] != found[name]:
            hint = "Take the folder from the registry again; keep the last good one until then."
            raise TamperedBundle("The file's hash is not the manifest's.", where=where, hint=hint)


def check_name(name: str, where: str) -> None:
    """Refuse a path that would leave its folder: absolute, upwards, or in another system's spelling.

    Examples
    --------
    >>> check_name("value/../../etc/passwd", "bundle.zip")
    Traceback (most recent call last):
    clv.errors.TamperedBundle: The path leaves its folder: value/../../etc/passwd (bundle.zip)
    """
    path = PurePosixPath(name)
    plain = name == str(path) and not path.is_absolute() and ".." not in path.parts
    if not plain or "\\" in name or ":" in name or name in {"", "."}:
        raise TamperedBundle(f"The path leaves its folder: {name}", where=where)


def hash_folder(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under a folder, by relative path with forward slashes, sorted."""
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files_under(folder)}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, its name means the old content or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)
    settle_folder(path.parent)


def settle_files(folder: Path) -> None:
    """Bring every file and folder under ``folder`` to the disk before anyone is pointed at them."""
    for path in files_under(folder):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        settle_folder(path.parent)
    settle_folder(folder)


def settle_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pack_bundle(folder: Path, archive: Path) -> Bundle:
    """Put a checked bundle into one zip file, for a network that nothing but a file can reach."""
    bundle = read_bundle(folder)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in (*bundle.files, MANIFEST):
            packed.write(folder / name, name)
    return bundle


def unpack_bundle(archive: Path, folder: Path) -> Bundle:
    """Unpack a bundle from a zip file into a new folder and check it.

    Raises
    ------
    TamperedBundle
        If a name in the archive leaves the folder, it grows beyond any model, or a hash differs.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            _check_entries(entries, str(archive))
            folder.mkdir(parents=True)
            for entry in entries:
                _unpack_entry(packed, entry, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise TamperedBundle(f"The archive is broken: {error}.", where=str(archive)) from error
    return read_bundle(folder)


def _check_entries(entries: list[zipfile.ZipInfo], where: str) -> None:
    for entry in entries:
        check_name(entry.filename, where)
    if len({entry.filename for entry in entries}) != len(entries):
        raise TamperedBundle("The archive names a file twice.", where=where)
    if sum(entry.file_size for entry in entries) > _LARGEST:
        raise TamperedBundle("The archive unpacks to more than any model has.", where=where)


def _unpack_entry(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(entry) as source, target.open("xb") as stream:
        while chunk := source.read(_CHUNK):
            stream.write(chunk)


def files_under(folder: Path) -> Iterator[Path]:
    """Yield every file under a folder, sorted.

    Raises
    ------
    TamperedBundle
        If a link stands where a file should be.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise TamperedBundle("A link stands where a file should be.", where=str(path))
        if path.is_file():
            yield path
