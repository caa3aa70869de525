"""HTTP connections to one server that keep deadlines. The environment has no say in them."""

from typing import Any

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from approval.deadline import Socket, TlsSocket, connect
from approval.platforms.abiquo.settings import Settings

CONNECTIONS = 32  # that are kept; more are opened if they are needed


class _Punctual(HTTPConnection):
    """A connection whose sockets keep the deadline."""

    def _new_conn(self) -> Socket:
        return connect(self._dns_host, self.port, self.timeout)


class _PunctualTls(_Punctual, HTTPSConnection):
    """The same under TLS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ssl_context = create_urllib3_context()
        self.ssl_context.sslsocket_class = TlsSocket


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Punctual


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PunctualTls


def open_pool(settings: Settings) -> HTTPConnectionPool:
    """Connections to the platform, made when they are needed. May be used by several threads."""
    location = parse_url(settings.api_location)
    options: dict[str, Any] = {
        "port": location.port,
        "maxsize": CONNECTIONS,
        "timeout": Timeout(settings.api_timeout),
        "retries": False,  # what may be done twice, jobs do
    }
    if location.scheme != "https":
        return _Pool(location.host or "", **options)
    authorities = str(settings.api_ca_file or certifi.where())
    return _TlsPool(location.host or "", **options, cert_reqs="CERT_REQUIRED", ca_certs=authorities)
