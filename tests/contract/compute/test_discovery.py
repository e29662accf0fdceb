"""What compute says of itself before anyone logs in."""

from __future__ import annotations

from pathlib import Path

from andromede.services.compute import SERVICE
from andromede.services.compute.versions import Conversion, bind
from tests.harness import TestCloud, caller


def test_versions_are_told_to_anyone(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [SERVICE])
    nobody = cloud.as_()
    [former, version] = nobody.get("/compute/").expect(200)["versions"]
    assert (former["id"], former["status"], former["version"]) == ("v2.0", "SUPPORTED", "")
    assert former["links"] == [{"rel": "self", "href": "https://cloud.test:8443/compute/v2/"}]
    shown = nobody.get("/compute/v2").expect(200)["version"]
    assert (shown["id"], shown["media-types"][0]["type"][-10:]) == ("v2.0", ";version=2")
    assert version["id"] == "v2.1"
    assert (version["min_version"], version["version"]) == ("2.1", "2.96")
    assert version["links"] == [{"rel": "self", "href": "https://cloud.test:8443/compute/v2.1/"}]
    for path in ("/compute/v2.1", "/compute/v2.1/"):
        shown = nobody.get(path).expect(200)["version"]
        assert shown["version"] == "2.96"
        assert shown["media-types"][0]["base"] == "application/json"
    cloud.close()


def test_the_former_api_is_the_first_version(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [SERVICE])
    newest = cloud.as_(caller(), **{"OpenStack-API-Version": "compute 2.96"})
    answer = newest.get("/compute/v2/os-keypairs")
    assert answer.expect(200) == {"keypairs": []}
    assert "openstack-api-version" not in answer.headers
    assert newest.get("/compute/v2.1/os-networks").status == 404  # since 2.36
    assert newest.get("/compute/v3/os-keypairs").status == 404
    cloud.close()


def test_versions_are_negotiated(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [SERVICE])
    nobody = cloud.as_()
    answer = nobody.get("/compute/v2.1", headers={"OpenStack-API-Version": "compute latest"})
    assert answer.headers["openstack-api-version"] == "compute 2.96"
    assert answer.headers["x-openstack-nova-api-version"] == "2.96"
    refused = nobody.get("/compute/v2.1", headers={"X-OpenStack-Nova-API-Version": "2.97"})
    assert "maximum is 2.96" in refused.expect(406)["computeFault"]["message"]
    cloud.close()


def test_conversions_run_between_the_clients_version_and_the_latest() -> None:
    operation = SERVICE.operations[0]
    seen = frozenset({operation.action})
    upgrade, downgrade = bind([
        Conversion(since=(2, 10), actions=seen, lift=lambda b: [*b, "up 10"],
                   lower=lambda b: [*b, "down 10"]),
        Conversion(since=(2, 9), actions=seen, lift=lambda b: [*b, "up 9"]),
        Conversion(since=(2, 20), actions=seen, lower=lambda b: [*b, "down 20"]),
        Conversion(since=(2, 10), actions=frozenset({"another"}), lift=lambda b: []),
    ])  # fmt: skip
    assert upgrade(operation, (2, 1), []) == ["up 9", "up 10"]
    assert upgrade(operation, (2, 9), []) == ["up 10"]
    assert downgrade(operation, (2, 1), []) == ["down 20", "down 10"]
    assert downgrade(operation, (2, 10), []) == ["down 20"]
    assert downgrade(operation, (2, 20), []) == []
