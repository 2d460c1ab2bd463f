"""Signatures: vectors of the providers, rotation, age, and secrets that leave no trace."""

import base64
import gzip
import hashlib
import hmac
import json
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from chalicelib import registry
from chalicelib.errors import HubError, Misconfigured, Unverified
from chalicelib.request import Request, kept, pack
from chalicelib.signing import (
    STANDARD_WEBHOOKS,
    BodyKey,
    HeaderToken,
    Hmac,
    PathToken,
    Signature,
    hex_hmac_sha256,
)

VECTORS = Path(__file__).parent / "connectors" / "vectors"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
BODY = '{"name":"Zoë"}'.encode()


def request(body: bytes = BODY, at: datetime = NOW, **headers: str) -> Request:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return Request("POST", "/hooks/s", {}, named, body, at)


def vector(name: str) -> tuple[Request, dict[str, Any]]:
    document = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    if name == "surveymonkey":
        # Its secret is given to us as SurveyMonkey makes the key of it.
        document["secret"] = f"{document['client_id']}&{document['secret']}"
    url = urllib.parse.urlsplit(document.get("url", ""))
    made = Request(
        document["method"],
        url.path or "/hooks/s",
        {n: tuple(v) for n, v in urllib.parse.parse_qs(url.query).items()},
        {n.lower(): (v,) for n, v in document["headers"].items()},
        document["body"].encode(),
        signed_at(document),
        url=document.get("url", ""),
    )
    return made, document


def signed_at(document: dict[str, Any]) -> datetime:
    """Read when a vector was signed, in seconds or milliseconds; any time if it has none."""
    stamp = int(document.get("timestamp", NOW.timestamp()))
    return datetime.fromtimestamp(stamp if stamp < 10**11 else stamp / 1000, UTC)


POSTS = {
    "typeform": "typeform",
    "tally": "tally",
    "formstack": "formstack",
    "surveymonkey": "surveymonkey",
    "google_ads": "google_ads",
    "linkedin": "linkedin",
    "meta": "meta",
    "meta_escaped_unicode": "meta",
    "standard_webhooks": "generic_json",
    "standard_webhooks_rotation": "generic_json",
    "snapchat": "snapchat",
    "tiktok_lead": "tiktok",
    "tiktok_developer": "tiktok",
    "webflow": "webflow",
    "wpforms": "wpforms",
    "wpforms_form": "wpforms",
    "netlify_forms": "netlify_forms",
    "formspree": "formspree",
    "calendly": "calendly",
    "calcom": "calcom",
    "intercom": "intercom",
    "callrail": "callrail",
    "twilio_sms": "twilio",
    "twilio_json": "twilio",
    "hubspot": "hubspot",
    "hubspot_v2": "hubspot",
    "mailchimp": "mailchimp",
    "segment": "segment",
    "segment_batch": "segment",
    "referral": "referral",
    "google_forms": "google_forms",
}
SCHEMES = {
    "standard_webhooks": "standard_webhooks",
    "standard_webhooks_rotation": "standard_webhooks",
    "tiktok_lead": "open_signature",
    "tiktok_developer": "developer",
    "mailchimp": "signed",
}
"""By vector: the scheme that it is of, where that is not the connector's own choice."""


@pytest.mark.parametrize(("name", "connector"), POSTS.items())
def test_a_vector_is_accepted_and_spoiled_it_is_refused(name: str, connector: str) -> None:
    sent, told = vector(name)
    options = {"scheme": SCHEMES[name]} if name in SCHEMES else {}
    signature = registry.load(connector).signature_for(options)
    now = sent.received_at
    signature.verify(sent, (told["secret"],), now)
    signature.verify(sent, (STRANGER, told["secret"]), now)
    with pytest.raises(Unverified):
        signature.verify(sent, (STRANGER,), now)
    if connector != "google_ads":
        is_json = sent.body.lstrip()[:1] in (b"{", b"[")
        other = json.dumps(json.loads(sent.body)).encode() if is_json else sent.body + b"&x=1"
        assert other != sent.body
        with pytest.raises(Unverified):
            signature.verify(replace(sent, body=other), (told["secret"],), now)


def test_no_vector_goes_unused() -> None:
    apart = {"meta_appsecret_proof", "ses_email"}
    used = {*POSTS, *FORGED, *HANDSHAKES, *apart}
    assert {path.stem for path in VECTORS.glob("*.json")} == used


