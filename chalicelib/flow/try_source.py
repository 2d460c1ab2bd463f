"""A source tried: one request through the whole path, every step told, and no effect at all.

It runs what the flows run, on a hub that cannot be changed (see untouched).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.connector import (
    CLOSED,
    Act,
    Connector,
    Request,
    Submission,
    Unreadable,
    complete,
    read,
)
from chalicelib.errors import HubError, Malformed, Misconfigured
from chalicelib.flow.details import find_delivery
from chalicelib.flow.glance import Glance
from chalicelib.flow.keep import MOST_INLINE_BYTES, request_of
from chalicelib.flow.match import Match, match
from chalicelib.flow.notify import Subject, rehearse
from chalicelib.flow.qualify import is_refused
from chalicelib.flow.receive import MOST_BYTES
from chalicelib.flow.route import Plan, plan
from chalicelib.flow.sources import find_source
from chalicelib.flow.untouched import Noted, untouched
from chalicelib.flow.watch import address_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Model, Touch
from chalicelib.lead.normalise import normalise
from chalicelib.lead.scoring import sum_in_words
from chalicelib.lead.text import joined
from chalicelib.played import answer, make_request
from chalicelib.records import Effect, claim_key, claim_of
from chalicelib.request import kept, pack

State = Literal["ok", "failed", "skipped"]

STEPS = ("source", "proof", "kept", "read", "fetched", "fields", "lead", "score", "owner", "told")
"""In the order in which they are taken; each needs those before it."""

MOST_DETAILS = 40
LONGEST_LINE = 200

T = TypeVar("T")


class Step(Model):
    """One step of the path."""

    name: str
    state: State
    found: str = Field(description="in words")
    details: tuple[str, ...] = ()
    hint: str = Field(default="", description="how to mend it; empty when there is nothing to mend")
    milliseconds: int = 0


class Trial(Model):
    """What would become of a request; nothing of it was done."""

    source_id: str
    of: str = Field(description="what was tried: the sample, a body, or a delivery")
    is_ok: bool = Field(description="no step failed")
    steps: tuple[Step, ...]
    next: str = Field(description="what to do for a test with the provider itself")


@dataclass(frozen=True)
class Told:
    """What a step found."""

    found: str
    details: tuple[str, ...] = ()
    hint: str = ""
    state: State = "ok"


class _Stopped(Exception):
    """The steps that follow need one that failed."""


@dataclass
class _Run:
    """One trial under way.

    Attributes:
        hub: an untouched one.
        fetched: what the provider's API would say; None when that is not known.
        is_sample: it is the connector's own, so its questions may not be the source's.
    """

    hub: Hub
    noted: Noted
    current: Current
    source_id: str
    source: Source
    now: datetime
    fetched: Mapping[str, Any] | None = None
    is_sample: bool = False
    steps: list[Step] = field(default_factory=list)

    def take(self, name: str, hint: str, act: Callable[[], tuple[T, Told]]) -> T:
        """Take a step and note what it found, or why it failed and how to mend that."""
        began = self.hub.clock()
        try:
            value, told = act()
        except HubError as error:
            self._note(name, Told(str(error), hint=hint, state="failed"), began)
            raise _Stopped from error
        self._note(name, told, began)
        return value

    def skip(self, name: str, why: str) -> None:
        """Note a step that is not taken."""
        self.steps.append(Step(name=name, state="skipped", found=why))

    def _note(self, name: str, told: Told, began: datetime) -> None:
        self.steps.append(
            Step(
                name=name,
                state=told.state,
                found=told.found[:500],
                details=tuple(line[:LONGEST_LINE] for line in told.details[:MOST_DETAILS]),
                hint=told.hint,
                milliseconds=round((self.hub.clock() - began).total_seconds() * 1000),
            )
        )


def try_source(
    hub: Hub, source_id: str, given: Mapping[str, Any] | None = None, delivery_id: str = ""
) -> Trial:
    """Put a request through the whole path and tell every step; nothing is written or sent.

    Args:
        hub: looked at.
        source_id: whose path.
        given: parts of a request, see chalicelib.played; None for the connector's own sample.
        delivery_id: of a delivery to take in place of that.

    Raises:
        NotFound: no such source or delivery.
        Misconfigured: the connector cannot be loaded, or has no sample.
        Unavailable: the table is down.
    """
    current = hub.configurations.current()
    source = find_source(current.config, source_id)
    connector = registry.load(source.connector)
    guarded, noted = untouched(hub)
    run = _Run(guarded, noted, current, source_id, source, hub.clock())
    with suppress(_Stopped):
        _take_steps(run, connector, given, delivery_id)
    for name in STEPS[len(run.steps) :]:
        run.skip(name, "it needs a step before it")
    return Trial(
        source_id=source_id,
        of=f"delivery {delivery_id}" if delivery_id else "a body" if given else "the sample",
        is_ok=all(step.state != "failed" for step in run.steps),
        steps=tuple(run.steps),
        next=f"For a test with {connector.title} itself send a test lead there ({connector.docs}); "
        f"then: hub deliveries --source {source_id}",
    )


def _take_steps(
    run: _Run, connector: Connector, given: Mapping[str, Any] | None, delivery_id: str
) -> None:
    if delivery_id:
        request = _kept_before(run, delivery_id)
    else:
        parts = registry.sample(connector.name) if given is None else given
        run.fetched, run.is_sample = parts.get("fetched"), given is None
        # What the sample's form is like; how a request is proved is the source's own.
        sampled = {k: v for k, v in parts.get("options", {}).items() if k != "scheme"}
        run.source = run.source.model_copy(update={"options": {**sampled, **run.source.options}})
        request = _arrived(run, connector, parts)
    acts = run.take("read", _HINT_READ, lambda: _read(run, connector, request))
    submission = next((act for act in acts if isinstance(act, Submission)), None)
    if submission is None:
        raise _Stopped
    whole = _fetched(run, connector, submission)
    touch = run.take("fields", _HINT_FIELDS, lambda: _fields(run, connector, whole))
    if run.steps[-1].state == "skipped":
        return
    found = run.take("lead", "", lambda: _lead(run, whole, touch))
    run.take("score", "", lambda: _score(found))
    if is_refused(found.lead):
        for name in ("owner", "told"):
            run.skip(name, f"it is refused: {found.lead.triage_reason}")
        return
    if not found.lead.awaits:
        run.skip("owner", "it tells of a person and asks for nothing, so its lead stays as it is")
        run.skip("told", "nobody is told")
        return
    planned = run.take("owner", "", lambda: _owner(run, found))
    run.take("told", "", lambda: _told(run, planned, touch))


_HINT_READ = "compare the body with the connector's README; mend the connector or the sender"
_HINT_FIELDS = "map the answers that say who it is: sources.ID.fields in the configuration"


# --- the door -------------------------------------------------------------------------------------


def _arrived(run: _Run, connector: Connector, parts: Mapping[str, Any]) -> Request:
    """Take the steps of the door with a request that is signed here as the provider would."""
    run.take("source", "", lambda: _source(run, connector))
    hint = f"set the secret that the provider signs with: hub secret set {run.source.secret}"
    verified = run.take("proof", hint, lambda: _proof(run, connector, parts))
    return run.take("kept", "", lambda: _kept(verified))


def _kept_before(run: _Run, delivery_id: str) -> Request:
    """Take the steps of the door with a request that came through it once."""
    connector = registry.load(run.source.connector)
    delivery = find_delivery(run.hub, delivery_id)
    run.take("source", "", lambda: _source(run, connector))
    run.skip("proof", "it was verified when it came, and no proof is kept")

    def look() -> tuple[Request, Told]:
        if delivery.source_id != run.source_id:
            raise Misconfigured(f"delivery {delivery_id} came by {delivery.source_id}")
        request = request_of(run.hub, delivery)
        at = f"{delivery.received_at:%Y-%m-%d %H:%M} UTC"
        return request, Told(f"{len(request.body)} bytes, kept at {at}")

    return run.take("kept", f"name one of its own: hub deliveries --source {run.source_id}", look)


def _source(run: _Run, connector: Connector) -> tuple[None, Told]:
    address = address_of(run.hub, run.source_id, run.source, shown=True)
    told = Told(f"{connector.title} at {address}")
    if not run.source.enabled:
        status = connector.statuses.switched_off
        told = Told(
            f"it is switched off: {connector.title} is answered {status} and nothing is kept",
            hint=f"publish the configuration with sources.{run.source_id}.enabled: true",
            state="failed",
        )
    return None, told


def _proof(run: _Run, connector: Connector, parts: Mapping[str, Any]) -> tuple[Request, Told]:
    """Sign with the source's newest live secret as the provider does, then verify."""
    signature = connector.signature_for(connector.options_with(run.source.options))
    address = address_of(run.hub, run.source_id, run.source)
    bare = make_request(parts, run.source_id, run.now, address)
    if signature is CLOSED:
        return bare, Told("nothing is posted to this source, so there is nothing to prove")
    secrets = run.hub.secrets.get(run.source.secret)
    if not secrets:
        raise Misconfigured(f"secret {run.source.secret!r} has no live value: all is refused")
    verified = signature.verify(signature.sign(bare, secrets[0]), secrets, run.now)
    several = f"; {len(secrets)} secrets are live" if len(secrets) > 1 else ""
    proof = kept(verified, signature.secret_headers)
    return proof, Told(f"signed as {connector.title} signs, and verified{several}")


