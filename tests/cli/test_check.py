"""`approval check` finds what is wrong before anybody waits for it."""

import errno
import re
from pathlib import Path

import pytest

from approval.cli import binding
from approval.cli.binding import NotBound
from approval.cli.store_findings import _out_of_reach
from approval.config import load
from approval.demo.cloud import V2_6, V3_10, Cloud
from tests.cli.conftest import reader_of, write
from tests.conftest import free_port


@pytest.fixture
def check(approval, tmp_path):
    """Runs the check with settings; returns the exit status and the lines."""

    def check(text):
        write(tmp_path, text)
        result = approval("check")
        return result.exit_code, result.output.splitlines()

    return check


def of(word, lines):
    return [line for line in lines if line.startswith(word)]


def test_all_is_well(check, text):
    status, lines = check(text)
    assert status == 0
    assert [line.split(":")[0] for line in lines] == ["ok       store", "ok       abiquo",
                                                      "ok       mail"]  # fmt: skip
    assert "takes mail from gate@gate.example to operator@gate.example" in lines[-1]


def test_a_store_that_was_not_made_yet_is_no_problem(check, text, approval):
    assert "will be set up by approval serve" in check(text)[1][0]
    approval("db", "upgrade")
    assert "is up to date" in check(text)[1][0]


def test_a_wrong_password_of_the_platform_is_told(check, text):
    status, lines = check(text.replace(Cloud.password, "wr0ng!"))
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith("problem  [abiquo] api_username / api_password: ")
    assert "401" in problem
    assert "wr0ng!" not in "".join(lines)


def test_a_platform_that_is_not_there_is_told(check, text, cloud):
    status, lines = check(text.replace(f":{cloud.port}/", f":{free_port()}/"))
    place = "problem  [abiquo] api_location: "
    assert (status, len(of(place, lines)), len(of("ok", lines))) == (1, 1, 2)


@pytest.mark.parametrize("version", [V2_6, V3_10])
def test_an_account_that_may_not_decide_is_told(check, text, cloud, version):
    cloud.personality = version
    world = cloud.world
    world.nicks["admin"].role = world.add_role("READER", "USERS_VIEW", "ENTERPRISE_ADMINISTER_ALL")
    status, lines = check(text)
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith("problem  [abiquo] api_username: this account cannot tell Abiquo")
    assert "WORKFLOW_OVERRIDE" in problem


def test_an_account_that_sees_no_users_is_told(check, text, cloud):
    world = cloud.world
    world.nicks["admin"].role = world.add_role("DECIDER", "WORKFLOW_OVERRIDE")
    status, lines = check(text)
    assert status == 1
    assert "USERS_VIEW" in of("problem", lines)[0]


@pytest.mark.parametrize("version", [V2_6, V3_10])
def test_a_misspelt_role_of_approvers_is_told(check, text, cloud, version):
    cloud.personality = version
    status, lines = check(text.replace("[mail]", "api_approve_role = ENTERPRISE_ADMN\n[mail]"))
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith("problem  [abiquo] api_approve_role: ")
    assert problem.endswith("did you mean ENTERPRISE_ADMIN?")


@pytest.mark.parametrize("version", [V2_6, V3_10])
def test_a_role_that_one_enterprise_has_for_itself_is_no_problem(check, text, cloud, version):
    cloud.personality = version
    world = cloud.world
    world.nicks["mona"].role = world.add_role("APPROVERS", enterprise=world.enterprises[1])
    status, lines = check(text.replace("[mail]", "api_approve_role = APPROVERS\n[mail]"))
    assert (status, of("problem", lines), of("warning", lines)) == (0, [], [])


def test_a_port_that_is_in_use_is_told(check, text, mailbox):
    status, lines = check(text.replace("bind_port = 0", f"bind_port = {mailbox.smtp_port}"))
    assert status == 1
    assert of("problem", lines) == [
        f"problem  [server] bind_port: 127.0.0.1:{mailbox.smtp_port} is in use; end what uses it "
        "or name another"
    ]


