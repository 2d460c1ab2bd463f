"""Taking a lead of many touches apart, on the local cloud: wall time and AWS calls.

`before` merges two leads of half the touches each. `later` merges two leads of a few, which then
get all the others as one, in turns, so that half of them have to be moved. The bar is 2 s at 500.
Run: python -m bench.unmerge [TOUCHES]
"""

import json
import sys
import time
from collections.abc import Iterator

from bench.stand import HEADERS, SECRET, Stand, form, stand
from chalicelib import registry
from chalicelib.flow.merge import merge
from chalicelib.flow.process import process
from chalicelib.flow.route import route
from chalicelib.flow.unmerge import unmerge
from chalicelib.hub import now_utc
from chalicelib.lead.model import Lead
from chalicelib.records import claim_key, claim_of
from chalicelib.request import Request

AT_FIRST = 5
"""Touches of each lead before the merge, where the others come later."""


def main() -> None:
    """Measure both cases and print."""
    touches = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with stand() as bench:
        for case, before in (("before", touches), ("later", 2 * AT_FIRST)):
            seconds, calls, rest, member = measure(bench, case, touches, before)
            print(
                f"{case:<7} {rest.touch_count} + {member.touch_count} touches: merged in "
                f"{seconds[0]:.2f} s, taken apart in {seconds[1]:.2f} s, {calls} AWS calls"
            )


def measure(
    bench: Stand, case: str, touches: int, before: int
) -> tuple[tuple[float, float], int, Lead, Lead]:
    """Make two leads, merge them, send what comes later, take them apart."""
    people = (1, 2) if case == "before" else (3, 4)
    sent = tell_of(send(bench, people, before, 0))
    ids = [lead_of(bench, people[0], 0), lead_of(bench, people[1], 1)]
    began = time.perf_counter()
    merge(bench.hub, ids, "bench")
    merged = time.perf_counter() - began
    tell_of(send(bench, people, touches - before, sent))
    bench.calls.seen.clear()
    bench.calls.step = "unmerge"
    began = time.perf_counter()
    rest, member = unmerge(bench.hub, ids[0], ids[1], "bench")
    apart = time.perf_counter() - began
    bench.calls.step = ""
    return (merged, apart), len(bench.calls.seen["unmerge"]), rest, member


def send(bench: Stand, people: tuple[int, int], number: int, start: int) -> Iterator[int]:
    """Send so many submissions of two people in turns, and work on them as they come."""
    connector = registry.load("typeform")
    for place in range(start, start + number):
        body = json.loads(form(people[place % 2]))
        body["form_response"]["token"] = token(people[place % 2], place)
        raw = json.dumps(body).encode()
        request = Request("POST", "/hooks/web", {}, HEADERS, raw, now_utc())
        bench.send(connector.signature.sign(request, SECRET))
        while bench.work(bench.hub.settings.inbox, process):
            pass
        while bench.work(bench.hub.settings.routing, route):
            pass
        yield place + 1


def tell_of(places: Iterator[int]) -> int:
    """Show how far it is; gives how many there were."""
    done = 0
    for done in places:
        print(f"\r{done} sent", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return done


def token(person: int, place: int) -> str:
    """Name one submission of somebody."""
    return f"bench-{person}-{place:06d}"


def lead_of(bench: Stand, person: int, place: int) -> str:
    """Find whose lead a submission made."""
    item = bench.hub.table.get(claim_key("web", token(person, place)))
    if item is None:
        raise RuntimeError(f"submission {place} of person {person} is not in")
    return claim_of(item).lead_id


if __name__ == "__main__":
    main()
