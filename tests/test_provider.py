"""The stand-in provider answers as Meta and LinkedIn would, so that tests against it mean much."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli.cases import FOLDER, load_case, sample_case
from chalicelib.cli.provider import Credentials, Provider, read_fetched
from chalicelib.cli.provider_lists import Lead, Shelf
from chalicelib.signing import hex_hmac_sha256

FETCHED: dict[str, dict[str, Any]] = {
    "meta": {"77?fields=id": {"id": "77", "form_id": "5", "field_data": [], "platform": "ig"}},
    "linkedin": {"leadFormResponses/a-1": {"id": "a-1"}},
}
KNOWN = Credentials("tok", "sec")
PROOF = hex_hmac_sha256("sec", "tok")
BEARER = {"Authorization": "Bearer tok"}
LINKEDIN = {**BEARER, "LinkedIn-Version": "202610", "X-Restli-Protocol-Version": "2.0.0"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(FETCHED, KNOWN) as running:
        yield running


def ask(provider: Provider, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(f"http://{provider.host}/{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def graph_code(answer: tuple[int, Any]) -> tuple[int, int, int]:
    status, body = answer
    return status, body["error"]["code"], body["error"].get("error_subcode", 0)


def test_meta_gives_only_the_fields_asked_for(provider: Provider) -> None:
    path = f"meta/v25.0/77?fields=form_id,platform&appsecret_proof={PROOF}"
    assert ask(provider, path, BEARER) == (200, {"id": "77", "form_id": "5", "platform": "ig"})
    path = f"meta/v25.0/77?appsecret_proof={PROOF}"
    assert ask(provider, path, BEARER) == (200, {"id": "77", "field_data": []})


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (f"meta/v25.0/77?appsecret_proof={PROOF}", {}, (400, 190, 463)),
        (
            f"meta/v25.0/77?appsecret_proof={PROOF}",
            {"Authorization": "Bearer old"},
            (400, 190, 463),
        ),
        ("meta/v25.0/77", BEARER, (400, 100, 0)),
        (f"meta/v25.0/77?appsecret_proof={hex_hmac_sha256('tok', 'sec')}", BEARER, (400, 100, 0)),
        (f"meta/v25.0/78?appsecret_proof={PROOF}", BEARER, (400, 100, 33)),
    ],
)
def test_meta_refuses_with_its_own_codes(
    provider: Provider, path: str, headers: dict[str, str], expected: tuple[int, int, int]
) -> None:
    assert graph_code(ask(provider, path, headers)) == expected


def test_meta_takes_the_token_as_a_parameter_too(provider: Provider) -> None:
    path = f"meta/v25.0/77?fields=id&access_token=tok&appsecret_proof={PROOF}"
    assert ask(provider, path, {}) == (200, {"id": "77"})


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        ("leadFormResponses/a-1", {}, 200),
        ("leadFormResponses/a%2D1", {}, 200),
        ("leadFormResponses/a-2", {}, 404),
        ("leadForms/a-1", {}, 404),
        ("leadFormResponses/a-1", {"Authorization": "Bearer old"}, 401),
        ("leadFormResponses/a-1", {"Authorization": ""}, 401),
        ("leadFormResponses/a-1", {"LinkedIn-Version": ""}, 426),
        ("leadFormResponses/a-1", {"LinkedIn-Version": "{api_version}"}, 426),
        ("leadFormResponses/a-1", {"X-Restli-Protocol-Version": "1.0.0"}, 400),
    ],
)
def test_linkedin_wants_token_version_and_protocol(
    provider: Provider, path: str, changed: dict[str, str], status: int
) -> None:
    assert ask(provider, f"linkedin/202610/{path}", {**LINKEDIN, **changed})[0] == status


def test_an_unknown_provider_is_not_found(provider: Provider) -> None:
    assert ask(provider, "other/v1/1", BEARER)[0] == 404


def test_a_fault_ends_after_its_number_of_times(provider: Provider) -> None:
    provider.misbehave("a-1", "down", times=2)
    statuses = [ask(provider, "linkedin/202610/leadFormResponses/a-1", LINKEDIN)[0] for _ in "abc"]
    assert statuses == [503, 503, 200]


def test_the_cases_of_the_repository_do_not_contradict_each_other() -> None:
    told: dict[tuple[str, str], Any] = {}
    for file in sorted(FOLDER.glob("[!v]*/*.json")):
        case = load_case(file.parent.name, file.stem)
        for key, answer in case.fetched.items():
            place = (file.parent.name, key.partition("?")[0])
            assert told.setdefault(place, answer) == answer, f"{file.name}: {key}"


def test_the_cases_of_the_repository_can_be_served() -> None:
    fetched = read_fetched()
    assert {"meta", "linkedin"} <= fetched.keys()


def test_without_cases_the_samples_are_served(tmp_path: Path) -> None:
    assert read_fetched(tmp_path)["meta"] == sample_case("meta").fetched


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("hubspot/v1/contacts/5", BEARER, 200),
        ("hubspot/v1/contacts/5", {"APIKEY": "tok"}, 200),
        ("hubspot/v1/contacts/5?access_token=tok", {}, 200),
        ("hubspot/v1/contacts/5", {"Authorization": "Bearer old"}, 401),
        ("hubspot/v1/contacts/5", {}, 401),
        ("hubspot/v1/contacts/6", BEARER, 404),
    ],
)
def test_any_other_api_wants_its_token_somewhere(
    path: str, headers: dict[str, str], status: int
) -> None:
    with Provider({"hubspot": {"contacts/5": {"id": "5"}}}, KNOWN) as running:
        assert ask(running, path, headers)[0] == status


def test_a_list_of_meta_is_paged_and_the_last_page_names_no_next() -> None:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    with Provider({}, KNOWN) as running:
        leads = [Lead(str(n), "5", at + timedelta(minutes=n), {"id": str(n)}) for n in range(60)]
        running.shelves = {"meta": Shelf({"5": {"name": "Demo"}}, leads)}
        seen: list[str] = []
        after = ""
        for size in (25, 25, 10):
            path = f"meta/v25.0/5/leads?appsecret_proof={PROOF}&after={after}&fields=id"
            status, page = ask(running, path, BEARER)
            assert (status, len(page["data"])) == (200, size)
            assert ("next" in page["paging"]) is (size == 25)
            after = page["paging"]["cursors"]["after"]
            seen += [lead["id"] for lead in page["data"]]
    assert seen == [str(n) for n in reversed(range(60))]


def test_a_refresh_token_is_traded_once_and_the_old_access_token_dies() -> None:
    def trade(token: str) -> tuple[int, Any]:
        sent = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": token})
        url = running.token_url("typeform")
        request = urllib.request.Request(url, data=sent.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    with Provider({}, Credentials("tok", "sec", "again")) as running:
        running.shelves = {"typeform": Shelf({"f1": {"id": "f1"}})}
        assert ask(running, "typeform/-/forms/f1", BEARER)[0] == 200
        status, given = trade("again")
        assert status == 200
        assert ask(running, "typeform/-/forms/f1", BEARER)[0] == 401
        new = {"Authorization": f"Bearer {given['access_token']}"}
        assert ask(running, "typeform/-/forms/f1", new)[0] == 200
        assert trade("again") == (400, {"error": "invalid_grant"})
        assert trade(given["refresh_token"])[0] == 200
