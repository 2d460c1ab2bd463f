"""An owner's statement: every turn in which they were looked at, made again from what is stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.errors import NotFound
from chalicelib.flow.leads import live_leads
from chalicelib.flow.verify import published
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Hub
from chalicelib.lead.choosing.turn import choose_again
from chalicelib.lead.model import Decision, Model
from chalicelib.lead.rotation import LEAD, Account, Ledger, statement
from chalicelib.records import Event, event_of, lead_key, ledger_key, ledger_of

AT_ONCE = 50
"""Leads of a step."""


class OwnTurn(Model):
    """One decision in which an owner was looked at."""

    decided_at: AwareDatetime
    lead_id: str
    pool_id: str
    version: int = Field(description="of the pool's ledger after it: the order of its turns")
    eligible: tuple[str, ...] = Field(description="owners who came into question")
    share: int = Field(description="in 1e-6 leads: the owner's, by weight among the eligible")
    credited: int = Field(description="in 1e-6 leads; what differs from the share was settled")
    balance: int = Field(description="in 1e-6 leads: of the owner, before")
    went_to: str
    because: str


class OwnAccount(Model):
    """An owner's account in one pool, as it is and as it comes out of the turns."""

    pool_id: str
    received: int
    returned: int
    entitled: int = Field(description="in 1e-6 leads")
    because: str = Field(description="in words")
    from_turns: int = Field(description="in 1e-6 leads: entitlement as the turns add up")
    agrees: bool = Field(description="the account is what its turns add up to")


def next_turns(
    hub: Hub, owner_id: str, walk: Walk, configs: Mapping[str, Config]
) -> tuple[list[OwnTurn], Walk]:
    """Give the turns of an owner in the next leads, oldest lead first; see walk.go_on."""
    entries, after = go_on(hub, walk, AT_ONCE)
    found = live_leads(hub.table, [lead_id_of(entry) for entry in entries])
    lead_ids = [one for lead in found for one in (lead.lead_id, *lead.members)]
    return list(_turns(hub, owner_id, lead_ids, configs)), after


def every_turn(
    hub: Hub, owner_id: str, since: datetime | None = None
) -> Iterator[tuple[list[OwnTurn], Walk]]:
    """Give the turns of an owner lead by lead, with how far that is.

    Raises:
        NotFound: no such owner.
    """
    check_owner(hub, owner_id)
    configs, walk = published(hub), Walk()
    while not walk.is_over:
        turns, walk = next_turns(hub, owner_id, walk, configs)
        yield [turn for turn in turns if since is None or turn.decided_at >= since], walk


def check_owner(hub: Hub, owner_id: str) -> None:
    """Refuse an owner whom the configuration does not know.

    Raises:
        NotFound: no such owner.
    """
    if owner_id not in hub.configurations.current().config.owners:
        raise NotFound(f"owner {owner_id}")


def accounts_of(hub: Hub, owner_id: str, turns: Sequence[OwnTurn]) -> list[OwnAccount]:
    """Lay an owner's accounts beside what the turns add up to.

    Args:
        hub: read from.
        owner_id: whose.
        turns: all of the owner's.
    """
    pools = sorted({*hub.configurations.current().config.pools, *(t.pool_id for t in turns)})
    items = hub.table.get_many([ledger_key(pool_id) for pool_id in pools])
    found = []
    for pool_id in pools:
        item = items.get(ledger_key(pool_id))
        ledger = ledger_of(item) if item else Ledger(pool_id=pool_id)
        account = ledger.accounts.get(owner_id)
        if account is None:
            continue
        (line,) = [one for one in statement(ledger) if one.owner_id == owner_id]
        mine = [turn for turn in turns if turn.pool_id == pool_id]
        added = sum(turn.credited for turn in mine) - account.returned * LEAD
        got = sum(turn.went_to == owner_id for turn in mine) - account.returned
        found.append(
            OwnAccount(
                pool_id=pool_id,
                received=account.received,
                returned=account.returned,
                entitled=account.entitled,
                because=line.because,
                from_turns=added,
                agrees=(got, added) == (account.received, account.entitled),
            )
        )
    return found


def _turns(
    hub: Hub, owner_id: str, lead_ids: Iterable[str], configs: Mapping[str, Config]
) -> Iterator[OwnTurn]:
    for lead_id in lead_ids:
        for item in hub.table.query(lead_key(lead_id)[0], "EVENT#"):
            event = event_of(item)
            for decision in event.decisions:
                turn = _turn(event, decision, owner_id, lead_id, configs)
                if turn:
                    yield turn


def _turn(
    event: Event, decision: Decision, owner_id: str, lead_id: str, configs: Mapping[str, Config]
) -> OwnTurn | None:
    """Make a turn again; None where the owner had nothing to do with it."""
    config = configs.get(decision.config_hash)
    verdicts = {verdict.candidate: verdict for verdict in decision.candidates}
    if decision.kind != "route" or event.kind != "assigned" or config is None:
        return None
    verdict = verdicts.get(owner_id)
    if verdict is None:
        return None
    inputs = decision.inputs
    share, credited = 0, 0
    eligible: tuple[str, ...] = ()
    if inputs.get("beside"):
        share = credited = LEAD
        eligible = (owner_id,)
    elif (choice := choose_again(decision, config)) and owner_id in choice.accruals:
        before = inputs["accounts"].get(owner_id, {}).get("settled", Account().settled)
        credited = choice.accruals[owner_id]
        share = credited - (choice.ledger.accounts[owner_id].settled - before)
        eligible = tuple(choice.accruals)
    return OwnTurn(
        decided_at=decision.decided_at,
        lead_id=lead_id,
        pool_id=inputs["pool"],
        version=inputs["ledger_version"],
        eligible=tuple(sorted(eligible)),
        share=share,
        credited=credited,
        balance=verdict.balance,
        went_to=decision.result,
        because=verdict.because,
    )
