"""Confirming a change: the map is published, and what has come is read again without a sound."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.catch_up import work_on
from chalicelib.flow.confirm import confirm, ignore, show_form
from chalicelib.flow.publish import rollback
from chalicelib.flow.reread import reread_key, reread_of
from chalicelib.flow.verify import verify
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead
from tests.faults import Call, Hook
from tests.flow.form_scenes import (
    changes,
    confirmed,
    fill_in,
    finish_rereading,
    known_form,
    learned,
    usual,
)
from tests.flow.scenes import ask, deliveries, effects, events, failing_at
from tests.invariants import problems
from tests.people import email_of, phone_of
from tests.world import World, form, linkedin, linkedin_pages


def renamed(world: World, count: int = 3) -> None:
    """Let the e-mail question be renamed, and people go on filling in the form."""
    learned(world, 12)
    for number in range(count):
        answers = usual(number)
        answers["contact_address"] = answers.pop("email")
        del answers["call_me_on"]
        fill_in(world, number, **answers)


def with_phone(world: World, count: int = 3) -> None:
    """Let people answer a question that nothing is mapped for."""
    for number in range(count):
        fill_in(world, number, **usual(number))


def by_email(world: World, email: str) -> Lead:
    """Find a lead."""
    return next(
        lead
        for lead in world.leads()
        if "email" in lead.profile and lead.profile["email"].value == email
    )


def sent(world: World) -> tuple[int, int, int]:
    """Count what left the hub."""
    return len(world.mailbox.mails), len(world.web.posts), len(world.routing.sent)


def dialled(number: int) -> str:
    """Give a person's number as the hub writes it."""
    return phone_of(number).replace(" ", "")


def unsound(world: World) -> list[str]:
    """Name stored decisions that come out otherwise."""
    return [
        finding.problem
        for lead in world.leads()
        for finding in verify(world.hub, lead.lead_id)
        if finding.problem
    ]


def test_the_first_proposal_is_confirmed_by_one_call_and_nobody_is_lost() -> None:
    world = World()
    renamed(world)
    leads = len(world.leads())
    settled = confirmed(world, "contact_address")
    assert settled.field == "email"
    assert len(world.leads()) == leads + 3
    assert {one.outcome for one in deliveries(world)} == {"accepted"}
    lead = by_email(world, email_of(1))
    assert lead.assignment
    assert [change.state for change in changes(world)] == ["confirmed"]
    assert unsound(world) == []
    assert problems(world) == []


def test_those_who_were_never_told_are_told_once_and_the_others_not_at_all() -> None:
    world = World()
    renamed(world)
    before = len(effects(world))
    confirmed(world, "contact_address")
    assert len(effects(world)) == before + 3


def test_an_accepted_lead_is_read_again_without_a_sound() -> None:
    world = World()
    with_phone(world)
    lead, told = by_email(world, email_of(1)), sent(world)
    world.accept(lead=lead)
    lead = by_email(world, email_of(1))
    confirmed(world, "call_me_on", "phone")
    after = by_email(world, email_of(1))
    assert after.profile["phone"].value == dialled(1)
    assert after.identity_keys == (f"email:{email_of(1)}", f"phone:{dialled(1)}")
    same = ("lead_id", "assignment", "status", "awaits", "is_unowned", "stage", "routed")
    assert [getattr(after, name) for name in same] == [getattr(lead, name) for name in same]
    assert sent(world) == told
    assert unsound(world) == []
    assert problems(world) == []


def test_the_timeline_says_that_it_was_read_again_and_how_it_read_before() -> None:
    world = World()
    with_phone(world, 1)
    confirmed(world, "call_me_on", "phone")
    (event,) = [event for event in events(world) if event.kind == "read_again"]
    assert "phone" not in event.before["touch"]["contact"]
    assert [decision.kind for decision in event.decisions] == ["score"]


def test_reading_again_twice_changes_nothing() -> None:
    world = World()
    with_phone(world)
    confirmed(world, "call_me_on", "phone")
    before = [lead.model_dump() for lead in world.leads()]
    settled = confirm(world.hub, "forms", "", "call_me_on", "phone", "ann")
    assert settled.reread
    done = finish_rereading(world, settled.reread)
    assert done.read_again == 0
    assert [lead.model_dump() for lead in world.leads()] == before
    assert len([event for event in events(world) if event.kind == "read_again"]) == 3


