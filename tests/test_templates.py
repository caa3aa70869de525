"""What people read: every page and mail, rendered from samples and looked at as a document."""

import itertools
import json
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from markupsafe import Markup

from approval import samples, wording
from approval.model import Decision, Delivery, Disk, Place, TaskState
from approval.rendering import DISGUISES, TemplateError, Templates, bdi, visible

SHARED = {"brand": "Acme Cloud", "platform": "Abiquo"}
RENDERINGS = list(samples.renderings())
PAGES = [case for case in RENDERINGS if case[0].startswith("page/") and "style" not in case[0]]
MAILS = [case for case in RENDERINGS if case[0].endswith("body.html")]
STATES = samples.every_state()


def sentences(cases):
    """Cases for parametrize, named after their template."""
    return [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases)]


@pytest.fixture(scope="module")
def templates():
    return Templates(None, SHARED)


def document(templates, name, context):
    return html.document_fromstring(templates.render(name, **context))


def words(element):
    """The text of an element as it reads, in one line."""
    return " ".join(element.text_content().split())


def sample(name, **changes):
    return samples.contexts()[name] | changes


# -- all of them


@pytest.mark.parametrize(("name", "context"), sentences(RENDERINGS))
def test_every_template_works_with_every_sample(templates, name, context):
    assert templates.render(name, **context).strip()


def test_samples_cover_every_page_and_mail(templates):
    shared = {"look.html", "what.html", "page/base.html", "page/parts.html"}
    shared |= {"mail/base.html", "mail/parts.html", "mail/parts.txt"}
    ours = {name for name in templates.names() if not name.startswith("page/console")}
    assert ours - shared == set(samples.contexts())


@pytest.mark.parametrize(("name", "context"), sentences(PAGES + MAILS))
def test_a_document_says_its_language_and_has_one_heading_and_a_title(templates, name, context):
    tree = document(templates, name, context)
    assert tree.get("lang") == "en"
    assert tree.get("dir") == "ltr"
    assert len(tree.findall(".//h1")) == 1
    assert tree.findtext(".//title").strip()


def element_names(templates, name, context):
    return Counter(element.tag for element in document(templates, name, context).iter())


SIGNS = st.sampled_from(
    ["<b>", "</td>", "<!--", "]]>", "&lt;", '"', "'", "{{ 7 * 7 }}", "</style>", "<script>", "\n"]
) | st.characters(exclude_categories=["Cs"])
TEXTS = st.lists(SIGNS, min_size=1, max_size=12).map("".join)


def named(name):
    """A request in which all that comes from outside is this text."""
    machine = replace(
        samples.WEB,
        label=name,
        name=f"A{name}",
        description=name,
        template=name,
        addresses=(name,),
        disks=(Disk(size_mb=1024, name=name),),
        place=Place(enterprise=name, datacenter=name, location=name, appliance=name),
    )
    decision = Decision(by=name, at=samples.ASKED, reason=name)
    tasks = (
        samples.task(1, machine, type=name),
        samples.task(2, machine, type="RECONFIGURE"),
        samples.decided(
            3, machine=machine, decision=decision, delivery=Delivery.OVERTAKEN, delivery_note=name
        ),
    )
    ana = replace(samples.ANA, name=name, address=name)
    return samples.request(*tasks, requester=ana, missing=(name,))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=TEXTS)
def test_markup_in_names_never_becomes_elements(templates, name):
    for template, context in samples.contexts().items():
        if "request" in context and template.endswith(".html"):
            hostile, benign = (about(named(text), context) for text in (name, "benign"))
            found = element_names(templates, template, hostile)
            assert found == element_names(templates, template, benign), template


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=TEXTS)
def test_a_name_begins_no_line_and_hides_no_sign_in_a_text_part(templates, name):
    for template, context in samples.contexts().items():
        if "request" in context and template.endswith(".txt"):
            hostile, benign = (
                templates.render(template, **about(named(text), context)).splitlines()
                for text in (name, "benign")
            )
            assert len(hostile) == len(benign), template
            assert not {unicodedata.category(sign) for sign in "".join(hostile)} & DISGUISES


