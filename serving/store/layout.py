"""Is the store's layout the newest, and if not, the steps there.

A layout that is current is told without loading the machinery of the steps: most starts need no more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSIONS: Final = "alembic_version"


def newest() -> str:
    """Return the revision of the newest layout: the number in its file's name.

    Examples
    --------
    >>> newest() >= "0001"
    True
    """
    return max(
        path.stem.split("_", 1)[0].removeprefix("v") for path in (MIGRATIONS / "versions").glob("v*.py")
    )


def is_newest(connection: Connection) -> bool:
    """Return whether a database has the newest layout."""
    if not inspect(connection).has_table(_VERSIONS):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {_VERSIONS}"))  # noqa: S608  (a name of ours)
    return list(found.scalars()) == [newest()]


def bring_up_to_date(connection: Connection) -> None:
    """Take every step that is left."""
    from alembic import command  # noqa: PLC0415  (see above)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
