"""LinkedIn: Lead Gen Forms; the notice names a lead, the Lead Sync API has it and its form."""

import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.connector import (
    Act,
    Api,
    Connector,
    Consent,
    Get,
    Gone,
    Hmac,
    Malformed,
    Options,
    Refused,
    Reply,
    Request,
    Submission,
    Unverified,
    Withdrawal,
    as_text,
    campaign_of,
    hex_hmac_sha256,
)

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESPONSE_URN = re.compile(r"urn:li:leadGenFormResponse:([A-Za-z0-9_=-]{1,200})")
# Seen bare, and inside of urn:li:versionedLeadGenForm:(urn:li:leadGenForm:8123456,2).
FORM_URN = re.compile(r"urn:li:leadGenForm:([0-9]{1,30})")

Json = Mapping[str, Any]


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one lead that a notice names, or that a person took it back.

    Args:
        request: body is `{"type": "LEAD_ACTION", "leadAction", "leadGenFormResponse": URN,
            "leadGenForm": URN, "associatedEntity": {...}, "occurredAt": milliseconds}`.
        options: not used here.

    Returns:
        A thin submission for CREATED, a withdrawal for DELETED, nothing for other notices.
    """
    notice = request.json()
    if notice["type"] != "LEAD_ACTION":
        return []
    urn, action, occurred_at = (
        notice["leadGenFormResponse"],
        notice["leadAction"],
        notice["occurredAt"],
    )
    if action == "DELETED":
        return [Withdrawal(external_id=urn, withdrawn_at=occurred_at, reason="deleted at LinkedIn")]
    if action != "CREATED":
        return []
    form_id = _group(FORM_URN.search(notice["leadGenForm"]))
    return [
        Submission(
            external_id=urn,
            # An event registration can be created, deleted and created again under one URN.
            revision=as_text(occurred_at),
            submitted_at=occurred_at,
            form=form_id,
            campaign=_creative(notice),
            lookup={"response_id": _group(RESPONSE_URN.fullmatch(urn)), "form_id": form_id},
        )
    ]


def _group(match: re.Match[str] | None) -> str:
    if match is None:
        raise ValueError("a URN of LinkedIn has another form")
    return match[1]


def _creative(holder: Json) -> dict[str, str]:
    """Read which ad it was; events and pages have another kind of entity."""
    entity = holder.get("associatedEntity") or {}
    urn = entity.get("sponsoredCreative") or entity.get("associatedCreative") or ""
    return campaign_of({"creative_id": _last(urn)})


def _last(urn: str) -> str:
    """Give the id at the end of a simple URN."""
    return urn.rpartition(":")[2]


def fetch(submission: Submission, get: Get) -> Submission:
    """Read a lead, and its form for what the questions mean.

    A form that is gone costs the meaning, not the answers: they are then keyed by question id.
    """
    lead = get(f"leadFormResponses/{submission.lookup['response_id']}")
    try:
        form = get(f"leadForms/{submission.lookup['form_id']}")
    except Gone:
        form = {}
    return _whole(submission, lead, form)


def _whole(submission: Submission, lead: Json, form: Json) -> Submission:
    """Join a lead with its form."""
    content = form.get("content") or {}
    locale = _locale(form.get("creationLocale") or {})
    questions = {question["questionId"]: question for question in content.get("questions") or ()}
    keys = _keys(questions)
    answers: dict[str, str | tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    for answer in lead["formResponse"]["answers"]:
        question_id = answer["questionId"]
        question = questions.get(question_id, {})
        key = keys.get(question_id) or f"question_{question_id}"
        answers[key] = _answer(answer, question)
        if label := _localized(question.get("question"), locale):
            labels[key] = label
    hidden = {
        as_text(field["name"]): as_text(field["value"]) for field in form.get("hiddenFields") or ()
    }
    metadata = (lead.get("leadMetadata") or {}).get("sponsoredLeadMetadata") or {}
    campaign = {"campaign_id": _last(metadata.get("campaign") or "")}
    return Submission(
        external_id=submission.external_id,
        revision=submission.revision,
        # Not the lead's own submittedAt: this time also orders it among withdrawals.
        submitted_at=submission.submitted_at,
        form=submission.form,
        form_title=as_text(form.get("name") or ""),
        # A hidden field is the same for all who fill in the form, so it gives way to an answer.
        answers={**{k: v for k, v in hidden.items() if k not in campaign_of(hidden)}, **answers},
        labels=labels,
        campaign={
            **submission.campaign,
            **_creative(lead),
            **campaign_of(campaign),
            **campaign_of(hidden),
        },
        consents=_consents(lead["formResponse"], content, locale),
        person_id=lead.get("submitter") or "",
        language=locale.replace("_", "-"),
        is_test=lead.get("testLead") is True,
    )


def _keys(questions: Mapping[Any, Json]) -> dict[Any, str]:
    """Give each question its key: LinkedIn's own name for the field, else the author's.

    Two questions of one name are told apart by their ids.
    """
    names = {
        question_id: as_text(question.get("predefinedField") or question.get("name") or "")
        for question_id, question in questions.items()
    }
    used = list(names.values())
    return {
        question_id: name if used.count(name) == 1 else f"{name}_{question_id}".strip("_")
        for question_id, name in names.items()
    }


def _answer(answer: Json, question: Json) -> str | tuple[str, ...]:
    """Read an answer; a guide of LinkedIn's shows `accepted` where its schema has answerDetails."""
    details = answer.get("answerDetails") or answer.get("accepted") or {}
    if "multipleChoiceAnswer" not in details:
        return as_text(details["textQuestionAnswer"]["answer"]) if details else ""
    choices = _choices(question)
    picked = details["multipleChoiceAnswer"].get("options") or ()
    texts = tuple(choices.get(option) or as_text(option) for option in picked)
    return texts if len(texts) > 1 else "".join(texts)


