"""moto with what it lacks of ElastiCache (parameter groups, user groups, members of replication groups, the end of what is deleted), of
Application Auto Scaling (tags) and of ECS (containers on machines that have a reservation of memory, and no limit).

A user group takes a user that a stack of CloudFormation makes, if the secret which its password refers to is there.
"""

import json
import os
import re
import sys

# Read when moto is loaded: without it there are no policies of AWS' own.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudformation.models import cloudformation_backends
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.ecs.models import EC2ContainerServiceBackend
from moto.elasticache.models import ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main

REFERENCE = re.compile(r"^\{\{resolve:secretsmanager:(arn:.+):SecretString\}\}$")
SHORTEST_PASSWORD = 16


class Refused(ServiceException):
    code = "InvalidParameterValue"


class NoParameterGroup(ServiceException):
    code = "CacheParameterGroupNotFound"


class NoUserGroup(ServiceException):
    code = "UserGroupNotFound"


class NoCacheCluster(ServiceException):
    code = "CacheClusterNotFound"


class NoReplicationGroup(ServiceException):
    code = "ReplicationGroupNotFoundFault"


def kept(backend: ElastiCacheBackend, kind: str) -> dict:
    return backend.__dict__.setdefault(f"kept_{kind}", {})


def arn_of(backend: ElastiCacheBackend, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:{kind}:{name}"


def member_of(backend: ElastiCacheBackend, group: ReplicationGroup, name: str) -> dict:
    return {
        "CacheClusterId": name,
        "CacheClusterStatus": "available",
        "CacheNodeType": group.cache_node_type,
        "Engine": group.engine,
        "EngineVersion": group.engine_version,
        "NumCacheNodes": 1,
        "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
        "CacheParameterGroup": {"CacheParameterGroupName": group.cache_parameter_group_name, "ParameterApplyStatus": "in-sync"},
        "CacheSubnetGroupName": group.cache_subnet_group_name,
        "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in group.security_group_ids],
        "ReplicationGroupId": group.replication_group_id,
        "AtRestEncryptionEnabled": group.at_rest_encryption_enabled,
        "TransitEncryptionEnabled": group.transit_encryption_enabled,
        "TransitEncryptionMode": group.transit_encryption_mode,
        "SnapshotRetentionLimit": group.snapshot_retention_limit,
        "ARN": arn_of(backend, "cluster", name),
    }


def tag(response: ElastiCacheResponse, arn: str) -> None:
    response.elasticache_backend.tagging_service.tag_resource(arn, response._get_param("Tags", []))


def check_password(backend: ElastiCacheBackend, reference: str) -> None:
    found = REFERENCE.match(reference)
    if found is None:
        raise Refused("The password of a user must be read from a secret.")
    secrets = secretsmanager_backends[backend.account_id][backend.region_name]
    text = secrets.get_secret_value(found[1], "", "")["SecretString"]
    if len(text) < SHORTEST_PASSWORD:
        raise Refused("The password of a user is too short.")


def users_of_stacks(backend: ElastiCacheBackend) -> set[str]:
    users = set()
    for stack in cloudformation_backends[backend.account_id][backend.region_name].stacks.values():
        for resource in json.loads(stack.template)["Resources"].values():
            if resource["Type"] != "AWS::ElastiCache::User":
                continue
            for reference in resource["Properties"]["Passwords"]:
                check_password(backend, reference)
            users.add(resource["Properties"]["UserId"])
    return users


def add_members(group: ReplicationGroup, nodes: int) -> None:
    """moto makes one node, whatever is asked for."""
    for number in range(len(group.member_clusters) + 1, nodes + 1):
        name = f"{group.replication_group_id}-{number:03}"
        group.member_clusters.append(name)
        members = group.node_groups[0]["node_group_members"]
        members.append({**members[0], "cache_cluster_id": name, "current_role": "replica"})


create_group = ElastiCacheResponse.create_replication_group


class Additions(ElastiCacheResponse):
    def create_cache_parameter_group(self) -> ActionResult:
        backend, name = self.elasticache_backend, self._get_param("CacheParameterGroupName")
        group = {
            "CacheParameterGroupName": name,
            "CacheParameterGroupFamily": self._get_param("CacheParameterGroupFamily"),
            "Description": self._get_param("Description"),
            "IsGlobal": False,
            "ARN": arn_of(backend, "parametergroup", name),
        }
        kept(backend, "parameter_groups")[name] = {**group, "parameters": {}}
        tag(self, group["ARN"])
        return ActionResult({"CacheParameterGroup": group})

    def parameter_group(self) -> dict:
        name = self._get_param("CacheParameterGroupName")
        if name not in kept(self.elasticache_backend, "parameter_groups"):
            raise NoParameterGroup(f"There is no parameter group {name}.")
        return kept(self.elasticache_backend, "parameter_groups")[name]

    def modify_cache_parameter_group(self) -> ActionResult:
        group = self.parameter_group()
        for parameter in self._get_param("ParameterNameValues", []):
            group["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
        return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})

    def describe_cache_parameter_groups(self) -> ActionResult:
        group = {name: value for name, value in self.parameter_group().items() if name != "parameters"}
        return ActionResult({"CacheParameterGroups": [group]})

    def describe_cache_parameters(self) -> ActionResult:
        parameters = self.parameter_group()["parameters"].items()
        return ActionResult(
            {"Parameters": [{"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in parameters]}
        )

    def delete_cache_parameter_group(self) -> ActionResult:
        name = self.parameter_group()["CacheParameterGroupName"]
        del kept(self.elasticache_backend, "parameter_groups")[name]
        return EmptyResult()

    def create_user_group(self) -> ActionResult:
        backend, name = self.elasticache_backend, self._get_param("UserGroupId")
        users = self._get_param("UserIds", [])
        unknown = set(users) - users_of_stacks(backend) - set(backend.users)
        if unknown:
            raise Refused(f"There is no user {', '.join(sorted(unknown))}.")
        group = {
            "UserGroupId": name,
            "Status": "active",
            "Engine": self._get_param("Engine"),
            "UserIds": users,
            "ARN": arn_of(backend, "usergroup", name),
        }
        kept(backend, "user_groups")[name] = group
        tag(self, group["ARN"])
        return ActionResult(group)

    def describe_user_groups(self) -> ActionResult:
        groups, name = kept(self.elasticache_backend, "user_groups"), self._get_param("UserGroupId")
        if name not in groups:
            raise NoUserGroup(f"There is no user group {name}.")
        return ActionResult({"UserGroups": [groups[name]]})

    def delete_user_group(self) -> ActionResult:
        group = kept(self.elasticache_backend, "user_groups").pop(self._get_param("UserGroupId"))
        return ActionResult({**group, "Status": "deleting"})

    def describe_cache_clusters(self) -> ActionResult:
        name = self._get_param("CacheClusterId")
        for group in self.elasticache_backend.replication_groups.values():
            if name in group.member_clusters:
                return ActionResult({"CacheClusters": [member_of(self.elasticache_backend, group, name)]})
        raise NoCacheCluster(f"There is no cluster {name}.")

    def delete_cache_subnet_group(self) -> ActionResult:
        self.elasticache_backend.cache_subnet_groups.pop(self._get_param("CacheSubnetGroupName"))
        return EmptyResult()

    def create_replication_group(self) -> ActionResult:
        answer = create_group(self)
        add_members(self.elasticache_backend.replication_groups[self._get_param("ReplicationGroupId")], self._get_int_param("NumCacheClusters"))
        return answer

    def delete_replication_group(self) -> ActionResult:
        groups, name = self.elasticache_backend.replication_groups, self._get_param("ReplicationGroupId")
        if name not in groups:
            raise NoReplicationGroup(f"There is no replication group {name}.")
        group = groups.pop(name)
        group.status = "deleting"
        return ActionResult({"ReplicationGroup": group})


TAGS_OF_TARGETS: dict[str, dict[str, str]] = {}
register = ApplicationAutoScalingResponse.register_scalable_target


class ScalingAdditions(ApplicationAutoScalingResponse):
    def register_scalable_target(self) -> str:
        answer = register(self)
        TAGS_OF_TARGETS.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": TAGS_OF_TARGETS.get(self._get_param("ResourceARN"), {})})


check_containers = EC2ContainerServiceBackend._validate_container_defs


def check_memory(memory: str | None, containers: list[dict], compatibilities: list[str] | None) -> None:
    """AWS takes a container that names one of the two."""
    reserved = all("memory" in each or "memoryReservation" in each for each in containers)
    check_containers("1" if reserved else memory, containers, compatibilities)


def add() -> None:
    EC2ContainerServiceBackend._validate_container_defs = staticmethod(check_memory)
    for service, additions in ((ElastiCacheResponse, Additions), (ApplicationAutoScalingResponse, ScalingAdditions)):
        for name, action in vars(additions).items():
            if not name.startswith("__"):
                setattr(service, name, action)
    prepare = ElastiCacheBackend.__init__

    def prepare_all(self: ElastiCacheBackend, *args: str, **named: str) -> None:
        prepare(self, *args, **named)
        self.arn_regex = re.compile(r"^arn:aws:elasticache:")

    ElastiCacheBackend.__init__ = prepare_all


add()
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
