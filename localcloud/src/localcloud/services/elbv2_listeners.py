# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on listeners, their certificates and their rules; what actions and conditions mean is in elbv2_actions."""

from __future__ import annotations

import typing as t

from . import elbv2_attributes as attributes
from .elbv2_actions import actions, conditions
from .elbv2_common import Operation, Outcome, World, page, tags_of
from .elbv2_logins import shown
from .elbv2_policies import DEFAULT, POLICIES
from .elbv2_state import Action, Listener, LoadBalancer, Rule, groups_of, new_id
from .query_protocol import ApiError, Members

MOST_RULES = 100
MOST_CERTIFICATES = 25
PRIORITIES = range(1, 50001)


class Listeners:
    """The operations; the caller holds the store's lock."""

    def __init__(self, world: World, has_certificate: t.Callable[[str], bool]) -> None:
        self._store = world.store
        self._has_certificate = has_certificate
        self.operations: dict[str, Operation] = {
            "CreateListener": self.create,
            "DescribeListeners": self.describe,
            "ModifyListener": self.modify,
            "DeleteListener": self.delete,
            "DescribeListenerAttributes": self.describe_attributes,
            "ModifyListenerAttributes": self.modify_attributes,
            "AddListenerCertificates": self.add_certificates,
            "RemoveListenerCertificates": self.remove_certificates,
            "DescribeListenerCertificates": self.describe_certificates,
            "CreateRule": self.create_rule,
            "DescribeRules": self.describe_rules,
            "ModifyRule": self.modify_rule,
            "DeleteRule": self.delete_rule,
            "SetRulePriorities": self.set_priorities,
            "DescribeSSLPolicies": self.describe_policies,
        }

    # -- listeners

    def create(self, members: Members) -> Outcome:
        """CreateListener."""
        balancer = self._store.balancer(members["LoadBalancerArn"])
        for name, words in (("Port", "port"), ("Protocol", "protocol")):
            if name not in members:
                raise ApiError("ValidationError", f"A listener {words} must be specified")
        self._check_port(balancer, members["Port"], None)
        key = new_id()
        listener = Listener(
            arn=balancer.arn.replace(":loadbalancer/", ":listener/") + f"/{key}",
            balancer_arn=balancer.arn,
            port=members["Port"],
            protocol="",
            policy=None,
            certificates=[],
            attributes=attributes.defaults(attributes.LISTENER),
            tags=tags_of(members),
        )
        self._secure(listener, members)
        wanted = self._actions(balancer, listener.protocol, members["DefaultActions"], [])
        rule = Rule(self._rule_arn(listener), None, [], wanted, {})
        listener.rules[rule.arn] = rule
        balancer.listeners[listener.arn] = listener
        return Outcome({"Listeners": [_shown(listener)]}, (balancer.arn,))

    def describe(self, members: Members) -> Outcome:
        """DescribeListeners."""
        if members.get("ListenerArns"):
            found = [self._store.listener(arn)[1] for arn in members["ListenerArns"]]
        elif "LoadBalancerArn" in members:
            found = list(self._store.balancer(members["LoadBalancerArn"]).listeners.values())
        else:
            raise ApiError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
        chosen, marker = page(found, members, lambda listener: listener.arn)
        return Outcome({"Listeners": [_shown(listener) for listener in chosen], "NextMarker": marker})

    def modify(self, members: Members) -> Outcome:
        """ModifyListener; nothing changes when any part of it is refused."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        self._check_port(balancer, members.get("Port", listener.port), listener)
        protocol = members.get("Protocol", listener.protocol)
        before = listener.default.actions
        wanted = self._actions(balancer, protocol, members["DefaultActions"], before) if members.get("DefaultActions") else None
        self._secure(listener, members)
        listener.port = members.get("Port", listener.port)
        if wanted is not None:
            listener.default.actions = wanted
        return Outcome({"Listeners": [_shown(listener)]}, (balancer.arn,))

    def delete(self, members: Members) -> Outcome:
        """DeleteListener."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        del balancer.listeners[listener.arn]
        return Outcome({}, (balancer.arn,))

    def describe_attributes(self, members: Members) -> Outcome:
        """DescribeListenerAttributes."""
        return Outcome({"Attributes": attributes.listed(self._store.listener(members["ListenerArn"])[1].attributes)})

    def modify_attributes(self, members: Members) -> Outcome:
        """ModifyListenerAttributes."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        listener.attributes |= attributes.checked(attributes.LISTENER, members["Attributes"])
        return Outcome({"Attributes": attributes.listed(listener.attributes)}, (balancer.arn,))

    # -- certificates

    def add_certificates(self, members: Members) -> Outcome:
        """AddListenerCertificates."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        added = [certificate.get("CertificateArn", "") for certificate in members["Certificates"]]
        self._check_certificates(added)
        wanted = list(dict.fromkeys([*listener.certificates, *added]))
        if len(wanted) > MOST_CERTIFICATES:
            raise ApiError("TooManyCertificates", f"A listener has up to {MOST_CERTIFICATES} certificates")
        listener.certificates = wanted
        shown = [{"CertificateArn": arn, "IsDefault": arn == wanted[0]} for arn in added]
        return Outcome({"Certificates": shown}, (balancer.arn,))

    def remove_certificates(self, members: Members) -> Outcome:
        """RemoveListenerCertificates; the default certificate stays."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        removed = {certificate.get("CertificateArn") for certificate in members["Certificates"]}
        if listener.certificates and listener.certificates[0] in removed:
            raise ApiError("OperationNotPermitted", "Default certificate cannot be removed from the listener")
        listener.certificates = [arn for arn in listener.certificates if arn not in removed]
        return Outcome({}, (balancer.arn,))

    def describe_certificates(self, members: Members) -> Outcome:
        """DescribeListenerCertificates."""
        _, listener = self._store.listener(members["ListenerArn"])
        chosen, marker = page(listener.certificates, members, str)
        shown = [{"CertificateArn": arn, "IsDefault": arn == listener.certificates[0]} for arn in chosen]
        return Outcome({"Certificates": shown, "NextMarker": marker})

    def describe_policies(self, members: Members) -> Outcome:
        """DescribeSSLPolicies."""
        names = members.get("Names") or list(POLICIES)
        for name in names:
            self._check_policy(name)
        chosen, marker = page(names, members, str)
        return Outcome({"SslPolicies": [POLICIES[name].shown(name) for name in chosen], "NextMarker": marker})

    # -- rules

    def create_rule(self, members: Members) -> Outcome:
        """CreateRule."""
        balancer, listener = self._store.listener(members["ListenerArn"])
        self._refuse_transforms(members)
        priority = members["Priority"]
        self._check_priority(priority)
        if any(rule.priority == priority for rule in listener.rules.values()):
            raise ApiError("PriorityInUse", f"Priority '{priority}' is currently in use")
        if len(listener.rules) > MOST_RULES:
            raise ApiError("TooManyRules", f"A listener has up to {MOST_RULES} rules")
        wanted = self._actions(balancer, listener.protocol, members["Actions"], [])
        rule = Rule(self._rule_arn(listener), priority, conditions(members["Conditions"]), wanted, tags_of(members))
        listener.rules[rule.arn] = rule
        return Outcome({"Rules": [_rule(rule)]}, (balancer.arn,))

    def describe_rules(self, members: Members) -> Outcome:
        """DescribeRules."""
        if members.get("RuleArns") and "ListenerArn" in members:
            raise ApiError("ValidationError", "Rule ARNs and a listener ARN cannot be specified at the same time")
        if members.get("RuleArns"):
            found = [self._store.rule(arn)[2] for arn in members["RuleArns"]]
        elif "ListenerArn" in members:
            found = self._store.listener(members["ListenerArn"])[1].in_order()
        else:
            raise ApiError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
        chosen, marker = page(found, members, lambda rule: rule.arn)
        return Outcome({"Rules": [_rule(rule) for rule in chosen], "NextMarker": marker})

    def modify_rule(self, members: Members) -> Outcome:
        """ModifyRule."""
        balancer, listener, rule = self._store.rule(members["RuleArn"])
        self._refuse_transforms(members)
        if rule.priority is None:
            raise ApiError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be modified")
        if not members.get("Actions") and not members.get("Conditions"):
            raise ApiError("ValidationError", "Either conditions or actions must be specified")
        given = members.get("Actions")
        wanted = self._actions(balancer, listener.protocol, given, rule.actions) if given else rule.actions
        rule.conditions = conditions(members["Conditions"]) if members.get("Conditions") else rule.conditions
        rule.actions = wanted
        return Outcome({"Rules": [_rule(rule)]}, (balancer.arn,))

    def delete_rule(self, members: Members) -> Outcome:
        """DeleteRule."""
        balancer, listener, rule = self._store.rule(members["RuleArn"])
        if rule.priority is None:
            raise ApiError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be deleted")
        del listener.rules[rule.arn]
        return Outcome({}, (balancer.arn,))

    def set_priorities(self, members: Members) -> Outcome:
        """SetRulePriorities; all of them or none."""
        found = [(*self._store.rule(pair.get("RuleArn", "")), pair.get("Priority", 0)) for pair in members["RulePriorities"]]
        for _, _, rule, priority in found:
            self._check_priority(priority)
            if rule.priority is None:
                raise ApiError("OperationNotPermitted", f"The priority of the default rule '{rule.arn}' cannot be changed")
        moved = {rule.arn for _, _, rule, _ in found}
        for listener in {id(listener): listener for _, listener, _, _ in found}.values():
            kept = [rule.priority for rule in listener.rules.values() if rule.arn not in moved]
            wanted = kept + [priority for _, owner, _, priority in found if owner is listener]
            if len(set(wanted)) < len(wanted):
                raise ApiError("PriorityInUse", "A priority is currently in use or was specified more than once")
        for _, _, rule, priority in found:
            rule.priority = priority
        return Outcome({"Rules": [_rule(rule) for _, _, rule, _ in found]}, tuple({balancer.arn for balancer, _, _, _ in found}))

    # -- checks

    def _actions(self, balancer: LoadBalancer, protocol: str, given: list[Action], before: list[Action]) -> list[Action]:
        found = actions(given, before, secure=protocol == "HTTPS")
        for arn in groups_of(found):
            self._store.group(arn)
            user = self._store.user_of(arn)
            if user is not None and user is not balancer:
                message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
                raise ApiError("TargetGroupAssociationLimit", message)
            if self._store.group(arn).vpc_id != balancer.vpc_id:
                raise ApiError("InvalidConfigurationRequest", f"Target group '{arn}' is not in the VPC of the load balancer")
        return found

    def _secure(self, listener: Listener, members: Members) -> None:
        """Take protocol, policy and default certificate from a request."""
        protocol = members.get("Protocol", listener.protocol)
        if protocol not in ("HTTP", "HTTPS"):
            raise ApiError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
        if "MutualAuthentication" in members and members["MutualAuthentication"].get("Mode", "off") != "off":
            raise ApiError("InvalidConfigurationRequest", "The local cloud does not provide mutual authentication")
        given = [certificate.get("CertificateArn", "") for certificate in members.get("Certificates", [])]
        if len(given) > 1:
            raise ApiError("ValidationError", "Only one certificate can be specified; add others with AddListenerCertificates")
        if protocol == "HTTP":
            if given or members.get("SslPolicy"):
                raise ApiError("ValidationError", "A certificate and an SSL policy cannot be specified for HTTP listeners")
            listener.protocol, listener.policy, listener.certificates = protocol, None, []
            return
        if not given and not listener.certificates:
            raise ApiError("ValidationError", "A certificate must be specified for HTTPS listeners")
        self._check_certificates(given)
        policy = members.get("SslPolicy") or listener.policy or DEFAULT
        self._check_policy(policy)
        others = [arn for arn in listener.certificates[1:] if arn not in given]
        listener.protocol, listener.policy = protocol, policy
        listener.certificates = [*given, *others] if given else listener.certificates

    def _check_certificates(self, arns: list[str]) -> None:
        for arn in arns:
            if not self._has_certificate(arn):
                raise ApiError("CertificateNotFound", f"Certificate '{arn}' not found")

    @staticmethod
    def _check_policy(name: str) -> None:
        if name not in POLICIES:
            raise ApiError("SSLPolicyNotFound", f"SSL policy '{name}' not found")

    @staticmethod
    def _check_port(balancer: LoadBalancer, port: int, own: Listener | None) -> None:
        if any(other.port == port for other in balancer.listeners.values() if other is not own):
            raise ApiError("DuplicateListener", "A listener already exists on this port for this load balancer")

    @staticmethod
    def _check_priority(priority: int) -> None:
        if priority not in PRIORITIES:
            raise ApiError("ValidationError", f"The priority '{priority}' must be between {PRIORITIES[0]} and {PRIORITIES[-1]}")

    @staticmethod
    def _refuse_transforms(members: Members) -> None:
        if members.get("Transforms"):
            raise ApiError("InvalidConfigurationRequest", "The local cloud does not provide transforms of requests")

    @staticmethod
    def _rule_arn(listener: Listener) -> str:
        return listener.arn.replace(":listener/", ":listener-rule/") + f"/{new_id()}"


def _shown(listener: Listener) -> Members:
    secure = listener.protocol == "HTTPS"
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "Certificates": [{"CertificateArn": listener.certificates[0]}] if secure else None,
        "SslPolicy": listener.policy,
        "DefaultActions": shown(listener.default.actions),
        "MutualAuthentication": {"Mode": "off"} if secure else None,
    }


def _rule(rule: Rule) -> Members:
    return {
        "RuleArn": rule.arn,
        "Priority": "default" if rule.priority is None else str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": shown(rule.actions),
        "IsDefault": rule.priority is None,
    }
