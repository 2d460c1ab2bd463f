"""The stand-in provider answers as Meta and LinkedIn would, so that tests against it mean much."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli.cases import FOLDER, load_case
from chalicelib.cli.provider import Credentials, Provider, read_fetched
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


def test_no_cases_means_nothing_to_serve(tmp_path: Path) -> None:
    assert read_fetched(tmp_path) == {}
