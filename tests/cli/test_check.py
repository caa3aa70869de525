"""`approval check` finds what is wrong before anybody waits for it."""

import pytest

from approval.demo.cloud import Cloud
from tests.cli.conftest import write
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


def test_a_store_that_was_not_made_yet_is_no_problem(check, text, approval):
    assert "will be set up by approval serve" in check(text)[1][0]
    approval("db", "upgrade")
    assert "is up to date" in check(text)[1][0]


def test_a_wrong_password_of_the_platform_is_told(check, text):
    status, lines = check(text.replace(Cloud.password, "wr0ng!"))
    assert status == 1
    [problem] = of("problem", lines)
    assert problem.startswith("problem  abiquo: ")
    assert "401" in problem
    assert "wr0ng!" not in "".join(lines)


def test_a_platform_that_is_not_there_is_told(check, text, cloud):
    status, lines = check(text.replace(f":{cloud.port}/", f":{free_port()}/"))
    assert (status, len(of("problem  abiquo: ", lines)), len(of("ok", lines))) == (1, 1, 2)


def test_a_mail_server_that_is_not_there_is_told(check, text, mailbox):
    status, lines = check(text.replace(f"= {mailbox.smtp_port}\n", f"= {free_port()}\n"))
    assert (status, len(of("problem  mail: ", lines)), len(of("ok", lines))) == (1, 1, 2)


def test_a_store_that_cannot_be_opened_is_told(check, text):
    status, lines = check(f"{text}database = sqlite:////nowhere/at/all.db\n")
    assert (status, len(of("problem  store: ", lines)), len(of("ok", lines))) == (1, 1, 2)


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
    assert problem.startswith("problem  templates: ")
    assert f"{file}, line {line}: " in problem


def test_own_templates_that_work_are_no_problem(check, text, tmp_path):
    file = tmp_path / "own/mail/request/subject.txt"
    file.parent.mkdir(parents=True)
    file.write_text("{{ request.id }} by {{ brand }}")
    assert check(f"{text}templates = own\n")[0] == 0


def test_warnings_are_told_and_are_no_failure(check, text):
    status, lines = check(f"{text}[links]\none_click = yes\n")
    assert status == 0
    assert "one_click" in of("warning", lines)[0]


def test_mistakes_in_the_settings_end_it_with_all_of_them(check, text):
    status, lines = check(text.replace("from =", "form =") + "[links]\nvalid_days = many\n")
    assert status == 2
    assert sorted(line.split(": ")[0] for line in lines) == [
        "problem  [links] valid_days", "problem  [mail] form", "problem  [mail] from"
    ]  # fmt: skip


def test_the_check_changes_nothing(check, text, cloud, mailbox, tmp_path):
    check(text)
    assert {call.method for call in cloud.calls} == {"GET"}
    assert mailbox.count == 0
