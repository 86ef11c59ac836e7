# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Python modules that each of Ansible's payloads imports from its zip file, imported once by the server.

A payload holds a hundred files of Ansible and of collections, and running them is half of what a module does. The server runs those
that a program has imported, and the next program takes them as they are: each has been imported and not yet used. It does so only when
all that its own payload has of them is the same, file by file; else it imports everything from its zip file, as always.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import types
import typing as t
import zipimport

_ROOTS = ("ansible", "ansible_collections")
_SIZE, _CRC = 3, 7  # of an entry of zipimport's directory


class File(t.NamedTuple):
    """A source as a payload has it: its path there, its checksum and size, and the digest under which its byte code is known."""

    path: str
    crc: int
    size: int
    key: bytes

    @property
    def is_package(self) -> bool:
        return os.path.basename(self.path) == "__init__.py"

    @property
    def name(self) -> str:
        """ansible/module_utils/basic.py -> ansible.module_utils.basic"""
        path = os.path.dirname(self.path) if self.is_package else self.path.removesuffix(".py")
        return path.replace(os.sep, ".")


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _ROOTS


class Imports:
    """`learn` in the server, `install` in a forked program, `files` to begin another server with."""

    def __init__(self, codes: t.Mapping[bytes, types.CodeType]) -> None:
        self._codes = codes
        self._modules: dict[str, types.ModuleType] = {}
        self.files: dict[str, File] = {}
        self._trusted = True

    def learn(self, files: t.Iterable[File]) -> None:
        """Imports what a program has imported. One that came in another version than before makes all of it be learnt anew."""
        news = {file.name: file for file in files if _is_ours(file.name) and file.key in self._codes}
        if any(name in self.files and self.files[name] != file for name, file in news.items()):
            self.files.clear()
            self._modules.clear()
        self.files.update(news)
        if self._trusted and set(_ROOTS) & self.files.keys():
            self._import(news)

    def _import(self, names: t.Iterable[str]) -> None:
        finder = _Codes(self.files, self._codes)
        sys.modules.update(self._modules)
        sys.meta_path.insert(0, finder)
        try:
            for name in names:
                importlib.import_module(name)
        except BaseException:
            # What a program could do and the server cannot would leave the others half of what they are.
            self._trusted = False
        finally:
            sys.meta_path.remove(finder)
            for name in [name for name in sys.modules if _is_ours(name)]:
                self._modules[name] = sys.modules.pop(name)
        if not self._trusted:
            self._modules.clear()

    def install(self) -> None:
        if self._modules:
            sys.meta_path.insert(0, _Adopter(self._modules, self.files))


class _Codes:
    """Finds and loads, in the server, modules whose byte code is known, and none of these packages that happens to lie on its disk."""

    def __init__(self, files: t.Mapping[str, File], codes: t.Mapping[bytes, types.CodeType]) -> None:
        self._files, self._codes = files, codes

    def find_spec(self, name, path=None, target=None):
        file = self._files.get(name)
        if file is not None:
            return importlib.machinery.ModuleSpec(name, self, origin=file.path, is_package=file.is_package)
        if name in _ROOTS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file = self._files[module.__name__]
        module.__file__ = file.path
        exec(self._codes[file.key], module.__dict__)  # noqa: S102  # what importing is


class _Adopter:
    """Gives a program, when it imports the first of these packages, all modules of the server that its zip file has the same of."""

    def __init__(self, modules: t.Mapping[str, types.ModuleType], files: t.Mapping[str, File]) -> None:
        self._modules, self._files = modules, files
        self._archive = ""

    def find_spec(self, name, path=None, target=None):
        if name not in _ROOTS:
            return None
        sys.meta_path.remove(self)
        self._archive = sys.path[0]
        same = self._same(self._archive)
        if name not in same:
            return None
        for one, module in same.items():
            if one != name:
                sys.modules[one] = module
            self._belong_here(module, self._files[one])
        return importlib.machinery.ModuleSpec(name, self, origin=self._where(name), is_package=True)

    def _belong_here(self, module: types.ModuleType, file: File) -> None:
        """As if it came from this program's zip file, where its source is and what the server has not imported."""
        module.__file__ = module.__spec__.origin = self._where(file.name)  # type: ignore[union-attr]
        module.__loader__ = module.__spec__.loader = self  # type: ignore[assignment,union-attr]
        if file.is_package:
            module.__path__ = module.__spec__.submodule_search_locations = [os.path.dirname(module.__file__)]  # type: ignore[union-attr]

    def _where(self, name: str) -> str:
        return os.path.join(self._archive, self._files[name].path)

    def _same(self, archive: str) -> dict[str, types.ModuleType]:
        """Those of the server's modules that are in the zip file; none when one of them is another version."""
        try:
            entries = zipimport._zip_directory_cache[archive] = zipimport._read_directory(archive)  # type: ignore[attr-defined]
            present = {name: entries[file.path] for name, file in self._files.items() if file.path in entries}
            if any((entry[_CRC], entry[_SIZE]) != (self._files[name].crc, self._files[name].size) for name, entry in present.items()):
                return {}
        except (AttributeError, ImportError, IndexError, TypeError):  # another interpreter's, or no zip file
            return {}
        return {name: self._modules[name] for name in present if name in self._modules}

    def create_module(self, spec):
        return self._modules[spec.name]

    def exec_module(self, module):
        """It was executed by the server."""

    def get_source(self, name: str) -> str:
        return self.get_data(self._where(name)).decode()

    def get_data(self, path: str) -> bytes:
        return zipimport.zipimporter(self._archive).get_data(path)
