"""hub send: plays a provider at a running hub, signed as the provider would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

import typer

from chalicelib import registry
from chalicelib.cli.cases import Case, case_names, load_case, sample_case
from chalicelib.cli.freshen import external_ids, freshen
from chalicelib.cli.stage import Stage
from chalicelib.cli.tools import Answered, Http, JsonOption, StageOption, Tools, tools_of
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import BUCKET, Connector, PathToken
from chalicelib.errors import Misconfigured, NotFound
from chalicelib.hub import Hub
from chalicelib.records import Delivery
from chalicelib.request import Request

if TYPE_CHECKING:
    from chalicelib.lead.model import Lead

WAIT_SECONDS = 60
LOOK_EVERY_SECONDS = 0.25
CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(frozen=True)
class Sent:
    """One request that was played.

    Attributes:
        ids: external ids of the submissions in it.
        expected: for a handshake: what the provider wants to be answered; None otherwise.
    """

    case: Case
    source_id: str
    sent_at: datetime
    answer: Answered
    ids: frozenset[str] = frozenset()
    expected: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Say whether the provider would be content."""
        if self.expected is not None and self.answer.body != self.expected:
            return False
        return 200 <= self.answer.status < 400


@dataclass(frozen=True)
class Followed:
    """What became of a request."""

    delivery: Delivery
    leads: tuple["Lead", ...]

    @property
    def is_settled(self) -> bool:
        """Say whether every lead of it has its owner, or is known to have none."""
        return not any(lead.awaits for lead in self.leads)


def send(
    stage: Stage,
    http: Http,
    case: Case,
    source_id: str,
    now: datetime,
    *,
    again: bool = False,
) -> Sent:
    """Play one case at a source, signed with the source's newest live secret.

    Args:
        stage: where.
        http: how.
        case: what; its own options do not matter, the source's do.
        source_id: to whom.
        now: when; the provider's timestamp.
        again: send the case as it is, so that a second time is the same submission.

    Raises:
        NotFound: no such source.
        Misconfigured: the source's secret has no value.
    """
    config = stage.hub.configurations.current().config
    source = config.sources.get(source_id)
    if source is None:
        raise NotFound(f"source {source_id}; there are: {', '.join(config.sources) or 'none'}")
    connector = registry.load(source.connector)
    options = connector.options_with(source.options)
    if case.handshake is not None:
        return _shake_hands(stage, http, case, source_id, now)
    secret = _secret(stage.hub, source.secret)
    body = case.body if again else freshen(case, options, now)
    if stage.is_local and connector.api and connector.api.url == BUCKET:
        _put_mails(stage.hub, case)
    request = _addressed(stage, case.request(now, source_id, body))
    request = connector.signature_for(options).sign(request, secret)
    ids = external_ids(connector, request, options)
    return Sent(case, source_id, now, _post(stage, http, request), ids)


def follow(tools: Tools, hub: Hub, sent: Sent, seconds: float = WAIT_SECONDS) -> Followed | None:
    """Wait for a delivery's outcome, and for its leads' owners; looks at least once.

    Returns:
        What is known after so many seconds at the latest; None when there is no outcome by then.
    """
    from chalicelib.flow.details import find_lead

    found: Followed | None = None
    for _ in range(max(1, int(seconds / LOOK_EVERY_SECONDS))):
        delivery = _outcome(hub, sent)
        if delivery is not None:
            lead_ids = {result.lead_id for result in delivery.results.values() if result.lead_id}
            leads = tuple(find_lead(hub, lead_id) for lead_id in sorted(lead_ids))
            found = Followed(delivery, leads)
            if found.is_settled:
                break
        tools.sleep(LOOK_EVERY_SECONDS)
    return found


