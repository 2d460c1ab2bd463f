"""A lead is a fold over touches and edits: their order and their repetition never matter."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Keep, Merging
from chalicelib.lead.edits import edits_said_of, join_edits
from chalicelib.lead.folding import fold, new_lead
from chalicelib.lead.identity import lead_id
from chalicelib.lead.merging import absorb, survivor
from chalicelib.lead.model import Assignment, CleanValue, Consent, Edit, Lead, Touch

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
USUAL = Merging()


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


def folded(*touches: Touch, merging: Merging = USUAL, edits: tuple[Edit, ...] = ()) -> Lead:
    return fold(
        new_lead(touch("none"), NOW).model_copy(update={"edits": edits}), touches, NOW, merging
    )


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
    made = fold(made, [first], NOW, USUAL)
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
    after = fold(before, [touch("a", company="A")], NOW, USUAL)
    changed = {name for name in Lead.model_fields if getattr(before, name) != getattr(after, name)}
    assert changed == {"updated_at", "touch_count", "profile", "first_touch", "last_touch"}


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
    assert fold(once, some, NOW, USUAL) == once


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


# --- which touch wins, by the configuration -------------------------------------------------------

COMPANIES = [
    touch("a", 0, company="Acme", city="Bonn", trust=10),
    touch("b", 1, company="Acme Analytics", trust=50),
    touch("c", 2, company="Acme Ltd", trust=90),
    touch("d", 3, company="ACM", trust=40),
]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("most_trusted", "Acme Ltd"),
        ("most_complete", "Acme"),
        ("newest", "ACM"),
        ("oldest", "Acme"),
        ("longest", "Acme Analytics"),
    ],
)
def test_a_rule_says_which_touch_wins_a_field(keep: Keep, expected: str) -> None:
    for merging in (Merging(keep=keep), Merging(fields={"company": keep})):
        for order in itertools.permutations(COMPANIES):
            assert profile(folded(*order, merging=merging))["company"] == expected


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("most_trusted", (51, ("x", "y"))),
        ("most_complete", (7, ("x",))),
        ("newest", (9, ("z",))),
        ("oldest", (7, ("x",))),
        ("longest", (9, ("x", "y"))),
    ],
)
def test_a_rule_says_which_touch_wins_a_custom_field(keep: Keep, expected: Any) -> None:
    touches = (
        touch("a", 0, custom={"size": 7, "topics": ("x",)}, company="A", city="B", trust=10),
        touch("b", 1, custom={"size": 51, "topics": ("x", "y")}, trust=90),
        touch("c", 2, custom={"size": 9, "topics": ("z",)}),
    )
    made = folded(*touches, merging=Merging(keep=keep))
    assert (made.custom["size"].value, made.custom["topics"].value) == expected


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("most_trusted", {"city": "Berlin"}),
        ("most_complete", {"street": "1 Main St", "city": "Bonn", "postal_code": "53111"}),
        ("newest", {"street": "A very long street indeed", "city": "Rome"}),
        ("oldest", {"street": "1 Main St", "city": "Bonn", "postal_code": "53111"}),
        ("longest", {"street": "A very long street indeed", "city": "Rome"}),
    ],
)
def test_an_address_is_taken_whole_whatever_the_rule(keep: Keep, expected: Any) -> None:
    touches = (
        touch("a", 0, street="1 Main St", city="Bonn", postal_code="53111"),
        touch("b", 1, city="Berlin", trust=90),
        touch("c", 2, street="A very long street indeed", city="Rome"),
    )
    for merging in (Merging(keep=keep), Merging(fields={"postal_code": keep})):
        assert profile(folded(*touches, merging=merging)) == expected


@pytest.mark.parametrize("keep", get_args(Keep))
def test_no_rule_puts_the_unfinished_or_the_inferred_first(keep: Keep) -> None:
    inferred = CleanValue(value="Germany, inferred", raw="x", notes=("from:phone",))
    said, late = touch("b", 1, country="FR"), touch("c", 2, country=inferred, trust=99)
    early = touch("a", 0, country=inferred, trust=99)
    left = touch("d", 3, country="A long country", is_partial=True, trust=99)
    made = folded(early, said, late, left, merging=Merging(keep=keep))
    assert profile(made)["country"] == "FR"


def test_the_message_is_the_newest_unless_it_is_named() -> None:
    touches = (touch("a", 0, message="first"), touch("b", 1, message="second"))
    assert profile(folded(*touches, merging=Merging(keep="oldest")))["message"] == "second"
    named = Merging(fields={"message": "oldest"})
    assert profile(folded(*touches, merging=named))["message"] == "first"


# --- what is set by hand --------------------------------------------------------------------------


def edit(field: str, value: Any, hour: int = 0, lead_id: str = "l", **more: Any) -> Edit:
    at = START + timedelta(hours=hour)
    made = {"event_id": f"e{hour}-{lead_id}", "by": "Ann Ashby", **more}
    return Edit(field=field, value=value, at=at, lead_id=lead_id, **made)


@pytest.mark.parametrize("keep", get_args(Keep))
def test_what_is_set_by_hand_counts_whatever_comes_and_names_who_set_it(keep: Keep) -> None:
    later = touch("a", 9, company="A longer name", trust=100, custom={"size": 3})
    edits = (edit("company", "Mine"), edit("size", 250))
    made = folded(later, edits=edits, merging=Merging(keep=keep))
    held = made.profile["company"]
    assert (held.value, held.by, held.event_id, held.touch_id) == (
        "Mine",
        "Ann Ashby",
        "e0-l",
        "",
    )
    assert made.custom["size"].value == 250


def test_of_what_was_said_of_merged_leads_the_newest_word_counts() -> None:
    words = (edit("company", "B", 2, "a"), edit("company", "A", 1, "b"), edit("city", "C", 1, "b"))
    for said in (words, (*words, edit("city", None, 3, "a"))):
        for order in itertools.permutations(said):
            made = profile(folded(touch("t", 9, company="Told"), edits=order))
            assert made == {"company": "B"} | ({"city": "C"} if said is words else {})


def test_what_is_given_back_comes_from_the_touches_again() -> None:
    one = touch("a", 0, company="Told")
    edits = join_edits([edit("company", "Mine", 1), edit("company", None, 2)])
    made = folded(one, edits=edits)
    assert (made.profile["company"].value, made.profile["company"].touch_id) == ("Told", "a")
    assert made.profile["company"].source_id == "website"


def test_what_is_emptied_by_hand_stays_empty() -> None:
    assert profile(folded(touch("a", 5, company="Told"), edits=(edit("company", ""),))) == {}
    made = folded(touch("a", 5, custom={"topics": ("x",)}), edits=(edit("topics", ()),))
    assert made.custom == {}


def test_what_was_inferred_from_a_value_that_was_put_right_counts_no_more() -> None:
    inferred = CleanValue(value="wrong.example.com", raw="x", notes=("from:email",))
    one = touch("a", 0, email="ann@wrong.example.com", company_domain=inferred, country="DE")
    right = edit("email", "ann@example.org")
    assert profile(folded(one, edits=(right,))) == {"email": "ann@example.org", "country": "DE"}
    same = edit("email", "ann@wrong.example.com")
    assert profile(folded(one, edits=(same,)))["company_domain"] == "wrong.example.com"


def test_flags_and_identity_keys_are_of_edits_too() -> None:
    one = touch("a", 0, notes=("invalid_phone",), identity_keys=("email:a",))
    keys = ("phone:+4930901820",)
    phone = edit("phone", "+4930901820", notes=("unlikely_phone",), identity_keys=keys)
    made = folded(one, edits=(phone,))
    assert made.flags == ("unlikely_phone",)
    assert made.identity_keys == ("email:a", *keys)


EDITS = st.lists(
    st.builds(
        edit,
        st.sampled_from(["email", "company", "x"]),
        st.sampled_from(["by hand", "", None]),
        st.integers(0, 3),
        st.sampled_from(["a", "b", "c"]),
        identity_keys=st.sampled_from([(), ("email:h",)]),
    ),
    max_size=5,
    unique_by=lambda one: (one.field, one.lead_id, one.event_id),
)

MERGINGS = [
    *(Merging(keep=keep) for keep in get_args(Keep)),
    Merging(keep="oldest", fields={"email": "newest", "city": "longest", "x": "most_complete"}),
]

SHARES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=5, max_size=5)


def followed(one: Lead) -> dict[str, Any]:
    """Give what follows from touches and edits."""
    own = ("profile", "custom", "identity_keys", "consents", "flags", "credits", "edits")
    return {name: getattr(one, name) for name in (*own, "first_touch", "last_touch", "touch_count")}


@pytest.mark.parametrize("merging", MERGINGS, ids=str)
@given(UNIQUE, EDITS, SHARES, st.permutations(["a", "b", "c"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_leads_merged_in_any_order_are_the_fold_over_all_of_theirs(
    merging: Merging,
    some: list[Touch],
    edits: list[Edit],
    shares: list[str],
    order: list[str],
    is_grouped: bool,
) -> None:
    touches = {
        name: [one for one, share in zip(some, shares, strict=False) if share == name]
        for name in order
    }
    leads = {
        name: fold(
            lead(name, edits=join_edits(one for one in edits if one.lead_id == name)),
            touches[name],
            NOW,
            merging,
        )
        for name in order
    }

    def merge(*names: str) -> str:
        kept = survivor([leads[name] for name in names])
        others = [leads[name] for name in names if name != kept.lead_id]
        merged, gone = absorb(kept, others)
        theirs = [one for name in (merged.lead_id, *merged.members) for one in touches[name]]
        leads[kept.lead_id] = fold(merged, theirs, NOW, merging)
        leads.update({one.lead_id: one for one in gone})
        return kept.lead_id

    one, two, three = order
    last = merge(one, two, three) if is_grouped else merge(merge(one, two), three)
    whole = fold(lead("l", edits=join_edits(edits)), some, NOW, merging)
    assert followed(leads[last]) == followed(whole)
    for name in order:
        assert edits_said_of(leads[last].edits, [name]) == edits_said_of(whole.edits, [name])


@given(EDITS, st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_edits_are_joined_in_any_order_and_as_often_as_one_likes(
    edits: list[Edit], place: int
) -> None:
    some, more = edits[: place + 1], edits[place:]
    once = join_edits(some, more)
    assert join_edits(more, some) == join_edits(once, some) == join_edits(once) == once
