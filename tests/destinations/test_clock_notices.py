"""What the clock tells: to the owner, to the manager in their own language, in a channel."""

import json

import pytest

from chalicelib.config.model import Destination
from chalicelib.destinations import email, slack, webhook
from chalicelib.destinations.words import LANGUAGES
from tests.destinations.notices import ACCEPT_URL, a_notice

MAIL = Destination(kind="email")
FROM = "hub@example.com"
WHY = "Anna was to accept it by 2026-03-02 14:00 Europe/Berlin (Hot leads)"


@pytest.mark.parametrize("kind", ["reminder", "overdue"])
def test_the_owner_is_told_why_and_can_still_accept(kind: str) -> None:
    notice = a_notice(kind=kind, because=WHY)
    mail = email.write(notice, MAIL, FROM)
    assert mail.to == notice.owner_email
    assert WHY in mail.text
    assert ACCEPT_URL in mail.text
    assert ACCEPT_URL in json.dumps(slack.write(notice))


def test_the_manager_is_told_in_their_own_language_and_asked_nothing() -> None:
    reader = {"reader_name": "Max Muster", "reader_email": "max@example.com", "language": "de"}
    notice = a_notice(kind="overdue", because=WHY, accept_url="", decline_url="", **reader)
    mail = email.write(notice, MAIL, FROM)
    assert mail.to == "max@example.com"
    assert mail.subject.startswith("Überfällig: ")
    assert "Guten Tag Max Muster," in mail.text
    assert WHY in mail.text
    assert "Annehmen" not in mail.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lead_that_was_taken_back_is_told_of_though_nobody_owns_it(language: str) -> None:
    nobody = {"owner_id": "", "owner_name": "", "owner_email": "", "assignment_id": ""}
    links = {"accept_url": "", "decline_url": ""}
    reader = {"reader_name": "Max", "reader_email": "max@example.com", "language": language}
    notice = a_notice(kind="taken_back", because=WHY, **nobody, **links, **reader)
    mail = email.write(notice, MAIL, FROM)
    assert mail.to == "max@example.com"
    assert WHY in mail.text
    assert slack.write(notice)["text"]
    body = json.loads(webhook.write(notice, Destination(kind="webhook")))
    assert (body["type"], body["data"]["assigned_to"]) == ("lead.taken_back", None)
    assert body["data"]["because"] == WHY
