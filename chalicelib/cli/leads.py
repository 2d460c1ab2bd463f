"""hub leads, lead, why."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import Invalid
from chalicelib.flow.lists import LeadFilter, Listed
from chalicelib.lead.edits import NOTHING, edits_in_force
from chalicelib.lead.model import STATUSES, Consent, ProfileValue
from chalicelib.lead.text import joined

LeadId = Annotated[str, typer.Argument(metavar="ID", help="Of the lead; hub leads shows it.")]

PAGE = 200
"""Entries that are read at once."""


def leads(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="An owner's id, or -unowned.")] = "",
    status: Annotated[str, typer.Option(help="new, assigned, contacted, ...")] = "",
    source: Annotated[str, typer.Option(help="By which they came last.")] = "",
    lead_stage: Annotated[str, typer.Option("--lead-stage", help="lead, MQL, SQL, ...")] = "",
    q: Annotated[
        str, typer.Option("--q", help="E-mail, phone, or text in name, company, e-mail.")
    ] = "",
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List leads, newest first.

    Example: hub leads --owner anna --q example.com
    """
    from chalicelib.flow.lists import list_leads

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    for what, given, known in (
        ("--status", status, STATUSES),
        ("--lead-stage", lead_stage, hub.configurations.current().config.qualifying.order),
    ):
        if given and given not in known:
            raise Invalid("no such list", (f"{what}: expected one of {', '.join(known)}",))
    wanted = LeadFilter(owner, status, source, lead_stage, q)
    found, more = gather(tools, limit, lambda most, after: list_leads(hub, wanted, most, after))
    if as_json:
        tools.show_json(found)
        return
    if not found:
        tools.say("No lead fits." if any((owner, status, source, lead_stage, q)) else NO_LEADS)
        return
    tools.show_table(
        ("ID", "NAME", "COMPANY", "SCORE", "STATUS", "OWNER", "SOURCE", "FIRST CAME"),
        [
            (
                one["lead_id"],
                one["name"] or one["email"] or one.get("phone", ""),
                one["company"],
                f"{one['score']} {one['grade']}".strip(),
                one["status"],
                one["owner"] or f"({one['reason'] or one['state']})",
                one["source"],
                one["created_at"][:19].replace("T", " "),
            )
            for one in found
        ],
    )
    tell_of_more(tools, limit, is_more=more)


NO_LEADS = "No leads yet. Play a provider: hub send typeform --wait"


def lead(
    context: typer.Context,
    lead_id: LeadId,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show one lead and what happened with it."""
    from chalicelib.flow.details import find_lead, timeline
    from chalicelib.flow.duplicates import duplicates_of

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found = find_lead(hub, lead_id)
    entries = timeline(hub, found)
    twins = [(one.other_than(found), one.proposal) for one in duplicates_of(hub, found)]
    if as_json:
        story = [entry.model_dump(mode="json") for entry in entries]
        ids = [twin.lead_id for twin, _ in twins]
        tools.show_json({**found.model_dump(mode="json"), "timeline": story, "duplicates": ids})
        return
    if found.lead_id != lead_id:
        tools.say(f"{lead_id} became part of {found.lead_id}.")
    owner = found.assignment.owner_id if found.assignment else ""
    facts: list[tuple[str, Any, str]] = [
        ("lead", found.lead_id, ""),
        ("status", f"{found.status}, {found.stage}", ""),
        ("owner", owner or ("nobody: unowned" if found.is_unowned else "nobody"), ""),
        (
            "score",
            f"{found.score.total} (fit {found.score.fit}, engagement {found.score.engagement})",
            "",
        ),
    ]
    facts += [(f"score: {name}", points, "") for name, points in found.score.parts.items()]
    if found.score.grade:
        facts.append(("grade", found.score.grade, ""))
    if found.triage:
        facts.append(("triage", found.triage.replace("_", " "), found.triage_reason))
    facts += [
        (name, value.value, _from(value))
        for name, value in {**found.profile, **found.custom}.items()
    ]
    facts += [
        (name, "", f"emptied by hand, {edit.by}, {clean(edit.at)}")
        for name, edit in edits_in_force(found.edits).items()
        if edit.value in NOTHING
    ]
    facts += [
        (f"consent to {name}", _agreed(consent), "") for name, consent in found.consents.items()
    ]
    for when, ref in (("first touch", found.first_touch), ("last touch", found.last_touch)):
        if ref is not None and ref.campaign:
            told = [f"{k}={v}" for k, v in ref.campaign.items()]
            facts.append((f"campaign of {when}", told, ref.source_id))
    if found.credits:
        facts.append(("sent by", ", ".join(credit.referrer for credit in found.credits), ""))
    if found.flags:
        facts.append(("flags", ", ".join(found.flags), ""))
    tools.show_table(
        ("FIELD", "VALUE", "FROM"), [(name, joined(value), where) for name, value, where in facts]
    )
    unmapped = [
        (f"{entry.source_id}: {entry.touch.labels.get(key, key)}", joined(entry.touch.answers[key]))
        for entry in entries
        if entry.touch
        for key in entry.touch.unmapped
    ]
    if unmapped:
        tools.show("")
        tools.show_table(("ANSWER THAT NO FIELD TOOK", ""), unmapped)
    tools.show("")
    tools.show_table(
        ("WHEN", "WHAT", "WHO", ""),
        [(clean(e.at), e.kind, e.actor or e.source_id, e.text) for e in entries],
    )
    for twin, proposal in twins:
        tools.say(f"Perhaps the same person as {twin.lead_id}: {proposal.because}")
        tools.say(f"  hub duplicates merge {found.lead_id} {twin.lead_id}; or apart")
    tools.say(f"Why it is so: hub why {found.lead_id}")


def _from(value: ProfileValue) -> str:
    """Say where a value is from: a source's touch, or by hand; and when."""
    where = f"by hand, {value.by}" if value.event_id else value.source_id
    return f"{where}, {clean(value.at)}" if where else clean(value.at)


def _agreed(consent: Consent) -> str:
    answer = "yes" if consent.given else "no"
    return f"{answer}: {consent.wording}" if consent.wording else answer


def why(
    context: typer.Context,
    lead_id: LeadId,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Explain a lead's match, score, rule and owner in words."""
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.why import why as explain

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found = explain(hub, find_lead(hub, lead_id))
    if as_json:
        tools.show_json(found.model_dump(mode="json"))
        return
    for line in found.lines:
        tools.show(line)


def gather(tools: Tools, limit: int, page: Callable[[int, str], Listed]) -> tuple[list[Any], bool]:
    """Read pages of a list until there are enough; says whether there is more."""
    found: list[Any] = []
    after = ""
    with tools.err.status("Reading"):
        while len(found) < limit:
            listed = page(min(PAGE, limit - len(found)), after)
            found += listed.entries
            after = listed.after
            if not after:
                return found, False
    return found, True


def tell_of_more(tools: Tools, limit: int, *, is_more: bool) -> None:
    """Say that a list was cut."""
    if is_more:
        tools.say(f"The newest {limit}. For more: --limit {limit * 5}")
