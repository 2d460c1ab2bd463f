"""The outbound client: which addresses it refuses, and what it does with every kind of answer."""

import gzip
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.addresses import check_url, is_public
from chalicelib.connector import Api
from chalicelib.errors import (
    Expired,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    Refused,
    TryLater,
    Uncertain,
)
from chalicelib.web import Answer, Web, provider_get, retry_after_seconds

NOW = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
PUBLIC = "93.184.215.14"


@dataclass
class Resolver:
    """Answers from a list, one answer for each call; the last one stays."""

    answers: list[tuple[str, ...]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def no_dial(address: str, port: int, seconds: float) -> socket.socket:
    raise AssertionError(f"dialled {address}:{port}")


def web_that_resolves(*answers: tuple[str, ...], **more: Any) -> Web:
    return Web(resolve=Resolver(list(answers)), **{"dial": no_dial, **more})


REFUSED_URLS = [
    "http://example.com/",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2/",
    "http://[fd00:ec2::254]/",
    "https://169.254.169.254/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:7f00:1]/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://\u2488\u2488example.com/",
    "https://user:pass@example.com/",
    "https://user@example.com/",
    "https://@example.com/",
    "http://a@b@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com\t/",
    "https://exam\nple.com/",
    "https://example.com/a b",
    "https://example.com/a\\b",
    "https://example.com/\x00",
    "https://example.com/\x7f",
    " https://example.com/",
    "//example.com/",
    "example.com",
    "",
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "https:///path",
    "https://?x",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:80/",
    "https://example.com:6379/",
    "https://example.com:0/",
    "https://example.com:-1/",
    "https://example.com:99999/",
    "https://example.com:x/",
    "https://[::1/",
    "https://example.com./",
    "https://.example.com/",
    "https://a..example.com/",
    "https://-a.example.com/",
    "https://exa%6dple.com/",
    "https://[fe80::1%25eth0]/",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 130 + "example.com/",
    "https://example.com/" + "a" * 9000,
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_an_address_with_a_dangerous_spelling_is_refused_before_it_is_resolved(url: str) -> None:
    web = web_that_resolves((PUBLIC,))
    with pytest.raises(Refused):
        web.read(url)
    with pytest.raises(Refused):
        web.post(url, b"{}", {})
    assert web.resolve.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://Hooks.Example.com:8443/a/b?c=d#e", "hooks.example.com", 8443, "/a/b?c=d"),
        ("HTTPS://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://a_b.example.com/?", "a_b.example.com", 443, "/"),
    ],
)
def test_an_ordinary_address_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = check_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)
    assert not target.is_private


REFUSED_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255
192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255
192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.254 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:0:1::1 2001:2::1
2001:10::1 2001:20::1 2001:1ff::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 2620:4f:8000::1
3ffe::1 3fff::1 3fff:fff::1 5f00::1 4000::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 fe80::1%1
fe80::1%eth0 2600::1%eth0 febf::1 fec0::1 feff::1 ff02::1 ff0e::1
localhost example.com 1.2.3 01.2.3.4 1.2.3.4.5 1.2.3.4/32
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_an_address_of_a_special_network_is_never_dialled(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Refused):
        web_that_resolves((address,)).read("https://example.com/")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
        ),
        *("172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0"),
        *("198.17.255.255", "198.20.0.0", "223.255.255.255", PUBLIC),
        *("2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450::1"),
    ],
)
def test_the_refused_networks_end_where_they_should(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_with_one_private_address_among_public_ones_is_refused(order: int) -> None:
    answers = (PUBLIC, "10.0.0.7")[::order]
    with pytest.raises(Refused):
        web_that_resolves(answers).post("https://example.com/", b"", {})


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
def test_the_real_resolver_cannot_lead_to_loopback(host: str) -> None:
    with pytest.raises(Refused):
        Web(dial=no_dial).read(f"https://{host}/")


def test_a_name_that_is_not_found_is_tried_later() -> None:
    with pytest.raises(TryLater):
        web_that_resolves(()).read("https://example.com/")


def test_a_private_host_must_really_be_loopback() -> None:
    web = web_that_resolves(("10.0.0.1",), private_hosts=("stand-in:8099",))
    with pytest.raises(Refused):
        web.read("http://stand-in:8099/")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8098/", "http://localhost:8099/", "https://127.0.0.1:8099/"]
)
def test_a_private_host_opens_that_port_by_plain_http_and_nothing_else(url: str) -> None:
    web = Web(private_hosts=("127.0.0.1:8099",), dial=no_dial)
    with pytest.raises(Refused):
        web.read(url)


