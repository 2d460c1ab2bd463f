"""Mail inbox: enquiries by mail, received by Amazon SES, stored in the bucket, told of by SNS."""

import json
from collections.abc import Mapping

from chalicelib.connector import (
    BUCKET,
    Act,
    Api,
    Connector,
    Get,
    Json,
    Malformed,
    Options,
    PathToken,
    Request,
    Sns,
    Submission,
    as_text,
    filled,
    read_json,
    spellings,
)
from connectors.ses_email.letter import Letter, letter_of
from connectors.ses_email.person import Person, person_of

SET_UP = "AMAZON_SES_SETUP_NOTIFICATION"
"""What SES writes once into the bucket when the rule is made."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read what SES says of one mail.

    Args:
        request: an SNS message whose `Message` is the JSON of SES, or that JSON itself where the
            subscription delivers raw.
        options: see the README.

    Returns:
        A thin submission, its mail to be read from the bucket; none for confirmations of the
        subscription, bounces, complaints and mails that no person wrote.
    """
    envelope = request.json()
    if envelope.get("Type", "Notification") != "Notification":
        return []
    notice = read_json(envelope["Message"]) if "Message" in envelope else envelope
    if notice.get("notificationType") != "Received":
        return []
    mail, receipt = notice["mail"], notice["receipt"]
    if mail["messageId"] == SET_UP or not _is_from_somebody(mail):
        return []
    action = receipt["action"]
    lookup = {"own_domains": json.dumps([*options["own_domains"]])}
    if action["type"] == "S3":
        lookup["key"] = action["objectKey"]
    elif "content" in notice:
        raise Malformed("Mail inbox: expected the rule's action S3; SNS alone cuts at 150 KB")
    return [
        Submission(
            external_id=mail["messageId"],
            submitted_at=mail["timestamp"],
            # One mail may be for several of our addresses; the first says which form it is.
            form=as_text((receipt.get("recipients") or mail.get("destination") or [""])[0]),
            notes=_notes(receipt),
            suspicion=_suspicion(receipt),
            lookup=lookup,
        )
    ]


def _is_from_somebody(mail: Json) -> bool:
    """Say whether a person may have written it, as far as SES tells."""
    headers = [(as_text(h["name"]), as_text(h["value"])) for h in mail.get("headers") or ()]
    return not Letter(headers=tuple(headers), return_path=as_text(mail.get("source"))).is_automatic


def _verdict(receipt: Json, name: str) -> str:
    return as_text((receipt.get(f"{name}Verdict") or {}).get("status")).upper()


def _suspicion(receipt: Json) -> str:
    """Say why a mail should not make a lead by itself; a person may release it."""
    if _verdict(receipt, "virus") == "FAIL":
        return "SES found a virus"
    if _verdict(receipt, "spam") == "FAIL":
        return "SES takes it for spam"
    policy = as_text(receipt.get("dmarcPolicy")).lower()
    if _verdict(receipt, "dmarc") == "FAIL" and policy in {"reject", "quarantine"}:
        return f"it fails DMARC, and its domain asks to {policy} such mail"
    return ""


def _notes(receipt: Json) -> tuple[str, ...]:
    """Note what could not be checked of the sender."""
    passed = {name for name in ("spf", "dkim", "dmarc") if _verdict(receipt, name) == "PASS"}
    return () if passed & {"dkim", "dmarc"} else ("unauthenticated_mail",)


def fetch(submission: Submission, get: Get) -> Act | None:
    """Read the mail itself, and find who is behind it.

    Returns:
        Nothing for a mail that no person wrote.
    """
    raw = get(submission.lookup["key"]).encode("latin-1")
    letter = letter_of(raw)
    if letter.is_automatic:
        return None
    own_domains = tuple(json.loads(submission.lookup["own_domains"]))
    return _whole(submission, letter, person_of(letter, own_domains))


def _whole(submission: Submission, letter: Letter, person: Person) -> Submission:
    """Join what SES told with the mail."""
    told = {name: text for name, text in person.fields.items() if text}
    # What a form calls the message goes before the whole text of its mail.
    is_told = "message" in {spellings().get(name) for name in told}
    answers: dict[str, str | tuple[str, ...]] = {
        "subject": letter.subject,
        "text" if is_told else "message": person.text,
        "email": person.email,
        "name": person.name,
        **told,
    }
    if letter.attachments:
        answers["attachments"] = letter.attachments
    answers["mail"] = submission.lookup["key"]
    return submission.model_copy(
        update={
            "form_title": f"Mail to {submission.form}" if submission.form else "Mail",
            "answers": filled(answers),
            "labels": {key: key for key in told},
            "language": letter.language,
            "lookup": {},
        }
    )


def confirm(request: Request) -> str:
    """Give the address that confirms the subscription, if that is what SNS asks for."""
    message = request.json()
    if not isinstance(message, Mapping) or message.get("Type") != "SubscriptionConfirmation":
        return ""
    return Sns().confirmation_url(message)


connector = Connector(
    name="ses_email",
    title="Mail inbox",
    docs="https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html",
    signature=Sns(),
    schemes={"sns": Sns(), "address": PathToken()},
    parse=parse,
    fields=spellings(),
    fetch=fetch,
    confirm=confirm,
    api=Api(url=BUCKET),
    options={"scheme": "sns", "own_domains": ()},
)
