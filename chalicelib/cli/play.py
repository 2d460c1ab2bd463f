"""Samples: one signed request of every source, played at a hub that was just brought up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console

from chalicelib import registry
from chalicelib.cli.cases import sample_case
from chalicelib.cli.send import WAIT_SECONDS, Followed, Sent, follow, send
from chalicelib.cli.stage import Stage
from chalicelib.cli.tools import Tools
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import CLOSED
from chalicelib.errors import HubError
from chalicelib.hub import Hub

if TYPE_CHECKING:
    from chalicelib.cli.up import Up
    from chalicelib.lead.model import Lead


OTHER_WORDS = (
    {
        "id": "zap-000124",
        "first_name": "Zoe",
        "last_name": "Quillfether",
        "email": "zoe.q@example.org",
        "phone": "+447700900132",
        "company": "Quill and Feather",
    },
    {
        "id": "zap-000125",
        "first_name": "Maren",
        "last_name": "Okafor-Lind",
        "email": "okafor@example.net",
        "phone": "+12025550199",
        "company": "Harbour Cafe",
    },
)
"""People of the samples write in other words: one is known again, about the other one is asked."""

IN_WORDS = "generic_json"
"""Connector that they come by."""


@dataclass(frozen=True)
class Played:
    """What became of a source's sample.

    Attributes:
        sent: None where nothing is posted to the source.
        found: None where there was no outcome in time.
    """

    source_id: str
    source: Source
    sent: Sent | None = None
    found: Followed | None = None

    @property
    def is_well(self) -> bool:
        """Say whether it came through, if anything was sent."""
        if self.sent is None:
            return True
        return bool(self.found and self.found.is_settled and self.found.leads)

    @property
    def lead(self) -> "Lead | None":
        """Give the lead that it became or was added to."""
        return self.found.leads[0] if self.found and self.found.leads else None


def play_samples(up: "Up", console: Console) -> None:
    """Play one signed sample of each configured source, and show what became of each."""
    import boto3

    from chalicelib.hub import build

    deployed = up.deployed
    hub = build(deployed.settings, deployed.endpoint)

    def refuse(name: str, values: list[dict[str, Any]]) -> None:
        raise HubError("samples set no secrets")

    stage = Stage(
        deployed.settings.stage, hub, refuse, lambda s: boto3.client(s, **deployed.endpoint)
    )
    tools = Tools(err=console)
    show(play(stage, tools), hub.configurations.current().config, tools)


def play(stage: Stage, tools: Tools) -> list[Played]:
    """Send the sample of each source that is switched on, then follow them all to their leads."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    sources = stage.hub.configurations.current().config.sources
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=tools.err,
        transient=True,
    ) as bar:
        sending = bar.add_task("Playing samples", total=len(sources))
        played = []
        for source_id, source in sources.items():
            played.append(Played(source_id, source, _send(stage, tools, source_id, source)))
            bar.advance(sending)
        played += list(_send_others(stage, tools, sources))
        following = bar.add_task("Following them", total=len(sources))
        ends_at = tools.now() + timedelta(seconds=WAIT_SECONDS)
        followed = []
        for one in played:
            left = (ends_at - tools.now()).total_seconds()
            followed.append(_follow(tools, stage.hub, one, left))
            bar.advance(following)
    return followed


def show(played: Sequence[Played], config: Config, tools: Tools) -> None:
    """Show a line for each source."""
    from rich.table import Table
    from rich.text import Text

    from chalicelib.cli.tools import clean

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("SOURCE", "PROVIDER", "OUTCOME", "LEAD", "SCORE", "OWNER"):
        table.add_column(column, no_wrap=True, justify="right" if column == "SCORE" else "left")
    for one in played:
        title = registry.load(one.source.connector).title
        cells = [one.source_id, title, _outcome(one).partition(":")[0], *_about(one.lead, config)]
        style = "" if one.is_well else "red"
        table.add_row(*(Text(clean(cell)) for cell in cells), style=style)
    tools.err.print(table)
    ill = [one for one in played if not one.is_well]
    for one in ill:
        tools.err.print(f"[red]✗[/] {one.source_id}: ", end="")
        tools.say(f"{_outcome(one)}; hub deliveries --source {one.source_id}")
    sent = sum(one.sent is not None for one in played)
    leads = {one.lead.lead_id for one in played if one.lead}
    if not ill:
        tools.err.print(f"[green]✓[/] {sent} samples played; they are of {len(leads)} people")


def _send(stage: Stage, tools: Tools, source_id: str, source: Source) -> Sent | None:
    is_closed = registry.load(source.connector).signature is CLOSED
    if is_closed or not source.enabled:
        return None
    return send(stage, tools.http, sample_case(source.connector), source_id, tools.now())


def _send_others(stage: Stage, tools: Tools, sources: Mapping[str, Source]) -> Iterator[Played]:
    """Send what is matched by more than identity keys, if a source takes it."""
    fitting = [
        (source_id, source)
        for source_id, source in sources.items()
        if source.connector == IN_WORDS and source.enabled
    ]
    for source_id, source in fitting[:1]:
        case = sample_case(IN_WORDS)
        for answers in OTHER_WORDS:
            other = replace(case, body={**case.body, **answers})
            sent = send(stage, tools.http, other, source_id, tools.now())
            yield Played(source_id, source, sent)


def _follow(tools: Tools, hub: Hub, played: Played, seconds: float) -> Played:
    if played.sent is None or not played.sent.is_accepted:
        return played
    found = follow(tools, hub, played.sent, seconds)
    return Played(played.source_id, played.source, played.sent, found)


def _outcome(played: Played) -> str:
    if played.sent is None:
        return "not posted to" if played.source.enabled else "switched off"
    if not played.sent.is_accepted:
        return f"refused: {played.sent.answer.status}"
    if played.found is None:
        return "no outcome yet"
    delivery = played.found.delivery
    return f"{delivery.outcome}: {delivery.reason}" if delivery.reason else delivery.outcome


def _about(lead: "Lead | None", config: Config) -> list[str]:
    if lead is None:
        return ["", "", ""]
    known = next((n for n in ("full_name", "email", "phone") if n in lead.profile), "")
    owner_id = lead.assignment.owner_id if lead.assignment else ""
    owner = config.owners[owner_id].name if owner_id in config.owners else owner_id
    return [lead.profile[known].value if known else "", str(lead.score.total), owner]
