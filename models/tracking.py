"""The one door to MLflow: imported quietly, told to phone nobody, and pointed at one store at a time.

Importing this module takes about a second; nothing on the service's hot path does.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from clv.errors import RegistryError

# Before the import: telemetry starts with it. A user's own setting wins.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")  # no model of ours is a pickle
# A server that is away is told within seconds: MLflow by itself would try seven times, two minutes each.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

with warnings.catch_warnings():
    # MLflow 3.17.2 warns about its own type hints while it is imported, and SQLAlchemy 2.1 about its mappings
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.data.code_dataset_source
    import mlflow.data.meta_dataset
    import mlflow.models
    import mlflow.pyfunc
    from mlflow.pyfunc.model import PythonModel

__all__ = ["PythonModel", "examine_store", "mlflow", "tracking_to"]

_LOGGERS = ("mlflow", "alembic")
_SQLITE = b"SQLite format 3\0"
# Where MLflow tracks to is the process's, and so are warnings: one thread at a time.
_TURN = threading.RLock()


@contextmanager
def tracking_to(uri: str) -> Iterator[None]:
    """Send what happens inside to one store, quietly, and leave MLflow's globals as they were.

    MLflow has one set of globals: a thread waits until another is through.

    Parameters
    ----------
    uri
        Such as ``sqlite:////data/mlflow.db``.

    Raises
    ------
    RegistryError
        In place of MLflow's own errors and its store's.
    """
    _check_store(uri)
    with _TURN:
        before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]
        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        mlflow.set_tracking_uri(uri)
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except (mlflow.MlflowException, SQLAlchemyError, OSError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            hint = "`clv doctor` examines the store; `mlflow db upgrade` brings an older one up to date."
            raise RegistryError(f"The registry failed: {first}", where=uri, hint=hint) from error
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None means unset


def examine_store(uri: str) -> None:
    """Look at a registry's file without writing to it, which MLflow would: it makes its tables anywhere.

    Parameters
    ----------
    uri
        Such as ``sqlite:////data/mlflow.db``; only SQLite files are looked at.

    Raises
    ------
    RegistryError
        If the file is damaged, or holds something else than a registry.
    """
    _check_store(uri)
    scheme, _, name = uri.partition(":///")
    if scheme != "sqlite":
        return
    try:
        with closing(sqlite3.connect(f"{Path(name).absolute().as_uri()}?mode=ro", uri=True)) as store:
            told = str(store.execute("PRAGMA quick_check(1)").fetchone()[0])
            tables = {row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        told, tables = str(error), set()
    if told != "ok":
        hint = "Put a copy of it back; or move it away, then train and register again."
        raise RegistryError(f"The registry's file is damaged: {told}", where=name, hint=hint)
    if "registered_models" not in tables:
        hint = "Move it away, or point the registry elsewhere."
        raise RegistryError("The registry's file holds no registry.", where=name, hint=hint)


def _check_store(uri: str) -> None:
    """Refuse a store that cannot be one; MLflow itself would try again for minutes before it says so."""
    scheme, _, name = uri.partition(":///")
    if scheme != "sqlite":
        return
    path = Path(name)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise RegistryError(
            "The registry's file cannot be written.", where=str(path), hint="Check its folder."
        )
    if path.exists():
        with path.open("rb") as stream:
            head = stream.read(len(_SQLITE))
        if head not in {b"", _SQLITE}:
            hint = "Move it away, or point the registry elsewhere."
            raise RegistryError("The registry's file is not an SQLite database.", where=str(path), hint=hint)
