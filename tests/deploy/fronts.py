"""Reverse proxies as `deploy/` configures them: real ones, as processes of their own."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.conftest import free_port, wait_until
from tests.lacking import lacking
from tests.watch import WATCH

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "gate.example.com"

# What a distribution sets around the files of conf.d, as far as it touches them; as the user who
# runs the tests, to whom the folder belongs.
NGINX = """\
user {user};
error_log {folder}/logs/error.log;
pid {folder}/nginx.pid;
daemon off;
events {{}}
http {{
    access_log {folder}/logs/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/approval.conf;
}}
"""
CADDY = """\
	admin off
	persist_config off
	skip_install_trust
	http_port {plain}
	https_port {tls}
"""


@dataclass(frozen=True)
class Front:
    """A reverse proxy that listens in clear text and with TLS."""

    folder: Path
    plain: int
    tls: int

    @property
    def logs(self) -> str:
        """All that it has written."""
        files = sorted((self.folder / "logs").iterdir())
        return "".join(file.read_text("utf-8", "replace") for file in files)


def nginx(front: Front, gates: list[int]) -> list[str]:
    """The command that serves with deploy/nginx, fitted to this machine."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        lacking("no nginx is installed: apt install nginx-light")
    first, second = gates
    text = changed(
        (DEPLOY / "nginx/approval.conf").read_text("utf-8"),
        {
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{first};",
            "#server 10.0.0.12:8080;": f"server 127.0.0.1:{second};",
            "listen 80;": f"listen 127.0.0.1:{front.plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{front.tls} ssl;",
            f"server_name {NAME};": "server_name localhost;",
            f"/etc/ssl/{NAME}.pem": f"{front.folder}/cert.pem",
            f"/etc/ssl/private/{NAME}.key": f"{front.folder}/key.pem",
            "/var/log/nginx/": f"{front.folder}/logs/",
        },
    )
    (front.folder / "approval.conf").write_text(text, "utf-8")
    main = front.folder / "nginx.conf"
    main.write_text(NGINX.format(folder=front.folder, user=getpass.getuser()), "utf-8")
    return [program, "-e", f"{front.folder}/logs/error.log", "-c", str(main)]


def caddy(front: Front, gates: list[int]) -> list[str]:
    """The command that serves with deploy/caddy, fitted to this machine."""
    first, second = gates
    options = CADDY.format(plain=front.plain, tls=front.tls)
    certificate = f"\ttls {front.folder}/cert.pem {front.folder}/key.pem\n"
    text = changed(
        (DEPLOY / "caddy/Caddyfile").read_text("utf-8"),
        {
            "\n{\n": f"\n{{\n{options}",
            f"\n{NAME} {{\n": f"\nlocalhost {{\n{certificate}",
            "reverse_proxy 127.0.0.1:8080": f"reverse_proxy 127.0.0.1:{first} 127.0.0.1:{second}",
        },
    )
    file = front.folder / "Caddyfile"
    file.write_text(text, "utf-8")
    program = Path(sys.executable).with_name("caddy")
    return [str(program), "run", "--adapter", "caddyfile", "--config", str(file)]


def changed(text: str, replacements: dict[str, str]) -> str:
    """The text with each of these replaced, which all stand there once."""
    for old, new in replacements.items():
        assert text.count(old) >= 1, f"{old!r} is not there"
        text = text.replace(old, new)
    return text


FRONTS = {"nginx": nginx, "caddy": caddy}


@contextmanager
def running(
    kind: str, folder: Path, authority: trustme.CA, gates: list[int], tls: int = 0
) -> Iterator[Front]:
    """Run a reverse proxy before these ports until the block ends."""
    front = Front(folder, plain=free_port(), tls=tls or free_port())
    (folder / "logs").mkdir()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = FRONTS[kind](front, gates)
    with (folder / "logs/printed").open("wb") as printed:
        process = subprocess.Popen(command, env=os.environ | home, stdout=printed, stderr=printed)
    try:
        wait_until(lambda: process.poll() is not None or listens(front.tls))
        assert process.poll() is None, front.logs
        yield front
    finally:
        process.terminate()
        process.wait(30)
        for file in (folder / "logs").iterdir():
            WATCH.read(file)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nobody() -> Iterator[int]:
    """A port at which nobody answers, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
