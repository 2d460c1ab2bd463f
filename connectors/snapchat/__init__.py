"""Snapchat: lead generation forms; each lead comes once, complete, and can be read nowhere else."""

from collections.abc import Mapping
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    Api,
    Connector,
    Get,
    Hmac,
    Misconfigured,
    Options,
    Request,
    Submission,
    Subscription,
    answers_of,
    as_text,
    bearer,
    campaign_of,
    consents_of,
    flatten,
    spellings,
)

OWN_KEYS = frozenset(
    {
        "form_id",
        "form_name",
        "ad_account_id",
        "campaign_id",
        "campaign_name",
        "ad_squad_id",
        "ad_squad_name",
        "ad_id",
        "ad_name",
        "lead_id",
        "create_time",
    }
)
"""What each lead has beside its answers (developers.snap.com, read August 2026)."""

# The test call sends this whatever the form asks, and says nothing else of being one.
TEST_FORM = "Snap Lead Generation Form"
TEST_DOMAIN = "@snapchat.com"


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one lead that a push holds, complete.

    Args:
        request: body is a flat object: OWN_KEYS, and `first_name`, `email`, `custom_field_1`,
            `consent_1` and so on as far as the form asks for them.
        options: see the README.

    Returns:
        One submission, its answers keyed as Snapchat names them.
    """
    lead = request.json()
    texts = flatten(lead)
    dropped = set() if options["birthday"] else {"birthday"}
    return [
        Submission(
            external_id=as_text(lead["lead_id"]),
            # Milliseconds, as text.
            submitted_at=lead.get("create_time") or request.received_at,
            form=as_text(lead.get("form_id")),
            form_title=as_text(lead.get("form_name")),
            answers=answers_of(texts, without=OWN_KEYS | dropped),
            labels={
                key: as_text(options["questions"][key]) for key in texts if _asks(options, key)
            },
            campaign=campaign_of(
                {
                    "campaign_id": lead.get("campaign_id"),
                    "campaign_name": lead.get("campaign_name"),
                    "adset_id": lead.get("ad_squad_id"),
                    "ad_id": lead.get("ad_id"),
                    "platform": "snapchat",
                }
            ),
            consents=consents_of(texts, options["consents"]),
            is_test=_is_test(lead),
        )
    ]


def _asks(options: Options, key: str) -> bool:
    return bool(options["questions"].get(key))


def _is_test(lead: Mapping[str, Any]) -> bool:
    return lead.get("form_name") == TEST_FORM and as_text(lead.get("email")).endswith(TEST_DOMAIN)


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for our address among the webhooks of each form.

    Raises:
        Misconfigured: the source does not say which forms.
    """
    if not options["form_ids"]:
        raise Misconfigured("Snapchat: webhooks are read form by form: set the option form_ids")
    silent = []
    for form in map(as_text, options["form_ids"]):
        told = get(f"lead_gen/forms/{form}/integrations", {"partner_type": "PUBLIC_WEBHOOK"})
        if address not in _addresses(told):
            silent.append(form)
    if silent:
        detail = f"no webhook to this address for form {', '.join(silent)}; create it again"
        return Subscription(False, detail)
    return Subscription(True, f"webhooks of {len(options['form_ids'])} forms")


def _addresses(told: Any) -> set[str]:
    """Find the webhooks' addresses; the reference writes camelCase, real answers snake_case."""
    if isinstance(told, list):
        return {address for item in told for address in _addresses(item)}
    if not isinstance(told, Mapping):
        return set()
    own = {as_text(told[key]) for key in ("webhook_url", "webhookUrl") if told.get(key)}
    return own | {address for item in told.values() for address in _addresses(item)}


# The unit of `t` is not known, and a later try may be signed with an old one; so it is taken as
# an opaque id, and the lead's own id stops replays.
OBSERVED = Hmac(
    "signature", also=("sha256={digest}",), signed="{id}.{body}", id_header="t", algorithm="sha256"
)

connector = Connector(
    name="snapchat",
    title="Snapchat Lead Generation",
    docs="https://developers.snap.com/api/marketing-api/Ads-API/lead-generation-ads",
    facts="code",
    signature=OBSERVED,
    # Header names are not published: those observed, and an address that nobody can guess in case
    # they change.
    schemes={"hmac": OBSERVED, **UNSIGNED},
    parse=parse,
    fields={
        **spellings(),
        "address_line_1": "street",
        "address_level_1": "region",
        "address_level_2": "city",
    },
    api=Api(
        url="https://adsapi.snapchat.com/v1",
        authorise=bearer,
        token_url="https://accounts.snapchat.com/login/oauth2/access_token",  # noqa: S106
    ),
    subscription=subscription,
    options={
        "scheme": "hmac",
        "consents": {"consent_1": "consent_1", "consent_2": "consent_2"},
        "questions": {},
        "birthday": False,
        "form_ids": (),
    },
)
