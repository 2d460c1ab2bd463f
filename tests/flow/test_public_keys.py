"""Sources that are proved with a public key: it is read once, and only from the provider."""

import json
from dataclasses import replace
from typing import Any

from chalicelib.cli.cases import load_case
from chalicelib.config.source import Source
from chalicelib.errors import Gone, TryLater
from chalicelib.flow.comparison import sync_key
from chalicelib.flow.public_keys import KEPT_SECONDS
from chalicelib.flow.receive import receive
from chalicelib.lead.model import utc_text
from chalicelib.public_key import GOOGLE_KEYS_URL, GoogleToken, Sns
from chalicelib.request import Reply, Request
from tests.flow.scenes import a_world, outcomes, reconfigure, value
from tests.world import SECRETS, World, configured

TOPIC = SECRETS["forms"][0]
"""What the source's secret holds; in life the ARN of a topic."""

PEM = "/SimpleNotificationService-0.pem"


def a_mail_world() -> World:
    config = configured()
    sources = {
        **config.sources,
        "mail": Source(connector="ses_email", secret="forms"),
        "survey": Source(
            connector="google_forms",
            secret="forms",
            token="meta_token",
            options={"scheme": "push", "forms": ["f1"]},
        ),
    }
    world = a_world()
    reconfigure(world, config.model_copy(update={"sources": sources}))
    for path, mail in load_case("ses_email", "enquiry").fetched.items():
        world.blobs.put(path, mail.encode("latin-1"))
    return world


def told(world: World, case: str = "enquiry", **changed_parts: Any) -> Request:
    """Make what SNS sends of a mail, and let the world's web have the certificate."""
    body = {**load_case("ses_email", case).body, **changed_parts}
    request = Request(
        "POST",
        "/hooks/mail",
        {},
        {"content-type": ("text/plain; charset=UTF-8",)},
        json.dumps(body).encode(),
        world.clock(),
        source_id="mail",
    )
    signed = Sns().sign(request, TOPIC)
    world.web.pages.setdefault(PEM, signed.public_key)
    # What is on the wire has no key in it; the door must find it.
    return replace(signed, public_key="")


def send(world: World, request: Request) -> Reply:
    return receive(world.hub, request.source_id, request)


def test_a_mail_becomes_a_lead_by_way_of_the_bucket() -> None:
    world = a_mail_world()
    assert send(world, told(world)).status == 200
    world.settle()
    assert value(world.lead(), "email") == "zoe.quillfeather@example.com"
    assert value(world.lead(), "message").startswith("Hello,")


def test_a_mail_that_is_not_in_the_bucket_is_quarantined() -> None:
    world = a_mail_world()
    world.blobs.kept.clear()
    send(world, told(world))
    world.settle()
    assert outcomes(world) == ["quarantined"]


def test_the_certificate_is_read_once_and_again_when_it_is_old() -> None:
    world = a_mail_world()
    for _ in range(3):
        assert send(world, told(world)).status == 200
    assert len(world.web.asked) == 1
    world.clock.advance(seconds=KEPT_SECONDS + 1)
    assert send(world, told(world)).status == 200
    assert len(world.web.asked) == 2


def test_a_message_of_another_topic_or_another_key_is_refused() -> None:
    world = a_mail_world()
    good = told(world)
    other = replace(good, body=good.body.replace(TOPIC.encode(), b"arn:aws:sns:eu-west-1:1:x"))
    assert send(world, other).status == 401
    assert world.web.asked == [], "a stranger had an address asked for"
    elsewhere = good.body.replace(b"sns.eu-west-1.amazonaws.com", b"sns.example.com")
    assert send(world, replace(good, body=elsewhere)).status == 401
    assert all("example.com" not in address for address in world.web.asked)


def test_a_certificate_that_cannot_be_read_now_makes_the_provider_come_again() -> None:
    world = a_mail_world()
    request = told(world)
    world.web.pages[PEM] = TryLater("sns: no connection")
    assert send(world, request).status == 503
    world.web.pages[PEM] = Gone("sns: no such page")
    assert send(world, request).status == 401


def test_a_subscription_is_confirmed_by_visiting_its_address_and_nothing_else() -> None:
    world = a_mail_world()
    request = told(world, "subscription_to_confirm")
    world.web.pages["amazonaws.com/"] = "<ConfirmSubscriptionResponse/>"
    assert send(world, request).status == 200
    assert world.web.asked[-1] == "https://sns.eu-west-1.amazonaws.com/"
    world.settle()
    assert world.leads() == []
    away = told(
        world,
        "subscription_to_confirm",
        SubscribeURL="https://example.org/?Action=ConfirmSubscription&Token=1",
    )
    asked = len(world.web.asked)
    assert send(world, away).status == 401
    assert len(world.web.asked) == asked


def test_a_notice_of_google_has_its_list_read() -> None:
    world = a_mail_world()
    notice = load_case("google_forms", "notice_of_something_new")
    unsigned = replace(notice.request(world.clock()), source_id="survey")
    signed = GoogleToken().sign(unsigned, TOPIC)
    world.web.pages[GOOGLE_KEYS_URL.rpartition("/")[2]] = json.loads(signed.public_key)
    assert send(world, replace(signed, public_key="")).status == 200
    world.settle()
    assert outcomes(world) == ["ignored"]
    sync = world.table.get(sync_key("survey"))
    assert sync and sync["due_at"] == utc_text(world.clock())
