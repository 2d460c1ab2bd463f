import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from chalicelib.cli import background
from chalicelib.cli.cloud import Cloud, find_cloud, start_cloud, stop_cloud

pytestmark = pytest.mark.cloud

SERVER = (
    "import http.server, sys; "
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), "
    "http.server.BaseHTTPRequestHandler).serve_forever()"
)


def start_server(home: Path) -> background.Running:
    port = background.free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    return background.start(home, "server", command, {"http": port}, {})


def queues(cloud: Cloud) -> list[str]:
    answer = boto3.client("sqs", **cloud.endpoint).list_queues()
    return [url.rpartition("/")[2] for url in answer.get("QueueUrls", [])]


def test_a_process_is_found_until_it_is_stopped(tmp_path: Path) -> None:
    running = start_server(tmp_path)
    assert background.find(tmp_path, "server") == running
    assert background.stop(tmp_path, "server")
    assert background.find(tmp_path, "server") is None
    assert not background.listens(running.ports["http"])
    assert not background.stop(tmp_path, "server")


def test_a_killed_process_is_not_found(tmp_path: Path) -> None:
    running = start_server(tmp_path)
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    assert background.find(tmp_path, "server") is None


def test_another_process_with_the_same_number_is_neither_taken_for_ours_nor_ended(
    tmp_path: Path,
) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stale = {"pid": other.pid, "started": "an earlier time", "ports": {}}
        (tmp_path / "server.json").write_text(json.dumps(stale), encoding="utf-8")
        assert background.find(tmp_path, "server") is None
        assert not background.stop(tmp_path, "server")
        assert other.poll() is None
    finally:
        other.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "null"])
def test_a_broken_file_means_that_nothing_runs(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content, encoding="utf-8")
    assert background.find(tmp_path, "server") is None
    assert background.last_ports(tmp_path, "server") == {}


def test_a_process_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    port = background.free_port()
    with pytest.raises(background.WouldNotStart, match=r"server\.log"):
        background.start(tmp_path, "server", [sys.executable, "-c", "1/0"], {"http": port}, {})
    assert "ZeroDivisionError" in (tmp_path / "server.log").read_text("utf-8")


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert background.free_port(port) != port
    assert background.free_port(port) == port


def test_no_credentials_reach_a_background_process() -> None:
    names = background.plain_environment()
    assert not [name for name in names if name.startswith(("AWS_", "HUB_")) or "PROXY" in name]


def test_what_is_stored_outlives_a_stop_unless_started_fresh(tmp_path: Path) -> None:
    try:
        cloud = start_cloud(tmp_path, lambda line: None, port=0)
        boto3.client("sqs", **cloud.endpoint).create_queue(QueueName="kept")
        assert start_cloud(tmp_path, lambda line: None, port=0) == cloud
        assert stop_cloud(tmp_path)
        assert find_cloud(tmp_path) is None
        assert queues(start_cloud(tmp_path, lambda line: None, port=0)) == ["kept"]
        assert queues(start_cloud(tmp_path, lambda line: None, port=0, fresh=True)) == []
    finally:
        stop_cloud(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_the_local_cloud_listens_on_this_machine_alone(tmp_path: Path) -> None:
    try:
        start_cloud(tmp_path, lambda line: None, port=0)
        running = background.find(tmp_path, "cloud")
        assert running is not None
        listening = {
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{running.pid}/net/{table}").read_text("utf-8").splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[9] in sockets(running.pid)
        }
        assert listening == {f"0100007F:{running.ports['http']:04X}"}
    finally:
        stop_cloud(tmp_path)


def sockets(pid: int) -> set[str]:
    """Give the inodes of a process's sockets."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    targets = (str(file.readlink()) for file in files if file.is_symlink())
    return {text[8:-1] for text in targets if text.startswith("socket:[")}
