"""What a link to a purged request shows: nothing that a link to nowhere does not."""

from datetime import timedelta

from approval.clock import utc_now
from approval.gate.purge import purge


def test_a_valid_link_to_a_purged_request_leads_where_an_unknown_one_leads(site):
    [task] = site.deploy()
    mail = site.mail(task)
    site.gate.press(mail.link("accept"), comment="a secret")
    site.settle()
    site.gate.catch_up()
    assert site.gate.get(mail.link("accept")).status_code == 410
    now = utc_now()
    done = purge(site.gate.service.database, now + timedelta(days=1), now, lambda: None)
    assert done.requests == 1
    nowhere = site.gate.get("/accept?task=unknown&token=unknown")
    for answer in (
        site.gate.get(mail.link("accept")),
        site.gate.get(mail.link("review")),
        site.gate.press(mail.link("decline")),
    ):
        assert (answer.status_code, answer.content) == (404, nowhere.content)
