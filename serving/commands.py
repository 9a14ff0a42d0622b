"""The service's verbs of the one command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from clv.errors import ClvError, SettingError
from models.generation import pointed_at
from serving.settings import CONFIG_VARIABLE, LOOPBACK, Settings, load_settings

ConfigOption = Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")]


def register(app: typer.Typer) -> None:
    """Add the service's verbs to the command line."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that answer.")] = None,
    config: ConfigOption = None,
) -> None:
    """Answer questions over HTTP: who is this customer, what to say next, who is in a segment.

    Without sign-in it listens on this machine only. A new publication is picked up while it runs.
    """
    console = Console(stderr=True)
    try:
        settings = load_settings(config)
        address = host or settings.serving.host
        check_address(address, settings)
        named = port if port is not None else settings.serving.port
        _greet(console, settings, address, named)
    except ClvError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config.resolve())
    uvicorn.run(
        "serving.app:create_app",
        factory=True,
        host=address,
        port=named,
        workers=workers or settings.serving.workers,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=settings.serving.drain_seconds,
    )


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


def _greet(console: Console, settings: Settings, host: str, port: int) -> None:
    """Say where to look, and what is not there yet."""
    pointer = pointed_at(settings.published)
    shown = f"[{host}]" if ":" in host else host
    console.print(f"Agent page  http://{shown}:{port}/agent")
    console.print(f"API         http://{shown}:{port}/openapi.json")
    console.print(
        f"Publication {pointer[0] if pointer else 'none yet: run `clv run`, it is picked up when it comes'}"
    )
    if not settings.security.sign_in:
        console.print("[yellow]No sign-in: whoever uses this machine may do everything.[/yellow]")
