"""The one command line, ``clv``: a verb for each step of the night, and those the service hands over.

What only one verb needs (MLflow, DuckDB, pictures) is loaded by that verb: the service starts without it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clv.errors import ClvError
from models.configuration import SECTIONS, described
from pipelines.progress import Bars
from pipelines.settings import Settings, load_settings
from pipelines.steps import STEPS
from pipelines.summary import print_earned, print_findings, print_step, print_summary
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.night import Night

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Customer lifetime value and next best offer: from a purchase log to a hint on an agent's screen.",
)

Config = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; ./clv.toml if there is one.")
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for everything made (default: var).")
]
Source = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        "-s",
        help="complete-journey, cdnow, a CSV or Parquet file, folder or glob, or TABLE=any of these or a "
        "SQL URL; may be given several times.",
    ),
]
Mapping = Annotated[Path | None, typer.Option("--mapping", help="TOML file: which header is which column.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], help="Last day that may be seen; the log's last day if not given."
    ),
]
Customer = Annotated[str, typer.Argument(help="The person's customer_id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Do it even if nothing it reads has changed.")]


@contextmanager
def _night(
    config: Path | None,
    data_dir: Path | None,
    as_of: datetime | None = None,
    *,
    dry_run: bool = False,
    again: bool = False,
) -> Iterator[Night]:
    """Open the night's work with bars on the terminal."""
    from pipelines.night import Night  # noqa: PLC0415

    settings = _settings(config, data_dir)
    with Bars(Console(stderr=True)) as bars:
        yield Night(
            settings,
            as_of=_day(as_of),
            today=datetime.now(UTC).date(),
            progress=bars,
            dry_run=dry_run,
            again=again,
        )


def _settings(config: Path | None, data_dir: Path | None) -> Settings:
    settings = load_settings(config)
    if data_dir is None:
        return settings
    return settings.model_copy(update={"data": settings.data.model_copy(update={"data_dir": data_dir})})


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"clv {version('clv-next-best-offer')}\n")
        raise typer.Exit


