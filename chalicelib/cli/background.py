"""Background processes of the local hub: each has a file that says which process it is."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.errors import HubError

START_SECONDS = 30
STOP_SECONDS = 30


class WouldNotStart(HubError):
    """A background process ended or did not answer in time; the message names its log."""


@dataclass(frozen=True)
class Running:
    """A background process.

    Attributes:
        started: when the kernel says it started, so that another process with the same number is
            never taken for it.
        ports: what it listens on at 127.0.0.1, by use.
    """

    pid: int
    started: str
    ports: dict[str, int]


def find(home: Path, name: str) -> Running | None:
    """Give the process if it lives; what an earlier one left behind is ignored."""
    try:
        known = Running(**json.loads(_file(home, name).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return known if _started(known.pid) == known.started else None


def last_ports(home: Path, name: str) -> dict[str, int]:
    """Give the ports it had last time, to use them again so that addresses stay the same."""
    try:
        return dict(json.loads(_file(home, name).read_text(encoding="utf-8"))["ports"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}


def start(
    home: Path,
    name: str,
    command: Sequence[str],
    ports: Mapping[str, int],
    environment: Mapping[str, str],
) -> Running:
    """Start a process that outlives us and wait until it listens.

    Raises:
        WouldNotStart: it ended, or did not listen in time.
    """
    file, log = _file(home, name), home / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603, the command is ours
            command,
            cwd=home,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process.pid, _started(process.pid), dict(ports))
    file.write_text(json.dumps(asdict(running)), encoding="utf-8")
    end = time.monotonic() + START_SECONDS
    while not all(listens(port) for port in ports.values()):
        if process.poll() is not None:
            raise WouldNotStart(f"{name} ended at once; see {log}")
        if time.monotonic() > end:
            stop(home, name)
            raise WouldNotStart(f"{name} did not answer in {START_SECONDS} s; see {log}")
        time.sleep(0.05)
    if process.poll() is not None:
        raise WouldNotStart(f"{name} ended at once; see {log}")
    return running


def stop(home: Path, name: str) -> bool:
    """End a process and all it started; says whether there was one."""
    running = find(home, name)
    if running is None:
        return False
    _signal(running.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while _started(running.pid) == running.started and time.monotonic() < end:
        _reap(running.pid)
        time.sleep(0.05)
    # It began a session of its own, so its group is itself and whatever it started.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    _reap(running.pid)
    return True


def free_port(wanted: int = 0) -> int:
    """Give the wanted port of 127.0.0.1 if it is free, else any that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise WouldNotStart("no port of 127.0.0.1 is free")


def listens(port: int) -> bool:
    """Say whether someone listens at a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def plain_environment() -> dict[str, str]:
    """Give what any process needs of ours, without credentials, proxies or Python settings."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _file(home: Path, name: str) -> Path:
    return home / f"{name}.json"


def _started(pid: int) -> str:
    """Say when a process started; empty if there is none, or only its remains."""
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # Fields after the name, which is in brackets and may hold anything: state is the
            # first, the start the twentieth.
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    done = subprocess.run(  # noqa: S603, the command is ours
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(pid: int) -> None:
    """Take the exit status if the process is our own child, or it stays about as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
