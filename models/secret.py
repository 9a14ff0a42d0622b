"""The installation's secret: from the settings, from a file, or made once and kept in the data folder.

The service seals keys, pseudonyms and the audit trail with it; the night needs it to tell who asked to be
forgotten.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from clv.errors import SettingError

SHORTEST: Final = 16
FILE: Final = "service.secret"


def secret_of(data_dir: Path, given: str | None = None, file: Path | None = None) -> bytes:
    """Return what is sealed with here.

    Parameters
    ----------
    data_dir
        Where a secret of our own is kept when none is given.
    given
        The secret itself, if the settings hold it.
    file
        The file that holds it, if the settings name one.

    Raises
    ------
    SettingError
        If the file named in the settings is missing or too short.
    """
    if given is not None:
        return given.encode()
    if file is not None:
        return _read(file)
    own = data_dir / FILE
    if not own.exists():
        _make(own)
    return _read(own)


def _make(file: Path) -> None:
    """Make the secret aside and put it in place in one step; the first of several processes wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write(secrets.token_urlsafe(48))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(aside, file)
    except FileExistsError:
        return
    finally:
        aside.unlink()


def _read(file: Path) -> bytes:
    try:
        secret = file.read_text(encoding="utf-8").strip().encode()
    except OSError as error:
        raise SettingError(f"The secret cannot be read: {error.strerror}.", where=str(file)) from error
    if len(secret) < SHORTEST:
        raise SettingError(
            f"The secret is shorter than {SHORTEST} characters.",
            where=str(file),
            hint="python -c 'import secrets; print(secrets.token_urlsafe(48))' makes one.",
        )
    return secret
