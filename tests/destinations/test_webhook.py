"""Notification by signed webhook: what is sent, that others can verify it, what answers mean."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.config.model import Destination
from chalicelib.destination import Tools
from chalicelib.destinations.webhook import LARGEST_BODY, destination, write
from chalicelib.errors import HubError, Misconfigured, Refused, TryLater, Uncertain
from chalicelib.web import Web
from tests.destinations.notices import (
    NOW,
    OLD_SECRET,
    SECRET,
    Answer,
    World,
    a_notice,
    an_unowned_notice,
)

THIN = Destination(kind="webhook", url="https://crm.example.org/hooks/leads")
FULL = Destination(kind="webhook", url="https://crm.example.org/hooks/leads", full=True)
GUIDE = Path(__file__).parents[2] / "docs" / "destinations.md"

# A message signed by the PyPI libraries standardwebhooks 1.1.0 and svix 2.9.1.
VECTOR_ID = "msg_2vectorStandardWebhooks0012"
VECTOR_TIME = 1798761600
VECTOR_BODY = (
    b'{"type":"lead.assigned","timestamp":"2027-01-01T00:00:00.000000Z","data":{"lead_id":'
    b'"01JVECTOR","assignee":"ana@hub.example","email":"maren.okafor@northwind.example"}}'
)
VECTOR_SIGNATURE = "v1,ma6Z0PtvLrf2hBq/3iXakTQXDzeJwyLfjklueXT7rJ8="


def _send(world: World, to: Destination = THIN, **changes: object) -> tuple[bytes, dict[str, str]]:
    destination.send(a_notice(**changes), to, world.tools)
    _, body, headers = world.posts[-1]
    return body, headers


def _verify(secret: str, body: bytes, headers: dict[str, str]) -> object:
    """Verify as of now, for the library reads the clock and we send as of `NOW`."""
    webhook = Webhook(secret)
    signed = webhook.sign(headers["webhook-id"], NOW, body.decode())
    if signed not in headers["webhook-signature"].split(" "):
        raise WebhookVerificationError
    return json.loads(body)


def test_the_signature_is_that_of_a_known_message() -> None:
    from chalicelib.destinations.webhook import _key, _signature

    assert _signature(_key(SECRET), VECTOR_ID, str(VECTOR_TIME), VECTOR_BODY) == VECTOR_SIGNATURE
    theirs = Webhook(SECRET).sign(
        VECTOR_ID, datetime.fromtimestamp(VECTOR_TIME, UTC), VECTOR_BODY.decode()
    )
    assert theirs == VECTOR_SIGNATURE


def test_the_standard_library_of_receivers_takes_what_we_send() -> None:
    world = World()
    now = datetime.now(UTC)
    tools = Tools(world.tools.post, world.tools.send_mail, (SECRET,), now)
    assert destination.send(a_notice(), FULL, tools) == "200"
    ((url, body, headers),) = world.posts
    assert url == "https://crm.example.org/hooks/leads"
    assert Webhook(SECRET).verify(body, headers)["type"] == "lead.assigned"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_SECRET).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)


def test_while_a_secret_is_replaced_both_verify() -> None:
    body, headers = _send(World(secrets=(SECRET, OLD_SECRET)))
    assert headers["webhook-signature"].count("v1,") == 2
    assert _verify(SECRET, body, headers) == _verify(OLD_SECRET, body, headers)


def test_a_repeat_has_the_same_id_and_body_and_a_time_of_its_own() -> None:
    first, later = World(), World()
    destination.send(a_notice(), THIN, first.tools)
    tools = later.tools
    minute_later = datetime.fromtimestamp(NOW.timestamp() + 60, UTC)
    destination.send(a_notice(), THIN, Tools(tools.post, tools.send_mail, (SECRET,), minute_later))
    (_, body, headers), (_, again, headers_again) = first.posts[0], later.posts[0]
    assert body == again
    assert headers["webhook-id"] == headers_again["webhook-id"] == "effect-1"
    assert int(headers_again["webhook-timestamp"]) - int(headers["webhook-timestamp"]) == 60
    assert headers["webhook-signature"] != headers_again["webhook-signature"]


def test_by_default_nothing_of_the_person_is_sent() -> None:
    body, _ = _send(World())
    assert json.loads(body) == {
        "type": "lead.assigned",
        "timestamp": "2026-03-02T13:04:58.000Z",
        "data": {
            "lead_id": "lead-1",
            "version": 3,
            "source": {"id": "website", "title": "Website", "form": "Request a demo"},
            "first_seen_at": "2026-03-02T13:04:00.000Z",
            "score": {"total": 72, "fit": 50, "engagement": 22},
            "assignment_id": "assignment-1",
            "assigned_to": {"id": "ana", "email": "ana@example.org"},
            "rule": "Large companies",
            "lead_url": "https://hub.example.com/leads/lead-1",
        },
    }


def test_a_full_destination_gets_the_person_word_for_word() -> None:
    notice = a_notice()
    data = json.loads(_send(World(), FULL)[0])["data"]
    assert data["person"] == dict(notice.profile)
    assert data["message"] == notice.message
    assert data["answers"] == {"When do you need it?": "in May"}
    assert data["campaign"] == {"utm_source": "newsletter"}
    assert data["consents"][0] == {
        "purpose": "marketing",
        "given": True,
        "wording": "Send me news.",
        "at": None,
    }
    assert data["cut"] == []


def test_nobody_can_accept_with_what_a_webhook_carries() -> None:
    for to in (THIN, FULL):
        assert b"/links/" not in write(a_notice(), to)


def test_a_lead_without_owner_says_so() -> None:
    event = json.loads(write(an_unowned_notice(), THIN))
    assert event["type"] == "lead.unowned"
    assert event["data"]["assigned_to"] is None
    assert event["data"]["assignment_id"] is None


def test_a_long_message_is_cut_and_said_to_be() -> None:
    body = write(a_notice(message="ü" * 12_000), FULL)
    data = json.loads(body)["data"]
    assert len(body) <= LARGEST_BODY
    assert data["message"] == "ü" * 5_000
    assert data["cut"] == ["message"]
    assert data["person"]["email"] == "maren.okafor@example.com"


def test_what_cannot_be_made_to_fit_is_left_out_and_said_to_be() -> None:
    profile = {f"{'k' * 200} {number}"[-200:]: "\x00" * 900 for number in range(100)}
    body = write(a_notice(profile=profile, answers=profile), FULL)
    data = json.loads(body)["data"]
    assert len(body) <= LARGEST_BODY
    assert data["cut"] == ["all"]
    assert "person" not in data


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "EoSUD9H5x2Ye5lRXuWajtVFoyH4V2Z9Viojgn7dr3Qs=",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + "A" * 31,
        "whsec_" + "A" * 88,
        "whsec_not base64 at all, but long enough",
        "whsk_EoSUD9H5x2Ye5lRXuWajtVFoyH4V2Z9Viojgn7dr3Qs=",
        "WHSEC_EoSUD9H5x2Ye5lRXuWajtVFoyH4V2Z9Viojgn7dr3Qs=",
    ],
)
def test_a_secret_that_is_not_24_to_64_bytes_signs_nothing(secret: str) -> None:
    for secrets in ((secret,), (SECRET, secret)):
        world = World(secrets=secrets)
        with pytest.raises(Misconfigured) as found:
            destination.send(a_notice(), THIN, world.tools)
        assert not world.posts
        assert len(secret) < 10 or secret not in str(found.value)


@pytest.mark.parametrize("secret", ["whsec_" + "A" * 32, "whsec_" + "A" * 86, SECRET.rstrip("=")])
def test_secrets_of_24_and_64_bytes_and_unpadded_ones_sign(secret: str) -> None:
    body, headers = _send(World(secrets=(secret,)))
    assert _verify(secret, body, headers)


def test_without_a_secret_or_an_address_nothing_is_sent() -> None:
    with pytest.raises(Misconfigured, match="secret"):
        destination.send(a_notice(), THIN, World(secrets=()).tools)
    with pytest.raises(Misconfigured, match="url"):
        destination.send(a_notice(), Destination(kind="webhook"), World().tools)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    world = World(answer=Answer(status))
    assert destination.send(a_notice(), THIN, world.tools) == str(status)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (100, TryLater),
        (300, Refused),
        (301, Refused),
        (302, Refused),
        (307, Refused),
        (308, Refused),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (405, Refused),
        (408, TryLater),
        (409, TryLater),
        (410, Refused),
        (413, Refused),
        (422, Refused),
        (423, TryLater),
        (425, TryLater),
        (429, TryLater),
        (500, TryLater),
        (501, TryLater),
        (502, TryLater),
        (503, TryLater),
        (504, TryLater),
        (599, TryLater),
        (999, TryLater),
    ],
)
def test_each_status_means_what_happens_next(status: int, error: type[HubError]) -> None:
    world = World(answer=Answer(status, "Maren Okafor", 17))
    with pytest.raises(error, match=str(status)) as found:
        destination.send(a_notice(), THIN, world.tools)
    assert "Maren" not in str(found.value)
    if isinstance(found.value, TryLater):
        assert found.value.retry_after_seconds == 17


@pytest.mark.parametrize("error", [TryLater("busy"), Uncertain("perhaps"), Refused("no")])
def test_what_posting_raises_is_passed_on_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as found:
        destination.send(a_notice(), THIN, World(error=error).tools)
    assert found.value is error


class _Receiver(BaseHTTPRequestHandler):
    """Answers 200 to what the guide's code verifies, 401 to all else."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        scope: dict[str, object] = {}
        exec(_guide_code(), scope)
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_ours = scope["is_ours"](body, headers, SECRET)  # type: ignore[operator]
        self.send_response(200 if is_ours else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _guide_code() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return str(code)


@pytest.fixture
def receiver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_receiver_written_by_our_guide_takes_ours_and_refuses_others(receiver: str) -> None:
    web = Web(private_hosts=(receiver,))
    to = Destination(kind="webhook", url=f"http://{receiver}/leads", full=True)
    now = datetime.now(UTC)

    def tools(secrets: tuple[str, ...], at: datetime) -> Tools:
        return Tools(web.post, World().tools.send_mail, secrets, at)

    assert destination.send(a_notice(), to, tools((SECRET,), now)) == "200"
    assert destination.send(a_notice(), to, tools((OLD_SECRET, SECRET), now)) == "200"
    with pytest.raises(Refused, match="401"):
        destination.send(a_notice(), to, tools((OLD_SECRET,), now))
    with pytest.raises(Refused, match="401"):
        destination.send(a_notice(), to, tools((SECRET,), NOW))


def test_the_guides_code_is_ten_lines() -> None:
    assert len([line for line in _guide_code().splitlines() if line.strip()]) <= 10