FORGED = {"netlify_forms_forged_none": "netlify_forms"}


@pytest.mark.parametrize(("name", "connector"), FORGED.items())
def test_a_forged_vector_is_refused(name: str, connector: str) -> None:
    sent, told = vector(name)
    assert told["expect"] == "reject"
    with pytest.raises(Unverified):
        registry.load(connector).signature.verify(sent, (told["secret"],), sent.received_at)


HANDSHAKES = {
    "linkedin_challenge": "linkedin",
    "linkedin_forged_challenge": "linkedin",
    "meta_handshake": "meta",
}


@pytest.mark.parametrize(("name", "connector"), HANDSHAKES.items())
def test_a_handshake_vector_is_answered_as_the_provider_wants(name: str, connector: str) -> None:
    sent, told = vector(name)
    handshake = registry.load(connector).handshake
    assert handshake
    expected = told["expected_response"]
    if expected["status"] != 200:
        with pytest.raises(HubError):
            handshake(sent, (told["secret"],))
        return
    reply = handshake(sent, (told["secret"],))
    assert reply.status == 200
    assert reply.content_type.startswith(expected["content_type"])
    body = expected["body"]
    assert (reply.body if isinstance(body, str) else json.loads(reply.body)) == body


def test_a_meta_notice_with_the_old_header_alone_is_refused() -> None:
    sent, told = vector("meta")
    headers = {n: v for n, v in sent.headers.items() if n != "x-hub-signature-256"}
    with pytest.raises(Unverified):
        registry.load("meta").signature.verify(
            replace(sent, headers=headers), (told["secret"],), NOW
        )


def test_the_appsecret_proof_is_made_like_the_vector() -> None:
    sent, told = vector("meta_appsecret_proof")
    token, proof = sent.query["access_token"][0], sent.query["appsecret_proof"][0]
    assert hex_hmac_sha256(told["secret"], token) == proof


KEY = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"76543210fedcba9876543210").decode()
STRANGER = "whsec_" + base64.b64encode(b"strangerstrangerstranger").decode()

PLAIN = Hmac("X-Sig", shape="sha256={digest}")
PIECES = Hmac(
    "X-Sig", shape="t={timestamp},v1={digest}", separator=",", signed="{timestamp}.{body}"
)
MILLISECONDS = replace(
    PIECES, shape="{digest}", separator="", timestamp_header="X-Time", timestamp_unit="ms"
)
VERSIONED = Hmac(
    "X-Sig", shape="v0={digest}", signed="v0:{timestamp}:{body}", timestamp_header="X-Time"
)
OLD = Hmac("X-Sig", algorithm="sha1", encoding="base64")
TIMED = [PIECES, MILLISECONDS, VERSIONED, STANDARD_WEBHOOKS]
ALL: list[Signature] = [PLAIN, OLD, *TIMED, HeaderToken("X-Token"), PathToken(), BodyKey("k")]


def test_digests_are_what_plain_python_makes() -> None:
    digest = hmac.new(KEY.encode(), BODY, hashlib.sha256).hexdigest()
    assert PLAIN.sign(request(), KEY).headers["x-sig"] == (f"sha256={digest}",)
    stamp = int(NOW.timestamp())
    timed = hmac.new(KEY.encode(), b"%d.%s" % (stamp, BODY), hashlib.sha256).hexdigest()
    assert PIECES.sign(request(), KEY).headers["x-sig"] == (f"t={stamp},v1={timed}",)
    old = base64.b64encode(hmac.new(KEY.encode(), BODY, hashlib.sha1).digest()).decode()
    assert OLD.sign(request(), KEY).headers["x-sig"] == (old,)


def test_standard_webhooks_agrees_with_its_reference_library() -> None:
    now = datetime.now(UTC)
    ours = STANDARD_WEBHOOKS.sign(request(at=now), KEY)
    Webhook(KEY).verify(BODY, {n: v[0] for n, v in ours.headers.items()})
    theirs = Webhook(KEY).sign("msg_1", now, BODY.decode())
    stamp = str(int(now.timestamp()))
    sent = request(webhook_id="msg_1", webhook_timestamp=stamp, webhook_signature=theirs)
    STANDARD_WEBHOOKS.verify(sent, (KEY,), now)
    STANDARD_WEBHOOKS.verify(sent, (KEY.rstrip("="),), now)


