"""Packaging: the zip that every function runs and the template that describes the stack."""

import compileall
import fcntl
import hashlib
import json
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import HubError

ROOT = Path(__file__).resolve().parents[2]
"""The project: where app.py is."""

Report = Callable[[str], None]
"""Takes one line that says what is being done."""

SHIPPED = ("app.py", "chalicelib", "connectors", "vendor", "requirements.txt", ".chalice")
NOT_SHIPPED = ("__pycache__", "cli", "training", "deployments", "deployed")

OURS = ("app.py", "chalice/", "chalicelib/", "connectors/")
"""What of the zip is not a library installed by pip."""

NOT_COMPILED = re.compile(
    r"/phonenumbers/(data|geodata|carrierdata|shortdata|tzdata)/|/holidays/(countries|financial)/"
)
"""Large modules of data, of which a function reads few."""

FORMAT = 4
"""Part of every cache key; raise it when what is made from the same input changes."""

FUNCTION_ARN = re.compile(r"\$\{(APIHandler|Receive)\.Arn\}")
FUNCTION_NAMES = {"APIHandler": "api", "Receive": "receive"}


class PackagingFailed(HubError):
    """The package could not be made; the message says why."""


@dataclass(frozen=True)
class Package:
    """What is deployed.

    Attributes:
        template: SAM template as JSON; CodeUri is `./deployment.zip`.
        code: the zip.
    """

    template: Path
    code: Path


def package(home: Path, report: Report, *, local: bool, root: Path = ROOT) -> Package:
    """Make the package, or find it made already from the very same files.

    Args:
        home: folder that keeps what has been made, `.hub` of the project.
        report: told what is being done.
        local: for this machine rather than for Lambda; differs only off Linux on x86-64.
        root: the project.

    Raises:
        PackagingFailed: Chalice or pip failed, for instance without a network.
    """
    foreign = local and not _is_like_lambda()
    key = _digest(_inputs(root), sys.version, str(FORMAT), platform.platform() if foreign else "")
    out = home / "package" / key
    made = Package(template=out / "template.json", code=out / "deployment.zip")
    if made.template.exists() and made.code.exists():
        report("Package: nothing has changed")
        return made
    out.parent.mkdir(parents=True, exist_ok=True)
    with (out.parent / "lock").open("w") as lock:
        # Whoever comes second waits, and then finds it made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made.template.exists() and made.code.exists()):
            _make(made, home, report, root, foreign)
    return made


