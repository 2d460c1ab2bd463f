import secrets

import pytest
import requests

from tests.cloud.local_hub import LocalHub, eventually

pytestmark = pytest.mark.cloud

DEAD = ("hub-local-inbox-dead", "hub-local-routing-dead.fifo", "hub-local-outbox-dead")


def test_a_signed_submission_becomes_a_mail_to_its_owner(local_hub: LocalHub) -> None:
    answer = local_hub.send("typeform", "demo_request")
    assert answer.status_code == 200
    mail = eventually(local_hub.mails)[0]
    assert mail.to in ("ada@example.com", "ben@example.com")
    assert mail.text and mail.html
    eventually(lambda: not any(local_hub.waiting().values()))


def test_the_door_keeps_every_byte(local_hub: LocalHub) -> None:
    body = secrets.token_bytes(3000) + b"\xff\xfe\x00\r\n"
    answer = requests.post(
        f"{local_hub.deployed.url}/hooks/typeform",
        data=body,
        headers={"Content-Type": "application/octet-stream", "Typeform-Signature": "sha256=x"},
        timeout=30,
    )
    assert answer.status_code == 401


def test_an_unknown_source_is_refused(local_hub: LocalHub) -> None:
    answer = requests.post(f"{local_hub.deployed.url}/hooks/nobody", data=b"{}", timeout=30)
    assert answer.status_code == 404


def test_a_role_may_not_do_what_its_function_does_not(local_hub: LocalHub) -> None:
    """Shows that the local cloud judges roles, or no end-to-end test would miss a permission."""
    iam = local_hub.client("iam")
    [role] = [
        role["Arn"]
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if "ReceiveRole" in role["RoleName"]
    ]
    verdicts = iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["dynamodb:PutItem", "dynamodb:Query"],
        ResourceArns=[
            f"arn:aws:dynamodb:us-east-1:000000000000:table/{local_hub.hub.settings.table}"
        ],
    )["EvaluationResults"]
    assert [verdict["EvalDecision"] for verdict in verdicts] == ["allowed", "implicitDeny"]
