"""What a step or a whole night did, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.steps import StepResult
from pipelines.workspace import Workspace

if TYPE_CHECKING:  # what it checks takes long to load
    from pipelines.doctor import Finding
    from pipelines.earnings import Earned

_NOTHING: Final = "nothing to do: what it reads has not changed"


def print_step(console: Console, result: StepResult) -> None:
    """Print what one step did, with every detail."""
    console.print(f"[bold]{result.step}[/bold]: {_fate(result)}")
    _DETAILS.get(result.step, _plain)(console, result.summary)


def print_summary(console: Console, results: Iterable[StepResult], workspace: Workspace) -> None:
    """Print a line for every step of a night as it is done, then one table of what matters."""
    done: dict[str, StepResult] = {}
    for result in results:
        done[result.step] = result
        console.print(f"[bold]{result.step:<9}[/bold] {_fate(result)}")
    table = Table("the night", "", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for result in done.values():
        for name, told in _ROWS.get(result.step, _nothing)(result.summary):
            table.add_row(name, told)
    for name, place in _places(workspace):
        table.add_row(name, escape(place))
    console.print(table)


def _fate(result: StepResult) -> str:
    would = result.summary.get("would")
    if would is not None:
        return f"would {would}"
    return "done" if result.ran else _NOTHING


def _nothing(_summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ()


def _rows_of_ingest(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in summary["tables"]:
        told = f"{row['read']:,} read, {row['accepted']:,} accepted, {row['duplicates']:,} duplicates"
        yield row["table"], f"{told}, {row['quarantined']:,} quarantined"
    for path in summary["quarantine"]:
        yield "refused rows", escape(path)
    for absence in summary["absent"]:
        yield "absent", escape(f"{absence['what']}: no {absence['rules_out']}")


def _rows_of_train(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, absent in summary.get("absent", {}).items():
        yield f"{kind} model", escape(f"absent, because {absent['because']}")


def _rows_of_register(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for made in summary.values():
        if isinstance(made, Mapping):
            fate = "[green]promoted[/green]" if made["promoted"] else "[yellow]not promoted[/yellow]"
            yield f"{made['name']} {made['version']}", f"{fate}: {escape(made['reason'])}"
            yield "", escape(made["headline"])


def _rows_of_score(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "customers" in summary:
        worth = f"{summary['customers']:,}, together worth {summary['predicted_clv']:,.0f} in the horizon"
        yield "customers", f"{worth}, in {summary['segments']} segments"


def _rows_of_publish(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "generation" in summary:
        yield "published", f"{summary['generation']}, {summary['offers']:,} offers"
        if summary["silence"]:
            yield "hints", f"[yellow]{escape(summary['silence'])}[/yellow]"


def _places(workspace: Workspace) -> Iterator[tuple[str, str]]:
    yield "ledger", str(workspace.ledger)
    yield "scores", str(workspace.root / "scores")
    yield "publication", str(workspace.published)
    yield "registry", f"mlflow ui --backend-store-uri sqlite:///{workspace.root / 'mlflow.db'}"


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


def print_earned(console: Console, earned: Earned, currency: str = "") -> None:
    """Print what a month of prompts earned: both arms, the difference with its interval, and the net."""
    asked = f"{earned.questions:,} questions, {earned.silent:,} answered with silence, {earned.hints:,} hints"
    console.print(f"[bold]{earned.month:%Y-%m}[/bold]: {asked}", highlight=False)
    found = earned.impact
    if found is None:
        console.print(f"[yellow]{escape(earned.because)}[/yellow]", soft_wrap=True)
        return
    table = Table("customers", "asked about", "bought", "margin each", box=None, header_style="bold")
    for name, arm in (("with prompts", found.treatment), ("control group", found.control)):
        table.add_row(
            name, f"{arm.customers:,}", f"{arm.rate:.1%}", f"{arm.value:,.2f} ± {arm.value_error:,.2f}"
        )
    console.print(table)
    console.print(escape(found.verdict), soft_wrap=True)
    money = f"{found.earned:,.0f} {currency}".strip()
    span = f"{found.earned_low:,.0f} to {found.earned_high:,.0f}"
    console.print(
        f"Prompts earned [bold]{money}[/bold] ({span}, 95 %); the centre cost {found.cost:,.0f}; "
        f"net [bold]{found.net:,.0f}[/bold].",
        highlight=False,
        soft_wrap=True,
    )


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
    left_out = sum(row.get("forgotten", 0) for row in summary["tables"])
    if left_out:
        console.print(f"  {left_out:,} rows of people who asked to be forgotten were left out")
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
    for kind, found in summary.get("judged", {}).items():
        console.print(f"  {kind}: {escape(found['headline'])}", soft_wrap=True)


def _registered(console: Console, summary: Mapping[str, Any]) -> None:
    for name, told in _rows_of_register(summary):
        console.print(f"  {name or '  error'}: {told}", soft_wrap=True)


_DETAILS: Final = {
    "ingest": _ingested,
    "train": _trained,
    "evaluate": _evaluated,
    "register": _registered,
}
_ROWS: Final[dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]]] = {
    "ingest": _rows_of_ingest,
    "train": _rows_of_train,
    "register": _rows_of_register,
    "score": _rows_of_score,
    "publish": _rows_of_publish,
}
