"""CPU that a cold start of receive takes, against a bare Chalice function.

Both run from what is deployed, each time in a fresh interpreter with nothing else on its path,
and talk to a local cloud of their own. Counted is the CPU of that interpreter from its start until
it has answered one event; medians of many runs, taken in turn.

    python -m bench.cold_start [RUNS]
"""

import base64
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from chalicelib.cli.cloud import start_cloud, stop_cloud
from chalicelib.cli.deploy import LOCAL, Deployed, deploy
from chalicelib.cli.package import package
from chalicelib.cli.up import HOME, make_secrets
from chalicelib.config.document import load
from chalicelib.flow.publish import publish
from chalicelib.hub import build, now_utc
from chalicelib.registry import load as load_connector
from chalicelib.request import Request

RUNS = 15
BAR = 1.6
RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
CONFIGURATION = "sources: {website: {connector: typeform, secret: website}}"

BARE = """
import os

import boto3
from chalice import Chalice

app = Chalice(app_name="bare")
table, queue = boto3.client("dynamodb"), boto3.client("sqs")


@app.lambda_function()
def receive(event, context):
    %s
    return {"statusCode": 200, "body": "{}"}
"""
WORK = """
    table.put_item(TableName=os.environ["HUB_TABLE"], Item={"pk": {"S": "BARE"}, "sk": {"S": "x"}})
    queue.send_message(QueueUrl=os.environ["HUB_OUTBOX"] + "-dead", MessageBody="{}")
"""
CHILD = """
import sys, time
sys.path[:0] = {path!r}
import app
answer = app.receive({event!r}, None)
assert answer["statusCode"] == 200, answer
print(time.process_time())
"""


def main(runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            cloud = start_cloud(folder / "hub", lambda line: None, port=0)
            deployed = deploy(LOCAL, lambda line: None, home=HOME, endpoint=cloud.endpoint)
            config = load(CONFIGURATION)
            make_secrets(deployed, config, "127.0.0.1:9")
            publish(build(deployed.settings, deployed.endpoint), config, actor="bench")
            functions = lay_out(folder)
            environment = environment_of(deployed)
            event = signed_event(deployed)
            taken: dict[str, list[float]] = {name: [] for name in functions}
            for _ in range(runs):
                for name, path in functions.items():
                    taken[name].append(run(path, event, environment))
        finally:
            stop_cloud(folder / "hub")
    middle = {name: median(times) for name, times in taken.items()}
    receive = middle.pop("receive")
    print(f"receive, as deployed, one event answered: {1000 * receive:.0f} ms CPU")
    for name, seconds in middle.items():
        print(f"{name}: {1000 * seconds:.0f} ms CPU; ratio {receive / seconds:.2f} (bar {BAR})")
    print(f"medians of {runs} runs, Python {sys.version.split()[0]}")


def lay_out(folder: Path) -> dict[str, list[str]]:
    """Unpack what is deployed, and bare functions with the same Chalice; gives their paths."""
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None, name
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    ours = folder / "receive"
    with zipfile.ZipFile(package(HOME, lambda line: None, local=True).code) as archive:
        archive.extractall(ours)
    functions = {"receive": [str(ours), str(runtime)]}
    for name, work in (
        ("bare function that makes the two clients", "pass"),
        ("bare function that also writes once and sends once", WORK),
    ):
        bare = folder / name.replace(" ", "-")
        bare.mkdir()
        (bare / "app.py").write_text(BARE % work, encoding="utf-8")
        (bare / "chalice").symlink_to(ours / "chalice")
        functions[name] = [str(bare), str(runtime)]
    return functions


def environment_of(deployed: Deployed) -> dict[str, str]:
    """Give what the functions find in their environment."""
    settings = deployed.settings
    return {
        "AWS_ENDPOINT_URL": deployed.endpoint["endpoint_url"],
        "AWS_DEFAULT_REGION": deployed.endpoint["region_name"],
        "AWS_ACCESS_KEY_ID": deployed.endpoint["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": deployed.endpoint["aws_secret_access_key"],
        "PYDANTIC_DISABLE_PLUGINS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HUB_STAGE": settings.stage,
        "HUB_TABLE": settings.table,
        "HUB_BUCKET": settings.bucket,
        "HUB_INBOX": settings.inbox,
        "HUB_ROUTING": settings.routing,
        "HUB_OUTBOX": settings.outbox,
        "HUB_SECRETS_PATH": settings.secrets_path,
    }


def signed_event(deployed: Deployed) -> dict[str, Any]:
    """Make the event of a webhook whose signature holds."""
    [secret] = build(deployed.settings, deployed.endpoint).secrets.get("website")
    request = Request(
        method="POST",
        path="/hooks/website",
        query={},
        headers={"content-type": ("application/json",)},
        body=json.dumps({"event_type": "form_response", "form_response": {}}).encode(),
        received_at=now_utc(),
        source_id="website",
    )
    signed = load_connector("typeform").signature.sign(request, secret)
    return {
        "resource": "/hooks/{source_id}",
        "path": "/hooks/website",
        "httpMethod": "POST",
        "headers": {name: values[-1] for name, values in signed.headers.items()},
        "multiValueHeaders": {name: list(values) for name, values in signed.headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"source_id": "website"},
        "requestContext": {"path": "/api/hooks/website", "identity": {"sourceIp": "192.0.2.1"}},
        "body": base64.b64encode(signed.body).decode(),
        "isBase64Encoded": True,
    }


def run(path: list[str], event: Mapping[str, Any], environment: Mapping[str, str]) -> float:
    """Start an interpreter, have it answer the event; gives its CPU in seconds."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CHILD.format(path=path, event=dict(event))],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
