# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssm_parameters decides, as tables; no AWS."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _parameters as p

PATH = "/popcon/dev"


def wanted(*options, key_id=None):
    defaults = {"value": None, "secret": None, "generate": None, "description": None, "key_id": None}
    return p.wanted_from_options(PATH, [{**defaults, **option} for option in options], key_id)


def string(name, value, **fields):
    return p.Existing(name=f"{PATH}/{name}", type=p.STRING, version=1, value=value, **fields)


def secure(name, value=None, **fields):
    return p.Existing(name=f"{PATH}/{name}", type=p.SECURE, version=3, value=value, **fields)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([{"name": "A", "value": "1"}, {"name": "A", "secret": "2"}], "Parameter '/popcon/dev/A' is given twice; keep one of the two."),
        ([{"name": "A"}], "Parameter '/popcon/dev/A' needs exactly one of value, secret and generate, and has none."),
        (
            [{"name": "A", "value": "1", "generate": 20}],
            "Parameter '/popcon/dev/A' needs exactly one of value, secret and generate, and has value and generate.",
        ),
        (
            [{"name": "A", "secret": ""}],
            "Parameter '/popcon/dev/A' has an empty secret: set the environment or vault variable it comes from; "
            "Parameter Store does not keep empty values.",
        ),
        ([{"name": "A", "value": ""}], "Parameter '/popcon/dev/A' has an empty value; Parameter Store does not keep empty values."),
        ([{"name": "A", "value": "x" * 8193}], "Parameter '/popcon/dev/A' is longer than 8192 bytes, the limit of Parameter Store."),
        ([{"name": "A", "generate": 4}], "Parameter '/popcon/dev/A' asks for 4 generated characters; give a length from 12 to 4096."),
        ([{"name": "A B", "value": "1"}], "Parameter name 'A B' is not valid: use letters, digits, '_', '.', '-' and '/'."),
    ],
)
def test_mistakes_are_named_before_anything_is_read(options, sentence):
    with pytest.raises(p.ParametersError) as caught:
        wanted(*options)
    assert str(caught.value) == sentence


def test_the_whole_store_is_never_a_path():
    with pytest.raises(p.ParametersError, match="whole Parameter Store"):
        p.wanted_from_options("/", [], None)


@pytest.mark.parametrize("name", ["/aws/x", "/ssm/x", "/AWSx"])
def test_reserved_prefixes(name):
    with pytest.raises(p.ParametersError, match="reserved by AWS"):
        p.full_name("/", name)


TABLE = [
    ("missing string", [{"name": "A", "value": "1"}], [], [("create", "A", ())]),
    ("same string", [{"name": "A", "value": "1"}], [string("A", "1")], []),
    ("other string", [{"name": "A", "value": "2"}], [string("A", "1")], [("update", "A", ("value",))]),
    ("missing secret", [{"name": "S", "secret": "x"}], [], [("create", "S", ())]),
    ("same secret", [{"name": "S", "secret": "x"}], [secure("S", "x")], []),
    ("other secret", [{"name": "S", "secret": "y"}], [secure("S", "x")], [("update", "S", ("value",))]),
    ("generated exists", [{"name": "S", "generate": 32}], [secure("S")], []),
    ("generated missing", [{"name": "S", "generate": 32}], [], [("create", "S", ())]),
    ("string becomes secret", [{"name": "A", "secret": "1"}], [string("A", "1")], [("replace", "A", ("type",))]),
    (
        "other key",
        [{"name": "S", "secret": "x", "key_id": "alias/own"}],
        [secure("S", "x", key_id="alias/aws/ssm")],
        [("update", "S", ("key_id",))],
    ),
    ("description given", [{"name": "A", "value": "1", "description": "d"}], [string("A", "1")], [("update", "A", ("description",))]),
    ("description not given", [{"name": "A", "value": "1"}], [string("A", "1", description="d")], []),
    ("extra, kept", [], [string("Z", "1")], []),
]


