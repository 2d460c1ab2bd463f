"""What only LinkedIn does: a handshake that must not sign everything, withdrawals, joined forms."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import (
    Get,
    Request,
    Submission,
    Window,
    Withdrawal,
    complete,
    hex_hmac_sha256,
    read,
)
from chalicelib.errors import Gone, Malformed, Misconfigured, Unverified
from connectors.linkedin import connector
from tests.listing import items_of, pages_of

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


def giving(answers: Mapping[str, Any], calls: list[tuple[str, str]] | None = None) -> Get:
    """Play the Lead Sync API: answers by path; a function is asked with the query."""

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        asked = params if isinstance(params, str) else ""
        if calls is not None:
            calls.append((path, asked))
        if path not in answers:
            raise Gone(path)
        found = answers[path]
        return found(asked) if callable(found) else found

    return get


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
    event = {**PUSH, "leadType": "EVENT"}
    first, back, again = (
        read(connector, posted({**event, "leadAction": action, "occurredAt": at}), {})[0]
        for action, at in (
            ("CREATED", 1000000000000),
            ("DELETED", 2000000000000),
            ("CREATED", 2500000000000),
        )
    )
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
        complete(connector, NOTICE, giving(answers))


WINDOW = Window(AT - timedelta(days=1), AT + timedelta(days=1))
ACCOUNT = "urn:li:sponsoredAccount:512345678"
PAGE = "urn:li:organization:2414183"


def lead(number: int, form: int = 81) -> dict[str, Any]:
    return {
        "id": f"aa-{number}",
        "leadType": "SPONSORED",
        "submittedAt": 1798761600000 + number,
        "versionedLeadGenFormUrn": f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:{form},2)",
        "formResponse": {"answers": []},
    }


def list_of(leads: list[Any], is_counted: bool = True) -> Any:
    def answer(asked: str) -> dict[str, Any]:
        query = parse_qs(asked)
        start, count = int(query["start"][0]), int(query["count"][0])
        paging = {"paging": {"total": len(leads)}} if is_counted else {}
        return {"elements": leads[start : start + count], **paging}

    return answer


def read_all(get: Get, **options: Any) -> list[Any]:
    return items_of(pages_of(connector, get, WINDOW, {"owners": [ACCOUNT], **options}))


@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize("many", [0, 1, 50, 101])
def test_every_page_of_leads_is_read(many: int, is_counted: bool) -> None:
    leads = [lead(number) for number in range(many)]
    items = read_all(giving({"leadFormResponses": list_of(leads, is_counted)}))
    assert [item["lead"]["id"] for item in items] == [f"aa-{n}" for n in range(many)]


def test_the_list_is_asked_for_owner_type_and_time_as_restli_wants_it() -> None:
    calls: list[tuple[str, str]] = []
    read_all(giving({"leadFormResponses": list_of([])}, calls))
    assert calls == [
        (
            "leadFormResponses",
            "q=owner&owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A512345678)"
            "&leadType=(leadType:SPONSORED)"
            "&submittedAtTimeRange=(start:1798675200000,end:1798848000000)&count=50&start=0",
        )
    ]


def test_each_owner_is_asked_for_the_types_that_it_can_have() -> None:
    calls: list[tuple[str, str]] = []
    get = giving({"leadFormResponses": list_of([])}, calls)
    read_all(get, owners=[ACCOUNT, PAGE])
    kinds = [parse_qs(asked)["leadType"][0] for _, asked in calls]
    every = ["SPONSORED", "EVENT", "COMPANY", "ORGANIZATION_PRODUCT"]
    assert kinds == [f"(leadType:{kind})" for kind in every]
    calls.clear()
    read_all(get, owners=[PAGE], lead_types=["EVENT"])
    assert len(calls) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"owners": []},
        {"owners": ["urn:li:person:1"]},
        {"owners": ["512345678"]},
        {"owners": [f"{ACCOUNT})&q=x"]},
        {"owners": [ACCOUNT], "lead_types": ["EVENT"]},
    ],
)
def test_owners_that_are_none_are_the_admins_to_mend(options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        read_all(giving({"leadFormResponses": list_of([])}), **options)


def test_a_form_is_read_once_for_a_page_of_its_leads() -> None:
    calls: list[tuple[str, str]] = []
    leads = [lead(1), lead(2), lead(3, form=82), lead(4)]
    read_all(giving({"leadFormResponses": list_of(leads), "leadForms/81": {}}, calls))
    assert sorted(path for path, _ in calls[1:]) == ["leadForms/81", "leadForms/82"]


@pytest.mark.parametrize("name", ["demo_request", "form_is_gone", "company_page", "product_page"])
def test_a_listed_lead_is_what_its_webhook_gives(name: str) -> None:
    case = load_case("linkedin", name)
    (thin,) = read(connector, case.request(), {})
    assert isinstance(thin, Submission)
    by_webhook = complete(connector, thin, case.get)
    found = case.fetched[f"leadFormResponses/{thin.lookup['response_id']}"]
    urn = f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:{thin.form},2)"
    forms = {path: form for path, form in case.fetched.items() if path.startswith("leadForms/")}
    listed = list_of([{**found, "versionedLeadGenFormUrn": urn}])
    (item,) = read_all(giving({"leadFormResponses": listed, **forms}))
    assert read(connector, replace(posted(item), method="LIST"), {}) == [by_webhook]


def test_a_listed_registration_is_older_than_its_notice_so_it_never_replaces_it() -> None:
    case = load_case("linkedin", "event_registration_with_odd_answers")
    (thin,) = read(connector, case.request(), {})
    assert isinstance(thin, Submission)
    by_webhook = complete(connector, thin, case.get)
    assert isinstance(by_webhook, Submission)
    item = {
        "lead": {
            **case.fetched[f"leadFormResponses/{thin.lookup['response_id']}"],
            "versionedLeadGenFormUrn": case.body["leadGenForm"],
        },
        "form": case.fetched[f"leadForms/{thin.form}"],
    }
    (found,) = read(connector, replace(posted(item), method="LIST"), {})
    assert isinstance(found, Submission)
    assert found.submitted_at < by_webhook.submitted_at
    apart = {"revision", "submitted_at"}
    assert found.model_dump(exclude=apart) == by_webhook.model_dump(exclude=apart)


@pytest.mark.parametrize(
    "broken",
    [
        *(7, [], {}, {"lead": {}, "form": {}}, {"lead": lead(1)}),
        {"lead": {**lead(1), "id": []}, "form": {}},
        {"lead": {**lead(1), "submittedAt": "soon"}, "form": {}},
        {"lead": {**lead(1), "formResponse": 7}, "form": {}},
    ],
)
def test_a_listed_lead_of_another_shape_is_malformed(broken: Any) -> None:
    with pytest.raises(Malformed):
        read(connector, replace(posted(broken), method="LIST"), {})


def test_the_subscription_is_looked_for_at_every_owner_and_type() -> None:
    address = "https://hub.example.com/hooks/li"
    ours = {"elements": [{"webhook": address}]}
    others = {"elements": [{"webhook": "https://other.example.com/"}]}
    options = connector.options_with({"owners": [ACCOUNT, PAGE]})
    calls: list[tuple[str, str]] = []

    def told(asked: str) -> dict[str, Any]:
        return others if "EVENT" in asked else ours

    assert connector.subscription
    assert connector.subscription(giving({"leadNotifications": ours}), options, address).is_active
    found = connector.subscription(giving({"leadNotifications": told}, calls), options, address)
    assert not found.is_active
    assert f"EVENT of {PAGE}" in found.detail
    assert len(calls) == 4
    assert calls[0][1] == (
        "q=criteria&owner=(value:(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A512345678))"
        "&leadType=(leadType:SPONSORED)"
    )
