"""A source as the configuration says it; apart from the rest, for the door reads only this."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from chalicelib.lead.model import Model

NAME_PATTERN = r"^([a-z][a-z0-9_./-]{0,62})?$"
COUNTRY_PATTERN = r"^([A-Z]{2})?$"

SecretName = Annotated[str, Field(pattern=NAME_PATTERN)]
"""Name of a secret; the pattern refuses most secrets that are pasted in instead of their name."""

Country = Annotated[str, Field(pattern=COUNTRY_PATTERN)]


class Source(Model):
    """One configured origin: a connector, its secret, its field map."""

    connector: str
    title: str = ""
    enabled: bool = True
    secret: SecretName = Field(default="", description="name of the secret it signs with")
    token: SecretName = Field(default="", description="name of the access token that fetch uses")
    verify_token: SecretName = Field(
        default="", description="name of the secret of a GET handshake"
    )
    fields: Mapping[str, str] = Field(
        default_factory=dict, description="answer key -> contact field or custom field id"
    )
    options: Mapping[str, Any] = Field(default_factory=dict, description="see the connector")
    trust: Annotated[int, Field(ge=0, le=100)] = 50
    default_country: Country = ""
