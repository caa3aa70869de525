"""The list of what the platform holds, as complete or as odd as it may be."""

from urllib.parse import parse_qs, urlsplit

import pytest
from abiquo_samples import MACHINE, USER, body, collection, held, link, task, without

from approval.platforms import PlatformError
from approval.platforms.abiquo import pending


def enterprise(id, name="Acme"):
    return {"id": id, "name": name, "links": [link("edit", f"admin/enterprises/{id}", name)]}


def tasks_path(id):
    return f"admin/enterprises/{id}/action/pendingtasks"


@pytest.fixture
def acme(server):
    """One enterprise; `acme(*tasks)` says what is held there."""
    server.answers["admin/enterprises"] = collection(enterprise(2), totalSize=1)

    def holds(*tasks, **fields):
        server.answers[tasks_path(2)] = collection(*tasks, totalSize=len(tasks), **fields)

    holds()
    return holds


class Pages:
    """Serves a list by startwith and limit, without any links to other pages."""

    def __init__(self, server, path, items, total=None, most=1000):
        self.items, self.total, self.most = items, total, most
        self.calls = 0
        server.answers[path] = self.answer

    def answer(self, handler):
        self.calls += 1
        query = parse_qs(urlsplit(handler.path).query)
        start, limit = int(query["startwith"][0]), min(int(query["limit"][0]), self.most)
        total = len(self.items) if self.total is None else self.total
        content = body(collection(*self.items[start : start + limit], totalSize=total))
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def ids(abiquo):
    return [one.id for one in abiquo.held()]


def test_held_tasks_are_listed_as_callbacks_announce_them(abiquo, acme):
    acme(task("t1"))
    [found] = abiquo.held()
    assert (found.id, found.links, found.requester) == ("t1", held("t1").links, USER)


def test_nothing_held_is_a_list(abiquo, acme):
    assert ids(abiquo) == []


def test_xml_is_read(server, abiquo, acme):
    document = f"""<tasks><totalSize>1</totalSize><task>
        <link rel="target" href="{MACHINE}"/><link rel="user" href="{USER}"/>
        <link rel="continue" href="{MACHINE}/tasks/t1/action/continue"/>
        <link rel="cancel" href="{MACHINE}/tasks/t1/action/cancel"/>
        <state>QUEUEING</state><taskId>t1</taskId><type>DEPLOY</type></task></tasks>"""
    server.answers[tasks_path(2)] = document.encode()
    assert ids(abiquo) == ["t1"]


@pytest.mark.parametrize("most", [1000, 30])
def test_pages_are_counted_to_the_end(server, abiquo, acme, most):
    Pages(server, tasks_path(2), [task(f"t{number}") for number in range(250)], most=most)
    assert len(set(ids(abiquo))) == 250


def many(server, number):
    """So many enterprises, in each of which a task is held."""
    Pages(server, "admin/enterprises", [enterprise(id) for id in range(1, number + 1)])
    for id in range(1, number + 1):
        server.answers[tasks_path(id)] = collection(task(f"t{id}"), totalSize=1)


def listed(abiquo, **how):
    """The ids that a list shows, and the failure with which it ends, if any."""
    shown = []
    try:
        for one in abiquo.held(**how):
            shown.append(one.id)
    except PlatformError as failure:
        return shown, failure
    return shown, None


def test_every_enterprise_is_asked(server, abiquo):
    many(server, 120)
    first = ids(abiquo)
    assert len(first) == pending.AT_ONCE
    second = ids(abiquo)
    assert len(set(first + second)) == 120


def test_all_are_asked_at_once_by_whoever_wants_the_whole(server, abiquo):
    many(server, 120)
    assert len({one.id for one in abiquo.held(whole=True)}) == 120


@pytest.mark.parametrize(
    "refusal",
    [
        (500, {}, b"no"),
        (403, {}, b"no"),
        (404, {}, b"<html>a proxy</html>"),
        None,  # the platform's own 404
        (200, {}, b"<html>sign in</html>"),
    ],
)
@pytest.mark.parametrize("which", [1, 3, 5])
def test_an_enterprise_that_cannot_be_listed_hides_no_other(server, abiquo, refusal, which):
    many(server, 5)
    server.answers[tasks_path(which)] = refusal
    for _ in range(3):  # in every round
        shown, failure = listed(abiquo)
        assert set(shown) == {f"t{id}" for id in range(1, 6) if id != which}
        assert f"enterprises/{which}/" in str(failure)


def test_the_first_of_several_failures_is_told(server, abiquo):
    many(server, 5)
    server.answers[tasks_path(2)] = server.answers[tasks_path(4)] = (500, {}, b"no")
    shown, failure = listed(abiquo)
    assert shown == ["t1", "t3", "t5"]
    assert "enterprises/2/" in str(failure)


def test_an_enterprise_that_breaks_off_hides_no_other(server, abiquo):
    many(server, 2)
    server.answers[tasks_path(1)] = collection(task("t1"), totalSize=500)
    server.answers[f"{tasks_path(1)}?startwith=1&limit=100"] = (500, {}, b"no")
    shown, failure = listed(abiquo)
    assert shown == ["t1", "t2"]
    assert "500" in str(failure)


