"""What only Snapchat does: an opaque timestamp, a test lead without a mark, webhooks by form."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.errors import Misconfigured, Unverified
from connectors.snapchat import connector

CASE = load_case("snapchat", "newsletter")
OUR_ADDRESS = "https://hub.example.com/hooks/s"


@pytest.mark.parametrize("stamp", ["1798761600", "1798761600000", "2027-01-01T00:00:00Z", "x"])
def test_the_timestamp_is_signed_and_its_unit_does_not_matter(stamp: str) -> None:
    request = CASE.request()
    request = replace(request, headers={**request.headers, "t": (stamp,)})
    signed = connector.signature.sign(request, "secret")
    assert connector.signature.verify(signed, ("secret",), CASE.received_at)
    with pytest.raises(Unverified):
        moved = replace(signed, headers={**signed.headers, "t": (stamp + "0",)})
        connector.signature.verify(moved, ("secret",), CASE.received_at)


def test_the_body_alone_is_not_what_is_signed() -> None:
    request = CASE.request()
    without = {name: value for name, value in request.headers.items() if name != "t"}
    with pytest.raises(Unverified):
        connector.signature.verify(
            replace(connector.signature.sign(request, "secret"), headers=without),
            ("secret",),
            CASE.received_at,
        )


@pytest.mark.parametrize(
    ("form", "mail", "is_test"),
    [
        ("Snap Lead Generation Form", "snapper@snapchat.com", True),
        ("Snap Lead Generation Form", "ines@example.com", False),
        ("Newsletter", "snapper@snapchat.com", False),
    ],
)
def test_the_test_call_is_known_by_what_it_always_sends(
    form: str, mail: str, is_test: bool
) -> None:
    body = {**CASE.body, "form_name": form, "email": mail}
    (found,) = read(connector, CASE.request(body=body), {})
    assert isinstance(found, Submission)
    assert found.is_test is is_test


def test_a_form_without_our_webhook_is_told_however_the_answer_is_spelled() -> None:
    told: dict[str, Any] = {
        "f1": {"webhook_integrations": [{"webhook_integration": {"webhook_url": OUR_ADDRESS}}]},
        "f2": {"webhookIntegrations": [{"webhookUrl": OUR_ADDRESS}]},
        "f3": {"webhook_integrations": []},
    }

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert params == {"partner_type": "PUBLIC_WEBHOOK"}
        return told[path.split("/")[2]]

    assert connector.subscription

    def ask(*forms: str) -> Any:
        assert connector.subscription
        options = connector.options_with({"form_ids": forms})
        return connector.subscription(get, options, OUR_ADDRESS)

    assert ask("f1", "f2").is_active
    found = ask("f1", "f3")
    assert not found.is_active
    assert "f3" in found.detail
    assert "f1" not in found.detail
    with pytest.raises(Misconfigured):
        ask()


def test_there_is_no_list_to_back_fill_from() -> None:
    assert connector.backfill is None
