"""LinkedIn: Lead Gen Forms; the notice names a lead, the Lead Sync API has it and its form."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from chalicelib.connector import (
    Act,
    Api,
    Backfill,
    Connector,
    Consent,
    Expired,
    Get,
    Gone,
    Hmac,
    Json,
    Malformed,
    Misconfigured,
    Options,
    Page,
    Refused,
    Reply,
    Request,
    Submission,
    Subscription,
    Unverified,
    Window,
    Withdrawal,
    as_text,
    bearer,
    campaign_of,
    hex_hmac_sha256,
)

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESPONSE_URN = re.compile(r"urn:li:leadGenFormResponse:([A-Za-z0-9_=-]{1,200})")
# Seen bare, and inside of urn:li:versionedLeadGenForm:(urn:li:leadGenForm:8123456,2).
FORM_URN = re.compile(r"urn:li:leadGenForm:([0-9]{1,30})")
OWNER_URN = re.compile(r"urn:li:(sponsoredAccount|organization):[0-9]{1,30}")

LEAD_TYPES = {
    "sponsoredAccount": ("SPONSORED",),
    "organization": ("EVENT", "COMPANY", "ORGANIZATION_PRODUCT"),
}
"""By kind of owner: what leads it has; LinkedIn refuses any other pair, and hides types that are
not asked for (learn.microsoft.com/linkedin/marketing/lead-sync/leadsync, read November 2026)."""

ENTITIES = {
    "event": "linkedin_event",
    "organization": "linkedin_page",
    "company": "linkedin_page",
    "organizationProduct": "linkedin_product",
    "product": "linkedin_product",
}
"""Where else than below an ad a form can stand -> the answer that names it. Only `event` is in
LinkedIn's samples; the other names are those of its URNs."""

STAY = frozenset({"SPONSORED", "COMPANY", "ORGANIZATION_PRODUCT"})
"""Types of leads that come once; those of events can be taken back and made again under one URN."""

