"""Back-fill: what is compared when, what is kept, and what happens when a list cannot be read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli.provider import RETRY_AFTER_SECONDS, Provider
from chalicelib.connector import LISTED, Submission, Withdrawal
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.backfill import MANY_TROUBLES, ask_for, sync
from chalicelib.flow.catch_up import LEASE, catch_up, ensure, work_on
from chalicelib.flow.comparison import EVERY, MOST_LOOKS, last_night, sync_key
from chalicelib.flow.keep import request_of
from chalicelib.flow.publish import publish
from chalicelib.flow.tally import LONGEST_NAME, MOST_NAMED, DayRow, backfilled_id, by_claim
from chalicelib.records import Claim, Delivery, delivery_of
from chalicelib.storage import Item
from tests.faults import Call, Kill
from tests.providers import KNOWN, Beside, anew
from tests.world import replaced


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider({}, KNOWN) as running:
        yield running


@pytest.fixture
def b(provider: Provider) -> Beside:
    return anew(provider, sources=("typeform",))


def deliveries(b: Beside) -> list[Delivery]:
    found = [delivery_of(item) for item in b.world.table.scan() if item.get("kind") == "delivery"]
    return sorted(found, key=lambda one: one.received_at)


def item(b: Beside) -> Item:
    found = b.world.table.get(sync_key("typeform"))
    assert found
    return found


def alarms(b: Beside, caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if '"alarm"' in record.getMessage()]


def listing(b: Beside) -> int:
    """Count the calls that read the list, not those that ask after webhooks."""
    return sum("webhooks" not in call.path for call in b.provider.calls)


def windows(b: Beside) -> list[str]:
    """Give since when the list was asked for, call by call."""
    return [call.query["since"] for call in b.provider.calls if "since" in call.query]


def ago(b: Beside, **span: float) -> datetime:
    return b.world.clock() - timedelta(**span)


def test_what_no_webhook_told_of_becomes_a_delivery_and_a_lead(b: Beside) -> None:
    lead = b.submit("typeform", ago(b, hours=3))
    b.run()
    (one,) = deliveries(b)
    assert one.outcome == "accepted"
    assert request_of(b.hub, one).method == LISTED
    first = b.world.lead().first_touch
    assert first
    assert first.at == lead.at


def test_what_is_older_than_the_source_is_left_alone_until_a_person_asks(b: Beside) -> None:
    b.submit("typeform", ago(b, days=20))
    b.run(minutes=60 * 20, step=10)
    assert deliveries(b) == []
    b.ask("typeform", ago(b, days=30))
    b.run(minutes=10)
    assert [one.outcome for one in deliveries(b)] == ["accepted"]
    asked = windows(b)
    b.run(minutes=60 * 24, step=10)
    assert min(windows(b)[len(asked) :]) == "2026-10-25T00:00:00Z"


def test_what_a_webhook_brought_is_not_kept_again(b: Beside) -> None:
    lead = b.submit("typeform", ago(b, hours=3))
    b.webhook("typeform", lead)
    b.world.settle()
    b.run(minutes=3)
    assert len(deliveries(b)) == 1
    assert b.state("typeform").rows["2026-11-23"].accepted == 1


def test_a_webhook_that_comes_after_all_is_a_duplicate(b: Beside) -> None:
    lead = b.submit("typeform", ago(b, hours=3))
    b.run()
    b.webhook("typeform", lead)
    b.world.settle()
    assert sorted(one.outcome for one in deliveries(b)) == ["accepted", "duplicate"]
    assert len(b.world.leads()) == 1


def test_a_comparison_looks_again_until_the_ledger_is_settled(b: Beside) -> None:
    b.submit("typeform", ago(b, hours=3))
    catch_up(b.hub)
    assert b.state("typeform").rows["2026-11-23"].difference == 1
    assert b.state("typeform").under_way
    b.world.drain()
    b.world.clock.advance(minutes=6)
    catch_up(b.hub)
    assert b.state("typeform").rows["2026-11-23"] == DayRow(listed=1, accepted=1)
    assert b.state("typeform").under_way is None


def test_a_difference_that_stays_is_named_and_told(
    b: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    lead = b.submit("typeform", ago(b, hours=3))
    for _ in range(MOST_LOOKS):
        catch_up(b.hub)
        b.world.clock.advance(minutes=6)
    row = b.state("typeform").rows["2026-11-23"]
    assert (row.difference, row.named) == (1, {"pending": (lead.lead_id,)})
    expected = '{"alarm":"ledger","source":"typeform","day":"2026-11-23","missing":"1"}'
    assert alarms(b, caplog) == [expected]


def test_the_newest_part_is_compared_every_hour_and_the_whole_at_night(b: Beside) -> None:
    b.run()
    first = listing(b)
    assert windows(b)[0] == "2026-11-22T00:00:00Z"
    b.run(minutes=58)
    assert listing(b) == first
    b.run(minutes=3)
    assert windows(b)[-1] == "2026-11-23T00:00:00Z"
    until = last_night("typeform", b.world.clock()) + timedelta(days=1)
    b.world.clock.advance(seconds=(until - b.world.clock()).total_seconds() - 60)
    b.run(minutes=3)
    assert windows(b)[-1] == "2026-11-22T00:00:00Z"


def test_a_cursor_moves_only_when_the_last_page_is_kept(b: Beside) -> None:
    for number in range(60):
        b.submit("typeform", ago(b, hours=3, seconds=number))
    died: list[Call] = []

    def die_on_the_second_page(call: Call, go: Callable[[], Any]) -> Any:
        if "before=" in call.what and not died:
            died.append(call)
            raise Kill
        return go()

    with pytest.raises(Kill):
        catch_up(b.world.worker(die_on_the_second_page))
    state = b.state("typeform")
    assert state.cursor_at is None
    assert state.under_way
    assert state.under_way.pages == 1
    b.world.clock.advance(minutes=7)
    b.run(minutes=7)
    assert b.state("typeform").cursor_at == datetime(2026, 11, 23, 8, 58, tzinfo=UTC)
    assert len(b.world.leads()) == 60


def test_the_first_comparison_after_an_outage_goes_up_to_now(b: Beside) -> None:
    b.run(minutes=2)
    before = b.state("typeform").cursor_at
    b.provider.misbehave("responses", "down")
    for _ in range(6):
        b.world.clock.advance(hours=1)
        b.submit("typeform", b.world.clock() - timedelta(minutes=5))
        b.run()
    assert b.world.leads() == []
    assert b.state("typeform").cursor_at == before
    b.provider.misbehave("responses", "down", times=0)
    b.world.clock.advance(hours=1)
    until = b.world.clock() - timedelta(minutes=2)
    b.run()
    assert len(b.world.leads()) == 6
    assert b.state("typeform").cursor_at == until


def test_an_item_that_cannot_be_read_is_quarantined_and_named_and_stops_nothing(
    b: Beside,
) -> None:
    bad = b.submit("typeform", ago(b, hours=3))
    b.submit("typeform", ago(b, hours=2))
    del bad.body["answers"][0]["field"]
    b.run(minutes=8)
    row = b.state("typeform").rows["2026-11-23"]
    (quarantined,) = [one for one in deliveries(b) if one.outcome == "quarantined"]
    assert (row.listed, row.accepted, row.quarantined, row.difference) == (2, 1, 1, 0)
    assert row.named == {"quarantined": (quarantined.delivery_id,)}
    b.run(minutes=65)
    assert len(deliveries(b)) == 2


def test_a_provider_that_is_busy_is_asked_again_when_it_says(b: Beside) -> None:
    b.provider.misbehave("responses", "busy", times=1)
    began_at = b.world.clock()
    catch_up(b.hub)
    assert b.state("typeform").trouble == "127.0.0.1 answered 429"
    wait = max(RETRY_AFTER_SECONDS, 10)
    assert datetime.fromisoformat(item(b)["due_at"]) == began_at + timedelta(seconds=wait)
    b.run(minutes=2)
    assert b.state("typeform").trouble == ""
    assert b.state("typeform").cursor_at


def test_a_dead_token_is_told_at_once_and_repeated_trouble_after_a_while(
    b: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    told = '{"alarm":"backfill","source":"typeform"}'
    b.provider.misbehave("responses", "forbidden", times=1)
    catch_up(b.hub)
    assert told in alarms(b, caplog)
    caplog.clear()
    b.provider.misbehave("responses", "down")
    b.ask("typeform")
    for _ in range(MANY_TROUBLES - 2):
        catch_up(b.hub)
        assert told not in alarms(b, caplog)
        b.world.clock.advance(hours=1)
    catch_up(b.hub)
    assert told in alarms(b, caplog)


def test_the_providers_rate_limit_ends_a_slice_and_the_next_minute_goes_on(b: Beside) -> None:
    for number in range(50 * 40):
        b.submit("typeform", ago(b, hours=3, seconds=number))
    catch_up(b.hub)
    asked = listing(b)
    assert 50 <= asked <= 60
    b.world.clock.advance(seconds=61)
    catch_up(b.hub)
    assert listing(b) > asked


def test_a_slice_whose_lease_was_lost_writes_nothing(b: Beside) -> None:
    ensure(b.hub)
    stale = {**item(b)}
    assert work_on(b.hub, item(b))
    before = item(b)
    with pytest.raises(Conflict):
        sync(b.hub, stale)
    assert item(b) == before


def test_a_source_that_is_switched_off_sleeps_until_it_is_switched_on(b: Beside) -> None:
    b.run()
    off = replaced(b.world.config, "sources", "typeform", enabled=False)
    publish(b.hub, off, "test")
    b.run(minutes=65)
    assert "due_at" not in item(b)
    asked = listing(b)
    b.run(minutes=65)
    assert listing(b) == asked
    publish(b.hub, b.world.config, "test")
    b.run()
    assert "due_at" in item(b)
    assert listing(b) > asked


def test_without_the_option_that_says_what_to_read_it_sleeps_and_says_so(
    b: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    source = b.world.config.sources["typeform"]
    options = {**source.options, "forms": []}
    publish(b.hub, replaced(b.world.config, "sources", "typeform", options=options), "test")
    b.run()
    assert "due_at" not in item(b)
    assert "forms" in b.state("typeform").trouble
    assert not [line for line in alarms(b, caplog) if '"backfill"' in line]
    publish(b.hub, b.world.config, "test")
    b.run()
    assert (b.state("typeform").trouble, "due_at" in item(b)) == ("", True)


def test_a_secret_that_is_missing_is_told_every_hour(
    b: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    b.world.secrets.values["tokens/typeform"] = ()
    for _ in range(2):
        caplog.clear()
        catch_up(b.hub)
        assert '{"alarm":"backfill","source":"typeform"}' in alarms(b, caplog)
        b.world.clock.advance(hours=1)


def test_a_person_asks_for_a_comparison_and_for_no_more_than_the_provider_keeps(
    b: Beside,
) -> None:
    b.run(minutes=2)
    b.run(minutes=65)
    assert windows(b)[-1] == "2026-11-23T00:00:00Z"
    since = ask_for(b.hub, "typeform", datetime(2020, 1, 1, tzinfo=UTC))
    assert since == datetime(2026, 8, 26, tzinfo=UTC)
    b.run()
    assert windows(b)[-1] == "2026-08-26T00:00:00Z"
    with pytest.raises(NotFound, match="no list"):
        ask_for(b.hub, "forms")
    with pytest.raises(NotFound, match="nobody"):
        ask_for(b.hub, "nobody")


def test_two_runs_at_once_share_the_work_by_leases(b: Beside) -> None:
    ensure(b.hub)
    seen = item(b)
    assert work_on(b.hub, seen)
    assert not work_on(b.hub, seen)
    assert EVERY < LEASE * 20


AT = datetime(2027, 1, 1, tzinfo=UTC)
ACT = Submission(external_id="a", submitted_at=AT)
CLAIM = Claim(source_id="s", external_id="a", version=1, delivery_id="d", acted_at=AT, touch_id="t")
LATER = AT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("act", "claim", "expected"),
    [
        (ACT, None, None),
        (ACT, CLAIM, "accepted"),
        (ACT.model_copy(update={"revision": "2"}), CLAIM, None),
        (ACT, CLAIM.model_copy(update={"is_partial": True}), None),
        (ACT, CLAIM.model_copy(update={"withdrawn_at": LATER}), "withdrawn"),
        (
            ACT.model_copy(update={"revision": "2", "submitted_at": LATER + timedelta(hours=1)}),
            CLAIM.model_copy(update={"withdrawn_at": LATER}),
            None,
        ),
        (Withdrawal(external_id="a", withdrawn_at=LATER), CLAIM, None),
        (
            Withdrawal(external_id="a", withdrawn_at=LATER),
            CLAIM.model_copy(update={"withdrawn_at": LATER}),
            "withdrawn",
        ),
    ],
)
def test_a_claim_says_what_became_of_an_act_only_if_it_is_of_that_act(
    act: Submission | Withdrawal, claim: Claim | None, expected: str | None
) -> None:
    assert by_claim(act, claim) == expected


def test_an_act_is_kept_under_one_id_and_another_revision_under_another() -> None:
    whole, partial = ACT, ACT.model_copy(update={"is_partial": True})
    edited = ACT.model_copy(update={"revision": "2"})
    back = Withdrawal(external_id="a", withdrawn_at=AT)
    ids = [backfilled_id("s", act, "") for act in (whole, partial, edited, back)]
    assert len({*ids, backfilled_id("other", whole, "")}) == 5
    assert ids == [backfilled_id("s", act, "") for act in (whole, partial, edited, back)]


def test_a_row_counts_all_and_names_a_few() -> None:
    row = DayRow()
    for number in range(30):
        row = row.counting("pending", f"{number}" * 200)
    row = row.counting("accepted", "not named")
    assert (row.listed, row.pending, row.accepted, row.difference) == (31, 30, 1, 30)
    assert list(row.named) == ["pending"]
    assert len(row.named["pending"]) == MOST_NAMED
    assert max(map(len, row.named["pending"])) == LONGEST_NAME