@pytest.mark.parametrize(("options", "existing", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_decide(options, existing, expected):
    changes = p.decide(wanted(*options), existing, purge=False, tags=None)
    assert [(change.action, change.name.rsplit("/", 1)[1], change.reasons) for change in changes] == expected


def test_purge_deletes_what_is_not_listed_last():
    changes = p.decide(wanted({"name": "A", "value": "2"}), [string("A", "1"), string("Z", "1")], purge=True, tags=None)
    assert [change.action for change in changes] == ["update", "delete"]


def test_tags_are_added_and_others_left_alone():
    old = string("A", "1", tags={"team": "x"})
    assert [c.action for c in p.decide(wanted({"name": "A", "value": "1"}), [old], purge=False, tags={"system": "popcon"})] == ["tag"]
    same = string("A", "1", tags={"team": "x", "system": "popcon"})
    assert p.decide(wanted({"name": "A", "value": "1"}), [same], purge=False, tags={"system": "popcon"}) == []


def test_only_given_secrets_are_decrypted():
    options = wanted({"name": "S", "secret": "x"}, {"name": "G", "generate": 20}, {"name": "N", "secret": "new"})
    assert p.needs_decryption(options, [secure("S"), secure("G"), string("A", "1")]) == ["/popcon/dev/S"]


def test_prediction_is_what_a_second_decision_finds_unchanged():
    options = wanted({"name": "A", "value": "2", "description": "d"}, {"name": "B", "value": "1"})
    existing = [string("A", "1"), string("Z", "1")]
    after = p.predicted(existing, p.decide(options, existing, purge=True, tags=None))
    assert [(item.name, item.version) for item in after] == [("/popcon/dev/A", 2), ("/popcon/dev/B", 1)]
    assert p.decide(options, after, purge=True, tags=None) == []


def test_no_secret_is_ever_shown():
    options = wanted({"name": "S", "secret": "hunter2-hunter2"})
    existing = [p.replace_value(secure("S"), "old-secret-old")]
    changes = p.decide(options, existing, purge=True, tags=None)
    after = p.predicted(existing, changes)
    texts = [repr(options), repr(existing), repr(changes), repr([p.shown(item) for item in existing + after])]
    texts += [p.diff_text(existing, changes, after=False), p.diff_text(after, changes, after=True)]
    for text in texts:
        assert "hunter2" not in text
        assert "old-secret" not in text
    assert "new value" in texts[-1]


def test_long_values_take_the_advanced_tier():
    assert p.tier("x" * 4096) == "Standard"
    assert p.tier("x" * 4097) == "Advanced"


@pytest.mark.case("A1")
def test_a_purge_leaves_what_does_not_carry_the_tags():
    def there(name, **tags):
        return p.Existing(f"/shop/dev/{name}", "String", 1, "x", "", "", "", {f"bluegreen:{key}": text for key, text in tags.items()})

    existing = [
        there("LISTED"),
        there("OURS", system="shop", environment="dev", component="parameters"),
        there("PROD", system="shop", environment="prod"),
        there("UNTAGGED"),
    ]
    listed = [p.Wanted("/shop/dev/LISTED", p.STRING, "x")]
    only = {"bluegreen:system": "shop", "bluegreen:environment": "dev"}
    changes = p.decide(listed, existing, purge=True, tags=None, purge_only=only)
    assert [(change.action, change.name) for change in changes] == [("delete", "/shop/dev/OURS")]
    assert p.not_ours(listed, existing, only) == ["/shop/dev/PROD", "/shop/dev/UNTAGGED"]
    assert p.decide(listed, existing, purge=False, tags=None, purge_only=only) == []
    without = p.decide(listed, existing, purge=True, tags=None)
    assert [change.name for change in without] == ["/shop/dev/OURS", "/shop/dev/PROD", "/shop/dev/UNTAGGED"]


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    ("tier", "value", "sent"),
    [
        ("Advanced", "short", "Advanced"),
        ("Advanced", "x" * 5000, "Advanced"),
        ("Standard", "short", "Standard"),
        ("Standard", "x" * 4097, "Advanced"),
        ("", "short", "Standard"),
    ],
)
def test_the_tier_of_what_exists_is_left_alone(tier, value, sent):
    assert p.tier(value, string("A", "old", tier=tier)) == sent
    assert p.tier("short") == "Standard"


@pytest.mark.case("C10")
def test_a_key_in_another_spelling_is_no_change():
    old = secure("A", "x", key_id="arn:aws:kms:ap-northeast-2:1:key/k1")
    listed = wanted({"name": "A", "secret": "x"}, key_id="alias/app")
    assert p.decide(listed, [old], purge=False, tags=None, same_key=lambda one, other: (one, other) == ("alias/app", old.key_id)) == []
    (change,) = p.decide(listed, [old], purge=False, tags=None, same_key=lambda _one, _other: False)
    assert change.reasons == ("key_id",)
