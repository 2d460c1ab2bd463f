"""Bodies too big for the table, in S3."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.failure import unavailable
from chalicelib.errors import NotFound
from chalicelib.storage import BlobFacts


class S3Blobs:
    """One bucket; a blob is written before anything points at it."""

    def __init__(self, connect: Callable[[], Any], bucket: str) -> None:
        """Use a bucket, through a client that is made when first needed."""
        self._connect = connect
        self._bucket = bucket

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """Keep bytes under a name; see Blobs."""
        try:
            if isinstance(data, bytes):
                self._client.put_object(Bucket=self._bucket, Key=name, Body=data)
                return
            from boto3.s3.transfer import TransferConfig

            # In parts of 8 MB, one after the other, so that no more than one is held.
            one_by_one = TransferConfig(use_threads=False)
            self._client.upload_fileobj(data, self._bucket, name, Config=one_by_one)
        except (ClientError, BotoCoreError) as error:
            raise unavailable("S3", error) from error

    def facts(self, name: str) -> BlobFacts | None:
        """Look at a blob; None when there is none."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=name)
        except (ClientError, BotoCoreError) as error:
            # S3 answers 403 for what is not there to whoever may not list the bucket.
            if _status(error) in (403, 404):
                return None
            raise unavailable("S3", error) from error
        return BlobFacts(int(head["ContentLength"]), str(head["ETag"]))

    def read(self, name: str, mark: str, start: int, length: int) -> bytes:
        """Give a part of a blob; see Blobs."""
        if length <= 0:
            return b""
        try:
            found = self._client.get_object(
                Bucket=self._bucket,
                Key=name,
                Range=f"bytes={start}-{start + length - 1}",
                IfMatch=mark,
            )
            return bytes(found["Body"].read())
        except (ClientError, BotoCoreError) as error:
            if _status(error) == 416:
                return b""
            if _status(error) in (404, 412):
                raise NotFound(f"blob {name}, or the bytes that were there") from error
            raise unavailable("S3", error) from error

    def remove(self, name: str) -> None:
        """Take a blob away; one that is not there is no error."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=name)
        except (ClientError, BotoCoreError) as error:
            raise unavailable("S3", error) from error

    def upload_address(self, name: str, size: int, content_type: str, seconds: int) -> str:
        """Sign an address to PUT a blob to; see Blobs."""
        given = {
            "Bucket": self._bucket,
            "Key": name,
            "ContentLength": size,
            "ContentType": content_type,
        }
        return self._signed("put_object", given, seconds)

    def download_address(self, name: str, file_name: str, seconds: int) -> str:
        """Sign an address to GET a blob from; see Blobs."""
        given = {
            "Bucket": self._bucket,
            "Key": name,
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        return self._signed("get_object", given, seconds)

    def _signed(self, operation: str, given: Mapping[str, Any], seconds: int) -> str:
        try:
            return str(
                self._client.generate_presigned_url(
                    operation, Params=dict(given), ExpiresIn=seconds
                )
            )
        except (ClientError, BotoCoreError) as error:
            raise unavailable("S3", error) from error

    def get(self, name: str) -> bytes:
        """Give the bytes back; see Blobs."""
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                raise NotFound(f"blob {name}") from error
            raise unavailable("S3", error) from error


def _status(error: Exception) -> int:
    """Give the HTTP status of a refusal; 0 where there is none."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
