"""What a step or a whole night did, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.doctor import Finding
from pipelines.steps import StepResult
from pipelines.workspace import Workspace

_NOTHING: Final = "nothing to do: what it reads has not changed"


def print_step(console: Console, result: StepResult) -> None:
    """Print what one step did."""
    would = result.summary.get("would")
    if would is not None:
        console.print(f"[bold]{result.step}[/bold]: would {would}")
    elif not result.ran:
        console.print(f"[bold]{result.step}[/bold]: {_NOTHING}")
    else:
        console.print(f"[bold]{result.step}[/bold]: done")
    _DETAILS.get(result.step, _plain)(console, result.summary)


def print_summary(console: Console, results: Iterable[StepResult], workspace: Workspace) -> None:
    """Print every step of a night as it is done, then where things lie."""
    for result in results:
        print_step(console, result)
    table = Table("where things lie", "", box=None, header_style="bold")
    table.add_row("ledger", str(workspace.ledger))
    table.add_row("scores", str(workspace.root / "scores"))
    table.add_row("publication", str(workspace.published))
    table.add_row("registry", f"mlflow ui --backend-store-uri sqlite:///{workspace.root / 'mlflow.db'}")
    console.print(table)


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print what the doctor found, and the cure for what is not well."""
    table = Table("", "examined", "seen", box=None, header_style="bold")
    found = list(findings)
    for one in found:
        cure = f"\n[yellow]{escape(one.cure)}[/yellow]" if one.cure else ""
        table.add_row(
            "[green]ok[/green]" if one.well else "[red]ill[/red]", one.name, escape(one.seen) + cure
        )
    console.print(table)
    ill = sum(not one.well for one in found)
    console.print("[green]all is well[/green]" if not ill else f"[red]{ill} to cure[/red]")


def _plain(console: Console, summary: Mapping[str, Any]) -> None:
    for name, value in summary.items():
        if name != "would" and value not in ("", None, []):
            console.print(f"  {name}: {escape(_shown(value))}", soft_wrap=True)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _ingested(console: Console, summary: Mapping[str, Any]) -> None:
    table = Table("table", "read", "accepted", "duplicates", "quarantined", box=None, header_style="bold")
    for row in summary["tables"]:
        counts = [f"{row[name]:,}" for name in ("read", "accepted", "duplicates", "quarantined")]
        table.add_row(f"  {row['table']}", *counts)
    console.print(table)
    for file, reasons in summary["reasons"]:
        for reason, rows in reasons:
            console.print(
                f"  [yellow]{rows:,} rows of {escape(file)}: {escape(reason)}[/yellow]", soft_wrap=True
            )
    for line in (*summary["notes"], *(f"refused rows: {path}" for path in summary["quarantine"])):
        console.print(f"  {escape(line)}", soft_wrap=True)
    for absence in summary["absent"]:
        console.print(
            f"  absent: {absence['what']}, so no {absence['rules_out']}. {absence['hint']}", soft_wrap=True
        )


def _trained(console: Console, summary: Mapping[str, Any]) -> None:
    for kind, facts in summary.get("trained", {}).items():
        console.print(f"  {kind}: {_shown(facts)}", soft_wrap=True)
    for kind, absent in summary.get("absent", {}).items():
        console.print(f"  {kind}: absent, because {absent['because']}. {absent['hint']}", soft_wrap=True)


def _evaluated(console: Console, summary: Mapping[str, Any]) -> None:
    for kind, found in summary.items():
        if isinstance(found, Mapping):
            console.print(f"  {kind}: {escape(found['headline'])}", soft_wrap=True)


def _registered(console: Console, summary: Mapping[str, Any]) -> None:
    table = Table(
        "model", "version", "error beside the baselines", "champion", "why", box=None, header_style="bold"
    )
    for made in summary.values():
        if isinstance(made, Mapping):
            promoted = "[green]promoted[/green]" if made["promoted"] else "[yellow]not promoted[/yellow]"
            told = escape(made["headline"]), promoted, escape(made["reason"])
            table.add_row(f"  {made['name']}", str(made["version"]), *told)
    console.print(table)


_DETAILS: Final = {
    "ingest": _ingested,
    "train": _trained,
    "evaluate": _evaluated,
    "register": _registered,
}
