"""hub doctor: looks at everything that can be wrong and says what to do."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from chalicelib.cli.stage import Stage
from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import HubError, Misconfigured
from chalicelib.hub import Hub

State = Literal["ok", "warning", "error"]
MARKS = {"ok": ("ok     ", "green"), "warning": ("warning", "yellow"), "error": ("error  ", "red")}


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at.

    Attributes:
        advice: what to do; empty when all is well.
    """

    what: str
    state: State
    found: str
    advice: str = ""


def doctor(
    context: typer.Context,
    stage: StageOption = "local",
    offline: Annotated[bool, typer.Option("--offline", help="Only look at this machine.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at this machine and a running hub, and say what to do about what is wrong."""
    tools = tools_of(context)
    found = list(examine_machine())
    if not offline:
        with tools.err.status("Examining"):
            found += _examine_stage(tools, stage)
    if as_json:
        tools.show_json([asdict(one) for one in found])
    else:
        for one in found:
            mark, style = MARKS[one.state]
            tools.show(f"{mark}  {one.what}: {one.found}", style)
            if one.advice:
                tools.show(f"         -> {one.advice}")
    if any(one.state == "error" for one in found):
        raise typer.Exit(1)


def examine_machine() -> Iterator[Examined]:
    """Look at what this machine needs to run the command."""
    from chalicelib.cli.package import ROOT

    yield Examined("Python", "ok", ".".join(map(str, sys.version_info[:3])))
    yield _link(ROOT)


def _link(root: Path) -> Examined:
    if (root / "vendor" / "connectors").is_dir():
        return Examined("vendor/connectors", "ok", "leads to connectors")
    return Examined(
        "vendor/connectors",
        "error",
        "is not a link to connectors, so packages lack them",
        "git config core.symlinks true, then check out again",
    )


def _examine_stage(tools: Tools, name: str) -> Iterator[Examined]:
    try:
        stage = tools.connect(name)
    except HubError as error:
        advice = "hub up" if name == "local" else f"hub deploy --stage {name}"
        yield Examined(f"stage {name}", "error", str(error), advice)
        return
    yield Examined(f"stage {name}", "ok", stage.url or "deployed")
    yield _answers(tools, stage)
    try:
        yield from _examine_hub(stage.hub)
    except Misconfigured as error:
        yield Examined("configuration", "error", str(error), "hub config publish FILE")
    yield from _examine_health(stage.hub)
    yield _examine_tokens(stage.hub)
    yield from _examine_mail(stage)


def _answers(tools: Tools, stage: Stage) -> Examined:
    advice = "look at the log of the function api"
    try:
        answer = tools.http("GET", f"{stage.url}/health", {}, b"")
    except HubError as error:
        return Examined("API", "error", str(error), advice)
    if answer.status == 200:
        return Examined("API", "ok", "answers")
    return Examined("API", "error", f"/health answers {answer.status}", advice)


def _examine_hub(hub: Hub) -> Iterator[Examined]:
    from chalicelib.cli.deploy import LOCAL
    from chalicelib.config.checks import ONLY_LOCAL
    from chalicelib.flow.check import as_text, check_for, secret_names

    current = hub.configurations.current()
    yield Examined("configuration", "ok", f"version {current.active.number} is in force")
    for finding in check_for(hub, current.config):
        if finding.message == ONLY_LOCAL and hub.settings.stage == LOCAL:
            continue
        yield Examined("configuration", finding.level, as_text(finding), "mend and publish it")
    names = secret_names(current.config)
    missing = [name for name in sorted(names) if not hub.secrets.get(name)]
    for name in missing:
        advice = f"hub secret set {name}"
        yield Examined("secrets", "error", f"{name} has no value; it {names[name]}", advice)
    if not missing:
        yield Examined("secrets", "ok", f"all {len(names)} are there")


def _examine_health(hub: Hub) -> Iterator[Examined]:
    from chalicelib.flow.health import health

    found = health(hub)
    for problem in found.problems:
        told, _, advice = problem.partition(": ")
        yield Examined("work", "error" if found.status == "down" else "warning", told, advice)
    if not found.problems:
        yield Examined("work", "ok", "nothing is overdue, unowned or set aside")
    yield from _examine_clocks(hub)


def _examine_clocks(hub: Hub) -> Iterator[Examined]:
    """Look whether owners have done in time what they were to do, where clocks run."""
    from chalicelib.flow.overdue import list_overdue

    try:
        if not hub.configurations.current().config.sla.policies:
            return
    except Misconfigured:
        return
    late = list_overdue(hub)
    if not late:
        yield Examined("clocks", "ok", "no owner is overdue")
        return
    names = ", ".join(sorted({one.owner_name for one in late})[:5])
    untold = sum(not one.told for one in late)
    said = f"{len(late)} overdue, of {names}; of {untold} nobody has been told"
    yield Examined("clocks", "warning", said, "hub overdue")


def _examine_tokens(hub: Hub) -> Examined:
    from chalicelib.flow.tokens import list_tokens

    admins = sum(caller.role == "admin" for caller in list_tokens(hub))
    if admins:
        return Examined("tokens", "ok", f"{admins} of an admin")
    return Examined("tokens", "warning", "none of an admin", "hub token make NAME --role admin")


def _examine_mail(stage: Stage) -> Iterator[Examined]:
    """Look whether SES takes mail to anybody, and from our sender."""
    from email.utils import parseaddr

    from botocore.exceptions import BotoCoreError, ClientError

    if stage.is_local:
        yield Examined("mail", "ok", "goes to the local mailbox: hub mail")
        return
    try:
        ses = stage.client("sesv2")
        account = ses.get_account()
        sender = parseaddr(stage.hub.configurations.current().config.settings.mail_from)[1]
        verified = {
            one["IdentityName"]
            for one in ses.list_email_identities(PageSize=1000)["EmailIdentities"]
            if one.get("SendingEnabled")
        }
    except (ClientError, BotoCoreError, Misconfigured) as error:
        yield Examined("mail", "warning", f"SES cannot be asked: {type(error).__name__}")
        return
    if not account.get("ProductionAccessEnabled"):
        advice = "ask for production access in the SES console; until then only verified addresses"
        yield Examined("mail", "warning", "SES is in its sandbox", advice)
    if sender and not verified & {sender, sender.rpartition("@")[2]}:
        advice = "verify the address or its domain in the SES console"
        yield Examined("mail", "error", f"SES does not know {sender}", advice)
    elif account.get("ProductionAccessEnabled"):
        yield Examined("mail", "ok", "SES sends")
