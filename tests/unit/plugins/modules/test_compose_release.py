# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as a form: its options are the documented ones, and what comes back is what a release says."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.options import Options
from ansible_collections.bluegreen.aws.plugins.module_utils._host import release
from ansible_collections.bluegreen.aws.plugins.modules import compose_release


class Failed(Exception):
    """fail_json was called."""


class Module:
    """What the wrapper uses of AnsibleModule."""

    def __init__(self, check=False, diff=False, **params):
        defaults = {name: spec.get("default") for name, spec in compose_release.argument_spec().items()}
        self.params = dict(defaults, project="popcon", directory="/opt/popcon", files={"docker-compose.yml": "services: {}"}, **params)
        self.check_mode, self._diff, self.warned = check, diff, []

    def warn(self, text):
        self.warned.append(text)

    def fail_json(self, **result):
        raise Failed(result)


@pytest.fixture
def performed(monkeypatch):
    calls = []

    def perform(host, *, check):
        calls.append((host.options, check))
        return release.Outcome(
            True, {"id": "1"}, [{"service": "a"}], ["look out"], [{"seconds": 0.1, "event": "x"}], {"images": {}}, {"images": {"a": "b"}}
        )

    monkeypatch.setattr(release, "perform", perform)
    return calls


def test_documentation_options_and_defaults_agree():
    documented = yaml.safe_load(compose_release.DOCUMENTATION)["options"]
    spec = compose_release.argument_spec()
    assert set(documented) == set(spec) == set(Options.__dataclass_fields__)
    for name, entry in documented.items():
        assert entry.get("type") == spec[name]["type"], name
        assert entry.get("default") == spec[name].get("default"), name
        assert entry.get("choices") == spec[name].get("choices"), name
        if "default" in spec[name]:
            assert getattr(Options("p", "/d"), name) == spec[name]["default"], name


def test_what_comes_back(performed):
    module = Module(actor="alice")
    result = compose_release.run(module)
    assert result == {
        "changed": True,
        "compose_release": {"id": "1"},
        "services": [{"service": "a"}],
        "timeline": [{"seconds": 0.1, "event": "x"}],
    }
    assert module.warned == ["look out"]
    assert performed[0][0].actor == "alice" and performed[0][1] is False


def test_check_and_diff(performed, tmp_path):
    result = compose_release.run(Module(check=True, diff=True, install_cli=str(tmp_path / "x.pyz")))
    assert result["diff"] == {"before": {"images": {}}, "after": {"images": {"a": "b"}}}
    assert performed[0][1] is True
    assert not (tmp_path / "x.pyz").exists()


def test_a_failure_has_its_timeline(monkeypatch):
    def fail(host, *, check):
        host.event("starting backend-green")
        raise ReleaseFailed("why")

    monkeypatch.setattr(release, "perform", fail)
    with pytest.raises(Failed) as caught:
        compose_release.run(Module())
    result = caught.value.args[0]
    assert result["msg"] == "why" and result["timeline"][0]["event"] == "starting backend-green"
