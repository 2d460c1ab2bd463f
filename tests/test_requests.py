"""Requests: exact bytes in and out, and strict reading of whatever is in them."""

import base64
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.body import cut_member
from chalicelib.errors import Malformed
from chalicelib.request import (
    Reply,
    Request,
    kept,
    pack,
    reply_to_event,
    request_from_event,
    unpack,
)

NOW = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


def request(
    body: bytes | str = b"", content_type: str = "application/json", **more: str
) -> Request:
    headers = {"content-type": (content_type,)}
    headers |= {name.replace("_", "-"): (value,) for name, value in more.items()}
    data = body.encode() if isinstance(body, str) else body
    return Request("POST", "/hooks/s", {}, headers, data, NOW, source_id="s")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, true, null, "x"]}', {"a": [1, True, None, "x"]}),
        (b"12345678901234567890123", 12345678901234567890123),
        (b"9" * 64, int("9" * 64)),
        (b"9" * 65, "9" * 65),
        (b"-" + b"9" * 400, "-" + "9" * 400),
        (b"0.10", "0.10"),
        (b"1e400", "1e400"),
        (b"1E126", "1E126"),
        (b"-0", 0),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"Email": 1, "email": 2}', {"Email": 1, "email": 2}),
        (b'{"a": {"b": 1, "b": 2}}', {"a": {"b": 2}}),
        (b'{"": 1}', {"": 1}),
        (b'"\\ud800"', "\ufffd"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"a\\u0000b\\u0007c\\ufffe\\u0085d"', "abcd"),
        (b'"a\\tb\\r\\nc"', "a\tb\r\nc"),
        (b'{"a\\u0000": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b' \r\n {"a": 1}\t ', {"a": 1}),
        ('"é"'.encode("cp1252"), "é"),
        ('"é"'.encode(), "é"),
        (b'"\x81\xff"', "\ufffdÿ"),
        (b'{"__proto__": "{{7*7}}"}', {"__proto__": "{{7*7}}"}),
    ],
)
def test_json_is_read_exactly(body: bytes, value: Any) -> None:
    assert request(body).json() == value


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "at character 0"),
        (b'{"a": NaN}', "NaN at character 6; expected"),
        (b'{"NaN": -Infinity}', "-Infinity at character 8; expected"),
        (b'["NaN", Infinity]', "Infinity at character 8; expected"),
        (b'{"a": 1} x', "Extra data at character 9"),
        (b'{"a": 1} // x', "Extra data at character 9"),
        (b"{'a': 1}", "at character 1"),
        (b'{"a": "x', "at character 6"),
        (b'{"a": "x\x00"}', "at character 8"),
        (b"[" * 33 + b"]" * 33, "deeper than 32 levels at character 32"),
        (b'["[[[", ' + b"[" * 33, "deeper than 32 levels at character 39"),
        (b"[" * 1_000_000, "more than 10000 values"),
        (b'{"a":' * 200_000, "more than 2000 keys"),
        (b"{" + b",".join(b'"%d":1' % n for n in range(2001)) + b"}", "more than 2000 keys"),
        (b'{"' + b"k" * 257 + b'": 1}', "longer than 256"),
        (b'"' + b"x" * 65_537 + b'"', "longer than 65536"),
        (b'"' + "é".encode() * 32_769 + b'"', "longer than 65536"),
        (b"9" * 1_000_000, "longer than 65536"),
        (b"+AHs-+AH0-", "at character 0"),
        ('{"a": 1}'.encode("utf-16-be"), "at character 0"),
    ],
)
def test_what_is_no_json_is_malformed_and_says_where(body: bytes, told: str) -> None:
    with pytest.raises(Malformed, match=r"^JSON: ") as refused:
        request(body).json()
    assert told in str(refused.value)


