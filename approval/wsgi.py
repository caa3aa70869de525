"""The web part as a WSGI application, for servers such as gunicorn:

    gunicorn --threads 8 'approval.wsgi:application("/etc/approval/workflow.cfg")'

`approval worker` has to do the work. Each process has to call it for itself, as it opens
connections: gunicorn does, without --preload.
"""

import os
from pathlib import Path

from flask import Flask

from approval.cli.assembly import assemble
from approval.cli.serving import prepare, refuse_file
from approval.config import load
from approval.logs import configure_logs


def application(file: str = "workflow.cfg") -> Flask:
    """Build it. Raises ConfigError, NotServed, StoreDown or TemplateError."""
    config = load(Path(file), os.environ)
    refuse_file(config)
    configure_logs()
    service = assemble(config, works=False)
    prepare(service, config)
    return service.app
