"""Formstack: a key inside of the body, in a form and in JSON, proves nothing but is never kept."""

from dataclasses import replace

import pytest

from chalicelib.cli.cases import sample_case
from chalicelib.connector import Request, read
from chalicelib.errors import Malformed, Unverified
from connectors.formstack import KEY, connector

KEYED = "fs-handshake-example"
FORM = "application/x-www-form-urlencoded"
SECRET = "a secret & more/é"
REQUEST = sample_case("formstack").request()
AT = REQUEST.received_at


def with_body(body: bytes, content_type: str = FORM) -> Request:
    return replace(REQUEST, body=body, headers={"content-type": (content_type,)})


def test_the_handshake_key_is_not_kept_though_the_hmac_is_of_a_body_that_holds_it() -> None:
    assert KEYED.encode() in REQUEST.body
    signed = connector.signature.sign(REQUEST, "key")
    kept = connector.signature.verify(signed, ("key",), AT)
    assert KEYED.encode() not in kept.body
    assert KEYED.encode() not in connector.signature.redact(REQUEST).body
    assert read(connector, kept, {}) == read(connector, REQUEST, {})


def test_a_header_that_names_another_algorithm_is_refused() -> None:
    signed = connector.signature.sign(REQUEST, "key")
    value = signed.header("x-fs-signature").removeprefix("sha256=")
    for name in ("sha1", "md5", "SHA256", ""):
        sent = replace(signed, headers={**signed.headers, "x-fs-signature": (f"{name}={value}",)})
        with pytest.raises(Unverified):
            connector.signature.verify(sent, ("key",), AT)


def test_a_key_in_a_form_is_compared_and_cut_out_and_the_rest_stays_as_it_was() -> None:
    bare = with_body(b"a=1&&b=%C3%A9+x&=&a=2")
    signed = KEY.sign(bare, SECRET)
    assert signed.body != bare.body
    assert KEY.verify(signed, (SECRET,), AT).body == bare.body
    assert KEY.verify(signed, ("other", SECRET), AT).body == bare.body
    with pytest.raises(Unverified):
        KEY.verify(signed, ("other",), AT)


def test_a_key_that_is_escaped_is_found_and_cut_out() -> None:
    sent = with_body(b"%48andshakeKey=k&a=1")
    assert KEY.verify(sent, ("k",), AT).body == b"a=1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a=1",
        b"HandshakeKey",
        b"HandshakeKey=",
        b"HandshakeKey=k&HandshakeKey=x",
        b"HandshakeKey=x&HandshakeKey=k",
        b"handshakekey=k",
        b"HandshakeKey=K",
        b'{"HandshakeKey":"k"}',
    ],
)
def test_a_form_without_the_one_key_is_refused_and_none_is_kept(body: bytes) -> None:
    sent = with_body(body)
    with pytest.raises(Unverified):
        KEY.verify(sent, ("k",), AT)
    if b"=" in body:
        assert b"HandshakeKey" not in KEY.redact(sent).body


def test_a_key_in_json_is_still_one() -> None:
    sent = with_body(b'{"HandshakeKey":"k","FormID":"1"}', "application/json")
    assert KEY.verify(sent, ("k",), AT).body == b'{"FormID":"1"}'


def test_a_submission_without_an_id_is_malformed() -> None:
    with pytest.raises(Malformed, match="UniqueID"):
        read(connector, with_body(b"FormID=1&Email=zoe%40example.com"), {})