def about(request, context):
    """The context with this request in it."""
    pending = tuple(task for task in request.tasks if task.state is TaskState.PENDING)
    handled = tuple(task for task in request.tasks if task not in pending)
    asks = ("action" in context and "settled" in context) or "links" in context
    approver = replace(samples.BOB, name=request.requester.name)
    changes = {
        "request": request,
        "tasks": pending if asks else handled,
        "settled": handled,
        "others": handled,
        "decided": handled,
        "pending": pending if "task_ids" in context else 2,
        "more": 0,
        "approver": approver,
    }
    return context | {key: value for key, value in changes.items() if key in context}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-\u202e10", "web-‹U+202E›10"),
        ("a\x00b", "a‹U+0000›b"),
        ("a\u2028b", "a‹U+2028›b"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("خادم", "خادم"),
    ],
)
def test_disguises_are_written_out_and_lines_joined(text, shown):
    assert visible(text) == shown


def test_a_name_keeps_its_direction_to_itself():
    assert bdi("<خادم>") == "<bdi>&lt;خادم&gt;</bdi>"


# -- pages


@pytest.mark.parametrize(("name", "context"), sentences(PAGES))
def test_a_page_has_nothing_that_acts_by_itself_or_comes_from_elsewhere(templates, name, context):
    tree = document(templates, name, context)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //svg | //base")
    assert not tree.xpath("//@style | //@*[starts-with(name(), 'on')] | //meta[@http-equiv]")
    for address in tree.xpath("//@href | //@src | //@action | //@formaction"):
        assert re.match(r"[a-z#]+(\?|$)", address), address


def test_the_style_sheet_reads_the_same_as_text_and_as_markup(templates):
    style = templates.render("page/style.css.html")
    assert not set("<&") & set(style)
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize(("name", "context"), sentences(PAGES))
def test_every_field_that_people_fill_in_has_a_label(templates, name, context):
    tree = document(templates, name, context)
    for field in tree.xpath("//textarea | //input[not(@type='hidden')]"):
        assert tree.xpath(f"//label[@for='{field.get('id')}']")


@pytest.mark.parametrize(("name", "context"), sentences(PAGES))
def test_forms_are_posts_with_a_token_and_plain_buttons(templates, name, context):
    for form in document(templates, name, context).forms:
        assert form.method == "POST"
        assert form.xpath(".//input[@type='hidden' and @name='token']/@value") == [samples.TOKEN]
        assert form.xpath(".//button")


@pytest.mark.parametrize("number", [1, 3])
def test_the_question_reads_the_same_with_and_without_markup(templates, number):
    request = samples.deploy(number)
    context = sample("page/confirm.html", request=request, tasks=request.tasks)
    [heading] = document(templates, "page/confirm.html", context).findall(".//h1")
    assert words(heading) == wording.question(request)


@pytest.mark.parametrize(("action", "other"), [("accept", "decline"), ("decline", "accept")])
def test_the_button_that_was_clicked_in_the_mail_comes_first(templates, action, other):
    request = samples.deploy()
    context = sample("page/confirm.html", request=request, tasks=request.tasks, action=action)
    tree = document(templates, "page/confirm.html", context | {"many": False, "settled": ()})
    buttons = tree.xpath("//form//button")
    assert [button.get("formaction") for button in buttons] == [action, other]
    assert [words(button) for button in buttons] == [action.capitalize(), other.capitalize()]
    assert ["primary" in button.get("class").split() for button in buttons] == [True, False]


@pytest.mark.parametrize(("name", "context"), sentences(PAGES + MAILS))
def test_a_title_shows_a_machines_name_as_it_is_written(templates, name, context):
    mixed = samples.task(1, replace(samples.WEB, label="DB-Master_01"))
    context = context | {"request": samples.request(mixed), "tasks": (mixed,), "decided": (mixed,)}
    title = document(templates, name, context).findtext(".//title")
    assert "db-master_01" not in title
    assert ("deploy" in title) == ("DB-Master_01" in title)


def test_a_single_task_is_posted_with_its_id_and_token(templates):
    context = sample("page/confirm.html", tasks=STATES.tasks[:1], many=False, task_ids="t-1")
    [form] = document(templates, "page/confirm.html", context).forms
    assert dict(form.form_values()) == {"task": "t-1", "token": samples.TOKEN, "comment": ""}


def test_several_tasks_are_posted_together(templates):
    context = sample("page/confirm.html", task_ids="t-1,t-2")
    [form] = document(templates, "page/confirm.html", context).forms
    assert form.action == "multiple"
    assert dict(form.form_values())["tasks"] == "t-1,t-2"
    buttons = [(b.get("name"), b.get("value"), words(b)) for b in form.xpath(".//button")]
    assert buttons == [
        ("action", "accept", "Accept all 2"),
        ("action", "decline", "Decline all 2"),
    ]


