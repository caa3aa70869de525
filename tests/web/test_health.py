"""What the gate tells those who watch it: alive, ready or not, and nothing of its inside."""

from tests.conftest import served_site


def test_a_gate_that_works_is_ready(site):
    answer = site.gate.get("/readyz")
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("ready", "store", "engine")} == {
        "ready": True,
        "store": "up",
        "engine": True,
    }


def test_a_gate_whose_engine_has_stopped_is_alive_but_not_ready(tmp_path):
    with served_site(tmp_path) as site:
        assert site.gate.service.engine.stop(20)
        assert site.gate.get("/healthz").json() == {"alive": True}
        answer = site.gate.get("/readyz")
        assert answer.status_code == 503
        assert (answer.json()["ready"], answer.json()["engine"]) == (False, False)


def test_a_gate_whose_store_is_down_is_not_ready_and_says_why_in_its_log_alone(tmp_path, capfd):
    with served_site(tmp_path) as site:
        site.settle()
        site.gate.store.change("ALTER TABLE jobs RENAME TO away")
        answer = site.gate.get("/readyz")
        site.gate.store.change("ALTER TABLE away RENAME TO jobs")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "store": "down", "engine": True}
        told = capfd.readouterr().err
        assert "no such table: jobs" in told or 'relation \\"jobs\\" does not exist' in told
