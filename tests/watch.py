"""A watch over the logs of the whole suite: nothing that opens a door may ever stand in them.

All that is logged, at any level by any logger, goes into one file, with what served processes
print. At the end it is searched for every token that was minted, every secret and password that
was configured, and the words of the mails.
"""

import base64
import itertools
import logging
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
import structlog

import approval
from approval.links import Links
from approval.logs import configure_logs

PACKAGE = Path(approval.__file__).parent
TEMPLATES = PACKAGE.parent / "templates/mail"
SECRET_KEYS = re.compile(r"^(?:\w*secret\w*|\w*password\w*|\w*token\w*)[ ]*=[ ]*(.+)$", re.M)
USERS = re.compile(r"^\w*username[ ]*=[ ]*(.+)$", re.M)
PHRASE = 24  # letters that stand in a mail without being filled in, and so nowhere else
# What any gate signs, whoever minted it: a list in JSON, begun by a number, and a signature.
TOKEN = re.compile(r"Wz[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
SIGNATURE = re.compile(r"[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")


class Watch:
    """What was logged, and what must not be. It is a stream, so that logs can be written to it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - as long as the suite
        self._secrets: set[str] = set()
        self._signatures: set[str] = set()
        self.lines = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return self._file.write(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False

    def read(self, file: Path) -> None:
        """Take in what another process logged."""
        self.write(file.read_text("utf-8", "replace"))

    def keys(self, folder: Path) -> None:
        """Learn the keys that a gate made for its links."""
        for file in folder.glob("*.key"):
            self.hide(*file.read_text("ascii").split())

    def settings(self, text: str) -> None:
        """Learn the secrets and passwords of settings, also as a login writes them."""
        users = USERS.findall(text)
        for secret in itertools.chain.from_iterable(map(str.split, SECRET_KEYS.findall(text))):
            self.hide(secret)
            for login in (f"{user}:{secret}" for user in [*users, "abiquo"]):
                self.hide(base64.b64encode(login.encode()).decode())

    def hide(self, *secrets: str) -> None:
        """Learn what must not be logged."""
        self._secrets.update(filter(None, secrets))

    def mint(self, token: str) -> None:
        """Learn a token; its signature is what opens."""
        self._signatures.add(token.rpartition(".")[2])

    def leaks(self) -> list[str]:
        """The lines that tell what must not be told."""
        self._file.seek(0)
        found = [line.rstrip() for line in self._file if self._tells(line)]
        self._file.seek(0, 2)
        return found

    def close(self) -> None:
        self._file.close()

    def _tells(self, line: str) -> bool:
        if any(secret in line for secret in self._secrets) or TOKEN.search(line):
            return True
        return not self._signatures.isdisjoint(SIGNATURE.findall(line))


class Both:
    """Writes to the watch and to the process's standard error.

    Never to what stands for an output meanwhile: a gate that logs while a command runs in the same
    process would write into what the command said.
    """

    def __init__(self, watch: Watch) -> None:
        assert sys.__stderr__
        self._watch, self._stream = watch, sys.__stderr__

    def write(self, text: str) -> int:
        self._watch.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False


def phrases() -> set[str]:
    """Words that every mail of a kind says and nothing else does."""
    found = set()
    for file in TEMPLATES.glob("*/body.*"):
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<[^>]*>", "\n", file.read_text("utf-8"), flags=re.S)
        found |= {line.strip() for line in text.splitlines() if len(line.strip()) >= PHRASE}
    return found


def is_ours(record: logging.LogRecord) -> bool:
    """Whether the gate logged it, and not a test that plays the browser, or the demo's servers.

    A library that speaks for both is ours if the platform's adapter called it.
    """
    if record.name.startswith(("approval.demo", "mail.")):  # the latter is the mail server
        return False
    return not record.name.startswith("urllib3") or _called_by(str(PACKAGE / "platforms"))


def _called_by(folder: str) -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith(folder):
            return True
        frame = frame.f_back
    return False


WATCH = Watch()


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Log everything as in production, and into the watch; learn each token that is minted."""
    root, structured = logging.getLogger(), structlog.get_config()
    before = root.level, root.handlers[:]
    configure_logs(logging.DEBUG, Both(watch))  # type: ignore[arg-type]
    [handler] = root.handlers
    handler.setStream(watch)  # type: ignore[attr-defined]
    handler.addFilter(is_ours)
    root.setLevel(logging.DEBUG)
    logging.getLogger("waitress.queue").setLevel(logging.NOTSET)
    logging.getLogger("mail").setLevel(logging.WARNING)  # the mail server's, which is not ours
    mint = Links.token

    def minted(self: Links, *claims: object) -> str:
        token = mint(self, *claims)
        watch.mint(token)
        return token

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Links, "token", minted)
        yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    structlog.configure(**structured)


@pytest.fixture(scope="session", autouse=True)
def nothing_secret_is_logged() -> Iterator[None]:
    """Ends after all else; in a run on several processes, each looks at what it ran."""
    WATCH.hide(*phrases())
    with watching(WATCH):
        yield
    leaks = WATCH.leaks()
    assert not leaks, f"{len(leaks)} lines of the logs tell a secret, first: {leaks[0][:2000]}"
