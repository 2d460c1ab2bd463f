"""The contract: what a notice may hold, and that one kind loads alone."""

import subprocess
import sys
from typing import get_args

import pytest
from pydantic import ValidationError

from chalicelib.config.model import Destination
from chalicelib.destination import KINDS, load
from chalicelib.errors import Misconfigured
from tests.destinations.notices import a_notice


def test_every_kind_that_can_be_configured_can_be_loaded() -> None:
    assert set(KINDS) == set(get_args(Destination.model_fields["kind"].annotation))
    assert [load(kind).kind for kind in KINDS] == list(KINDS)


def test_only_a_webhook_may_be_sent_again_when_the_outcome_is_unknown() -> None:
    assert {kind: load(kind).is_repeatable for kind in KINDS} == {
        "email": False,
        "slack": False,
        "webhook": True,
    }


@pytest.mark.parametrize("kind", ["", "sms", "words", "excerpt", "../email", "email.send", "os"])
def test_nothing_else_is_loaded(kind: str) -> None:
    with pytest.raises(Misconfigured):
        load(kind)


def test_loading_one_kind_imports_no_other_and_no_template_engine() -> None:
    code = (
        "import sys; from chalicelib.destination import load; load('slack');"
        "print([name for name in ('chalicelib.destinations.email', 'jinja2', 'email_validator',"
        " 'chalicelib.destinations.webhook', 'boto3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "effect_id", ["", "a b", "a.b", "a\r\nBcc: x", "a\n", "ä", "a\x00", "a" * 256]
)
def test_an_effect_id_that_cannot_stand_in_a_header_is_refused(effect_id: str) -> None:
    with pytest.raises(ValidationError):
        a_notice(effect_id=effect_id)


@pytest.mark.parametrize("effect_id", ["E", "EFFECT#lead-1/2:mail", "01J_x-y~z"])
def test_an_effect_id_of_printable_characters_is_taken(effect_id: str) -> None:
    assert a_notice(effect_id=effect_id).effect_id == effect_id


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com",
        "https://",
        "https://example.com/a b",
        'https://example.com/"onclick="',
        "https://example.com/>",
        "https://example.com/<",
        "https://example.com/|Bank",
        "https://example.com/\n",
        " https://example.com/",
    ],
)
@pytest.mark.parametrize("name", ["accept_url", "decline_url", "lead_url"])
def test_a_link_that_could_be_anything_but_an_address_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValidationError):
        a_notice(**{name: url})


def test_links_may_be_absent() -> None:
    assert a_notice(accept_url="", decline_url="", lead_url="").accept_url == ""