def test_a_new_identity_key_makes_two_leads_one() -> None:
    world = World()
    fill_in(world, 1, email="old@example.org", phone=dialled(7))
    fill_in(world, 2, **{**usual(7), "email": "new@example.com"})
    told = sent(world)
    assert len(world.leads()) == 2
    confirmed(world, "call_me_on", "phone")
    lead = world.lead()
    assert len(lead.members) == 1
    assert lead.assignment
    assert {event.kind for event in events(world)} >= {"merged", "absorbed", "read_again"}
    assert sent(world) == told
    assert unsound(world) == []
    assert problems(world) == []


def test_a_score_that_the_new_answer_changes_can_be_made_again_then_and_now() -> None:
    world = World()
    fill_in(world, 1, email="zoe@example.com", how_many="250")
    fill_in(world, 2, email="zoe@example.com", how_many="250")
    before = world.lead().score.total
    confirmed(world, "how_many", "seats")
    assert world.lead().score.total == before + 50
    assert unsound(world) == []
    assert problems(world) == []
    fill_in(world, 3, email="zoe@example.com")
    assert unsound(world) == []


def test_without_the_reading_before_old_decisions_would_not_come_out_the_same() -> None:
    world = World()
    fill_in(world, 1, email="zoe@example.com", how_many="250")
    confirmed(world, "how_many", "seats")
    findings = verify(world.hub, world.lead().lead_id)
    assert [finding.kind for finding in findings].count("score") == 2


def test_a_reading_in_the_moment_of_the_decision_before_it_is_told_apart() -> None:
    world = World()
    ask(world, "forms", form(1, "zoe@example.com", at=world.clock().isoformat(), how_many="250"))
    world.drain()
    confirmed(world, "how_many", "seats")
    assert world.lead().score.total == 60
    assert unsound(world) == []


def test_that_a_question_is_gone_is_confirmed_without_publishing_anything() -> None:
    world = World()
    learned(world)
    for number in range(5):
        answers = usual(number)
        del answers["call_me_on"]
        fill_in(world, number, **answers)
    settled = confirm(world.hub, "forms", "", "call_me_on", None, "ann")
    assert (settled.active, settled.reread) == (None, None)
    assert [change.state for change in changes(world)] == ["confirmed"]


def test_a_question_that_is_gone_and_was_mapped_keeps_its_map() -> None:
    world = World()
    learned(world)
    for number in range(5):
        answers = usual(number)
        del answers["name"]
        fill_in(world, number, **answers)
    settled = confirm(world.hub, "forms", "", "name", None, "ann")
    assert (settled.active, settled.reread) == (None, None)


def test_a_withdrawn_submission_is_left_as_it_is() -> None:
    world = World()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    world.send("linkedin", linkedin(1))
    world.settle()
    world.send("linkedin", linkedin(1, "DELETED", 1_795_420_900_000))
    world.settle()
    settled = confirm(world.hub, "linkedin", "81", "EMAIL", "phone", "ann")
    assert settled.reread
    assert finish_rereading(world, settled.reread).read_again == 0


def test_what_came_by_another_form_or_source_is_left_as_it_is() -> None:
    world = World()
    with_phone(world, 1)
    fill_in(world, 2, form="other", email="b@example.com", call_me_on="+447700900099")
    fill_in(world, 3, "events", email="c@example.com", call_me_on="+447700900098")
    confirmed(world, "call_me_on", "phone")
    assert "phone" not in by_email(world, "b@example.com").profile
    assert "phone" not in by_email(world, "c@example.com").profile


def test_a_worker_who_still_has_the_old_map_loses_nothing() -> None:
    world = World()
    with_phone(world, 1)
    stale = world.worker(lambda call, go: go())
    current = stale.configurations.current()
    settled = confirm(world.hub, "forms", "", "call_me_on", "phone", "ann")
    assert settled.reread
    item = world.table.get(reread_key(settled.reread))
    assert item
    work_on(world.hub, item)
    _process_by(world, stale, current)
    done = finish_rereading(world, settled.reread)
    assert (done.pass_number, done.read_again) == (2, 2)
    assert by_email(world, email_of(5)).profile["phone"].value == dialled(5)


