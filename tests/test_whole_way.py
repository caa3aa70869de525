"""The main job, end to end over HTTP and SMTP: callback, mail, link, button, platform, outcome."""

from tests.conftest import wait_until

MONA, MAX, ANA = "mona@acme.example", "max@acme.example", "ana@acme.example"


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
