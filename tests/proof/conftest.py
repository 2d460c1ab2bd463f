"""The local cloud for the proofs, one for the whole run."""

from tests.aws.conftest import local_cloud

__all__ = ["local_cloud"]
