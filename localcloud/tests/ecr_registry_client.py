# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small registry client over plain HTTP, to push images that Docker would not make; shares nothing with the registry's own code."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import requests

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(data: bytes) -> str:
    """The digest of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class RegistryClient:
    """Speaks to `http://127.0.0.1:<port>` with the credentials of GetAuthorizationToken, or with none."""

    def __init__(self, port: int, token: str | None) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        if token is not None:
            self.session.headers["Authorization"] = f"Basic {token}"

    @classmethod
    def of(cls, running: t.Any) -> RegistryClient:
        """A client that is logged in."""
        data = running.client().get_authorization_token()["authorizationData"][0]
        return cls(running.cloud.ports.registry, data["authorizationToken"])

    def url(self, path: str) -> str:
        """The address of a path below /v2/."""
        return f"{self.base}/v2/{path}"

    def password(self) -> str:
        """The password that `docker login --username AWS` takes."""
        return base64.b64decode(str(self.session.headers["Authorization"]).split()[1]).decode().partition(":")[2]

    def push_blob(self, repository: str, data: bytes) -> str:
        """Upload a blob in one piece; returns its digest."""
        started = self.session.post(self.url(f"{repository}/blobs/uploads/"))
        assert started.status_code == 202, started.text
        location = requests.compat.urljoin(self.base, started.headers["Location"])
        done = self.session.put(location, params={"digest": digest_of(data)}, data=data)
        assert done.status_code == 201, done.text
        return digest_of(data)

    def put_manifest(self, repository: str, reference: str, raw: bytes, media_type: str) -> requests.Response:
        """Upload a manifest; the answer is the caller's to judge."""
        return self.session.put(self.url(f"{repository}/manifests/{reference}"), data=raw, headers={"Content-Type": media_type})

    def get_manifest(self, repository: str, reference: str) -> requests.Response:
        """Fetch a manifest; the answer is the caller's to judge."""
        accept = ", ".join((DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX))
        return self.session.get(self.url(f"{repository}/manifests/{reference}"), headers={"Accept": accept})

    def image(self, repository: str, content: str, *, media_type: str = DOCKER_MANIFEST) -> bytes:
        """Upload the blobs of an image of one layer; returns its manifest, not yet uploaded."""
        oci = media_type == OCI_MANIFEST
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"content": content}}}).encode()
        layer = f"layer {content}".encode()
        for blob in (config, layer):
            self.push_blob(repository, blob)
        config_type = "application/vnd.oci.image.config.v1+json" if oci else "application/vnd.docker.container.image.v1+json"
        layer_type = "application/vnd.oci.image.layer.v1.tar+gzip" if oci else "application/vnd.docker.image.rootfs.diff.tar.gzip"
        document = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": config_type, "size": len(config), "digest": digest_of(config)},
            "layers": [{"mediaType": layer_type, "size": len(layer), "digest": digest_of(layer)}],
        }
        return json.dumps(document).encode()

    def index(self, manifests: list[bytes], *, media_type: str = OCI_INDEX) -> bytes:
        """An index of these manifests, for one architecture each."""
        listed = [
            {
                "mediaType": json.loads(raw)["mediaType"],
                "size": len(raw),
                "digest": digest_of(raw),
                "platform": {"architecture": architecture, "os": "linux"},
            }
            for raw, architecture in zip(manifests, ("amd64", "arm64"), strict=False)
        ]
        return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": listed}).encode()

    def push(self, repository: str, tag: str, content: str = "", *, media_type: str = DOCKER_MANIFEST) -> str:
        """Push an image under a tag; returns its digest."""
        raw = self.image(repository, content or tag, media_type=media_type)
        answer = self.put_manifest(repository, tag, raw, media_type)
        assert answer.status_code == 201, answer.text
        return digest_of(raw)