def _kept(request: Request) -> tuple[Request, Told]:
    if len(request.body) > MOST_BYTES:
        raise Malformed(f"a body of {len(request.body)} bytes; at most {MOST_BYTES} are taken")
    size = len(pack(request))
    where = "in the table" if size <= MOST_INLINE_BYTES else "in the bucket"
    return request, Told(f"{size} bytes {where}, {len(request.body)} as they came")


# --- what it says ---------------------------------------------------------------------------------


def _read(run: _Run, connector: Connector, request: Request) -> tuple[Sequence[Act], Told]:
    acts = read(connector, request, run.source.options)
    counts = Counter(type(act).__name__.lower() for act in acts)
    found = ", ".join(f"{count} {name}" for name, count in counts.items())
    bad = tuple(act.reason for act in acts if isinstance(act, Unreadable))
    if bad:
        return acts, Told(found, bad, _HINT_READ, "failed")
    if not acts:
        return acts, Told("nothing in it for us", hint=_HINT_READ, state="failed")
    submissions = [act for act in acts if isinstance(act, Submission)]
    more = () if len(submissions) < 2 else ("the first submission is followed from here",)
    return acts, Told(found, more)


def _fetched(run: _Run, connector: Connector, submission: Submission) -> Submission:
    """Complete a thin submission from what the sample's provider says; nobody is asked."""
    if not submission.lookup or connector.fetch is None:
        run.skip("fetched", "the request carries the answers itself")
        return submission
    fetched = run.fetched
    if fetched is None:
        run.skip(
            "fetched",
            f"the answers are at {connector.title}, and a trial asks nobody; "
            "a replay does: hub replay ID",
        )
        raise _Stopped

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return answer(fetched, path, params)

    def act() -> tuple[Submission, Told]:
        whole = complete(connector, submission, get)
        if not isinstance(whole, Submission):
            raise Malformed("what is there is no submission")
        return whole, Told(
            f"{len(whole.answers)} answers, as the sample's provider gives them; your own "
            f"provider is not asked"
        )

    hint = f"see the connector's README for sources.{run.source_id}.options"
    return run.take("fetched", hint, act)


