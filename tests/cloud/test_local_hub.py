import secrets

import pytest
import requests

from chalicelib.cli.deploy import LOCAL, deploy, find_deployed
from chalicelib.cli.up import HOME
from chalicelib.hub import now_utc
from chalicelib.registry import load as load_connector
from chalicelib.request import Request
from tests.cloud.local_hub import LocalHub, eventually

pytestmark = pytest.mark.cloud


def test_a_signed_submission_becomes_a_mail_to_its_owner(local_hub: LocalHub) -> None:
    assert local_hub.send("typeform", "demo_request").status_code == 200
    mail = eventually(local_hub.mails)[0]
    assert mail.to in ("ada@example.com", "ben@example.com")
    assert mail.text
    assert mail.html
    eventually(lambda: not any(local_hub.waiting().values()))


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


def test_deploying_the_same_again_changes_nothing(local_hub: LocalHub) -> None:
    lines: list[str] = []
    again = deploy(LOCAL, lines.append, home=HOME, endpoint=local_hub.deployed.endpoint)
    assert lines[-1] == "The stack is as it should be"
    assert again == local_hub.deployed == find_deployed(LOCAL, local_hub.deployed.endpoint)
