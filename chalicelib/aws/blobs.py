"""Bodies too big for the table, in S3."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.failure import unavailable


class S3Blobs:
    """One bucket; a blob is written before anything points at it."""

    def __init__(self, connect: Callable[[], Any], bucket: str) -> None:
        """Use a bucket, through a client that is made when first needed."""
        self._connect = connect
        self._bucket = bucket

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes under a name; the same name and bytes again change nothing."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data)
        except (ClientError, BotoCoreError) as error:
            raise unavailable("S3", error) from error

    def get(self, name: str) -> bytes:
        """Give the bytes back."""
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise unavailable("S3", error) from error