Script = Callable[[socket.socket, bytes], None]


@dataclass
class Loopback:
    """A server on 127.0.0.1 that does with each connection as its script says."""

    port: int
    seen: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    def web(self, **more: Any) -> Web:
        return Web(private_hosts=(f"127.0.0.1:{self.port}",), now=lambda: NOW, **more)


def read_request(sock: Any) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(
    script: Callable[[Any, Loopback], None], tls: ssl.SSLContext | None = None
) -> Iterator[Loopback]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Loopback(listener.getsockname()[1])

    def run() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            try:
                with tls.wrap_socket(sock, server_side=True) if tls else sock as wire:
                    server.seen.append(read_request(wire))
                    script(wire, server)
            except OSError:
                continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


def saying(*parts: bytes) -> Callable[[Any, Loopback], None]:
    def script(sock: Any, server: Loopback) -> None:
        for part in parts:
            sock.sendall(part)

    return script


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_json_is_read_over_http_from_the_stages_own_server() -> None:
    with serving(saying(response(b'{"id": "1"}'))) as server:
        assert server.web().read(server.url, {"X-Version": "7"}) == {"id": "1"}
    head = server.seen[0].split(b"\r\n")
    assert head[0] == b"GET /hook?x=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert b"X-Version: 7" in head
    assert b"Accept-Encoding: identity" in head


def test_a_posted_body_arrives_as_it_is() -> None:
    with serving(saying(response(b"ok"))) as server:
        answer = server.web().post(server.url, b'{"a":\xff}', {"Content-Type": "text/x"})
    assert answer == Answer(200, "ok", None)
    assert server.seen[0].endswith(b'\r\n\r\n{"a":\xff}')


def test_a_chunked_answer_is_put_together() -> None:
    chunks = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
    )
    with serving(saying(chunks)) as server:
        assert server.web().read(server.url) == [1, 2]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *(("401 X", Refused), ("403 X", Refused), ("400 X", Refused), ("426 X", Refused)),
        *(("404 X", Gone), ("410 X", Gone)),
        *(("408 X", TryLater), ("425 X", TryLater), ("429 X", TryLater)),
        *(("500 X", TryLater), ("502 X", TryLater), ("503 X", TryLater), ("504 X", TryLater)),
        *(("301 X", Refused), ("302 X", Refused), ("303 X", Refused)),
        *(("307 X", Refused), ("308 X", Refused), ("304 X", Refused)),
    ],
)
def test_each_status_means_what_happens_next(status: str, error: type[HubError]) -> None:
    location = "Location: http://127.0.0.1:1/"
    with serving(saying(response(b"{}", status, location))) as server:
        with pytest.raises(error):
            server.web().read(server.url)
        assert server.web().post(server.url, b"", {}).status == int(status[:3])
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("120", 120), ("0", 0), ("-5", 0), ("315360000", 86400), ("9" * 5000, None)),
        *(("soon", None), ("", None), ("1.5", None)),
        ("Fri, 01 Jan 2027 12:01:30 GMT", 90),
        ("Fri, 01 Jan 2027 11:00:00 GMT", 0),
        ("Tue, 01 Jan 2999 00:00:00 GMT", 86400),
        ("Fri, 01 Jan 2027 12:01:30", 90),
    ],
)
def test_retry_after_is_held_between_nothing_and_a_day(text: str, seconds: int | None) -> None:
    assert retry_after_seconds(text, NOW) == seconds


