"""The manifests, against the schemas of Kubernetes and of KEDA: strictly, so that a misspelt field is none."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from gallimg_site.env import Env
from media_jobs.runtime.parked_sockets import HEARTBEAT_S
from tests.deploy.docker import USER
from tests.e2e.service import ROOT

FOLDER = ROOT / "deploy/k8s"
KUBERNETES = "1.37"
KEDA = json.loads((Path(__file__).parent / "schemas/keda-scaledobject.json").read_text())
Manifest = dict[str, Any]


def kustomization() -> Manifest:
    return dict(yaml.safe_load((FOLDER / "kustomization.yaml").read_text()))


def manifests() -> Iterator[Manifest]:
    for name in kustomization()["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


MANIFESTS = {f"{manifest['kind']}-{manifest['metadata']['name']}": manifest for manifest in manifests()}


def check(manifest: Manifest) -> None:
    """Raises jsonschema.ValidationError, or kubernetes-validate's own."""
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.validate(manifest, KEDA)
    else:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def misspelt(node: Any) -> Iterator[Any]:
    """Copies of it, each with one field of its specification misspelt: the last of every mapping."""
    if isinstance(node, dict):
        if node and "matchLabels" not in node:
            *others, (name, value) = node.items()
            yield {**dict(others), f"{name}x": value}
        for name, value in node.items():
            if name not in ("matchLabels", "labels", "selector", "metadata", "limits", "requests"):
                yield from ({**node, name: broken} for broken in misspelt(value))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from ([*node[:index], broken, *node[index + 1 :]] for broken in misspelt(value))


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_valid_and_no_copy_with_a_misspelt_field_is(name: str) -> None:
    manifest = MANIFESTS[name]
    check(manifest)
    copies = list(misspelt(manifest["spec"]))
    for spec in (copies[0], copies[-1]):  # at the top, and far down; reading the schemas takes long
        with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
            check({**deepcopy(manifest), "spec": spec})


def test_everything_in_the_folder_is_applied_and_every_setting_is_one() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(kustomization()["resources"])
    [generated] = kustomization()["configMapGenerator"]
    settings = {literal.partition("=")[0] for literal in generated["literals"]}
    assert settings <= set(Env.__dataclass_fields__)


@pytest.mark.parametrize("name", [name for name in MANIFESTS if name.startswith("Deployment")])
def test_pods_have_no_more_rights_than_they_need_and_time_to_end(name: str) -> None:
    pod = MANIFESTS[name]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == USER
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    own = container["securityContext"]
    assert own["readOnlyRootFilesystem"]
    assert not own["allowPrivilegeEscalation"]
    assert own["capabilities"]["drop"] == ["ALL"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
    assert all(volume["emptyDir"].get("medium") != "Memory" for volume in pod["volumes"])
    assert pod["terminationGracePeriodSeconds"] >= 30 > HEARTBEAT_S
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_one_autoscaler_for_each_and_none_that_a_full_list_of_redis_would_deceive() -> None:
    web, worker = MANIFESTS["HorizontalPodAutoscaler-web"]["spec"], MANIFESTS["ScaledObject-worker"]["spec"]
    assert (web["minReplicas"], web["maxReplicas"]) == (2, 10)
    assert web["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    scaled = [web["scaleTargetRef"]["name"], worker["scaleTargetRef"]["name"]]
    assert sorted(scaled) == sorted(name.partition("-")[2] for name in MANIFESTS if name.startswith("Deployment"))
    assert all("replicas" not in MANIFESTS[f"Deployment-{name}"]["spec"] for name in scaled)
    assert worker["minReplicaCount"] >= 1  # housekeeping is theirs
    assert worker["fallback"]["replicas"] >= 1
    assert (
        worker["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] > 0
    )
    assert [trigger["type"] for trigger in worker["triggers"]] == ["prometheus"]
