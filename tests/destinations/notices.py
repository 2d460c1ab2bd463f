"""Made-up notices, a receiver in memory, and sixty texts that mean harm."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.destination import Notice, Tools
from chalicelib.lead.model import Consent, Score, Term
from chalicelib.storage import Mail

NOW = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)
DECIDED = datetime(2026, 3, 2, 13, 4, 58, tzinfo=UTC)
SEEN = datetime(2026, 3, 2, 13, 4, tzinfo=UTC)
SECRET = "whsec_EoSUD9H5x2Ye5lRXuWajtVFoyH4V2Z9Viojgn7dr3Qs="
OLD_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SLACK_URL = "https://hooks.slack.com/services/T000/B000/not-a-real-one"
ACCEPT_URL = "https://hub.example.com/links/AbC-1"
DECLINE_URL = "https://hub.example.com/links/dEf_2"
LEAD_URL = "https://hub.example.com/leads/lead-1"


def a_notice(**changes: Any) -> Notice:
    values: dict[str, Any] = {
        "effect_id": "effect-1",
        "kind": "assigned",
        "occurred_at": DECIDED,
        "company": "Example Pumps",
        "lead_id": "lead-1",
        "lead_version": 3,
        "source_id": "website",
        "source_title": "Website",
        "form_title": "Request a demo",
        "score": Score(
            total=72,
            fit=50,
            engagement=22,
            terms=(
                Term(part="fit", rule_id="size", points=50, because="size 250 is at least 200"),
                Term(part="engagement", rule_id="demo", points=25, because="asked for a demo"),
                Term(part="engagement", rule_id="cap", points=-3, because="engagement is capped"),
            ),
        ),
        "profile": {
            "company": "Northwind & Söhne",
            "email": "maren.okafor@example.com",
            "phone": "+12025550143",
            "first_name": "Maren",
            "last_name": "Okafor",
            "website": "https://www.example.com/",
            "custom.company_size": "250",
        },
        "message": "We need ten pumps.\r\n\r\n\r\nPlease call.",
        "answers": {"When do you need it?": "in May"},
        "campaign": {"utm_source": "newsletter"},
        "first_seen_at": SEEN,
        "rule_title": "Large companies",
        "because": "Ana is owed the next lead of the pool.",
        "consents": (
            Consent(purpose="marketing", given=True, wording="Send me news."),
            Consent(purpose="phone", given=False),
        ),
        "assignment_id": "assignment-1",
        "owner_id": "ana",
        "owner_name": "Ana Ruiz",
        "owner_email": "ana@example.org",
        "language": "en",
        "time_zone": "Europe/Berlin",
        "accept_url": ACCEPT_URL,
        "decline_url": DECLINE_URL,
        "lead_url": LEAD_URL,
    }
    return Notice.model_validate(values | changes)


def an_unowned_notice(**changes: Any) -> Notice:
    nobody = {
        "kind": "unowned",
        "assignment_id": "",
        "owner_id": "",
        "owner_name": "",
        "owner_email": "",
        "accept_url": "",
        "decline_url": "",
        "because": "Nobody in the pool is on duty.",
    }
    return a_notice(**nobody | changes)


def a_hostile_notice(text: str) -> Notice:
    """Plant a text everywhere that a stranger or an admin can write."""
    fields = ("full_name", "first_name", "last_name", "company", "email", "phone", "website")
    term = Term(part="fit", rule_id=text, points=1, because=text)
    return a_notice(
        company=text,
        source_id=text,
        source_title=text,
        form_title=text,
        score=Score(total=1, fit=1, terms=(term,) * 30),
        profile=dict.fromkeys((*fields, text, "job_title", "custom.note", *_keys(text)), text),
        message="\n".join([text] * 100),
        answers=dict.fromkeys((text, *_keys(text)), text),
        campaign=dict.fromkeys((text, "utm_source", *_keys(text)), text),
        rule_title=text,
        because=text,
        consents=(Consent(purpose=text, given=True, wording=text, evidence=text),) * 20,
        assignment_id=text,
        owner_id=text,
        owner_name=text,
        language=text,
        time_zone=text,
    )


def _keys(text: str) -> list[str]:
    return [f"{text} {number}" for number in range(80)]


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    retry_after_seconds: int | None = None


@dataclass
class World:
    """Takes what is sent; `tools` are what a destination is given."""

    answer: Answer = Answer(200, "ok")
    error: Exception | None = None
    secrets: tuple[str, ...] = (SECRET,)
    mail_from: str = "leads@example.net"
    test_hosts: tuple[str, ...] = ()
    posts: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    @property
    def tools(self) -> Tools:
        return Tools(
            post=self._post,
            send_mail=self._send_mail,
            secrets=self.secrets,
            now=NOW,
            mail_from=self.mail_from,
            test_hosts=self.test_hosts,
        )

    def _post(self, url: str, body: bytes, headers: Any) -> Answer:
        if self.error:
            raise self.error
        self.posts.append((url, body, dict(headers)))
        return self.answer

    def _send_mail(self, mail: Mail) -> str:
        if self.error:
            raise self.error
        self.mails.append(mail)
        return f"message-{len(self.mails)}"


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</bdi></dd></dl><h1>Your password has run out</h1>",
    "<!--",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<a href=https://phish.example.net>Accept</a>",
    "<iframe src=https://phish.example.net></iframe>",
    "<link rel=stylesheet href=https://phish.example.net/a.css>",
    "<meta http-equiv=refresh content='0;url=https://phish.example.net'>",
    "<base href=https://phish.example.net>",
    "<form action=https://phish.example.net><input name=password>",
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<img src='https://phish.example.net/open.gif' width=1 height=1>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;!channel&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "＜script＞alert(1)＜/script＞",
    "Maren\r\nBcc: everyone@example.com",
    "Maren\nSubject: Invoice overdue",
    "Maren\rX-Injected: 1",
    "Maren\r\n\r\n<h1>another body</h1>",
    "Maren\r\n .\r\nRCPT TO:<everyone@example.com>",
    "Maren\x0bBcc: a@example.com\x0cCc: b@example.com",
    "Maren\u2028Bcc: a@example.com\u2029Cc: b@example.com\x85To: c@example.com",
    "=?utf-8?q?=0D=0ABcc:_everyone=40example.com?=",
    "=?utf-8?b?DQpCY2M6IGFAZXhhbXBsZS5jb20=?=",
    '"Boss" <boss@example.com>, everyone@example.com',
    "<!channel>",
    "<!here|here>",
    "<!everyone> @channel @here @everyone",
    "<@U012ABCDEF>",
    "<!subteam^S012ABCDEF>",
    "<https://phish.example.net|Accept or decline>",
    "*bold* _italic_ ~struck~ `code` ```block``` >quote :tada:",
    "https://phish.example.net/accept",
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %> {{constructor.constructor('alert(1)')()}}",
    "{name} {0} {owner.__class__} %s %n %(name)s",
    "\u202egnp.exe \u2066isolated\u2069 \u200b\u200e\u200f\ufeff",
    "e" + "\u0301" * 1000,
    "A" * 10_000,
    "🦀" * 10_000,
    "\"<&>'" * 2_500,
    "\x00\x01\x02\x1b[31mred\x1b[0m\x7f\x9b" * 1_000,
    "../../../../etc/passwd\x00.json",
    '=HYPERLINK("https://phish.example.net","Accept")',
    "مرحبا بالعالم שלום עולם 你好，世界 สวัสดี",
    " \t\r\n ",
)