def _fields(run: _Run, connector: Connector, submission: Submission) -> tuple[Touch, Told]:
    touch = normalise(
        submission,
        source_id=run.source_id,
        source=run.source,
        connector=connector.name,
        connector_fields=connector.fields,
        config=run.current.config,
        delivery_id="trial",
        received_at=run.now,
    )
    details = tuple(_field_lines(touch))
    if submission.is_spam:
        hint = "a person may let it through: hub replay ID --not-spam"
        return touch, Told(f"suspected spam: {submission.suspicion}", details, hint, "failed")
    if not touch.identity_keys and not submission.is_test:
        found = "nothing says who this is: expected an e-mail address or a phone number"
        if not run.is_sample:
            return touch, Told(found, details, _HINT_FIELDS, "failed")
        found = f"{connector.title} has other questions in each form, so the sample ends here"
        hint = f"try one of yours: hub source test {run.source_id} --delivery ID"
        return touch, Told(found, details, hint, "skipped")
    fields = len(touch.contact) + len(touch.custom)
    found = f"{fields} fields, {len(touch.unmapped)} answers that no field took"
    test = "; it is a test lead, of which no lead is made" if submission.is_test else ""
    hint = f"map them: sources.{run.source_id}.fields" if touch.unmapped else ""
    return touch, Told(found + test, details, hint)


