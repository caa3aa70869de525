import pytest
from abiquo_samples import user

from approval.platforms import PlatformError


def test_a_check_says_what_was_found(server, abiquo):
    server.answers |= {"login": user(nick="admin", role_title="CLOUD_ADMIN"), "version": b"3.10\n"}
    location = f"http://127.0.0.1:{server.port}/api"
    assert abiquo.check() == f"Abiquo 3.10 at {location}, signed in as admin (CLOUD_ADMIN)"


@pytest.mark.parametrize("version", [None, b"", b"<html/>", b"three", (500, {}, b"")])
def test_a_version_that_is_not_told_is_no_failure(server, abiquo, version):
    server.answers |= {"login": user(nick=None, links=[]), "version": version}
    assert abiquo.check().startswith("Abiquo of unknown version at http://127.0.0.1")
    assert abiquo.check().endswith("signed in as somebody")


def test_wrong_credentials_are_for_the_operator(server, abiquo):
    server.answers["login"] = (401, {"WWW-Authenticate": 'Basic realm="Abiquo"'}, b"<html/>")
    with pytest.raises(PlatformError, match="GET login: 401 Unauthorized") as failed:
        abiquo.check()
    assert failed.value.alert
