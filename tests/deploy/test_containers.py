"""The image of `deploy/Dockerfile` and its `compose.yaml`, as far as no engine is needed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import compose_spec
import pytest
import yaml

from approval.cli import serving
from approval.config import ConfigError, load
from approval.web import server
from tests.conftest import Site
from tests.deploy.fronts import DEPLOY
from tests.deploy.test_names import assert_is_command

ROOT = DEPLOY.parent
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = DEPLOY / "compose.yaml"
SECRETS = {
    "API_PASSWORD": "xabiquo",
    "CALLBACK_SECRET": "the callback secret of a test".replace(" ", "-"),
    "DATABASE_PASSWORD": "the database's password",
    "LINK_KEY": "the link key of the same test".replace(" ", "-"),
}


def instructions(name: str) -> list[str]:
    """What stands after this word in the Dockerfile, line by line."""
    text = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^(?:HEALTHCHECK .*)?\b{name} (.*)$", text, re.M)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, object]]:
    """The services of compose.yaml, with the secrets filled in."""
    text = COMPOSE.read_text("utf-8")
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == set(SECRETS)
    for name, value in SECRETS.items():
        text = re.sub(rf"\$\{{{name}:\?[^}}]*\}}", value, text)
    return yaml.safe_load(text)["services"]


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> Path:
    """What an engine is sent: what .dockerignore lets through, of a tree with secrets in it."""
    folder = tmp_path_factory.mktemp("context")
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"]
    for name in kept:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def test_the_linter_has_nothing_to_say():
    program = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([program, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_what_the_engine_is_sent_is_enough_for_the_whole_wheel(context, tmp_path):
    names = []
    for source in (ROOT, context):
        target = tmp_path / str(len(names))
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        [wheel] = target.iterdir()
        names.append(sorted(zipfile.ZipFile(wheel).namelist()))
    assert names[0] == names[1]


def test_only_what_the_wheel_is_made_of_gets_into_a_layer():
    first, *rest = (ROOT / ".dockerignore").read_text().split("\n")[1:-1]
    assert first == "*"
    assert [line for line in rest if not line.startswith("!")] == ["**/__pycache__"]
    assert {line for line in rest if line.startswith("!")} == {
        "!approval", "!templates", "!pyproject.toml", "!README.md", "!workflow.cfg.example"
    }  # fmt: skip


def test_the_extras_that_are_installed_exist():
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [extras] = re.findall(r"'\.\[([a-z,]+)\]'", DOCKERFILE.read_text("utf-8"))
    assert set(extras.split(",")) <= set(known)


def test_it_does_not_run_as_root_and_runs_a_command():
    assert instructions("USER")[-1].split(":")[0].isdecimal()
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["approval"]
    [_, command] = instructions("CMD")
    assert_is_command(json.loads(command))


def test_its_health_is_that_of_a_served_gate(site: Site):
    [command, _] = instructions("CMD")
    [program, *words] = json.loads(command)
    assert program == "python"
    port = site.gate.url.rpartition(":")[2]
    healthy = [word.replace("8080", port) for word in words]
    assert subprocess.run([sys.executable, *healthy], check=False).returncode == 0
    unready = [word.replace("/readyz", "/nowhere") for word in healthy]
    assert subprocess.run([sys.executable, *unready], check=False).returncode == 1
    absent = [word.replace("8080", "1") for word in words]
    assert subprocess.run(
        [sys.executable, *absent], check=False, stderr=subprocess.DEVNULL
    ).returncode


def test_compose_understands_its_file():
    merged = yaml.safe_load(COMPOSE.read_text("utf-8"))
    spec = compose_spec.PyCompose.from_yaml(yaml.safe_dump(merged)).to_spec()
    assert set(spec.services) == set(merged["services"])


def test_each_of_our_containers_is_locked_in_and_runs_a_command(services):
    ours = {name: service for name, service in services.items() if service["image"] == "approval"}
    assert set(ours) == {"gate", "upgrade"}
    for service in ours.values():
        assert_is_command(service["command"])
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    assert (ROOT / "deploy" / services["gate"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["gate"]["build"]["dockerfile"]) == DOCKERFILE
    assert services["gate"]["stop_grace_period"] == "60s"
    assert server.DRAIN + serving.FINISH < 60


def test_nothing_but_the_reverse_proxy_of_the_machine_reaches_a_port(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_its_settings_and_secrets_are_all_that_a_gate_needs(services):
    gate = services["gate"]
    [volume] = gate["volumes"]
    source, target, _ = volume.split(":")
    assert target == shlex.split(" ".join(gate["command"]))[-1]
    config = load(DEPLOY / source, gate["environment"])
    assert config.server.bind_address == "0.0.0.0"  # noqa: S104 - inside a container
    assert config.server.trusted_proxies == 1
    assert "@postgres/" in config.database


def test_without_its_secrets_it_does_not_start():
    with pytest.raises(ConfigError, match="callback_secret"):
        load(DEPLOY / "compose.cfg", {})