def _choices(question: Json) -> dict[Any, str]:
    """Give the texts of a question's options by their ids."""
    details = (question.get("questionDetails") or {}).get("multipleChoiceQuestionDetails") or {}
    return {
        option["id"]: _localized(option.get("text"), "") or as_text(option.get("label") or "")
        for option in details.get("options") or ()
    }


def _consents(response: Json, content: Json, locale: str) -> tuple[Consent, ...]:
    """Join the boxes that were ticked, or not, with the wording that stood beside them."""
    shown = {
        consent["id"]: consent for consent in (content.get("legalInfo") or {}).get("consents") or ()
    }
    return tuple(
        Consent(
            purpose=f"consent_{box['consentId']}",
            given=box.get("accepted") is True,
            wording=_localized(shown.get(box["consentId"], {}).get("consent"), locale),
            evidence=f"consent {box['consentId']}",
        )
        for box in response.get("consentResponses") or ()
    )


def _localized(text: Json | None, locale: str) -> str:
    """Give a text in the form's language, or in the first there is."""
    texts = (text or {}).get("localized") or {}
    return as_text(texts.get(locale) or next(iter(texts.values()), ""))


def _locale(locale: Json) -> str:
    """Write a locale as LinkedIn keys its texts: en_US."""
    return "_".join(filter(None, (locale.get("language"), locale.get("country"))))


def handshake(request: Request, secrets: tuple[str, ...]) -> Reply:
    """Answer the challenge that LinkedIn sends on subscribing and every two hours.

    Signing any text would sign forged notices for whoever asks, so it signs UUIDs and no more.
    """
    code = request.parameter("challengeCode")
    if not UUID.fullmatch(code):
        raise Malformed("LinkedIn: challengeCode is no UUID")
    secret = next(filter(None, secrets), "")
    if not secret:
        raise Unverified("the source has no secret to answer the challenge with")
    answer = {"challengeCode": code, "challengeResponse": hex_hmac_sha256(secret, code)}
    return Reply(200, json.dumps(answer))


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the member's token as LinkedIn wants it."""
    return {"Authorization": f"Bearer {token}"}, {}


def refusal(status: int, body: Any) -> Exception | None:
    """Say in words what the admin must do about a final refusal."""
    advice = {
        401: "the access token is dead; the member must consent again",
        403: "the member behind the token lost a role on the ad account or page",
        426: "this version of the API is retired; set the option api_version to a newer month",
    }
    return Refused(f"LinkedIn answered {status}: {advice[status]}") if status in advice else None


connector = Connector(
    name="linkedin",
    title="LinkedIn Lead Gen Forms",
    docs="https://learn.microsoft.com/linkedin/marketing/lead-sync/leadsync",
    # The prefix belongs to the signed text; some senders put it into the header as well.
    signature=Hmac("X-LI-Signature", also=("hmacsha256={digest}",), signed="hmacsha256={body}"),
    parse=parse,
    fields={
        "EMAIL": "email",
        "WORK_EMAIL": "email",
        "PHONE_NUMBER": "phone",
        "WORK_PHONE_NUMBER": "phone",
        "FIRST_NAME": "first_name",
        "LAST_NAME": "last_name",
        "COMPANY_NAME": "company",
        "JOB_TITLE": "job_title",
        "CITY": "city",
        "STATE": "region",
        "ZIP_CODE": "postal_code",
        "COUNTRY": "country",
    },
    handshake=handshake,
    fetch=fetch,
    api=Api(
        url="https://api.linkedin.com/rest",
        headers={"LinkedIn-Version": "{api_version}", "X-Restli-Protocol-Version": "2.0.0"},
        authorise=authorise,
        refusal=refusal,
    ),
    options={"api_version": "202610"},
)
