"""A workflow.cfg of the tool of 2013 works unchanged."""

import pytest

from approval.config import ConfigError, load
from approval.model import Action
from tests.conftest import MONA, Site, free_port, served_gate
from tests.forms import words
from tests.mails import Mails

# Its keys in the order of its own example; {names} are filled in by the tests.
FILE = """\
[server]
bind_address: {bind_address}
bind_port: {port}
hostname: {hostname}
port: {port}
default_action: CANCEL
response_template: response.html

[abiquo]
api_location: {api}
api_username: admin
api_password: xabiquo
api_approve_role: ENTERPRISE_ADMIN

[mail]
from: abiquo@acme.example
admin_subject: Action required: new request
admin_template: mail/admin.html
admin_vm_template: mail/admin_vm.html
admin_vm_storage_template: mail/admin_vm_storage.html
requester_subject: Your request
requester_template: mail/requester.html
requester_vm_template: mail/requester_vm.html
{more}"""
UNUSED = (
    "[server] response_template",
    "[mail] admin_template",
    "[mail] admin_vm_template",
    "[mail] admin_vm_storage_template",
    "[mail] requester_template",
    "[mail] requester_vm_template",
)


def written(**changes):
    usual = {
        "bind_address": "127.0.0.1",
        "hostname": "localhost",
        "port": 8080,
        "api": "http://localhost:80/api",
        "more": "",
    }
    return FILE.format(**usual | changes)


@pytest.fixture
def read(tmp_path):
    def read(**changes):
        file = tmp_path / "workflow.cfg"
        file.write_text(written(**changes))
        return load(file, {})

    return read


def test_its_keys_keep_their_meaning(read):
    config = read(hostname="gate.acme.example", port=8081)
    assert config.server.bind_port == 8081
    assert config.public_url == "http://gate.acme.example:8081"
    assert config.server.default_action is Action.DECLINE
    assert config.platform.api_username == "admin"
    assert config.platform.api_approve_role == "ENTERPRISE_ADMIN"
    assert config.mail.sender == "abiquo@acme.example"
    assert config.mail.admin_subject == "Action required: new request"


def test_keys_that_mean_nothing_any_more_are_named_in_warnings(read):
    warnings = read().warnings
    for key in UNUSED:
        assert [warning for warning in warnings if warning.startswith(f"{key} is not used")]


@pytest.mark.parametrize("changes", [{"port": "8080 ; as ever"}, {"port": "8080\t; as ever"}])
def test_what_was_a_comment_behind_a_value_is_told_where_it_makes_the_value_wrong(read, changes):
    with pytest.raises(ConfigError) as failed:
        read(**changes)
    assert failed.value.problems == [
        "[server] bind_port: must be a whole number; a comment needs a line of its own",
        "[server] port: must be a whole number; a comment needs a line of its own",
    ]


def test_what_was_a_comment_behind_a_text_is_warned_about(read):
    config = read(more="username: gate ; as ever")
    assert config.mail.username == "gate ; as ever"
    assert (
        "[mail] username: the semicolon belongs to the value; a comment needs a line of its own"
    ) in config.warnings


def test_what_was_a_comment_behind_a_host_makes_no_host(read):
    with pytest.raises(ConfigError) as failed:
        read(hostname="localhost ; as ever")
    [problem] = failed.value.problems
    assert problem.startswith("[server] hostname: write a name")
    assert problem.endswith("; a comment needs a line of its own")


def test_a_password_may_hold_any_sign_and_is_not_told(read):
    config = read(more="password: se ;same")
    assert config.mail.password.get_secret_value() == "se ;same"
    assert "same" not in " ".join(config.warnings)


def test_links_in_clear_text_are_warned_about(read):
    assert "clear text" in " ".join(read(hostname="gate.acme.example").warnings)


def test_open_to_a_network_it_now_needs_a_secret_and_says_how_to_make_one(read):
    with pytest.raises(ConfigError) as failed:
        read(bind_address="10.0.0.5", hostname="gate.acme.example")
    [problem] = failed.value.problems
    assert problem.startswith("[server] callback_secret: is required")


@pytest.mark.only_on("sqlite")  # as it names no database
def test_a_gate_serves_with_it(tmp_path, cloud, mailbox):
    port = free_port()
    mail_server = f"host: 127.0.0.1\nport: {mailbox.smtp_port}\n"
    text = written(port=port, api=cloud.api_location, more=mail_server)
    with served_gate(tmp_path, text, port) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        site = Site(gate, cloud, mailbox, Mails(mailbox))
        [task] = cloud.deploy_machine(59)
        mail = site.mail(task, MONA)
        assert mail.subject == "Action required: new request"
        assert f"http://localhost:{port}/accept?" in mail.text
        page = gate.get(mail.link("accept"))
        assert "Ana User wants to deploy web-01" in words(page)
        assert gate.press(mail.link("accept")).status_code == 200
        site.settle()
        assert site.posts(task) == ["continue"]
        assert site.mails.to("ana@acme.example").subject == "Your request"
