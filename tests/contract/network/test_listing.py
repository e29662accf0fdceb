"""Lists: filters, fields, sorting, pages with links, tags."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.network.kit import Net


def names(net: Net, query: str) -> list[str]:
    return [each["name"] for each in net.get(f"networks?{query}")["networks"]]


@pytest.fixture
def five(net: Net) -> Net:
    for name in ("b", "a", "c", "a", "d"):
        net.network(name=name, description="" if name == "c" else f"d{name}")
    return net


def test_filters_are_typed_and_may_repeat(five: Net) -> None:
    assert sorted(names(five, "name=a&name=b")) == ["a", "a", "b"]
    assert len(names(five, "admin_state_up=True")) == 5
    assert names(five, "admin_state_up=false") == []
    assert len(names(five, "mtu=1500&tenant_id=p1")) == 5
    assert len(names(five, "revision_number=0")) == 5
    assert names(five, "id=nothing") == []
    assert names(five, "name=") == []


@pytest.mark.parametrize(
    "query",
    ["colour=red", "mtu=x", "admin_state_up=perhaps", "limit=-1", "limit=x", "sort_key=colour",
     "sort_key=colour&sort_dir=asc", "sort_dir=asc", "sort_key=name", "sort_key=name&sort_dir=up",
     "marker=nothing", "changed_since=yesterday"],
)  # fmt: skip
def test_bad_queries_are_refused(five: Net, query: str) -> None:
    five.call("GET", f"networks?{query}").expect(400)


def test_fields_are_chosen(five: Net) -> None:
    found = five.get("networks?name=b&fields=id&fields=name")["networks"]
    assert [sorted(each) for each in found] == [["id", "name"]]
    one = five.get(f"networks/{found[0]['id']}?fields=status")["network"]
    assert list(one) == ["status"]


def test_sorting_is_stable(five: Net) -> None:
    assert names(five, "sort_key=name&sort_dir=asc") == ["a", "a", "b", "c", "d"]
    assert names(five, "sort_key=name&sort_dir=desc") == ["d", "c", "b", "a", "a"]
    assert names(five, "sort_key=description&sort_dir=asc")[0] == "c"
    assert names(five, "sort_key=id&sort_dir=desc") == names(five, "sort_key=id&sort_dir=asc")[::-1]


def test_changed_since(five: Net) -> None:
    assert len(names(five, "changed_since=2020-01-01T00:00:00Z")) == 5
    assert names(five, "changed_since=2999-01-01T00:00:00Z") == []


def test_nothing_of_nothing(net: Net) -> None:
    assert net.get("networks?limit=2") == {"networks": []}
    assert net.get("networks?limit=0") == {"networks": []}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    limit=st.integers(1, 6),
    key=st.sampled_from(["name", "id", "description", "mtu"]),
    down=st.booleans(),
)
def test_pages_join_to_the_whole_list_both_ways(
    five: Net, limit: int, key: str, down: bool
) -> None:
    order = f"sort_key={key}&sort_dir={'desc' if down else 'asc'}"
    whole = [each["id"] for each in five.get(f"networks?{order}")["networks"]]
    forth, last = _follow(five, f"networks?{order}&limit={limit}", "next")
    assert forth == whole
    back, _ = _follow(five, last, "previous")
    assert back == whole


def _follow(net: Net, path: str, relation: str) -> tuple[list[str], str]:
    """The ids over all pages in one direction, and the path of the last page."""
    found: list[str] = []
    while True:
        body = net.get(path)
        page = [each["id"] for each in body["networks"]]
        found = found + page if relation == "next" else page + found
        links = {each["rel"]: each["href"] for each in body.get("networks_links", [])}
        if relation not in links:
            return found, path
        url = urlsplit(links[relation])
        path = url.path.removeprefix("/network/v2.0/") + "?" + url.query


def test_links_say_where_one_is(five: Net) -> None:
    first = five.get("networks?limit=2")
    assert [each["rel"] for each in first["networks_links"]] == ["next"]
    marker = first["networks"][-1]["id"]
    middle = five.get(f"networks?limit=2&marker={marker}")
    assert [each["rel"] for each in middle["networks_links"]] == ["next", "previous"]
    before = five.get(f"networks?limit=2&page_reverse=True&marker={middle['networks'][0]['id']}")
    assert [each["id"] for each in before["networks"]] == [each["id"] for each in first["networks"]]


def test_tags_are_set_found_and_removed(net: Net) -> None:
    one, two = net.network(name="one"), net.network(name="two")
    path = f"networks/{one['id']}/tags"
    assert net.put(path, {"tags": ["red", "blue", "red"]}) == {"tags": ["blue", "red"]}
    net.put(f"networks/{two['id']}/tags", {"tags": ["red"]})
    net.put(f"{path}/green", None, 201)
    net.get(f"{path}/green", 204)
    net.get(f"{path}/black", 404)
    shown = net.get(f"networks/{one['id']}")["network"]
    assert shown["tags"] == ["blue", "green", "red"]
    assert shown["revision_number"] == 2
    assert names(net, "tags=red,blue") == ["one"]
    assert sorted(names(net, "tags-any=blue,red")) == ["one", "two"]
    assert names(net, "not-tags=red,blue") == ["two"]
    assert names(net, "not-tags-any=blue") == ["two"]
    net.delete(f"{path}/green")
    net.refused("DELETE", f"{path}/green", None, 404, "TagNotFound")
    assert net.get(path) == {"tags": ["blue", "red"]}
    net.delete(path)
    assert net.get(path) == {"tags": []}


@pytest.mark.parametrize(
    "tags", [None, [""], ["a,b"], ["x" * 256], [3], [str(n) for n in range(51)]]
)
def test_bad_tags_are_refused(net: Net, tags: object) -> None:
    made = net.network()
    net.call("PUT", f"networks/{made['id']}/tags", {"tags": tags}).expect(400)
    net.call("PUT", f"networks/{made['id']}/tags", []).expect(400)
    Net(net.cloud, project="p2").put(f"networks/{made['id']}/tags", {"tags": []}, 404)


def test_every_noun_has_tags(net: Net) -> None:
    network = net.network()
    nouns = {
        "subnets": net.subnet(network),
        "ports": net.port(network),
        "routers": net.router(),
        "security-groups": net.group(),
        "security_groups": net.group("second"),
    }
    for path, made in nouns.items():
        net.put(f"{path}/{made['id']}/tags", {"tags": ["x"]})
        assert net.get(f"{path}/{made['id']}/tags") == {"tags": ["x"]}


def test_filters_that_no_column_holds(net: Net) -> None:
    net.network(name="n")
    group = net.group()
    assert names(net, "provider:network_type=local") == ["n"]
    assert names(net, "provider:network_type=vlan") == []
    assert names(net, "provider:physical_network=x") == []
    assert names(net, "provider:segmentation_id=4") == []
    assert net.get("security-groups?shared=true")["security_groups"] == []
    found = net.get("security-groups?shared=false&name=web")["security_groups"]
    assert [each["id"] for each in found] == [group["id"]]
    zone = net.get("availability_zones?state=full")["availability_zones"]
    assert zone == []


def test_templates_are_sorted_by_what_they_have_and_have_not(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    for port in (22, 7):
        body = {"direction": "ingress", "protocol": "tcp", "port_range_min": port,
                "port_range_max": port}  # fmt: skip
        admin.post("default-security-group-rules", {"default_security_group_rule": body})
    path = "default-security-group-rules?sort_key=port_range_min&sort_dir"
    for direction, last in (("asc", [7, 22]), ("desc", [7, None])):
        found = net.get(f"{path}={direction}")["default_security_group_rules"]
        ports = [each["port_range_min"] for each in found]
        assert list(dict.fromkeys(ports))[-2:] == last


def test_addresses_are_searched_by_pairs(net: Net) -> None:
    told = net.refused("GET", "ports?fixed_ips=10.0.0.3", None, 400, "HTTPBadRequest")
    assert "<key>=[value]" in told
