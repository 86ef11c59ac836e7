# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a real load balancer: which request goes where, what is answered without a target, what targets are told, TLS, stickiness."""

from __future__ import annotations

import http.cookies
import re
import socket
import ssl
import typing as t

import pytest
from alb_world import PORTS, Balancer, Targets, WebSocket, forward, running_targets
from conftest import wait_for
from cryptography import x509
from tls import self_signed

A, B = PORTS[:2]


@pytest.fixture(scope="module")
def balancer(boto, vpc) -> t.Iterator[Balancer]:
    made = Balancer(boto("elbv2"), vpc, "rules", Scheme="internal").activate(boto("ec2"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def targets(engine, cloud_name, vpc, balancer) -> t.Iterator[Targets]:
    with running_targets(engine, cloud_name, vpc) as made:
        yield made


@pytest.fixture(scope="module")
def groups(balancer, targets) -> list[str]:
    """One target each."""
    return [balancer.group(f"g{port}", (targets.address, port)) for port in (A, B)]


@pytest.fixture(scope="module")
def listener(balancer, groups) -> str:
    """Whatever no rule takes goes to A."""
    made = balancer.listener(80, forward((groups[0], 1)))
    rules: list[tuple[list[t.Any], t.Any]] = [
        ([_field("path-pattern", "/api/*", "/v?")], forward((groups[1], 1))),
        ([_field("host-header", "*.green.example.com")], forward((groups[1], 1))),
        ([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["ye*"]}}], forward((groups[1], 1))),
        ([_field("http-request-method", "DELETE"), _field("path-pattern", "/items/*")], forward((groups[1], 1))),
        ([_query(("version", "2.*"))], forward((groups[1], 1))),
        ([_query(("", "beta"))], forward((groups[1], 1))),
        ([_field("path-pattern", "/old/*")], _redirect(Path="/new/#{path}", StatusCode="HTTP_302")),
        ([_field("path-pattern", "/plain")], _redirect(Protocol="HTTPS", Port="443", Query="", StatusCode="HTTP_301")),
        ([_field("path-pattern", "/gone")], _fixed("410", "application/json", '{"gone": "it\'s \\"over\\"; 100 %"}')),
        ([_field("path-pattern", "/empty")], {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}),
        ([_field("source-ip", "192.0.2.0/24")], _fixed("403", "text/plain", "no")),
    ]
    for priority, (conditions, action) in enumerate(rules, 1):
        balancer.rule(made, priority, conditions, action)
    balancer.wait_healthy(*groups)
    return made


def _field(field: str, *values: str) -> dict[str, t.Any]:
    names = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig", "source-ip": "SourceIpConfig"}
    return {"Field": field, names.get(field, "HttpRequestMethodConfig"): {"Values": list(values)}}


def _query(*pairs: tuple[str, str]) -> dict[str, t.Any]:
    values = [{"Key": key, "Value": value} if key else {"Value": value} for key, value in pairs]
    return {"Field": "query-string", "QueryStringConfig": {"Values": values}}


def _redirect(**config: str) -> dict[str, t.Any]:
    return {"Type": "redirect", "RedirectConfig": config}


def _fixed(status: str, content_type: str, body: str) -> dict[str, t.Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status, "ContentType": content_type, "MessageBody": body}}


ROUTES: list[tuple[str, str, dict[str, str], int]] = [
    ("GET", "/", {}, A),
    ("GET", "/api/users", {}, B),
    ("GET", "/API/users", {}, A),
    ("GET", "/api", {}, A),
    ("GET", "/v2", {}, B),
    ("GET", "/v22", {}, A),
    ("GET", "/", {"Host": "www.GREEN.example.com"}, B),
    ("GET", "/", {"Host": "www.green.example.com:8080"}, B),
    ("GET", "/", {"Host": "green.example.com"}, A),
    ("GET", "/", {"X-Canary": "YES"}, B),
    ("GET", "/", {"X-Canary": "no, yes"}, A),
    ("GET", "/items/1", {}, A),
    ("DELETE", "/items/1", {}, B),
    ("DELETE", "/other", {}, A),
    ("GET", "/?version=2.1", {}, B),
    ("GET", "/?a=1&VERSION=2.1&b=2", {}, B),
    ("GET", "/?version=12.1", {}, A),
    ("GET", "/?x=beta", {}, B),
    ("GET", "/?beta", {}, B),
    ("GET", "/?x=betamax", {}, A),
]


@pytest.mark.parametrize(("method", "path", "headers", "port"), ROUTES, ids=str)
def test_routes(balancer, listener, method, path, headers, port):
    reply = balancer.get(path, method=method, headers=headers)
    assert (reply.status, reply.json["port"]) == (200, port)


def test_redirects_fill_in_what_was_asked(balancer, listener):
    moved = balancer.get("/old/a%20b?x=1&y=2", headers={"Host": "www.example.com:80"})
    assert (moved.status, moved.headers["Location"]) == (302, "http://www.example.com:80/new/old/a%20b?x=1&y=2")
    assert balancer.get("/old/a", headers={"Host": "www.example.com"}).headers["Location"] == "http://www.example.com:80/new/old/a"
    plain = balancer.get("/plain?x=1", headers={"Host": "www.example.com"})
    assert (plain.status, plain.headers["Location"]) == (301, "https://www.example.com:443/plain")


