"""E-mail addresses: what is taken, what is noted, and which are one person's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Settings
from chalicelib.lead.email import clean_email, email_key

HUB = Settings()

CLEAN = [
    # given, value, notes
    ("ann@example.com", "ann@example.com", ()),
    ("Ann.Lee@example.com", "Ann.Lee@example.com", ()),
    ("ann@EXAMPLE.COM", "ann@example.com", ()),
    ("  ann@example.com\t", "ann@example.com", ()),
    ("ann@example.com\n", "ann@example.com", ()),
    ("ann+tag@example.com", "ann+tag@example.com", ()),
    ("o'neil@example.org", "o'neil@example.org", ()),
    ("ann_lee-2@mail.example.co.uk", "ann_lee-2@mail.example.co.uk", ()),
    ("1@example.net", "1@example.net", ()),
    ("ann@example.test", "ann@example.test", ()),
    ("ann\u200b@exam\ufeffple.com", "ann@example.com", ()),
    ("\u202eann@example.com", "ann@example.com", ()),
    ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com", ()),
    ("ann@example。com", "ann@example.com", ()),
    ("ann@bücher.example", "ann@bücher.example", ()),
    ("ann@xn--bcher-kva.example", "ann@bücher.example", ()),
    ("ann@BÜCHER.example", "ann@bücher.example", ()),
    ("иван@почта.рф", "иван@почта.рф", ()),
    ("用户@例子.广告", "用户@例子.广告", ()),
    ("jürgen@example.de", "jürgen@example.de", ()),
    ("ju\u0308rgen@example.de", "jürgen@example.de", ()),
    ('"ann lee"@example.com', '"ann lee"@example.com', ()),
    ("ann@[192.0.2.1]", "ann@[192.0.2.1]", ("ip_domain",)),
    # what stands around it
    ("mailto:ann@example.com", "ann@example.com", ("repaired",)),
    ("mailto:ann@example.com?subject=Hi", "ann@example.com", ("repaired",)),
    ("Ann Lee <ann@example.com>", "ann@example.com", ("repaired",)),
    ("<ann@example.com>", "ann@example.com", ("repaired",)),
    ("(ann@example.com)", "ann@example.com", ("repaired",)),
    ("“ann@example.com”", "ann@example.com", ("repaired",)),
    ("ann@example.com.", "ann@example.com", ("repaired",)),
    ("ann@example.com,", "ann@example.com", ("repaired",)),
    ("ann @ example.com", "ann@example.com", ("repaired",)),
    ("my mail is ann@example.com", "ann@example.com", ("repaired",)),
    ("ann@example.com; bob@example.com", "ann@example.com", ("several",)),
    ("ann@example.com/bob@example.org ann@example.net", "ann@example.net", ("repaired",)),
    # judgements
    ("info@example.com", "info@example.com", ("role_address",)),
    ("INFO@example.com", "info@example.com", ("role_address",)),
    ("sales2@example.com", "sales2@example.com", ("role_address",)),
    ("kontakt@example.de", "kontakt@example.de", ("role_address",)),
    ("buchhaltung@example.de", "buchhaltung@example.de", ("role_address",)),
    ("no-reply@example.com", "no-reply@example.com", ("role_address",)),
    ("info+x@example.com", "info+x@example.com", ("role_address",)),
    ("informatik@example.com", "informatik@example.com", ()),
    ("ann@gmail.com", "ann@gmail.com", ("free_mail",)),
    ("ann@web.de", "ann@web.de", ("free_mail",)),
    ("ann@gmx.net", "ann@gmx.net", ("free_mail",)),
    ("ann@t-online.de", "ann@t-online.de", ("free_mail",)),
    ("ann@orange.fr", "ann@orange.fr", ("free_mail",)),
    ("ann@wp.pl", "ann@wp.pl", ("free_mail",)),
    ("ann@mail.ru", "ann@mail.ru", ("free_mail",)),
    ("ann@qq.com", "ann@qq.com", ("free_mail",)),
    ("ann@docomo.ne.jp", "ann@docomo.ne.jp", ("free_mail",)),
    ("info@gmail.com", "info@gmail.com", ("role_address", "free_mail")),
    ("ann@mailinator.com", "ann@mailinator.com", ("disposable", "free_mail")),
    ("ann@x.mailinator.com", "ann@x.mailinator.com", ("disposable",)),
    ("ann@yopmail.com", "ann@yopmail.com", ("disposable", "free_mail")),
    # slips: proposed, never applied
    ("ann@gmial.com", "ann@gmial.com", ("suggest:gmail.com",)),
    ("ann@gmai.com", "ann@gmai.com", ("suggest:gmail.com",)),
    ("ann@gmaill.com", "ann@gmaill.com", ("suggest:gmail.com",)),
    ("ann@gmail.con", "ann@gmail.con", ("suggest:gmail.com",)),
    ("ann@gmail.co", "ann@gmail.co", ("suggest:gmail.com",)),
    ("ann@gmail.cm", "ann@gmail.cm", ("suggest:gmail.com",)),
    ("ann@hotmial.com", "ann@hotmial.com", ("suggest:hotmail.com",)),
    ("ann@hotmail.con", "ann@hotmail.con", ("suggest:hotmail.com",)),
    ("ann@yaho.com", "ann@yaho.com", ("suggest:yahoo.com",)),
    ("ann@outlok.com", "ann@outlok.com", ("suggest:outlook.com",)),
    ("ann@iclould.com", "ann@iclould.com", ("suggest:icloud.com",)),
    ("ann@firm.con", "ann@firm.con", ("suggest:firm.com",)),
    ("ann@mail.com", "ann@mail.com", ("free_mail",)),
    ("ann@gmx.com", "ann@gmx.com", ("free_mail",)),
    ("ann@live.de", "ann@live.de", ("free_mail",)),
    # letters that look like others
    ("аnn@example.com", "аnn@example.com", ("mixed_script",)),
    ("ann@exаmple.com", "ann@exаmple.com", ("mixed_script",)),
    ("ann@аррӏе.com", "ann@аррӏе.com", ("mixed_script",)),
    ("田中taro@example.jp", "田中taro@example.jp", ()),
]

NO_ADDRESS = [
    "",
    " ",
    "ann",
    "ann@",
    "@example.com",
    "ann@localhost",
    "ann@example",
    "ann@server.local",
    "ann@1.2.3.4",
    "ann@exa_mple.com",
    "a..b@example.com",
    "ann@example..com",
    "ann@-example.com",
    "ann lee",
    "ann at example dot com",
    "n/a",
    "+49 30 901820",
    "@" * 300,
    "a" * 10_000 + "@example.com",
    "please write to me " * 20 + "ann@example.com",
    "ann@" + "a." * 200 + "com",
]

KEYS = [
    # clean address, key
    ("Ann@example.com", "ann@example.com"),
    ("a.nn@example.com", "a.nn@example.com"),
    ("ann+x@example.com", "ann+x@example.com"),
    ("Ann.Lee+x@gmail.com", "annlee@gmail.com"),
    ("annlee@googlemail.com", "annlee@gmail.com"),
    ("+x@gmail.com", "+x@gmail.com"),
    ("ann.lee+x@outlook.com", "ann.lee@outlook.com"),
    ("ann.lee@hotmail.com", "ann.lee@hotmail.com"),
    ("ann+x@fastmail.com", "ann@fastmail.com"),
    ("ann.lee@pm.me", "annlee@proton.me"),
    ("ann+x@me.com", "ann@icloud.com"),
    ("ann@ya.ru", "ann@yandex.ru"),
    ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ("Jürgen@example.de", "jürgen@example.de"),
    ('"Ann Lee"@example.com', '"ann lee"@example.com'),
    ("ﬁona@example.com", "fiona@example.com"),
]


@pytest.mark.parametrize(("raw", "value", "notes"), CLEAN)
def test_an_address_is_made_fit_for_use(raw: str, value: str, notes: tuple[str, ...]) -> None:
    clean = clean_email(raw)
    assert clean is not None
    assert (clean.value, clean.notes, clean.raw) == (value, notes, raw)


@pytest.mark.parametrize("raw", NO_ADDRESS)
def test_what_is_no_address_is_none(raw: str) -> None:
    assert clean_email(raw) is None


@pytest.mark.parametrize(("value", "key"), KEYS)
def test_addresses_of_one_mailbox_have_one_key(value: str, key: str) -> None:
    assert email_key(value, HUB) == key


def test_dots_and_tags_count_where_the_settings_say_so() -> None:
    strict = Settings(fold_mail_dots=False, fold_mail_plus=False)
    assert email_key("Ann.Lee+x@googlemail.com", strict) == "ann.lee+x@gmail.com"


def test_a_look_alike_is_never_the_same_person() -> None:
    latin, cyrillic = email_key("ann@example.com", HUB), email_key("аnn@example.com", HUB)
    assert latin != cyrillic


def test_sharp_s_and_double_s_are_two_mailboxes() -> None:
    assert email_key("straße@example.de", HUB) != email_key("strasse@example.de", HUB)


def test_a_lone_surrogate_is_replaced_in_the_raw_value_too() -> None:
    clean = clean_email("\ud800 ann@example.com")
    assert clean is not None
    assert clean.value == "ann@example.com"
    assert "\ud800" not in clean.raw


@given(st.text(max_size=40) | st.from_regex(r"[a-z.+]{1,8}@[a-zé]{1,8}\.(com|de)", fullmatch=True))
@settings(max_examples=150, deadline=None)
def test_cleaning_twice_equals_once_whatever_is_given(raw: str) -> None:
    once = clean_email(raw)
    if once is not None:
        twice = clean_email(once.value)
        assert twice is not None
        assert twice.value == once.value
        assert email_key(once.value, HUB) == email_key(twice.value, HUB)
