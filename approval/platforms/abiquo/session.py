"""An HTTP session that takes nothing from the environment and keeps deadlines."""

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from approval.deadline import Socket, TlsSocket, connect

CONNECTIONS = 32


class Session(requests.Session):
    """A session with one server and one account. May be used by several threads."""

    def __init__(self, authorization: str) -> None:
        super().__init__()
        self.trust_env = False  # proxies, netrc and certificates of the environment are not ours
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["Authorization"] = authorization
        self.headers["User-Agent"] = "approval"
        self.headers["Accept-Encoding"] = "identity"  # answers are small; what unpacks may not be
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=CONNECTIONS))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Redirections are not followed; requests would read them whole all the same."""


class _Punctual(HTTPConnection):
    """A connection whose sockets keep the deadline."""

    def _new_conn(self) -> Socket:
        return connect(self._dns_host, self.port, self.timeout)


class _PunctualTls(_Punctual, HTTPSConnection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ssl_context = create_urllib3_context()
        self.ssl_context.sslsocket_class = TlsSocket


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Punctual


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PunctualTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