def test_fixed_responses_are_as_they_were_given(balancer, listener):
    gone = balancer.get("/gone")
    assert (gone.status, gone.headers["Content-Type"], gone.headers["Server"]) == (410, "application/json", "awselb/2.0")
    assert gone.json == {"gone": 'it\'s "over"; 100 %'}
    empty = balancer.get("/empty")
    assert (empty.status, empty.body) == (204, b"")


def test_priorities_decide_and_can_be_changed(balancer, listener, groups):
    first = balancer.rule(listener, 40, [_field("path-pattern", "/both")], _fixed("200", "text/plain", "first"))
    second = balancer.rule(listener, 50, [_field("path-pattern", "/both")], _fixed("200", "text/plain", "second"))
    assert balancer.get("/both").body == b"first"
    balancer.elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 60}])
    assert balancer.get("/both").body == b"second"
    balancer.elb.delete_rule(RuleArn=second)
    assert balancer.get("/both").body == b"first"
    balancer.elb.modify_rule(RuleArn=first, Actions=[forward((groups[1], 1))])
    assert balancer.get("/both").json["port"] == B
    balancer.elb.delete_rule(RuleArn=first)


def test_targets_are_told_of_client_and_request(balancer, listener):
    told = balancer.get("/").json["headers"]
    assert told["x-forwarded-proto"] == "http"
    assert told["x-forwarded-port"] == "80"
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", told["x-forwarded-for"])
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", told["x-amzn-trace-id"])
    assert told["host"] == balancer.dns_name
    given = {"X-Forwarded-For": "203.0.113.7", "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}
    told = balancer.get("/", headers=given).json["headers"]
    assert told["x-forwarded-for"].startswith("203.0.113.7, ")
    assert re.fullmatch(r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678", told["x-amzn-trace-id"])


def test_what_a_target_cannot_answer_is_a_502_and_what_it_is_too_slow_for_a_504(balancer, listener, groups, targets):
    assert balancer.get("/cut").status == 502
    closed = balancer.group("closed", (targets.address, 1))
    rule = balancer.rule(listener, 90, [_field("path-pattern", "/closed")], forward((closed, 1)))
    reply = balancer.get("/closed")
    assert (reply.status, b"503" in reply.body) == (503, True)  # registered, and not healthy yet: no target can be chosen
    attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]
    balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=attributes)
    assert balancer.get("/slow?ms=2500").status == 504
    attributes[0]["Value"] = "60"
    balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=attributes)
    balancer.elb.delete_rule(RuleArn=rule)


def _cookies(headers: t.Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in headers.get_all("Set-Cookie", []):
        found |= {name: morsel.value for name, morsel in http.cookies.SimpleCookie(value).items()}
    return found


def test_group_stickiness_keeps_a_client_with_its_group(balancer, listener, groups):
    rule = balancer.rule(listener, 70, [_field("path-pattern", "/sticky")], forward((groups[0], 1), (groups[1], 1), sticky=60))
    first = balancer.get("/sticky")
    cookies = _cookies(first.headers)
    assert set(cookies) == {"AWSALBTG", "AWSALBTGCORS"}
    with_cookie = {"Cookie": f"a=b; AWSALBTG={cookies['AWSALBTG']}"}
    assert {balancer.get("/sticky", headers=with_cookie).json["port"] for _ in range(20)} == {first.json["port"]}
    assert {balancer.get("/sticky").json["port"] for _ in range(40)} == {A, B}
    # without stickiness the cookie means nothing; with a group that is not in the rule any more, neither
    balancer.elb.modify_rule(RuleArn=rule, Actions=[forward((groups[0], 1), (groups[1], 1))])
    assert {balancer.get("/sticky", headers=with_cookie).json["port"] for _ in range(40)} == {A, B}
    other = groups[1] if first.json["port"] == A else groups[0]
    balancer.elb.modify_rule(RuleArn=rule, Actions=[forward((other, 1), sticky=60)])
    assert balancer.get("/sticky", headers=with_cookie).json["port"] != first.json["port"]
    balancer.elb.delete_rule(RuleArn=rule)


def test_target_stickiness_keeps_a_client_with_its_target(balancer, listener, targets):
    sticky = {"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "60"}
    group = balancer.group("sticky", *((targets.address, port) for port in PORTS), attributes=sticky)
    rule = balancer.rule(listener, 71, [_field("path-pattern", "/stay")], forward((group, 1)))
    balancer.wait_healthy(group)
    first = balancer.get("/stay")
    cookies = _cookies(first.headers)
    assert set(cookies) == {"AWSALB", "AWSALBCORS"}
    with_cookie = {"Cookie": f"AWSALB={cookies['AWSALB']}"}
    assert {balancer.get("/stay", headers=with_cookie).json["port"] for _ in range(12)} == {first.json["port"]}
    assert len({balancer.get("/stay").json["port"] for _ in range(12)}) == len(PORTS)
    balancer.deregister(group, (targets.address, first.json["port"]))
    assert balancer.get("/stay", headers=with_cookie).json["port"] != first.json["port"]
    balancer.elb.delete_rule(RuleArn=rule)


def test_subnets_are_added_and_taken_away_while_it_works(balancer, listener, boto):
    ec2, elb, vpc = boto("ec2"), balancer.elb, balancer.vpc
    third = ec2.create_subnet(VpcId=vpc.id, CidrBlock=vpc.address(77, 0) + "/24", AvailabilityZone="ap-northeast-2d")["Subnet"]["SubnetId"]
    held = WebSocket(balancer.addresses[0])
    elb.set_subnets(LoadBalancerArn=balancer.arn, Subnets=[vpc.public_subnet, vpc.private_subnet, third])
    nics = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [third]}])["NetworkInterfaces"]
    address = nics[0]["PrivateIpAddress"]
    assert nics[0]["RequesterManaged"] is True
    assert balancer.get(address=address).status == 200
    elb.set_subnets(LoadBalancerArn=balancer.arn, Subnets=[vpc.public_subnet, vpc.private_subnet])
    with pytest.raises(OSError):
        balancer.get(address=address)
    assert not ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [third]}])["NetworkInterfaces"]
    assert held.is_open()
    ec2.delete_subnet(SubnetId=third)