def test_one_of_several_machines_is_asked_about_alone(templates):
    request = samples.deploy(3)
    context = sample("page/confirm.html", request=request, tasks=request.tasks[1:2], many=False)
    tree = document(templates, "page/confirm.html", context)
    assert words(tree.find(".//h1")).startswith("Ana User wants to deploy web-02 in")
    assert "This page decides only web-02, one of 3 machines" in words(tree)


def test_a_reconfiguration_shows_what_was_before_and_since_when_that_is_known(templates):
    request = samples.reconfigure()
    context = sample("page/confirm.html", request=request, tasks=request.tasks, many=False)
    text = words(document(templates, "page/confirm.html", context))
    assert "Previous values as last known on 12 Nov 2026" in text
    assert "4 GiB → becomes 8 GiB" in text


def test_a_reconfiguration_of_an_unknown_machine_says_so(templates):
    request = samples.reconfigure(known=False)
    context = sample("page/confirm.html", request=request, tasks=request.tasks, many=False)
    text = words(document(templates, "page/confirm.html", context))
    assert "Previous values unknown" in text
    assert "→" not in text


ASKING = [name for name in samples.contexts() if re.search("request/body|outcome/body|view", name)]


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("held_since", "shown"),
    [
        ([samples.ASKED, None], "21 Nov 2026, 10:02 UTC"),  # found by reconciling, say
        ([samples.DEADLINE, samples.ASKED], "21 Nov 2026, 10:02 UTC"),
        ([None, None], "22 Nov 2026, 10:02 UTC"),
        ([samples.DEADLINE, None], "22 Nov 2026, 10:02 UTC"),  # its clock is ahead of ours
    ],
)
def test_since_when_it_waits_is_what_the_platform_says(templates, name, held_since, shown):
    tasks = [
        replace(task, held=replace(task.held, held_since=since))
        for task, since in zip(samples.deploy(2).tasks, held_since, strict=True)
    ]
    request = samples.request(*tasks, received_at=samples.ASKED + timedelta(days=1))
    text = templates.render(name, **about(request, sample(name)) | {"tasks": request.tasks})
    assert re.search(rf"sked.{{0,60}} (<time[^>]*>)?{shown}", text)


def test_what_the_platform_did_not_tell_is_told(templates):
    request = samples.incomplete()
    context = sample("page/confirm.html", request=request, tasks=request.tasks)
    text = words(document(templates, "page/confirm.html", context))
    assert "Could not be had from Abiquo: disks of ABQ_0a4c2f9e, the requester." in text


def test_each_of_500_machines_can_be_decided_by_a_button_with_its_name(templates):
    request = samples.deploy(500)
    context = sample(
        "page/review.html",
        request=request,
        pending=request.tasks,
    )
    forms = document(templates, "page/review.html", context).forms
    assert [form.action for form in forms] == ["multiple"] * 501
    last = forms[-1]
    assert dict(last.form_values())["tasks"] == request.tasks[-1].held.id
    assert [words(b) for b in last.xpath(".//button")] == ["Accept web-500", "Decline web-500"]


def test_a_result_tells_of_each_task_what_became_of_it(templates):
    context = sample("page/result.html")
    text = words(document(templates, "page/result.html", context))
    assert "Accepted: deploy web-01" in text
    assert "The decision is recorded and is being sent to Abiquo." in text
    assert "Declined web-04 by Carol Chief" in text
    assert "But it had already ended in Abiquo: cancelled by its owner." in text


@pytest.mark.parametrize("delivery", [Delivery.REFUSED, Delivery.FAILED])
def test_what_waits_for_the_operator_does_not_say_that_anybody_was_told(delivery):
    # Whether `[mail] operator` is set is nothing that people who decide can know.
    told = wording.told(samples.decided(1, delivery=delivery, delivery_note="409"), "Abiquo")
    assert told.endswith(" It waits for the operator of this service.")


def test_a_locked_link_says_whom_to_ask_and_not_that_anybody_was_told(templates):
    text = words(document(templates, "page/barred.html", {"revoked": False, "style": Markup()}))
    assert "please ask the operator of this service to let your links work again" in text
    assert "told" not in text


