"""/v1/config: read, change, check, go back."""

import json
from typing import Any

import pytest

from chalicelib.config.document import config_hash, plain
from chalicelib.storage import Key
from tests.api.client import Api, Got
from tests.world import replaced


def changed(api: Api, name: str = "Dee Dell") -> dict[str, Any]:
    """Give the world's configuration as it may be published, with another name for Dee."""
    document = plain(replaced(api.world.config, "owners", "dee", active=True))
    document["owners"]["dee"]["name"] = name
    return document


def put(api: Api, document: Any, if_match: str | None) -> Got:
    headers = {} if if_match is None else {"if-match": if_match}
    return api.call("PUT", "/v1/config", body=document, headers=headers)


def test_a_change_made_on_the_configuration_in_force_is_published() -> None:
    api = Api()
    first = api.get("/v1/config")
    assert first.headers["etag"] == f'"{config_hash(api.world.config)}"'
    done = put(api, changed(api), first.headers["etag"])
    assert done.status == 200
    assert done.json["number"] == 2
    now = api.get("/v1/config")
    assert now.json["owners"]["dee"]["name"] == "Dee Dell"
    assert now.headers["etag"] == done.headers["etag"]
    versions = api.get("/v1/config/versions").json["versions"]
    assert [(v["number"], v["published_by"]) for v in versions] == [
        (2, "admin of the test"),
        (1, "test"),
    ]


def test_what_comes_out_can_be_put_back_and_changes_nothing() -> None:
    api = Api()
    put(api, changed(api), "*")
    got = api.get("/v1/config")
    again = put(api, got.json, got.headers["etag"])
    assert (again.status, again.json["number"]) == (200, 2)


def test_a_change_must_say_what_it_was_made_on() -> None:
    api = Api()
    assert put(api, changed(api), None).status == 428


@pytest.mark.parametrize("if_match", ['"0000"', "0000", 'W/"0000"', '""', "garbage", '"a", "b"'])
def test_a_change_made_on_another_configuration_is_refused(if_match: str) -> None:
    api = Api()
    assert put(api, changed(api), if_match).status == 412
    assert api.get("/v1/config/versions").json["versions"][0]["number"] == 1


def test_of_two_changes_made_on_the_same_configuration_one_is_refused() -> None:
    api = Api()
    etag = api.get("/v1/config").headers["etag"]
    assert put(api, changed(api, "One"), etag).status == 200
    assert put(api, changed(api, "Two"), etag).status == 412
    assert api.get("/v1/config").json["owners"]["dee"]["name"] == "One"


def test_a_configuration_with_an_error_is_not_published_and_says_why() -> None:
    api = Api()
    document = changed(api)
    document["pools"]["large"]["members"] = []
    got = put(api, document, "*")
    assert got.status == 422
    assert any(problem.startswith("pools.large") for problem in got.json["problems"])
    document = changed(api)
    document["sources"]["forms"]["connectr"] = "typeform"
    got = put(api, document, "*")
    assert got.status == 422
    assert any("sources.forms.connectr: unknown key" in p for p in got.json["problems"])


def test_a_missing_secret_is_found_by_the_check() -> None:
    api = Api()
    document = changed(api)
    document["sources"]["forms"]["secret"] = "never-stored"
    got = api.call("POST", "/v1/config/check", body=document)
    assert got.status == 200
    assert any("never-stored" in finding["message"] for finding in got.json["findings"])
    assert api.get("/v1/config/versions").json["versions"][0]["number"] == 1


def test_going_back_publishes_the_older_version_anew() -> None:
    api = Api()
    put(api, changed(api), "*")
    got = api.call("POST", "/v1/config/rollback", body={"number": 1})
    assert (got.status, got.json["number"]) == (200, 3)
    assert got.json["hash"] == config_hash(api.world.config)
    assert api.call("POST", "/v1/config/rollback", body={"number": 99}).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"number": NaN}', 400),
        (b'{"number": Infinity}', 400),
        (b'{"number": 1, "number": 2}', 400),
        (b'{"number": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'{"number": ' + b"9" * 400 + b"}", 422),
        (b"[1]", 422),
        (b'"1"', 422),
        (b"null", 422),
        (b"", 422),
        (b'{"number": "x"}', 422),
        (b'{"number": 0}', 422),
        (b'{"number": 1, "hash": "x"}', 422),
        (b'{"number": 1, "\\ud800": 1}', 422),
        (b" " * 1_048_577, 413),
    ],
)
def test_a_bad_body_is_refused_by_what_is_bad_about_it(body: bytes, status: int) -> None:
    got = Api().call("POST", "/v1/config/rollback", body=body)
    assert got.status == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json["status"] == status


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_json_is_only_taken_as_json(kind: str) -> None:
    body = json.dumps({"number": 1}).encode()
    got = Api().call("POST", "/v1/config/rollback", body=body, headers={"content-type": kind})
    assert got.status == 415
    assert got.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["\ud800", "\x00"])
def test_a_document_with_broken_text_is_refused(text: str) -> None:
    api = Api()
    document = changed(api)
    document["owners"]["dee"]["name"] = text
    assert put(api, document, "*").status == 422


def test_without_any_configuration_the_answer_says_what_to_do() -> None:
    api = Api()
    for item in api.world.table.scan():
        if item["pk"] == "CONFIG":
            api.world.table.uproot(Key(item["pk"], item["sk"]))
    got = api.get("/v1/config")
    assert got.status == 500
    assert "hub config publish" in got.json["detail"]