def _make(made: Package, home: Path, report: Report, root: Path, foreign: bool) -> None:
    out = made.template.parent
    report("Packaging (the first time takes some seconds more, for the libraries)")
    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary) / "raw"
        _run_chalice(_workshop(home, root), raw)
        ready = Path(temporary) / "ready"
        ready.mkdir()
        code = Path(temporary) / "code"
        _unpack(raw / "deployment.zip", code, root, foreign)
        _write_zip(code, ready / "deployment.zip")
        (ready / "template.json").write_text(_template(raw / "sam.yaml"), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(ready, out)
    _forget_old(out.parent, out)


def _is_like_lambda() -> bool:
    return sysconfig.get_platform() == "linux-x86_64" and platform.libc_ver()[0] == "glibc"


def _inputs(root: Path) -> Iterator[Path]:
    """Give every file that goes into the package, in a fixed order."""
    for name in SHIPPED:
        top = root / name
        if top.is_file():
            yield top
            continue
        # A link is followed by hand, for rglob does not follow the one in vendor.
        for folder, folders, files in os.walk(top, followlinks=True):
            folders[:] = sorted(set(folders) - set(NOT_SHIPPED))
            yield from (Path(folder) / file for file in sorted(files))


def _digest(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{file.parent.name}\0{len(content)}\0".encode())
        digest.update(content)
    for text in more:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()[:16]


def _workshop(home: Path, root: Path) -> Path:
    """Copy what is shipped to a folder of its own, so that Chalice sees nothing else.

    Chalice keeps libraries there between runs, under a hash of contents that does not know names;
    so requirements and vendor, by name, choose the folder.
    """
    libraries = [root / "requirements.txt", *(f for f in _inputs(root) if _is_vendored(root, f))]
    folder = home / "package" / f"work-{_digest(libraries, sys.version)}"
    for name in SHIPPED:
        source, target = root / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            continue
        for old in target.glob("*"):
            if old.name not in NOT_SHIPPED:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns(*NOT_SHIPPED), dirs_exist_ok=True
        )
    return folder


def _is_vendored(root: Path, file: Path) -> bool:
    return file.is_relative_to(root / "vendor")


def _run_chalice(workshop: Path, out: Path) -> None:
    command = ["package", "--template-format", "yaml"]
    command += ["--merge-template", ".chalice/resources.yaml", str(out)]
    done = subprocess.run(  # noqa: S603, the command is ours
        [sys.executable, "-c", "from chalice.cli import main; main()", *command],
        cwd=workshop,
        # Chalice asks boto3 for a region, only to name service principals.
        env={"AWS_DEFAULT_REGION": "us-east-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (out / "sam.yaml").exists():
        lines = (done.stdout + done.stderr).strip().splitlines()
        said = "\n".join(lines[-15:])
        raise PackagingFailed(f"chalice package failed; it may need the network for pip:\n{said}")


def _template(merged: Path) -> str:
    """Read the merged template and write it as CloudFormation takes it.

    CloudFormation takes no YAML aliases, so it becomes JSON. The API names the functions behind it
    in words and not by reference: so functions may refer to the API, for its address.
    """
    import yaml

    def by_name(reference: re.Match[str]) -> str:
        name = FUNCTION_NAMES[reference[1]]
        return (
            "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
            f":function:hub-${{Stage}}-{name}"
        )

    template = yaml.safe_load(merged.read_text(encoding="utf-8"))
    odd = [name for name, made in template["Resources"].items() if "Type" not in made]
    if odd:
        raise PackagingFailed(
            f"resources.yaml adds to {', '.join(odd)}, which app.py does not have; was it renamed?"
        )
    api = template["Resources"]["RestAPI"]
    template["Resources"]["RestAPI"] = json.loads(FUNCTION_ARN.sub(by_name, json.dumps(api)))
    return json.dumps(template, indent=1, ensure_ascii=False, sort_keys=True)


def _unpack(raw: Path, folder: Path, root: Path, foreign: bool) -> None:
    """Lay out in a folder what goes into the zip."""
    with zipfile.ZipFile(raw) as archive:
        wanted = [name for name in archive.namelist() if _is_needed(name)]
        if foreign:
            wanted = [name for name in wanted if name.startswith(OURS)]
        archive.extractall(folder, wanted)
    if foreign:
        _install_libraries_of_this_machine(root, folder)
    # Lambda cannot write what it compiles, so every cold start would compile everything anew.
    compileall.compile_dir(
        folder,
        quiet=2,
        rx=NOT_COMPILED,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _is_needed(name: str) -> bool:
    if name.endswith(("/", ".md")) or name == "connectors/__main__.py":
        return False
    return not any(part.endswith(".dist-info") for part in name.split("/"))


def _install_libraries_of_this_machine(root: Path, folder: Path) -> None:
    """Install what Lambda needs as this machine needs it: its local cloud cannot run Lambda's."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--target", str(folder), "--requirement", str(root / "requirements.txt")]
    done = subprocess.run(  # noqa: S603, the command is ours
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackagingFailed(f"pip install failed:\n{done.stderr.strip()[-2000:]}")
    for unneeded in folder.glob("*.dist-info"):
        shutil.rmtree(unneeded)


def _write_zip(folder: Path, target: Path) -> None:
    """Write a zip without the times of the files, which mean nothing."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = file.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def _forget_old(folder: Path, newest: Path, keep: int = 3) -> None:
    """Drop all but the last few packages and workshops."""
    for pattern in ("work-*", "[0-9a-f]*"):
        made = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in made[keep:]:
            if old != newest:
                shutil.rmtree(old, ignore_errors=True)
