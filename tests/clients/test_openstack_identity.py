"""`openstack` on identity: what an operator and a customer do with accounts."""

from __future__ import annotations

import pytest

from tests.clients.command import OpenStack


def test_project(operator: OpenStack) -> None:
    made = operator.json("project", "create", "crew", "--description", "Les équipes")
    assert made["description"] == "Les équipes"
    assert "crew" in {each["Name"] for each in operator.json("project", "list")}
    operator.run("project", "set", "crew", "--name", "staff", "--property", "cost=42")
    shown = operator.json("project", "show", "staff")
    assert (shown["id"], shown["cost"]) == (made["id"], "42")
    operator.run("project", "delete", "staff")
    assert "staff" in operator.fails("project", "show", "staff")


def test_user(operator: OpenStack) -> None:
    made = operator.json("user", "create", "ada", "--password", "first-secret", "--email", "a@b.fr")
    assert made["email"] == "a@b.fr"
    assert "ada" in {each["Name"] for each in operator.json("user", "list")}
    operator.run("user", "set", "ada", "--password", "second-secret", "--disable")
    assert operator.json("user", "show", "ada")["enabled"] is False
    operator.run("user", "delete", "ada")
    operator.fails("user", "show", "ada")


def test_role_and_its_assignments(operator: OpenStack) -> None:
    operator.run("role", "create", "auditor")
    operator.run("role", "set", "auditor", "--name", "inspector")
    assert operator.json("role", "show", "inspector")["name"] == "inspector"
    operator.run("project", "create", "audited")
    operator.run("user", "create", "grace", "--password", "a-long-secret")
    grant = ("--project", "audited", "--user", "grace", "inspector")
    operator.run("role", "add", *grant)
    listed = operator.json("role", "assignment", "list", "--names", "--user", "grace")
    assert [(each["Role"], each["Project"]) for each in listed] == [
        ("inspector", "audited@Default")
    ]
    operator.run("role", "remove", *grant)
    assert operator.json("role", "assignment", "list", "--user", "grace") == []
    assert {"admin", "manager", "member", "reader"} <= {
        each["Name"] for each in operator.json("role", "list")
    }
    for noun, name in (("role", "inspector"), ("project", "audited"), ("user", "grace")):
        operator.run(noun, "delete", name)


def test_domain(operator: OpenStack) -> None:
    operator.run("domain", "create", "ministry", "--description", "A ministry")
    assert operator.json("domain", "show", "ministry")["enabled"] is True
    assert "ministry" in {each["Name"] for each in operator.json("domain", "list")}
    assert "disable" in operator.fails("domain", "delete", "ministry").lower()
    operator.run("domain", "set", "ministry", "--disable", "--name", "agency")
    operator.run("domain", "delete", "agency")
    operator.fails("domain", "show", "agency")


def test_application_credential(customer: OpenStack) -> None:
    made = customer.json("application", "credential", "create", "robot", "--description", "CI")
    assert made["Secret"]
    shown = customer.json("application", "credential", "show", "robot")
    assert "Secret" not in shown
    listed = customer.json("application", "credential", "list")
    assert "robot" in {each["Name"] for each in listed}
    customer.run("application", "credential", "delete", "robot")
    customer.fails("application", "credential", "show", "robot")


def test_token_and_catalog(customer: OpenStack) -> None:
    token = customer.json("token", "issue")
    assert len(token["id"]) < 256
    names = {each["Type"] for each in customer.json("catalog", "list")}
    assert {"identity", "compute", "image", "network"} <= names
    customer.run("token", "revoke", token["id"])


def test_a_customer_manages_no_accounts(customer: OpenStack) -> None:
    assert "403" in customer.fails("project", "create", "mine")


@pytest.mark.parametrize("noun", ["service", "endpoint", "region"])
def test_what_the_cloud_is_made_of(operator: OpenStack, noun: str) -> None:
    assert operator.json(noun, "list")
