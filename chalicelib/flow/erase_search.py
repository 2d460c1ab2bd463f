"""Takes away requests that named a person; finds those that led to no lead by looking through all.

A request goes as a whole once every submission in it has come to its end. Until then it stays for
the sake of the others in it, LONGEST at most.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from chalicelib import registry
from chalicelib.connector import BUCKET, Act, Submission, read
from chalicelib.errors import HubError, Malformed
from chalicelib.flow.empty import emptied, let_go
from chalicelib.flow.erase import MOST_CLAIMS, Run, digest_of_claim
from chalicelib.flow.erase_lead import erased_claim
from chalicelib.flow.erase_state import Person, Place
from chalicelib.flow.keep import request_of
from chalicelib.flow.outcome import OPEN, overall
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.lead.person import Traces
from chalicelib.records import (
    OUTCOMES,
    ActResult,
    Delivery,
    Outcome,
    claim_key,
    claim_of,
    deliveries_list,
    delivery_item,
    delivery_key,
    delivery_of,
    summary_of,
)
from chalicelib.request import Request
from chalicelib.storage import Holds, Item, Put, Write

AT_ONCE = 100
"""Deliveries of a page."""

LONGEST = timedelta(days=25)
"""How long a request may stay for the sake of others in it; the law gives a month."""

LED_TO_LEADS = ("accepted", "duplicate")
"""Outcomes of deliveries whose entries in lists say which leads they led to."""

MOST_LEADS_LISTED = 10

GONE = ActResult(outcome="erased")
TOO_LATE = ActResult(
    outcome="ignored", reason="it was not settled in time, and somebody else in it was erased"
)


def sources_of(hub: Hub) -> list[str]:
    """Name all sources there are and were."""
    current = hub.configurations.current()
    return sorted({*current.config.sources, *current.active.retired})


def searched(hub: Hub) -> list[tuple[str, Outcome]]:
    """Name the lists of deliveries that a search goes through, each with the outcome it is of."""
    return [
        (deliveries_list(source_id, outcome), outcome)
        for source_id in sources_of(hub)
        for outcome in OUTCOMES
        if outcome != "erased"
    ]


def traces_of(run: Run) -> Traces:
    """Give what tells the person's own texts from others'."""
    only_theirs = {*run.person.keys} - {*run.person.shared}
    return Traces(only_theirs, run.hub.configurations.current().config.settings)


def search_page(run: Run) -> bool:
    """Look through one page of deliveries; False when all lists were gone through.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    place = run.one.place
    left = [one for one in searched(run.hub) if place and one[0] not in place.done]
    if place is None or not left:
        return False
    for name, outcome in left:
        fresh, place = _look_through(run, place, name, outcome)
        if fresh:
            break
    run.write(
        run.one.model_copy(
            update={
                "place": place,
                "looked_at": run.one.looked_at + len(fresh),
            }
        )
    )
    return True


def _look_through(
    run: Run, place: Place, name: str, outcome: Outcome
) -> tuple[Sequence[Item], Place]:
    """Look through a page of one list; gives what was on it, and how far the search is then."""
    up_to = place.after or f"{utc_text(place.began_at)}$"
    page = run.hub.table.query_index("list", name, up_to=up_to, newest_first=True, limit=AT_ONCE)
    fresh = [item for item in page.items if item["list_sk"] != place.after]
    keys = [
        delivery_key(str(summary_of(item)["delivery_id"]))
        for item in fresh
        if _may_be_theirs(run, item, outcome)
    ]
    stored = run.hub.table.get_many(keys).values() if keys else ()
    found = sum(settle(run, delivery) for delivery in map(delivery_of, stored))
    is_over = page.next is None or not fresh
    update: dict[str, Any] = {
        "looked_at": place.looked_at + len(fresh),
        "found": place.found + found,
        "after": "" if is_over else str(page.items[-1]["list_sk"]),
        "done": (*place.done, name) if is_over else place.done,
    }
    return fresh, place.model_copy(update=update)


def _may_be_theirs(run: Run, item: Item, outcome: str) -> bool:
    summary = summary_of(item)
    leads = {*summary.get("leads", [])}
    if leads & {*run.one.lead_ids, *run.person.kin} or len(leads) >= MOST_LEADS_LISTED:
        return True
    if summary.get("emptied"):
        return False
    return outcome not in LED_TO_LEADS or bool(summary.get("mixed"))


