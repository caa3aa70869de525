"""HTTP connections to one server that keep deadlines: no proxy, no login of the environment."""

from typing import Any

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection, port_by_scheme
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
    host, scheme = location.host or "", location.scheme or ""
    # Of an IPv6 address without a port http.client would take the last part for one.
    port = location.port or port_by_scheme.get(scheme)
    options: dict[str, Any] = {"maxsize": CONNECTIONS, "retries": False}  # jobs try again
    if scheme != "https":
        return _Pool(host, port, **options)
    authorities = str(settings.api_ca_file or certifi.where())
    return _TlsPool(host, port, **options, cert_reqs="CERT_REQUIRED", ca_certs=authorities)
