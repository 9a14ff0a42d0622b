"""The service's verbs of the one command line."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from clv.errors import SettingError
from models.configuration import VARIABLE
from models.forgotten import remember
from models.generation import pointed_at
from serving.access.roles import ROLES, SCOPES
from serving.feedback import write_feedback
from serving.listening import listen
from serving.settings import LOOPBACK, Settings, load_settings
from serving.side import Side, own_store
from serving.store.keys import all_keys, end_key, make_key, revoke
from serving.store.people import suppressed
from serving.store.trail import Deed, Trail
from serving.threshold import Threshold

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; ./clv.toml if any.")
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for everything made (default: var).")
]

keys = typer.Typer(
    no_args_is_help=True, help="Access keys of machines and people: add, list, rotate, revoke."
)
audit = typer.Typer(no_args_is_help=True, help="The record of who did what.")


def register(app: typer.Typer) -> Side:
    """Add the service's verbs to the command line; return its part in the verbs of the whole house."""
    app.command("serve")(serve)
    app.command("feedback")(feedback)
    app.add_typer(keys, name="keys")
    app.add_typer(audit, name="audit")
    return Side()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that answer.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Answer questions over HTTP: who is this customer, what to say next, who is in a segment.

    Without sign-in it listens on this machine only. A new publication is picked up while it runs. Told to end
    (SIGTERM or Ctrl-C), it answers what is under way, writes what waits, and ends with 0.
    """
    _hand_on(config, data_dir, workers)
    settings = load_settings()
    address = host or settings.serving.host
    named = port if port is not None else settings.serving.port
    check_address(address, settings)
    _greet(Console(stderr=True), settings, address, named)
    signal.signal(signal.SIGTERM, _leave)
    server = uvicorn.Config(
        "serving.process:own_process",
        factory=True,
        host=address,
        port=named,
        workers=settings.serving.workers,
        http=Threshold,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=settings.serving.drain_seconds,
    )
    listen(server)


def _leave(number: int, frame: FrameType | None) -> None:
    """Take the signal to end, raised once more when the server has ended: nothing is left to do."""
    del number, frame


def check_address(host: str, settings: Settings) -> None:
    """Refuse to open an unguarded service to others.

    Parameters
    ----------
    host
        Address to listen on.
    settings
        Says whether sign-in is set up.

    Raises
    ------
    SettingError
        If the address is not loopback and there is no sign-in.
    """
    if host not in LOOPBACK and not settings.security.sign_in:
        raise SettingError(
            f"Without sign-in the service listens on this machine only, not on {host}.",
            where="serving.host",
            hint="Keep 127.0.0.1, or set security.sign_in and make a key with `clv keys add`.",
        )


def feedback(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to (default: feedback/ in it).")] = None,
) -> None:
    """Turn the service's log into tables: labelled decisions, and what the ledger takes in.

    The ledger takes purchases.csv (unless the shop's own files hold these orders), interactions.csv and
    outcomes.csv, each named: clv ingest --source purchases=var/feedback/purchases.csv

    Who asked the service to be forgotten is told to the night as well.

    Each row of decisions.csv is one offer served, with its selection probability and what became of it.
    """
    _hand_on(config, data_dir)
    settings = load_settings()
    with own_store(settings) as (database, _):
        written = write_feedback(
            database, out or settings.data.data_dir / "feedback", settings.store.attribution_days
        )
        remember(settings.data.data_dir, suppressed(database))
    for path, rows in written.items():
        Console().print(f"{path}: {rows} rows")


@keys.command("add")
def add_key(
    owner: Annotated[str, typer.Argument(help="Person or machine that will hold it.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"For machines: {', '.join(sorted(SCOPES))}.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it ends; never unless given.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make a key and print it. It is shown this once and kept as a hash."""
    unknown = sorted(set(scope or ()) - SCOPES)
    if role not in ROLES or unknown:
        wrong = unknown[0] if unknown else role
        raise SettingError(
            f"There is no role or scope {wrong!r}.", where="clv keys add", hint="clv keys add --help"
        )
    _hand_on(config, data_dir)
    settings = load_settings()
    now = time.time_ns() // 1000
    expires = now + int(timedelta(days=days).total_seconds() * 1e6) if days else None
    with own_store(settings) as (database, secret), database.writing() as connection:
        shown = make_key(
            connection,
            secret,
            owner=owner,
            role=role,
            scopes=tuple(scope or ()),
            at=now,
            expires_at=expires,
        )
        deed = Deed(now, "command line", "key.added", owner, f"{role} {' '.join(scope or ())}".strip())
        Trail(secret).append(connection, [deed])
    Console().print(shown, soft_wrap=True, highlight=False)


@keys.command("list")
def list_keys(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """List keys: whose, what for, until when. The keys themselves are not known."""
    _hand_on(config, data_dir)
    table = Table("key", "owner", "role", "scopes", "made", "ends")
    with own_store(load_settings()) as (database, _):
        known = all_keys(database)
    for key in known.values():
        table.add_row(
            key.key_id,
            key.owner,
            key.role,
            " ".join(key.scopes),
            _day(key.created_at),
            _day(key.expires_at if key.revoked_at is None else key.revoked_at),
        )
    Console().print(table)


@keys.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(help="From `clv keys list`.")],
    overlap: Annotated[int, typer.Option(min=0, help="Hours for which the old key still opens.")] = 24,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make a new key in place of an old one, which goes on for a while."""
    _hand_on(config, data_dir)
    settings = load_settings()
    now = time.time_ns() // 1000
    with own_store(settings) as (database, secret):
        old = all_keys(database).get(key_id)
        if old is None or not old.valid(now):
            what = f"There is no valid key {key_id}."
            raise SettingError(what, where="clv keys rotate", hint="clv keys list")
        with database.writing() as connection:
            shown = make_key(
                connection,
                secret,
                owner=old.owner,
                role=old.role,
                scopes=old.scopes,
                at=now,
                expires_at=old.expires_at,
            )
            end_key(connection, key_id, now + overlap * 3_600_000_000)
            Trail(secret).append(connection, [Deed(now, "command line", "key.rotated", old.owner, key_id)])
    Console().print(shown, soft_wrap=True, highlight=False)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="From `clv keys list`.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """End a key now: within seconds it opens nothing anywhere."""
    _hand_on(config, data_dir)
    settings = load_settings()
    now = time.time_ns() // 1000
    with own_store(settings) as (database, secret), database.writing() as connection:
        if not revoke(connection, key_id, now):
            what = f"There is no key {key_id} that is not revoked."
            raise SettingError(what, where="clv keys revoke", hint="clv keys list")
        deed = Deed(now, "command line", "key.revoked", key_id)
        Trail(secret).append(connection, [deed])
    Console().print(f"{key_id} is revoked.")


@audit.command("verify")
def verify_audit(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Check that no line of the audit trail was changed, taken out or put in."""
    _hand_on(config, data_dir)
    settings = load_settings()
    with own_store(settings) as (database, secret):
        findings = Trail(secret).verify(database)
    if not findings.whole:
        Console(stderr=True).print(f"[red]The audit trail is broken at line {findings.broken_at}.[/red]")
        raise typer.Exit(1)
    Console().print(f"The audit trail is whole: {findings.lines} lines.")


def _hand_on(config: Path | None, data_dir: Path | None, workers: int | None = None) -> None:
    """Put what was said on the command line where the worker processes read it."""
    if config is not None:
        os.environ[VARIABLE] = str(config.resolve())
    if data_dir is not None:
        os.environ["CLV_DATA__DATA_DIR"] = str(data_dir)
    if workers is not None:
        os.environ["CLV_SERVING__WORKERS"] = str(workers)


def _day(at: int | None) -> str:
    return "never" if at is None else f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M}"


def _greet(console: Console, settings: Settings, host: str, port: int) -> None:
    """Say where to look, and what is not there yet."""
    pointer = pointed_at(settings.published)
    shown = f"[{host}]" if ":" in host else host
    waiting = "none yet: run `clv run`, it is picked up when it comes"
    console.print(f"Agent page   http://{shown}:{port}/agent")
    console.print(f"API          http://{shown}:{port}/openapi.json")
    console.print(f"Publication  {pointer[0] if pointer else waiting}")
    if not settings.security.sign_in:
        console.print("[yellow]No sign-in: whoever uses this machine may do everything.[/yellow]")
