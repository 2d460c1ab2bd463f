"""Reading leads from providers over real HTTP on loopback: every failure does the right thing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.provider import RETRY_AFTER_SECONDS, Credentials, Fault, Provider
from chalicelib.connector import Act, Connector, Get, Submission, complete
from chalicelib.errors import Expired, Gone, HubError, Malformed, Refused, TryLater
from chalicelib.web import Web, provider_get
from connectors.linkedin import connector as linkedin
from connectors.meta import connector as meta

KNOWN = Credentials("page-token", "app-secret")
AT = datetime(2027, 1, 1, tzinfo=UTC)
PEOPLE: dict[str, dict[str, Any]] = {
    "meta": {
        "7001": {
            "id": "7001",
            "created_time": "2027-01-01T00:00:00+0000",
            "form_id": "55",
            "platform": "ig",
            "campaign_id": "900",
            "field_data": [{"name": "email", "values": ["maren@example.com"]}],
            "custom_disclaimer_responses": [{"checkbox_key": "News", "is_checked": "1"}],
        }
    },
    "linkedin": {
        "leadFormResponses/aa-1": {
            "id": "aa-1",
            "submittedAt": 1798761600000,
            "formResponse": {
                "answers": [
                    {
                        "questionId": 1,
                        "answerDetails": {"textQuestionAnswer": {"answer": "maren@example.com"}},
                    }
                ]
            },
        },
        "leadForms/81": {
            "id": 81,
            "name": "Demo",
            "content": {"questions": [{"questionId": 1, "predefinedField": "EMAIL"}]},
        },
    },
}
META_NOTICE = Submission(
    external_id="7001", submitted_at=AT, form="55", lookup={"leadgen_id": "7001"}
)
LINKEDIN_NOTICE = Submission(
    external_id="urn:li:leadGenFormResponse:aa-1",
    submitted_at=AT,
    form="81",
    lookup={"response_id": "aa-1", "form_id": "81"},
)


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with Provider(PEOPLE, KNOWN) as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    for lead_id in ("7001", "aa-1", "81"):
        running.misbehave(lead_id, "down", times=0)
    running.calls.clear()
    return running


def get_from(provider: Provider, connector: Connector, fault: str = "", **options: Any) -> Get:
    seconds = 0.2 if fault == "hang" else 5
    web = Web(private_hosts=(provider.host,), now=lambda: AT, total_seconds=seconds)
    assert connector.api
    given = {**connector.options, "api_url": provider.api_url(connector.name), **options}
    return provider_get(web, connector.api, given, KNOWN.token, KNOWN.secret)


def fetch(
    provider: Provider, connector: Connector, notice: Submission, fault: str = ""
) -> Act | None:
    assert connector.fetch
    return complete(connector, notice, get_from(provider, connector, fault))


def test_meta_leads_are_read_with_proof_and_version(provider: Provider) -> None:
    found = fetch(provider, meta, META_NOTICE)
    assert isinstance(found, Submission)
    assert found.answers == {"email": "maren@example.com"}
    assert found.campaign == {"platform": "ig", "campaign_id": "900"}
    assert [(box.purpose, box.given) for box in found.consents] == [("news", True)]
    assert {call.version for call in provider.calls} == {"v25.0"}
    assert [call.path for call in provider.calls] == ["7001", "55"]


def test_linkedin_leads_are_read_with_their_form(provider: Provider) -> None:
    found = fetch(provider, linkedin, LINKEDIN_NOTICE)
    assert isinstance(found, Submission)
    assert found.answers == {"EMAIL": "maren@example.com"}
    assert found.form_title == "Demo"
    assert [call.path for call in provider.calls] == ["leadFormResponses/aa-1", "leadForms/81"]
    assert {call.headers["linkedin-version"] for call in provider.calls} == {"202610"}


def test_a_query_that_is_encoded_already_is_sent_as_it_is(provider: Provider) -> None:
    get = get_from(provider, linkedin)
    get("leadForms/81", "q=owner&owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A5)")
    (call,) = provider.calls
    assert call.query == {"q": "owner", "owner": "(sponsoredAccount:urn:li:sponsoredAccount:5)"}


def test_an_api_may_be_asked_about_our_own_token_and_secret(provider: Provider) -> None:
    get = get_from(provider, meta)
    get("7001", {"input_token": "{token}", "secret": "{secret}", "text": "a {token}"})
    (call,) = provider.calls
    assert call.query["input_token"] == KNOWN.token
    assert call.query["secret"] == KNOWN.secret
    assert call.query["text"] == "a {token}"


def test_headers_of_one_request_are_sent_with_it_alone_and_empty_ones_never(
    provider: Provider,
) -> None:
    get = get_from(provider, meta)
    for region in ("eu", ""):
        get("7001", headers={"X-Lead-Region": region})
    get("7001")
    assert [call.headers.get("x-lead-region") for call in provider.calls] == ["eu", None, None]


OUTCOMES: list[tuple[Fault, type[HubError], type[HubError]]] = [
    ("expired", Expired, Expired),
    ("forbidden", Refused, Refused),
    ("busy", TryLater, TryLater),
    ("rate_limited", TryLater, TryLater),
    ("down", TryLater, TryLater),
    ("hang", TryLater, TryLater),
    ("reset", TryLater, TryLater),
    ("truncated", TryLater, TryLater),
    ("not_json", Malformed, Malformed),
    ("wrong_type", Malformed, Malformed),
    ("redirect", Refused, Refused),
    ("deleted", Gone, Gone),
    ("huge", Malformed, Malformed),
    ("no_answers", Refused, Malformed),
]


@pytest.mark.parametrize(("fault", "error"), [(fault, error) for fault, error, _ in OUTCOMES])
def test_what_meta_does_wrong_means_what_happens_next(
    provider: Provider, fault: Fault, error: type[HubError]
) -> None:
    provider.misbehave("7001", fault)
    with pytest.raises(error) as caught:
        fetch(provider, meta, META_NOTICE, fault)
    assert type(caught.value) is error
    provider.misbehave("7001", fault, times=0)
    found = fetch(provider, meta, META_NOTICE)
    assert found
    assert found.external_id == "7001"


@pytest.mark.parametrize(("fault", "error"), [(fault, error) for fault, _, error in OUTCOMES])
def test_what_linkedin_does_wrong_means_what_happens_next(
    provider: Provider, fault: Fault, error: type[HubError]
) -> None:
    provider.misbehave("aa-1", fault)
    with pytest.raises(error) as caught:
        fetch(provider, linkedin, LINKEDIN_NOTICE, fault)
    assert type(caught.value) is error
    provider.misbehave("aa-1", fault, times=0)
    found = fetch(provider, linkedin, LINKEDIN_NOTICE)
    assert found
    assert found.external_id.endswith("aa-1")


@pytest.mark.parametrize("connector", [meta, linkedin])
def test_a_busy_providers_waiting_time_is_handed_on(
    provider: Provider, connector: Connector
) -> None:
    notice = META_NOTICE if connector is meta else LINKEDIN_NOTICE
    provider.misbehave("7001", "busy")
    provider.misbehave("aa-1", "busy")
    with pytest.raises(TryLater) as caught:
        fetch(provider, connector, notice)
    assert caught.value.retry_after_seconds == RETRY_AFTER_SECONDS


def test_a_failure_that_passes_needs_no_one(provider: Provider) -> None:
    provider.misbehave("7001", "down", times=2)
    for _ in range(2):
        with pytest.raises(TryLater):
            fetch(provider, meta, META_NOTICE)
    found = fetch(provider, meta, META_NOTICE)
    assert found
    assert found.external_id == "7001"


def test_a_lead_that_refuses_optional_fields_is_read_without_them(provider: Provider) -> None:
    provider.misbehave("7001", "no_optional_fields")
    found = fetch(provider, meta, META_NOTICE)
    assert isinstance(found, Submission)
    assert found.answers == {"email": "maren@example.com"}
    assert found.consents
    assert found.campaign == {}
    assert [call.path for call in provider.calls] == ["7001", "7001", "55"]


@pytest.mark.parametrize("fault", ["busy", "down", "deleted", "hang", "not_json"])
def test_only_a_refusal_makes_meta_be_asked_twice(provider: Provider, fault: Fault) -> None:
    provider.misbehave("7001", fault)
    with pytest.raises(HubError):
        fetch(provider, meta, META_NOTICE, fault)
    assert len(provider.calls) == 1


def test_a_linkedin_form_that_is_gone_costs_the_meaning_and_not_the_answers(
    provider: Provider,
) -> None:
    provider.misbehave("81", "deleted")
    found = fetch(provider, linkedin, LINKEDIN_NOTICE)
    assert isinstance(found, Submission)
    assert found.answers == {"question_1": "maren@example.com"}


def test_a_linkedin_form_that_is_busy_is_waited_for(provider: Provider) -> None:
    provider.misbehave("81", "busy")
    with pytest.raises(TryLater):
        fetch(provider, linkedin, LINKEDIN_NOTICE)


def test_a_retired_api_version_is_told_to_the_admin(provider: Provider) -> None:
    get = get_from(provider, linkedin, api_version="1")
    assert linkedin.fetch
    with pytest.raises(Refused, match="api_version"):
        complete(linkedin, LINKEDIN_NOTICE, get)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *(({"code": code}, TryLater) for code in (1, 2, 4, 17, 32, 613, 80005)),
        ({"code": 999, "is_transient": True}, TryLater),
        ({"code": 100, "error_subcode": 33}, Gone),
        ({"code": 100}, Refused),
        ({"code": 10}, Refused),
        ({"code": 200}, Refused),
        ({"code": 190, "error_subcode": 463}, Expired),
        ({"code": "odd"}, Refused),
        ({}, Refused),
    ],
)
def test_graph_error_codes_decide_and_not_the_status(
    error: dict[str, Any], expected: type[HubError]
) -> None:
    assert meta.api
    assert meta.api.refusal
    assert type(meta.api.refusal(400, {"error": error})) is expected


@pytest.mark.parametrize("body", [None, [], {}, {"error": "text"}, {"id": "1"}])
def test_an_answer_without_a_graph_error_goes_by_its_status(body: Any) -> None:
    assert meta.api
    assert meta.api.refusal
    assert meta.api.refusal(400, body) is None
    assert meta.api.refusal(500, {"error": {"code": 999}}) is None
