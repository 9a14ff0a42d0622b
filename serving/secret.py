"""The installation's secret, as the service's settings say it."""

from __future__ import annotations

from models.secret import secret_of
from serving.settings import Settings


def installation_secret(settings: Settings) -> bytes:
    """Return what keys, pseudonyms and the audit trail are sealed with.

    Raises
    ------
    SettingError
        If the file named in the settings is missing or too short.
    """
    security = settings.security
    given = None if security.secret is None else security.secret.get_secret_value()
    return secret_of(settings.data.data_dir, given, security.secret_file)
