import ssl

import pytest
import trustme
from abiquo_samples import SECRET, held

from approval.model import Action
from approval.platforms import PlatformError

CONTINUE = held().links["continue"]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def serve_as(serve, authority):
    def start(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

        def wrap(listening):
            return context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)

        server = serve(wrap)
        server.answers[CONTINUE] = (204, {}, b"")
        return server

    return start


def release(connect, server, **changes):
    location = f"https://127.0.0.1:{server.port}/api"
    connect(server, api_location=location, **changes).release(held(), Action.ACCEPT, "", "1")


def refusal(connect, server, **changes):
    with pytest.raises(PlatformError) as refused:
        release(connect, server, **changes)
    assert refused.value.alert
    assert not refused.value.permanent
    assert SECRET not in str(refused.value)
    assert server.calls == []
    return str(refused.value)


def test_the_configured_authority_is_trusted(serve_as, connect, ca_file):
    server = serve_as("127.0.0.1")
    release(connect, server, api_ca_file=ca_file)
    assert len(server.calls) == 1


def test_an_authority_that_is_not_configured_is_not(serve_as, connect, tmp_path):
    server = serve_as("127.0.0.1")
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    assert "certificate verify failed" in refusal(connect, server, api_ca_file=other)
    assert "certificate verify failed" in refusal(connect, server)


def test_the_environment_cannot_add_an_authority(serve_as, connect, ca_file, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(ca_file))
    refusal(connect, serve_as("127.0.0.1"))


def test_a_certificate_for_another_name_is_refused(serve_as, connect, ca_file):
    assert "127.0.0.1" in refusal(connect, serve_as("10.0.0.1"), api_ca_file=ca_file)


def test_a_file_without_certificates_is_for_the_operator(serve_as, connect, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    refusal(connect, serve_as("127.0.0.1"), api_ca_file=empty)
