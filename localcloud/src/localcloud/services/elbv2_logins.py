# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that authenticate before another one is performed: checks them as AWS documents them, keeps and hides their secret; pure.

Source: Elastic Load Balancing API reference, AuthenticateOidcActionConfig and AuthenticateCognitoActionConfig: the client secret is
required to create a rule; to modify one it may be left out with `UseExistingClientSecret`; it is not part of any answer.
"""

from __future__ import annotations

import copy
import typing as t

from .elbv2_state import Action
from .query_protocol import ApiError

OIDC, COGNITO = "authenticate-oidc", "authenticate-cognito"
CONFIGS = {OIDC: "AuthenticateOidcConfig", COGNITO: "AuthenticateCognitoConfig"}
_REQUIRED = {
    OIDC: ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"),
    COGNITO: ("UserPoolArn", "UserPoolClientId", "UserPoolDomain"),
}
_DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def split(given: list[Action]) -> tuple[list[Action], list[Action]]:
    """(actions that authenticate, the others), in their order."""
    if len(given) > 1:
        orders = [action.get("Order") for action in given]
        if None in orders or len(set(orders)) < len(orders):
            raise ApiError("ValidationError", "Each action needs an order of its own when a rule has more than one action")
        given = sorted(given, key=lambda action: t.cast(int, action["Order"]))
    logins = [action for action in given if action.get("Type") in CONFIGS]
    if len(logins) > 1:
        raise ApiError("InvalidLoadBalancerAction", "A rule can have only one action that authenticates")
    if logins and given[-1] in logins:
        raise ApiError("InvalidLoadBalancerAction", "The last action of a rule must be forward, redirect or fixed-response")
    return logins, [action for action in given if action not in logins]


def checked(action: Action, before: list[Action], *, secure: bool) -> Action:
    """The action as it is kept; `before` are the actions that it replaces, `secure` says whether the listener speaks TLS."""
    kind = action["Type"]
    if not secure:
        raise ApiError("InvalidLoadBalancerAction", f"Actions of type '{kind}' are supported only on HTTPS listeners")
    name = CONFIGS[kind]
    config = copy.deepcopy(action.get(name) or {})
    missing = [member for member in _REQUIRED[kind] if not config.get(member)]
    if missing:
        raise ApiError("ValidationError", f"{name} needs {', '.join(missing)}")
    if kind == OIDC:
        for member in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint"):
            if not config[member].startswith("https://"):
                raise ApiError("ValidationError", f"{member} must be a URL with the protocol https")
        config["ClientSecret"] = _secret(config, before)
    if config.get("OnUnauthenticatedRequest", "authenticate") not in ("authenticate", "allow", "deny"):
        raise ApiError("ValidationError", "OnUnauthenticatedRequest must be one of 'deny, allow, authenticate'")
    return {"Type": kind, **({"Order": action["Order"]} if "Order" in action else {}), name: {**_DEFAULTS, **config}}


def _secret(config: dict[str, t.Any], before: list[Action]) -> str:
    kept = next((action[CONFIGS[OIDC]]["ClientSecret"] for action in before if action["Type"] == OIDC), None)
    existing = config.pop("UseExistingClientSecret", False)
    given = config.get("ClientSecret")
    if given and existing:
        raise ApiError("ValidationError", "ClientSecret cannot be specified together with UseExistingClientSecret")
    if given:
        return str(given)
    if not existing:
        raise ApiError("ValidationError", "A client secret must be specified, or UseExistingClientSecret when an action is modified")
    if kept is None:
        raise ApiError("ValidationError", "There is no existing client secret: the rule has no action of type 'authenticate-oidc'")
    return str(kept)


def shown(kept: list[Action]) -> list[Action]:
    """The actions as answers have them: without the secret."""
    found = copy.deepcopy(kept)
    for action in found:
        action.get(CONFIGS[OIDC], {}).pop("ClientSecret", None)
    return found