@pytest.mark.parametrize("signature", ALL)
def test_no_secret_is_misconfigured_and_an_empty_one_never_fits(signature: Signature) -> None:
    signed = signature.sign(request(), KEY)
    for secrets in ((), ("",), ("", "")):
        with pytest.raises(Misconfigured):
            signature.verify(signed, secrets, NOW)
    signature.verify(signed, ("", KEY), NOW)
    with pytest.raises(HubError):
        signature.verify(PLAIN.sign(request(), ""), ("",), NOW)


@pytest.mark.parametrize("signature", TIMED)
def test_the_age_is_held_to_the_second_both_ways(signature: Hmac) -> None:
    signed = signature.sign(request(), KEY)
    for seconds in (-300, -1, 0, 300):
        signature.verify(signed, (KEY,), NOW + timedelta(seconds=seconds))
    for seconds in (-301, 301, 86_400):
        with pytest.raises(Unverified, match="from now"):
            signature.verify(signed, (KEY,), NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "stamp", ["", "-1", "1e9", "9" * 400, "١٢٣٤٥٦٧٨٩٠", "1798761600.0", "0x1", " ", "1798761600000"]
)
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    signed = VERSIONED.sign(request(), KEY)
    sent = replace(signed, headers={**signed.headers, "x-time": (stamp,)})
    with pytest.raises(Unverified):
        VERSIONED.verify(sent, (KEY,), NOW)
    with pytest.raises(Unverified):
        PIECES.verify(request(x_sig=f"t={stamp},v1={'0' * 64}"), (KEY,), NOW)


def test_a_header_said_twice_is_refused_unless_it_says_the_same() -> None:
    signed = PLAIN.sign(request(), KEY)
    value = signed.headers["x-sig"][0]
    PLAIN.verify(replace(signed, headers={"x-sig": (value, value)}), (KEY,), NOW)
    for values in ((value, "sha256=0"), ("sha256=0", value), (value, "")):
        with pytest.raises(Unverified, match="twice"):
            PLAIN.verify(replace(signed, headers={"x-sig": values}), (KEY,), NOW)


@pytest.mark.parametrize("spoiled", ["", "sha1={}", "{}", "SHA256={}", "sha256= {}", "sha256={}="])
def test_another_shape_is_refused(spoiled: str) -> None:
    digest = PLAIN.sign(request(), KEY).headers["x-sig"][0].removeprefix("sha256=")
    for text in (digest, digest.upper()):
        if spoiled.format(text) != f"sha256={digest}":
            with pytest.raises(Unverified):
                PLAIN.verify(request(x_sig=spoiled.format(text)), (KEY,), NOW)


def test_five_signatures_of_a_list_are_looked_at_and_no_more() -> None:
    good = STANDARD_WEBHOOKS.sign(request(), KEY)
    value = good.headers["webhook-signature"][0]
    wrong = "v1," + base64.b64encode(bytes(32)).decode()

    def listed(before: int) -> Request:
        text = " ".join(["v1a,AAAA", *[wrong] * before, value])
        return replace(good, headers={**good.headers, "webhook-signature": (text,)})

    STANDARD_WEBHOOKS.verify(listed(4), (KEY,), NOW)
    with pytest.raises(Unverified):
        STANDARD_WEBHOOKS.verify(listed(5), (KEY,), NOW)


@pytest.mark.parametrize("message_id", ["a.b", "a." + str(int(NOW.timestamp())), "x" * 257, ""])
def test_an_id_that_could_shift_what_is_signed_is_refused(message_id: str) -> None:
    signed = STANDARD_WEBHOOKS.sign(request(webhook_id=message_id), KEY)
    sent = replace(signed, headers={**signed.headers, "webhook-id": (message_id,)})
    with pytest.raises(Unverified):
        STANDARD_WEBHOOKS.verify(sent, (KEY,), NOW)


def test_a_secret_that_is_no_key_is_misconfigured_unless_the_other_one_fits() -> None:
    signed = STANDARD_WEBHOOKS.sign(request(), KEY)
    STANDARD_WEBHOOKS.verify(signed, ("whsec_%%%", KEY), NOW)
    for broken in ("whsec_%%%", "whsec_", "whsec_é"):
        with pytest.raises(Misconfigured) as told:
            STANDARD_WEBHOOKS.verify(signed, (broken, OTHER), NOW)
        assert broken not in str(told.value)


