"""A lead is a fold over its touches: their order and their repetition never matter."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.identity import lead_id
from chalicelib.lead.merging import absorb, fold, new_lead, survivor
from chalicelib.lead.model import Assignment, CleanValue, Consent, Lead, Touch

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def touch(name: str, hour: int = 0, notes: tuple[str, ...] = (), **given: Any) -> Touch:
    """Make a touch; contact fields are given as text, the rest by their own names."""
    own = {key: given.pop(key) for key in list(given) if key in Touch.model_fields}
    at = START + timedelta(hours=hour)
    contact = {
        field: value if isinstance(value, CleanValue) else CleanValue(value=value, raw=value)
        for field, value in given.items()
    }
    return Touch(
        **{
            "touch_id": name,
            "source_id": "website",
            "connector": "typeform",
            "external_id": name,
            "delivery_id": "d",
            "submitted_at": at,
            "received_at": at,
            "contact": contact,
            "notes": notes,
            **own,
        }
    )


def folded(*touches: Touch) -> Lead:
    return fold(new_lead(touch("none"), NOW), touches, NOW)


def profile(lead: Lead) -> dict[str, Any]:
    return {field: held.value for field, held in lead.profile.items()}


def lead(name: str, **given: Any) -> Lead:
    return Lead(
        **{"lead_id": name, "version": 3, "created_at": START, "updated_at": START, **given}
    )


def assignment(owner: str) -> Assignment:
    return Assignment(
        assignment_id=f"a-{owner}", owner_id=owner, pool_id="p", rule_id="r", assigned_at=START
    )


def test_a_new_lead_is_made_from_its_first_touch() -> None:
    first = touch("t1", 1, email="ann@example.com", identity_keys=("email:ann@example.com",))
    made = new_lead(first, NOW)
    assert made.lead_id == lead_id("t1")
    assert (made.version, made.created_at, made.updated_at) == (0, first.received_at, NOW)
    assert profile(made) == {"email": "ann@example.com"}
    assert made.profile["email"].touch_id == "t1"
    assert made.profile["email"].at == first.submitted_at
    assert made.identity_keys == ("email:ann@example.com",)
    assert made.touch_count == 1


@pytest.mark.parametrize(
    ("touches", "expected"),
    [
        # newest
        (
            [touch("a", 0, company="Old"), touch("b", 1, company="New")],
            {"company": "New"},
        ),
        # most trusted before newest
        (
            [touch("a", 0, company="Sure", trust=90), touch("b", 1, company="New")],
            {"company": "Sure"},
        ),
        # complete before partial, whatever the trust
        (
            [touch("a", 0, company="Sent"), touch("b", 1, company="P", is_partial=True, trust=99)],
            {"company": "Sent"},
        ),
        # a partial one is better than none
        (
            [touch("a", 0, company="Sent"), touch("b", 1, city="Bonn", is_partial=True)],
            {"company": "Sent", "city": "Bonn"},
        ),
        # what is missing in the newest comes from before
        (
            [touch("a", 0, company="Acme", city="Bonn"), touch("b", 1, company="Beta")],
            {"company": "Beta", "city": "Bonn"},
        ),
        # the message is the newest, whatever the trust
        (
            [touch("a", 0, message="first", trust=99), touch("b", 1, message="second", trust=1)],
            {"message": "second"},
        ),
        # said before inferred, inferred before guessed
        (
            [
                touch("a", 0, country="FR"),
                touch("b", 1, country=CleanValue(value="DE", raw="x", notes=("from:phone",))),
            ],
            {"country": "FR"},
        ),
        (
            [
                touch("a", 0, country=CleanValue(value="DE", raw="x", notes=("from:phone",))),
                touch(
                    "b", 1, country=CleanValue(value="FR", raw="x", notes=("from:email", "weak"))
                ),
            ],
            {"country": "DE"},
        ),
        # names come whole from one touch, the fuller one
        (
            [
                touch("a", 0, full_name="Ann Lee", first_name="Ann", last_name="Lee"),
                touch("b", 1, full_name="Annie"),
            ],
            {"full_name": "Ann Lee", "first_name": "Ann", "last_name": "Lee"},
        ),
        (
            [
                touch("a", 0, full_name="Ann Lee", first_name="Ann", last_name="Lee"),
                touch("b", 1, full_name="Ann Maria Miller"),
            ],
            {"full_name": "Ann Maria Miller"},
        ),
        # so do addresses
        (
            [
                touch("a", 0, street="1 Main St", city="Bonn", postal_code="53111"),
                touch("b", 1, city="Berlin"),
            ],
            {"street": "1 Main St", "city": "Bonn", "postal_code": "53111"},
        ),
        # at the same moment the greater id wins
        (
            [touch("a", 0, company="A"), touch("b", 0, company="B")],
            {"company": "B"},
        ),
        # void ones count for nothing
        (
            [touch("a", 0, company="A"), touch("b", 1, company="B", void="withdrawn")],
            {"company": "A"},
        ),
        ([touch("a", 0, company="A", void="withdrawn")], {}),
        ([], {}),
    ],
)
def test_for_each_field_one_touch_wins_in_whatever_order_they_come(
    touches: list[Touch], expected: dict[str, str]
) -> None:
    for order in itertools.permutations(touches):
        assert profile(folded(*order)) == expected


def test_custom_fields_follow_the_same_rules() -> None:
    made = folded(
        touch("a", 0, custom={"size": 51, "topics": ("x",)}, trust=90),
        touch("b", 1, custom={"size": 9, "note": "n"}),
        touch("c", 2, custom={"topics": ()}, trust=99),
    )
    assert {field: held.value for field, held in made.custom.items()} == {
        "size": 51,
        "topics": ("x",),
        "note": "n",
    }
    assert made.custom["note"].touch_id == "b"


def test_first_and_last_touch_are_by_time_of_submission() -> None:
    made = folded(
        touch("a", 5, campaign={"utm_source": "late"}, form="f2"),
        touch("b", 1, campaign={"utm_source": "early"}),
        touch("c", 0, void="withdrawn"),
    )
    assert made.first_touch and made.last_touch
    assert (made.first_touch.touch_id, made.first_touch.campaign) == ("b", {"utm_source": "early"})
    assert (made.last_touch.touch_id, made.last_touch.form) == ("a", "f2")
    assert made.touch_count == 2


def test_a_void_touch_still_says_who_it_was_from() -> None:
    made = folded(touch("a", 0, identity_keys=("email:ann@example.com",), void="withdrawn"))
    assert made.identity_keys == ("email:ann@example.com",)
    assert (made.touch_count, made.first_touch, made.is_partial) == (0, None, False)


def test_of_two_states_of_one_touch_the_void_one_holds() -> None:
    given, taken_back = touch("a", 0, company="A"), touch("a", 0, company="A", void="withdrawn")
    assert folded(given, taken_back) == folded(taken_back, given) == folded(taken_back)


def test_a_lead_is_partial_until_a_complete_touch_comes() -> None:
    partial = touch("a", 0, is_partial=True)
    assert folded(partial).is_partial
    assert not folded(partial, touch("b", 1)).is_partial


def consent(given: bool, hour: int, purpose: str = "marketing") -> Consent:
    return Consent(purpose=purpose, given=given, at=START + timedelta(hours=hour))


@pytest.mark.parametrize(
    ("touches", "expected"),
    [
        ([touch("a", consents=(consent(True, 0),))], {"marketing": True}),
        (
            [touch("a", consents=(consent(True, 1),)), touch("b", consents=(consent(False, 0),))],
            {"marketing": True},
        ),
        (
            [touch("a", consents=(consent(True, 0),)), touch("b", consents=(consent(False, 1),))],
            {"marketing": False},
        ),
        (
            [touch("a", consents=(consent(True, 0),)), touch("b", consents=(consent(False, 0),))],
            {"marketing": False},
        ),
        (
            [
                touch("a", consents=(consent(True, 0),)),
                touch("b", consents=(consent(True, 0, "contact"),)),
            ],
            {"contact": True, "marketing": True},
        ),
        ([touch("a", consents=(consent(True, 0),), is_partial=True)], {}),
        ([touch("a", consents=(consent(False, 0),), is_partial=True)], {"marketing": False}),
        ([touch("a", consents=(consent(True, 0),), void="withdrawn")], {}),
    ],
)
def test_the_latest_word_on_each_purpose_counts(
    touches: list[Touch], expected: dict[str, bool]
) -> None:
    for order in itertools.permutations(touches):
        made = folded(*order)
        assert {purpose: held.given for purpose, held in made.consents.items()} == expected


def test_flags_are_what_was_noticed_of_values_in_use_without_evidence() -> None:
    disposable = CleanValue(value="x@example.com", raw="x", notes=("disposable",))
    good = CleanValue(value="ann@example.com", raw="x", notes=("role_address",))
    phone = CleanValue(value="+4930901820", raw="x", notes=("country:DE from number", "ext:1"))
    made = folded(
        touch("a", 0, email=disposable, notes=("invalid_phone", "size:range")),
        touch("b", 1, email=good, phone=phone, notes=("invalid_website",)),
    )
    assert made.flags == ("invalid_website", "role_address", "size:range")


def test_fold_leaves_the_rest_of_the_lead_alone() -> None:
    before = lead(
        "l1",
        status="contacted",
        stage="SQL",
        assignment=assignment("ann"),
        members=("l2",),
        routed=2,
        config_hash="h",
    )
    after = fold(before, [touch("a", company="A")], NOW)
    changed = {name for name in Lead.model_fields if getattr(before, name) != getattr(after, name)}
    assert changed == {"updated_at", "touch_count", "profile", "first_touch", "last_touch"}


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


CONTACT = st.dictionaries(
    st.sampled_from(["email", "full_name", "first_name", "street", "city", "message", "country"]),
    st.builds(
        lambda value, notes: CleanValue(value=value, raw=value, notes=notes),
        st.sampled_from(["a", "b", "a b"]),
        st.sampled_from([(), ("from:phone",), ("from:email", "weak"), ("disposable",)]),
    ),
    max_size=4,
)


@st.composite
def touches(draw: st.DrawFn) -> Touch:
    """Make touches of few values, so that they meet and tie often."""
    number = draw(st.integers(0, 6))
    hour = draw(st.integers(0, 2))
    return touch(
        f"t{number}-{hour}",
        hour,
        contact=draw(CONTACT),
        custom=draw(st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 2), max_size=2)),
        identity_keys=draw(st.sampled_from([(), ("email:a",), ("email:b", "phone:c")])),
        consents=draw(
            st.lists(st.builds(consent, st.booleans(), st.integers(0, 1)), max_size=1).map(tuple)
        ),
        trust=draw(st.sampled_from([10, 50])),
        is_partial=draw(st.booleans()),
        void=draw(st.sampled_from(["", "", "withdrawn"])),
        notes=draw(st.sampled_from([(), ("invalid_email",)])),
    )


UNIQUE = st.lists(touches(), max_size=5, unique_by=lambda one: one.touch_id)


@given(UNIQUE, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_and_repetition_never_matter(some: list[Touch], random: Any) -> None:
    shuffled = [*some, *some[:2]]
    random.shuffle(shuffled)
    assert folded(*shuffled) == folded(*some)


@given(UNIQUE)
@settings(max_examples=100, deadline=None)
def test_folding_twice_equals_once(some: list[Touch]) -> None:
    once = folded(*some)
    assert fold(once, some, NOW) == once


@given(UNIQUE)
@settings(max_examples=100, deadline=None)
def test_every_value_names_the_touch_that_has_it(some: list[Touch]) -> None:
    by_id = {one.touch_id: one for one in some}
    for field, held in folded(*some).profile.items():
        source = by_id[held.touch_id]
        assert source.contact[field].value == held.value
        assert held.at == source.submitted_at
        assert not source.void


def test_who_sent_a_person_keeps_the_credit_whatever_comes_and_is_merged() -> None:
    sent = touch("b", 2, source_id="partners", referrer="acme")
    again = touch("d", 4, source_id="partners", referrer="acme")
    other = touch("c", 3, source_id="partners", referrer="beta")
    own = touch("a", 1, email="zoe@example.com")
    for order in itertools.permutations((sent, again, other, own)):
        held = folded(*order).credits
        assert [(credit.referrer, credit.touch_id) for credit in held] == [
            ("acme", "b"),
            ("beta", "c"),
        ]
    assert [
        c.referrer for c in folded(own, sent.model_copy(update={"void": "withdrawn"})).credits
    ] == []


def test_what_only_tells_of_a_person_is_no_approach_of_theirs() -> None:
    came = touch("a", 1, email="zoe@example.com", campaign={"utm_source": "news"})
    refused = touch(
        "b", 2, only_if_known=True, consents=(Consent(purpose="marketing", given=False),)
    )
    both = folded(refused, came)
    assert both.consents["marketing"].given is False
    assert both.touch_count == 1
    assert both.last_touch and both.last_touch.touch_id == "a"
