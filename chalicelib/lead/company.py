"""Companies: their name, their website, and the domain that stands for them."""

from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chalicelib.lead.email import ascii_domain, domain_of, is_disposable, is_free_mail
from chalicelib.lead.model import CleanValue
from chalicelib.lead.text import LONGEST_FIELD, LONGEST_NAME, clean_line, storable, words

# Sites on which many have a page; such an address says nothing of a company's own domain.
_SHARED_SITES = words(
    """
    about.me airbnb.com amazon.com amzn.to apple.com baidu.com bit.ly booking.com calendly.com
    dropbox.com ebay.com ebay.de etsy.com eventbrite.com facebook.com fb.com fb.me g.page github.com
    goo.gl google.com google.de instagram.com jotform.com kununu.com linkedin.com linktr.ee lnkd.in
    medium.com meetup.com messenger.com notion.site pinterest.com qr.co reddit.com snapchat.com
    substack.com t.co t.me telegram.me threads.net tiktok.com tinyurl.com trustpilot.com twitter.com
    typeform.com upwork.com vimeo.com vk.com wa.me wechat.com weibo.com whatsapp.com wikipedia.org
    x.com xing.com yelp.com youtu.be youtube.com zoom.us
    """
)
# What people write where a form forces them to name a company.
_NO_COMPANY = words(
    """
    - -- --- . .. / n/a na n.a. n.a none nil null no nein non nessuna ninguna privat private
    privato particulier particular prywatnie personal self test xxx x keine kein aucun aucune geen
    нет
    """
)


def clean_company(raw: str) -> CleanValue | None:
    """Make a company's name one visible line; None for what only fills the box, as `n/a`."""
    text, notes = clean_line(raw, LONGEST_NAME)
    if not text or text.casefold() in _NO_COMPANY or is_free_mail(text.casefold()):
        return None
    return CleanValue(value=text, raw=storable(raw), notes=notes)


def clean_website(raw: str) -> CleanValue | None:
    """Make a web address complete: https:// where no scheme was typed, host in lower case.

    Returns:
        None for anything but a http or https address of a host with a dot; no user or password.
    """
    text, notes = clean_line(raw.strip(), LONGEST_FIELD)
    parts = _split(text)
    if parts is None:
        return None
    host = ascii_domain((parts.hostname or "").rstrip("."))
    port = f":{parts.port}" if parts.port else ""
    address = parts._replace(scheme=parts.scheme.lower(), netloc=host + port)
    path = (
        "" if address.path == "/" and not address.query and not address.fragment else address.path
    )
    return CleanValue(value=address._replace(path=path).geturl(), raw=storable(raw), notes=notes)


def company_domain(website: CleanValue | None, email: CleanValue | None) -> CleanValue | None:
    """Name the domain of the person's company: registrable, ASCII, lower case.

    The website comes first, then the e-mail address; domains where anybody can have an address or
    a page, throw-away ones, and likely slips of the pen are never a company. The note says which
    it was: `from:website` or `from:email`.
    """
    candidates = []
    if website is not None:
        host = urlsplit(website.value).hostname or ""
        candidates.append((host, "from:website", website.raw))
    if email is not None and not any(note.startswith("suggest:") for note in email.notes):
        candidates.append((domain_of(email.value), "from:email", email.raw))
    for host, evidence, raw in candidates:
        domain = registrable_domain(host)
        if domain and not _is_shared(host, domain):
            return CleanValue(value=domain, raw=raw, notes=(evidence,))
    return None


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str:
    """Cut a host to what somebody registered, by the public suffix list: example.co.uk.

    Returns:
        Empty for IP addresses, single words and public suffixes themselves.
    """
    name = ascii_domain(host.rstrip("."))
    if "." not in name or name.startswith("[") or name.rpartition(".")[2].isdigit():
        return ""
    return _public_suffixes().privatesuffix(name) or ""


@lru_cache(maxsize=1)
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@lru_cache(maxsize=4096)
def _is_shared(host: str, domain: str) -> bool:
    """Tell whether many unrelated people have something under a domain."""
    return (
        domain in _SHARED_SITES or is_free_mail(domain) or is_free_mail(host) or is_disposable(host)
    )


def _split(text: str) -> SplitResult | None:
    """Take a web address apart; None when it is none."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "https", text.removeprefix("//")
    if scheme.lower() not in {"http", "https"} or " " in rest:
        return None
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host = parts.hostname or ""
        is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return None
    labels = ascii_domain(host.rstrip(".")).split(".")
    is_host = len(labels) > 1 and all(
        label and len(label) < 64 and label.replace("-", "").replace("_", "").isalnum()
        for label in labels
    )
    return parts if is_host and is_sound and parts.username is None else None
