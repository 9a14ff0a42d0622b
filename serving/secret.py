"""The installation's secret: from the environment, from a file, or made once and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from clv.errors import SettingError
from serving.settings import Settings

SHORTEST = 16


def installation_secret(settings: Settings) -> bytes:
    """Return what keys, pseudonyms and the audit trail are sealed with.

    Raises
    ------
    SettingError
        If the file named in the settings is missing or too short.
    """
    given = settings.security.secret
    if given is not None:
        return given.get_secret_value().encode()
    if settings.security.secret_file is not None:
        return _read(settings.security.secret_file)
    file = settings.data.data_dir / "service.secret"
    if not file.exists():
        _make(file)
    return _read(file)


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
