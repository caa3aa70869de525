"""The main job, end to end over HTTP and SMTP: callback, mail, link, button, platform, outcome."""

from email import message_from_string

import pytest

from approval.demo.cloud import Cloud
from approval.demo.cloud.faults import Fault
from approval.demo.mailbox import Mailbox
from tests import stores
from tests.conftest import (
    ANA,
    MAX,
    MONA,
    Site,
    free_port,
    served_gate,
    served_site,
    settings_text,
    wait_until,
)
from tests.forms import press, words
from tests.mails import Mails
from tests.temporals import new_queue, temporal

__all__ = ["temporal"]
OPERATOR = "operator@gate.example"


@pytest.fixture(params=["embedded", "temporal"])
def engine(request):
    """Settings of an engine; each test is passed with every one of them."""
    if request.param == "embedded":
        return ""
    return request.getfixturevalue("temporal").settings(new_queue())


@pytest.fixture
def gate(tmp_path, cloud, mailbox, engine):
    with served_gate(tmp_path, settings_text(cloud, mailbox, engine)) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        yield gate


@pytest.fixture
def whole(gate, cloud, mailbox, mails):
    """The parts of one test as a site."""
    return Site(gate, cloud, mailbox, mails)


def test_a_deployment_is_asked_about_accepted_and_told(gate, cloud, mails):
    [task] = cloud.deploy_machine(59)
    mail = mails.to(MONA)
    page = gate.get(mail.link("accept"))
    assert page.status_code == 200
    assert cloud.task_state(task) == "QUEUEING"
    result = gate.press(mail.link("accept"), comment="fine with me")
    assert result.status_code == 200
    wait_until(lambda: cloud.task_state(task) != "QUEUEING")
    outcome = mails.to(ANA)
    assert "fine with me" in outcome.text


def test_a_virtual_appliance_is_decided_machine_by_machine(whole):
    gate, cloud, mails = whole.gate, whole.cloud, whole.mails
    tasks = dict(zip(("web-01", "web-02", "db-01"), cloud.deploy_appliance(9), strict=True))
    mona, max = mails.to(MONA), mails.to(MAX)
    assert "Ana User wants to deploy web-01 and 2 more machines" in mona.text
    gate.press(mona.link("accept", task=tasks["web-01"]))
    gate.press(max.link("decline", task=tasks["db-01"]), comment="too much memory")
    rest = next(link for link in mona.links if "/multiple?action=accept" in link)
    result = press(gate, gate.get(rest), "Accept")
    assert "Decided before, unchanged by you" in words(result)
    whole.settle()
    told = {name: whole.posts(task) for name, task in tasks.items()}
    assert told == {"web-01": ["continue"], "web-02": ["continue"], "db-01": ["cancel"]}
    outcome = mails.to(ANA)
    for part in ("web-01", "web-02", "db-01", "Mona Manager", "Max Boss", "too much memory"):
        assert part in outcome.text
    note = mails.to(MAX, "Re: ")
    assert note.message["In-Reply-To"] == max.message["Message-ID"]


def test_a_reconfiguration_shows_what_it_was_and_what_it_becomes(whole):
    gate, cloud = whole.gate, whole.cloud
    cloud.world.pace = 0
    [deploy] = cloud.deploy_machine(59)
    gate.press(whole.mail(deploy).link("accept"))
    whole.settle()
    assert cloud.machine_state(59) == "ON"
    [change] = cloud.reconfigure(59, cpu=8, ram=16384)
    mail = whole.mail(change)
    assert "reconfigure web-01" in mail.subject
    for line in ("CPU 2 → 8", "Memory 4 GiB → 16 GiB"):
        assert line in " ".join(mail.text.replace(":", "").split())
    page = gate.get(mail.link("accept"))
    assert "2 → becomes 8" in words(page)
    assert "Previous values as last known on" in words(page)
    gate.press(mail.link("decline"))
    whole.settle()
    assert whole.posts(change) == ["cancel"]


def test_a_reconfiguration_of_a_machine_that_was_never_seen_says_so(whole):
    [change] = whole.cloud.reconfigure(62, cpu=8)
    page = whole.gate.get(whole.mail(change).link("accept"))
    assert "Previous values unknown" in words(page)


@pytest.mark.parametrize(
    ("theirs", "delivery", "told"),
    [
        ("continue", "delivered", "Abiquo has been told"),
        ("cancel", "overtaken", "But it had already ended in Abiquo"),
    ],
)
def test_what_was_decided_on_the_platform_before_the_press_is_told_truthfully(
    whole, theirs, delivery, told
):
    [task] = whole.cloud.deploy_machine(59)
    link = whole.mail(task).link("accept")
    whole.cloud.decide(task, theirs)
    assert whole.gate.press(link).status_code == 200
    whole.settle()
    [row] = whole.gate.tables()["tasks"]
    assert delivery in row
    assert told in words(whole.gate.get(link))
    assert delivery in whole.gate.events()


def test_what_was_decided_on_the_platform_before_anybody_was_asked_is_not_asked(whole):
    whole.cloud.callback_url = None
    [task] = whole.cloud.deploy_machine(59)
    body = whole.cloud.callback_body([task])
    whole.cloud.decide(task, "continue")
    whole.gate.callback(body)
    whole.settle()
    assert whole.gate.events() == ["received", "verified", "withdrawn"]
    assert MONA not in [mail.to for mail in whole.mails.all()]