def test_the_limits_themselves_are_still_read() -> None:
    keys = {f"{n:0256d}": "" for n in range(2_000)}
    assert request(json.dumps(keys)).json() == keys
    assert request(b'"' + b"x" * 65_536 + b'"').json() == "x" * 65_536
    assert json.dumps(request(b"[" * 32 + b"]" * 32).json()) == "[" * 32 + "]" * 32


def test_brackets_and_colons_inside_of_texts_do_not_count() -> None:
    text = '[{":,' * 10_000
    assert request(json.dumps([text])).json() == [text]


def test_a_declared_character_set_is_used_and_utf_7_never_is() -> None:
    assert (
        request('"日本"'.encode("shift_jis"), "application/json; charset=Shift_JIS").json()
        == "日本"
    )
    assert request('"ж"'.encode("cp1251"), 'application/json; charset="windows-1251"').json() == "ж"
    assert request('"é"'.encode(), "application/json; charset=iso-8859-1").json() == "é"
    assert request('"é"'.encode("latin-1"), "application/json; charset=utf-8").json() == "é"
    assert request('"é"'.encode("utf-16-le"), "application/json; charset=utf-16le").json() == "é"
    assert request(b'"+AGE-"', "application/json; charset=utf-7").json() == "+AGE-"
    assert request(b'"a"', "application/json; charset=" + "x" * 10_000).json() == "a"


def test_gzip_is_opened_for_reading_while_the_bytes_stay() -> None:
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    sent = request(packed, content_encoding="gzip")
    assert sent.json() == {"a": 1}
    assert sent.body == packed


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (gzip.compress(b" " * 100_000_000, mtime=0), "gzip", "opens to more than 8388608 bytes"),
        (gzip.compress(b" " * 200_000, mtime=0), "gzip", "opens to more than"),
        (
            gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0),
            "gzip, gzip",
            "expected gzip or none",
        ),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", "cut off"),
        (gzip.compress(b"{}", mtime=0) + b"x", "gzip", "something follows"),
        (b"{}", "gzip", "expected gzip"),
        (b"{}", "br", "expected gzip or none"),
        (b"", "gzip", "cut off"),
    ],
)
def test_what_opens_to_too_much_or_not_at_all_is_malformed(
    body: bytes, encoding: str, told: str
) -> None:
    with pytest.raises(Malformed, match=told):
        request(body, content_encoding=encoding).json()


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("a=1&b=2&a=3", {"a": ("1", "3"), "b": ("2",)}),
        ("email=a%2Bb%40example.com", {"email": ("a+b@example.com",)}),
        ("a=x+y%20z", {"a": ("x y z",)}),
        ("a=1;b=2", {"a": ("1;b=2",)}),
        ("a=&b&=c", {"a": ("",), "b": ("",)}),
        ("a=x%00y%0D%0Az", {"a": ("xy\r\nz",)}),
        ("a=%", {"a": ("%",)}),
        ("a=%zz&b[c][d]=1", {"a": ("%zz",), "b[c][d]": ("1",)}),
        ("_charset_=windows-1251&a=%E6", {"_charset_": ("windows-1251",), "a": ("ж",)}),
        ("a=%E9&b=%C3%A9", {"a": ("é",), "b": ("é",)}),
        ("", {}),
    ],
)
def test_an_urlencoded_form_is_read(body: str, form: dict[str, tuple[str, ...]]) -> None:
    assert request(body, FORM).form() == form


def test_json_and_plain_text_of_a_browser_are_read_as_forms() -> None:
    flat = {"a.b": ("1",), "c": ("x", "true"), "d[0].e": ("0.50",)}
    body = '{"a": {"b": 1}, "c": ["x", true, null], "d": [{"e": 0.50}], "n": null}'
    assert request(body).form() == flat
    assert request(body, "text/plain;charset=UTF-8").form() == flat
    assert request("a=1\r\nb=x=y\r\n", "text/plain").form() == {"a": ("1",), "b": ("x=y",)}


