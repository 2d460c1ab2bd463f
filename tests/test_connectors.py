"""The suite that every connector passes; a new folder joins by itself.

Its cases are data: see chalicelib/cli/cases.py.
"""

import copy
import json
import re
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.cli.cases import Case, case_names, load_case, sample_case
from chalicelib.connector import (
    CLOSED,
    Act,
    Connector,
    Statuses,
    Submission,
    complete,
    read,
)
from chalicelib.errors import Malformed, Misconfigured, Unverified
from chalicelib.lead.model import CONTACT_FIELDS
from chalicelib.played import content_bytes
from chalicelib.request import Request, kept, pack, unpack

ROOT = Path(__file__).resolve().parents[1]
NAMES = registry.names()
CASES = [(name, case) for name in NAMES for case in case_names(name)]
SIGNED = [name for name in NAMES if registry.load(name).signature is not CLOSED]
POSTED = [(n, c) for n, c in CASES if load_case(n, c).handshake is None]
SHAKEN = [(n, c) for n, c in CASES if load_case(n, c).handshake is not None]

# Long enough for every scheme, and base64 after its prefix for Standard Webhooks.
SECRET = "whsec_c3VpdGUtc2VjcmV0LW5vLTEtZm9yLXRlc3Rz"
OTHER = "whsec_c3VpdGUtc2VjcmV0LW5vLTItZm9yLXRlc3Rz"
STRANGER = "whsec_c3VpdGUtc2VjcmV0LW5vLTMtZm9yLXRlc3Rz"

RESERVED = re.compile(
    r"@([a-z0-9-]+\.)*(example\.(com|net|org)|[a-z0-9-]+\.(example|test|invalid))$", re.IGNORECASE
)

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "null": b"null",
    "empty list": b"[]",
    "list of nothing": b"[null, 1, [], {}]",
    "text": b'"text"',
    "number": b"1",
    "empty object": b"{}",
    "deep lists": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 200_000,
    "just too deep": b"[" * 33 + b"]" * 33,
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}",
    "many values": b"[" + b"1," * 400_000 + b"1]",
    "quotes": b'"' * 1_000_000,
    "backslashes": b'"' + b"\\" * 999_999,
    "digits": b'{"id":' + b"9" * 999_990 + b"}",
    "NaN": b'{"id": NaN}',
    "infinite": b'{"id": -Infinity}',
    "huge exponent": b'{"id": 1e400}',
    "lone surrogate": b'{"id": "\\ud800", "email": "\\udc00"}',
    "escaped NUL": b'{"id": "a\\u0000b", "email": "c\\u0000d"}',
    "raw NUL": b'{"id": "a\x00b"}',
    "empty key": b'{"": "x", "id": "1"}',
    "key of 10,000": b'{"' + b"k" * 10_000 + b'": 1}',
    "same key twice": b'{"id": "1", "id": "2", "email": "a", "email": "b"}',
    "prototype": b'{"__proto__": {"a": "b"}, "constructor": "x", "__class__": "y"}',
    "templates": b'{"id": "{{7*7}}", "email": "${jndi:ldap://x}", "name": "{0.__class__}"}',
    "trailing bytes": b'{"id": "1"} x',
    "comment": b'{"id": "1"} // x',
    "single quotes": b"{'id': '1'}",
    "UTF-16": '{"id": "1"}'.encode("utf-16"),
    "invalid UTF-8": b'{"id": "\xff\xfe\xc3"}',
    "byte-order mark": b'\xef\xbb\xbf{"id": "1"}',
    "pairs": b"a=b&" * 200_000,
    "ampersands": b"&" * 1_000_000,
    "percent signs": b"%" * 1_000_000,
    "long pair": b"a=" + b"x" * 1_000_000,
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>',
    "truncated multipart": b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
    "nameless part": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
    "many parts": b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 15_000,
    "boundaries": b"--b\r\n" * 200_000,
}
EXTREMES = (
    "1e400",
    10**60,
    -(10**15),
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "two\nlines\tand more",
)
"""Values that are beyond what numbers, times and ids may be."""

TYPES = (
    "application/json",
    "application/json; charset=utf-7",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "text/plain",
    "",
)


