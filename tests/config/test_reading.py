"""Settings: read from the file, the environment and secret files; wrong ones are all named."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from approval.config import SECTIONS, ConfigError, load
from approval.mail.smtp import Security
from approval.model import Action

LEAST = {
    "abiquo": {
        "api_location": "https://cloud.example.com/api",
        "api_username": "gate",
        "api_password": "xabiquo-secret",
    },
    "mail": {"from": "Approval gate <gate@example.com>", "operator": "ops@example.com"},
}
SECRET = "a-secret-of-22-letters"
DAY = timedelta(days=1)


@pytest.fixture
def settings(tmp_path):
    """Loads what the least settings become with some changes; None takes a key out."""

    def settings(environment=None, **sections):
        values = {name: LEAST.get(name, {}) | sections.get(name, {}) for name in LEAST | sections}
        file = tmp_path / "workflow.cfg"
        lines = []
        for name, keys in values.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
        file.write_text("\n".join(lines), "utf-8")
        return load(file, environment or {})

    return settings


@pytest.fixture
def problems(settings):
    def problems(*args, **sections):
        with pytest.raises(ConfigError) as failed:
            settings(*args, **sections)
        return failed.value.problems

    return problems


def test_four_lines_are_enough_and_everything_else_has_a_safe_default(settings):
    config = settings()
    assert config.warnings == ()
    assert config.public_url == "http://127.0.0.1:8080"
    assert config.server.default_action is Action.DECLINE
    assert (config.links.signed, config.links.one_click) == (True, False)
    assert config.policy.guarded_types is None
    assert config.policy.self_approval is False
    assert config.mail.security is Security.NONE
    assert config.engine.give_up_after == timedelta(days=3)


def test_every_problem_is_told_at_once_with_section_and_key(problems):
    found = problems(
        server={"bind_port": "eighty", "default_action": "perhaps", "databse": "x"},
        abiquo={"api_location": "cloud", "api_password": None},
        mail={"from": "nobody", "port": "0", "security": "maybe"},
        links={"valid_days": "0", "signed": "perhaps"},
        policy={"own_request": "maybe"},
        engine={"give_up_after": "soon", "threads": "0", "kind": "steam"},
        serverr={"bind_port": "1"},
    )
    places = [problem.split(":")[0] for problem in found]
    assert sorted(places) == sorted([
        "[server] bind_port", "[server] default_action", "[server] databse", "[serverr]",
        "[abiquo] api_location", "[abiquo] api_password", "[mail] from", "[mail] port",
        "[mail] security",
        "[links] valid_days", "[links] signed", "[policy] own_request",
        "[engine] give_up_after", "[engine] threads", "[engine] kind",
    ])  # fmt: skip
    assert all(len(problem.split(": ", 1)[1]) > 8 for problem in found)


@pytest.mark.parametrize(
    ("section", "key", "cure"),
    [
        ("server", "bind_adress", "did you mean bind_address?"),
        ("server", "databse", "did you mean database?"),
        ("abiquo", "api_pasword", "did you mean api_password?"),
        ("mail", "admin_subjekt", "did you mean admin_subject?"),
        ("links", "one_clik", "did you mean one_click?"),
        ("policy", "zzz", "there is no such key"),
        ("server", "api_password", "there is no such key; it is one of [abiquo]"),
        ("server", "api_password_file", "there is no such key; it is one of [abiquo]"),
    ],
)
def test_an_unknown_key_is_a_problem_and_the_nearest_known_one_is_named(
    problems, section, key, cure
):
    [problem] = problems(**{section: {key: "1"}})
    assert problem.startswith(f"[{section}] {key}: ")
    assert problem.endswith(cure)


def test_an_unknown_section_is_a_problem(problems):
    [problem] = problems(polcy={"own_request": "ask"})
    assert problem == "[polcy]: there is no such section; did you mean policy?"


@pytest.mark.parametrize("key", ["api_location", "api_password"])
def test_what_is_missing_is_named_with_its_section(problems, key):
    [problem] = problems(abiquo={key: None})
    assert problem.startswith("[abiquo]")
    assert key in problem


def test_an_empty_file_is_told_all_that_is_missing_at_once(tmp_path):
    file = tmp_path / "workflow.cfg"
    file.touch()
    with pytest.raises(ConfigError) as failed:
        load(file, {})
    assert failed.value.problems == [
        "[abiquo] api_location: is missing; it has no default",
        "[abiquo] api_username: is missing; set it and api_password, or api_token",
        "[mail] from: is missing; it has no default",
    ]


def test_an_address_that_is_empty_is_called_so(problems):
    [problem] = problems(mail={"from": ""})
    assert problem == "[mail] from: is empty; write a mail address, as gate@example.com"


def test_who_mails_are_from_must_be_said(problems):
    assert problems(mail={"from": None}) == ["[mail] from: is missing; it has no default"]


def test_a_percent_sign_is_just_a_sign(settings):
    config = settings(abiquo={"api_password": "50%(off)s %% $HOME ;#"})
    assert config.platform.api_password.get_secret_value() == "50%(off)s %% $HOME ;#"


def test_the_environment_wins_over_the_file(settings):
    environment = {
        "APPROVAL_ABIQUO__API_PASSWORD": "from-the-environment",
        "APPROVAL_SERVER__BIND_PORT": "9090",
        "APPROVAL_MAIL__FROM": "Other <other@example.com>",
        "PATH": "/bin",
    }
    config = settings(environment, server={"bind_port": "8081"})
    assert config.platform.api_password.get_secret_value() == "from-the-environment"
    assert config.server.bind_port == 9090
    assert config.mail.sender == "Other <other@example.com>"


def test_a_section_can_come_from_the_environment_alone(settings):
    assert settings({"APPROVAL_LINKS__VALID_DAYS": "3"}).links.valid == timedelta(days=3)


def test_a_misspelt_key_in_the_environment_is_a_problem(problems):
    [problem] = problems({"APPROVAL_LINKS__VALID_DAY": "3"})
    assert problem == (
        "[links] valid_day (from APPROVAL_LINKS__VALID_DAY): there is no such key; "
        "did you mean valid_days?"
    )


@pytest.mark.parametrize("key", ["API_PASSWORD", "API_PASSWORD_FILE"])
def test_a_variable_with_one_underscore_too_few_is_a_problem(problems, key):
    assert problems({f"APPROVAL_ABIQUO_{key}": "x"}) == [
        f"APPROVAL_ABIQUO_{key}: sets nothing; did you mean APPROVAL_ABIQUO__{key}?"
    ]


def test_variables_of_other_programs_are_none_of_ours(settings):
    settings({"APPROVAL_SERVER_PORT": "tcp://10.0.0.1:80", "APPROVAL_ABIQUO_COLOUR": "red"})


PASSWORD = "APPROVAL_ABIQUO__API_PASSWORD"


@pytest.mark.parametrize(
    ("environment", "written", "places"),
    [
        ({}, {"api_password_file": "password"}, ("", "")),
        (
            {PASSWORD: "x", f"{PASSWORD}_FILE": "password"},
            {"api_password": None},
            (f" (from {PASSWORD})", f" (from {PASSWORD}_FILE)"),
        ),
    ],
    ids=["settings", "environment"],
)
def test_a_value_beside_a_file_that_holds_it_too_is_a_problem(
    problems, tmp_path, environment, written, places
):
    (tmp_path / "password").write_text("y")
    value, file = places
    assert problems(environment, abiquo=written) == [
        f"[abiquo] api_password{value}: is set twice, by [abiquo] api_password_file{file} too; "
        "keep one of the two"
    ]


@pytest.mark.parametrize("keys", [("password", "password_file"), ("password_file", "password")])
def test_a_key_without_value_leaves_it_to_the_file(settings, tmp_path, keys):
    (tmp_path / "secret").write_text("y")
    both = {"password": "", "password_file": "secret"}
    config = settings(mail={key: both[key] for key in keys})
    assert config.mail.password.get_secret_value() == "y"


def test_the_environment_wins_over_a_file_that_the_settings_name(settings, tmp_path):
    (tmp_path / "password").write_text("y")
    written = {"api_password": None, "api_password_file": "password"}
    config = settings({PASSWORD: "x"}, abiquo=written)
    assert config.platform.api_password.get_secret_value() == "x"


def test_a_misspelt_section_in_the_environment_is_a_problem(problems):
    found = problems({"APPROVAL_LINK__VALID_DAYS": "3", "APPROVAL_PORT_8080_TCP": "tcp://1"})
    assert found == ["APPROVAL_LINK__VALID_DAYS: there is no such section; did you mean links?"]


def test_a_wrong_value_from_the_environment_names_its_variable(problems):
    [problem] = problems({"APPROVAL_SERVER__BIND_PORT": "http"}, server={"bind_port": "80"})
    place, words = problem.split(": ")
    assert place == "[server] bind_port (from APPROVAL_SERVER__BIND_PORT)"
    assert words == "must be a whole number"


@pytest.mark.parametrize("environment", [{}, {"APPROVAL_SERVER__SECRET_KEY_FILE": "key"}])
def test_a_wrong_value_from_a_file_of_its_own_names_that_file(problems, tmp_path, environment):
    (tmp_path / "key").write_text("short")
    written = {} if environment else {"secret_key_file": "key"}
    [problem] = problems(environment, server=written)
    assert problem.startswith(f"[server] secret_key (from {tmp_path}/key): must have at least 22")


@pytest.mark.parametrize("relative", [True, False])
def test_a_secret_can_lie_in_a_file_of_its_own(settings, tmp_path, relative):
    file = tmp_path / "password"
    file.write_text("größe %s\n", "utf-8")
    path = file.name if relative else file
    config = settings(abiquo={"api_password": None, "api_password_file": path})
    assert config.platform.api_password.get_secret_value() == "größe %s"


def test_the_name_of_a_secret_file_can_come_from_the_environment(settings, tmp_path):
    (tmp_path / "callback").write_text(f"{SECRET}1\n{SECRET}2\n")
    config = settings({"APPROVAL_SERVER__CALLBACK_SECRET_FILE": "callback"})
    shown = [secret.get_secret_value() for secret in config.server.callback_secret]
    assert shown == [f"{SECRET}1", f"{SECRET}2"]


def test_a_secret_file_that_cannot_be_read_is_a_problem(problems, tmp_path):
    assert problems(abiquo={"api_password": None, "api_password_file": "nowhere"}) == [
        f"[abiquo] api_password_file: {tmp_path}/nowhere cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("content", "words"), [(b"\n", "is empty"), (b"gr\xf6\xdfe", "is not UTF-8")]
)
def test_a_secret_file_without_a_secret_is_a_problem(problems, tmp_path, content, words):
    (tmp_path / "password").write_bytes(content)
    found = problems(abiquo={"api_password": None, "api_password_file": "password"})
    assert found == [f"[abiquo] api_password_file: {tmp_path}/password {words}"]


@pytest.mark.parametrize("key", ["callback_secret", "secret_key"])
def test_a_short_secret_is_refused_without_being_shown(problems, key):
    [problem] = problems(server={key: f"{SECRET} sesame"})
    place, words, cure = re.split(": |; ", problem, maxsplit=2)
    assert (place, words) == (f"[server] {key}", "must have at least 22 characters")
    assert cure.startswith("make one with: ")


def test_how_to_make_a_secret_makes_one_that_will_do(problems, settings):
    [problem] = problems(server={"callback_secret": "sesame"})
    command = problem.partition("make one with: ")[2]
    made = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - as printed
    [secret] = settings(server={"callback_secret": made.stdout}).server.callback_secret
    assert secret.get_secret_value() == made.stdout.strip()


@pytest.mark.parametrize("value", ["", "nonsense", "-1", "0", "1.5", "nan", "9" * 300, "/nowhere"])
def test_what_is_wrong_is_said_in_words_for_operators(tmp_path, value):
    lines = []
    for name, model in SECTIONS.items():
        keys = [info.alias or key for key, info in model.model_fields.items()]
        lines += [f"[{name}]", *(f"{key} = {value}" for key in keys)]
    file = tmp_path / "workflow.cfg"
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as failed:
        load(file, {})
    for problem in failed.value.problems:
        assert not re.search(r"\bshould\b|\bInput\b|Value error|validation|pattern|\^", problem)


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("server", "bind_port", "http", "must be a whole number"),
        ("server", "bind_port", "70000", "must be at most 65535"),
        ("server", "templates", "nowhere", "{folder}/nowhere cannot be read: No such file"),
        ("server", "templates", "workflow.cfg", "{folder}/workflow.cfg is no folder"),
        (
            "server",
            "public_url",
            "gate.example.com",
            "write an address as https://gate.example.com",
        ),
        ("server", "public_url", "https://a@b.c", "write an address as https://gate.example.com"),
        ("server", "database", "mysql://gate:sesame@db/gate", "only SQLite and PostgreSQL are"),
        ("server", "database", "sqlite:///", "names no file; write it as sqlite:///workflow.db"),
        ("server", "database", "sqlite:///a.db?timeout=9", "a file takes no options; leave out"),
        ("mail", "security", "ssl", "must be 'none', 'starttls' or 'tls'"),
        ("mail", "ca_file", "nowhere", "{folder}/nowhere cannot be read: No such file"),
        ("mail", "timeout", "0", "must be more than 0"),
        ("links", "one_click", "perhaps", "must be yes or no"),
        ("policy", "own_request", "maybe", "'maybe' is neither ask nor accept nor cancel"),
        ("abiquo", "api_version", "three", "write a version as 3.10, or leave it empty"),
        ("abiquo", "api_approve_role", "", "must not be empty"),
    ],
)
def test_a_wrong_value_is_told_with_what_it_must_be(problems, tmp_path, section, key, value, words):
    [problem] = problems(**{section: {key: value}})
    assert problem.startswith(f"[{section}] {key}: {words.format(folder=tmp_path)}")
    assert "sesame" not in problem


def test_no_message_and_no_representation_shows_a_secret(settings, problems):
    secrets = {
        "server": {"callback_secret": f"{SECRET}-callback", "secret_key": f"{SECRET}-key"},
        "abiquo": {"api_password": "xabiquo-secret"},
        "mail": {"username": "gate", "password": "mail-secret", "host": "localhost"},
    }
    shown = repr(settings(**secrets)) + str(settings(**secrets))
    wrong = secrets | {
        "abiquo": {"api_password": "xabiquo-secret", "api_token": "to ken-secret"},
        "mail": {"username": "gate", "password": "mail-secret", "host": "mail.example.com"},
        "links": {"valid_days": "many"},
    }
    shown += "".join(problems(**wrong))
    for secret in (SECRET, "xabiquo-secret", "mail-secret", "ken-secret"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3 days", timedelta(days=3)),
        ("90min", timedelta(minutes=90)),
        ("1 Hour", timedelta(hours=1)),
        ("20 s", timedelta(seconds=20)),
    ],
)
def test_lengths_of_time_are_written_as_people_say_them(settings, text, length):
    assert settings(engine={"give_up_after": text}).engine.give_up_after == length


@pytest.mark.parametrize(
    "text", ["", "3", "days", "-1 days", "3 fortnights", "1.5 h", "99999999999 days"]
)
def test_what_is_no_length_of_time_is_refused(problems, text):
    [problem] = problems(engine={"give_up_after": text})
    assert problem.startswith("[engine] give_up_after: ")


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("1 day", (DAY,)),
        ("12 h, 1 day,3 days", (DAY / 2, DAY, 3 * DAY)),
        ("never", ()),
        ("Never", ()),
        ("", ()),
    ],
)
def test_reminders_are_listed_with_commas(settings, text, lengths):
    assert settings(policy={"remind_after": text}).policy.remind_after == lengths


@pytest.mark.parametrize(
    ("section", "key", "text", "words"),
    [
        ("policy", "purge_after", "1 minute", "must be at least 1 day"),
        ("policy", "decline_after", "1 min", "must be at least 10 minutes"),
        ("engine", "reconcile_every", "1 s", "must be at least 10 seconds"),
    ],
)
def test_a_time_that_is_too_short_is_told_the_shortest(problems, section, key, text, words):
    assert problems(**{section: {key: text}}) == [f"[{section}] {key}: {words}"]


@pytest.mark.parametrize("text", ["3 days, 1 day", "1 day, 24 h", "0 days", "1 day 3 days", "soon"])
def test_reminders_that_make_no_sense_are_refused(problems, text):
    [problem] = problems(policy={"remind_after": text})
    assert problem.startswith("[policy] remind_after: ")


@pytest.mark.parametrize(
    ("text", "length"), [("never", None), ("NEVER", None), ("", None), ("2 days", 2 * DAY)]
)
def test_what_nobody_decides_is_declined_only_if_a_time_is_set(settings, text, length):
    assert settings().policy.decline_after is None
    assert settings(policy={"decline_after": text}).policy.decline_after == length


@pytest.mark.parametrize("key", ["accept_after", "undecided", "decide_after"])
def test_there_is_no_way_to_have_accepted_what_nobody_decides(problems, key):
    [problem] = problems(policy={key: "accept"})
    assert problem.startswith(f"[policy] {key}: there is no such key")


@pytest.mark.parametrize("text", ["1 min", "accept", "3"])
def test_a_time_in_which_nobody_can_decide_is_refused(problems, text):
    [problem] = problems(policy={"decline_after": text})
    assert problem.startswith("[policy] decline_after: ")


@pytest.mark.parametrize(
    ("policy", "links", "warning"),
    [
        ({"decline_after": "7 days"}, {}, None),
        ({"decline_after": "8 days"}, {}, "[links] valid_days = 7: links end before [policy]"),
        ({"decline_after": "8 days"}, {"valid_days": "8"}, None),
        ({"decline_after": "2 days"}, {}, None),
        (
            {"decline_after": "3 days", "remind_after": "1 day, 3 days"},
            {},
            "[policy] remind_after: 3 days is too late for a reminder",
        ),
        ({"remind_after": "30 days"}, {}, None),
    ],
)
def test_times_that_do_not_fit_together_are_warned_about(settings, policy, links, warning):
    found = settings(policy=policy, links=links).warnings
    assert len(found) == (warning is not None)
    assert warning is None or found[0].startswith(warning)


@pytest.mark.parametrize(
    ("word", "action"),
    [("CANCEL", Action.DECLINE), ("cancel", Action.DECLINE), ("decline", Action.DECLINE),
     ("ACCEPT", Action.ACCEPT), ("continue", Action.ACCEPT)],
)  # fmt: skip
def test_actions_are_understood_in_every_dialect(settings, word, action):
    assert settings(server={"default_action": word}).server.default_action is action
    assert settings(policy={"own_request": word}).policy.own_request is action


@pytest.mark.parametrize("text", ["DEPLOY, UNDEPLOY", "deploy undeploy", "Deploy,UNDEPLOY,"])
def test_types_are_listed_with_commas_or_spaces(settings, text):
    assert settings(policy={"guarded_types": text}).policy.guarded_types == {"DEPLOY", "UNDEPLOY"}


@pytest.mark.parametrize("text", ["", " ", ","])
def test_no_types_named_means_that_every_type_needs_an_approval(settings, text):
    assert settings(policy={"guarded_types": text}).policy.guarded_types is None


@pytest.mark.parametrize(
    ("content", "place", "cure"),
    [
        (b"[server]\nsesame\n", "line 2", "key = value"),
        (b"[server]\nsesame\nbind_port = 1\nsesame\n", "line 2, 4", "key = value"),
        (b"sesame = 1\n", "line 1", "put [server] or another above"),
        (b"[server]\n[server]\n", "line 2: [server]", "put its keys together"),
        (b"[server]\nbrand = a\nbrand = b\n", "line 3: [server] brand", "keep one of the two"),
        (b"[server]\nbrand = a\nBrand = b\n", "line 3: [server] brand", "keep one of the two"),
        (b"[server]\nbrand = gr\xf6\xdfe\n", "line 2", "save it as UTF-8"),
        (b"[server]\ncallback_from\0 = 10.0.0.0/8\n", "line 2", "save it as UTF-8"),
        ("[server]\nport = 1\n".encode("utf-16le"), "line 1", "save it as UTF-8"),
    ],
    ids=[
        "no value",
        "no value twice",
        "no section",
        "section twice",
        "key twice",
        "key twice in two ways",
        "not UTF-8",
        "NUL",
        "UTF-16",
    ],
)
def test_what_makes_no_sense_in_a_file_is_one_line_with_its_place_and_its_cure(
    settings, tmp_path, content, place, cure
):
    settings()
    file = tmp_path / "workflow.cfg"
    file.write_bytes(content + file.read_bytes())
    with pytest.raises(ConfigError) as failed:
        load(file, {})
    [problem] = failed.value.problems
    assert problem.startswith(f"{file}, {place}: ")
    assert problem.endswith(cure)
    assert "\n" not in problem
    assert "sesame" not in problem  # which may be a secret


def test_lines_that_make_no_sense_hide_nothing_else(tmp_path):
    file = tmp_path / "workflow.cfg"
    file.write_text("""\
