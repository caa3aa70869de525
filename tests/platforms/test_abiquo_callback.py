import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from abiquo_samples import MACHINE, USER, body, collection, link, task, without
from hypothesis import given, settings
from hypothesis import strategies as st

from approval.platforms import CallbackError
from approval.platforms.abiquo.callback import read

ARTICLE = Path(__file__).with_name("data") / "article.xml"


def as_xml(document, name="task"):
    """A task, or a collection of tasks, as versions before 3.0 write it."""
    if "collection" in document:
        return f"<tasks>{''.join(as_xml(one) for one in document['collection'])}</tasks>"
    links = "".join(
        f"<link {' '.join(f'{key}={quoteattr(value)}' for key, value in one.items())}/>"
        for one in document["links"]
    )
    fields = "".join(
        f"<{key}>{value}</{key}>"
        for key, value in document.items()
        if key not in ("links", "jobs") and value is not None
    )
    return f"<task>{links}{fields}<jobs><job><id>1</id><type>SCHEDULE</type></job></jobs></task>"


def read_xml(document):
    return read(as_xml(document).encode(), {})


def read_json(document):
    return read(body(document), {})


def refusal(document, reader=read_json):
    with pytest.raises(CallbackError) as refused:
        reader(document)
    return str(refused.value)


both = pytest.mark.parametrize("reader", [read_json, read_xml])


def test_the_callback_of_the_article_is_read():
    machine = "cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/59"
    (found,) = read(ARTICLE.read_bytes(), {}).tasks
    assert found.id == "d8113ffd-c3d9-4834-8b3c-1b51736c9b8b"
    assert found.type == "DEPLOY"
    assert found.requester == "admin/enterprises/1/users/1"
    assert found.held_since == datetime(2013, 6, 26, 8, 7, 25, tzinfo=UTC)
    assert found.links == {
        "self": f"{machine}/tasks/{found.id}",
        "continue": f"{machine}/tasks/{found.id}/action/continue",
        "cancel": f"{machine}/tasks/{found.id}/action/cancel",
        "target": machine,
        "user": "admin/enterprises/1/users/1",
    }


@both
def test_a_bare_task_and_a_collection_of_one_are_the_same(reader):
    assert reader(task()) == reader(collection(task()))


@both
def test_tasks_keep_their_order(reader):
    tasks = reader(collection(task("b"), task("a"), task("c"))).tasks
    assert [one.id for one in tasks] == ["b", "a", "c"]


@pytest.mark.parametrize("prefix", ["https://any.host:8443/api/", "/api/", "/", ""])
@both
def test_every_form_of_href_leads_to_the_same_task(reader, prefix):
    assert reader(task(prefix=prefix)) == reader(task())


def test_the_order_of_everything_is_open():
    for links in itertools.permutations(task()["links"][1:]):
        shuffled = [dict(reversed(one.items())) for one in links]
        fields = dict(reversed((task() | {"links": shuffled}).items()))
        assert read_json(fields) == read_json(task())


def test_what_newer_versions_add_is_passed_over():
    links = [*task()["links"], link("price", "x"), {"rel": "odd", "href": None}]
    newer = task(links=links, type="SOMETHING_NEW", state="ODD", userId=None, extra={"a": []})
    (found,) = read_json(newer).tasks
    assert found.type == "SOMETHING_NEW"


@both
def test_the_machine_may_be_called_virtualmachine(reader):
    assert reader(task(target_rel="virtualmachine")) == reader(task())


@both
def test_the_way_to_the_task_itself_is_known_without_being_told(reader):
    assert reader(without(task(), "self", "parent")) == reader(task())


@pytest.mark.parametrize("rel", ["continue", "cancel", "user", "target"])
@both
def test_a_task_without_a_link_refuses_the_whole_callback(reader, rel):
    # The tool of 2013 took the link of the task before.
    reason = refusal(collection(task("one"), without(task("two"), rel), task("three")), reader)
    assert "task 2 of 3 ('two')" in reason
    assert rel in reason or (rel == "target" and "virtualmachine" in reason)


@pytest.mark.parametrize("rel", ["continue", "cancel", "user", "target", "self"])
@both
def test_a_link_that_is_there_twice_is_refused(reader, rel):
    links = task()["links"]
    doubled = task(links=links + [one for one in links if one["rel"] == rel])
    assert f"2 {rel} links instead of one" in refusal(doubled, reader)


OTHER = MACHINE.replace("42", "43")


@pytest.mark.parametrize(
    ("rel", "path"),
    [
        ("continue", f"{MACHINE}/tasks/t1/action/cancel"),
        ("continue", f"{MACHINE}/tasks/t2/action/continue"),
        ("continue", f"{OTHER}/tasks/t1/action/continue"),
        ("continue", f"{MACHINE}/action/deploy"),
        ("continue", f"https://evil@host/api/{MACHINE}/tasks/t1/action/continue"),
        ("cancel", f"{MACHINE}/tasks/t1/action/continue"),
        ("cancel", f"{MACHINE}/tasks/t1/action/cancel?force=true"),
        ("self", f"{OTHER}/tasks/t1"),
        ("target", OTHER),
        ("target", USER),
        ("user", MACHINE),
        ("user", "admin/enterprises/2/users/7/../8"),
        ("user", ""),
    ],
)
@both
def test_a_link_must_belong_to_its_task_and_machine(reader, rel, path):
    changed = [{"rel": rel, "href": path} if one["rel"] == rel else one for one in task()["links"]]
    assert "task 1 of 1 ('t1')" in refusal(task(links=changed), reader)


