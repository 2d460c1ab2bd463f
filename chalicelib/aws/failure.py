"""What boto3 raises, as an error of ours."""

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable


def unavailable(service: str, error: ClientError | BotoCoreError) -> Unavailable:
    """Say which service failed and how; not in its own words, for they may quote what we sent."""
    if isinstance(error, ClientError):
        return Unavailable(f"{service}: {error.response['Error']['Code']}")
    return Unavailable(f"{service}: {type(error).__name__}")
