import pytest
import requests

from approval.demo.cloud import V2_6, Cloud, sample_world
from approval.demo.serving import Server


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self):
        self.now = 1_479_997_495.0

    def __call__(self):
        return self.now


class Client:
    """Talks to the API as the service account."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.session = requests.Session()
        self.session.auth = (cloud.username, cloud.password)
        self.session.headers.clear()

    def __call__(self, method, path, **options):
        url = path if path.startswith("http") else f"{self.cloud.api_location}/{path}"
        return self.session.request(method, url, **{"timeout": 5, **options})

    def get(self, path, accept=None, **options):
        return self("GET", path, headers={"Accept": accept}, **options)

    def json(self, path):
        return self.get(path, "application/json").json()

    def post(self, path, **options):
        return self("POST", path, **options)


class Gate:
    """Answers callbacks as it is told, and keeps them."""

    def __init__(self):
        self.status = 202
        self.received = []
        self.server = Server(self, host="127.0.0.1", port=0, threads=2)
        self.url = f"{self.server.url}/callback"

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        self.received.append((environ.get("CONTENT_TYPE", ""), body))
        start_response(f"{self.status} Whatever", [("Content-Length", "0")])
        return [b""]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cloud(clock):
    with Cloud(world=sample_world(clock=clock)) as cloud:
        yield cloud


@pytest.fixture
def old_cloud(clock):
    with Cloud(world=sample_world(clock=clock, personality=V2_6)) as cloud:
        yield cloud


@pytest.fixture
def client(cloud):
    client = Client(cloud)
    with client.session:
        yield client


@pytest.fixture
def old_client(old_cloud):
    client = Client(old_cloud)
    with client.session:
        yield client


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.server.close()
