# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints of build contexts, and the Engine's build and push events."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._image import ImageError, check_stream, context_fingerprint


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian:trixie-slim\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text("print(1)\n")
    return tmp_path


def test_the_same_content_has_the_same_fingerprint(context):
    assert context_fingerprint(str(context), {"V": "1"}) == context_fingerprint(str(context), {"V": "1"})
    (context / "app/__pycache__").mkdir()
    (context / "app/__pycache__/main.pyc").write_text("x")
    assert len(context_fingerprint(str(context), {})) == 12


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "app/main.py").write_text("print(2)\n"),
        lambda root: (root / "app/new.py").write_text(""),
        lambda root: (root / "app/main.py").rename(root / "app/other.py"),
        lambda root: (root / "app/main.py").chmod(0o755),
        lambda root: (root / "link").symlink_to("Dockerfile"),
    ],
    ids=["content", "new file", "name", "mode", "link"],
)
def test_every_difference_changes_it(context, change):
    before = context_fingerprint(str(context), {})
    change(context)
    assert context_fingerprint(str(context), {}) != before


def test_a_build_argument_changes_it(context):
    assert context_fingerprint(str(context), {"V": "1"}) != context_fingerprint(str(context), {"V": "2"})


def test_push_tells_the_digest():
    events = [
        {"status": "Pushing"},
        {"status": "1: digest: sha256:ab size: 1"},
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": "sha256:ab"}},
    ]
    assert check_stream(events, "push x") == "sha256:ab"


def test_a_failed_build_names_the_step():
    events = [
        {"stream": "Step 3/9 : RUN false\n"},
        {"errorDetail": {}, "error": "The command '/bin/sh -c false' returned a non-zero code: 1"},
    ]
    with pytest.raises(ImageError) as caught:
        check_stream(events, "build popcon:backend from /src")
    assert str(caught.value) == (
        "Failed to build popcon:backend from /src: The command '/bin/sh -c false' returned a non-zero code: 1. "
        "Last step: Step 3/9 : RUN false"
    )
