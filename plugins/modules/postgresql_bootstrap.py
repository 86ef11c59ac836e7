#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_bootstrap
short_description: Databases, their roles and grants on a private PostgreSQL server
version_added: 0.1.0
description:
  - Runs on an instance that reaches the server, so the server needs no public address and nobody needs a bastion.
  - Passwords are read from Parameter Store on the instance, with its role. They are in no option, no file, no log, no process list and
    no statement; the server is told a SCRAM verifier.
  - Works with a master user that is no superuser, as on RDS. Nothing is ever dropped.
  - Each database belongs to its owner; only its owner, those listed and the master user may enter it.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  host:
    description: Name or address of the server.
    type: str
    required: true
  port:
    description: Port.
    type: int
    default: 5432
  master_user:
    description: The user that makes everything; needs C(CREATEROLE) and C(CREATEDB).
    type: str
    required: true
  master_password_parameter:
    description: Name of the parameter with its password. One that does not begin with C(/) is below O(parameters_path).
    type: str
    required: true
  parameters_path:
    description: Path in Parameter Store.
    type: str
    default: /
  maintenance_database:
    description: A database that exists, to begin in.
    type: str
    default: postgres
  roles:
    description: Roles that may log in.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name.
        type: str
        required: true
      password_parameter:
        description:
          - Name of the parameter with its password, which is printable ASCII.
          - One that does not begin with C(/) is below O(parameters_path).
          - When the parameter changes, the role's password does.
        type: str
        required: true
  databases:
    description: Databases.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name.
        type: str
        required: true
      owner:
        description: One of O(roles). It may do everything in the database.
        type: str
        required: true
      extensions:
        description: Extensions that it has. On RDS those that are trusted, or that C(rds_superuser) may create.
        type: list
        elements: str
        default: []
      access:
        description:
          - Other roles of O(roles), and V(read) or V(write).
          - On all tables of the owner in the schema C(public), also on those that it makes later.
        type: dict
        default: {}
  ca_path:
    description:
      - Certificate authority of the server, a file on the instance. With it the server's certificate and name are checked.
      - Without it the connection is encrypted, and the server proves that it knows the password (SCRAM).
    type: path
  connect_timeout:
    description: Seconds to wait for the server.
    type: int
    default: 10
  region:
    description:
      - AWS region of Parameter Store.
      - Not given means E(AWS_DEFAULT_REGION), E(AWS_REGION), or the instance's own region.
    type: str
  endpoint_url:
    description: Endpoint of Parameter Store. Not given means E(AWS_ENDPOINT_URL), or AWS's own.
    type: str
requirements:
  - botocore on the instance. No package of PostgreSQL is needed.