def test_there_are_connectors() -> None:
    assert {"typeform", "html_form", "generic_json", "google_ads", "meta", "linkedin"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_is_named_after_its_folder(name: str) -> None:
    connector = registry.load(name)
    assert connector.name == name
    assert connector.title
    assert connector.docs.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_has_a_case_and_a_readme(name: str) -> None:
    assert case_names(name), f"tests/connectors/{name} holds no case"
    readme = (ROOT / "connectors" / name / "README.md").read_text(encoding="utf-8")
    assert registry.load(name).title in readme.splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_tells_the_options_what_is_answered_and_what_is_not_verified(name: str) -> None:
    connector = registry.load(name)
    readme = (ROOT / "connectors" / name / "README.md").read_text(encoding="utf-8")
    usual = Statuses()
    unusual = {
        getattr(connector.statuses, each.name)
        for each in fields(Statuses)
        if getattr(connector.statuses, each.name) != getattr(usual, each.name)
    }
    told = [*connector.options, *connector.schemes, *map(str, unusual), "secret", "verified"]
    assert [word for word in told if word not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_has_a_sample_of_a_person_with_an_address(name: str) -> None:
    connector = registry.load(name)
    told = sample_case(name)
    acts = _dumped(connector, told, _accepted(connector, told))
    assert any(re.search(r"@example\.(com|net|org)|\+[0-9]{8}", json.dumps(act)) for act in acts)
    assert any(load_case(name, case).is_sample for n, case in CASES if n == name)


@pytest.mark.parametrize("name", NAMES)
def test_field_maps_name_contact_fields(name: str) -> None:
    assert set(registry.load(name).fields.values()) <= set(CONTACT_FIELDS)


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_that_fetches_says_where(name: str) -> None:
    connector = registry.load(name)
    reads = (connector.fetch, connector.backfill, connector.subscription)
    assert any(reads) == (connector.api is not None)


@pytest.mark.parametrize("name", NAMES)
def test_what_may_be_tried_again_is_answered_5xx(name: str) -> None:
    assert registry.load(name).statuses.unavailable >= 500


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case_tells_where_it_is_from(name: str, case: str) -> None:
    assert len(load_case(name, case).origin) >= 20


@pytest.mark.parametrize(("name", "case"), CASES)
def test_people_in_cases_are_made_up(name: str, case: str) -> None:
    text = (ROOT / "tests" / "connectors" / name / f"{case}.json").read_text(encoding="utf-8")
    addresses = re.findall(r"[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", text)
    assert [a for a in addresses if not RESERVED.search(a.replace("%40", "@"))] == []


@pytest.mark.parametrize(("name", "case"), POSTED)
def test_a_case_reads_as_expected_and_twice_the_same(name: str, case: str) -> None:
    connector, told = registry.load(name), load_case(name, case)
    request = _accepted(connector, told)
    assert _dumped(connector, told, request) == list(told.submissions)
    assert _dumped(connector, told, request) == list(told.submissions)


@pytest.mark.parametrize(("name", "case"), POSTED)
def test_an_id_tells_nothing_of_a_person(name: str, case: str) -> None:
    for act in load_case(name, case).submissions:
        act_id = act.get("external_id", "")
        texts = [text for text in act.get("answers", {}).values() if isinstance(text, str)]
        digits = [re.sub(r"[^0-9]", "", text) for text in texts if text.startswith("+")]
        personal = [*(text for text in texts if "@" in text), *filter(None, digits)]
        assert "@" not in act_id
        assert not [text for text in personal if text in act_id]


@pytest.mark.parametrize(
    ("name", "option"), [(n, option) for n in NAMES for option in registry.load(n).options]
)
def test_an_option_of_another_kind_is_misconfigured(name: str, option: str) -> None:
    connector, told = registry.load(name), _posted(name)
    expected = connector.options[option]
    wrong: Any = {"a": "b"} if isinstance(expected, list | tuple) else ["a"]
    for given in (wrong, "text" if not isinstance(expected, str) else None):
        with pytest.raises(Misconfigured, match=f"the option {option} is to be"):
            read(connector, told.request(), {**told.options, option: given})


@pytest.mark.parametrize(("name", "case"), POSTED)
def test_a_kept_request_reads_the_same(name: str, case: str) -> None:
    connector, told = registry.load(name), load_case(name, case)
    signature = connector.signature_for(told.options)
    request = _accepted(connector, told)
    again = unpack(pack(kept(request, signature.secret_headers)))
    assert again.body == request.body
    assert _dumped(connector, told, again) == list(told.submissions)
    assert SECRET not in repr(again), "a secret is kept"
    assert SECRET.encode() not in again.body


@pytest.mark.parametrize(("name", "case"), POSTED)
def test_a_case_with_any_part_broken_is_read_or_malformed(name: str, case: str) -> None:
    connector, told = registry.load(name), load_case(name, case)
    outcomes = {_outcome(connector, told, told.request(body=body)) for body in _broken(told)}
    assert outcomes <= {"read", "malformed"}
    assert outcomes


@pytest.mark.parametrize(("name", "case"), [(n, c) for n, c in POSTED if load_case(n, c).fetched])
def test_an_answer_with_any_part_broken_is_read_or_malformed(name: str, case: str) -> None:
    connector, told = registry.load(name), load_case(name, case)
    for fetched in _replaced(dict(told.fetched)):
        if isinstance(fetched, dict) and set(fetched) == set(told.fetched):
            broken = replace(told, fetched=fetched)
            assert _outcome(connector, broken, told.request()) in {"read", "malformed"}


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_hostile_bodies_are_read_or_malformed(name: str, content_type: str) -> None:
    connector, told = registry.load(name), _posted(name)
    for label, body in HOSTILE.items():
        request = replace(
            told.request(),
            body=body,
            headers={**told.request().headers, "content-type": (content_type,)},
        )
        started = time.process_time()
        assert _outcome(connector, told, request) in {"read", "malformed"}, label
        # Far above what it takes; it fails only for work that grows faster than the body.
        assert time.process_time() - started < 5, label


@pytest.mark.parametrize("name", SIGNED)
def test_what_the_provider_signed_is_accepted(name: str) -> None:
    connector, told = registry.load(name), _posted(name)
    _accepted(connector, told)


@pytest.mark.parametrize("name", SIGNED)
def test_either_of_two_live_secrets_is_accepted_and_an_old_one_is_not(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    for secret in (SECRET, OTHER):
        request = signature.sign(told.request(), secret)
        signature.verify(request, (SECRET, OTHER), told.received_at)
    with pytest.raises(Unverified):
        signature.verify(
            signature.sign(told.request(), STRANGER), (SECRET, OTHER), told.received_at
        )


@pytest.mark.parametrize("name", SIGNED)
def test_another_secret_is_refused(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    with pytest.raises(Unverified) as refused:
        signature.verify(signature.sign(told.request(), STRANGER), (SECRET,), told.received_at)
    assert SECRET not in str(refused.value)
    assert STRANGER not in str(refused.value)


@pytest.mark.parametrize("name", SIGNED)
def test_no_signature_is_refused(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    with pytest.raises(Unverified):
        signature.verify(told.request(), (SECRET,), told.received_at)


@pytest.mark.parametrize("name", SIGNED)
def test_without_a_secret_nothing_is_accepted(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    for request in (told.request(), signature.sign(told.request(), SECRET)):
        for secrets in ((), ("",)):
            with pytest.raises((Misconfigured, Unverified)):
                signature.verify(request, secrets, told.received_at)


@pytest.mark.parametrize("name", SIGNED)
def test_a_tampered_proof_is_refused(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    signed = signature.sign(told.request(), SECRET)
    for label, request in _tampered(told.request(), signed):
        with pytest.raises(Unverified):
            signature.verify(request, (SECRET,), told.received_at)
            pytest.fail(label)


@pytest.mark.parametrize("name", SIGNED)
def test_redacting_any_request_takes_the_secret_out(name: str) -> None:
    told = _posted(name)
    signature = registry.load(name).signature_for(told.options)
    refused = kept(
        signature.redact(signature.sign(told.request(), STRANGER)), signature.secret_headers
    )
    assert STRANGER not in repr(refused)
    assert STRANGER.encode() not in refused.body


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(SIGNED)))
def test_what_is_posted_to_a_source_without_a_door_is_refused(name: str) -> None:
    told = _posted(name)
    request = CLOSED.sign(told.request(), SECRET)
    for secrets in ((), (SECRET,)):
        with pytest.raises(Unverified):
            registry.load(name).signature.verify(request, secrets, told.received_at)


@pytest.mark.parametrize(("name", "case"), SHAKEN)
def test_a_handshake_is_answered_exactly(name: str, case: str) -> None:
    connector, told = registry.load(name), load_case(name, case)
    assert connector.handshake and told.handshake
    reply = connector.handshake(told.request(), (told.handshake["secret"],))
    assert reply.status == told.handshake["status"]
    assert reply.content_type.partition(";")[0] == told.handshake["content_type"]
    expected = told.handshake["body"]
    assert (reply.body if isinstance(expected, str) else json.loads(reply.body)) == expected


@pytest.mark.parametrize("name", [n for n in NAMES if registry.load(n).handshake])
def test_a_handshake_in_another_form_is_refused(name: str) -> None:
    connector = registry.load(name)
    assert [c for n, c in SHAKEN if n == name], "no case has a handshake"
    assert connector.handshake
    other: dict[str, tuple[str, ...]] = {"hub.challenge": ("<b>",)}
    # A provider that asks for nothing, and looks only whether the address answers, asks without.
    is_bare = any(not load_case(n, c).query for n, c in SHAKEN if n == name)
    for query in (other if is_bare else {}, other, {"challengeCode": ("hmacsha256={}",)}):
        request = Request("GET", f"/hooks/{name}", query, {}, b"", datetime(2026, 1, 5, tzinfo=UTC))
        with pytest.raises((Malformed, Unverified)):
            connector.handshake(request, (SECRET,))


def _posted(name: str) -> Case:
    """Give a connector's first case that is no handshake."""
    return next(load_case(n, c) for n, c in POSTED if n == name)


def _accepted(connector: Connector, told: Case) -> Request:
    """Sign a case as the provider does and verify it as the door does."""
    signature = connector.signature_for(told.options)
    request = signature.sign(told.request(), SECRET)
    if signature is CLOSED:
        return request
    return signature.verify(request, (SECRET,), told.received_at + timedelta(seconds=2))


def _read(connector: Connector, told: Case, request: Request) -> list[Act]:
    """Read a request, and fetch where the case has what is fetched."""
    acts = read(connector, request, told.options)
    if not (connector.fetch and told.fetched):
        return acts
    whole = [
        complete(connector, act, told.get) if isinstance(act, Submission) and act.lookup else act
        for act in acts
    ]
    return [act for act in whole if act]


def _dumped(connector: Connector, told: Case, request: Request) -> list[dict[str, Any]]:
    """Write what is read in the way of the cases."""
    acts = _read(connector, told, request)
    return [act.model_dump(mode="json", exclude_defaults=True) for act in acts]


def _outcome(connector: Connector, told: Case, request: Request) -> str:
    """Read, and say how it ended; anything but submissions and Malformed is an error here."""
    try:
        acts = read(connector, request, told.options)
    except Malformed as error:
        assert len(str(error)) < 300
        return "malformed"
    for act in acts:
        assert isinstance(act, Act)
        act.model_dump_json()
        if isinstance(act, Submission) and act.lookup and connector.fetch and told.fetched:
            _fetched(connector, told, act)
    return "read"


def _fetched(connector: Connector, told: Case, act: Submission) -> None:
    """Fetch; whatever the API says, it ends with a submission or an error of ours."""
    from chalicelib.errors import HubError

    assert connector.fetch
    try:
        whole = complete(connector, act, told.get)
        assert whole is None or whole.model_dump_json()
    except HubError as error:
        assert len(str(error)) < 500


def _broken(told: Case) -> Iterator[str]:
    """Give a case's body with each part in turn removed or replaced, or cut off."""
    if not isinstance(told.body, str):
        yield from (content_bytes(body).decode() for body in _replaced(told.body))
    whole = content_bytes(told.body).decode()
    step = max(1, len(whole) // 60)
    yield from (whole[:end] for end in range(0, len(whole), step))


def _replaced(value: Any) -> Iterator[Any]:
    """Give a JSON value with each of its parts, itself too, removed or of another type."""
    yield from (None, 7, "text", [], ["x"], {}, {"x": "y"}, True, *EXTREMES)
    items = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, item in items:
        without = copy.copy(value)
        del without[key]
        yield without
        for other in _replaced(item):
            changed = copy.copy(value)
            changed[key] = other
            yield changed


def _tampered(bare: Request, signed: Request) -> Iterator[tuple[str, Request]]:
    """Spoil what signing added, and the body below it, in each way that comes to mind."""
    added = {n: v[0] for n, v in signed.headers.items() if bare.headers.get(n) != v}
    for name, value in added.items():
        for label, values in {
            "absent": (),
            "empty": ("",),
            "cut": (value[:-1],),
            "longer": (value + "0",),
            "twice": (value, value[::-1]),
            "not ASCII": (value + "\u00e9",),
            "lone surrogate": (value + "\ud800",),
            "many": (" ".join([value[::-1]] * 1000),),
        }.items():
            yield f"{name} {label}", replace(signed, headers={**signed.headers, name: values})
    if signed.path_token:
        for token in ("", signed.path_token[:-1], signed.path_token + "0", "\u00e9"):
            yield f"token {token!r}", replace(signed, path_token=token)
    if signed.body != bare.body:
        text = signed.body.decode()
        for secret in ("", SECRET[:-1], SECRET + "0", SECRET.upper()):
            yield f"key {secret!r}", replace(signed, body=text.replace(SECRET, secret).encode())
        yield "no key", bare
        yield "no JSON", replace(signed, body=signed.body[:-1])
    elif added and not any(value == SECRET for value in added.values()):
        yield "other body", replace(signed, body=signed.body + b" ")
        yield "no body", replace(signed, body=b"")
