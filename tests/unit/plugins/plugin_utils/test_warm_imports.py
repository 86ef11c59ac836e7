# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one program imports from its zip file, the next one finds imported: with real processes, and payloads as Ansible makes them."""

from __future__ import annotations

import time
import zipfile

import pytest

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import client as warm

# Where it was executed shows in PID: in the program itself, or before it was forked.
ONE = "import os\nPID, STATE, VALUE = os.getpid(), [], 1\n"
ASK = """\
import os
from ansible.module_utils import one
print(one.VALUE, one.STATE, one.PID == os.getpid(){more})
one.STATE.append('used')
"""


@pytest.fixture
def server(tmp_path):
    started = warm.start(str(tmp_path / "memory"))
    yield started
    started.close()


def payload(folder, name, files, text=None, more=""):
    """A program that imports from a zip file of its own with these files below ansible/module_utils."""
    path = folder / f"{name}.zip"
    packages = {f"ansible/{one}__init__.py": "" for one in ("", "module_utils/")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, source in {**packages, **{f"ansible/module_utils/{inner}": source for inner, source in files.items()}}.items():
            archive.writestr(inner, source)
    return f"import sys\nsys.path.insert(0, {str(path)!r})\n" + (text or ASK.format(more=more))


def run(server, program):
    code, out, err = warm.run(server.address, program.encode())
    assert (code, err) == (0, b"")
    return out.decode().strip()


def until(server, program, answer):
    """The lesson comes after the answer."""
    deadline = time.monotonic() + 5
    while (found := run(server, program)) != answer:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_a_module_is_executed_once_and_used_by_nobody_before(server, tmp_path):
    program = payload(tmp_path, "a", {"one.py": ONE})
    assert run(server, program) == "1 [] True"
    until(server, program, "1 [] False")
    until(server, payload(tmp_path, "b", {"one.py": ONE}), "1 [] False")


def test_another_version_is_executed_and_then_known(server, tmp_path):
    until(server, payload(tmp_path, "a", {"one.py": ONE}), "1 [] False")
    changed = payload(tmp_path, "b", {"one.py": ONE.replace("1", "2")})
    assert run(server, changed) == "2 [] True"
    until(server, changed, "2 [] False")
    assert run(server, payload(tmp_path, "c", {"one.py": ONE})) == "1 [] True"


def test_what_is_new_comes_from_the_programs_own_file(server, tmp_path):
    until(server, payload(tmp_path, "a", {"one.py": ONE}), "1 [] False")
    more = ", __import__('ansible.module_utils.two', fromlist=['x']).VALUE"
    program = payload(tmp_path, "b", {"one.py": ONE, "two.py": "from ansible.module_utils.one import VALUE\nVALUE += 41\n"}, more=more)
    assert run(server, program) == "1 [] False 42"


def test_a_module_can_be_read_where_it_lies(server, tmp_path):
    one = ONE + "def told():\n    return 'source'\n"
    more = ", inspect.getsource(one.told), one.__loader__.get_source(one.__name__) == text, os.path.dirname(one.__file__)"
    text = f"import inspect\ntext = {one!r}\n" + ASK.format(more=more)
    program = payload(tmp_path, "a", {"one.py": one}, text)
    where = tmp_path / "a.zip/ansible/module_utils"
    until(server, program, f"1 [] False def told():\n    return 'source'\n True {where}")


def test_what_a_program_lacks_it_lacks(server, tmp_path):
    files = {"one.py": ONE, "two.py": "VALUE = 2\n"}
    text = "import os\nfrom ansible.module_utils import one, two\nprint(one.PID == os.getpid())"
    until(server, payload(tmp_path, "a", files, text), "False")
    text = ASK.format(more="") + "try:\n    import ansible.module_utils.two\nexcept ImportError as exc:\n    print(exc.name)\n"
    assert run(server, payload(tmp_path, "b", {"one.py": ONE}, text)).splitlines() == ["1 [] False", "ansible.module_utils.two"]


def test_a_module_that_the_server_cannot_import_is_left_to_programs(server, tmp_path):
    picky = {"one.py": ONE, "picky.py": "import os\nif 'HERE' not in os.environ: raise RuntimeError('not here')\n"}
    text = "import os\nos.environ['HERE'] = 'yes'\nfrom ansible.module_utils import picky\n" + ASK.format(more="")
    for _time in range(3):
        assert run(server, payload(tmp_path, "a", picky, text)) == "1 [] True"
    assert run(server, payload(tmp_path, "b", {"one.py": ONE})) == "1 [] True"


def test_a_module_that_ends_its_importer_is_left_to_programs(server, tmp_path):
    files = {"one.py": ONE, "ends.py": "import os, sys\nif 'HERE' not in os.environ: sys.exit(1)\n"}
    text = "import os\nos.environ['HERE'] = 'yes'\nfrom ansible.module_utils import ends\n" + ASK.format(more="")
    for _time in range(3):
        assert run(server, payload(tmp_path, "a", files, text)) == "1 [] True"


def test_an_optional_import_that_failed_fails_again(server, tmp_path):
    one = ONE + "try:\n    from ansible.module_utils import broken\n    VALUE = 'there'\nexcept ImportError:\n    VALUE = 'not there'\n"
    program = payload(tmp_path, "a", {"one.py": one, "broken.py": "raise ImportError('no library')\n"})
    assert run(server, program) == "not there [] True"
    until(server, program, "not there [] False")


def test_the_next_server_knows_them(tmp_path):
    program = payload(tmp_path, "a", {"one.py": ONE})
    first = warm.start(str(tmp_path / "memory"))
    until(first, program, "1 [] False")
    first.close()
    second = warm.start(str(tmp_path / "memory"))
    try:
        assert run(second, program) == "1 [] False"
    finally:
        second.close()


def test_what_else_a_zip_file_holds_is_no_affair_of_the_server(server, tmp_path):
    text = "import sys\nprint('alone' in sys.modules)\nimport alone\n" + ASK.format(more="")
    program = payload(tmp_path, "a", {"one.py": ONE}, text)
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("alone.py", "VALUE = 1\n")
    until(server, program, "False\n1 [] False")
    assert run(server, program) == "False\n1 [] False"


def test_a_program_without_a_zip_file_finds_what_is_installed(server, tmp_path):
    until(server, payload(tmp_path, "a", {"one.py": ONE}), "1 [] False")
    assert run(server, "import sys\nsys.path.insert(0, '/nowhere')\nimport ansible.release\nprint(ansible.release.__version__)") != ""
