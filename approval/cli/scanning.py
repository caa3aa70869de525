"""Scan as mail scanners do: open a mail's links in every way that a machine does, press nothing."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import certifi
import urllib3
from lxml import etree, html
from urllib3.exceptions import HTTPError, SSLError

from approval.section import leads_somewhere

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; SkypeUriPreview Preview/0.5)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "ProofpointURLDefense/1.0",
)
ROUTES = {"accept", "decline", "multiple", "review"}  # where links of mails lead
TIMES = 100  # that one link is opened
TOGETHER = 8
TIMEOUT = 10.0  # seconds for each request
FOLLOWED = 20  # links of the pages that are opened too
PAGE = 2**20  # bytes of a page that are read
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """One request and its answer; status 0 if there was none, and `untrusted` says why with TLS."""

    method: str
    url: str
    status: int
    body: bytes = b""
    untrusted: str = ""

    @property
    def line(self) -> str:
        """What was done, without the token."""
        return f"{self.method:7} {urlsplit(self.url).path:12} {self.status or 'no answer'}"


def ask(method: str, url: str, agent: str = AGENTS[0], ca_file: Path | None = None) -> Seen:
    """Send one request, without following where it leads."""
    trusted = str(ca_file or certifi.where())
    try:
        with urllib3.PoolManager(ca_certs=trusted) as pools:
            answer = pools.urlopen(
                method,
                url,
                headers={"User-Agent": agent},
                timeout=TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            with closing(answer):
                return Seen(method, url, answer.status, answer.read(PAGE, decode_content=True))
    except SSLError as error:
        return Seen(method, url, 0, untrusted=_reason(error))
    except (HTTPError, OSError):
        return Seen(method, url, 0)


def links_of(page: Seen) -> list[str]:
    """The links of a page that lead to the same host, and nowhere else."""
    tree = _tree(page)
    found = [] if tree is None else [urljoin(page.url, href) for href in tree.xpath("//a/@href")]
    same = [urldefrag(url).url for url in found if _host(url) == _host(page.url)]
    return list(dict.fromkeys(same))[:FOLLOWED]


def self_submitting(page: Seen) -> list[str]:
    """What on a page would act without a press: scripts, and redirects by the page itself."""
    tree = _tree(page)
    if tree is None:
        return []
    return [
        etree.tostring(element, encoding="unicode")[:80]
        for element in tree.xpath("//script | //*[@onload] | //meta[@http-equiv='refresh']")
    ]


def scan(urls: Sequence[str], ca_file: Path | None = None) -> Iterator[Seen]:
    """Open these links as scanners do: looks first, previews, all at once, over and over."""
    send = partial(ask, ca_file=ca_file)
    for order in (urls, urls[::-1]):
        for url in order:
            yield from (send(method, url) for method in ("HEAD", "OPTIONS", "GET"))
    yield from (send("GET", url, agent) for url in urls for agent in AGENTS)
    with ThreadPoolExecutor(TOGETHER) as threads:
        yield from threads.map(lambda url: send("GET", url), [*urls] * TOGETHER)
        yield from threads.map(lambda _: send("GET", urls[0]), range(TIMES))
    for url in urls:
        yield from (send("GET", link) for link in links_of(send("GET", url)))


def state(page: Seen) -> tuple[int, str]:
    """What a page says, as far as it does not change with the time of day."""
    tree = _tree(page)
    if tree is None:
        return page.status, ""
    for ago in tree.xpath(
        "//time | //*[contains(@class, 'quiet')] | //*[contains(@class, 'small')]"
    ):
        ago.drop_tree()
    return page.status, " ".join(tree.text_content().split())


def scan_test(url: str, tell: Tell, ca_file: Path | None = None) -> bool:
    """Scan one link and tell each request; says whether the page is what it was."""
    if not _is_of_a_mail(url):
        tell(
            "problem  this is no link of a mail: those lead to accept, decline, multiple or "
            "review, and hold a token; put the whole link in quotes, for a shell cuts it at &"
        )
        return False
    before = ask("GET", url, ca_file=ca_file)
    if not before.status:
        tell(_unanswered(before))
        return False
    if before.status != 200:
        tell(f"problem  {before.line.strip()}: take a link that still works from a mail")
        return False
    seen = list(scan([url], ca_file))
    after = ask("GET", url, ca_file=ca_file)
    lines = [each.line for each in seen]
    for line in dict.fromkeys(lines):
        tell(f"{lines.count(line):4} x {line}")
    acting = self_submitting(before)
    for element in acting:
        tell(f"problem  the page would act by itself: {element}")
    broken = [each for each in seen if not each.status or each.status >= 400]
    same = state(after) == state(before)
    tell(f"{len(seen)} requests, {len(broken)} of them refused or without answer")
    tell(
        "the page says the same as before: as far as it shows, nothing was decided"
        if same
        else "problem  the page says something else than before; look at it, somebody may "
        "have decided meanwhile"
    )
    return same and not broken and not acting


def _is_of_a_mail(url: str) -> bool:
    if not leads_somewhere(url):
        return False
    parts = urlsplit(url)
    asks = parts.path.rpartition("/")[2] in ROUTES and "token" in parse_qs(parts.query)
    return asks and parts.scheme in ("http", "https")


def _unanswered(seen: Seen) -> str:
    """Why there is no page, and what to do."""
    place = urlsplit(seen.url).netloc
    if seen.untrusted:
        return (
            f"problem  {place} answers, but TLS fails: {seen.untrusted}; where you have an "
            "authority of your own name its certificate (PEM) with --ca-file"
        )
    return (
        f"problem  nobody answers at {place}: see that the gate runs, and that it can be "
        "reached from here"
    )


def _reason(error: BaseException) -> str:
    """What TLS says, from the layer that knows; those above repeat the link with its token."""
    while not isinstance(error, ssl.SSLError) and (inner := error.__cause__ or error.__context__):
        error = inner
    return str(error) if isinstance(error, ssl.SSLError) else type(error).__name__


def _host(url: str) -> tuple[str, str]:
    return urlsplit(url)[:2]


def _tree(page: Seen) -> html.HtmlElement | None:
    try:
        return html.fromstring(page.body) if page.body else None
    except (etree.ParserError, ValueError):
        return None