# above all
stray = 1
another = 2
[server]
bind_port = eighty
brand = One
   and a half
brand = Two
   and more
brand = Three
default_action = CANCEL
[abiquo]
api_location = https://cloud.example.com/api
api_username = gate
api_password
[server]
brand = Four
trusted_proxies = many
[mail]
from gate@example.com
  host = here
  host = there
  timeout = soon
""")
    with pytest.raises(ConfigError) as failed:
        load(file, {})
    assert [problem.removeprefix(f"{file}, ") for problem in failed.value.problems] == [
        "line 2: belongs to no section; put [server] or another above",
        "line 8: [server] brand: is set twice; keep one of the two",
        "line 10: [server] brand: is set twice; keep one of the two",
        "line 16: [server]: begins twice; put its keys together",
        "line 22: [mail] host: is set twice; keep one of the two",
        "line 15: is no setting; write it as key = value",
        "line 20: is no setting; write it as key = value",
        "[server] bind_port: must be a whole number",
        "[server] trusted_proxies: must be a whole number",
        "[mail] timeout: must be a number",
    ]


def test_rules_are_judged_beside_values_that_are_wrong(problems):
    found = problems(
        server={"bind_address": "0.0.0.0", "trusted_proxies": "many", "require_signature": "yes"},  # noqa: S104 - not bound
        abiquo={"api_timeout": "soon", "api_password": None},
        mail={"timeout": "soon", "username": "gate", "host": "mail.example.com"},
        links={"valid_days": "many", "code": "yes", "signed": "no"},
        policy={"guarded_types": "DEPLOI", "purge_after": "soon"},
        temporal={"tls": "perhaps", "client_cert_file": "workflow.cfg"},
    )
    assert sorted(re.match(r"\[\w+\] \w+", problem)[0] for problem in found) == [
        "[abiquo] api_password",
        "[abiquo] api_timeout",
        "[links] code",
        "[links] valid_days",
        "[mail] security",
        "[mail] timeout",
        "[policy] guarded_types",
        "[policy] purge_after",
        "[server] callback_secret",
        "[server] public_url",
        "[server] require_signature",
        "[server] trusted_proxies",
        "[temporal] client_cert_file",
        "[temporal] tls",
    ]


@pytest.mark.parametrize(
    ("section", "values", "wrong"),
    [
        ("server", {"require_signature": "yes", "webhook_secret": "x"}, "webhook_secret"),
        ("server", {"bind_address": "0.0.0.0", "callback_secret": "x",  # noqa: S104 - not bound
                    "public_url": "https://gate.example.com"}, "callback_secret"),
        ("server", {"database": "mysql://db", "database_password": "x"}, "database"),
        ("mail", {"username": "gate", "host": "mail.example.com", "security": "ssl"}, "security"),
        ("links", {"code": "yes", "signed": "perhaps"}, "signed"),
        ("temporal", {"client_cert_file": "workflow.cfg", "client_key_file": "no"},
         "client_key_file"),
    ],
)  # fmt: skip
def test_a_rule_about_a_value_that_is_wrong_is_not_judged(problems, section, values, wrong):
    [problem] = problems(**{section: values})
    assert problem.startswith(f"[{section}] {wrong}: ")


@pytest.mark.parametrize("section", SECTIONS)
def test_no_key_of_a_section_is_required_but_by_a_rule(section):
    SECTIONS[section]()


def test_a_folder_is_no_settings_file(tmp_path):
    with pytest.raises(ConfigError) as failed:
        load(tmp_path, {})
    [problem] = failed.value.problems
    assert problem == f"{tmp_path}: is a folder; name a file, as {tmp_path}/workflow.cfg"


def test_a_file_that_is_not_there_names_the_command_that_writes_one(tmp_path):
    with pytest.raises(ConfigError, match="approval settings > "):
        load(tmp_path / "workflow.cfg", {})


def test_a_byte_order_mark_does_no_harm(tmp_path, settings):
    settings()
    file = tmp_path / "workflow.cfg"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load(file, {}).platform_name == "abiquo"


POSTGRESQL = {"database": "postgresql://gate@/approval?host=/run/postgresql", "secret_key": SECRET}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret_key": None}, "[server] secret_key: is required with PostgreSQL"),
        ({"database": "postgresql:///"}, "[server] database: names no database; write it as"),
        ({"database": "postgresql://a b@c:d/e"}, "[server] database: is no address of a database"),
        (
            {"database": "postgresql://gate:sesame@/approval", "database_password": "xsesame"},
            "[server] database_password: database names a password too; leave one",
        ),
        (
            {"database": "postgresql://gate@/approval?password=sesame"},
            "[server] database: password after ? would be shown",
        ),
        (
            {"database": "sqlite:///a.db", "database_password": "xsesame"},
            "[server] database_password: a SQLite file has none; leave it out",
        ),
    ],
)
def test_what_a_database_needs_is_told(problems, changes, words):
    [problem] = problems(server=POSTGRESQL | changes)
    assert problem.startswith(words)
    assert "sesame" not in problem


def test_the_password_of_a_database_can_lie_in_a_file_and_may_hold_any_sign(settings, tmp_path):
    (tmp_path / "password").write_text("p@ss/w:rd%?\n")
    server = POSTGRESQL | {"database_password_file": "password"}
    url = make_url(settings(server=server).database)
    assert (url.password, url.username, url.database) == ("p@ss/w:rd%?", "gate", "approval")


@pytest.mark.parametrize("kind", ["postgresql", "postgres"])
def test_a_database_on_a_server_has_no_file(settings, kind):
    address = f"{kind}://gate@db.example.com/approval?sslmode=verify-full"
    config = settings(server=POSTGRESQL | {"database": address})
    assert config.database == "postgresql://gate@db.example.com/approval?sslmode=verify-full"
    assert config.database_file is None
    assert config.warnings == ()


def test_a_database_that_may_be_reached_in_clear_text_is_warned_of(settings):
    address = "postgresql://gate@db.example.com/approval?sslmode=prefer"
    [warning] = settings(server=POSTGRESQL | {"database": address}).warnings
    assert "may travel to db.example.com in clear text" in warning


def test_a_username_of_the_mail_server_without_password_is_warned_of(settings):
    [warning] = settings(mail={"username": "gate", "host": "localhost"}).warnings
    assert warning == "[mail] password: is not set, but username is; set both or none"


@pytest.mark.parametrize(
    ("database", "lies"),
    [
        ("sqlite:///workflow.db", "sqlite:///{folder}/workflow.db"),
        ("sqlite:///data/gate.db", "sqlite:///{folder}/data/gate.db"),
        ("sqlite:////var/lib/gate.db", "sqlite:////var/lib/gate.db"),
    ],
)
def test_a_relative_database_lies_beside_the_settings(settings, tmp_path, database, lies):
    expected = lies.format(folder=tmp_path.resolve())
    assert settings(server={"database": database}).database == expected


@pytest.mark.parametrize(
    ("sections", "word"),
    [
        ({"links": {"one_click": "yes"}}, "one_click"),
        ({"links": {"signed": "no"}}, "signed"),
        ({"mail": {"operator": None}}, "operator"),
        ({"abiquo": {"api_location": "http://cloud.example.com/api"}}, "api_location"),
        ({"server": {"hostname": "gate.example.com"}}, "clear text"),
        ({"server": {"hostname": "gate.example.com"}}, "callback_secret"),
        ({"policy": {"guarded_types": "DEPLOY UNDEPLOI"}}, "did you mean UNDEPLOY?"),
        ({"policy": {"guarded_types": "DEPLOY PAINT"}}, "PAINT"),
        ({"server": {"default_action": "ACCEPT"}}, "default_action"),
    ],
    ids=[
        "one_click",
        "unsigned",
        "no operator",
        "plain platform",
        "plain links",
        "open callback",
        "misspelt type",
        "unknown type",
        "accepts by default",
    ],
)
def test_what_works_but_should_not_stay_is_warned_about(settings, sections, word):
    assert any(word in warning for warning in settings(**sections).warnings)


@pytest.mark.parametrize(
    ("words", "meant"),
    [("DEPLOI", "; did you mean DEPLOY?"), ("PAINT undeploi", "; did you mean UNDEPLOY?")],
)
def test_types_of_which_none_is_known_would_guard_nothing(problems, words, meant):
    [problem] = problems(policy={"guarded_types": words})
    assert problem.startswith("[policy] guarded_types: there is no type ")
    assert problem.endswith(f"; name some of DEPLOY, UNDEPLOY, RECONFIGURE{meant}")


def test_settings_cannot_be_changed_once_they_are_loaded(settings):
    config = settings()
    with pytest.raises(Exception, match=r"frozen|cannot assign"):
        config.server.bind_port = 1
    with pytest.raises(Exception, match=r"frozen|cannot assign"):
        config.file = Path("elsewhere")


@pytest.mark.parametrize(
    ("host", "security", "refused"),
    [
        ("localhost", "none", False),
        ("127.0.0.1", "none", False),
        ("mail.example.com", "none", True),
        ("mail.example.com", "starttls", False),
        ("mail.example.com", "tls", False),
    ],
)
def test_a_mail_login_does_not_cross_a_network_in_clear_text(settings, host, security, refused):
    mail = {"host": host, "security": security, "username": "gate", "password": "pass"}
    if refused:
        with pytest.raises(ConfigError, match=r"\[mail\] security: a login must not travel"):
            settings(mail=mail)
    else:
        assert settings(mail=mail).mail.username == "gate"
