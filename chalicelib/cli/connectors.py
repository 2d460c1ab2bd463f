"""hub connectors: which providers the hub can take leads from, and how each is proved."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from chalicelib import registry
from chalicelib.cli.cases import case_names, load_case
from chalicelib.cli.tools import JsonOption, Tools, tools_of

KNOWN_FROM = {
    "captured": "captured from it",
    "documented": "its documentation",
    "code": "code that sends or takes it",
    "recalled": "unverified",
}
"""By Connector.facts: where the shape of its payload is known from."""

MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="As the table of the README, which a test compares.")
]


@dataclass(frozen=True)
class Row:
    """What the table says of one connector."""

    name: str
    title: str
    proof: str
    notice: str
    backfill: str
    test_leads: str
    known_from: str


def command(
    ctx: typer.Context, *, markdown: MarkdownOption = False, as_json: JsonOption = False
) -> None:
    """List the connectors: proof, what a notice holds, back-fill, test leads, how well known."""
    tools = tools_of(ctx)
    found = list(rows())
    if as_json:
        tools.show_json([asdict(row) for row in found])
    elif markdown:
        tools.out.print(table(found), end="", soft_wrap=True, markup=False, highlight=False)
    else:
        _show(tools, found)


def rows() -> Iterator[Row]:
    """Say of each connector what its code and cases say."""
    for name in registry.names():
        connector = registry.load(name)
        others = {scheme.proof for scheme in connector.schemes.values()}
        choice = ", or by choice" if others - {connector.signature.proof} else ""
        shakes = ", handshake" if connector.handshake else ""
        is_tested = any(
            told.get("is_test")
            for case in case_names(name)
            for told in load_case(name, case).submissions
        )
        backfill = connector.backfill
        yield Row(
            name=name,
            title=connector.title,
            proof=connector.signature.proof + choice + shakes,
            notice="ids, then read" if connector.fetch else "complete",
            backfill=f"{backfill.keeps_days} days" if backfill else "-",
            test_leads="marked" if is_tested else "-",
            known_from=KNOWN_FROM[connector.facts],
        )


def table(found: list[Row]) -> str:
    """Write the table in Markdown."""
    lines = [
        "| Connector | For | Proof | Notice | Back-fill | Test leads | Payload known from |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{row.name}](connectors/{row.name}/README.md) | {row.title} | {row.proof} "
        f"| {row.notice} | {row.backfill} | {row.test_leads} | {row.known_from} |"
        for row in found
    ]
    return "\n".join(lines) + "\n"


def _show(tools: Tools, found: list[Row]) -> None:
    heads = ("CONNECTOR", "FOR", "PROOF", "NOTICE", "BACK-FILL", "TEST LEADS", "KNOWN FROM")
    tools.show_table(heads, [tuple(asdict(row).values()) for row in found])
    tools.say(f"{len(found)} connectors. How to set one up: connectors/NAME/README.md")