@pytest.mark.parametrize("whole", [False, True])
def test_a_platform_that_answers_for_no_enterprise_is_not_asked_for_each(server, abiquo, whole):
    many(server, 50)
    for id in range(1, 51):
        server.answers[tasks_path(id)] = (503, {}, b"no")
    shown, failure = listed(abiquo, whole=whole)
    assert shown == []
    assert "503" in str(failure)
    assert len([path for path in server.paths if "pendingtasks" in path]) == pending.FAILURES


def test_the_next_round_goes_on_behind_those_for_which_the_last_gave_up(server, abiquo):
    many(server, 9)
    bad = [tasks_path(id) for id in (1, 2, 3)]
    server.answers |= dict.fromkeys(bad, (500, {}, b"no"))
    assert listed(abiquo)[0] == []
    assert len(listed(abiquo)[0]) == 6


@pytest.mark.parametrize("total", [10**6, 0, None])
def test_a_list_that_repeats_itself_ends(server, abiquo, acme, total):
    page = collection(*(task(f"t{number}") for number in range(100)))
    server.answers[tasks_path(2)] = page if total is None else page | {"totalSize": total}
    assert len(ids(abiquo)) == 100
    assert len(server.calls) <= 3


def test_a_list_without_end_is_cut_off(server, abiquo, acme, monkeypatch):
    monkeypatch.setattr(pending, "MAX_TASKS", 250)
    pages = Pages(server, tasks_path(2), [task(f"t{number}") for number in range(1000)])
    with pytest.raises(PlatformError, match="more than 250"):
        ids(abiquo)
    assert pages.calls == 3


def test_an_empty_page_ends_the_list_whatever_the_total(server, abiquo, acme):
    pages = Pages(server, tasks_path(2), [task("t1")], total=500)
    assert ids(abiquo) == ["t1"]
    assert pages.calls == 2


@pytest.mark.parametrize(
    "bad",
    [
        without(task("t9"), "continue"),
        without(task("t9"), "user"),
        task("t9", taskId=None),
        task("t9", links=[]),
        task("t9", machine="admin/users/1"),
        task("t9", prefix="http://evil.example/other/"),
        task("t9", links=[*task("t8")["links"]]),
        task("../t9"),
        "no task",
        None,
    ],
)
def test_a_task_that_no_callback_could_announce_is_left_out_and_the_others_are_not(
    abiquo, acme, bad
):
    acme(task("t1"), bad, task("t2"))
    assert ids(abiquo) == ["t1", "t2"]


def test_another_host_is_not_called(server, abiquo, acme):
    acme(task("t1", prefix="https://evil.example/api/"), links=[link("next", "evil")])
    [found] = abiquo.held()
    assert found.links == held("t1").links
    assert all(path.startswith("admin/enterprises") for path in server.paths)


@pytest.mark.parametrize(
    ("setting", "asked"),
    [
        ("", {2, 3}),
        ("Acme", {2}),
        ("3", {3}),
        ("Big or small ,", {3}),
        (" 3 , Acme", {2, 3}),
    ],
)
def test_the_enterprises_can_be_chosen(server, connect, setting, asked):
    both = enterprise(2), enterprise(3, "Big or small")
    server.answers["admin/enterprises"] = collection(*both, totalSize=2)
    for id in (2, 3):
        server.answers[tasks_path(id)] = collection(task(f"t{id}"), totalSize=1)
    abiquo = connect(server, api_enterprises=setting)
    assert set(ids(abiquo)) == {f"t{id}" for id in asked}


def test_chosen_ids_need_no_list_of_enterprises(server, connect):
    server.answers[tasks_path(7)] = collection(task("t1"))
    assert ids(connect(server, api_enterprises="7")) == ["t1"]
    assert "admin/enterprises" not in {path.partition("?")[0] for path in server.paths}


def test_an_enterprise_that_is_not_there_is_for_the_operator(server, connect, acme):
    with pytest.raises(PlatformError, match=r"'Nowhere'; is .* api_enterprises right") as failed:
        ids(connect(server, api_enterprises="Acme, Nowhere"))
    assert failed.value.alert
    with pytest.raises(PlatformError, match="api_enterprises") as failed:
        ids(connect(server, api_enterprises="99"))
    assert failed.value.alert


@pytest.mark.parametrize("status", [401, 403, 500, 503, 302])
@pytest.mark.parametrize("path", ["admin/enterprises", tasks_path(2)])
def test_a_list_that_cannot_be_had_is_a_failure_and_not_an_empty_one(
    server, abiquo, acme, path, status
):
    server.answers[path] = (status, {}, b"<html>no</html>")
    with pytest.raises(PlatformError):
        ids(abiquo)


def test_a_list_that_breaks_off_is_a_failure_after_what_it_showed(server, abiquo, acme):
    class Breaks(Pages):
        def answer(self, handler):
            if self.calls:
                handler.close_connection = True
                return
            super().answer(handler)

    Breaks(server, tasks_path(2), [task(f"t{number}") for number in range(150)])
    found = abiquo.held()
    assert len({next(found).id for _ in range(100)}) == 100
    with pytest.raises(PlatformError):
        next(found)


def test_a_version_without_such_a_list_says_so(server, abiquo, acme):
    server.answers[tasks_path(2)] = (404, {}, b"<html>HTTP Status 404</html>")
    assert abiquo.held() is None


def test_a_version_without_such_a_list_says_so_of_many_enterprises(server, abiquo):
    many(server, 9)
    server.answers |= {tasks_path(id): (404, {}, b"<html>no</html>") for id in range(1, 10)}
    assert abiquo.held() is None
    assert abiquo.held() is None