@app.callback()
def about(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    """Tell what customers are worth and what to say next: from a purchase log to an agent's screen."""


@app.command()
def ingest(
    source: Source = None,
    mapping: Mapping = None,
    config: Config = None,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
) -> None:
    """Read purchases and what else there is into the ledger; bad rows go to quarantine, none is lost."""
    with _night(config, data_dir, dry_run=dry_run) as night:
        result = night.ingest(source or [], mapping)
    print_step(Console(), result)


def _step(name: str, about: str) -> None:
    """Add one verb for a step that needs nothing but the day."""

    def verb(
        as_of: AsOf = None,
        config: Config = None,
        data_dir: DataDir = None,
        again: Again = False,
        dry_run: DryRun = False,
    ) -> None:
        with _night(config, data_dir, as_of, dry_run=dry_run, again=again) as night:
            result = night.step(name)
        print_step(Console(), result)

    app.command(name, help=about)(verb)


for _name, _about in STEPS.items():
    _step(_name, _about)


@app.command()
def run(
    source: Source = None,
    mapping: Mapping = None,
    as_of: AsOf = None,
    config: Config = None,
    data_dir: DataDir = None,
    again: Again = False,
    dry_run: DryRun = False,
) -> None:
    """Do the whole night: ingest, features, train, evaluate, register, score, publish."""
    with _night(config, data_dir, as_of, dry_run=dry_run, again=again) as night:
        results = night.run(source or [], mapping)
    print_summary(Console(), results, night.workspace)


@app.command()
def demo(
    serve: Annotated[bool, typer.Option(help="Start the service at the end.")] = True,
    source: Annotated[str, typer.Option(help="complete-journey or cdnow.")] = "complete-journey",
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Do the whole night on public data, then start the service on 127.0.0.1:8000."""
    with _night(config, data_dir) as night:
        results = night.run([source], None)
    print_summary(Console(), results, night.workspace)
    if serve:
        _serve(config, night.workspace)


def _serve(config: Path | None, workspace: Workspace) -> None:
    """Start the service by the verb it handed over: this package does not know it."""
    options = ["--data-dir", str(workspace.root), *(["--config", str(config)] if config else [])]
    typer.main.get_command(app).main(args=["serve", *options], standalone_mode=False)


@app.command("earned")
def what_was_earned(
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Month to look at, such as 2026-10.")],
    feedback: Annotated[
        Path | None, typer.Option(help="Folder `clv feedback` wrote (default: feedback/ in the data folder).")
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Tell what a month of prompts earned against the control group, net of what the centre cost."""
    from pipelines.earnings import earned  # noqa: PLC0415
    from pipelines.ledger import Ledger  # noqa: PLC0415

    settings = _settings(config, data_dir)
    workspace = Workspace(settings.data.data_dir)
    with Ledger(workspace.ledger, read_only=True) as ledger:
        found = earned(
            ledger,
            (feedback or workspace.root / "feedback") / "questions.csv",
            month.date(),
            margin_rate=settings.value.margin_rate,
            agent=settings.centre.agent(),
        )
        print_earned(Console(), found, ledger.currency())


@app.command()
def doctor(config: Config = None, data_dir: DataDir = None) -> None:
    """Examine this machine: versions, native libraries, package names, data folder, ledger, registry."""
    from pipelines.doctor import examine  # noqa: PLC0415

    settings = _settings(config, data_dir)
    findings = examine(Workspace(settings.data.data_dir))
    print_findings(Console(), findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


class Side(Protocol):
    """The part of a half of the house in the verbs that concern all of it."""

    def settings(self, config: Path | None) -> list[tuple[str, str, str, str]]:
        """Return every setting: name, value now, default, what it does."""
        ...

    def held(self, config: Path | None, data_dir: Path, customer_id: str) -> dict[str, Any]:
        """Return everything held about a person, by place."""
        ...

    def forget(self, config: Path | None, data_dir: Path, customer_id: str) -> dict[str, int]:
        """Forget a person; return the rows taken out, by place."""
        ...


_SIDES: list[Side] = [entry.load()(app) for entry in entry_points(group="clv.commands")]


@app.command("settings")
def show_settings(config: Config = None, data_dir: DataDir = None) -> None:
    """Show every setting of the night and of the service: its value now, its default, and what it does."""
    found = {line[0]: line for line in described(_settings(config, data_dir))}
    for side in _SIDES:
        for line in side.settings(config):
            found.setdefault(line[0], line)
    table = Table("setting", "now", "default", "what it does", title="Settings")
    for name in sorted(found, key=lambda name: SECTIONS.index(name.partition(".")[0])):
        table.add_row(*map(escape, found[name]))
    console = Console()
    console.print(table)
    console.print("In clv.toml: \\[section] and name = value. In the environment: CLV_SECTION__NAME.")


@app.command()
def export(
    customer: Customer,
    out: Annotated[Path | None, typer.Option(help="File to write to; the terminal if not given.")] = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Hand out everything held about a person, from every store, as JSON."""
    with _night(config, data_dir) as night:
        found: dict[str, Any] = {"night": night.held(customer)}
        for side in _SIDES:
            found["service"] = side.held(config, night.workspace.root, customer)
    text = json.dumps({"customer_id": customer, **found}, indent=1, default=str, ensure_ascii=False)
    if out is None:
        sys.stdout.write(text + "\n")
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def erase(customer: Customer, config: Config = None, data_dir: DataDir = None) -> None:
    """Forget a person everywhere: store, publication, ledger, quarantine, tables of the nights.

    The same files taken in again do not bring them back. Models stay: no row of anybody is in them, and the
    next training does not see the person.
    """
    with _night(config, data_dir) as night:
        taken: dict[str, int] = {}
        for side in _SIDES:
            taken |= side.forget(config, night.workspace.root, customer)
        taken |= night.forget()
    for place, rows in taken.items():
        Console().print(f"{rows:,} from {escape(place)}", highlight=False)
    if not taken:
        Console().print("Nothing was held. Should something come in, it is left out.")


def main() -> None:
    """Run the command line; an error that can be explained is explained, not traced."""
    try:
        app()
    except ClvError as error:
        Console(stderr=True).print(
            f"[red]{type(error).__name__}[/red] {escape(str(error))}", highlight=False, soft_wrap=True
        )
        sys.exit(1)
