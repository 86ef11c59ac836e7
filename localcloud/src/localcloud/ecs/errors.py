# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the ECS API in AWS's words, and why a task did not start; no I/O."""

from __future__ import annotations


class ApiError(Exception):
    """An error answer: `code` is one that botocore's ECS model documents."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class StartFailed(Exception):
    """A task cannot start; the text becomes its stoppedReason. `container` names the container that it is about, if it is one."""

    def __init__(self, reason: str, container: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container


def invalid(message: str) -> ApiError:
    """A parameter is wrong."""
    return ApiError("InvalidParameterException", message)


def client(message: str) -> ApiError:
    """The request cannot be carried out as it is."""
    return ApiError("ClientException", message)


def cluster_not_found() -> ApiError:
    """No such cluster, or an inactive one."""
    return ApiError("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> ApiError:
    """No such service in the cluster."""
    return ApiError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> ApiError:
    """The service was deleted."""
    return ApiError("ServiceNotActiveException", "Service was not ACTIVE.")


def no_task_definition() -> ApiError:
    """DescribeTaskDefinition and its like, of one that does not exist."""
    return client("Unable to describe task definition.")


def resource_init(cause: str) -> StartFailed:
    """What a task needs before its containers can be created could not be had."""
    return StartFailed(f"ResourceInitializationError: {cause}")