def _process_by(world: World, hub: Hub, current: object) -> None:
    """Process a submission by the configuration that was in force before."""

    class Old:
        """Knows one configuration only."""

        def current(self) -> object:
            """Give it."""
            return current

        def weights(self, current: Current) -> object:
            """Give the weights of matching."""
            return hub.configurations.weights(current)

    ask(world, "forms", form(5, **usual(5)))
    old = replace(hub, configurations=cast(Any, Old()))
    world.work(world.inbox, old)
    world.settle()


def test_a_slice_goes_on_where_the_one_before_ended() -> None:
    world = World()
    with_phone(world, 30)
    settled = confirm(world.hub, "forms", "", "call_me_on", "phone", "ann")
    assert settled.reread
    progress = []
    world.clock.advance(seconds=1)
    for _ in range(20):
        item = world.table.get(reread_key(settled.reread))
        assert item
        progress.append(reread_of(item).progress())
        if reread_of(item).is_first_pass_over:
            break
        hub = world.worker(_slow(world))
        work_on(hub, item)
    assert progress == sorted(progress)
    assert len(progress) > 3
    assert all("phone" in lead.profile for lead in world.leads())


def _slow(world: World) -> Hook:
    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "query_index":
            world.clock.advance(minutes=1)
        return go()

    return hook


def test_two_who_do_the_same_slice_do_it_once() -> None:
    world = World()
    with_phone(world, 2)
    settled = confirm(world.hub, "forms", "", "call_me_on", "phone", "ann")
    assert settled.reread
    item = world.table.get(reread_key(settled.reread))
    assert item
    assert [work_on(world.hub, item), work_on(world.hub, item)] == [True, False]


def test_a_change_that_is_ignored_waits_no_more_and_publishes_nothing() -> None:
    world = World()
    renamed(world, 1)
    number = world.hub.configurations.current().active.number
    ignore(world.hub, "forms", "", "contact_address", "ann")
    assert [change.state for change in changes(world)] == ["ignored"]
    assert world.hub.configurations.current().active.number == number
    answers = {**usual(9), "contact_address": "q@example.com"}
    del answers["email"]
    fill_in(world, 99, **answers)
    assert len(changes(world)) == 1


def test_rolling_back_and_confirming_again_undoes_what_was_read() -> None:
    world = World()
    with_phone(world, 1)
    settled = confirmed(world, "call_me_on", "company")
    assert settled.active
    assert "company" in world.lead().profile
    rollback(world.hub, settled.active.number - 1, "ann")
    confirmed(world, "call_me_on", "")
    assert "company" not in world.lead().profile
    assert unsound(world) == []


def test_what_makes_no_sense_is_refused_and_changes_nothing() -> None:
    world = World()
    with_phone(world, 1)
    number = world.hub.configurations.current().active.number
    with pytest.raises(NotFound):
        confirm(world.hub, "forms", "nowhere", "call_me_on", "phone", "ann")
    with pytest.raises(NotFound):
        confirm(world.hub, "forms", "", "never_asked", "phone", "ann")
    with pytest.raises(Invalid):
        confirm(world.hub, "forms", "", "call_me_on", "fone", "ann")
    with pytest.raises(Invalid, match="nothing to confirm"):
        confirm(world.hub, "forms", "", "call_me_on", None, "ann")
    with pytest.raises(NotFound):
        ignore(world.hub, "forms", "", "call_me_on", "ann")
    assert world.hub.configurations.current().active.number == number


def test_a_form_is_shown_with_its_proposals() -> None:
    world = World()
    renamed(world, 1)
    view = show_form(world.hub, "forms", "")
    first = view.proposals["contact_address"][0]
    assert (first.field, first.confidence > 0.8) == ("email", True)
    assert first.because


def test_a_confirmation_that_meets_somebody_elses_is_refused() -> None:
    world = World()
    renamed(world, 1)
    hub = world.worker(failing_at("table.write", 2, Conflict("somebody else wrote first")))
    with pytest.raises(Conflict):
        confirm(hub, "forms", "", "contact_address", None, "ann")
    settled = confirmed(world, "contact_address")
    assert settled.field == "email"
    assert known_form(world).open_change("contact_address") is None
