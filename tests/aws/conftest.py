"""Engines as fixtures: moto for one test at a time, one local cloud for the whole run."""

import os
from collections.abc import Iterator

import pytest

from tests.aws.engines import Cloud, ministack, on_cloud, on_moto


@pytest.fixture
def moto() -> Iterator[Cloud]:
    """Clients on a fresh moto behind the shim."""
    from moto import mock_aws

    with mock_aws():
        yield on_moto()


@pytest.fixture(scope="session")
def local_cloud() -> Iterator[str]:
    """Address of a local cloud that lives as long as the run."""
    with ministack() as address:
        yield address


@pytest.fixture(
    params=["moto", pytest.param("cloud", marks=pytest.mark.cloud)],
)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Clients on moto behind the shim, then on the local cloud."""
    if request.param == "moto":
        found: Cloud = request.getfixturevalue("moto")
        return found
    return on_cloud(request.getfixturevalue("local_cloud"))


os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
