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

from flask import Flask

from approval.cli.assembly import assemble
from approval.cli.opening import load_config
from approval.cli.running import told
from approval.cli.serving import prepare, refuse_file
from approval.config import Config
from approval.logs import configure_logs

NO_USE = 3  # the status at which gunicorn ends instead of starting another process


def application(file: str = "workflow.cfg") -> Flask:
    """Build it, or end the process with the reason named."""
    try:
        with told():
            return _built(load_config(Path(file)))
    except SystemExit:
        sys.exit(NO_USE)


def _built(config: Config) -> Flask:
    refuse_file(config)
    configure_logs()
    service = assemble(config, works=False)
    prepare(service, config)
    return service.app
