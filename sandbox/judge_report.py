"""The verdict for people: tables of what was found, and examples of what is wrong."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.verdict import EXAMPLES, Verdict

_COUNTS = ("expected", "found", "missed", "false", "misclassed", "earlier", "apart", "excused")


def print_verdict(verdict: Verdict, console: Console | None = None) -> None:
    """Print it all."""
    console = console or Console()
    table = Table(title=f"Night {verdict.night} against the truth", title_justify="left")
    table.add_column("entity", no_wrap=True)
    table.add_column("class", no_wrap=True)
    shown = [name for name in _COUNTS if any(getattr(tally, name) for tally in verdict.tallies.values())]
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for (entity, drift_class), tally in sorted(verdict.tallies.items()):
        counts = [getattr(tally, name) for name in shown]
        is_wrong = tally.missed + tally.false + tally.misclassed > 0
        table.add_row(
            entity, drift_class, *("" if count == 0 else str(count) for count in counts),
            style="red" if is_wrong else None,
        )
    console.print(table)
    persons = verdict.persons
    console.print(
        f"persons: precision {persons.precision:.4f}, recall {persons.recall:.4f} "
        f"({persons.right_pairs} of {persons.true_pairs} pairs linked, "
        f"{persons.linked_pairs - persons.right_pairs} wrongly)"
    )
    others = ", ".join(f"{count} {name}" for name, count in sorted(verdict.other_addresses.items())) or "none"
    console.print(f"opt-outs at a person's other addresses: {others}")
    console.print(
        f"pushed and proved: {verdict.confirmed}; in looks alone: {verdict.looks_only}; "
        f"permissions raised without proof: {verdict.raised}"
    )
    _print_failures(verdict, console)


def _print_failures(verdict: Verdict, console: Console) -> None:
    if verdict.is_passed:
        console.print(Text("passed", style="bold green"))
        return
    for kind, examples in verdict.examples().items():
        count = sum(failure.kind == kind for failure in verdict.failures)
        more = f", the first {EXAMPLES}" if count > EXAMPLES else ""
        console.print(Text(f"{kind}: {count}{more}", style="bold red"))
        for failure in examples:
            console.print(Text(f"  {failure.where}  {failure.words}"))
    console.print(Text(f"failed: {len(verdict.failures)} things are not as the truth has them", style="bold red"))
