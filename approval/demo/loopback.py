"""This machine's own addresses: free ports, and requests that no proxy gets to see."""

import socket

import requests

HOST = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """The preferred port if nobody listens there, else one that was free a moment ago."""
    try:
        with socket.create_server((HOST, preferred)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError:
        if preferred == 0:
            raise
        return free_port()


def session() -> requests.Session:
    """Whoever uses a proxy has it named in the environment, and it cannot reach this machine."""
    session = requests.Session()
    session.trust_env = False
    return session
