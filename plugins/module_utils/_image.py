# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Fingerprints a build context and reads the Engine's build and push answers; opens only the context's files."""

from __future__ import annotations

import hashlib
import json
import os


class ImageError(Exception):
    """A build or a push that failed; the message is one sentence."""


def context_fingerprint(context, build_args):
    """12 hex characters that change when a file of the context (name, mode, content) or a build argument does.

    What .dockerignore leaves out counts too: too much only costs a build, too little would miss a change.
    """
    digest = hashlib.sha256(json.dumps(build_args, sort_keys=True).encode())
    for folder, folders, files in os.walk(context):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", ".git"))
        for name in sorted(files):
            path = os.path.join(folder, name)
            digest.update(os.path.relpath(path, context).encode() + b"\0")
            if os.path.islink(path):
                digest.update(os.readlink(path).encode())
                continue
            digest.update(b"x" if os.access(path, os.X_OK) else b"-")
            with open(path, "rb") as file:
                digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:12]


def check_stream(events, what):
    """Reads the Engine's JSON events of a build or push to the end; returns the pushed digest, if one is told.

    Raises ImageError with the Engine's words. Events: https://docs.docker.com/reference/api/engine/, POST /build and /images/NAME/push.
    """
    digest, last = None, ""
    for event in events:
        if "error" in event:
            cause = event["error"].strip().rstrip(".")
            raise ImageError(f"Failed to {what}: {cause}.{' Last step: ' + last if last else ''}")
        if event.get("stream", "").startswith("Step "):
            last = event["stream"].strip()
        aux = event.get("aux") or {}
        digest = aux.get("Digest") or digest
    return digest
