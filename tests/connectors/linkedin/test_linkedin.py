"""What only LinkedIn does: a handshake that must not sign everything, withdrawals, joined forms."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.connector import Request, Submission, Withdrawal, complete, hex_hmac_sha256, read
from chalicelib.errors import Malformed, Unverified
from connectors.linkedin import connector

AT = datetime(2027, 1, 1, tzinfo=UTC)
UUID = "3f1c9a54-6f0b-4a0e-9a1e-0d6b7c5e2f10"
PUSH: dict[str, Any] = {
    "type": "LEAD_ACTION",
    "leadGenFormResponse": "urn:li:leadGenFormResponse:aa-1",
    "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:81,2)",
    "leadAction": "CREATED",
    "occurredAt": 1798761600123,
}
NOTICE = Submission(
    external_id="urn:li:leadGenFormResponse:aa-1",
    submitted_at=AT,
    lookup={"response_id": "aa-1", "form_id": "81"},
)


def posted(body: Any) -> Request:
    content = json.dumps(body).encode()
    return Request("POST", "/hooks/li", {}, {"content-type": ("application/json",)}, content, AT)


def challenge(*codes: str, secrets: tuple[str, ...] = ("key",)) -> Any:
    assert connector.handshake
    request = Request("GET", "/hooks/li", {"challengeCode": codes}, {}, b"", AT)
    reply = connector.handshake(request, secrets)
    assert (reply.status, reply.content_type) == (200, "application/json")
    return json.loads(reply.body)


def test_the_newest_secret_answers_the_challenge() -> None:
    expected = {"challengeCode": UUID, "challengeResponse": hex_hmac_sha256("new", UUID)}
    assert challenge(UUID, secrets=("new", "old")) == expected


FORGED = 'hmacsha256={"type":"LEAD_ACTION","leadAction":"CREATED"}'


@pytest.mark.parametrize(
    "code",
    [
        *(FORGED, "", "x", UUID + "\n", "\n" + UUID, UUID + FORGED, FORGED + UUID, f"{{{UUID}}}"),
        *(UUID.replace("-", ""), UUID[:-1], UUID.replace("3", "３"), f"hmacsha256={UUID}"),
    ],
)
def test_no_challenge_but_a_uuid_is_signed(code: str) -> None:
    with pytest.raises(Malformed):
        challenge(code)


@pytest.mark.parametrize("codes", [(), (UUID, UUID), (UUID, FORGED)])
def test_the_challenge_is_said_once(codes: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        challenge(*codes)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_nothing_is_signed_without_a_secret(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Unverified):
        challenge(UUID, secrets=secrets)


def test_the_prefix_may_stand_in_the_header_and_must_stand_in_what_is_signed() -> None:
    request = posted(PUSH)
    digest = hex_hmac_sha256("key", "hmacsha256=" + request.body.decode())
    bare = hex_hmac_sha256("key", request.body.decode())
    for value, is_fine in ((digest, True), (f"hmacsha256={digest}", True), (bare, False)):
        signed = replace(request, headers={"x-li-signature": (value,)})
        if is_fine:
            assert connector.signature.verify(signed, ("key",), AT)
        else:
            with pytest.raises(Unverified):
                connector.signature.verify(signed, ("key",), AT)
    assert connector.signature.sign(request, "key").header("x-li-signature") == digest


def test_created_deleted_and_created_again_are_three_acts_of_one_urn() -> None:
    acts = [
        read(connector, posted({**PUSH, "leadAction": action, "occurredAt": at}), {})[0]
        for action, at in (("CREATED", 1000000000000), ("DELETED", 2000000000000))
    ]
    again = read(connector, posted({**PUSH, "occurredAt": 2500000000000}), {})[0]
    first, back = acts
    assert isinstance(first, Submission)
    assert isinstance(back, Withdrawal)
    assert isinstance(again, Submission)
    assert first.external_id == back.external_id == again.external_id
    assert first.revision != again.revision
    assert first.submitted_at < back.withdrawn_at < again.submitted_at


def test_the_same_notice_twice_is_the_same_act() -> None:
    once, twice = (read(connector, posted(PUSH), {}) for _ in range(2))
    assert once == twice


@pytest.mark.parametrize(
    "changed",
    [
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:../leadForms"},
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:a/b"},
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:a?b"},
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:"},
        {"leadGenFormResponse": "urn:li:other:1"},
        {"leadGenFormResponse": 7},
        {"leadGenForm": "urn:li:other:1"},
        {"leadGenForm": None},
        {"associatedEntity": "text"},
        {"associatedEntity": {"sponsoredCreative": 7}},
        {"occurredAt": "soon"},
        {"occurredAt": 10**30},
        {"occurredAt": None},
    ],
)
def test_a_notice_of_another_shape_is_malformed(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read(connector, posted({**PUSH, **changed}), {})


def test_an_action_that_we_do_not_know_is_nothing_for_us() -> None:
    assert read(connector, posted({**PUSH, "leadAction": "ARCHIVED"}), {}) == []


@pytest.mark.parametrize(
    ("lead", "form"),
    [
        *(([], {}), ("text", {}), ({}, {}), ({"formResponse": {}}, {}), ({"formResponse": []}, {})),
        ({"formResponse": {"answers": [{}]}}, {}),
        ({"formResponse": {"answers": [{"questionId": [1]}]}}, {}),
        ({"formResponse": {"answers": [{"questionId": 1, "answerDetails": {"x": 1}}]}}, {}),
        ({"formResponse": {"answers": []}, "submitter": 7}, {}),
        ({"formResponse": {"answers": []}}, [1]),
        ({"formResponse": {"answers": []}}, {"content": [1]}),
        ({"formResponse": {"answers": []}}, {"content": {"questions": [1]}}),
        ({"formResponse": {"answers": []}}, {"hiddenFields": [{"name": "x"}]}),
        ({"formResponse": {"answers": [], "consentResponses": [{}]}}, {}),
        ({"formResponse": {"answers": []}}, {"creationLocale": {"language": 7}}),
    ],
)
def test_a_lead_or_form_of_another_shape_is_malformed(lead: Any, form: Any) -> None:
    assert connector.fetch
    answers = {"leadFormResponses/aa-1": lead, "leadForms/81": form}
    with pytest.raises(Malformed):
        complete(connector, NOTICE, lambda path, params=None: answers[path])