def command(
    context: typer.Context,
    connector: Annotated[str, typer.Argument(help="Such as typeform, html_form, meta.")],
    case: Annotated[str, typer.Argument(help="Which story; --list names them.")] = "",
    source: Annotated[str, typer.Option(help="To which source; else the connector's first.")] = "",
    times: Annotated[int, typer.Option(min=1, max=100_000, help="How often.")] = 1,
    again: Annotated[
        bool, typer.Option("--again", help="As it is: the second time is a duplicate.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its lead and owner.")] = False,
    list_cases: Annotated[bool, typer.Option("--list", help="Name the connector's cases.")] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Play a provider: send one of its requests, signed, to a running hub.

    Examples: hub send typeform --wait; hub send meta handshake; hub send html_form --times 50
    """
    tools = tools_of(context)
    names = _cases(connector)
    if list_cases:
        _show_cases(tools, connector, names, as_json=as_json)
        return
    chosen = load_case(connector, case) if case else sample_case(connector)
    at = tools.connect(stage)
    source_id = source or _source_for(at.hub.configurations.current().config, connector)
    sent = _send_all(tools, at, chosen, source_id, times, again=again)
    followed = _follow_all(tools, at.hub, sent) if wait and chosen.handshake is None else []
    if as_json:
        tools.show_json(
            [
                _plain(one, found)
                for one, found in zip(sent, followed or [None] * len(sent), strict=True)
            ]
        )
    else:
        _show(tools, at.hub, sent, followed)
    is_settled = all(found is not None and found.is_settled for found in followed)
    if not is_settled or not all(one.is_accepted for one in sent):
        raise typer.Exit(1)


def _send_all(
    tools: Tools, at: Stage, case: Case, source_id: str, times: int, *, again: bool
) -> list[Sent]:
    from rich.progress import track

    return [
        send(at, tools.http, case, source_id, tools.now(), again=again)
        for _ in track(
            range(times), "Sending", console=tools.err, disable=times < 2, transient=True
        )
    ]


def _follow_all(tools: Tools, hub: Hub, sent: Sequence[Sent]) -> list[Followed | None]:
    from rich.progress import track

    return [
        follow(tools, hub, one) if one.is_accepted else None
        for one in track(sent, "Following", console=tools.err, transient=True)
    ]


def _put_mails(hub: Hub, case: Case) -> None:
    """Put into the bucket what SES would have put there before it tells of it."""
    for name, text in case.fetched.items():
        hub.blobs.put(name, text.encode("latin-1"))


def _addressed(stage: Stage, request: Request) -> Request:
    """Write the address that is called into a request, for providers that sign it."""
    url = f"{stage.url}/hooks/{quote(request.source_id)}"
    if request.path_token:
        url += f"/{quote(request.path_token, safe='')}"
    if request.query:
        url += "?" + urlencode([(n, v) for n, values in request.query.items() for v in values])
    return replace(request, url=url)


def _post(stage: Stage, http: Http, request: Request) -> Answered:
    headers = {name: ", ".join(values) for name, values in request.headers.items()}
    return http(request.method, _addressed(stage, request).url, headers, request.body)


def _shake_hands(stage: Stage, http: Http, case: Case, source_id: str, now: datetime) -> Sent:
    """Ask as the provider asks when somebody saves the address, with the live secret."""
    source = stage.hub.configurations.current().config.sources[source_id]
    connector = registry.load(source.connector)
    secret = _secret(stage.hub, source.verify_token or source.secret)
    assumed = str((case.handshake or {}).get("secret", ""))
    query = {name: secret if value == assumed else value for name, value in case.query.items()}
    request = replace(case, query=query).request(now, source_id)
    signature = connector.signature_for(connector.options_with(source.options))
    if isinstance(signature, PathToken):
        request = signature.sign(request, secret)
    expected = _expected(connector, request, secret)
    return Sent(case, source_id, now, _post(stage, http, request), expected=expected)


def _expected(connector: Connector, request: Request, secret: str) -> str:
    if connector.handshake is None:
        raise Misconfigured(f"{connector.title} does not check addresses")
    return connector.handshake(request, (secret,)).body


def _secret(hub: Hub, name: str) -> str:
    live = hub.secrets.get(name)
    if not live:
        raise Misconfigured(f"the secret {name} has no value: hub secret set {name}")
    return live[0]


def _outcome(hub: Hub, sent: Sent) -> Delivery | None:
    """Find the delivery of what was sent, once it has an outcome that will stay."""
    from chalicelib.flow.details import find_delivery
    from chalicelib.flow.lists import list_deliveries

    since = sent.sent_at - CLOCKS_DIFFER
    for listed in list_deliveries(hub, sent.source_id, "", 50).entries:
        if datetime.fromisoformat(str(listed["received_at"])) < since:
            break
        delivery = find_delivery(hub, str(listed["delivery_id"]))
        known = {result.external_id for result in delivery.results.values()}
        if delivery.outcome not in ("pending", "waiting") and (known & sent.ids or not known):
            return delivery
    return None


def _cases(connector: str) -> list[str]:
    if connector not in registry.names():
        raise NotFound(f"connector {connector}; there are: {', '.join(registry.names())}")
    return case_names(connector)


def _source_for(config: Config, connector: str) -> str:
    def rank(entry: tuple[str, Source]) -> bool:
        return not entry[1].enabled

    fitting = [entry for entry in config.sources.items() if entry[1].connector == connector]
    if not fitting:
        raise NotFound(
            f"source for {connector}: the configuration has none; add one and publish it"
        )
    return min(fitting, key=rank)[0]


def _show_cases(tools: Tools, connector: str, names: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        tools.show_json(list(names))
        return
    for name in names:
        tools.show(name)
    if not names:
        tools.say(f"{connector} has no cases here; they are in tests/connectors/{connector}")


def _show(
    tools: Tools, hub: Hub, sent: Sequence[Sent], followed: Sequence[Followed | None]
) -> None:
    if len(sent) > 1:
        accepted = sum(one.is_accepted for one in sent)
        tools.show(f"{len(sent)} sent to {sent[0].source_id}, {accepted} accepted.")
    else:
        one = sent[0]
        tools.show(
            f"{one.case.name} to {one.source_id}: {one.answer.status} {one.answer.body[:300]}"
        )
        if one.expected is not None:
            same = one.answer.body == one.expected
            tools.show("As the provider wants it." if same else f"Expected: {one.expected[:300]}")
    if not followed and sent[0].is_accepted and sent[0].expected is None:
        tools.say("See what became of it: hub deliveries, hub leads")
    owners = hub.configurations.current().config.owners
    for found in followed:
        if found is None:
            tools.show(f"No outcome after {WAIT_SECONDS} s: hub doctor")
            continue
        delivery = found.delivery
        reason = f": {delivery.reason}" if delivery.reason else ""
        tools.show(f"Delivery {delivery.delivery_id} is {delivery.outcome}{reason}")
        for lead in found.leads:
            owner_id = lead.assignment.owner_id if lead.assignment else ""
            owner = owners[owner_id].name if owner_id in owners else owner_id
            tools.show(
                f"Lead {lead.lead_id}, score {lead.score.total}, owner {owner or 'nobody yet'}"
            )


def _plain(sent: Sent, found: Followed | None) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "connector": sent.case.connector,
        "case": sent.case.name,
        "source": sent.source_id,
        "status": sent.answer.status,
        "body": sent.answer.body[:2000],
        "accepted": sent.is_accepted,
    }
    if found:
        shown["delivery"] = found.delivery.delivery_id
        shown["outcome"] = found.delivery.outcome
        shown["leads"] = [
            {
                "lead_id": lead.lead_id,
                "score": lead.score.total,
                "owner": lead.assignment.owner_id if lead.assignment else "",
            }
            for lead in found.leads
        ]
    return shown
