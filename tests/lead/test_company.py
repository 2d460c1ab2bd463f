"""Companies: their names, websites, and the domain that stands for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.company import (
    clean_company,
    clean_website,
    company_domain,
    registrable_domain,
)
from chalicelib.lead.email import clean_email

DOMAINS = [
    # website, e-mail, domain or None, note
    ("https://www.example.com/about", "", "example.com", "from:website"),
    ("example.com", "", "example.com", "from:website"),
    ("shop.example.co.uk", "", "example.co.uk", "from:website"),
    ("www.example.com.au", "", "example.com.au", "from:website"),
    ("example.co.jp", "", "example.co.jp", "from:website"),
    ("a.b.example.com.br", "", "example.com.br", "from:website"),
    ("www.bücher.example", "", "xn--bcher-kva.example", "from:website"),
    ("https://xn--bcher-kva.example", "", "xn--bcher-kva.example", "from:website"),
    ("例子.广告", "", "xn--fsqu00a.xn--4rr70v", "from:website"),
    ("EXAMPLE.COM.", "", "example.com", "from:website"),
    ("acme.github.io", "", "acme.github.io", "from:website"),
    ("", "ann@example.com", "example.com", "from:email"),
    ("", "ann@mail.example.de", "example.de", "from:email"),
    ("", "ann@student.example.ac.uk", "example.ac.uk", "from:email"),
    ("", "ann@bücher.example", "xn--bcher-kva.example", "from:email"),
    ("example.org", "ann@example.com", "example.org", "from:website"),
    ("facebook.com/acme", "ann@example.com", "example.com", "from:email"),
    ("linkedin.com/company/acme", "ann@example.com", "example.com", "from:email"),
    ("http://192.0.2.1/", "ann@example.com", "example.com", "from:email"),
    ("example.org", "ann@gmail.com", "example.org", "from:website"),
    ("gmail.com", "ann@gmail.com", None, ""),
    ("de.linkedin.com/in/ann", "", None, ""),
    ("co.uk", "", None, ""),
    ("", "ann@gmail.com", None, ""),
    ("", "ann@googlemail.com", None, ""),
    ("", "ann@outlook.com", None, ""),
    ("", "ann@hotmail.co.uk", None, ""),
    ("", "ann@yahoo.co.jp", None, ""),
    ("", "ann@web.de", None, ""),
    ("", "ann@gmx.at", None, ""),
    ("", "ann@t-online.de", None, ""),
    ("", "ann@freenet.de", None, ""),
    ("", "ann@orange.fr", None, ""),
    ("", "ann@laposte.net", None, ""),
    ("", "ann@libero.it", None, ""),
    ("", "ann@wp.pl", None, ""),
    ("", "ann@onet.pl", None, ""),
    ("", "ann@seznam.cz", None, ""),
    ("", "ann@mail.ru", None, ""),
    ("", "ann@ukr.net", None, ""),
    ("", "ann@qq.com", None, ""),
    ("", "ann@vip.qq.com", None, ""),
    ("", "ann@post.web.de", None, ""),
    ("", "ann@163.com", None, ""),
    ("", "ann@naver.com", None, ""),
    ("", "ann@rediffmail.com", None, ""),
    ("", "ann@uol.com.br", None, ""),
    ("", "ann@icloud.com", None, ""),
    ("", "ann@proton.me", None, ""),
    ("", "ann@hey.com", None, ""),
    ("", "ann@mailinator.com", None, ""),
    ("", "ann@gmail.con", None, ""),
    ("", "ann@gmial.com", None, ""),
    ("", "ann@[192.0.2.1]", None, ""),
    ("", "", None, ""),
]

WEBSITES = [
    ("example.com", "https://example.com"),
    ("example.com/", "https://example.com"),
    ("www.example.com/a/b?c=d#e", "https://www.example.com/a/b?c=d#e"),
    ("HTTP://Example.COM:8080", "http://example.com:8080"),
    ("//example.com", "https://example.com"),
    ("bücher.example", "https://xn--bcher-kva.example"),
    ("javascript:alert(1)", None),
    ("javascript://example.com/%0aalert(1)", None),
    ("data:text/html,x", None),
    ("ftp://example.com", None),
    ("file:///etc/passwd", None),
    ("http://user:pass@example.com", None),
    ("http://example.com:99999", None),
    ("localhost", None),
    ("https://", None),
    ("https://[::1]/", None),
    ("a..b.com", None),
    ("n/a", None),
    ("we have none", None),
    ("", None),
]


@pytest.mark.parametrize(("website", "email", "domain", "note"), DOMAINS)
def test_the_domain_of_a_company_is_registrable_and_never_shared(
    website: str, email: str, domain: str | None, note: str
) -> None:
    found = company_domain(clean_website(website), clean_email(email))
    assert (found.value if found else None) == domain
    if found:
        assert found.notes == (note,)


@pytest.mark.parametrize(("raw", "clean"), WEBSITES)
def test_only_an_address_of_the_web_is_a_website(raw: str, clean: str | None) -> None:
    found = clean_website(raw)
    assert (found.value if found else None) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Acme GmbH & Co. KG", "Acme GmbH & Co. KG"),
        ("  Acme\n Ltd ", "Acme Ltd"),
        ("株式会社 例", "株式会社 例"),
        ("<b>Acme</b>", "<b>Acme</b>"),
        ('=HYPERLINK("x")', '=HYPERLINK("x")'),
        ("n/a", None),
        ("N/A", None),
        ("-", None),
        ("privat", None),
        (" ", None),
    ],
)
def test_a_company_is_kept_as_written_but_for_what_only_fills_the_box(
    raw: str, clean: str | None
) -> None:
    found = clean_company(raw)
    assert (found.value if found else None) == clean


@pytest.mark.parametrize("host", ["com", "co.uk", "192.0.2.1", "localhost", ""])
def test_a_host_that_nobody_registered_has_no_registrable_domain(host: str) -> None:
    assert registrable_domain(host) == ""


@given(st.text(max_size=40) | st.from_regex(r"[a-z.]{1,9}\.com/?[a-z?=]{0,9}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_cleaning_a_website_twice_equals_once(raw: str) -> None:
    once = clean_website(raw)
    if once is not None:
        twice = clean_website(once.value)
        assert twice is not None
        assert twice.value == once.value