def test_a_port_that_a_gate_serves_is_warned_about(gate, approval):
    result = approval("check")
    assert result.exit_code == 0
    [line] = of("warning", result.output.splitlines())
    assert line.startswith(f"warning  [server] bind_port: {gate.url.removeprefix('http://')} is in")
    assert line.endswith(", unless the gate that answers there is this one")


@pytest.mark.parametrize("address", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_told(check, text, address):
    strangers = f"callback_secret = {'s' * 22}\npublic_url = https://gate.example.com\n"
    status, lines = check(f"{text}bind_address = {address}\n{strangers}")
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith(
        f"problem  [server] bind_address: {address} is no address of this machine; name one"
    )


def test_a_port_that_the_account_may_not_use_is_told(text, tmp_path):
    write(tmp_path, text, 80)
    refused = PermissionError(errno.EACCES, "Permission denied")  # root may use any
    with pytest.raises(NotBound) as told, binding.told(load(tmp_path / "workflow.cfg", {})):
        raise refused
    assert str(told.value).startswith(
        "bind_port: this account may not listen on port 80; name one from 1024 on"
    )


def test_a_mail_server_that_is_not_there_is_told(check, text, mailbox):
    status, lines = check(text.replace(f"= {mailbox.smtp_port}\n", f"= {free_port()}\n"))
    place = "problem  [mail] host / port: "
    assert (status, len(of(place, lines)), len(of("ok", lines))) == (1, 1, 2)


def test_a_mail_server_that_refuses_the_operator_is_told(check, text, mailbox):
    mailbox.replies = {"operator@gate.example": "550 no such user"}
    status, lines = check(text)
    assert status == 1
    assert of("problem", lines)[0].startswith("problem  [mail] operator: ")


def test_a_store_that_cannot_be_opened_is_told(check, text):
    status, lines = check(f"{text}database = sqlite:////nowhere/at/all.db\n")
    assert of("problem", lines) == [
        "problem  [server] database: there is no folder /nowhere/at; make it, or name another"
    ]
    assert (status, len(of("ok", lines))) == (1, 2)


def test_a_store_that_is_something_else_is_told(check, text, tmp_path):
    (tmp_path / "notes.db").write_text("Buy milk. " * 100)
    status, lines = check(f"{text}database = sqlite:///notes.db\n")
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith(f"problem  [server] database: {tmp_path}/notes.db is not what a gate")


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        ("mail/request/body.txt", "fine\n\n{{ requst.id }}", 3),
        ("mail/outcome/subject.txt", "{{ 1 / 0 }}", 1),
        ("page/confirm.html", "\n{% if %}", 2),
        ("page/review.html", "{% block main %}", 1),
        ("page/style.css.html", "\n\n\n{{ colours }}", 4),
        ("mail/request/body.html", "{{ approver.name | unheard_of }}", 1),
    ],
)
def test_a_broken_template_is_named_once_with_its_file_and_line(
    check, text, tmp_path, name, source, line
):
    file = tmp_path / "own" / name
    file.parent.mkdir(parents=True)
    file.write_text(source)
    status, lines = check(f"{text}templates = own\n")
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith("problem  [server] templates: ")
    assert f"{file}, line {line}: " in problem


def test_own_templates_that_work_are_no_problem(check, text, tmp_path):
    file = tmp_path / "own/mail/request/subject.txt"
    file.parent.mkdir(parents=True)
    file.write_text("{{ request.id }} by {{ brand }}")
    assert check(f"{text}templates = own\n")[0] == 0


TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize(
    ("name", "taken_out", "lack"),
    [
        ("page/confirm.html", "<form.*</form>", "holds no form to decide by, with method post"),
        ("page/confirm.html", "<input[^>]*token[^>]*>", "has a form without the field token"),
        ("page/confirm.html", r"<input[^>]*many[^>]*>", "has a form without the field task or"),
        ("page/parts.html", "<button.*</button>", "has a form without a button to accept"),
        ("page/parts.html", '<input id="code"[^%]*%[^%]*%[^>]*>', "form without the field code"),
        ("page/review.html", ".*", "holds neither links nor a form"),
        ("page/expired.html", "<form.*</form>", "holds no form with the field token and a button"),
        ("mail/request/body.txt", ".*", "holds no link to decide by"),
        ("mail/request/body.txt", ".*", "does not hold the code"),
        ("mail/reminder/body.html", ".*", "holds no link to decide by"),
        ("mail/reminder/body.html", ".*", "does not hold the code"),
    ],
)
def test_a_template_without_which_nobody_can_decide_is_a_problem(
    check, text, tmp_path, name, taken_out, lack
):
    file = tmp_path / "own" / name
    file.parent.mkdir(parents=True)
    source = (TEMPLATES / name).read_text("utf-8")
    file.write_text(re.sub(taken_out, "", source, flags=re.DOTALL), "utf-8")
    status, lines = check(f"{text}templates = own\n")
    assert status == 1
    assert any(lack in line for line in of("problem  [server] templates: ", lines))


def test_a_template_that_is_not_utf_8_is_named_with_its_folder_and_its_line(check, text, tmp_path):
    file = tmp_path / "own/mail/parts.html"
    (tmp_path / "own/mail/request").mkdir(parents=True)
    file.write_bytes(b"fine\ngr\xf6\xdfe")
    (tmp_path / "own/mail/request/body.html").write_text('{% include "mail/parts.html" %}')
    status, lines = check(f"{text}templates = own\n")
    assert status == 1
    assert of("problem", lines) == [
        f"problem  [server] templates: {file}: line 2 is not UTF-8; save it as UTF-8"
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mail/request/body.htm", "mail/request/body.html"),
        ("mail/reqest/subject.txt", "mail/request/subject.txt"),
        ("request/body.html", "mail/request/body.html"),
    ],
)
def test_a_template_that_replaces_nothing_is_warned_about(check, text, tmp_path, name, meant):
    file = tmp_path / "own" / name
    file.parent.mkdir(parents=True)
    file.write_text("ours")
    status, lines = check(f"{text}templates = own\n")
    assert status == 0
    assert of("warning", lines) == [
        f"warning  [server] templates: {name} replaces nothing; did you mean {meant}?"
    ]


def test_what_own_templates_build_on_and_what_is_hidden_is_not_warned_about(check, text, tmp_path):
    own = tmp_path / "own"
    (own / "mail/request").mkdir(parents=True)
    (own / ".git").mkdir()
    (own / ".git/HEAD").write_text("ref")
    (own / "logo.html").write_text("ours")
    (own / "mail/request/subject.txt").write_text('{% include "logo.html" %}')
    assert of("warning", check(f"{text}templates = own\n")[1]) == []


def test_link_keys_beside_an_empty_database_look_like_half_a_backup(check, text, tmp_path):
    (tmp_path / "workflow.db.key").write_text("k" * 40)
    (tmp_path / "workflow.db").touch()
    status, lines = check(text)
    [told] = of("warning", lines)
    assert (status, "approval db backup" in told) == (0, True)


def test_keys_that_are_none_are_a_problem(check, text, approval, tmp_path):
    write(tmp_path, text)
    approval("db", "upgrade")
    (tmp_path / "workflow.db.key").write_text("short")
    status, lines = check(text)
    [told] = of("problem", lines)
    assert (status, "holds no key" in told) == (1, True)


@pytest.mark.parametrize("name", ["workflow.cfg", "workflow.db.key"])
def test_secrets_that_everybody_can_read_are_warned_about(approval, text, tmp_path, name):
    write(tmp_path, text)
    approval("db", "upgrade")
    (tmp_path / "workflow.db.key").touch(0o600)
    (tmp_path / "workflow.db.key").write_text("k" * 40)
    (tmp_path / name).chmod(0o644)
    result = approval("check")
    [told] = of("warning", result.output.splitlines())
    file = tmp_path / name
    assert f"{file} can be read by everybody on this machine; chmod o= {file}" in told
    assert result.exit_code == 0


