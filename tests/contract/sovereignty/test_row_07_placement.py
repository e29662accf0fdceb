"""Row 7 (SecNumCloud 19.2.b, SOV-3.4): placement outside the allowed jurisdiction is refused, and
replicas and backups too. Create, migrate, restore, copy or share to a refused place: 403 and a leaf.

Migration, restoring and copying are decided by the same function that the operations which exist
pass, on destinations as those acts would have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services import sovereignty
from andromede.sovereignty import admit
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy.model import Keys
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.harness import TestCloud, caller


@dataclass
class Placing:
    """A customer at site `local`, which a US company's subsidiary runs in France."""

    cloud: TestCloud
    site: Site

    def policy(self, **fields: Any) -> None:
        path = f"{V1}/policies/projects/p1"
        self.cloud.as_(caller("manager")).put(path, {"policy": fields}).expect(200)

    def refusals(self) -> list[Any]:
        with self.cloud.database.read() as connection:
            wanted = sa.select(leaf).where(leaf.c.status == 403).order_by(leaf.c.arrival)
            return list(connection.execute(wanted).mappings())

    def decide(self, action: str, **destination: Any) -> admit.Decision:
        with self.cloud.database.read() as connection:
            subject = admit.Subject(project_id="p1", kind="server", id="s1")
            to = admit.Destination(**destination)
            return admit.admit(connection, action, subject, to, among=("local", "paris"))


@pytest.fixture
def placing(tmp_path: Path, database_url: str) -> Iterator[Placing]:
    cloud = open_cloud(tmp_path, database_url, sovereignty.SERVICE)
    site = open_site(cloud)
    declaring = Declaring(site.admin, site.member)
    declaring.entity("state", kind="public-body")
    declaring.entity("maison")
    declaring.hold("state", "maison", 100)
    declaring.entity("giant", "US")
    declaring.entity("filiale")
    declaring.hold("giant", "filiale", 100)
    declaring.site("local", "FR", "filiale")
    declaring.site("paris", "FR", "maison")
    declaring.site("geneva", "CH", "maison")
    yield Placing(cloud, site)
    cloud.close()


RULES: list[tuple[str, dict[str, Any]]] = [
    ("allowed_sites", {"allowed_sites": ["paris"]}),
    ("allowed_countries", {"allowed_countries": ["DE", "CH"]}),
    ("refused_jurisdictions", {"refused_jurisdictions": ["US"]}),
    ("ownership.individual_percent", {"ownership": {"individual_percent": 24}}),
    ("ownership.together_percent", {"ownership": {"together_percent": 39}}),
    ("ownership.shown_required", {"ownership": {"shown_required": True}}),
    ("required_keys", {"required_keys": "customer"}),
]


@pytest.mark.parametrize(("rule", "policy"), RULES, ids=[rule for rule, _ in RULES])
def test_create_and_share_are_refused_by_each_rule(
    placing: Placing, rule: str, policy: dict[str, Any]
) -> None:
    member, network = placing.site.member, placing.site.network
    placing.policy(**policy)
    image = f"/image/v2/images/{placing.site.image}"
    patch = [{"op": "replace", "path": "/visibility", "value": "community"}]
    media = {"content-type": "application/openstack-images-v2.1-json-patch"}
    answers = [
        placing.site.create(),
        member.post("/image/v2/images", {"name": "copy"}, headers={"accept": "application/json"}),
        member.patch(image, patch, headers={**media, "accept": "application/json"}),
    ]
    if rule != "required_keys":  # networks hold no data
        change = {"network": {"shared": True}}
        answers += [
            member.post("/network/v2.0/networks", {"network": {"name": "n"}}),
            placing.site.admin.put(f"/network/v2.0/networks/{network}", change),
        ]
    for answer in answers:
        text = answer.body.decode()
        assert answer.status == 403, text
        assert rule in text
        assert "project/p1" in text
        assert "Accepted: " in text
    logged = placing.refusals()
    assert len(logged) == len(answers)
    assert {each["detail"]["rule"] for each in logged} == {rule}
    assert {each["detail"]["set_at"] for each in logged} == {"project/p1"}
    assert member.get(f"{ROOT}/servers").expect(200)["servers"] == []


def test_a_refusal_names_what_would_be_accepted(placing: Placing) -> None:
    placing.policy(refused_jurisdictions=["US"])
    message = placing.site.create().expect(403)["forbidden"]["message"]
    assert "cloud-act" in message.lower()
    assert "Accepted: no site of this cloud." in message, "paris is declared, and has no host"
    placing.policy(required_keys="customer")
    message = placing.site.create().expect(403)["forbidden"]["message"]
    assert "keys of: customer" in message


@pytest.mark.parametrize("act", ["migrate", "restore", "copy", "replicate"])
def test_other_ways_to_a_refused_place_are_refused_alike(placing: Placing, act: str) -> None:
    placing.policy(allowed_countries=["FR"], refused_jurisdictions=["US"])
    action = f"compute:server:{act}"
    allowed = placing.decide(action, site="paris", keys=Keys.NONE, origin_site="local")
    assert allowed.allowed
    for site, rule in (("geneva", "allowed_countries"), ("local", "refused_jurisdictions"),
                       ("unknown", "allowed_countries")):  # fmt: skip
        decision = placing.decide(action, site=site, keys=Keys.NONE, origin_site="paris")
        assert not decision.allowed
        assert (decision.rule, decision.set_at) == (rule, "project/p1")
        assert action in decision.reason
        assert decision.accepted == ("paris",)


def test_a_backup_at_the_originals_site_is_refused_where_asked(placing: Placing) -> None:
    placing.policy(backup_elsewhere=True, allowed_countries=["FR"])
    same = placing.decide("volume:backup:create", site="paris", origin_site="paris")
    assert (same.allowed, same.rule, same.accepted) == (False, "backup_elsewhere", ("local",))
    assert placing.decide("volume:backup:create", site="local", origin_site="paris").allowed
    assert placing.decide("compute:server:create", site="paris").allowed


def test_nothing_declared_is_no_way_round(placing: Placing) -> None:
    placing.policy(refused_jurisdictions=["US"])
    decision = placing.decide("compute:server:create", site="nowhere")
    assert not decision.allowed
    assert "no declared country" in decision.reason
