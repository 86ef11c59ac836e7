# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS refuses, in its error codes, with a sentence that says what would be taken; pure."""

from __future__ import annotations

import re
import typing as t

from . import rds_catalogue as catalogue
from . import stores
from .query_protocol import ApiError, Members
from .rds_state import AVAILABLE, Instance, Snapshot, State
from .stores import ParameterGroup, SubnetGroup, Tags, combination, identifier, invalid

__all__ = ["combination", "identifier", "invalid"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_PASSWORD = re.compile(r"[!-~]*")


# -- what exists


def instance(state: State, instance_id: str) -> Instance:
    """The DB instance of this id."""
    found = state.instances.get(instance_id.lower())
    if found is None:
        raise ApiError("DBInstanceNotFound", f"DBInstance {instance_id} not found.", 404)
    return found


def in_state(found: Instance, *states: str) -> Instance:
    """The same instance, when it is in one of these states (available when none is given)."""
    wanted = states or (AVAILABLE,)
    if found.status not in wanted:
        raise ApiError("InvalidDBInstanceState", f"DB instance {found.id} is {found.status}; it must be {' or '.join(wanted)}.")
    return found


def subnet_group(state: State, name: str | None) -> SubnetGroup:
    """The subnet group of this name; the default one, which AWS makes with a default VPC, does not exist here."""
    found = state.subnet_groups.get((name or "default").lower())
    if found is None:
        raise ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name or 'default'}' does not exist.", 404)
    return found


def parameter_group(state: State, name: str) -> ParameterGroup:
    """The parameter group of this name, given or AWS's own default."""
    found = state.parameter_groups.get(name.lower())
    if found is None:
        raise ApiError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", 404)
    return found


def snapshot(state: State, name: str) -> Snapshot:
    """The snapshot of this name."""
    found = state.snapshots.get(name.lower())
    if found is None:
        raise ApiError("DBSnapshotNotFound", f"DBSnapshot not found: {name}", 404)
    return found


def free_snapshot_name(state: State, name: str) -> str:
    """A name for a new snapshot."""
    name = identifier(name, "DBSnapshotIdentifier", 255)
    if name in state.snapshots:
        raise ApiError(
            "DBSnapshotAlreadyExists", f"Cannot create the snapshot because a snapshot with the identifier {name} already exists."
        )
    return name


# -- what is asked for


def engine_version(asked: str | None) -> str:
    """The full version of a request."""
    version = catalogue.full_version(asked)
    if version is None:
        raise combination(f"Cannot find version {asked} for postgres: the versions are {', '.join(catalogue.VERSIONS)}.")
    return version


def engine(name: str) -> None:
    """Only PostgreSQL is here."""
    if name.lower() != catalogue.ENGINE:
        raise invalid(f"The engine {name} is not provided by this cloud: Engine must be {catalogue.ENGINE}.")


def instance_class(name: str) -> str:
    """A class that AWS has, of the kinds that this cloud knows."""
    if name not in catalogue.CLASS_MEMORY:
        raise invalid(f"Invalid DB Instance class: {name}. Known here are {', '.join(sorted(catalogue.CLASS_MEMORY))}.")
    return name


def storage(size: int | None, storage_type: str) -> int:
    """A size in GiB that the storage type can have."""
    if storage_type not in catalogue.STORAGE_GIB:
        raise ApiError("StorageTypeNotSupported", f"The storage type {storage_type} is not one of {', '.join(catalogue.STORAGE_GIB)}.", 400)
    if size is None:
        raise invalid("The parameter AllocatedStorage must be provided and must not be blank.")
    least, most = catalogue.STORAGE_GIB[storage_type]
    if not least <= size <= most:
        raise invalid(
            f"Invalid storage size for engine name postgres and storage type {storage_type}: {size}. It must be from {least} to {most} GiB."
        )
    return size


def larger_storage(found: Instance, size: int, storage_type: str) -> int:
    """A size that storage can be changed to: not less, and if more, by a tenth at least."""
    storage(size, storage_type)
    if size < found.storage:
        raise combination(f"The allocated storage {size} GiB is less than the present {found.storage} GiB; storage cannot be made smaller.")
    if found.storage < size < found.storage * 1.1:
        raise combination(f"The allocated storage {size} GiB must be the present {found.storage} GiB, or more by at least 10%.")
    return size


def master_username(name: str | None) -> str:
    """A name for the master user."""
    if not name:
        raise invalid("The parameter MasterUsername must be provided and must not be blank.")
    if name.lower() in catalogue.RESERVED_NAMES or name.lower().startswith("pg_"):
        raise invalid(f"MasterUsername {name} cannot be used as it is a reserved word used by the engine")
    if not _NAME.fullmatch(name):
        raise invalid("The parameter MasterUsername must be 1 to 63 letters, digits or underscores, and begin with a letter.")
    return name


def database_name(name: str | None) -> str | None:
    """A name for the first database."""
    if not name:
        return None
    if not _NAME.fullmatch(name) or name.lower() in catalogue.RESERVED_NAMES:
        raise invalid(
            f"DBName {name} must be 1 to 63 letters, digits or underscores, begin with a letter, and not be a word reserved by the engine."
        )
    return name


def password(text: str | None) -> str:
    """A master password that RDS takes."""
    what = "The parameter MasterUserPassword is not a valid password"
    if not text:
        raise invalid("The parameter MasterUserPassword must be provided and must not be blank.")
    if len(text) < 8:
        raise invalid(f"{what} because it is shorter than 8 characters.")
    if len(text) > 128:
        raise invalid(f"{what} because it is longer than 128 characters.")
    if not _PASSWORD.fullmatch(text) or set(text) & set('/"@'):
        raise invalid(f"{what}. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
    return text


def matching_parameter_group(state: State, name: str | None, version: str) -> ParameterGroup:
    """The group of this name, or the default one; its family must be that of the version."""
    family = catalogue.family_of(version)
    found = parameter_group(state, name or catalogue.default_group(family))
    if found.family != family:
        raise combination(
            f"The parameter group {found.name} with DBParameterGroupFamily {found.family} can't be used for this instance. "
            f"Please use a parameter group with DBParameterGroupFamily {family}."
        )
    return found


def windows(members: Members) -> None:
    """Maintenance and backup windows and the retention of a request."""
    stores.windows(members.get("PreferredMaintenanceWindow"), members.get("PreferredBackupWindow"), "backup")
    retention = members.get("BackupRetentionPeriod")
    if retention is not None and not 0 <= retention <= 35:
        raise invalid(f"Invalid backup retention period: {retention}. Retention period must be between 0 and 35.")


def port(number: int | None) -> int:
    """A port that servers may listen on."""
    if number is None:
        return 5432
    if not 1150 <= number <= 65535:
        raise invalid(f"Invalid port {number}: it must be from 1150 to 65535.")
    return number


def zones(group: SubnetGroup, zone: str | None, *, multi_az: bool) -> None:
    """Whether servers can be placed as wanted."""
    if zone and multi_az:
        raise combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    if zone and zone not in group.zones:
        raise ApiError(
            "InvalidVPCNetworkStateFault",
            f"The DB subnet group {group.name} has no subnet in the availability zone {zone}: it covers {', '.join(group.zones)}.",
        )


def tags_of(members: Members) -> Tags:
    """The tags of a request."""
    tags = stores.tags_of(members, "aws:", "rds:")
    if len(tags) > 50:
        raise invalid("A resource can have at most 50 tags.")
    return tags


def refuse(members: Members, names: t.Iterable[str]) -> None:
    """Members that ask for what this cloud has not."""
    stores.refuse(members, "RDS", names)
