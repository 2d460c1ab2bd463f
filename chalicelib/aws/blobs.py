"""Bodies too big for the table, in S3."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable


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
        except ClientError as error:
            raise Unavailable(f"S3: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise Unavailable(f"S3: {type(error).__name__}") from error

    def get(self, name: str) -> bytes:
        """Give the bytes back."""
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())
        except ClientError as error:
            raise Unavailable(f"S3: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise Unavailable(f"S3: {type(error).__name__}") from error
