# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that authenticate: what is refused, that the secret is kept and not shown, what a client gets."""

from __future__ import annotations

import typing as t

import pytest

from localcloud.balancer import model, render
from localcloud.services.elbv2_actions import actions
from localcloud.services.elbv2_logins import shown
from localcloud.services.query_protocol import ApiError

OIDC = {
    "Issuer": "https://id.test",
    "AuthorizationEndpoint": "https://id.test/authorize",
    "TokenEndpoint": "https://id.test/token",
    "UserInfoEndpoint": "https://id.test/user",
    "ClientId": "chat",
}
COGNITO = {"UserPoolArn": "arn:aws:cognito-idp:ap-northeast-2:1:userpool/x", "UserPoolClientId": "chat", "UserPoolDomain": "chat"}
FIXED = {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}}


def oidc(**changes: t.Any) -> dict[str, t.Any]:
    return {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**OIDC, **changes}}


def made(*given: t.Any, before: t.Any = (), secure: bool = True) -> t.Any:
    return actions(list(given), list(before), secure=secure)


@pytest.mark.case("B7")
@pytest.mark.case("D3")
def test_the_secret_is_kept_and_not_shown():
    kept = made(oidc(ClientSecret="s3cret"), FIXED)
    assert "ClientSecret" not in str(shown(kept))
    assert shown(kept)[0]["AuthenticateOidcConfig"]["OnUnauthenticatedRequest"] == "authenticate"
    again = made(*[{**action} for action in [oidc(UseExistingClientSecret=True), FIXED]], before=kept)
    assert again == kept


@pytest.mark.case("B7")
@pytest.mark.case("D3")
def test_what_describe_shows_is_refused_without_the_secret():
    kept = made(oidc(ClientSecret="s3cret"), FIXED)
    with pytest.raises(ApiError, match="A client secret must be specified, or UseExistingClientSecret"):
        made(*shown(kept), before=kept)


@pytest.mark.case("D3")
@pytest.mark.parametrize(
    ("given", "secure", "words"),
    [
        ([oidc(ClientSecret="x"), FIXED], False, "supported only on HTTPS listeners"),
        ([oidc(ClientSecret="x")], True, "The last action of a rule must be"),
        ([oidc(UseExistingClientSecret=True), FIXED], True, "There is no existing client secret"),
        ([oidc(ClientSecret="x", UseExistingClientSecret=True), FIXED], True, "cannot be specified together"),
        ([oidc(ClientSecret="x", TokenEndpoint=""), FIXED], True, "AuthenticateOidcConfig needs TokenEndpoint"),
        ([oidc(ClientSecret="x", Issuer="http://id.test"), FIXED], True, "Issuer must be a URL with the protocol https"),
        ([oidc(ClientSecret="x", OnUnauthenticatedRequest="ask"), FIXED], True, "must be one of 'deny, allow, authenticate'"),
        ([{**oidc(ClientSecret="x"), "Order": 2}, FIXED], True, "needs an order of its own"),
        (
            [oidc(ClientSecret="x"), {**oidc(ClientSecret="x"), "Order": 3}, {**FIXED, "Order": 4}],
            True,
            "only one action that authenticates",
        ),
        ([{**FIXED, "Order": 1}, FIXED], True, "exactly one action of the types forward, redirect and fixed-response"),
    ],
)
def test_what_aws_refuses_is_refused(given, secure, words):
    with pytest.raises(ApiError, match=words):
        made(*given, secure=secure)


@pytest.mark.case("D3")
def test_cognito_has_no_secret():
    login = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": COGNITO}
    kept = made(login, FIXED)
    assert made(*shown(kept), before=kept) == kept


@pytest.mark.parametrize(
    ("otherwise", "line"),
    [
        ("authenticate", "https://id.test/authorize?client_id=chat&response_type=code&scope=openid&redirect_uri="),
        ("deny", "return status 401"),
    ],
)
def test_a_client_without_a_session(otherwise, line):
    login = model.Login(otherwise, "https://id.test/authorize", "chat", "openid")
    rules = (model.Rule("r0", (), model.Fixed(200, "text/plain", "in"), login),)
    text = render.render(model.Plan("lb", (model.Front("f", 443, rules),), ()), [], log_to="192.0.2.1:514", generation=1).text
    assert line in text
    assert text.index(line) < text.index("body-r0")
