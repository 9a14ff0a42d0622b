"""What the service adds to the verbs of the whole house: its settings, and what it holds of a person.

:func:`own_store` opens its store for one verb, of the house or of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.configuration import described
from models.forgotten import Forgotten, Pseudonyms, remember
from models.generation import CURRENT
from models.snapshot import Snapshot
from serving.erasure import publish_without
from serving.secret import installation_secret
from serving.settings import Settings, load_settings
from serving.store import people
from serving.store.database import Database
from serving.store.trail import Deed, Trail

_ACTOR = "command line"


class Side:
    """The service's part in settings, export and erasure, for a command line that does not know it."""

    def settings(self, config: Path | None) -> list[tuple[str, str, str, str]]:
        """Return every setting of the service: name, value now, default, what it does."""
        return described(load_settings(config))

    def held(self, config: Path | None, data_dir: Path, customer_id: str) -> dict[str, Any]:
        """Return everything the store and the published generation hold about a person."""
        settings = _settings(config, data_dir)
        with own_store(settings) as (database, secret):
            found: dict[str, Any] = people.export(database, customer_id, Pseudonyms(secret).of(customer_id))
            if (settings.published / CURRENT).exists():
                with Snapshot.current(settings.published) as snapshot:
                    published = snapshot.held(customer_id)
                if published is not None:
                    found["published"] = [published]
            _note(database, secret, "person.exported", customer_id)
        return {place: rows for place, rows in found.items() if rows}

    def forget(self, config: Path | None, data_dir: Path, customer_id: str) -> dict[str, int]:
        """Erase a person from the store and the published generation, and remember not to take them back.

        Returns
        -------
        dict
            Rows taken out, by place.
        """
        settings = _settings(config, data_dir)
        with own_store(settings) as (database, secret):
            name = Pseudonyms(secret).of(customer_id)
            with database.writing() as connection:
                gone = people.erase(connection, customer_id, name, time.time_ns() // 1000)
            database.settle()
            gone["published"] = publish_without(settings.published, Forgotten(secret, [name]))
            remember(settings.data.data_dir, people.suppressed(database))
            _note(database, secret, "person.erased", customer_id)
        return {place: rows for place, rows in gone.items() if rows}


@contextlib.contextmanager
def own_store(settings: Settings) -> Iterator[tuple[Database, bytes]]:
    """Open the service's store for one verb, its layout up to date; close it when the verb has ended.

    Yields
    ------
    Database, bytes
        The store, and the secret that seals it.

    Raises
    ------
    SettingError
        If another secret sealed the store.
    Unavailable
        If it cannot be opened.
    """
    database = Database(settings.store_url, settings.store.wait_seconds)
    try:
        database.upgrade()
        secret = installation_secret(settings)
        Trail(secret).claim(database, time.time_ns() // 1000)
        yield database, secret
    finally:
        database.close()


def _settings(config: Path | None, data_dir: Path) -> Settings:
    settings = load_settings(config)
    data = settings.data.model_copy(update={"data_dir": data_dir})
    return settings.model_copy(update={"data": data})


def _note(database: Database, secret: bytes, action: str, customer_id: str) -> None:
    subject = Pseudonyms(secret).of(customer_id).hex()
    with database.writing() as connection:
        Trail(secret).append(connection, [Deed(time.time_ns() // 1000, _ACTOR, action, subject)])
