"""What parsers share: forms whose keys somebody chose, boxes to tick, brackets, lists by window."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.answers import act_id, consents_of, form_submission, nested, own_id, zone_of
from chalicelib.connector import FORM_OPTIONS, Request, Submission, Window, flatten, page_within
from chalicelib.errors import Malformed, Misconfigured

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)


def made(texts: Mapping[str, tuple[str, ...]], at: datetime = NOW, **known: Any) -> Submission:
    request = Request("POST", "/hooks/s", {}, {}, b"", at)
    return form_submission(texts, request, FORM_OPTIONS, **known)


def test_one_id_for_the_same_content_within_ten_minutes_and_another_after() -> None:
    ids = [act_id("", "", {"a": "b"}, NOW + timedelta(minutes=minutes)) for minutes in (0, 9, 10)]
    assert ids[0] == ids[1] != ids[2]
    assert act_id("", "", {"a": "c"}, NOW) != ids[0]


def test_with_a_stamp_the_same_content_is_the_same_act_whenever_it_comes() -> None:
    assert act_id("", "8:53", ["a"], NOW) == act_id("", "8:53", ["a"], LATER)
    assert act_id("", "8:53", ["a"], NOW) != act_id("", "8:54", ["a"], NOW)


def test_two_people_under_one_id_are_two() -> None:
    assert act_id("7", "", ["a"], NOW) == act_id("7", "", ["a"], LATER)
    assert act_id("7", "", ["a"], NOW) != act_id("7", "", ["b"], NOW)


@pytest.mark.parametrize(
    ("texts", "given", "wording"),
    [
        ({"Consent": ("on",)}, True, ""),
        ({"consent": ("",)}, False, ""),
        ({"consent": ("false",)}, False, ""),
        ({"consent": ("You may call me",)}, True, "You may call me"),
        ({"consent": ("1",), "consent_text": ("v3",)}, True, "v3"),
    ],
)
def test_a_box_is_read_as_forms_write_it(
    texts: dict[str, tuple[str, ...]], given: bool, wording: str
) -> None:
    (consent,) = consents_of(texts, {"consent": "contact"})
    assert (consent.purpose, consent.given, consent.wording) == ("contact", given, wording)


def test_a_box_that_is_absent_says_nothing() -> None:
    assert consents_of({"email": ("a@example.com",)}, {"consent": "contact"}) == ()


def test_a_form_has_answers_campaign_page_and_consent_apart() -> None:
    act = made(
        {
            "email": ("a@example.com",),
            "empty": ("",),
            "utm_source": ("fair",),
            "page_url": ("https://example.com/",),
            "form_id": ("f",),
            "consent": ("on",),
            "ip": ("203.0.113.9",),
        },
        own={"ip"},
    )
    assert act.answers == {"email": "a@example.com", "consent": "on"}
    assert act.campaign == {"utm_source": "fair"}
    assert (act.form, act.page_url) == ("f", "https://example.com/")
    assert [consent.purpose for consent in act.consents] == ["contact"]


def test_the_same_answers_in_another_form_are_another_act() -> None:
    texts = {"email": ("a@example.com",)}
    assert made(texts, form="a").external_id != made(texts, form="b").external_id


def test_a_form_in_which_nothing_is_filled_is_malformed() -> None:
    with pytest.raises(Malformed):
        made({"email": ("",), "utm_source": ("fair",)})


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ({"a[b][c]": ("1",), "a[b][d]": ("2",)}, {"a": {"b": {"c": "1", "d": "2"}}}),
        ({"a[0]": ("x",), "a[1]": ("y",)}, {"a": ["x", "y"]}),
        ({"a[1]": ("x",), "a[0]": ("y",)}, {"a": {"1": "x", "0": "y"}}),
        ({"a[]": ("x",)}, {"a": ["x"]}),
        ({"a": ("x", "y")}, {"a": ["x", "y"]}),
        ({"[a]": ("x",), "b[": ("y",), "c]d[e]": ("z",)}, {"[a]": "x", "b[": "y", "c]d[e]": "z"}),
    ],
)
def test_brackets_are_undone_as_php_writes_them(
    texts: dict[str, tuple[str, ...]], value: dict[str, Any]
) -> None:
    assert nested(texts) == value


@pytest.mark.parametrize(
    "names", [("a", "a[b]"), ("a[b]", "a"), ("a[b]", "a[b][c]"), ("a" + "[b]" * 40,)]
)
def test_names_that_do_not_fit_together_are_malformed(names: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        flatten(nested(dict.fromkeys(names, ("x",))))


WINDOW = Window(NOW, NOW + timedelta(hours=1))


def listed(*hours: float) -> list[dict[str, str]]:
    return [{"at": (NOW + timedelta(hours=hour)).isoformat()} for hour in hours]


@pytest.mark.parametrize(
    ("hours", "kept", "following"),
    [
        ((2, 1, 0.5, 0), 3, "2"),
        ((0.5, -1), 1, ""),
        ((-1, -2), 0, ""),
        ((-2, -1), 0, "2"),
        ((3, 2), 0, "2"),
        ((), 0, ""),
    ],
)
def test_a_list_is_read_until_it_is_newest_first_and_past_the_window(
    hours: tuple[float, ...], kept: int, following: str
) -> None:
    page = page_within(WINDOW, listed(*hours), lambda item: item["at"], "2")
    assert (len(page.items), page.next) == (kept, following)


def test_an_item_whose_time_cannot_be_read_is_kept_so_that_it_is_seen() -> None:
    items = [{"at": "soon"}, {}, {"at": None}]
    assert page_within(WINDOW, items, lambda item: item.get("at"), "2").items == tuple(items)


@pytest.mark.parametrize("text", ["zap-000123", "9007199254740993", "1A b/c", ""])
def test_an_id_that_tells_nothing_stays_as_it_is(text: str) -> None:
    assert own_id(text) == text


@pytest.mark.parametrize(
    "text", ["zoe@example.com", "+44 7700 900123", " +1202", "two\nlines", "x" * 201]
)
def test_an_id_that_is_an_address_or_a_number_or_long_becomes_a_digest(text: str) -> None:
    assert own_id(text) == own_id(text) != own_id(f"{text}0")
    assert len(own_id(text)) == 32


def test_labels_that_spell_campaign_keys_are_campaign_and_no_answers() -> None:
    form = made({"Email": ("a@example.com",), "UTM Source": ("news",), "Platform": ("iOS",)})
    assert form.campaign == {"utm_source": "news"}
    assert set(form.answers) == {"Email", "Platform"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../UTC", "", "Europe"])
def test_a_zone_that_is_none_is_misconfigured(zone: str) -> None:
    with pytest.raises(Misconfigured):
        zone_of({"time_zone": zone})
