"""Several leads become one, and are taken apart again."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.matching.weights import AS_IT_COMES
from chalicelib.lead.merging import (
    Known,
    absorb,
    closer,
    kept_apart,
    let_together,
    may_merge,
    settled,
    standing_of,
    survivor,
    take_out,
)
from chalicelib.lead.model import Assignment, CleanValue, Lead, Standing, Touch

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def lead(name: str, **given: Any) -> Lead:
    return Lead(
        **{"lead_id": name, "version": 3, "created_at": START, "updated_at": START, **given}
    )


def assignment(owner: str) -> Assignment:
    return Assignment(
        assignment_id=f"a-{owner}", owner_id=owner, pool_id="p", rule_id="r", assigned_at=START
    )


def test_the_survivor_is_the_oldest_then_the_least_id() -> None:
    old, new = lead("z"), lead("a", created_at=NOW)
    twin = lead("y")
    for order in itertools.permutations([old, new, twin]):
        assert survivor(order) == twin


def test_the_losers_point_at_the_survivor_and_keep_no_identity() -> None:
    kept, (gone,) = absorb(
        lead("l1", members=("l0",), identity_keys=("email:a",)),
        [lead("l2", members=("l3",), identity_keys=("phone:b",), awaits="owner", is_unowned=True)],
    )
    assert kept.members == ("l0", "l2", "l3")
    assert kept.merged_into == ""
    assert (gone.merged_into, gone.identity_keys) == ("l1", ())
    assert (gone.awaits, gone.is_unowned, gone.version) == ("", False, 3)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ({"assignment": assignment("ann")}, {"assignment": assignment("bob")}, "ann"),
        ({}, {"assignment": assignment("bob"), "pool_id": "q", "rule_id": "r2"}, "bob"),
        ({"awaits": "owner"}, {"assignment": assignment("bob")}, "bob"),
        ({"is_unowned": True}, {"assignment": assignment("bob")}, "bob"),
        ({}, {}, None),
    ],
)
def test_an_owner_is_kept_or_taken_over(
    mine: dict[str, Any], theirs: dict[str, Any], expected: str | None
) -> None:
    kept, _ = absorb(lead("l1", **mine), [lead("l2", **theirs)])
    assert (kept.assignment.owner_id if kept.assignment else None) == expected
    assert not kept.is_unowned
    assert not kept.awaits
    assert kept.pool_id == theirs.get("pool_id", "")


def test_without_an_owner_the_survivor_awaits_one_if_any_did() -> None:
    kept, _ = absorb(lead("l1"), [lead("l2", awaits="owner")])
    assert kept.awaits == "owner"
    kept, _ = absorb(lead("l1"), [lead("l2", is_unowned=True)])
    assert kept.is_unowned


@pytest.mark.parametrize(
    ("mine", "theirs", "status"),
    [
        ("new", "contacted", "contacted"),
        ("qualified", "contacted", "qualified"),
        ("disqualified", "new", "new"),
        ("assigned", "disqualified", "assigned"),
        ("disqualified", "disqualified", "disqualified"),
    ],
)
def test_work_under_way_goes_on(mine: str, theirs: str, status: str) -> None:
    kept, _ = absorb(
        lead("l1", status=mine, status_reason="mine", stage="MQL"),
        [lead("l2", status=theirs, status_reason="theirs", stage="opportunity")],
    )
    assert (kept.status, kept.stage) == (status, "opportunity")
    assert kept.status_reason == ("mine" if status == mine else "theirs")


STANDINGS = st.builds(
    Standing,
    status=st.sampled_from(["new", "assigned", "qualified", "disqualified"]),
    status_reason=st.sampled_from(["", "withdrawn", "no budget"]),
    stage=st.sampled_from(["lead", "MQL", "SQL"]),
    rule_id=st.sampled_from(["r1", "r2"]),
    pool_id=st.sampled_from(["p1", "p2"]),
    awaits=st.sampled_from(["", "owner"]),
    is_unowned=st.booleans(),
    declined_by=st.sampled_from([(), ("ann",), ("ann", "ben")]),
    apart=st.sampled_from([(), ("x",), ("y", "z")]),
)


@st.composite
def families(draw: st.DrawFn) -> list[Lead]:
    """Make up to five leads that stand where they may; some have owners, some have accepted."""
    found = []
    for number in range(draw(st.integers(2, 5))):
        standing = draw(STANDINGS)
        owned = None
        if draw(st.booleans()):
            at = START + timedelta(days=draw(st.integers(0, 2)))
            accepted = at if draw(st.booleans()) else None
            owned = assignment("ann").model_copy(
                update={
                    "assignment_id": f"a{number}",
                    "assigned_at": at,
                    "accepted_at": accepted,
                    "pool_id": f"p{number}",
                }
            )
        update = {**dict(standing), "assignment": owned}
        made = lead(f"l{number}", created_at=START + timedelta(minutes=number))
        found.append(made.model_copy(update=update))
    return found


def merged(leads: list[Lead]) -> tuple[Lead, dict[str, Lead]]:
    """Merge leads at once; gives the survivor, and all of them by id."""
    first = survivor(leads)
    one, gone = absorb(first, [each for each in leads if each is not first])
    return one, {each.lead_id: each for each in (one, *gone)}


def seen(one: Lead) -> dict[str, Any]:
    """Give what people see of a lead; in which steps it came to be is no matter."""
    return one.model_dump(exclude={"joins", "version"})


@given(families(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_neither_order_nor_grouping_of_merges_matters(leads: list[Lead], random: Any) -> None:
    expected, _ = merged(leads)
    groups = [[each] for each in leads]
    while len(groups) > 1:
        random.shuffle(groups)
        one, other, *rest = groups
        joined, _ = merged([*one, *other])
        groups = [[joined], *rest]
    assert seen(groups[0][0]) == seen(expected)


@given(families(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_whatever_is_merged_can_be_taken_out_in_any_order(leads: list[Lead], random: Any) -> None:
    family = {each.lead_id: each for each in leads}
    live = list(family)
    while len(live) > 1:
        random.shuffle(live)
        one, *others = (family[each] for each in live[: random.choice((2, 2, 3))])
        _, parts = merged([one, *others])
        family |= parts
        live = [each for each in live if not family[each].merged_into]
    while any(each.merged_into for each in family.values()):
        out = random.choice([each for each in family.values() if each.merged_into])
        top = out
        while top.merged_into:
            top = family[top.merged_into]
        whole = {each: family[each] for each in (top.lead_id, *top.members)}
        parted = take_out(whole, out.lead_id)
        family |= {each.lead_id: each for each in (parted.rest, parted.member, *parted.between)}
    marks = {each.lead_id: set(each.apart) for each in leads}
    for each in leads:
        after = family[each.lead_id]
        assert standing_of(after).model_copy(update={"apart": ()}) == standing_of(each).model_copy(
            update={"apart": ()}
        )
        assert (after.members, after.joins, after.merged_into) == ((), (), "")
        assert marks[each.lead_id] <= set(after.apart)


def test_what_only_the_merge_changed_goes_back_and_what_people_did_stays() -> None:
    ann = lead("l1", status="assigned", assignment=assignment("ann"))
    bob = lead("l2", status="qualified", stage="SQL", assignment=assignment("bob"))
    whole, family = merged([ann, bob])
    assert (whole.status, whole.stage, whole.assignment) == ("qualified", "SQL", ann.assignment)
    parted = take_out(family, "l2")
    assert (parted.rest.status, parted.rest.stage) == ("assigned", "lead")
    assert parted.member.assignment == bob.assignment
    family["l1"] = whole.model_copy(update={"status": "disqualified", "status_reason": "spam"})
    parted = take_out(family, "l2")
    assert (parted.rest.status, parted.rest.status_reason) == ("disqualified", "spam")
    assert parted.member.status == "qualified"


def test_an_assignment_that_was_dropped_since_does_not_come_back() -> None:
    alone = lead("l1", awaits="owner")
    bob = lead("l2", status="assigned", assignment=assignment("bob"))
    whole, family = merged([alone, bob])
    assert whole.assignment == bob.assignment
    declined = {"assignment": None, "status": "new", "awaits": "owner", "declined_by": ("bob",)}
    family["l1"] = whole.model_copy(update=declined)
    parted = take_out(family, "l2")
    assert (parted.member.assignment, parted.member.awaits) == (None, "owner")
    assert parted.member.declined_by == ("bob",)
    assert (parted.rest.assignment, parted.rest.declined_by) == (None, ())


def test_an_assignment_comes_back_as_accepted_as_it_is() -> None:
    whole, family = merged([lead("l1"), lead("l2", assignment=assignment("bob"))])
    assert whole.assignment
    accepted = whole.assignment.model_copy(update={"accepted_at": NOW})
    family["l1"] = whole.model_copy(update={"assignment": accepted})
    parted = take_out(family, "l2")
    assert parted.member.assignment == accepted
    assert parted.rest.assignment is None


def test_leads_that_are_kept_apart_may_not_merge_also_as_parts_of_others() -> None:
    one, other = lead("l1", apart=("l2",)), lead("l2", apart=("l1",))
    whole, _ = merged([lead("l0"), one])
    assert not may_merge(one, other)
    assert not may_merge(whole, other)
    assert kept_apart([whole, other, lead("l3")]) == [("l0", "l2")]
    assert may_merge(*let_together([whole, other]))


def test_a_lead_that_was_taken_out_is_kept_apart_and_a_lifted_mark_does_not_come_back() -> None:
    marked = lead("l2", apart=("l9",))
    whole, family = merged([lead("l1"), marked])
    assert whole.apart == ("l9",)
    parted = take_out(family, "l2")
    assert (parted.rest.apart, parted.member.apart) == (("l2",), ("l1", "l9"))
    family["l1"] = whole.model_copy(update={"apart": ()})
    assert take_out(family, "l2").member.apart == ("l1",)


def touch(name: str, *keys: str, full_name: str = "") -> Touch:
    contact = {"full_name": CleanValue(value=full_name, raw=full_name)} if full_name else {}
    return Touch(
        touch_id=name,
        source_id="forms",
        connector="generic_json",
        external_id=name,
        delivery_id="d",
        submitted_at=START,
        received_at=START,
        identity_keys=keys,
        contact=contact,
    )


@pytest.mark.parametrize(
    ("said", "side"),
    [
        (touch("t", "email:a"), "member"),
        (touch("t", "email:b"), "rest"),
        (touch("t", "email:a", "email:b"), "rest"),
        (touch("t", "email:a", "email:b", full_name="Ann Ash"), "member"),
        (touch("t", "phone:c", full_name="ann ash"), "member"),
        (touch("t", "email:b", full_name="Ann Ash"), "rest"),
        (touch("t", "phone:c"), "rest"),
        (touch("t", "phone:c", full_name="Annie Ashe"), "member"),
        (touch("t", "phone:c", full_name="Birch, Robert"), "rest"),
        (touch("t", "phone:c", full_name="Cara Cole"), "rest"),
    ],
)
def test_what_came_to_both_goes_where_the_evidence_puts_it(said: Touch, side: str) -> None:
    member, rest = Known(), Known()
    member.learn(touch("m", "email:a", full_name="Ann Ash"))
    rest.learn(touch("r", "email:b", full_name="Bob Birch"))
    assert closer(said, member, rest, AS_IT_COMES) == side


def test_a_lead_without_owner_or_touch_is_not_left_in_limbo() -> None:
    alone = settled(lead("l1", status="assigned"), [touch("t")])
    assert (alone.status, alone.awaits) == ("new", "owner")
    void = touch("t").model_copy(update={"void": "withdrawn"})
    gone = settled(lead("l1", awaits="owner"), [void])
    assert (gone.status, gone.status_reason, gone.awaits) == ("disqualified", "withdrawn", "")
    back = settled(lead("l1", status="disqualified", status_reason="withdrawn"), [touch("t")])
    assert (back.status, back.awaits) == ("new", "owner")
    waiting = settled(lead("l1", is_unowned=True), [touch("t")])
    assert (waiting.is_unowned, waiting.awaits) == (True, "")
