# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import images
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput

D = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("redis", ("redis", "", "")),
        ("redis:7", ("redis", "7", "")),
        ("127.0.0.1:5000/popcon", ("127.0.0.1:5000/popcon", "", "")),
        ("127.0.0.1:5000/popcon:backend", ("127.0.0.1:5000/popcon", "backend", "")),
        (f"a.example/popcon@{D}", ("a.example/popcon", "", D)),
        (f"a.example/popcon:1@{D}", ("a.example/popcon", "1", D)),
    ],
)
def test_parts(text, parts):
    parsed = images.parse(text)
    assert (parsed.repository, parsed.tag, parsed.digest) == parts
    assert str(parsed) == text


@pytest.mark.parametrize(
    ("text", "host"),
    [("redis:7", "docker.io"), ("library/redis", "docker.io"), ("127.0.0.1:5000/x", "127.0.0.1:5000"), ("localhost/x", "localhost"),
     ("1234.dkr.ecr.ap-northeast-2.amazonaws.com/popcon:1", "1234.dkr.ecr.ap-northeast-2.amazonaws.com")],
)  # fmt: skip
def test_hosts(text, host):
    assert images.registry_host(text) == host


@pytest.mark.parametrize(
    ("reference", "digests", "pinned"),
    [
        ("127.0.0.1:5000/popcon:1", [f"127.0.0.1:5000/popcon@{D}"], f"127.0.0.1:5000/popcon@{D}"),
        ("docker.io/library/redis:7", [f"redis@{D}"], f"docker.io/library/redis@{D}"),
        ("popcon:1", [], "sha256:id"),
        ("popcon:1", [f"elsewhere.example/popcon@{D}"], "sha256:id"),
        (f"popcon:1@{D}", [], f"popcon@{D}"),
    ],
)
def test_pinning(reference, digests, pinned):
    assert images.pin(reference, "sha256:id", digests) == pinned


def test_overriding():
    assert images.override("backend", "r.example/popcon:1", D) == f"r.example/popcon@{D}"
    assert images.override("backend", "r.example/popcon:1", "other:2") == "other:2"
    with pytest.raises(InvalidInput, match="'sha256:12' in images is no digest"):
        images.override("backend", "r.example/popcon:1", "sha256:12")


def test_pinned_or_not():
    assert images.is_pinned(D) and images.is_pinned(f"a@{D}") and not images.is_pinned("a:1")
    assert images.short(f"a@{D}") == "a@sha256:0123456789ab"
    assert images.short(D) == "sha256:0123456789ab"