def test_retry_after_comes_with_the_error_and_with_the_answer() -> None:
    busy = response(b"", "429 Too Many", "Retry-After: 33")
    with serving(saying(busy)) as server:
        with pytest.raises(TryLater) as caught:
            server.web().read(server.url)
        assert caught.value.retry_after_seconds == 33
        assert server.web().post(server.url, b"", {}).retry_after_seconds == 33


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"NaN",
        b'{"a": Infinity}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b'{"a":',
    ],
)
def test_an_answer_that_is_not_json_is_malformed(body: bytes) -> None:
    with serving(saying(response(body))) as server, pytest.raises(Malformed):
        server.web().read(server.url)


def test_a_compressed_answer_is_not_opened() -> None:
    bomb = gzip.compress(b" " * 10_000_000 + b"{}")
    with (
        serving(saying(response(bomb, "200 OK", "Content-Encoding: gzip"))) as server,
        pytest.raises(Malformed, match="compressed"),
    ):
        server.web().read(server.url)


def endless(sock: Any, server: Loopback) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.done.is_set():
        sock.sendall(b" " * 65536)


def test_an_endless_answer_is_cut_off() -> None:
    with serving(endless) as server:
        with pytest.raises(Malformed, match="longer"):
            server.web().read(server.url)
        answer = server.web().post(server.url, b"", {})
    assert answer == Answer(200, " " * 1024, None)


def forever(part: bytes, *first: bytes) -> Callable[[Any, Loopback], None]:
    def script(sock: Any, server: Loopback) -> None:
        for each in first:
            sock.sendall(each)
        while not server.done.wait(0.02):
            sock.sendall(part)

    return script


SLOW = [
    pytest.param(forever(b""), id="says nothing"),
    pytest.param(forever(b"H"), id="drips its first line"),
    pytest.param(forever(b"x", b"HTTP/1.1 200 OK\r\nX-A: "), id="drips a header"),
    pytest.param(forever(b"HTTP/1.1 100 Continue\r\n\r\n"), id="says 100 Continue again and again"),
]


@pytest.mark.parametrize("script", SLOW)
def test_the_time_cap_is_for_the_whole_exchange(script: Callable[[Any, Loopback], None]) -> None:
    with serving(script) as server:
        web = server.web(total_seconds=0.2)
        with pytest.raises(TryLater):
            web.read(server.url)
        with pytest.raises(Uncertain):
            web.post(server.url, b"{}", {})


def test_a_body_that_drips_costs_a_get_its_answer_and_a_post_nothing() -> None:
    with serving(forever(b" ", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")) as server:
        web = server.web(total_seconds=0.2)
        with pytest.raises(TryLater):
            web.read(server.url)
        assert web.post(server.url, b"{}", {}).status == 200


BROKEN = [
    pytest.param(b"", id="closes at once"),
    pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n{}", id="64 KB header"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n{}", id="200 headers"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, id="20,000 interim answers"),
]


@pytest.mark.parametrize("said", BROKEN)
def test_no_proper_answer_is_tried_later_but_uncertain_for_a_post(said: bytes) -> None:
    with serving(saying(said)) as server:
        with pytest.raises(TryLater):
            server.web().read(server.url)
        with pytest.raises(Uncertain):
            server.web().post(server.url, b"{}", {})


@pytest.mark.parametrize(
    "said",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"a": 1}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"a": 1}',
    ],
)
def test_an_answer_shorter_than_it_said_is_read_again_later(said: bytes) -> None:
    with serving(saying(said)) as server:
        with pytest.raises(TryLater):
            server.web().read(server.url)
        assert server.web().post(server.url, b"", {}).status == 200


