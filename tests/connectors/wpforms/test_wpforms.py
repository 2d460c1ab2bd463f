"""What only WPForms does: it signs PHP's JSON of an array, whatever it sends."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from chalicelib.connector import Request, Submission, read
from chalicelib.errors import Malformed, Unverified
from connectors.wpforms import SIGNED, connector, signed_body

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def posted(body: bytes, content_type: str = FORM) -> Request:
    return Request("POST", "/hooks/w", {}, {"content-type": (content_type,)}, body, NOW)


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ([("a", "https://example.com/")], r'{"a":"https:\/\/example.com\/"}'),
        ([("a/b", "ë"), ("c", "🙂")], r'{"a\/b":"\u00eb","c":"\ud83d\ude42"}'),
        ([("b", ""), ("a", 'x"\\\n\t')], r'{"b":"","a":"x\"\\\n\t"}'),
        (
            [("d[value]", "10/14/2025"), ("d[unix]", "1760400000")],
            r'{"d":{"value":"10\/14\/2025","unix":1760400000}}',
        ),
        ([("f[0]", "x"), ("f[1]", "y")], '{"f":["x","y"]}'),
    ],
)
def test_the_array_is_encoded_as_php_does_it(pairs: list[tuple[str, str]], text: str) -> None:
    assert signed_body(posted(urlencode(pairs).encode())) == text.encode()


def test_json_is_signed_as_it_was_sent() -> None:
    body = b'{ "a" : "\\/" }'
    assert signed_body(posted(body, "application/json; charset=utf-8")) == body


@pytest.mark.parametrize("body", [b"a=\xff", b"a=1&" * 1001, b"a=1&a[b]=2", b"a" + b"[b]" * 40])
def test_a_form_that_cannot_have_been_signed_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        signed_body(posted(body))
    signed = SIGNED.sign(posted(b"a=1"), "key")
    with pytest.raises(Unverified):
        SIGNED.verify(replace(signed, body=body), ("key",), NOW)


def act(body: bytes) -> Submission:
    (read_act,) = read(connector, posted(body, "application/json"), {})
    assert isinstance(read_act, Submission)
    return read_act


def test_parts_are_taken_apart_unless_somebody_typed_them_in_lines() -> None:
    assert act(b'{"a":"x||y","b":"x||y\\nz"}').answers == {"a": ("x", "y"), "b": "x||y\nz"}


def test_the_same_entry_is_one_act_and_two_of_one_number_are_two() -> None:
    ids = [
        act(b'{"entry_id":"7","email":"%s@example.com"}' % name).external_id
        for name in (b"a", b"a", b"b")
    ]
    assert ids[0] == ids[1] != ids[2]


def test_a_body_that_is_neither_is_malformed() -> None:
    with pytest.raises(Malformed):
        act(b"a=1")
