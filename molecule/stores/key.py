# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command to a Valkey or Redis server (RESP, https://valkey.io/topics/protocol): key.py HOST PORT WORD…; prints the answer."""

from __future__ import annotations

import socket
import sys


def main():
    host, port, *words = sys.argv[1:]
    request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.create_connection((host, int(port)), timeout=5) as connection, connection.makefile("rb") as answers:
        connection.sendall(request.encode())
        first = answers.readline().decode().strip()
        print(answers.readline().decode().strip() if first.startswith("$") and first != "$-1" else first)


if __name__ == "__main__":
    main()