def test_a_decision_outlives_the_platform_and_the_gate(tmp_path, engine):
    port = free_port()
    with Mailbox() as mailbox, Cloud() as cloud, stores.fresh(tmp_path, "workflow.db") as store:
        mails, text = Mails(mailbox), settings_text(cloud, mailbox, engine)
        cloud.callback_url = f"http://127.0.0.1:{port}/callback"
        with served_gate(tmp_path, text, port, store) as gate:
            [task] = cloud.deploy_machine(59)
            link = mails.to(MONA).link("accept")
            cloud.faults.down = True
            assert gate.press(link).status_code == 200
            gate.wait_until_idle()
        cloud.faults.clear()
        with served_gate(tmp_path, text, port, store) as gate:
            late = gate.get(link)
            assert late.status_code == 410
            gate.catch_up()
            assert cloud.task_state(task) != "QUEUEING"
            assert "Abiquo has been told" in words(gate.get(link))
            assert "web-01" in mails.to(ANA).subject


def test_while_the_platform_is_down_callbacks_are_kept_and_asked_about_later(whole):
    whole.cloud.faults.plan(Fault(method="GET", status=503, times=None))
    [task] = whole.cloud.deploy_machine(59)
    whole.settle()
    assert whole.cloud.callbacks[0].status == 202
    assert whole.mails.all() == []
    whole.cloud.faults.clear()
    whole.gate.catch_up()
    assert whole.mail(task).link("accept")


def test_a_requester_without_address_is_not_told_and_nothing_breaks(whole):
    world = whole.cloud.world
    nemo = world.add_user(world.enterprises[1], "Nemo Nobody", "")
    [task] = whole.cloud.deploy_machine(59, by=nemo.id)
    mail = whole.mail(task)
    assert "Nemo Nobody" in mail.subject
    whole.gate.press(mail.link("accept"))
    whole.settle()
    assert whole.posts(task) == ["continue"]
    assert "not told" in whole.gate.events()
    assert {to for to, _ in whole.mails.subjects()} == {MONA, MAX}


def test_a_refused_recipient_is_told_to_the_operator_and_the_others_are_asked(whole):
    whole.mailbox.replies = {MONA: "550 no such user"}
    [task] = whole.cloud.deploy_machine(59)
    mail = whole.mail(task, MAX)
    alert = whole.mails.to(OPERATOR)
    assert "Mona Manager" in alert.subject + alert.text
    assert "550" in alert.text
    whole.settle()
    assert whole.gate.press(mail.link("accept")).status_code == 200
    whole.settle()
    assert whole.posts(task) == ["continue"]
    assert [to for to, _ in whole.mails.subjects()].count(MONA) == 0


def test_if_every_recipient_is_refused_the_task_waits_and_the_operator_knows(whole):
    whole.mailbox.replies = lambda address: None if address == OPERATOR else "550 no"
    [task] = whole.cloud.deploy_machine(59)
    whole.settle()
    assert "Nobody else is asked" in "".join(mail.text for mail in whole.mails.all())
    assert (whole.cloud.task_state(task), whole.posts(task)) == ("QUEUEING", [])


def test_a_recipient_who_is_put_off_is_asked_later(whole):
    whole.mailbox.replies = {MONA: "451 greylisted"}
    [task] = whole.cloud.deploy_machine(59)
    whole.mail(task, MAX)
    whole.settle()
    whole.mailbox.replies = {}
    whole.gate.catch_up()
    assert whole.mail(task, MONA).link("accept")


def test_mail_that_could_not_be_sent_arrives_when_the_server_is_back(tmp_path, engine):
    port = free_port()
    with Cloud() as cloud:
        with Mailbox(smtp_port=port) as mailbox:
            text = settings_text(cloud, mailbox, engine)
        with served_gate(tmp_path, text) as gate:
            cloud.callback_url = f"{gate.url}/callback"
            [task] = cloud.deploy_machine(59)
            assert cloud.wait_for_callbacks()
            gate.wait_until_idle()
            jobs = {f"<{row[0]}.0@gate.example>" for row in gate.tables()["jobs"]}
            with Mailbox(smtp_port=port) as mailbox:
                gate.catch_up()
                mail = Mails(mailbox).about(task, MONA)
                assert mail.message["Message-ID"] in jobs


def test_a_mail_that_may_have_been_sent_is_sent_again_under_the_same_message_id(
    tmp_path, cloud, mailbox, scripted, engine
):
    """The server takes the mail and hangs up before it says so."""
    scripted.replies["."] = None
    text = settings_text(cloud, mailbox, engine).replace(str(mailbox.smtp_port), str(scripted.port))
    with served_gate(tmp_path, text) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        cloud.deploy_machine(59)
        wait_until(lambda: len(scripted.messages) >= 2)
        gate.wait_until_idle()
        scripted.replies["."] = "250 OK"
        gate.catch_up()
    mails = [message_from_string(text) for text in scripted.messages]
    to_mona = [mail["Message-ID"] for mail in mails if MONA in mail["To"]]
    assert len(to_mona) >= 2
    assert len(set(to_mona)) == 1


def test_a_callback_is_answered_though_mail_hangs(whole):
    whole.mailbox.delay = 5.0
    whole.cloud.deploy_machine(59)
    assert whole.cloud.wait_for_callbacks()
    assert whole.cloud.callbacks[0].status == 202
    assert whole.mailbox.count == 0
    whole.mailbox.delay = 0.0


@pytest.mark.parametrize("name", ["mail/request/body.html", "mail/request/subject.txt"])
def test_a_broken_mail_never_lets_a_task_pass(tmp_path, name, engine):
    file = tmp_path / "own" / name
    file.parent.mkdir(parents=True)
    file.write_text("{{ there.is.no.such.thing }}")
    with served_site(tmp_path, f"templates = own\n{engine}") as site:
        [task] = site.deploy()
        alert = site.mails.to(OPERATOR)
        assert f"{name}, line 1" in alert.text
        site.settle()
        assert (site.cloud.task_state(task), site.posts(task)) == ("QUEUEING", [])