def test_green_is_not_for_decisions_that_the_platform_did_not_follow(templates):
    tasks = (samples.decided(1, delivery=Delivery.OVERTAKEN), samples.decided(2))
    tree = document(templates, "page/gone.html", sample("page/gone.html", tasks=tasks))
    chips = {words(chip): chip.get("class") for chip in tree.find_class("chip")}
    assert chips == {"Accepted but overtaken": "chip withdrawn", "Accepted": "chip accepted"}


def test_who_decided_what_when_and_why_is_told_to_latecomers(templates):
    context = sample("page/gone.html", tasks=(samples.decided(1),))
    text = words(document(templates, "page/gone.html", context))
    assert "Accepted web-01 by Carol Chief, 21 Nov 2026, 10:14 UTC (31 minutes ago)" in text
    assert "The budget is spent until May." in text
    assert "Abiquo has been told." in text


# -- mails


def ended(number, how):
    """A task that somebody decided on the platform itself."""
    decision = Decision(by="Abiquo", at=samples.ASKED, reason=f"it was {how} on the platform")
    return samples.decided(number, TaskState.WITHDRAWN, None, decision=decision)


@pytest.mark.parametrize(("name", "context"), sentences(MAILS))
def test_a_mail_loads_nothing_and_runs_nothing(templates, name, context):
    text = templates.render(name, **context)
    tree = html.document_fromstring(text)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //form | //svg")
    assert not tree.xpath("//@src | //@background | //@*[starts-with(name(), 'on')]")
    assert "url(" not in text
    assert "@import" not in text
    for address in tree.xpath("//a/@href"):
        assert address.startswith("https://approval.example.org/")


@pytest.mark.parametrize(("name", "context"), sentences(MAILS))
def test_a_mail_is_light_and_dark_and_has_room_in_its_buttons_in_word(templates, name, context):
    text = templates.render(name, **context)
    tree = html.document_fromstring(text)
    assert tree.xpath("//meta[@name='color-scheme']/@content") == ["light dark"]
    assert "@media (prefers-color-scheme: dark)" in text
    for cell in tree.xpath("//td[contains(@class, 'b') or contains(@class, 'c')][a]"):
        [kind] = {"b", "c"} & set(cell.get("class").split())
        assert f".{kind} {{ mso-padding-alt:" in text


@pytest.mark.parametrize(("name", "context"), sentences(MAILS))
def test_tables_that_only_lay_out_say_so(templates, name, context):
    tree = document(templates, name, context)
    assert not tree.xpath("//table[not(@role='presentation') and not(.//th)]")


@pytest.mark.parametrize(("name", "context"), sentences(MAILS))
def test_the_text_part_has_every_link_name_fact_and_time(templates, name, context):
    tree = document(templates, name, context)
    text = " ".join(templates.render(name.replace(".html", ".txt"), **context).split())
    told = itertools.chain(tree.xpath("//a/@href"), map(words, tree.xpath("//bdi | //time")))
    assert [fact for fact in told if " ".join(fact.split()) not in text] == []


@pytest.mark.parametrize("name", ["request", "reminder", "note", "outcome", "alert"])
def test_a_subject_is_one_line(templates, name):
    context = sample(f"mail/{name}/subject.txt")
    assert "\n" not in templates.render(f"mail/{name}/subject.txt", **context)


@pytest.mark.parametrize(
    ("tasks", "subject"),
    [
        ([samples.decided(1)], "Accepted: deploy web-01"),
        (
            [samples.decided(1), samples.decided(2, TaskState.DECLINED)],
            "1 accepted, 1 declined: deploy web-01 and web-02",
        ),
        (
            [samples.task(1), samples.decided(2), samples.decided(3)],
            "2 accepted, 1 waiting: deploy web-01 and 2 more machines",
        ),
        (
            [samples.decided(1, delivery=Delivery.OVERTAKEN)],
            "Accepted but overtaken: deploy web-01",
        ),
        ([ended(1, "continued")], "Accepted in Abiquo: deploy web-01"),
        ([ended(1, "cancelled")], "Declined in Abiquo: deploy web-01"),
        (
            [samples.task(1), ended(2, "cancelled")],
            "1 declined in Abiquo, 1 waiting: deploy web-01 and web-02",
        ),
        ([samples.decided(1, TaskState.WITHDRAWN, None)], "Withdrawn: deploy web-01"),
    ],
)
def test_the_subject_of_an_outcome_is_true_for_all_of_it(templates, tasks, subject):
    request = samples.request(*tasks)
    context = {"request": request, "tasks": request.tasks, "pending": 0}
    assert templates.render("mail/outcome/subject.txt", **context) == subject


