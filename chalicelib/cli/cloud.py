"""The local cloud: ministack in the background on 127.0.0.1, its state kept between runs."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.cli import background
from chalicelib.cli.package import Report

NAME = "cloud"
USUAL_PORT = 4566
REGION = "us-east-1"


@dataclass(frozen=True)
class Cloud:
    """A running local cloud.

    Attributes:
        url: its address, no slash at the end.
    """

    url: str

    @property
    def endpoint(self) -> dict[str, str]:
        """Arguments of boto3.client that reach it; this key stands for the whole account."""
        return {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }


def find_cloud(home: Path) -> Cloud | None:
    """Give the local cloud if it runs."""
    running = background.find(home, NAME)
    return _cloud(running) if running else None


def start_cloud(
    home: Path,
    report: Report,
    *,
    smtp: str = "",
    fresh: bool = False,
    port: int = USUAL_PORT,
    environment: Mapping[str, str] | None = None,
) -> Cloud:
    """Start the local cloud unless it runs already.

    Roles are enforced, so a permission that a function lacks shows here as on AWS.

    Args:
        home: folder for state and log.
        report: told what is being done.
        smtp: host:port that gets the mail SES sends; empty for nowhere.
        fresh: forget the state first; a running cloud is stopped for it.
        port: to listen on the first time, if it is free; 0 for any.
        environment: further settings of ministack.
    """
    home = home.resolve()
    if fresh:
        stop_cloud(home)
        shutil.rmtree(home / "state", ignore_errors=True)
    running = background.find(home, NAME)
    if running is not None:
        report(f"Local cloud runs at {_cloud(running).url}")
        return _cloud(running)
    port = background.free_port(background.last_ports(home, NAME).get("http", port))
    report(f"Starting the local cloud at 127.0.0.1:{port}")
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    running = background.start(
        home,
        NAME,
        [sys.executable, "-m", "ministack"],
        {"http": port},
        {
            **background.plain_environment(),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": str(_temporary(home)),
            **({"SMTP_HOST": smtp} if smtp else {}),
            **(environment or {}),
        },
    )
    return _cloud(running)


def stop_cloud(home: Path) -> bool:
    """Stop the local cloud, which saves its state; says whether it ran."""
    stopped = background.stop(home.resolve(), NAME)
    shutil.rmtree(home / "tmp", ignore_errors=True)
    return stopped


def _cloud(running: background.Running) -> Cloud:
    return Cloud(url=f"http://127.0.0.1:{running.ports['http']}")


def _temporary(home: Path) -> Path:
    folder = home / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
