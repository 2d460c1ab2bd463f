"""What only Meta does: its handshake, its two signature headers, its thousand leads in one POST."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import (
    Get,
    Reply,
    Request,
    Submission,
    Unreadable,
    Window,
    complete,
    read,
)
from chalicelib.errors import Expired, Gone, Malformed, Misconfigured, Refused, Unverified
from connectors.meta import connector
from tests.listing import items_of, pages_of

AT = datetime(2027, 1, 1, tzinfo=UTC)
NOTICE = Submission(external_id="7", submitted_at=AT, form="55", lookup={"leadgen_id": "7"})


def posted(body: Any) -> Request:
    content = json.dumps(body).encode()
    return Request("POST", "/hooks/meta", {}, {"content-type": ("application/json",)}, content, AT)


def giving(answers: Mapping[str, Any], calls: list[tuple[str, Any]] | None = None) -> Get:
    """Play the Graph API: answers by path; pages of a list by path and cursor."""

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert isinstance(params, dict)
        if calls is not None:
            calls.append((path, params))
        key = f"{path} {params['after']}" if params.get("after") else path
        if key not in answers:
            raise Gone(key)
        if isinstance(answers[key], Exception):
            raise answers[key]
        return answers[key]

    return get


def asked(**query: str | tuple[str, ...]) -> Request:
    values = {
        f"hub.{name}": (value,) if isinstance(value, str) else value
        for name, value in query.items()
    }
    return Request("GET", "/hooks/meta", values, {}, b"", AT)


def shake(secrets: tuple[str, ...], **query: str | tuple[str, ...]) -> Reply:
    assert connector.handshake
    return connector.handshake(asked(**query), secrets)


def test_the_challenge_is_echoed_as_text_and_never_as_a_page() -> None:
    challenge = "<script>alert(1)</script>"
    reply = shake(("one",), mode="subscribe", verify_token="one", challenge=challenge)
    assert (reply.status, reply.body, reply.content_type) == (200, challenge, "text/plain")


def test_the_older_of_two_verify_tokens_still_works() -> None:
    query = {"mode": "subscribe", "verify_token": "old", "challenge": "5"}
    assert shake(("new", "old"), **query).body == "5"


@pytest.mark.parametrize("secrets", [(), ("",), ("other",), ("ONE",), ("one ",)])
@pytest.mark.parametrize("token", ["one", "", "\ud800", "öne"])
def test_a_verify_token_that_is_not_ours_gets_no_echo(secrets: tuple[str, ...], token: str) -> None:
    with pytest.raises(Unverified) as caught:
        shake(secrets, mode="subscribe", verify_token=token, challenge="5")
    assert "one" not in str(caught.value)


def test_a_wrong_verify_token_is_answered_403() -> None:
    assert connector.statuses.unverified == 403


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "unsubscribe", "verify_token": "one", "challenge": "5"},
        {"verify_token": "one", "challenge": "5"},
        {"mode": "subscribe", "verify_token": "one"},
        {"mode": "subscribe", "verify_token": "one", "challenge": ("5", "6")},
    ],
)
def test_a_handshake_of_another_form_is_malformed(query: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        shake(("one",), **query)


def test_a_verify_token_said_twice_is_refused() -> None:
    with pytest.raises(Unverified):
        shake(("one",), mode="subscribe", verify_token=("one", "two"), challenge="5")


def test_the_sha1_header_proves_nothing() -> None:
    signed = connector.signature.sign(posted({"object": "page", "entry": []}), "key")
    legacy = {"x-hub-signature": ("sha1=a754c40efafd40e411b9d883093f2ac5e0bc42af",)}
    assert connector.signature.verify(signed, ("key",), AT)
    with pytest.raises(Unverified):
        connector.signature.verify(replace(signed, headers=legacy), ("key",), AT)
    with pytest.raises(Misconfigured):
        connector.signature.verify(signed, ("",), AT)


def test_a_thousand_leads_in_one_request_are_a_thousand_submissions() -> None:
    value = {"form_id": "1", "page_id": "2", "ad_id": "3", "adgroup_id": "4", "created_time": 9}
    changes = [
        {
            "id": "2",
            "time": 9,
            "changes": [{"field": "leadgen", "value": {**value, "leadgen_id": n}}],
        }
        for n in range(1000)
    ]
    found = read(connector, posted({"object": "page", "entry": changes}), {})
    assert [act.external_id for act in found if isinstance(act, Submission)] == [
        str(n) for n in range(1000)
    ]


@pytest.mark.parametrize(
    "leadgen_id",
    ["me", "../1", "1?fields=id", "", "１", "-1", 1.5, 1e30, "9" * 41, 10**400, True, None],
)
def test_an_id_that_could_change_the_address_is_not_read(leadgen_id: Any) -> None:
    value = {"leadgen_id": leadgen_id, "form_id": "1", "created_time": 9}
    change = {"field": "leadgen", "value": value}
    (act,) = read(connector, posted({"object": "page", "entry": [{"changes": [change]}]}), {})
    assert isinstance(act, Unreadable)


@pytest.mark.parametrize("created", [10**30, "soon", None, True, [], {}])
def test_a_lead_with_a_time_that_is_none_is_not_read_and_the_others_are(created: Any) -> None:
    value = {"leadgen_id": 1, "form_id": 1, "created_time": 9}
    changes = [
        {"field": "leadgen", "value": {**value, "created_time": created}},
        {"field": "leadgen", "value": value},
    ]
    found = read(connector, posted({"object": "page", "entry": [{"changes": changes}]}), {})
    assert [type(act) for act in found] == [Unreadable, Submission]


@pytest.mark.parametrize(
    "lead", [{"id": "7", "field_data": []}, {"id": "7"}, {"id": "7", "field_data": None}]
)
def test_a_lead_without_answers_means_that_we_may_not_see_them(lead: dict[str, Any]) -> None:
    assert connector.fetch
    with pytest.raises(Refused, match="README"):
        complete(connector, NOTICE, giving({"7": lead}))


@pytest.mark.parametrize(
    "lead",
    [
        *([], "text", None, 7),
        {"field_data": "text"},
        {"field_data": [{"name": "email"}]},
        {"field_data": [{"name": "email", "values": None}]},
        {"field_data": [{"name": ["email"], "values": ["a"]}]},
        {"field_data": [{"name": "email", "values": ["a"]}], "created_time": "soon"},
        {"field_data": [{"name": "email", "values": ["a"]}], "form_id": "x"},
        {"field_data": [{"name": "email", "values": ["a"]}], "custom_disclaimer_responses": [1]},
    ],
)
def test_a_lead_of_another_shape_is_malformed(lead: Any) -> None:
    assert connector.fetch
    with pytest.raises(Malformed):
        complete(connector, NOTICE, giving({"7": lead}))


def test_what_was_fetched_needs_no_fetching_again() -> None:
    lead = {"id": "7", "field_data": [{"name": "email", "values": ["a@example.com"]}]}
    assert connector.fetch
    found = complete(connector, NOTICE, giving({"7": lead}))
    assert isinstance(found, Submission)
    assert found.lookup == {}
    assert found.submitted_at == AT


WINDOW = Window(AT - timedelta(days=1), AT + timedelta(days=1))


def lead(number: int, created_at: datetime = AT) -> dict[str, Any]:
    return {
        "id": str(number),
        "created_time": created_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "field_data": [{"name": "email", "values": [f"a{number}@example.com"]}],
    }


def listed(leads: list[Any], after: str = "") -> dict[str, Any]:
    # The last page has a cursor too, and no `next`.
    more = {"next": "https://graph.facebook.com/"} if after else {}
    return {"data": leads, "paging": {"cursors": {"after": after or "end"}, **more}}


FORMS = listed([{"id": "55", "name": "Demo"}], "F2")
MORE_FORMS = listed([{"id": "56", "name": "Audit"}, {"id": "57"}])


def read_all(get: Get, window: Window = WINDOW, **options: Any) -> list[Any]:
    return items_of(pages_of(connector, get, window, options))


def test_every_page_of_every_form_is_read() -> None:
    get = giving(
        {
            "me/leadgen_forms": FORMS,
            "me/leadgen_forms F2": MORE_FORMS,
            "55/leads": listed([lead(1), lead(2)], "L2"),
            "55/leads L2": listed([lead(3)]),
            "56/leads": listed([]),
            "57/leads": listed([lead(4)]),
        }
    )
    items = read_all(get)
    assert [item["lead"]["id"] for item in items] == ["1", "2", "3", "4"]
    assert [item["form_name"] for item in items] == ["Demo", "Demo", "Demo", ""]


def test_what_is_newer_is_asked_for_and_what_is_too_new_is_left_out() -> None:
    calls: list[tuple[str, Any]] = []
    late = lead(2, WINDOW.until + timedelta(seconds=1))
    answers = {"55/leads": listed([late, lead(1, WINDOW.until)]), "55": {"name": "Demo"}}
    items = read_all(giving(answers, calls), form_ids=[55])
    assert [item["lead"]["id"] for item in items] == ["1"]
    (filtering,) = [json.loads(p["filtering"]) for _, p in calls if "filtering" in p]
    assert filtering[0]["operator"] == "GREATER_THAN"
    assert filtering[0]["value"] == WINDOW.since.timestamp() - 1


def test_a_listed_lead_is_what_its_webhook_gives() -> None:
    case = load_case("meta", "demo_request")
    (thin,) = read(connector, case.request(), {})
    assert isinstance(thin, Submission)
    by_webhook = complete(connector, thin, case.get)
    assert isinstance(by_webhook, Submission)
    found = case.fetched[next(key for key in case.fetched if key.startswith(thin.external_id))]
    page = {f"{by_webhook.form}/leads": listed([found])}
    get = giving(
        {"me/leadgen_forms": listed([case.fetched[f"{by_webhook.form}?fields=name"]]), **page}
    )
    (item,) = read_all(get)
    again = replace(posted(item), method="LIST")
    assert read(connector, again, {}) == [by_webhook]


def test_a_page_of_leads_that_refuses_optional_fields_is_read_without_them() -> None:
    calls: list[tuple[str, Any]] = []
    inner = giving({"55/leads": listed([lead(1)]), "55": {"name": "Demo"}}, calls)

    def get(path: str, params: Any = None, *, query: Any = None, headers: Any = None) -> Any:
        if "campaign_name" in (params or {}).get("fields", ""):
            raise Refused("nonexisting field")
        return inner(path, params)

    assert len(read_all(get, form_ids=["55"])) == 1


def test_leads_that_all_come_without_answers_stop_the_back_fill() -> None:
    get = giving({"55/leads": listed([{"id": "1"}]), "55": {"name": "Demo"}})
    with pytest.raises(Refused, match="README"):
        read_all(get, form_ids=["55"])


@pytest.mark.parametrize(
    "broken",
    [
        *([], 7, None, {}, {"lead": {}, "form": "55", "form_name": ""}),
        {"lead": {"id": "1"}, "form": "55", "form_name": ""},
        {"lead": {**lead(1), "id": "x"}, "form": "55", "form_name": ""},
        {"lead": lead(1), "form": "x", "form_name": ""},
    ],
)
def test_a_listed_lead_of_another_shape_is_malformed(broken: Any) -> None:
    with pytest.raises(Malformed):
        read(connector, replace(posted(broken), method="LIST"), {})


SUBSCRIBED = {"data": [{"id": "9", "subscribed_fields": ["feed", "leadgen"]}]}
TOKEN = {"data": {"app_id": "9", "is_valid": True, "expires_at": 0}}


def subscribed(answers: Mapping[str, Any]) -> Any:
    assert connector.subscription
    return connector.subscription(giving(answers), connector.options, "https://hub.example.com/h")


def test_the_subscription_is_found_with_the_end_of_the_token() -> None:
    ends = {**TOKEN["data"], "expires_at": 1798761600, "data_access_expires_at": 1798765200}
    found = subscribed({"debug_token": {"data": ends}, "me/subscribed_apps": SUBSCRIBED})
    assert (found.is_active, found.expires_at) == (True, AT)
    found = subscribed({"debug_token": TOKEN, "me/subscribed_apps": SUBSCRIBED})
    assert (found.is_active, found.expires_at) == (True, None)


@pytest.mark.parametrize(
    "apps",
    [[], [{"id": "9", "subscribed_fields": ["feed"]}], [{**SUBSCRIBED["data"][0], "id": "8"}]],
)
def test_an_app_that_is_not_on_the_page_is_told(apps: list[Any]) -> None:
    found = subscribed({"debug_token": TOKEN, "me/subscribed_apps": {"data": apps}})
    assert not found.is_active


def test_a_token_that_may_not_be_asked_about_is_no_trouble_and_a_dead_one_is() -> None:
    answers = {"debug_token": Refused("100"), "me/subscribed_apps": SUBSCRIBED}
    assert subscribed(answers).is_active
    dead = {"data": {**TOKEN["data"], "is_valid": False}}
    for told in (dead, Expired("190")):
        with pytest.raises(Expired):
            subscribed({**answers, "debug_token": told})
