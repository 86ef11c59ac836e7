# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The talk with sudo, su or doas before a command runs: waits for the prompt, answers it, recognises success; no IO.

It asks Ansible's become plugin what a prompt, a success and an error look like. Until it is done it works on lines; after that the
output is nobody's business but the command's.
"""

from __future__ import annotations

import enum

from ansible.errors import AnsibleError


class State(enum.Enum):
    PROMPT = "awaiting prompt"
    ESCALATION = "awaiting escalation"
    DONE = "done"


class BecomeDialogue:
    """`become` is a become plugin with its command built, `password` the bytes to answer with or None.

    `feed` takes output and returns what to write to stdin; it raises AnsibleError for a wrong or missing password.
    """

    def __init__(self, become, password: bytes | None):
        self._become = become
        self._password = password
        self._lines = {"stdout": b"", "stderr": b""}
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        if become.expect_prompt():
            self.state = State.PROMPT
        elif become.success:
            self.state = State.ESCALATION
        else:
            self.state = State.DONE

    @property
    def done(self) -> bool:
        return self.state is State.DONE

    @property
    def needs_reply(self) -> bool:
        return self.state is State.PROMPT

    def feed(self, stdout: bytes, stderr: bytes) -> bytes:
        reply = b""
        for source, data in (("stdout", stdout), ("stderr", stderr)):
            if data:
                reply += self._examine(source, data)
        return reply

    def flush(self) -> tuple[bytes, bytes]:
        """Return the output that is not part of the dialogue, once."""
        result = tuple(bytes(self._kept[source]) + self._lines[source] for source in ("stdout", "stderr"))
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._lines = {"stdout": b"", "stderr": b""}
        return result

    def _examine(self, source, data):
        reply = b""
        rest = self._lines[source] + data
        while b"\n" in rest and not self.done:
            line, _newline, rest = rest.partition(b"\n")
            reply += self._line(source, line + b"\n")
        if not self.done and rest and self._is_prompt(rest):  # a prompt ends without a newline
            reply += self._prompt()
            rest = b""
        self._lines[source] = rest
        return reply

    def _line(self, source, line):
        if self._is_prompt(line):
            return self._prompt()
        if self._become.success and self._become.check_success(line):
            self.state = State.DONE
            return b""
        if self._become.check_incorrect_password(line):
            raise AnsibleError(f"Incorrect {self._become.name} password")
        if self._become.check_missing_password(line):
            raise AnsibleError(f"Missing {self._become.name} password")
        self._kept[source] += line
        return b""

    def _is_prompt(self, text):
        return self._become.expect_prompt() and self._become.check_password_prompt(text)

    def _prompt(self):
        if self.state is not State.PROMPT or self._password is None:
            raise AnsibleError(f"Incorrect {self._become.name} password")
        self.state = State.ESCALATION
        return self._password + b"\n"