AT_ONCE = 50


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
    comes_again = notice.get("leadType") not in STAY
    return [
        Submission(
            external_id=urn,
            # An event registration can be created, deleted and created again under one URN; the
            # list of leads knows no more than the lead's own time.
            revision=as_text(occurred_at) if comes_again else "",
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
    """Read which ad it was."""
    entity = holder.get("associatedEntity") or {}
    urn = entity.get("sponsoredCreative") or entity.get("associatedCreative") or ""
    return campaign_of({"creative_id": _last(urn)})


def _place(lead: Json) -> dict[str, str]:
    """Say which event, page or product the form stood at; nothing for an ad."""
    entity = lead.get("associatedEntity") or {}
    named = {key: as_text(entity[name]) for name, key in ENTITIES.items() if entity.get(name)}
    lead_type = as_text(lead.get("leadType"))
    if not named and lead_type not in LEAD_TYPES["organization"]:
        return {}
    return {"linkedin_lead_type": lead_type, **{key: _last(urn) for key, urn in named.items()}}


def _last(urn: str) -> str:
    """Give the id at the end of a simple URN."""
    return urn.rpartition(":")[2]


def fetch(submission: Submission, get: Get) -> Submission:
    """Read a lead, and its form for what the questions mean.

    A form that is gone costs the meaning, not the answers: they are then keyed by question id.
    """
    lead = get(f"leadFormResponses/{submission.lookup['response_id']}")
    return _whole(submission, lead, _form(get, submission.lookup["form_id"]))


def _form(get: Get, form_id: str) -> Json:
    """Read a form; nothing when it is gone."""
    try:
        form: Json = get(f"leadForms/{form_id}")
    except Gone:
        return {}
    return form


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read leads of one owner and type, each with its form, which is read once.

    Args:
        get: reads the API.
        window: when they were submitted.
        at: `3 50`: which pair of owner and type, and how many of its leads were read before.
        options: `owners` and `lead_types`.
    """
    pairs = _pairs(options)
    number, start = (int(part) for part in at.split()) if at else (0, 0)
    owner, lead_type = pairs[number]
    since, until = (int(moment.timestamp() * 1000) for moment in (window.since, window.until))
    told = get(
        "leadFormResponses",
        f"q=owner&owner={_union(owner)}&leadType=(leadType:{lead_type})"
        f"&submittedAtTimeRange=(start:{since},end:{until})&count={AT_ONCE}&start={start}",
    )
    leads = told["elements"]
    wanted = {_form_of(lead) for lead in leads}
    forms = {form_id: _form(get, form_id) for form_id in wanted if form_id}
    items = tuple({"lead": lead, "form": forms.get(_form_of(lead)) or {}} for lead in leads)
    read = start + len(leads)
    total = (told.get("paging") or {}).get("total")
    # Where LinkedIn does not say how many there are, a page that is not full is the last.
    if leads and (read < total if isinstance(total, int) else len(leads) == AT_ONCE):
        return Page(items, f"{number} {read}")
    return Page(items, f"{number + 1} 0" if number + 1 < len(pairs) else "")


def parse_listed(item: Any, options: Options) -> Act:
    """Read a lead of the list, joined with its form, as its notice would have been read."""
    lead = item["lead"]
    comes_again = lead.get("leadType") not in STAY
    thin = Submission(
        external_id=f"urn:li:leadGenFormResponse:{as_text(lead['id'])}",
        revision=as_text(lead["submittedAt"]) if comes_again else "",
        submitted_at=lead["submittedAt"],
        form=_form_of(lead),
    )
    return _whole(thin, lead, item["form"])


def _form_of(lead: Json) -> str:
    """Give the id of a lead's form."""
    match = FORM_URN.search(lead.get("versionedLeadGenFormUrn") or "")
    return match[1] if match else ""


def _pairs(options: Options) -> list[tuple[str, str]]:
    """Give each owner with each type of lead that it can have and that is wanted."""
    pairs = []
    for owner in options["owners"]:
        match = OWNER_URN.fullmatch(as_text(owner))
        if not match:
            raise Misconfigured("LinkedIn: owners are URNs of a sponsoredAccount or organization")
        wanted = options["lead_types"] or LEAD_TYPES[match[1]]
        pairs += [(owner, kind) for kind in LEAD_TYPES[match[1]] if kind in wanted]
    if not pairs:
        raise Misconfigured("LinkedIn: the option owners names nobody whose leads to read")
    return pairs


def _union(owner: str) -> str:
    """Write an owner as Rest.li wants it: only the URN within is encoded."""
    kind = owner.split(":")[2]
    return f"({kind}:{quote(owner, safe='')})"


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for our address among the notifications of each owner and type of lead."""
    silent = []
    pairs = _pairs(options)
    for owner, lead_type in pairs:
        told = get(
            "leadNotifications",
            f"q=criteria&owner=(value:{_union(owner)})&leadType=(leadType:{lead_type})",
        )
        if address not in [one.get("webhook") for one in told["elements"]]:
            silent.append(f"{lead_type} of {owner}")
    if silent:
        detail = f"no notification to this address for {', '.join(silent)}; subscribe again"
        return Subscription(False, detail)
    return Subscription(True, f"notifications for {len(pairs)} pairs of owner and lead type")


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
        # Where a lead can come again, the notice's time orders it among withdrawals.
        submitted_at=submission.submitted_at
        if submission.revision
        else lead.get("submittedAt") or submission.submitted_at,
        form=submission.form,
        form_title=as_text(form.get("name") or ""),
        # A hidden field is the same for all who fill in the form, so it gives way to an answer.
        answers={
            **_place(lead),
            **{k: v for k, v in hidden.items() if k not in campaign_of(hidden)},
            **answers,
        },
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


def refusal(status: int, body: Any) -> Exception | None:
    """Say in words what the admin must do about a final refusal."""
    advice = {
        401: "the access token is dead; the member must consent again",
        403: "the member behind the token lost a role on the ad account or page",
        426: "this version of the API is retired; set the option api_version to a newer month",
    }
    if status not in advice:
        return None
    error = Expired if status == 401 else Refused
    return error(f"LinkedIn answered {status}: {advice[status]}")


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
    # After three failures in a row nothing is sent any more.
    handshake_every_seconds=2 * 3600,
    fetch=fetch,
    api=Api(
        url="https://api.linkedin.com/rest",
        headers={"LinkedIn-Version": "{api_version}", "X-Restli-Protocol-Version": "2.0.0"},
        authorise=bearer,
        refusal=refusal,
        token_url="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106
    ),
    # Leads of events, pages and products are kept 90 days, those of ads 365.
    backfill=Backfill(page=page, parse=parse_listed, keeps_days=90, calls_per_minute=60),
    subscription=subscription,
    options={"api_version": "202610", "owners": (), "lead_types": ()},
)
