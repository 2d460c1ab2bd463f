import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.cli.package import package
from chalicelib.cli.up import HOME
from chalicelib.flow.access import TOKENS
from chalicelib.flow.backfill import SLICE
from chalicelib.flow.catch_up import BOX, LEASE

FUNCTIONS = {"Receive", "Process", "Route", "Notify", "Tick", "CatchUp", "APIHandler"}
TRIGGERS = {"Process": "Inbox", "Route": "Routing", "Notify": "Outbox"}
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    made = package(HOME, lambda line: None, local=False)
    return dict(json.loads(made.template.read_text("utf-8")))


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return {name: made.get("Properties", {}) for name, made in template["Resources"].items()}


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        name: made["Properties"]
        for name, made in template["Resources"].items()
        if made["Type"] == kind
    }


def test_cfn_lint_finds_nothing() -> None:
    made = package(HOME, lambda line: None, local=False)
    command = [
        sys.executable,
        "-c",
        "import sys; from cfnlint.runner import main; sys.exit(main())",
        str(made.template),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_functions_are_the_seven_of_app(template: dict[str, Any]) -> None:
    assert set(of_type(template, "AWS::Serverless::Function")) == FUNCTIONS


def test_every_function_says_its_time_memory_and_log(template: dict[str, Any]) -> None:
    logs = of_type(template, "AWS::Logs::LogGroup")
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        assert function["Timeout"] <= (300 if name == "CatchUp" else 60), name
        assert function["MemorySize"] >= 512, name
        log = logs[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert 0 < log["RetentionInDays"] <= 90, name


def test_the_api_gives_up_before_the_gateway_does(resources: dict[str, Any]) -> None:
    assert resources["Receive"]["Timeout"] < 29
    assert resources["APIHandler"]["Timeout"] < 29


@pytest.mark.parametrize(("function", "queue"), TRIGGERS.items())
def test_a_worker_may_fail_single_messages(
    resources: dict[str, Any], function: str, queue: str
) -> None:
    [trigger] = resources[function]["Events"].values()
    assert trigger["Type"] == "SQS"
    assert trigger["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert trigger["Properties"]["Queue"] == {"Fn::Sub": f"${{{queue}.Arn}}"}
    assert trigger["Properties"]["BatchSize"] == 10


@pytest.mark.parametrize(("function", "queue"), TRIGGERS.items())
def test_a_message_stays_hidden_six_times_as_long_as_its_worker_may_take(
    resources: dict[str, Any], function: str, queue: str
) -> None:
    assert resources[queue]["VisibilityTimeout"] >= 6 * resources[function]["Timeout"]


def test_standard_queues_hold_their_workers_back_and_no_function_is_reserved(
    resources: dict[str, Any],
) -> None:
    for function, queue in TRIGGERS.items():
        [trigger] = resources[function]["Events"].values()
        if not resources[queue].get("FifoQueue"):
            _, here, on_aws = trigger["Properties"]["ScalingConfig"]["MaximumConcurrency"]["Fn::If"]
            assert 2 <= here < on_aws <= 1000
        # Reserved concurrency below the cap would use up a healthy message's tries.
        assert "ReservedConcurrentExecutions" not in resources[function]


@pytest.mark.parametrize("queue", TRIGGERS.values())
def test_each_queue_has_a_dead_letter_queue_of_its_kind_that_keeps_longer(
    resources: dict[str, Any], queue: str
) -> None:
    redrive = resources[queue]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{queue}Dead", "Arn"]}
    assert redrive["maxReceiveCount"] >= 5
    dead = resources[f"{queue}Dead"]
    assert dead.get("FifoQueue", False) == resources[queue].get("FifoQueue", False)
    assert dead["MessageRetentionPeriod"] == 14 * DAY
    assert resources[queue]["MessageRetentionPeriod"] == 4 * DAY
    assert dead["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    [source] = dead["RedriveAllowPolicy"]["sourceQueueArns"]
    assert source["Fn::Sub"].endswith(f":{resources[queue]['QueueName']['Fn::Sub']}")


def test_routing_is_first_in_first_out_and_its_sender_names_each_message(
    resources: dict[str, Any],
) -> None:
    assert resources["Routing"]["FifoQueue"] is True
    assert resources["Routing"]["ContentBasedDeduplication"] is False
    assert resources["Routing"]["QueueName"]["Fn::Sub"].endswith(".fifo")


def test_every_queue_and_function_has_its_alarms_and_each_tells_somebody(
    template: dict[str, Any],
) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], about(alarm["Dimensions"][0]["Value"]))
        for alarm in alarms
        if "Dimensions" in alarm
    }
    expected = {("5XXError", "hub-${Stage}")}
    for queue in TRIGGERS.values():
        expected.add(("ApproximateAgeOfOldestMessage", queue))
        expected.add(("ApproximateNumberOfMessagesVisible", f"{queue}Dead"))
    for function in FUNCTIONS:
        expected |= {("Errors", function), ("Throttles", function)}
    assert expected <= watched
    for alarm in alarms:
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]
        assert alarm["AlarmDescription"]


def about(value: Any) -> str:
    """Give the logical id that a dimension refers to, or its text."""
    if "Fn::GetAtt" in value:
        return str(value["Fn::GetAtt"][0])
    return str(value.get("Ref") or value["Fn::Sub"])


def test_every_function_has_a_role_of_its_own(resources: dict[str, Any]) -> None:
    roles = [resources[name]["Role"]["Fn::GetAtt"][0] for name in sorted(FUNCTIONS)]
    assert roles == [f"{name}Role" for name in sorted(FUNCTIONS)]