def multipart(*parts: tuple[str, bytes]) -> bytes:
    lines = [
        b"--B\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (h.encode(), b)
        for h, b in parts
    ]
    return b"".join(lines) + b"--B--\r\n"


def test_a_multipart_form_is_read_and_of_files_only_the_name() -> None:
    body = multipart(
        ('name="a"', b"1"),
        ('name="a"', "é".encode()),
        ('name="b"', "é".encode("cp1252")),
        ('name="f"; filename="../../etc/pass\\"wd"', b"\x00" * 70_000),
        ('name="g"; filename="C:\\dir\\x.pdf"', b"x"),
        ('name="none"; filename=""', b""),
    )
    form = request(body, "multipart/form-data; boundary=B").form()
    assert form["a"] == ("1", "é")
    assert form["b"] == ("é",)
    assert "/" not in form["f"][0]
    assert form["g"] == ("x.pdf",)
    assert "none" not in form


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(('name="a"', b"1"))[:-6], "multipart/form-data; boundary=B"),
        (multipart(('name="a"', b"1")), "multipart/form-data; boundary=C"),
        (multipart(('name="a"', b"1")), "multipart/form-data"),
        (multipart(('name="a"', b"1")), "multipart/form-data; boundary=" + "B" * 1000),
        (multipart(*[('name="a"', b"1")] * 1001), "multipart/form-data; boundary=B"),
        (multipart(('name="a"', b"1" * 65_537)), "multipart/form-data; boundary=B"),
        (b"&".join([b"a=1"] * 1001), FORM),
        (b"a" * 257 + b"=1", FORM),
        (b"a=" + b"1" * 65_537, FORM),
        (b"[1]", "application/json"),
        (b"<a/>", "application/xml"),
    ],
)
def test_what_is_no_form_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(Malformed):
        request(body, content_type).form()


def test_a_header_said_in_two_ways_has_no_value() -> None:
    sent = replace(request(), headers={"x": ("a", "b"), "y": ("a", "a")})
    assert (sent.header("X"), sent.header("Y"), sent.header("z")) == ("", "a", "")


def event(**more: Any) -> dict[str, Any]:
    return {
        "httpMethod": "post",
        "path": "/hooks/website/secret",
        "pathParameters": {"source_id": "website", "token": "secret"},
        "headers": {"Content-Type": "b"},
        "multiValueHeaders": {"Content-Type": ["a"], "X-Sig": ["1", "2"], "x-sig": ["3"]},
        "queryStringParameters": {"a": "2"},
        "multiValueQueryStringParameters": {"a": ["1", "2"]},
        "body": None,
        "isBase64Encoded": False,
        **more,
    }


def test_an_event_of_the_gateway_becomes_a_request() -> None:
    made = request_from_event(event(), NOW)
    assert made.method == "POST"
    assert (made.path, made.source_id, made.path_token) == ("/hooks/website", "website", "secret")
    assert made.headers == {"content-type": ("a",), "x-sig": ("1", "2", "3")}
    assert made.query == {"a": ("1", "2")}
    assert made.body == b""
    assert "secret" not in repr(made)


@pytest.mark.parametrize(
    ("host", "public_url", "expected"),
    [
        ("hub.example.com", "", "https://hub.example.com/api/hooks/website/secret"),
        (
            "hub.example.com",
            "https://hub.example.com",
            "https://hub.example.com/hooks/website/secret",
        ),
        (
            "127.0.0.1:4566",
            "http://127.0.0.1:4566/a",
            "http://127.0.0.1:4566/a/hooks/website/secret",
        ),
        (
            "x.example.com",
            "https://hub.example.com",
            "https://x.example.com/api/hooks/website/secret",
        ),
    ],
)
def test_the_address_that_was_called_is_as_it_was_given_out(
    host: str, public_url: str, expected: str
) -> None:
    called = event(
        multiValueHeaders={"Host": [host]},
        requestContext={"path": "/api/hooks/website/secret"},
        multiValueQueryStringParameters={"a": ["1", "b c"]},
    )
    assert request_from_event(called, NOW, public_url).url == f"{expected}?a=1&a=b+c"


