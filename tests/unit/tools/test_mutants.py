"""make mutants: which changes are made, which tests are asked, what counts as noticed."""

from __future__ import annotations

import shutil

import check
import mutants
import pytest

SOURCE = '''\
def clear(streams, own):
    """Whether another stream is above its limit."""
    if not streams:
        return False
    return all(stream.value <= stream.limit and stream.name == own for stream in streams) or -1 > len(streams) + 1
'''


def made(source):
    found = [mutants.mutant_of(source, "_x.py", operator, occurrence) for _module, operator, occurrence in mutants.places(source, "_x.py")]
    return {mutant.after for mutant in found if mutant}


def test_comparisons_connectives_nots_and_signs_are_changed():
    after = made(SOURCE)
    line = SOURCE.splitlines()[4].strip()
    for old, new in [
        ("<=", "<"),
        ("<=", ">="),
        (" and ", " or "),
        ("==", "!="),
        (") or ", ") and "),
        ("-1 ", "1 "),
        (" > ", " >= "),
        (" + ", " - "),
    ]:
        assert line.replace(old, new) in after, f"{old} to {new}"
    assert "if not not streams:" in after
    assert "if  streams:" in after
    assert not any("is not" in text for text in after), "== is not changed to is: it mostly means the same"


def test_a_sample_is_the_same_for_the_same_seed_and_has_no_change_twice():
    _size, one = mutants.sample_of(check.ROOT, "_traffic", 12, seed=4)
    _size, again = mutants.sample_of(check.ROOT, "_traffic", 12, seed=4)
    _size, other = mutants.sample_of(check.ROOT, "_traffic", 12, seed=5)
    assert one == again != other
    assert len({mutant.text for mutant in one}) == 12


def test_the_modules_are_there_and_have_tests():
    modules = mutants.modules(check.ROOT)
    assert {"_lock.py", "_traffic.py", "_canary/judge.py", "_compose/plan.py", "_ssm/message.py"} <= set(modules)
    assert not mutants.NOT_PURE & set(modules)
    for module in modules:
        assert mutants.tests_of(check.ROOT, module), f"no unit test names {module}"


def test_the_modules_own_tests_are_asked_first_then_those_of_its_importers():
    first, *_others, last = mutants.tests_of(check.ROOT, "_ownership.py")
    assert first == ["tests/unit/plugins/module_utils/test_ownership.py"]
    assert "tests/unit/plugins/modules/test_resource_owner_info.py" in last
    own, folder, *_others = mutants.tests_of(check.ROOT, "_ssm/message.py")
    assert own == ["tests/unit/plugins/module_utils/_ssm/test_message.py"]
    assert folder == ["tests/unit/plugins/module_utils/_ssm"]


def test_an_entry_of_the_table_needs_its_line_and_its_reason():
    table = mutants.known(check.ROOT)
    assert mutants.stale(table, check.ROOT) == []
    assert mutants.stale([{"module": "_lock.py", "before": "no such line", "after": "", "why": ""}], check.ROOT) == [
        "_lock.py: no such line"
    ]
    for row in table:
        assert set(row) == {"module", "before", "after", "why"}
        assert row["why"]


@pytest.mark.parametrize(("test", "noticed"), [("assert two() == 2", True), ("assert two() > 0", False), ("while two() != 2: pass", True)])
def test_what_no_test_notices_is_missed(tmp_path, monkeypatch, test, noticed):
    folder = tmp_path / mutants.TESTS / "module_utils"
    folder.mkdir(parents=True)
    module = tmp_path / mutants.UTILS / "_two.py"
    module.parent.mkdir(parents=True)
    module.write_text("def two():\n    return 1 + 1 + 2 - 2\n")
    (folder / "test_two.py").write_text(
        "from ansible_collections.bluegreen.aws.plugins.module_utils._two import two\n\n\ndef test_two():\n    " + test + "\n"
    )
    copied = tmp_path / "copy"
    copied.mkdir()
    shutil.copytree(tmp_path / "plugins", copied / "plugins")
    shutil.copytree(tmp_path / "tests", copied / "tests")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "tracked", lambda *_patterns: [])
    monkeypatch.setattr(mutants, "PATIENCE", 5)
    mutant = mutants.Mutant("_two.py", 2, "", "", "def two():\n    return 1 + 1 + 2 + 2\n")
    copy = mutants.Copy(copied)
    assert copy.passes(["tests"])
    assert copy.notices(mutant) is noticed
    assert copy.passes(["tests"]), "the change has been taken back"