extends_documentation_fragment: [bluegreen.aws.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff says that a password changes and never what it is.
  idempotent:
    support: full
notes:
  - Whether a role has its password is found by logging in with it, since no user of RDS can read what the server keeps. A failed login
    is in the server's log.
  - A role's level in a database is raised, never lowered.
  - The instance's role needs C(ssm:GetParameters) and C(kms:Decrypt) for the parameters named.
seealso:
  - module: bluegreen.aws.ssm_parameters
"""

EXAMPLES = r"""
- name: Passwords, generated once
  bluegreen.aws.ssm_parameters:
    path: /wealist/prod/db
    parameters:
      - {name: user_db_password, generate: 32}
      - {name: board_db_password, generate: 32}
  delegate_to: localhost

- name: A database for each service
  bluegreen.aws.postgresql_bootstrap:
    host: "{{ database_host }}"
    master_user: postgres
    parameters_path: /wealist/prod/db
    master_password_parameter: postgres_superuser_password
    roles:
      - {name: wealist_user, password_parameter: user_db_password}
      - {name: wealist_board, password_parameter: board_db_password}
    databases:
      - {name: wealist_user_db, owner: wealist_user}
      - name: wealist_board_db
        owner: wealist_board
        extensions: [pg_trgm]
        access: {wealist_user: read}
"""

RETURN = r"""
changes:
  description: What was done, or would be in check mode, in order.
  returned: success
  type: list
  elements: str
  sample: [create role wealist_user, create database wealist_user_db]
databases:
  description: The databases that were asked for, by name, with their owners.
  returned: success
  type: dict
  sample: {wealist_user_db: wealist_user}
"""

import functools

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import aws
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import plan, server
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.wire import Connection


def argument_spec():
    roles = {
        "name": {"type": "str", "required": True},
        "password_parameter": {"type": "str", "required": True, "no_log": False},
    }
    databases = {
        "name": {"type": "str", "required": True},
        "owner": {"type": "str", "required": True},
        "extensions": {"type": "list", "elements": "str", "default": []},
        "access": {"type": "dict", "default": {}},
    }
    return {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 5432},
        "master_user": {"type": "str", "required": True},
        "master_password_parameter": {"type": "str", "required": True, "no_log": False},
        "parameters_path": {"type": "str", "default": "/"},
        "maintenance_database": {"type": "str", "default": "postgres"},
        "roles": {"type": "list", "elements": "dict", "default": [], "options": roles},
        "databases": {"type": "list", "elements": "dict", "default": [], "options": databases},
        "ca_path": {"type": "path"},
        "connect_timeout": {"type": "int", "default": 10},
        "region": {"type": "str"},
        "endpoint_url": {"type": "str"},
    }


def wanted_from(params):
    """The wish as the plan has it. Raises PostgresError."""
    databases = []
    for item in params["databases"]:
        for role, level in item["access"].items():
            if level not in plan.PRIVILEGES:
                given = f"Database '{item['name']}' gives '{role}' the access '{level}'"
                raise PostgresError(f"{given}; it is read or write. Nothing was changed.")
        access = tuple(sorted(item["access"].items()))
        databases.append(plan.Database(item["name"], item["owner"], tuple(item["extensions"]), access))
    wanted = plan.Wanted(tuple(item["name"] for item in params["roles"]), tuple(databases))
    plan.check(wanted, params["master_user"])
    return wanted


def read_passwords(module):
    """(the master's, password by role), from Parameter Store; hidden from everything that the module returns."""
    params = module.params
    master = full_name(params, params["master_password_parameter"])
    names = {item["name"]: full_name(params, item["password_parameter"]) for item in params["roles"]}
    client = aws.make_client("ssm", params["region"], params["endpoint_url"])
    values, _secret = aws.read_named_parameters(client, [master, *names.values()])
    module.no_log_values.update(values.values())
    passwords = {role: values[name] for role, name in names.items()}
    server.check_passwords(passwords)
    return values[master], passwords


def full_name(params, name):
    """A parameter's full name."""
    return name if name.startswith("/") else f"/{params['parameters_path'].strip('/')}/{name}".replace("//", "/")


def run(module):
    params = module.params
    wanted = wanted_from(params)
    master_password, passwords = read_passwords(module)
    options = {"ca_path": params["ca_path"] or "", "timeout": params["connect_timeout"]}
    connect = functools.partial(_connect, params, master_password, options)
    target = server.Server(connect, params["maintenance_database"])
    before = target.observe(wanted, passwords)
    changes = plan.decide(wanted, before)
    if changes and not module.check_mode:
        target.apply(changes, passwords)
    result = {
        "changed": bool(changes),
        "changes": [change.what for change in changes],
        "databases": {item.name: item.owner for item in wanted.databases},
    }
    if module._diff:
        old, new = plan.lines(wanted, before, changes)
        header = f"{params['host']}:{params['port']}"
        result["diff"] = {"before_header": header, "after_header": header, "before": old, "after": new}
    return result


def _connect(params, master_password, options, database, user=None, password=None):
    return Connection(params["host"], params["port"], user or params["master_user"], password or master_password, database, **options)


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except (PostgresError, InvalidInput) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