def test_a_proxy_that_was_killed_comes_back(balancer, listener, groups, engine, cloud_name):
    name = f"localcloud-{cloud_name}-alb-{balancer.arn.rpartition('/')[2]}"
    engine.containers.get(name).kill()
    wait_for(lambda: _status(balancer) == 200, 20)
    assert balancer.describe()["State"]["Code"] == "active"
    balancer.wait_healthy(*groups)


def _status(balancer: Balancer) -> int:
    try:
        return balancer.get().status
    except OSError:
        return 0


def _served(balancer: Balancer, server_name: str, *, alpn: str = "http/1.1") -> tuple[x509.Certificate, str, str | None, str | None]:
    """Certificate, status line, TLS version and protocol of a request over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    with (
        socket.create_connection((balancer.addresses[0], 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=server_name) as secure,
    ):
        certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
        line = ""
        if alpn != "h2":
            secure.sendall(f"GET /tls HTTP/1.1\r\nHost: {server_name}\r\nConnection: close\r\n\r\n".encode())
            line = b"".join(iter(lambda: secure.recv(4096), b"")).decode()
        return certificate, line, secure.version(), secure.selected_alpn_protocol()


def _names(certificate: x509.Certificate) -> list[str]:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_tls_with_certificates_of_acm(balancer, listener, groups, boto, cloud_env):
    acm = boto("acm")
    body, key = self_signed("shop.example.com")
    imported = acm.import_certificate(Certificate=body, PrivateKey=key)["CertificateArn"]
    requested = acm.request_certificate(DomainName="*.example.org", SubjectAlternativeNames=["example.org"])["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=requested)["Certificate"]["Status"] == "ISSUED")
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    secure = balancer.listener(
        443, forward((groups[0], 1)), Protocol="HTTPS", Certificates=[{"CertificateArn": imported}], SslPolicy=policy
    )
    certificate, text, version, _ = _served(balancer, "shop.example.com")
    assert certificate == x509.load_pem_x509_certificate(body)
    assert text.startswith("HTTP/1.1 200") and '"x-forwarded-proto": "https"' in text and '"x-forwarded-port": "443"' in text
    assert version == "TLSv1.3"
    balancer.elb.add_listener_certificates(ListenerArn=secure, Certificates=[{"CertificateArn": requested}])
    assert sorted(_names(_served(balancer, "www.example.org")[0])) == ["*.example.org", "example.org"]
    assert _served(balancer, "unknown.test")[0] == certificate
    shown = acm.get_certificate(CertificateArn=requested)
    assert x509.load_pem_x509_certificate(shown["Certificate"].encode()) == _served(balancer, "example.org")[0]
    assert _served(balancer, "shop.example.com", alpn="h2")[3] == "h2"
    trusting = ssl.create_default_context(cafile=cloud_env["LOCALCLOUD_CA_BUNDLE"])
    with socket.create_connection((balancer.addresses[0], 443), timeout=5) as plain:
        trusting.wrap_socket(plain, server_hostname="www.example.org").close()
    balancer.elb.remove_listener_certificates(ListenerArn=secure, Certificates=[{"CertificateArn": requested}])
    assert _served(balancer, "www.example.org")[0] == certificate
    balancer.elb.delete_listener(ListenerArn=secure)


def test_a_websocket_goes_through_a_rule_with_weights(balancer, listener, groups):
    balancer.elb.modify_listener(ListenerArn=listener, DefaultActions=[forward((groups[0], 1), (groups[1], 1))])
    sockets = [WebSocket(balancer.addresses[0]) for _ in range(12)]
    assert {item.port for item in sockets} == {A, B}
    assert all(item.echo("some words") == f"{item.port}:some words" for item in sockets)
    for item in sockets:
        item.close()
    balancer.elb.modify_listener(ListenerArn=listener, DefaultActions=[forward((groups[0], 1))])
