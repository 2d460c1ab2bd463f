import secrets
from collections import Counter
from typing import Any

import pytest
import requests
from rich.console import Console

from chalicelib import registry
from chalicelib.cli import mailbox
from chalicelib.cli.cases import load_case
from chalicelib.cli.deploy import LOCAL, deploy, find_deployed, make_ready
from chalicelib.cli.play import play
from chalicelib.cli.stage import Stage
from chalicelib.cli.tools import Tools
from chalicelib.cli.up import HOME
from chalicelib.flow.tokens import list_tokens
from chalicelib.hub import now_utc
from chalicelib.registry import load as load_connector
from chalicelib.request import Request
from tests.cloud.local_hub import LocalHub, eventually

pytestmark = pytest.mark.cloud


SUBMISSIONS = {
    "typeform": "demo_request",
    "html_form": "contact_form",
    "generic_json": "zapier",
    "google_ads": "search_ad",
    "meta": "demo_request",
    "linkedin": "demo_request",
}


@pytest.mark.parametrize(("connector", "case"), SUBMISSIONS.items())
def test_a_submission_becomes_a_lead_with_an_owner_who_gets_a_mail(
    local_hub: LocalHub, connector: str, case: str
) -> None:
    before = {mail.id for mail in local_hub.mails()}
    answer = local_hub.send(connector, case)
    assert answer.status_code == 200, answer.text

    def new_mail() -> list[mailbox.Mail]:
        return [mail for mail in local_hub.mails() if mail.id not in before]

    mail = eventually(new_mail)[0]
    assert mail.to in ("ada@example.com", "ben@example.com")
    assert mail.text
    assert mail.html
    eventually(local_hub.is_quiet)
    assert not local_hub.dead()


def test_every_submission_was_processed_once(local_hub: LocalHub) -> None:
    for connector, case in SUBMISSIONS.items():
        assert local_hub.send(connector, case).status_code == 200
    eventually(local_hub.is_quiet)
    kinds = Counter(item["kind"]["S"] for item in local_hub.items())
    once = len(SUBMISSIONS)
    assert (kinds["claim"], kinds["touch"], kinds["effect"]) == (once, once, once)
    assert len(local_hub.mails()) == once
    assert kinds["delivery"] == 2 * once


@pytest.mark.parametrize("connector", ["meta", "linkedin"])
def test_a_provider_shakes_hands(local_hub: LocalHub, connector: str) -> None:
    case = load_case(connector, "handshake")
    assert case.handshake is not None
    answer = local_hub.post(case.request())
    assert answer.status_code == case.handshake["status"]
    expected = case.handshake["body"]
    assert (answer.text if isinstance(expected, str) else answer.json()) == expected


def test_every_byte_of_a_body_reaches_the_signature_check(local_hub: LocalHub) -> None:
    [secret] = local_hub.hub.secrets.get("typeform")
    request = Request(
        method="POST",
        path="/hooks/typeform",
        query={},
        headers={"content-type": ("application/octet-stream",)},
        body=b"\xff\xfe\x00\r\n" + secrets.token_bytes(3000),
        received_at=now_utc(),
        source_id="typeform",
    )
    signed = load_connector("typeform").signature.sign(request, secret)
    assert local_hub.post(signed).status_code == 200


def test_a_forged_submission_is_refused(local_hub: LocalHub) -> None:
    answer = requests.post(
        f"{local_hub.deployed.url}/hooks/typeform",
        data=b"{}",
        headers={"Typeform-Signature": "sha256=AAAA"},
        timeout=30,
    )
    assert answer.status_code == 401


def test_an_unknown_source_is_refused(local_hub: LocalHub) -> None:
    answer = requests.post(f"{local_hub.deployed.url}/hooks/nobody", data=b"{}", timeout=30)
    assert answer.status_code == 404


def test_the_local_cloud_judges_what_a_role_may_do(local_hub: LocalHub) -> None:
    iam = local_hub.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role["Arn"] for page in pages for role in page["Roles"]]
    [door] = [arn for arn in roles if "ReceiveRole" in arn]
    table = f"arn:aws:dynamodb:us-east-1:000000000000:table/{local_hub.hub.settings.table}"
    verdicts = iam.simulate_principal_policy(
        PolicySourceArn=door,
        ActionNames=["dynamodb:PutItem", "dynamodb:Query"],
        ResourceArns=[table],
    )["EvaluationResults"]
    assert [verdict["EvalDecision"] for verdict in verdicts] == ["allowed", "implicitDeny"]


def test_only_the_first_deployment_gives_an_admin_token(local_hub: LocalHub) -> None:
    assert make_ready(local_hub.deployed) == ""
    assert [caller.role for caller in list_tokens(local_hub.hub)] == ["admin"]


def test_deploying_the_same_again_changes_nothing(local_hub: LocalHub) -> None:
    lines: list[str] = []
    again = deploy(LOCAL, lines.append, home=HOME, endpoint=local_hub.deployed.endpoint)
    assert lines[-1] == "The stack is as it should be"
    assert again == local_hub.deployed == find_deployed(LOCAL, local_hub.deployed.endpoint)


def test_a_provider_may_look_whether_the_address_is_there(local_hub: LocalHub) -> None:
    [secret] = local_hub.hub.secrets.get("mailchimp")
    asked = {
        f"{local_hub.deployed.url}/hooks/typeform": [("HEAD", 200), ("GET", 405)],
        f"{local_hub.deployed.url}/hooks/mailchimp/{secret}": [("HEAD", 200), ("GET", 200)],
        f"{local_hub.deployed.url}/hooks/mailchimp/{secret[:-1]}": [("HEAD", 403), ("GET", 403)],
    }
    for url, answers in asked.items():
        for method, status in answers:
            assert requests.request(method, url, timeout=30).status_code == status, (method, url)


def test_the_sample_of_every_source_becomes_a_lead_with_an_owner(local_hub: LocalHub) -> None:
    def refuse(name: str, values: list[dict[str, Any]]) -> None:
        raise AssertionError(name)

    stage = Stage(LOCAL, local_hub.hub, refuse, local_hub.client)
    played = play(stage, Tools(err=Console(quiet=True)))
    assert len({one.source.connector for one in played}) == len(registry.names())
    ill = {one.source_id: one for one in played if not one.is_well}
    assert not ill
    assert [one.source.connector for one in played if one.sent is None] == ["file_import"]
    assert not local_hub.dead()
