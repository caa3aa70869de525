"""The web part as a WSGI application, for servers such as gunicorn:

    gunicorn --threads 8 'approval.wsgi:application("/etc/approval/workflow.cfg")'

Let it stand behind a proxy that reads a request whole before it passes it on: nginx does, Caddy
with `request_buffers`. Else eight half-sent requests hold its eight threads and nobody is
answered; `approval web` needs no such proxy.

`approval worker` has to do the work. Each process has to call it for itself, as it opens
connections: gunicorn does, without --preload.
"""

import sys
from pathlib import Path

import structlog
from flask import Flask

from approval.cli.assembly import assemble
from approval.cli.opening import load_config
from approval.cli.running import told
from approval.cli.serving import NotServed, prepare, refuse_file
from approval.config import Config
from approval.config.values import CURE
from approval.logs import configure_logs

log = structlog.get_logger("approval.settings")
NO_USE = 3  # the status at which gunicorn ends instead of starting another process


def application(file: str = "workflow.cfg") -> Flask:
    """Build it, or end the process with the reason named."""
    try:
        config = load_config(Path(file))
        with told(config):
            return _built(config)
    except SystemExit:
        sys.exit(NO_USE)


def _built(config: Config) -> Flask:
    refuse_file(config)
    _refuse_open_callbacks(config)
    configure_logs()
    for warning in config.warnings:
        log.warning(warning)
    service = assemble(config, works=False)
    prepare(service, config)
    return service.app


def _refuse_open_callbacks(config: Config) -> None:
    """See that callbacks prove who sent them. Raises NotServed."""
    if not config.server.knows_callers:
        raise NotServed(
            "[server] callback_secret: is required here, because bind_address does not say where "
            f"another server listens, and anybody who reaches it could have managers mailed; {CURE}"
        )