def settle(run: Run, delivery: Delivery) -> bool:
    """Take away what a delivery holds of the person; False when it holds nothing of them.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    hub, one = run.hub, run.one
    stored, delivery = delivery, _named_anew(run, delivery)
    acts = acts_in(hub, delivery)
    theirs = _positions(run, delivery, acts)
    if not theirs:
        if delivery != stored:
            # It named them, and is somebody's whom they were taken for.
            after = delivery.model_copy(update={"version": delivery.version + 1})
            item = delivery_item(after, f"erase:{hub.new_id()}")
            run.write(one, [Put("erased request", item, Holds("version", delivery.version))])
        return False
    results = {**delivery.results, **{str(position): GONE for position in theirs}}
    others = [result for result in results.values() if result.outcome != "erased"]
    is_unfinished = not delivery.emptied_at and (
        any(result.outcome == "quarantined" for result in others)
        or (delivery.outcome in OPEN and len(results) < max(delivery.acts, len(acts)))
    )
    update: dict[str, Any] = {"results": results, "version": delivery.version + 1}
    if not is_unfinished:
        update["outcome"], update["reason"] = overall(results.values())
        update["held"] = ""
    after = delivery.model_copy(update=update)
    for name in mails_in(delivery, acts, theirs):
        hub.blobs.remove(name)
    if not is_unfinished and not delivery.emptied_at:
        after = emptied(after, hub.clock())
    writer = f"erase:{hub.new_id()}"
    tombstones = _new_tombstones(run, delivery, theirs, acts, writer)
    puts: list[Write] = [
        Put("erased request", delivery_item(after, writer), Holds("version", delivery.version)),
        *tombstones,
    ]
    counted = {
        "person": _with_claims(run.person, tombstones),
        "waits_for" if is_unfinished else "emptied": (
            *(one.waits_for if is_unfinished else one.emptied),
            delivery.delivery_id,
        ),
        "shared": one.shared + bool(others),
        "imports": tuple(sorted({*one.imports, *_import_of(hub, delivery)})),
    }
    run.write(one.model_copy(update=counted).counting(requests=1), puts)
    if after.emptied_at:
        let_go(hub, after)
    return True


def settle_shared(run: Run, delivery: Delivery) -> bool:
    """Look again at a request that stayed for others in it; False while it still has to stay.

    Whoever finished it has taken it away; after LONGEST it goes, finished or not.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    hub, one = run.hub, run.one
    left = tuple(waiting for waiting in one.waits_for if waiting != delivery.delivery_id)
    settled = one.model_copy(
        update={"waits_for": left, "emptied": (*one.emptied, delivery.delivery_id)}
    )
    if delivery.emptied_at:
        run.write(settled)
        return True
    if hub.clock() - one.asked_at < LONGEST:
        return False
    results = {
        position: TOO_LATE if result.outcome == "quarantined" else result
        for position, result in delivery.results.items()
    }
    outcome, reason = overall(results.values())
    update = {
        "results": results,
        "outcome": outcome,
        "reason": reason,
        "version": delivery.version + 1,
    }
    after = emptied(delivery.model_copy(update=update), hub.clock())
    item = delivery_item(after, f"erase:{hub.new_id()}")
    run.write(settled, [Put("erased request", item, Holds("version", delivery.version))])
    let_go(hub, after)
    return True


def _named_anew(run: Run, delivery: Delivery) -> Delivery:
    """Name whose its submissions are now, where they came to leads that were one by mistake."""
    named = {*run.one.lead_ids, *run.person.kin}
    wanted = {
        position: claim_key(delivery.source_id, result.external_id)
        for position, result in delivery.results.items()
        if result.lead_id in named
    }
    if not run.person.kin or not wanted:
        return delivery
    stored = run.hub.table.get_many(list(dict.fromkeys(wanted.values())))
    claims = {key: claim_of(item) for key, item in stored.items()}
    results = dict(delivery.results)
    for position, key in wanted.items():
        lead_id = claims[key].lead_id if key in claims else ""
        if _is_claimed(delivery.source_id, results[position].external_id, {*run.person.claims}):
            lead_id = run.one.lead_ids[0]
        if lead_id:
            results[position] = results[position].model_copy(update={"lead_id": lead_id})
    return delivery.model_copy(update={"results": results})


