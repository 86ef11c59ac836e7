# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as Ansible assembled them, kept from a real run to the next, as long as their files are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import ansible
import pytest

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import payloads

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.ping: {data: "{{ lookup('ansible.builtin.env', 'A_SECRET') }}"}
"""


def play(folder, cache):
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "ansible.cfg").write_text("[defaults]\ncallbacks_enabled = bluegreen.aws.summary\n")
    words = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", "localhost,", "-c", "bluegreen.aws.local"]
    words += ["-e", f"ansible_python_interpreter={sys.executable}", "-e", "ansible_pipelining=true", str(folder / "play.yml")]
    env = {**os.environ, "ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "BLUEGREEN_CACHE": str(cache), "A_SECRET": "hunter2-hunter2"}
    env["ANSIBLE_COLLECTIONS_PATH"] = next(path for path in sys.path if os.path.isdir(os.path.join(path, "ansible_collections")))
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder that a run left."""
    folder = tmp_path_factory.mktemp("run")
    play(folder, folder / "cache")
    (found,) = (folder / "cache").iterdir()
    return found


def test_what_a_run_assembled_is_offered_to_the_next(kept, tmp_path):
    assert payloads.offer(str(kept), str(tmp_path)) == 1
    (linked,) = tmp_path.iterdir()
    assert linked.name.startswith("ansible.modules.ping") and linked.is_symlink() and linked.read_bytes()
    # What was linked is not kept again.
    assert payloads.keep(str(kept), str(tmp_path)) == 0


def test_it_names_the_files_that_it_was_made_of(kept):
    (index,) = kept.glob("*.files.json")
    files = json.loads(index.read_text())["files"]
    assert any(path.endswith("ansible/modules/ping.py") for path in files)
    assert any(path.endswith("ansible/module_utils/basic.py") for path in files)
    assert all(os.path.isfile(path) for path, state in files.items() if state is not None)


def test_a_file_that_has_changed_makes_it_untrue(kept, tmp_path):
    (index,) = kept.glob("*.files.json")
    before = index.read_text()
    found = json.loads(before)
    some = next(path for path, state in found["files"].items() if state is not None)
    found["files"][some][0] -= 1
    index.write_text(json.dumps(found))
    try:
        assert payloads.offer(str(kept), str(tmp_path)) == 0
    finally:
        index.write_text(before)
    assert list(tmp_path.iterdir()) == []


def test_another_checkout_is_offered_nothing_of_it(kept, tmp_path):
    (index,) = kept.glob("*.files.json")
    before = index.read_text()
    found = json.loads(before)
    assert found["roots"]["ansible"] == os.path.dirname(ansible.__file__)
    index.write_text(json.dumps({**found, "roots": {**found["roots"], "ansible": "/opt/another/ansible"}}))
    try:
        assert payloads.offer(str(kept), str(tmp_path)) == 0
    finally:
        index.write_text(before)
    assert list(tmp_path.iterdir()) == []


def test_neither_arguments_nor_results_are_kept(kept):
    assert all(b"hunter2" not in path.read_bytes() for path in kept.iterdir())


def test_only_its_owner_may_write_to_the_cache(tmp_path):
    folder = payloads.folder_of(str(tmp_path / "cache"), "1.2")
    assert os.stat(folder).st_mode & 0o777 == 0o700 and os.stat(tmp_path / "cache").st_mode & 0o777 == 0o700
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(PermissionError, match="can be written by others"):
        payloads.folder_of(str(tmp_path / "open"), "1.2")


def test_what_is_no_payload_is_left_out(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "broken").write_bytes(b"no pickle")
    (tmp_path / "kept").mkdir()
    assert payloads.keep(str(tmp_path / "kept"), str(tmp_path / "from")) == 0
    assert list((tmp_path / "kept").iterdir()) == []
