"""How Temporal is reached: what the settings say, over what Temporal's own variables say."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest
import trustme
from temporalio.service import TLSConfig

from approval.engine.temporal import checking
from approval.engine.temporal.connection import NoConnection, connect, options
from approval.engine.temporal.settings import Temporal
from approval.findings import Level
from approval.section import judged
from tests.conftest import free_port

VARIABLES = {
    "TEMPORAL_ADDRESS": "cloud.example:7233",
    "TEMPORAL_NAMESPACE": "gates",
    "TEMPORAL_API_KEY": "a key of the environment",
}


def test_without_anything_it_is_the_server_of_this_machine_in_clear_text():
    assert options(Temporal(), {}) == {"target_host": "localhost:7233"}


def test_temporals_own_variables_count_for_what_is_not_set():
    found = options(Temporal(), VARIABLES)
    assert (found["target_host"], found["namespace"]) == ("cloud.example:7233", "gates")
    assert found["api_key"] == "a key of the environment"
    assert found["tls"] is True
    found = options(Temporal(address="other:7233", api_key="another"), VARIABLES)
    assert (found["target_host"], found["namespace"]) == ("other:7233", "gates")
    assert found["api_key"] == "another"
    assert found["tls"] == TLSConfig()


def test_a_file_of_profiles_counts_only_if_it_is_named(tmp_path):
    home = tmp_path / "temporalio"
    home.mkdir()
    file = home / "temporal.toml"
    file.write_text('[profile.default]\naddress = "profile.example:7233"\n')
    found = options(Temporal(), {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    assert found["target_host"] == "localhost:7233"
    found = options(Temporal(), {"TEMPORAL_CONFIG_FILE": str(file)})
    assert found["target_host"] == "profile.example:7233"


def test_certificates_of_the_settings_and_of_the_variables_go_together(tmp_path):
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    section = Temporal(client_cert_file=tmp_path / "cert", client_key_file=tmp_path / "key")
    found = options(section, {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(tmp_path / "ca")})
    assert found["tls"] == TLSConfig(
        server_root_ca_cert=b"ca", client_cert=b"cert", client_private_key=b"key"
    )


def test_half_a_pair_of_certificate_and_key_is_refused(tmp_path):
    (tmp_path / "cert").write_text("cert")
    [half] = judged(Temporal(client_cert_file=tmp_path / "cert").rules())
    assert (half.level, "client_key_file" in half.text) == (Level.PROBLEM, True)


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({}, False),
        ({"address": "127.0.0.1:7233"}, False),
        ({"address": "temporal.example.com:7233"}, True),
        ({"address": "temporal.example.com:7233", "tls": True}, False),
        ({"address": "temporal.example.com:7233", "api_key": "k"}, False),
    ],
)
def test_clear_text_on_a_network_is_warned_of(values, warned):
    assert bool(list(Temporal(**values).in_clear_text())) is warned


@contextmanager
def behind_tls(port: int, context: ssl.SSLContext) -> Iterator[str]:
    """The address of a proxy that speaks TLS before a server that does not."""
    here, loop, over = free_port(), asyncio.new_event_loop(), asyncio.Event()
    context.set_alpn_protocols(["h2"])

    async def pipe(reader, writer):
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def serve(reader, writer):
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, forth), pipe(back, writer))

    async def main():
        async with await asyncio.start_server(serve, "127.0.0.1", here, ssl=context):
            started.set()
            await over.wait()

    def run():
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    started, thread = Event(), Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield f"127.0.0.1:{here}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def reach(section):
    async def ask():
        client = await connect(section, {})
        await client.count_workflows()

    asyncio.run(ask())


@pytest.fixture
def own(tmp_path, certificates):
    """A certificate of the gate's own, and its key, as settings."""
    pair = certificates.authority.issue_cert("gate.example")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    pair.private_key_pem.write_to_path(tmp_path / "key.pem")
    return {
        "client_cert_file": tmp_path / "cert.pem",
        "client_key_file": tmp_path / "key.pem",
    }


def test_a_server_that_proves_itself_and_asks_for_our_certificate(
    temporal, certificates, ca_file, own
):
    context = certificates.server("temporal.example")
    context.verify_mode = ssl.CERT_REQUIRED
    certificates.authority.configure_trust(context)
    with behind_tls(temporal.port, context) as address:
        known = {"address": address, "ca_file": ca_file, "server_name": "temporal.example"}
        reach(Temporal(**known, **own))
        with pytest.raises(NoConnection):
            reach(Temporal(**known))


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_server_that_does_not_prove_itself_is_not_spoken_to(
    temporal, certificates, ca_file, tmp_path, wrong
):
    if wrong == "authority":
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        ca_file = tmp_path / "other.pem"
    names = ["temporal.example"] if wrong == "name" else ["127.0.0.1"]
    with behind_tls(temporal.port, certificates.server(*names)) as address:
        [finding] = checking.check(Temporal(address=address, ca_file=ca_file))
    assert finding.level is Level.PROBLEM
    assert finding.text.startswith("address: ")


def test_a_namespace_that_is_not_there_is_named(temporal):
    [finding] = checking.check(Temporal(address=temporal.address, namespace="nowhere"))
    assert finding.level is Level.PROBLEM
    assert finding.text.startswith("namespace: ")