def test_nobody_listening_is_tried_later_also_for_a_post() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    web = Web(private_hosts=(f"127.0.0.1:{port}",))
    with pytest.raises(TryLater):
        web.read(f"http://127.0.0.1:{port}/")
    with pytest.raises(TryLater):
        web.post(f"http://127.0.0.1:{port}/", b"", {})


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer abc\r\nX: y"}, {"X\r\nY": "a"}, {"X": "\u20ac"}]
)
def test_a_header_that_could_smuggle_another_is_our_own_mistake(headers: dict[str, str]) -> None:
    with serving(saying(response(b"{}"))) as server, pytest.raises(Misconfigured) as caught:
        server.web(total_seconds=1).read(server.url, headers)
    assert "abc" not in str(caught.value)
    assert all(not seen for seen in server.seen)


def test_errors_name_the_host_and_neither_path_nor_query() -> None:
    down = saying(response(b"secret-body", "500 X"))
    with serving(down) as server, pytest.raises(TryLater) as caught:
        server.web().read(f"http://127.0.0.1:{server.port}/secret-path?token=secret-token")
    assert "secret" not in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used() -> None:
    code = (
        "import sys; from chalicelib.web import Web\n"
        "print(Web(private_hosts=(sys.argv[1],)).read('http://' + sys.argv[1] + '/'))"
    )
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    with serving(saying(response(b"[7]"))) as server:
        ran = subprocess.run(
            [sys.executable, "-c", code, f"127.0.0.1:{server.port}"],
            env={**os.environ, **proxies, "NO_PROXY": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.stdout == "[7]\n", ran.stderr


@dataclass
class Authority:
    """A certificate authority made for one test run."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> str:
        return str(self.folder / "ca.pem")

    def server(self, name: str, days: int = 1, signed_by_itself: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        signer, issuer = (key, named(name)) if signed_by_itself else (self.key, named("Test CA"))
        certificate = build(name, key, issuer, days).sign(signer, hashes.SHA256())
        file = self.folder / f"{name}{days}{signed_by_itself}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def build(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, days: int, is_ca: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("ca")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = build("Test CA", key, named("Test CA"), 1, is_ca=True)
    certificate = builder.sign(key, hashes.SHA256())
    made = Authority(folder, key, certificate)
    Path(made.file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return made


def secure_web(server: Loopback, resolver: Resolver, ca_file: str, dialled: list[str]) -> Web:
    """Resolve to public addresses, and stand the loopback server in for whichever is dialled."""

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        dialled.append(f"{address}:{port}")
        return socket.create_connection(("127.0.0.1", server.port), seconds)

    return Web(resolve=resolver, dial=dial, ca_file=ca_file, total_seconds=3)


def test_a_rebinding_name_is_resolved_once_and_the_checked_address_is_dialled(
    authority: Authority,
) -> None:
    tls = authority.server("hooks.example.com")
    resolver = Resolver([(PUBLIC,), ("127.0.0.1",)])
    dialled: list[str] = []
    with serving(saying(response(b"[1]")), tls) as server:
        tls.sni_callback = lambda sock, name, context: server.names.append(name)
        web = secure_web(server, resolver, authority.file, dialled)
        assert web.read("https://hooks.example.com/a") == [1]
    assert resolver.asked == ["hooks.example.com"]
    assert dialled == [f"{PUBLIC}:443"]
    assert server.names == ["hooks.example.com"]
    assert b"\r\nHost: hooks.example.com\r\n" in server.seen[0]


def test_the_next_address_is_dialled_when_one_does_not_answer(authority: Authority) -> None:
    dialled: list[str] = []
    resolver = Resolver([("2606:4700::1111", PUBLIC)])
    with serving(saying(response(b"ok")), authority.server("hooks.example.com")) as server:
        web = secure_web(server, resolver, authority.file, dialled)

        def dial(address: str, port: int, seconds: float) -> socket.socket:
            if ":" in address:
                dialled.append(address)
                raise OSError("no route")
            return web.dial(address, port, seconds)

        second = Web(resolve=resolver, dial=dial, ca_file=authority.file)
        assert second.post("https://hooks.example.com:8443/", b"x", {}).status == 200
    assert dialled == ["2606:4700::1111", f"{PUBLIC}:8443"]


@pytest.mark.parametrize(
    ("name", "days", "signed_by_itself", "trusted"),
    [
        pytest.param("other.example.com", 1, False, True, id="wrong name"),
        pytest.param("hooks.example.com", -1, False, True, id="expired"),
        pytest.param("hooks.example.com", 1, True, True, id="signed by itself"),
        pytest.param("hooks.example.com", 1, False, False, id="unknown authority"),
    ],
)
def test_a_certificate_that_does_not_prove_the_name_ends_the_connection(
    authority: Authority, name: str, days: int, signed_by_itself: bool, trusted: bool
) -> None:
    tls = authority.server(name, days, signed_by_itself)
    with serving(saying(response(b"[]")), tls) as server:
        ca_file = authority.file if trusted else ""
        web = secure_web(server, Resolver([(PUBLIC,)]), ca_file, [])
        with pytest.raises(TryLater):
            web.read("https://hooks.example.com/")
        with pytest.raises(TryLater):
            web.post("https://hooks.example.com/", b"", {})
    assert server.seen == []


def test_certificates_named_by_the_environment_are_not_trusted(authority: Authority) -> None:
    code = (
        "import socket, sys\n"
        "from chalicelib.errors import TryLater\n"
        "from chalicelib.web import Web\n"
        "dial = lambda a, p, s: socket.create_connection(('127.0.0.1', int(sys.argv[1])), s)\n"
        "web = Web(resolve=lambda h, p: ['93.184.215.14'], dial=dial)\n"
        "try: print(web.read('https://hooks.example.com/'))\n"
        "except TryLater as error: print(error)\n"
    )
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    with serving(saying(response(b"[]")), authority.server("hooks.example.com")) as server:
        ran = subprocess.run(
            [sys.executable, "-c", code, str(server.port)],
            env={**os.environ, **dict.fromkeys(names, authority.file)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.stdout == "hooks.example.com: no secure connection\n", ran.stderr


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_older_than_1_2_is_not_spoken(authority: Authority) -> None:
    tls = authority.server("hooks.example.com")
    with serving(saying(response(b"[]")), tls) as server:
        tls.set_ciphers("DEFAULT:@SECLEVEL=0")
        tls.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
        web = secure_web(server, Resolver([(PUBLIC,)]), authority.file, [])
        with pytest.raises(TryLater):
            web.read("https://hooks.example.com/")


def provider(server: Loopback, **api: Any) -> Api:
    return Api(url=f"http://127.0.0.1:{server.port}/{{version}}/", **api)


def test_a_providers_get_adds_version_headers_and_credentials() -> None:
    with serving(saying(response(b"[]"))) as server:
        api = provider(
            server,
            headers={"X-Version": "{version}"},
            authorise=lambda token, secret: (
                {"Authorization": f"Bearer {token}"},
                {"proof": secret},
            ),
        )
        get = provider_get(server.web(), api, {"version": "v9"}, "tok", "sec")
        assert get("leads/urn:li:(a,2)?b", {"fields": "id"}) == []
    head = server.seen[0].split(b"\r\n")
    assert head[0] == b"GET /v9/leads/urn:li:(a,2)%3Fb?fields=id&proof=sec HTTP/1.1"
    assert b"X-Version: v9" in head
    assert b"Authorization: Bearer tok" in head


def test_a_source_may_name_another_api_address() -> None:
    with serving(saying(response(b"[]"))) as server:
        options = {"api_url": f"http://127.0.0.1:{server.port}/mine/{{version}}", "version": "v2"}
        get = provider_get(server.web(), Api(url="https://api.example.com"), options, "", "")
        assert get("x") == []
    assert server.seen[0].startswith(b"GET /mine/v2/x HTTP/1.1")


@pytest.mark.parametrize("path", ["../admin", "a/../b", "..", "./a"])
def test_an_id_cannot_lead_out_of_the_api(path: str) -> None:
    get = provider_get(
        web_that_resolves((PUBLIC,)), Api(url="https://api.example.com/v1"), {}, "", ""
    )
    with pytest.raises(Malformed):
        get(path)


def test_a_provider_may_say_by_its_body_what_its_refusal_means() -> None:
    def refusal(status: int, body: Any) -> Exception | None:
        return TryLater("busy") if body and body.get("code") == 4 else None

    busy = response(b'{"code": 4}', "400 Bad", "Retry-After: 7")
    with serving(saying(busy)) as server:
        get = provider_get(server.web(), provider(server, refusal=refusal), {"version": 1}, "", "")
        with pytest.raises(TryLater) as caught:
            get("x")
    assert caught.value.retry_after_seconds == 7
    with serving(saying(response(b"<html>", "400 Bad"))) as server:
        get = provider_get(server.web(), provider(server, refusal=refusal), {"version": 1}, "", "")
        with pytest.raises(Refused):
            get("x")


def test_a_search_is_posted_as_json_and_its_answer_read() -> None:
    with serving(saying(response(b'{"found": 1}'))) as server:
        get = provider_get(server.web(), provider(server), {"version": 1}, "", "")
        assert get("search", query={"since": 5}) == {"found": 1}
    assert server.seen[0].startswith(b"POST /1/search HTTP/1.1")
    assert b"Content-Type: application/json\r\n" in server.seen[0]
    assert server.seen[0].endswith(b'\r\n\r\n{"since":5}')


def test_the_whole_address_of_another_page_is_taken_at_the_same_host_only() -> None:
    with serving(saying(response(b"[]"))) as server:
        host = f"127.0.0.1:{server.port}"
        api = provider(server, authorise=lambda token, secret: ({}, {"token": token}))
        get = provider_get(server.web(), api, {"version": 1}, "new", "")
        assert get(f"http://{host}/2/leads?after=a%2Bb&token=old&q=(x:1)") == []
    assert server.seen[0].startswith(b"GET /2/leads?after=a%2Bb&q=(x:1)&token=new HTTP/1.1")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.com/v1/leads",
        "http://api.example.com/v1/leads",
        "https://api.example.com:8443/v1/leads",
        "https://api.example.com@evil.example.com/",
        "https://user@api.example.com/",
        "https://api.example.com.evil.example.com/",
        "https://api.example.com/v1/../admin",
        "https://[api.example.com/",
        "http:/api.example.com",
        "https:leads",
    ],
)
def test_the_address_of_another_page_cannot_lead_elsewhere(address: str) -> None:
    get = provider_get(
        web_that_resolves((PUBLIC,)), Api(url="https://api.example.com/v1"), {}, "token", ""
    )
    with pytest.raises(Malformed):
        get(address)


def test_an_answer_that_is_no_json_is_text_where_the_connector_says_so() -> None:
    with serving(saying(response(b"email,name\n"))) as server:
        api = provider(server, gives="text")
        assert provider_get(server.web(), api, {"version": 1}, "", "")("x") == "email,name\n"
    with serving(saying(response(b'{"a": 1}'))) as server:
        api = provider(server, gives="text")
        assert provider_get(server.web(), api, {"version": 1}, "", "")("x") == {"a": 1}


def test_a_token_that_is_not_valid_any_more_is_told_apart_from_one_that_may_not() -> None:
    for status, expected in (("401 No", Expired), ("403 No", Refused)):
        for refusal in (None, lambda status, body: Refused("in other words")):
            with serving(saying(response(b"{}", status))) as server, pytest.raises(Refused) as got:
                server.web().read(server.url, None, refusal)
            assert type(got.value) is expected