def _positions(run: Run, delivery: Delivery, acts: Sequence[Act]) -> set[int]:
    """Find which submissions of a delivery are the person's."""
    one, source_id = run.one, delivery.source_id
    claims = {*run.person.claims}
    theirs = {
        int(position)
        for position, result in delivery.results.items()
        if result.lead_id in one.lead_ids
        or (not result.lead_id and _is_claimed(source_id, result.external_id, claims))
    }
    theirs |= {
        at
        for at, act in enumerate(acts)
        if str(at) not in delivery.results and _is_claimed(source_id, act.external_id, claims)
    }
    settled = {int(at) for at, r in delivery.results.items() if r.lead_id or r.outcome == "erased"}
    is_settled = bool(delivery.results) and len(settled) >= delivery.acts > 0
    if delivery.emptied_at or is_settled or delivery.received_at > one.until:
        return theirs
    traces = traces_of(run)
    try:
        request = request_of(run.hub, delivery)
    except Malformed:
        return theirs
    if not traces.are_in(texts_in(request), delivery.connector):
        return theirs
    if len(acts) < 2:
        return theirs | ({0} - settled)
    return theirs | {
        at
        for at, act in enumerate(acts)
        if at not in settled and traces.are_in(_texts(act.model_dump()), delivery.connector)
    }


def _is_claimed(source_id: str, external_id: str, claims: set[str]) -> bool:
    return bool(external_id) and digest_of_claim(source_id, external_id) in claims


def acts_in(hub: Hub, delivery: Delivery) -> Sequence[Act]:
    """Read what a delivery holds; nothing when nobody can read it."""
    source = hub.configurations.current().config.sources.get(delivery.source_id)
    try:
        connector = registry.load(delivery.connector)
        return read(connector, request_of(hub, delivery), source.options if source else {})
    except HubError:
        return ()


def mails_in(delivery: Delivery, acts: Sequence[Act], theirs: set[int]) -> Iterator[str]:
    """Name the mails in the bucket that some submissions of a delivery tell of."""
    if delivery.emptied_at:
        return
    try:
        api = registry.load(delivery.connector).api
    except HubError:
        return
    if api is None or api.url != BUCKET:
        return
    for at, act in enumerate(acts):
        if at in theirs and isinstance(act, Submission) and "key" in act.lookup:
            yield act.lookup["key"]


def _new_tombstones(
    run: Run, delivery: Delivery, theirs: set[int], acts: Sequence[Act], writer: str
) -> list[Put]:
    """Give claims for submissions that were never taken, lest a repetition bring them back."""
    ids = {
        result.external_id
        for position, result in delivery.results.items()
        if int(position) in theirs and not result.touch_id
    }
    ids |= {act.external_id for at, act in enumerate(acts) if at in theirs}
    keys = [claim_key(delivery.source_id, external_id) for external_id in sorted(ids - {""})]
    known = run.hub.table.get_many(keys) if keys else {}
    return [
        erased_claim(key, delivery.source_id, 0, run, writer) for key in keys if key not in known
    ]


def _with_claims(person: Person, tombstones: Sequence[Put]) -> Person:
    """Remember submissions that led to no lead, so that ledgers forget their names too."""
    found = {*person.claims, *(put.key[0].partition("#")[2] for put in tombstones)}
    is_known = len(found) == len(person.claims) or len(found) > MOST_CLAIMS
    return person if is_known else person.model_copy(update={"claims": tuple(sorted(found))})


def _import_of(hub: Hub, delivery: Delivery) -> Iterator[str]:
    if delivery.connector != "file_import" or delivery.emptied_at:
        return
    try:
        path = request_of(hub, delivery).path
    except Malformed:
        return
    yield path.rpartition("/")[2]


def texts_in(request: Request) -> Iterator[str]:
    """Give all texts of a request: as a whole, and each value of what can be read of it."""
    yield from (value for values in request.query.values() for value in values)
    yield from (value for values in request.headers.values() for value in values)
    try:
        text = request.text()
    except Malformed:
        text = request.body.decode("utf-8", "replace")
    yield text
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    try:
        yield from _texts(request.json())
    except Malformed:
        pass
    else:
        return
    try:
        yield from _texts(request.form())
    except Malformed:
        return


def _texts(value: object) -> Iterator[str]:
    """Give each text and number in a value, also in JSON that stands in it as text."""
    match value:
        case str():
            yield value
            if value.lstrip()[:1] in ("{", "["):
                yield from _in_json(value)
        case bool() | None:
            return
        case int() | float():
            yield str(value)
        case Mapping():
            for key, inner in value.items():
                yield str(key)
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)


def _in_json(text: str) -> Iterator[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _texts(found)