def test_a_folder_within_one_that_the_account_may_not_enter_is_told(folder):
    (folder / "closed/data").mkdir(parents=True)
    (folder / "closed").chmod(0)
    with reader_of(folder):
        told = _out_of_reach(folder / "closed/data/workflow.db")
    assert told == f"the gate may not enter the folders of {folder}/closed/data/workflow.db; " + (
        "let its account do so"
    )


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_file_that_is_no_database_is_named_with_what_to_do(approval, text, tmp_path, command):
    write(tmp_path, text)
    (tmp_path / "workflow.db").write_text("no database" * 100)
    told = approval(command)
    assert told.exit_code == 1
    assert f"{tmp_path}/workflow.db" in told.output
    assert ("name another" if command == "check" else "'approval check'") in told.output


def test_warnings_are_told_and_are_no_failure(check, text):
    status, lines = check(f"{text}[links]\none_click = yes\n")
    assert status == 0
    assert "one_click" in of("warning", lines)[0]


NINE_MISTAKES = """\
[abiquo]
api_location = {cloud.api_location}
api_username = {cloud.username}
api_password = {cloud.password}
[mail]
from = gate@gate.example
operator = operator@gate.example
host = mail.gate.example
username = gate
password = pass
timeout = soon
[server]
bind_address = 0.0.0.0
bind_port = eighty
public_url = https://gate.gate.example
require_signature = yes
brand = One
brand = Two
[links]
valid_days = many
code = yes
one_click = yes
[policy]
guarded_types = DEPLOi
"""


def test_nine_mistakes_are_told_at_once_and_what_has_none_is_tried(check, cloud):
    status, lines = check(NINE_MISTAKES.format(cloud=cloud))
    assert status == 2
    told = [re.search(r"(\[\w+\] \w+): .{8}", line)[1] for line in of("problem", lines)]
    assert sorted(told) == [
        "[links] code",
        "[links] valid_days",
        "[mail] security",
        "[mail] timeout",
        "[policy] guarded_types",
        "[server] bind_port",
        "[server] brand",
        "[server] callback_secret",
        "[server] require_signature",
    ]
    assert [line.split(":")[0] for line in of("ok", lines)] == ["ok       abiquo"]
    assert of("left out", lines) == [
        "left out address: mend [server] first",
        "left out store: mend [server] first",
        "left out mail: mend [mail] first",
        "left out templates: mend [server] first",
    ]


@pytest.mark.parametrize(
    ("mistake", "tried"),
    [
        ("[links]\nvalid_days = many", ["store", "abiquo", "mail"]),
        ("[policy]\npurge_after = 1 s", ["store", "abiquo", "mail"]),
        ("brand = a\nbrand = b", ["abiquo", "mail"]),
        ("no setting", ["abiquo", "mail"]),
        ("secret_key = short", ["abiquo", "mail"]),
        ("database = strange", ["abiquo", "mail"]),
        ("[abiquo]\napi_timeout = 1", ["store", "mail"]),
        ("[mail]\nsecurity tls", ["store", "abiquo"]),
        ("[strange]\nkey = 1", ["store", "abiquo", "mail"]),
    ],
)
def test_what_settings_without_mistake_are_about_is_tried(check, text, mistake, tried):
    status, lines = check(f"{text}{mistake}\n")
    assert status == 2
    assert [line.split(":")[0].removeprefix("ok       ") for line in of("ok", lines)] == tried
    left_out = {line.removeprefix("left out ").split(":")[0] for line in of("left out", lines)}
    assert left_out & {"store", "abiquo", "mail"} == {"store", "abiquo", "mail"} - set(tried)


def test_warnings_are_told_beside_mistakes(check, text):
    _, lines = check(f"{text}[links]\none_click = yes\nvalid_days = many\n")
    assert "one_click" in of("warning", lines)[0]


def test_mistakes_in_the_settings_end_other_commands_with_all_of_them(approval, text, tmp_path):
    write(tmp_path, text.replace("from =", "form =") + "[links]\nvalid_days = many\n")
    result = approval("serve")
    assert result.exit_code == 2
    assert sorted(line.split(": ")[0] for line in result.stderr.splitlines()) == [
        "problem  [links] valid_days", "problem  [mail] form", "problem  [mail] from"
    ]  # fmt: skip


def test_the_check_changes_nothing(check, text, cloud, mailbox, tmp_path):
    check(text)
    assert {call.method for call in cloud.calls} == {"GET"}
    assert mailbox.count == 0