def test_the_subject_of_a_request_says_what_and_who(templates):
    context = sample("mail/request/subject.txt", request=samples.deploy(3))
    expected = "Approval needed: deploy web-01 and 2 more machines - Ana User"
    assert templates.render("mail/request/subject.txt", **context) == expected


def test_a_note_stays_in_the_thread_of_the_request(templates):
    asked = templates.render("mail/request/subject.txt", **sample("mail/request/subject.txt"))
    context = sample("mail/note/subject.txt", request=samples.deploy(9))
    assert templates.render("mail/note/subject.txt", **context) == f"Re: {asked}"


def test_a_reminder_stays_in_the_thread_too_and_says_what_it_is(templates):
    asked = templates.render("mail/request/subject.txt", **sample("mail/request/subject.txt"))
    context = sample("mail/reminder/subject.txt", request=samples.deploy(9))
    assert templates.render("mail/reminder/subject.txt", **context) == f"Re: {asked}"
    text = templates.render("mail/reminder/body.txt", **context)
    assert text.startswith("Reminder: this still waits for a decision.\n\nAna User wants to")
    tree = document(templates, "mail/reminder/body.html", context)
    assert "Reminder This still waits for a decision." in words(tree)


@pytest.mark.parametrize("name", ["request", "reminder"])
@pytest.mark.parametrize("part", ["body.txt", "body.html"])
@pytest.mark.parametrize(
    ("decline_at", "said", "not_said"),
    [
        (None, "by 28 Nov 2026, 10:02 UTC; the links end then", "then is declined"),
        (
            samples.LAPSE,
            "by 24 Nov 2026, 10:02 UTC: what nobody has decided by then is declined.",
            "These links end",
        ),
        (
            samples.DEADLINE + timedelta(days=1),
            "by 29 Nov 2026, 10:02 UTC: what nobody has decided by then is declined. "
            "These links end sooner, on 28 Nov 2026, 10:02 UTC.",
            "links end then",
        ),
    ],
    ids=["never", "before the links end", "after the links end"],
)
def test_a_mail_says_until_when_to_decide_and_what_comes_then(
    templates, name, part, decline_at, said, not_said
):
    request = replace(samples.deploy(), decline_at=decline_at)
    context = sample(f"mail/{name}/{part}", request=request, tasks=request.tasks, many=False)
    text = templates.render(f"mail/{name}/{part}", **context)
    text = " ".join(text.split()) if part == "body.txt" else words(html.document_fromstring(text))
    assert said in text
    assert not_said not in text


@pytest.mark.parametrize("page", ["confirm", "review"])
def test_a_page_says_when_it_is_declined_if_nobody_decides(templates, page):
    request = replace(samples.deploy(), decline_at=samples.LAPSE)
    said = "Please decide by 24 Nov 2026, 10:02 UTC (3 days from now): what nobody has decided"
    for asked, there in ((request, True), (samples.deploy(), False)):
        context = sample(f"page/{page}.html", request=asked, pending=asked.tasks)
        text = words(document(templates, f"page/{page}.html", context))
        assert (said in text) is there
        assert ("This page works until 28 Nov 2026" in text) is not there


def test_a_batch_that_was_decided_at_once_is_told_in_one_sentence(templates):
    tasks = tuple(samples.decided(number) for number in range(1, 501))
    context = sample("mail/outcome/body.txt", request=samples.request(*tasks), tasks=tasks)
    text = templates.render("mail/outcome/body.txt", **context)
    assert text.count("by Carol Chief") == 1
    assert "web-10 and 490 more machines" in text


