import json
from pathlib import Path

import boto3
import pytest

from chalicelib.cli.background import free_port
from chalicelib.cli.cloud import start_cloud, stop_cloud
from chalicelib.cli.deploy import LOCAL, DeployFailed, deploy, find_deployed
from chalicelib.cli.up import HOME

pytestmark = pytest.mark.cloud

NOWHERE = {
    "endpoint_url": f"http://127.0.0.1:{free_port()}",
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
BROKEN = {
    "Parameters": {"Stage": {"Type": "String"}, "LocalCloud": {"Type": "String"}},
    "Resources": {
        "Broken": {
            "Type": "AWS::CloudFormation::CustomResource",
            "Properties": {"ServiceToken": "nothing"},
        }
    },
}


def quiet(line: str) -> None:
    """Report to nobody."""


def test_a_stack_whose_first_deployment_failed_is_made_anew(
    tmp_path: Path,
) -> None:
    try:
        cloud = start_cloud(tmp_path, quiet, port=0)
        stacks = boto3.client("cloudformation", **cloud.endpoint)
        stacks.create_stack(
            StackName="hub-local",
            TemplateBody=json.dumps(BROKEN),
            Parameters=[
                {"ParameterKey": "Stage", "ParameterValue": LOCAL},
                {"ParameterKey": "LocalCloud", "ParameterValue": cloud.url},
            ],
        )
        with pytest.raises(DeployFailed, match="not deployed: hub deploy --stage local"):
            find_deployed(LOCAL, cloud.endpoint)
        deployed = deploy(LOCAL, quiet, home=HOME, endpoint=cloud.endpoint)
        assert deployed == find_deployed(LOCAL, cloud.endpoint)
    finally:
        stop_cloud(tmp_path)


@pytest.mark.parametrize(("stage", "endpoint"), [("prod", NOWHERE), (LOCAL, None)])
def test_the_local_stage_and_no_other_is_for_the_local_cloud(
    stage: str, endpoint: dict[str, str] | None
) -> None:
    with pytest.raises(DeployFailed, match="is for the local cloud"):
        deploy(stage, quiet, home=HOME, endpoint=endpoint)


def test_loopback_is_never_opened_on_aws() -> None:
    with pytest.raises(DeployFailed, match="PrivateHosts"):
        deploy("prod", quiet, home=HOME, parameters={"PrivateHosts": "127.0.0.1:1"})


def test_a_cloud_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(DeployFailed, match="cannot be read"):
        find_deployed(LOCAL, NOWHERE)
