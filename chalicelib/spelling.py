"""How page authors and senders name contact fields, how they write yes, how phones say stop."""

from collections.abc import Iterator

NAMES = {
    "email": (
        "email",
        "e mail",
        "mail",
        "email address",
        "e mail address",
        "your email",
        "work email",
        "business email",
        "contact email",
        "user email",
    ),
    "phone": (
        "phone",
        "tel",
        "telephone",
        "mobile",
        "cell",
        "phone number",
        "mobile number",
        "mobile phone",
        "telephone number",
        "your phone",
        "your tel",
        "work phone",
        "contact number",
    ),
    "full_name": ("full name", "name", "your name", "contact name", "fullname"),
    "first_name": ("first name", "fname", "given name", "forename", "firstname"),
    "last_name": ("last name", "lname", "family name", "surname", "lastname"),
    "company": (
        "company",
        "company name",
        "your company",
        "org",
        "organization",
        "organisation",
        "organization name",
        "organisation name",
        "business",
        "business name",
        "employer",
        "firm",
    ),
    "website": ("website", "web site", "company website", "homepage", "domain"),
    "job_title": ("job title", "jobtitle", "organization title", "job role", "role", "position"),
    "message": (
        "message",
        "your message",
        "comment",
        "comments",
        "enquiry",
        "inquiry",
        "question",
        "how can we help",
    ),
    "street": ("street", "street address", "address", "address line 1", "address line1"),
    "city": ("city", "town", "address level2"),
    "region": ("region", "state", "province", "county", "address level1"),
    "postal_code": ("postal code", "postcode", "post code", "zip", "zip code", "zipcode"),
    "country": ("country", "country code", "country name"),
    "language": ("language", "lang", "locale"),
    "time_zone": ("time zone", "timezone", "tz"),
    "date_of_birth": ("date of birth", "birth date", "birthdate", "birthday", "dob", "bday"),
}
"""By contact field: names in lower case with blanks between words, the likeliest first.

The autocomplete tokens of HTML are among them: given-name, organization-title, address-level2.
"""

_YES = frozenset({"1", "y", "yes", "true", "t", "on", "x", "ok", "agree", "agreed", "accepted"}) | {
    *("ja", "j", "oui", "o", "si", "sí", "s", "sim", "tak", "opt-in", "opted in", "subscribed"),
}
_NO = frozenset(
    {"", "0", "n", "no", "false", "f", "off", "none", "null", "disagree", "declined"}
) | {
    *("nein", "non", "nee", "nej", "nie", "não", "nao", "opt-out", "opted out", "unsubscribed"),
}


# What US carriers want to be understood; YES is left out, for people answer questions with it.
_KEYWORDS = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), "stop"
    ),
    **dict.fromkeys(("start", "unstop"), "start"),
    **dict.fromkeys(("help", "info"), "help"),
}


def spellings() -> dict[str, str]:
    """Map every usual spelling of a contact field's name to that field.

    Returns:
        `email`, `E-Mail`, `your_email`, `FirstName`, `firstName` and so on; a name that comes
        earlier in NAMES comes earlier here.
    """
    return {
        spelling: field
        for field, names in NAMES.items()
        for name in names
        for spelling in _spelled(name)
    }


def is_yes(text: str) -> bool:
    """Say whether a text means yes; a box ticked without a value says `on`."""
    return text.strip().lower() in _YES


def is_no(text: str) -> bool:
    """Say whether a text means no; a text may be neither yes nor no."""
    return text.strip().lower() in _NO


def keyword_of(text: str) -> str:
    """Say whether a text message is nothing but a wish: stop, start or help; empty if it is not."""
    return _KEYWORDS.get(text.strip().lower(), "")


def _spelled(name: str) -> Iterator[str]:
    """Write a name in the ways that forms and programs do."""
    words = name.split(" ")
    titled = [word.capitalize() for word in words]
    for blank in ("_", "-", " ", "", "."):
        yield blank.join(words)
        yield blank.join(titled)
        yield blank.join([titled[0], *words[1:]])
        yield blank.join(words).upper()
    yield "".join([words[0], *titled[1:]])