def test_another_shape_of_the_header_may_be_taken_too() -> None:
    signature = Hmac("X-Sig", signed="pre={body}", also=("pre={digest}",))
    value = signature.sign(request(), KEY).headers["x-sig"][0]
    signature.verify(request(x_sig=value), (KEY,), NOW)
    signature.verify(request(x_sig=f"pre={value}"), (KEY,), NOW)
    with pytest.raises(Unverified):
        signature.verify(request(x_sig=f"other={value}"), (KEY,), NOW)


@pytest.mark.parametrize("signature", [HeaderToken("X-Token"), PathToken(), BodyKey("k")])
def test_the_secret_is_gone_from_what_is_kept(signature: Signature) -> None:
    signed = signature.sign(request(), KEY)
    verified = signature.verify(signed, (KEY,), NOW)
    for told in (verified, signature.redact(signed)):
        assert KEY not in repr(told)
        assert KEY.encode() not in told.body
        assert told.path_token == ""
    assert verified.body == BODY


def test_a_key_in_the_body_is_cut_out_byte_for_byte() -> None:
    body = b'{ "a" : 1.50, "k" : "s3cret", "b": "\\u00e9\\/", "n": 9007199254740993 }'
    verified = BodyKey("k").verify(request(body), ("s3cret",), NOW)
    assert verified.body == b'{ "a" : 1.50, "b": "\\u00e9\\/", "n": 9007199254740993 }'


@pytest.mark.parametrize(
    "body",
    [
        b'{"k":"s3cret","a":1}',
        b'\xef\xbb\xbf{"k":"s3cret","a":1}',
        '{"k":"s3cret","a":1}'.encode("utf-16"),
        b'{"k":"old","a":1,"k":"s3cret"}',
        b'{"k\\u0000":"s3cret","a":1}',
        b'{"\\u006b":"s3\\u0063ret","a":1}',
    ],
)
def test_a_key_however_it_is_written_is_never_kept(body: bytes) -> None:
    verified = BodyKey("k").verify(request(body), ("s3cret",), NOW)
    assert verified.json() == {"a": 1}
    assert b"s3" not in verified.body


def test_a_key_in_a_packed_body_is_never_kept() -> None:
    body = gzip.compress(b'{"k":"s3cret","a":1}')
    verified = BodyKey("k").verify(request(body, content_encoding="gzip"), ("s3cret",), NOW)
    assert verified.body == b'{"a":1}'
    assert verified.json() == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"x",
        b'{"k":null}',
        b'{"k":""}',
        b'{"k":["s3cret"]}',
        b'{"k":1}',
        b'{"a":{"k":"s3cret"}}',
        b'{"k":"s3cret","k":"x"}',
        b'{"K":"s3cret"}',
        b'{"k":"s3cret"',
        b"[" * 100_000,
    ],
)
def test_a_body_without_the_key_is_refused_and_none_of_a_secret_is_kept(body: bytes) -> None:
    with pytest.raises(Unverified):
        BodyKey("k").verify(request(body), ("s3cret",), NOW)
    stored = kept(BodyKey("k").redact(request(body)), ())
    if b'"k":"s3cret"' in body and b'"a"' not in body:
        assert b"s3cret" not in stored.body
    pack(stored)


@pytest.mark.parametrize("signature", ALL)
def test_a_refusal_tells_neither_secret_nor_payload(signature: Signature) -> None:
    signed = signature.sign(request(b'{"who":"Zoe Quillfeather"}'), STRANGER)
    with pytest.raises(Unverified) as refused:
        signature.verify(signed, (KEY,), NOW)
    for secret in (
        KEY,
        STRANGER,
        "Quillfeather",
        *[v for vs in signed.headers.values() for v in vs],
    ):
        assert secret not in str(refused.value)


@pytest.mark.parametrize("signature", ALL)
def test_any_characters_can_be_compared(signature: Signature) -> None:
    for odd in ("é", "\ud800", "\x00", "𝟙"):
        sent = replace(
            request(f'{{"k":{json.dumps(odd)}}}'.encode()),
            path_token=odd,
            headers={"x-sig": (odd,), "x-token": (odd,), "webhook-signature": (f"v1,{odd}",)},
        )
        with pytest.raises(Unverified):
            signature.verify(sent, (KEY,), NOW)
