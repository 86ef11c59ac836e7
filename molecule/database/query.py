# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One statement to a PostgreSQL server: query.py HOST DATABASE USER STATEMENT, the password on stdin; prints the rows."""

from __future__ import annotations

import sys

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.wire import Connection


def main():
    host, database, user, statement = sys.argv[1:]
    with Connection(host, 5432, user, sys.stdin.readline().rstrip("\n"), database) as connection:
        for row in connection.run(statement, "run the statement"):
            print(*row, sep="|")


if __name__ == "__main__":
    main()