def _field_lines(touch: Touch) -> Iterator[str]:
    taken = {key: text for key, text in touch.answers.items() if key not in touch.unmapped}
    for name, value in touch.contact.items():
        keys = [key for key, text in taken.items() if value.raw and value.raw in _texts(text)]
        notes = f" ({', '.join(value.notes)})" if value.notes else ""
        come_from = f" from {keys[0]}" if keys else ""
        yield f"{name}: {' '.join(value.value.split())}{come_from}{notes}"
    for name, custom in touch.custom.items():
        yield f"custom.{name}: {joined(custom)}"
    for key in touch.unmapped:
        label = touch.labels.get(key, "")
        yield f"unmapped {key}" + (f" ({label})" if label else "")
    if touch.campaign:
        yield "campaign: " + ", ".join(f"{k} {v}" for k, v in sorted(touch.campaign.items()))
    for consent in touch.consents:
        yield f"consent {consent.purpose}: {'given' if consent.given else 'not given'}"
    if touch.notes:
        yield f"noticed: {', '.join(touch.notes)}"


def _texts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


# --- what would become of it ----------------------------------------------------------------------


def _lead(run: _Run, submission: Submission, touch: Touch) -> tuple[Match, Told]:
    found = match(run.hub, run.current, Glance(run.hub.table), touch)
    decision = found.decisions[0]
    who = f"lead {found.lead.lead_id}" if found.version else "a new lead"
    details = [f"{one.candidate}: {one.because}" for one in decision.candidates]
    item = run.hub.table.get(claim_key(run.source_id, submission.external_id))
    if item:
        before = claim_of(item)
        details.append(
            f"the very same submission was taken before, by delivery {before.delivery_id}: "
            "sent once more it would be a duplicate"
        )
    return found, Told(f"{who}: {decision.because}", tuple(details))


def _score(found: Match) -> tuple[None, Told]:
    score = found.lead.score
    lines = tuple(
        f"{term.points:+d} {term.part}, {term.rule_id}: {term.because}" for term in score.terms
    )
    return None, Told(
        f"{score.total} = {sum_in_words(score)}{f', grade {score.grade}' if score.grade else ''}",
        lines or ("no scoring rule fits",),
    )


def _owner(run: _Run, found: Match) -> tuple[Plan, Told]:
    planned = plan(run.hub, found.lead)
    config = run.current.config
    rule = next((rule for rule in config.routing if rule.id == planned.lead.rule_id), None)
    named = f"rule {rule.title or rule.id}, pool {rule.pool}" if rule else "no routing rule fits"
    (decision,) = planned.event.decisions
    details = tuple(f"{one.candidate}: {one.because}" for one in decision.candidates)
    assignment = planned.lead.assignment
    if assignment is None:
        hint = "add a rule that fits everybody, or a fallback pool that somebody is in"
        found_text = f"{named}; no owner: {decision.because}"
        return planned, Told(found_text, details, hint, "failed")
    owner = config.owners[assignment.owner_id].name
    return planned, Told(f"{named}, owner {owner}: {decision.because}", details)


def _told(run: _Run, planned: Plan, touch: Touch) -> tuple[None, Told]:
    """Write every notification, into the void."""
    lines = []
    failed = False
    for effect in planned.effects:
        try:
            lines.append(_rehearsed(run, planned.lead, touch, effect))
        except HubError as error:
            failed = True
            lines.append(f"{effect.destination_id}: would FAIL: {error}")
    if not planned.effects:
        hint = "name destinations in the rule's notify"
        return None, Told("nobody is told", hint=hint)
    found = f"{len(planned.effects)} notifications would go out"
    hint = "look at the destination and its secret" if failed else ""
    return None, Told(found, tuple(lines), hint, "failed" if failed else "ok")


def _rehearsed(run: _Run, lead: Lead, touch: Touch, effect: Effect) -> str:
    run.noted.mails.clear()
    run.noted.posts.clear()
    rehearse(run.hub, run.current, Subject(lead, touch), effect)
    if run.noted.mails:
        mail = run.noted.mails[0]
        return f"{effect.destination_id}: mail to {mail.to}: {mail.subject}"
    url, body = run.noted.posts[0]
    # The path of some addresses is a secret.
    return f"{effect.destination_id}: {len(body)} bytes to {urlsplit(url).hostname}"
