# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one program had to work out and the next one need not: byte code of sources, imported modules, botocore's descriptions of services.

A forked program notes what it did; the server is told, and knows it when it forks the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
import types
import typing as t
import zipimport
import zlib

from . import clients, rehearsal
from .imports import File, Imports

try:
    from botocore import config, loaders, session

    Loader = loaders.Loader
except ImportError:  # what is not there is not remembered; a module that needs it says so
    config = loaders = session = None
    Loader = object

_MOST = 32 << 20  # bytes of a file of byte code; a larger one is begun anew


class Compiled:
    """Byte code by the digest of its source.

    Ansible sends each module with its utilities as a zip file without byte code, so Python compiles them for every task: a fifth of a
    second.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, types.CodeType] = {}
        self.new: dict[bytes, types.CodeType] = {}
        self.seen: list[tuple] = []  # (path, checksum, size, digest) of each source, in the order in which they were asked for
        self._compile = getattr(zipimport, "_compile_source", None)  # CPython's; another interpreter compiles each time

    def install(self) -> None:
        if self._compile is not None:
            zipimport._compile_source = self._look_up  # type: ignore[attr-defined]

    def _look_up(self, path: str, source: bytes) -> types.CodeType:
        key = hashlib.blake2b(source, digest_size=16).digest()
        self.seen.append((path, zlib.crc32(source), len(source), key))
        found = self.known.get(key)
        if found is None:
            found = self.new[key] = self._compile(path, source)  # type: ignore[misc]
        return found

    def imported(self) -> t.Iterator[File]:
        """What this program has imported from a zip file, without what it was run as."""
        for path, *rest in self.seen:
            file = File(path.rpartition(f".zip{os.sep}")[2], *rest)
            if file.name in sys.modules:
                yield file


class Models(Loader):
    """botocore's loader of descriptions, one for all sessions of a process: that of EC2 alone takes a quarter of a second to read.

    With AWS_DATA_PATH, which adds folders of a user's own, each session has its own loader as always.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple] = []

    def install(self) -> None:
        if session is not None:
            session.create_loader = lambda paths=None: self if paths is None else loaders.create_loader(paths)

    def make_client(self, service: str) -> t.Any:
        """One that cannot log in: botocore then knows the names of its methods, and Python what it has parsed for them."""
        made = session.Session()
        made.register_component("data_loader", self)
        made.set_credentials("none", "none")
        # With "auto" in the user's configuration botocore would ask the metadata service where it is.
        return made.create_client(service, region_name="us-east-1", config=config.Config(defaults_mode="legacy"))

    def load_service_model(self, service_name, type_name, api_version=None):
        self.asked.append(("load_service_model", service_name, type_name, api_version))
        return super().load_service_model(service_name, type_name, api_version=api_version)

    def load_data(self, name):
        self.asked.append(("load_data", name))
        return super().load_data(name)

    def load_data_with_path(self, name):
        self.asked.append(("load_data_with_path", name))
        return super().load_data_with_path(name)


class Memory:
    """Both; `install` in a forked program, `lesson` there at its end, `learn` in the server.

    With a file, the server begins with what one before it knew: byte code is looked up by its source, and descriptions are only named
    there, so nothing of it can be out of date.
    """

    def __init__(self, path: str = "") -> None:
        clients.install()
        self._compiled = Compiled()
        self._imports = Imports(self._compiled.known)
        self._models = Models()
        self._loaded: set[tuple] = set()
        self.todo: list[tuple] = []
        self._path = path
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError):
            with open(path, "rb") as file:
                compiled, files, asked = marshal.load(file)  # noqa: S302  # in a folder that only its owner can write to
            self._compiled.known.update(compiled)
            self._imports.learn(File(*one) for one in files)
            self.todo = [tuple(one) for one in asked]

    def load_next(self) -> None:
        """One of the descriptions that were needed last time."""
        self._load(self.todo.pop(0))

    def save(self) -> None:
        """Up to so much that a collection's development does not fill the disk."""
        if not self._path:
            return
        files = [tuple(file) for file in self._imports.files.values()]
        content = marshal.dumps((self._compiled.known, files, sorted(self._loaded, key=repr)))
        if len(content) <= _MOST:
            with contextlib.suppress(OSError):
                part = f"{self._path}.{os.getpid()}.part"
                with open(part, "wb") as file:
                    file.write(content)
                os.replace(part, self._path)
        else:
            with contextlib.suppress(OSError):
                os.remove(self._path)

    def rehearse(self) -> None:
        """What most programs do first, with nothing that stays."""
        if any(asked[:2] == ("load_service_model", "ec2") for asked in self._loaded):
            with contextlib.suppress(Exception):  # a botocore of another shape
                rehearsal.call(self._models.make_client("ec2"))

    def install(self) -> None:
        self._models.asked.clear()
        self._compiled.install()
        self._imports.install()
        self._models.install()

    def lesson(self) -> bytes:
        files = [tuple(file) for file in self._compiled.imported()]
        return marshal.dumps((self._compiled.new, files, [one for one in self._models.asked if one not in self._loaded]))

    def learn(self, lesson: bytes) -> None:
        """Half a lesson, of a program that was killed, is none."""
        with contextlib.suppress(EOFError, ValueError, TypeError):
            compiled, files, asked = marshal.loads(lesson)  # noqa: S302  # from a fork of this process
            self._compiled.known.update(compiled)
            self._imports.learn(File(*one) for one in files)
            for one in asked:
                self._load(tuple(one))

    def _load(self, asked: tuple) -> None:
        if asked in self._loaded:
            return
        self._loaded.add(asked)
        name, *arguments = asked
        # What botocore does not have, it does not have for the next program either.
        with contextlib.suppress(Exception):
            getattr(self._models, name)(*arguments)
            if name == "load_service_model":
                self._models.make_client(arguments[0])
