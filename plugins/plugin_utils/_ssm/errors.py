# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the controller and an instance, as exceptions whose text is meant for the user.

SsmError
├── ApiError            the AWS API refused or could not be reached
│   ├── TargetNotReady  the instance's agent is not connected (yet)
│   ├── SessionUnknown  there is no such session any more
│   └── DocumentRefused this document may not be used; another one may
├── StreamError         the stream to the session service broke or could not be opened
└── SessionLost         the session is over and cannot be resumed
"""

from __future__ import annotations


class SsmError(Exception):
    """Base of this package's exceptions; `str()` is one sentence for the user."""


class ApiError(SsmError):
    pass


class TargetNotReady(ApiError):
    pass


class SessionUnknown(ApiError):
    pass


class DocumentRefused(ApiError):
    pass


class StreamError(SsmError):
    pass


class SessionLost(SsmError):
    pass
