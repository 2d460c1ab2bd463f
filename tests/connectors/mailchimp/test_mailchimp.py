"""What Mailchimp asks of an address before it saves a webhook."""

from datetime import UTC, datetime

import pytest

from chalicelib.errors import Unverified
from chalicelib.request import Request
from connectors.mailchimp import handshake

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def looked_at(token: str) -> Request:
    return Request("GET", "/hooks/newsletter", {}, {}, b"", NOW, path_token=token)


def test_an_address_that_ends_in_the_secret_answers() -> None:
    assert handshake(looked_at("made-up-secret"), ("made-up-secret",)).status == 200


def test_an_address_that_ends_in_anything_else_is_not_ours() -> None:
    with pytest.raises(Unverified):
        handshake(looked_at("another-secret"), ("made-up-secret",))