@pytest.mark.parametrize("name", ["taskId", "type"])
@pytest.mark.parametrize("value", [None, "", "a b", "x" * 65, "ü", "'; DROP TABLE tasks; --"])
@both
def test_id_and_type_are_required_plain_words(reader, name, value):
    reason = refusal(collection(task("fine"), task(**{name: value})), reader)
    assert "task 2 of 2" in reason
    assert name in reason


@pytest.mark.parametrize("value", [[], {}, ["t1"], {"id": "t1"}, ".", ".."])
def test_an_id_that_is_no_text_is_refused(value):
    assert "taskId" in refusal(task(taskId=value))


@both
def test_a_task_twice_in_one_callback_is_refused(reader):
    reason = refusal(collection(task("one"), task("two"), task("one")), reader)
    assert reason == "task 3 of 3 ('one'): taskId is repeated"


@both
def test_tasks_of_several_requesters_are_refused(reader):
    other = task("two", user="admin/enterprises/2/users/8")
    reason = refusal(collection(task("one"), other), reader)
    assert reason.startswith("task 2 of 2 ('two'): the user link")


@both
def test_a_callback_holds_one_to_five_hundred_tasks(reader):
    assert len(reader(collection(*(task(f"t{n}") for n in range(500)))).tasks) == 500
    assert "501 tasks" in refusal(collection(*(task(f"t{n}") for n in range(501))), reader)
    assert "0 tasks" in refusal(collection(), reader)


@pytest.mark.parametrize("member", [None, 3, "task", [], {}])
def test_members_that_are_no_tasks_are_refused(member):
    assert "task 2 of 2" in refusal(collection(task(), member))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{}", b"<html/>", b"<tasks/>", b"<tasks><job/></tasks>", b"task=1"]
    + [b'{"collection": %s}' % value for value in (b"null", b"3", b'"x"', b"{}")],
)
def test_bodies_that_are_no_callback_are_refused(content):
    with pytest.raises(CallbackError):
        read(content, {})


def test_the_reason_never_repeats_much_of_the_body():
    assert len(refusal(task("x" * 10_000))) < 300
    assert "\n" not in refusal(task(type="a\nb"))


@pytest.mark.parametrize("name", ["Content-Encoding", "content-encoding"])
def test_a_packed_body_is_refused(name):
    with pytest.raises(CallbackError, match="Content-Encoding 'gzip'"):
        read(body(task()), {name: "gzip"})


@pytest.mark.parametrize("value", ["", "identity", " Identity "])
def test_a_body_that_says_it_is_not_packed_is_read(value):
    assert read(body(task()), {"Content-Encoding": value}) == read_json(task())


@pytest.mark.parametrize(
    "said", ["application/json", "text/xml", "application/x-www-form-urlencoded"]
)
def test_the_content_type_does_not_matter(said):
    assert read(body(task()), {"Content-Type": said}) == read_json(task())


@pytest.mark.parametrize(
    ("created", "changed", "since"),
    [
        (1479997495, 0, 1479997495),
        (1479997495, 1479999999, 1479997495),
        (0, 1479997495, 1479997495),
        (None, 1479997495, 1479997495),
        ("1479997495", None, 1479997495),
        ("yesterday", 1479997495, 1479997495),
        (0, 0, None),
        (None, None, None),
        (-5, None, None),
        (1479997495000, None, None),  # milliseconds
        (10**17, 0, None),
    ],
)
@both
def test_the_time_is_the_first_that_makes_sense(reader, created, changed, since):
    (found,) = reader(task(creationTimestamp=created, timestamp=changed)).tasks
    assert found.held_since == (since and datetime.fromtimestamp(since, UTC))


def test_the_root_of_the_api_may_lie_deeper():
    under = "/some/prefix/api"
    document = task(prefix=f"https://any.host{under}/")
    assert read(body(document), {}, under) == read_json(task())
    with pytest.raises(CallbackError):
        read(body(document), {})


ids = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
machines = st.tuples(*[st.integers(1, 999)] * 3).map(
    lambda n: f"cloud/virtualdatacenters/{n[0]}/virtualappliances/{n[1]}/virtualmachines/{n[2]}"
)
prefixes = st.sampled_from(["https://any.host/api/", "/api/", "/", ""])
rels = st.sets(st.sampled_from(["continue", "cancel", "target", "user"]), max_size=1)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(ids, machines, prefixes, rels), min_size=1, max_size=6, unique_by=lambda t: t[0]
    ),
    st.sampled_from([read_json, read_xml]),
    st.randoms(),
)
def test_each_tasks_links_are_its_own_elements(drawn, reader, random):
    documents = []
    for id, machine, prefix, missing in drawn:
        document = without(task(id, machine=machine, prefix=prefix), *missing)
        random.shuffle(document["links"])
        documents.append(document)
    if any(missing for *_, missing in drawn):
        assert "instead of one" in refusal(collection(*documents), reader)
        return
    for (id, machine, *_), found in zip(drawn, reader(collection(*documents)).tasks, strict=True):
        own = f"{machine}/tasks/{id}"
        assert (found.id, found.links) == (
            id,
            {
                "self": own,
                "continue": f"{own}/action/continue",
                "cancel": f"{own}/action/cancel",
                "target": machine,
                "user": USER,
            },
        )


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["collection", "links", "taskId", "type", "rel", "href", "x"]),
                inner,
            )
        ),
    )
)
def test_no_json_does_anything_but_be_refused(value):
    with pytest.raises(CallbackError):
        read(json.dumps(value).encode(), {})


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(content):
    with pytest.raises(CallbackError):
        read(content, {})
