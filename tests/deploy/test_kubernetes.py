"""The manifests of `deploy/kubernetes`, against the schemas of Kubernetes and against the gate."""

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from approval import __version__
from approval.cli import serving
from approval.config import ConfigError, load
from approval.web import server
from tests.conftest import Site
from tests.deploy.fronts import DEPLOY, NAME
from tests.deploy.test_names import assert_is_command

FOLDER = DEPLOY / "kubernetes"
OLDEST = "1.30"  # the first that knows what the manifests ask for
INSIDE = {"/healthz", "/readyz", "/metrics"}
FILLED_IN = "filled-in-with-something-of-the-length-that-it-takes"


def manifests() -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text("utf-8"))


def named(kind: str, name: str) -> dict[str, Any]:
    [found] = [m for m in manifests() if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def pod(name: str) -> dict[str, Any]:
    return named("Deployment", name)["spec"]["template"]["spec"]


OURS = ["approval-web", "approval-worker"]


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize(
    "manifest", list(manifests()), ids=lambda m: f"{m['kind']} {m['metadata']['name']}"
)
def test_kubernetes_understands_it_to_the_last_key(manifest, version):
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", OURS)
def test_each_container_runs_a_command_of_this_version_with_the_settings(name):
    spec = pod(name)
    [mount] = [v["name"] for v in spec["volumes"] if v.get("configMap") == {"name": "approval"}]
    for container in spec["initContainers"] + spec["containers"]:
        assert_is_command(container["args"])
        folders = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        assert container["args"][-1] == f"{folders[mount]}/workflow.cfg"
        assert container["envFrom"] == [{"secretRef": {"name": "approval"}}]
        assert container["image"].endswith(f"/approval:{__version__}")


@pytest.mark.parametrize("name", OURS)
def test_each_container_may_do_nothing_that_it_need_not(name):
    spec = pod(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["initContainers"] + spec["containers"]:
        locked = container["securityContext"]
        assert locked["allowPrivilegeEscalation"] is False
        assert locked["readOnlyRootFilesystem"] is True
        assert locked["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", OURS)
def test_there_is_time_to_end_what_is_under_way(name):
    [container] = pod(name)["containers"]
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    needed = sleep + server.DRAIN + serving.FINISH
    assert pod(name)["terminationGracePeriodSeconds"] > needed


def test_a_served_gate_answers_the_probes(site: Site):
    [container] = pod("approval-web")["containers"]
    for probe in ("livenessProbe", "readinessProbe"):
        get = container[probe]["httpGet"]
        assert get["path"] in INSIDE
        assert site.gate.get(get["path"]).status_code == 200
        assert get["port"] in [port["name"] for port in container["ports"]]


def test_who_is_selected_is_there():
    for name in OURS:
        deployment = named("Deployment", name)["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        assert deployment["selector"]["matchLabels"] == labels
    web = named("Deployment", "approval-web")["spec"]["template"]["metadata"]["labels"]
    assert named("Service", "approval-web")["spec"]["selector"] == web
    assert named("NetworkPolicy", "approval-web")["spec"]["podSelector"]["matchLabels"] == web
    assert named("PodDisruptionBudget", "approval-web")["spec"]["selector"]["matchLabels"] == web


def test_outside_everything_can_be_reached_but_how_the_gate_is_doing(site: Site):
    [rule] = named("Ingress", "approval")["spec"]["rules"]
    reached = {path["path"] for path in rule["http"]["paths"]}
    rules = site.gate.service.app.url_map.iter_rules()
    routes = {"/" + str(rule).split("/")[1] for rule in rules}
    assert reached == routes - INSIDE
    assert {path["backend"]["service"]["name"] for path in rule["http"]["paths"]} == {
        named("Service", "approval-web")["metadata"]["name"]
    }


def settings(folder, environment: dict[str, str]):
    file = folder / "workflow.cfg"
    file.write_text(named("ConfigMap", "approval")["data"]["workflow.cfg"], "utf-8")
    return load(file, environment)


def test_settings_and_secrets_are_all_that_a_gate_needs(tmp_path):
    names = named("Secret", "approval")["stringData"]
    config = settings(tmp_path, {name: f"{FILLED_IN}-{name}" for name in names})
    assert config.public_url == f"https://{NAME}"
    assert config.server.bind_address == "0.0.0.0"  # noqa: S104 - inside a pod
    assert f"@{named('Service', 'postgres')['metadata']['name']}/" in config.database


def test_nobody_serves_with_the_secrets_of_the_example(tmp_path):
    with pytest.raises(ConfigError, match="CALLBACK_SECRET") as refused:
        settings(tmp_path, named("Secret", "approval")["stringData"])
    assert "SECRET_KEY" in str(refused.value)
