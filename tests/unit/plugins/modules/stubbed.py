# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module whose AWS client is botocore's, with the answers that a test lays out.

A test fails when a call is missing, is one too many, or has other arguments than were laid out.
"""

from __future__ import annotations

import contextlib
import functools

import botocore.session
from botocore.stub import Stubber


class Failed(Exception):
    """What fail_json would have ended with."""


class Module:
    """As much of AnsibleAWSModule as ``run(module)`` uses."""

    def __init__(self, spec, params, client, *, check_mode=False):
        defaults = {name: entry.get("default") for name, entry in spec.items()}
        unknown = params.keys() - spec.keys()
        assert not unknown, f"no options: {unknown}"
        self.params = {**defaults, **params}
        self.check_mode = check_mode
        self._diff = True
        self.warnings = []
        self._client = client

    def client(self, _service, **_options):
        return self._client

    def warn(self, message):
        self.warnings.append(message)


@functools.cache
def _client(service):
    """One client per service: reading the model is what takes the time."""
    return botocore.session.get_session().create_client(
        service, region_name="ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="y"
    )


@contextlib.contextmanager
def stubbed(service):
    """(client, Stubber); when the block ends every answer must have been asked for."""
    client = _client(service)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()