def test_no_role_may_do_anything_to_everything(template: dict[str, Any]) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            for action in actions(statement):
                assert "*" not in action, name
            for resource in listed(statement["Resource"]):
                assert isinstance(resource, dict), f"{name}: {resource} is of no stage"
                if "Fn::If" in resource:
                    condition, locally, on_aws = resource["Fn::If"]
                    assert (condition, statement["Action"]) == ("IsLocal", "ses:SendEmail")
                    assert locally == "*"
                    assert "identity/${MailIdentity}" in on_aws["Fn::Sub"]


def test_what_the_flows_say_that_a_person_must_look_at_raises_an_alarm(
    template: dict[str, Any],
) -> None:
    counted = {
        each["MetricTransformations"][0]["MetricName"]: (
            each["LogGroupName"],
            each["FilterPattern"],
        )
        for each in of_type(template, "AWS::Logs::MetricFilter").values()
    }
    said = {"Quarantined": "quarantined", "Unowned": "unowned", "SetAside": "set_aside"}
    said |= {"LedgerDiffers": "ledger", "BackfillFails": "backfill"}
    said |= {"FormChanged": "form_changed", "Erasure": "erasure"}
    said |= {"SourceSilent": "silent", "HandshakeMissed": "handshake"}
    said |= {"SubscriptionLost": "subscription", "TokenEnds": "token"}
    said |= {"LeadOverdue": "overdue", "OwnerSilent": "owner_silent"}
    said |= {"ClockFailed": "clock_failed"}
    assert {name: pattern for name, (_, pattern) in counted.items()} == {
        name: f'"\\"alarm\\":\\"{kind}\\""' for name, kind in said.items()
    }
    watched = {
        alarm["MetricName"]: alarm["AlarmActions"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
    }
    assert all(watched[name] for name in said)


def test_the_door_may_only_keep_and_send(resources: dict[str, Any]) -> None:
    services = {
        action.partition(":")[0]
        for statement in statements(resources["ReceiveRole"])
        for action in actions(statement)
    }
    assert services == {"dynamodb", "logs", "s3", "sqs", "ssm"}
    everything = [
        action
        for statement in statements(resources["ReceiveRole"])
        for action in actions(statement)
    ]
    for forbidden in ("DeleteItem", "Query", "Scan", "GetObject", "ReceiveMessage"):
        assert not [action for action in everything if action.endswith(f":{forbidden}")]


def test_no_function_may_change_a_secret_but_a_token_that_it_renews(
    template: dict[str, Any],
) -> None:
    renewing = set()
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for statement in statements(role):
            changing = [a for a in actions(statement) if a.startswith(("ssm:Put", "ssm:Delete"))]
            if changing:
                assert changing == ["ssm:PutParameter"]
                assert statement["Resource"]["Fn::Sub"].endswith(f"/hub/${{Stage}}/{TOKENS}*")
                renewing.add(name)
    assert renewing == {"ProcessRole", "CatchUpRole"}


def test_a_run_of_slices_ends_before_its_function_does(resources: dict[str, Any]) -> None:
    ends_at = BOX + SLICE + timedelta(seconds=30)
    assert ends_at.total_seconds() < resources["CatchUp"]["Timeout"] < LEASE.total_seconds()


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    [policy] = role["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def actions(statement: dict[str, Any]) -> list[str]:
    """Give the actions of a statement, those for the local cloud alone too."""
    return [
        action["Fn::If"][1] if isinstance(action, dict) else action
        for action in listed(statement["Action"])
    ]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_api_is_regional_and_takes_every_body_as_bytes(resources: dict[str, Any]) -> None:
    assert resources["RestAPI"]["EndpointConfiguration"] == "REGIONAL"
    definition = resources["RestAPI"]["DefinitionBody"]
    assert definition["x-amazon-apigateway-binary-media-types"] == ["*/*"]


@pytest.mark.parametrize("path", ["/hooks/{source_id}", "/hooks/{source_id}/{token}"])
def test_the_door_goes_straight_to_receive(resources: dict[str, Any], path: str) -> None:
    methods = resources["RestAPI"]["DefinitionBody"]["paths"][path]
    assert set(methods) == {"get", "head", "post", "options"}
    for operation in methods.values():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy"
        assert integration["uri"]["Fn::Sub"].endswith(":function:hub-${Stage}-receive/invocations")


def test_functions_are_named_as_the_api_names_them(resources: dict[str, Any]) -> None:
    assert resources["Receive"]["FunctionName"] == {"Fn::Sub": "hub-${Stage}-receive"}
    assert resources["APIHandler"]["FunctionName"] == {"Fn::Sub": "hub-${Stage}-api"}


def test_what_is_stored_outlives_the_stack_and_can_be_had_back(template: dict[str, Any]) -> None:
    for name in ("Table", "Bucket"):
        assert template["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert template["Resources"][name]["UpdateReplacePolicy"] == "Retain"
    table = template["Resources"]["Table"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_table_has_the_indexes_that_queries_name(resources: dict[str, Any]) -> None:
    indexes = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in resources["Table"]["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "due": ("due_shard", "due_at"),
        "list": ("list_pk", "list_sk"),
        "owner": ("owner_pk", "list_sk"),
    }


def test_the_bucket_is_shut(resources: dict[str, Any]) -> None:
    assert set(resources["Bucket"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert resources["Bucket"]["BucketEncryption"]
    unsafe, mail = resources["BucketPolicy"]["PolicyDocument"]["Statement"]
    assert unsafe["Effect"] == "Deny"
    assert mail["Principal"] == {"Service": "ses.amazonaws.com"}
    assert mail["Action"] == "s3:PutObject"
    assert mail["Resource"] == {"Fn::Sub": "${Bucket.Arn}/mail/*"}
    assert mail["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
