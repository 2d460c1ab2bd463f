"""Deploying: package, upload, change set, wait; the same against AWS and the local cloud."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.secrets import SsmSecrets
from chalicelib.cli.package import ROOT, Report, package
from chalicelib.errors import HubError
from chalicelib.hub import build, now_utc
from chalicelib.settings import Settings

LOCAL = "local"
POLL_SECONDS = {True: 0.2, False: 3.0}
"""How long to wait between looks, on the local cloud and on AWS."""

CHANGE_SECONDS = 1800
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class DeployFailed(HubError):
    """The stack is not as it should be; the message names what failed and why."""


@dataclass(frozen=True)
class Deployed:
    """A stack that stands.

    Attributes:
        settings: as its functions see them.
        endpoint: arguments of boto3.client that reach its cloud; empty for AWS.
    """

    settings: Settings
    endpoint: Mapping[str, str]

    @property
    def url(self) -> str:
        """Address of its API, no slash at the end."""
        return self.settings.public_url


def deploy(
    stage: str,
    report: Report,
    *,
    home: Path,
    endpoint: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    root: Path = ROOT,
) -> Deployed:
    """Bring the stack of a stage up to what is in the project.

    Args:
        stage: its name; `local` only on the local cloud, any other only on AWS.
        report: told what is being done, each resource as it comes.
        home: `.hub` of the project, where packages are kept.
        endpoint: arguments of boto3.client that reach the local cloud; None for AWS as the
            environment names it.
        parameters: of the template, further to those that follow from the stage; what is not
            given stays as it was.
        root: the project.

    Raises:
        PackagingFailed: the package could not be made.
        DeployFailed: AWS refuses, or a resource could not be made.
    """
    local = endpoint is not None
    given = dict(parameters or {})
    if local != (stage == LOCAL):
        raise DeployFailed(f"stage {stage}: `{LOCAL}` is for the local cloud, and nothing else is")
    if given.get("PrivateHosts") and not local:
        raise DeployFailed("PrivateHosts opens loopback to webhooks: on the local cloud only")
    made = package(home, report, local=local, root=root)
    try:
        cloud = _Clients(endpoint or {})
        report("Uploading the package")
        template_url = _upload(cloud, made.template, made.code)
        given["Stage"] = stage
        if endpoint is not None:
            given["LocalCloud"] = endpoint["endpoint_url"]
        _change(cloud, f"hub-{stage}", template_url, given, report)
        return _deployed(cloud, stage)
    except ClientError as error:
        said = error.response["Error"]
        raise DeployFailed(f"AWS, {error.operation_name}: {said.get('Message', said)}") from error
    except BotoCoreError as error:
        raise DeployFailed(f"AWS cannot be reached as configured: {error}") from error


def find_deployed(stage: str, endpoint: Mapping[str, str] | None = None) -> Deployed:
    """Give the stack of a stage as it stands.

    Raises:
        DeployFailed: there is none, or AWS cannot be asked.
    """
    try:
        return _deployed(_Clients(endpoint or {}), stage)
    except (ClientError, BotoCoreError) as error:
        raise DeployFailed(f"stage {stage} cannot be read; is it deployed? {error}") from error


def make_ready(deployed: Deployed) -> str:
    """Make what every stage needs at first: the secret of links, and a token for an admin.

    Returns:
        The token, which is not kept and so cannot be shown again; empty if there is one already.
    """
    from chalicelib.flow.tokens import list_tokens, make_token
    from chalicelib.links import LINKS_SECRET

    store = secrets_of(deployed)
    if not store.get(LINKS_SECRET):
        store.put(LINKS_SECRET, [{"value": secrets.token_hex(32), "not_after": None}])
    hub = build(deployed.settings, deployed.endpoint)
    return "" if list_tokens(hub) else make_token(hub, "first admin", "admin")


def secrets_of(deployed: Deployed) -> SsmSecrets:
    """Give the secrets of a stage, to read and to change."""
    import boto3

    return SsmSecrets(
        lambda: boto3.client("ssm", **deployed.endpoint), deployed.settings.secrets_path, now_utc
    )


class _Clients:
    """Clients of one cloud."""

    def __init__(self, endpoint: Mapping[str, str]) -> None:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            s3={"addressing_style": "path"} if endpoint else {},
        )

        def client(service: str) -> Any:
            return boto3.client(service, config=config, **endpoint)

        self.endpoint = endpoint
        self.stacks = client("cloudformation")
        self.objects = client("s3")
        self.identity = client("sts")

    @property
    def is_local(self) -> bool:
        return bool(self.endpoint)

    @property
    def region(self) -> str:
        return str(self.stacks.meta.region_name)

    def wait(self) -> None:
        time.sleep(POLL_SECONDS[self.is_local])


def _upload(cloud: _Clients, template: Path, code: Path) -> str:
    """Put zip and template into the account's bucket for packages; gives the template's address."""
    account = cloud.identity.get_caller_identity()["Account"]
    bucket = f"hub-packages-{account}-{cloud.region}"
    _make_bucket(cloud, bucket)
    content = code.read_bytes()
    code_key = f"{hashlib.sha256(content).hexdigest()}.zip"
    if not _exists(cloud.objects.head_object, Bucket=bucket, Key=code_key):
        cloud.objects.put_object(Bucket=bucket, Key=code_key, Body=content)
    text = template.read_text(encoding="utf-8")
    text = text.replace('"./deployment.zip"', f'"s3://{bucket}/{code_key}"')
    body = text.encode()
    template_key = f"{hashlib.sha256(body).hexdigest()}.json"
    cloud.objects.put_object(Bucket=bucket, Key=template_key, Body=body)
    if cloud.is_local:
        return f"{cloud.endpoint['endpoint_url']}/{bucket}/{template_key}"
    return f"https://{bucket}.s3.{cloud.region}.amazonaws.com/{template_key}"


def _make_bucket(cloud: _Clients, bucket: str) -> None:
    if _exists(cloud.objects.head_bucket, Bucket=bucket):
        return
    where: dict[str, Any] = {}
    if cloud.region != "us-east-1":
        where["CreateBucketConfiguration"] = {"LocationConstraint": cloud.region}
    cloud.objects.create_bucket(Bucket=bucket, **where)
    cloud.objects.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


def _exists(head: Callable[..., Any], **what: str) -> bool:
    try:
        head(**what)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _change(
    cloud: _Clients, stack: str, template_url: str, given: Mapping[str, str], report: Report
) -> None:
    """Make or update the stack and wait until it stands."""
    before = _describe(cloud, stack)
    status = before["StackStatus"] if before else ""
    if status == "ROLLBACK_COMPLETE":
        # A stack whose first creation failed can only be deleted.
        report("Removing what the failed first deployment left")
        cloud.stacks.delete_stack(StackName=stack)
        while _describe(cloud, stack):
            cloud.wait()
        before, status = None, ""
    elif status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise DeployFailed(f"{stack} is being changed by someone else ({status}): try again later")
    is_new = not before or status == "REVIEW_IN_PROGRESS"
    known = set() if is_new or not before else {p["ParameterKey"] for p in before["Parameters"]}
    name = f"hub-{time.time_ns() // 1_000_000}"
    report("Asking CloudFormation what has to change")
    cloud.stacks.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in given.items()]
        + [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(known - given.keys())],
    )
    changes = _changes(cloud, stack, name)
    if not changes:
        cloud.stacks.delete_change_set(StackName=stack, ChangeSetName=name)
        report("The stack is as it should be")
        return
    seen = {event["EventId"] for event in _events(cloud, stack)}
    cloud.stacks.execute_change_set(StackName=stack, ChangeSetName=name)
    _watch(cloud, stack, seen, changes, report)


def _changes(cloud: _Clients, stack: str, change_set: str) -> int:
    """Wait for a change set; gives how many resources it touches."""
    while True:
        found = cloud.stacks.describe_change_set(StackName=stack, ChangeSetName=change_set)
        if found["Status"] == "CREATE_COMPLETE":
            return max(1, len(found["Changes"]))
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "")
            if any(text in reason for text in NOTHING_TO_DO):
                return 0
            raise DeployFailed(f"{stack}: CloudFormation refuses the template: {reason}")
        cloud.wait()


def _watch(cloud: _Clients, stack: str, seen: set[str], changes: int, report: Report) -> None:
    """Wait until the change is through, saying what happens; explain a failure."""
    failures: list[str] = []
    done = 0
    end = time.monotonic() + CHANGE_SECONDS
    while time.monotonic() < end:
        found = _describe(cloud, stack)
        for event in reversed(_events(cloud, stack)):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            what, status = event["LogicalResourceId"], event["ResourceStatus"]
            if status.endswith("_COMPLETE") and what != stack:
                done += 1
                report(f"Deploying: {what} ({min(done, changes)} of {changes})")
            reason = event.get("ResourceStatusReason", "")
            # What fails after the first is mostly cancelled because of it.
            if status.endswith("_FAILED") and "cancelled" not in reason.lower():
                failures.append(f"{what} ({event['ResourceType']}): {reason}")
        status = found["StackStatus"] if found else "DELETED"
        if not status.endswith("_IN_PROGRESS"):
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return
            why = "\n".join(failures) or "CloudFormation gave no reason"
            raise DeployFailed(f"{stack} ended as {status}:\n{why}")
        cloud.wait()
    raise DeployFailed(f"{stack} is still changing after {CHANGE_SECONDS // 60} minutes")


def _events(cloud: _Clients, stack: str) -> list[dict[str, Any]]:
    return list(cloud.stacks.describe_stack_events(StackName=stack)["StackEvents"])


def _describe(cloud: _Clients, stack: str) -> dict[str, Any] | None:
    try:
        return dict(cloud.stacks.describe_stacks(StackName=stack)["Stacks"][0])
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise


def _deployed(cloud: _Clients, stage: str) -> Deployed:
    found = _describe(cloud, f"hub-{stage}")
    made = found.get("Outputs", []) if found else []
    given = found.get("Parameters", []) if found else []
    set_to = {entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in given}
    out = {entry["OutputKey"]: entry["OutputValue"] for entry in made}
    if "HubUrl" not in out:
        raise DeployFailed(f"stage {stage} is not deployed: hub deploy --stage {stage}")
    settings = Settings(
        stage=stage,
        table=out["Table"],
        bucket=out["Bucket"],
        inbox=out["Inbox"],
        routing=out["Routing"],
        outbox=out["Outbox"],
        secrets_path=f"/hub/{stage}",
        public_url=out["HubUrl"],
        private_hosts=tuple(filter(None, set_to.get("PrivateHosts", "").split(","))),
    )
    return Deployed(settings=settings, endpoint=cloud.endpoint)
