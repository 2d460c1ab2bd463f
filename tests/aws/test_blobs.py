"""Blobs that are read in parts and sent by others: in memory, on moto, on the local cloud."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.aws.blobs import S3Blobs
from chalicelib.errors import NotFound, Unavailable
from chalicelib.hub import build
from chalicelib.settings import Settings
from chalicelib.storage import Blobs
from tests.aws.engines import on_cloud
from tests.fakes import MemoryBlobs

ACCOUNT = {
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}


@pytest.fixture(params=["memory", "moto", pytest.param("cloud", marks=pytest.mark.cloud)])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "cloud":
        cloud = on_cloud(request.getfixturevalue("local_cloud"))
    else:
        cloud = request.getfixturevalue("moto")
    return S3Blobs(lambda: cloud.client("s3"), cloud.bucket())


def test_a_blob_is_read_in_parts_of_the_same_bytes(blobs: Blobs) -> None:
    blobs.put("imports/1/file", b"0123456789")
    facts = blobs.facts("imports/1/file")
    assert facts is not None
    assert facts.size == 10
    parts = [blobs.read("imports/1/file", facts.mark, start, 4) for start in (0, 4, 8, 12)]
    assert parts == [b"0123", b"4567", b"89", b""]
    assert blobs.read("imports/1/file", facts.mark, 3, 0) == b""


def test_other_bytes_under_the_same_name_are_not_read_on(blobs: Blobs) -> None:
    blobs.put("imports/1/file", b"0123456789")
    facts = blobs.facts("imports/1/file")
    assert facts is not None
    blobs.put("imports/1/file", b"9876543210")
    with pytest.raises(NotFound):
        blobs.read("imports/1/file", facts.mark, 0, 4)


def test_a_blob_that_is_not_there_has_no_facts_and_no_parts(blobs: Blobs) -> None:
    assert blobs.facts("imports/none") is None
    with pytest.raises(NotFound):
        blobs.read("imports/none", "mark", 0, 4)


def test_a_stream_is_kept_whole_whatever_its_length(blobs: Blobs) -> None:
    data = bytes(range(256)) * 40_000
    blobs.put("imports/1/outcomes.csv", io.BytesIO(data))
    assert blobs.get("imports/1/outcomes.csv") == data
    blobs.put("imports/2/outcomes.csv", io.BytesIO(b""))
    assert blobs.get("imports/2/outcomes.csv") == b""


def test_a_bucket_that_is_down_is_not_an_absent_blob() -> None:
    blobs = MemoryBlobs()
    blobs.is_down = True
    with pytest.raises(Unavailable):
        blobs.facts("imports/1/file")
    with pytest.raises(Unavailable):
        blobs.read("imports/1/file", "mark", 0, 1)


def test_an_address_to_upload_to_takes_one_size_and_type_for_a_while() -> None:
    hub = build(Settings(bucket="bucket"), ACCOUNT)
    address = urlsplit(hub.blobs.upload_address("imports/1/file", 123, "text/csv", 900))
    said = parse_qs(address.query)
    assert address.path.endswith("/imports/1/file")
    assert said["X-Amz-Expires"] == ["900"]
    assert set(said["X-Amz-SignedHeaders"][0].split(";")) >= {
        "content-length",
        "content-type",
        "host",
    }


def test_an_address_to_download_from_names_the_file() -> None:
    hub = build(Settings(bucket="bucket"), ACCOUNT)
    address = urlsplit(hub.blobs.download_address("imports/1/outcomes.csv", "out.csv", 300))
    said = parse_qs(address.query)
    assert said["response-content-disposition"] == ['attachment; filename="out.csv"']
    assert said["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
