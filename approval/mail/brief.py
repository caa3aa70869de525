"""An SMTP client that listens to short answers only."""

import smtplib
from typing import BinaryIO

MAX_REPLY = 2**16  # bytes; a reply is some lines of at most 512


class _Ear:
    """Hears the lines of one reply."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = MAX_REPLY

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        self.left -= len(line)
        if self.left < 0:
            raise OSError("the answer does not end")
        return line

    def close(self) -> None:
        self._file.close()


class Brief(smtplib.SMTP):
    """smtplib limits each line of a reply, but keeps as many lines as a server sends."""

    file: _Ear | None

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Ear(self.sock.makefile("rb"))
        elif self.file is not None:
            self.file.left = MAX_REPLY
        return super().getreply()


class BriefTls(smtplib.SMTP_SSL, Brief):
    """The same under TLS from the start."""