def test_an_event_may_lack_all_that_is_optional() -> None:
    bare = {
        "httpMethod": "GET",
        "path": "/x",
        "headers": None,
        "pathParameters": None,
        "body": None,
    }
    made = request_from_event(bare, NOW)
    assert (made.path, made.headers, made.query, made.body) == ("/x", {}, {}, b"")


@given(st.binary(max_size=200))
def test_a_body_comes_through_the_gateway_byte_for_byte(body: bytes) -> None:
    packed = event(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    assert request_from_event(packed, NOW).body == body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    assert request_from_event(event(body=text), NOW).body == body


def test_a_body_that_is_not_the_base64_it_should_be_is_malformed() -> None:
    with pytest.raises(Malformed):
        request_from_event(event(body="%%%", isBase64Encoded=True), NOW)


def test_a_reply_can_be_neither_guessed_at_nor_cached() -> None:
    answer = reply_to_event(Reply(303, "", "text/plain", {"Location": "https://www.example.com/"}))
    assert answer["statusCode"] == 303
    assert answer["headers"]["Location"] == "https://www.example.com/"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
    assert answer["headers"]["Cache-Control"] == "no-store"


@given(st.binary(max_size=300), st.dictionaries(st.text(), st.lists(st.text()).map(tuple)))
@settings(max_examples=50)
def test_a_packed_request_is_unpacked_the_same(
    body: bytes, query: dict[str, tuple[str, ...]]
) -> None:
    sent = replace(request(body, x_long="x" * 500), query=query)
    assert unpack(pack(sent)) == sent


@pytest.mark.parametrize("data", [b"", b"x", b"\x78\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_the_hub_did_not_pack_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(data)


def test_secrets_and_what_proxies_added_are_not_kept() -> None:
    sent = replace(
        request(
            authorization="Bearer s3cret",
            cookie="s3cret",
            x_api_key="s3cret",
            x_lead_token="s3cret",
            x_forwarded_for="192.0.2.1",
            x_amzn_trace_id="r",
            user_agent="Zapier",
        ),
        path_token="s3cret",
    )
    stored = kept(sent, ("x-lead-token",))
    assert set(stored.headers) == {"content-type", "user-agent"}
    assert b"s3cret" not in pack(replace(stored, body=b""))
    assert stored.path_token == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"k":"s"}', "{}"),
        ('{"k":"s","a":1}', '{"a":1}'),
        ('{"a":1,"k":"s"}', '{"a":1}'),
        (
            ' {"a" : 1.50 , "k" : "s" , "b":9007199254740993}\n',
            ' {"a" : 1.50 , "b":9007199254740993}\n',
        ),
        ('{"k":"s","a":"k","k":"t"}', '{"a":"k"}'),
        (r'{"\u006b":"s","a":"\u00e9\/"}', r'{"a":"\u00e9\/"}'),
        (
            '{"a":{"k":"x","b":[{"k":1},","]},"k":{"x":["}",1]}}',
            '{"a":{"k":"x","b":[{"k":1},","]}}',
        ),
        ('{"k\\u0000":"s","a":1}', '{"a":1}'),
        ('[{"k":"s"}]', '[{"k":"s"}]'),
        ('"k"', '"k"'),
        ("{}", "{}"),
    ],
)
def test_a_member_is_cut_out_and_nothing_else_changes(text: str, left: str) -> None:
    assert cut_member(text, "k") == left


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5), st.text(max_size=5), st.booleans())
def test_cutting_is_the_same_as_leaving_the_key_out(
    value: dict[str, Any], secret: str, first: bool
) -> None:
    rest = {key: item for key, item in value.items() if key != "google_key"}
    whole = {"google_key": secret, **rest} if first else {**rest, "google_key": secret}
    assert cut_member(compact(whole), "google_key") == compact(rest)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
