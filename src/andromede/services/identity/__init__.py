"""Identity: who is who, who may do what, and the tokens that say so, as the identity API v3 speaks
of them."""

from __future__ import annotations

from andromede.http.errors import identity_shape
from andromede.http.operation import Operation, Service
from andromede.services.identity import discovery
from andromede.services.identity.access_rules import routes as access_rules
from andromede.services.identity.auth import routes as auth
from andromede.services.identity.auth import signed
from andromede.services.identity.catalog import groups as endpoint_groups
from andromede.services.identity.catalog import routes as catalog
from andromede.services.identity.credentials import routes as credentials
from andromede.services.identity.domain_config import routes as domain_config
from andromede.services.identity.domains import routes as domains
from andromede.services.identity.grants import assignments
from andromede.services.identity.grants import routes as grants
from andromede.services.identity.groups import routes as groups
from andromede.services.identity.limits import registered
from andromede.services.identity.limits import routes as limits
from andromede.services.identity.messages import validation_message
from andromede.services.identity.oauth1 import consumers
from andromede.services.identity.policies import routes as policies
from andromede.services.identity.projects import routes as projects
from andromede.services.identity.projects import store as project_rows
from andromede.services.identity.projects import tags
from andromede.services.identity.roles import implied
from andromede.services.identity.roles import routes as roles
from andromede.services.identity.tokens import events
from andromede.services.identity.trusts import routes as trusts
from andromede.services.identity.user_credentials import ec2
from andromede.services.identity.user_credentials import routes as user_credentials
from andromede.services.identity.users import routes as users
from andromede.sovereignty.policy.store import set_lineage
from andromede.work import Lifecycle

OPERATIONS: list[Operation] = [
    *discovery.OPERATIONS,
    *auth.OPERATIONS,
    *catalog.OPERATIONS,
    *endpoint_groups.OPERATIONS,
    *policies.OPERATIONS,
    *domains.OPERATIONS,
    *domain_config.OPERATIONS,
    *projects.OPERATIONS,
    *tags.OPERATIONS,
    *users.OPERATIONS,
    *groups.OPERATIONS,
    *roles.OPERATIONS,
    *implied.OPERATIONS,
    *grants.OPERATIONS,
    *assignments.OPERATIONS,
    *credentials.OPERATIONS,
    *access_rules.OPERATIONS,
    *user_credentials.OPERATIONS,
    *ec2.OPERATIONS,
    *signed.OPERATIONS,
    *trusts.OPERATIONS,
    *registered.OPERATIONS,
    *limits.OPERATIONS,
    *events.OPERATIONS,
    *consumers.OPERATIONS,
]
SERVICE = Service(
    name="identity",
    type="identity",
    mount="/identity",
    catalog_path="/v3",
    operations=OPERATIONS,
    error_shape=identity_shape,
    validation_message=validation_message,
)
LIFECYCLES: list[Lifecycle] = []
set_lineage(project_rows.lineage)
