"""Whatever breaks in a view: an answer that tells nothing, and an id by which the log tells all."""

import json
import re

import pytest

INSIDE = "the inside of the gate"
KEPT_OUT = ("Traceback", ".py", INSIDE, "RuntimeError")


def broken_view(**_):
    raise RuntimeError(INSIDE)


def ask(site, endpoint):
    """Ask for a view, by the first of its rules and methods."""
    [rule, *_] = site.gate.service.app.url_map.iter_rules(endpoint)
    method = "POST" if "POST" in (rule.methods or ()) else "GET"
    path = re.sub("<.*?>", "something", rule.rule)
    return site.gate.session.request(method, f"{site.gate.url}{path}", timeout=10)


def views(site):
    return sorted(site.gate.service.app.view_functions)


def test_an_error_in_any_view_is_answered_with_an_id_that_stands_in_the_log(site, capfd):
    app = site.gate.service.app
    assert len(views(site)) == 10
    for endpoint in views(site):
        whole, app.view_functions[endpoint] = app.view_functions[endpoint], broken_view
        try:
            answer = ask(site, endpoint)
        finally:
            app.view_functions[endpoint] = whole
        assert answer.status_code == 500, endpoint
        for inside in KEPT_OUT:
            assert inside not in answer.text, endpoint
        assert "no-store" in answer.headers["Cache-Control"]
        reference = reference_of(answer)
        told = [e for e in events(capfd) if e.get("request_id") == reference]
        assert [event["event"] for event in told] == ["request broke", "request"], endpoint
        assert INSIDE in told[0]["exception"]
        assert told[1]["status"] == 500


def reference_of(answer):
    if answer.headers["Content-Type"] == "application/json":
        return answer.json()["reference"]
    [reference] = re.findall("name this reference: <bdi>([0-9a-f]{8})</bdi>", answer.text)
    return reference


def events(capfd):
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_the_next_request_has_an_id_of_its_own(site, capfd):
    for _ in range(20):
        assert site.gate.get("/healthz").status_code == 200
    ids = [event["request_id"] for event in events(capfd) if event["event"] == "request"]
    assert len(ids) == len(set(ids)) == 20


@pytest.mark.parametrize(
    ("path", "event"), [("/callback", "callback unreadable"), ("/callback/x", "callback refused")]
)
def test_why_a_callback_was_not_taken_is_told_to_both_sides(site, capfd, path, event):
    answer = site.gate.post(path, b"what?")
    told = [e for e in events(capfd) if e["event"] in (event, "request")]
    assert [e["event"] for e in told] == [event, "request"]
    assert told[0]["reason"] == answer.json()["error"]
    assert told[0]["request_id"] == told[1]["request_id"]