def test_50_machines_with_all_their_facts_and_links_fit_into_one_mail(templates):
    """Gmail cuts what is longer than about 102 kB."""

    class Links(samples.Links):
        token = "e" * 70
        accept_all = f"{samples.Links.base}/multiple?tasks={'d8113ffd-c3d9-4834-8b3c,' * 75}"
        decline_all = accept_all

        def accept(self, task):
            return f"{self.base}/accept?task={task.held.id}&token={self.token}"

        def decline(self, task):
            return f"{self.base}/decline?task={task.held.id}&token={self.token}"

    machine = replace(
        samples.WEB,
        description="Front end of the shop " * 5,
        disks=(*samples.WEB.disks, Disk(size_mb=51200, name="archive")),
    )
    tasks = tuple(
        samples.task(number, replace(machine, label=f"web-server-{number:03}"))
        for number in range(1, 51)
    )
    context = sample("mail/request/body.html", request=samples.request(*tasks), links=Links())
    context |= {"tasks": tasks, "more": 0}
    message = EmailMessage(policy=policy.SMTP)
    text = templates.render("mail/request/body.txt", **context)
    message.set_content(text, cte="quoted-printable")
    markup = templates.render("mail/request/body.html", **context)
    message.add_alternative(markup, subtype="html", cte="quoted-printable")
    assert len(Links().accept(tasks[0])) >= 150
    assert len(message.as_bytes()) < 100_000


def test_an_endless_description_does_not_swell_the_mail_of_a_batch(templates):
    tasks = tuple(
        samples.task(number, replace(samples.WEB, description="so long " * 1000))
        for number in (1, 2)
    )
    context = sample("mail/request/body.html", request=samples.request(*tasks), tasks=tasks)
    assert len(templates.render("mail/request/body.html", **context)) < 20_000


# -- the operator's own templates


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("fine\n{% if %}", "line 2"),
        ("fine\nfine\n{{ reqest.id }}", "line 3: 'reqest' is undefined"),
        ("fine\n{{ request.nobody }}", "line 2: "),
    ],
)
def test_a_mistake_in_an_override_names_its_file_and_line(tmp_path, source, complaint):
    file = tmp_path / "mail/request/body.txt"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        Templates(tmp_path, SHARED).render(
            "mail/request/body.txt", **sample("mail/request/body.txt")
        )
    assert f"{file}, {complaint}" in str(caught.value)


def test_an_override_replaces_one_file_and_leaves_the_others(tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page/home.html").write_text("ours", encoding="utf-8")
    templates = Templates(tmp_path, SHARED)
    assert templates.render("page/home.html") == "ours"
    assert "does not exist" in templates.render("page/not_found.html", style="")


# -- the look


@pytest.fixture(scope="module")
def palettes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("look")
    source = '{% from "look.html" import light, dark %}{{ [light, dark] | tojson }}'
    (folder / "palettes.txt").write_text(source, encoding="utf-8")
    light, dark = json.loads(Templates(folder, SHARED).render("palettes.txt"))
    return {"light": light, "dark": dark}


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


READ = [
    *itertools.product(("text", "quiet", "accent", "accent_strong"), ("page", "card")),
    ("bad", "card"),
    ("on_accent", "accent"),
    ("on_accent", "accent_strong"),
    ("on_bad", "bad"),
    ("on_bad", "bad_strong"),
    *((tone, f"{tone}_back") for tone in ("good", "bad", "wait", "off")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), READ)
def test_text_stands_out_from_what_is_behind_it(palettes, scheme, front, back):
    assert contrast(palettes[scheme][front], palettes[scheme][back]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edges_of_fields_and_buttons_can_be_seen(palettes, scheme):
    assert contrast(palettes[scheme]["edge"], palettes[scheme]["card"]) >= 3


def test_both_palettes_have_the_same_colours(palettes):
    assert palettes["light"].keys() == palettes["dark"].keys()


DEPLOYED = samples.task(1), samples.task(2), samples.task(3)
UNDEPLOYED = replace(samples.task(4), held=replace(samples.task(4).held, type="UNDEPLOY"))


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (DEPLOYED[:1], "deploy web-01"),
        (DEPLOYED[:2], "deploy web-01 and web-02"),
        (DEPLOYED, "deploy web-01 and 2 more machines"),
        ([UNDEPLOYED, DEPLOYED[0]], "undeploy web-04 and deploy web-01"),
        ([UNDEPLOYED, *DEPLOYED[:2]], "undeploy web-04, and deploy web-01 and web-02"),
    ],
)
def test_each_kind_of_work_is_named_with_its_own_machines(templates, tasks, words):
    context = sample("mail/request/subject.txt", request=samples.request(*tasks))
    subject = templates.render("mail/request/subject.txt", **context)
    assert subject == f"Approval needed: {words} - Ana User"
