"""What only Meta does: its handshake, its two signature headers, its thousand leads in one POST."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.connector import Reply, Request, Submission, complete, read
from chalicelib.errors import Malformed, Misconfigured, Refused, Unverified
from connectors.meta import connector

AT = datetime(2027, 1, 1, tzinfo=UTC)
NOTICE = Submission(external_id="7", submitted_at=AT, form="55", lookup={"leadgen_id": "7"})


def posted(body: Any) -> Request:
    content = json.dumps(body).encode()
    return Request("POST", "/hooks/meta", {}, {"content-type": ("application/json",)}, content, AT)


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
    assert [each.external_id for each in found] == [str(n) for n in range(1000)]


@pytest.mark.parametrize(
    "leadgen_id",
    ["me", "../1", "1?fields=id", "", "１", "-1", 1.5, 1e30, "9" * 41, 10**400, True, None],
)
def test_an_id_that_could_change_the_address_is_malformed(leadgen_id: Any) -> None:
    value = {"leadgen_id": leadgen_id, "form_id": "1", "created_time": 9}
    change = {"field": "leadgen", "value": value}
    with pytest.raises(Malformed):
        read(connector, posted({"object": "page", "entry": [{"changes": [change]}]}), {})


@pytest.mark.parametrize("created", [10**30, "soon", None, True, [], {}])
def test_a_time_that_is_none_is_malformed(created: Any) -> None:
    change = {"field": "leadgen", "value": {"leadgen_id": 1, "form_id": 1, "created_time": created}}
    with pytest.raises(Malformed):
        read(connector, posted({"object": "page", "entry": [{"changes": [change]}]}), {})


@pytest.mark.parametrize(
    "lead", [{"id": "7", "field_data": []}, {"id": "7"}, {"id": "7", "field_data": None}]
)
def test_a_lead_without_answers_means_that_we_may_not_see_them(lead: dict[str, Any]) -> None:
    assert connector.fetch
    with pytest.raises(Refused, match="README"):
        complete(connector, NOTICE, lambda path, params=None: lead)


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
        complete(connector, NOTICE, lambda path, params=None: lead)


def test_what_was_fetched_needs_no_fetching_again() -> None:
    lead = {"id": "7", "field_data": [{"name": "email", "values": ["a@example.com"]}]}
    assert connector.fetch
    found = complete(connector, NOTICE, lambda path, params=None: lead)
    assert isinstance(found, Submission)
    assert found.lookup == {}
    assert found.submitted_at == AT
