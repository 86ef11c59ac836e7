# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration for a plan: the text and the files that it refers to; pure. Weights and targets change without it."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from .conditions import Patterns
from .model import Fixed, Front, Group, Login, Plan, Redirect, Rule, Server

HOME = "/run/alb"
"""The directory of the files inside the container."""

RULES_MAP = f"{HOME}/rules.map"
SLOTS_MAP = f"{HOME}/slots.map"
STATE_FILE = f"{HOME}/servers.state"
OPEN = "open_"
"""Prefix of a server's twin, which takes requests when no target of its group is healthy."""

LOG_FIELDS = (
    "%(front)f", "%(group)b", "%(target)s", "%(status)ST", "%(term)ts", "%(received)U", "%(sent)B", "%(ip)ci", "%(port)cp",
    "%(method)HM", "%(uri)HU", "%(version)HV", "%(cipher)sslc", "%(tls)sslv", "%(rule)[var(txn.rule)]", "%(host)[var(txn.host)]",
    "%(agent)[var(txn.agent)]", "%(arrived)[var(txn.arrived)]", "%(forwarded)[var(txn.forwarded)]", "%(answered)[var(txn.answered)]",
    "%(ended)[date(0,us)]", "%(target_status)[var(txn.target_status)]", "%(trace)[var(txn.trace)]", "%(redirect)[var(txn.redirect)]",
    "%(sni)[ssl_fc_sni]",
)  # fmt: skip

_ERRORS = {
    400: "Bad Request", 408: "Request Timeout", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}  # fmt: skip


@dataclasses.dataclass
class Configuration:
    """The text of haproxy.cfg and the other files by name."""

    text: str
    files: dict[str, str]


def render(plan: Plan, servers: list[Server], *, log_to: str, generation: int) -> Configuration:
    """The configuration. `log_to` is `address:port` of a UDP socket; `generation` numbers the socket of the runtime API."""
    patterns = Patterns()
    files: dict[str, str] = {}
    lines = _head(plan, log_to, generation)
    for status, words in _ERRORS.items():
        files[f"error-{status}.html"] = _page(status, words)
    for front in plan.fronts:
        lines += _front(plan, front, patterns, files)
    for group in plan.groups:
        lines += _backend(group, [server for server in servers if server.group == group.key])
    return Configuration("\n".join(lines) + "\n", {**files, **patterns.files})


def _head(plan: Plan, log_to: str, generation: int) -> list[str]:
    # connecting to a target failed: HAProxy calls it 503, a load balancer of AWS 502 or 504
    connection_failed = "/".join((HOME, "error-502.html"))
    return [
        "global",
        f"  log {log_to} len 32768 format raw local0 info",
        f"  stats socket {HOME}/admin-{generation}.sock mode 600 level admin",
        "  stats timeout 1h",
        f"  server-state-file {STATE_FILE}",
        "  nbthread 1",  # commands and requests take turns: no request sees a change of weights half done
        "  maxconn 8000",  # each takes two descriptors, of which a container may have 20000
        "  tune.http.logurilen 8192",
        "  tune.bufsize 32768",
        "defaults",
        "  mode http",
        "  log global",
        f'  log-format "%{{+json}}o {" ".join((f"%(lb)[str({plan.key})]", *LOG_FIELDS))}"',
        "  option dontlognull",
        "  option idle-close-on-response",
        "  load-server-state-from-file global",
        "  retries 0",
        "  timeout connect 10s",
        f"  timeout client {plan.idle_seconds}s",
        f"  timeout server {plan.idle_seconds}s",
        f"  timeout tunnel {plan.idle_seconds}s",
        f"  timeout http-request {plan.idle_seconds}s",
        f"  timeout http-keep-alive {min(plan.idle_seconds, plan.keep_alive_seconds)}s",
        *(
            f"  http-error status {status} content-type text/html file {HOME}/error-{status}.html hdr Server awselb/2.0"
            for status in _ERRORS
            if status != 503
        ),
        f"  http-error status 503 content-type text/html file {connection_failed} hdr Server awselb/2.0",
    ]


def _front(plan: Plan, front: Front, patterns: Patterns, files: dict[str, str]) -> list[str]:
    scheme = "https" if front.tls else "http"
    lines = [f"frontend {front.key}", f"  bind :{front.port}{_tls(plan, front, files)}"]
    lines += [
        "  http-request set-var(txn.arrived) date(0,us)",
        "  http-request set-var(txn.host) req.hdr(host)",
        "  http-request set-var(txn.agent) req.fhdr(user-agent)",
        *_headers(plan, front, scheme),
    ]
    for rule in front.rules:
        tests = "".join(f" {{ {patterns.test(condition)} }}" for condition in rule.conditions)
        lines.append(f"  http-request set-var(txn.rule) str({rule.key}) if !{{ var(txn.rule) -m found }}{tests}")
    for rule in front.rules:
        if rule.login:
            lines += _login(rule, rule.login)
        match rule.action:
            case Redirect():
                lines += _redirect(rule, rule.action, scheme, front.port)
            case Fixed():
                lines += _fixed(rule, rule.action, files)
    unavailable = f"http-request return status 503 content-type text/html file {HOME}/error-503.html hdr Server awselb/2.0"
    lines += [
        f"  http-request set-var(txn.split) var(txn.rule),map_str({RULES_MAP})",
        "  http-request set-var(txn.generation) var(txn.split),field(1,:)",
        "  http-request set-var(txn.total) var(txn.split),field(2,:),add(0)",
        "  http-request set-var(txn.sticky) var(txn.split),field(3,:),add(0)",
        f"  {unavailable} if !{{ var(txn.total) -m int gt 0 }}",
        "  http-request set-var(txn.pick) rand,mod(txn.total)",
        '  http-request set-var-fmt(txn.slot) "%[var(txn.rule)]/%[var(txn.generation)]/%[var(txn.pick)]"',
        f"  http-request set-var(txn.group) var(txn.slot),map_str({SLOTS_MAP})",
        # a client that has been with a group of this rule stays with it
        "  http-request set-var(txn.now) date",
        "  http-request set-var(txn.kept) req.cook(AWSALBTG),b64dec if { var(txn.sticky) -m int gt 0 }",
        "  http-request set-var(txn.left) var(txn.kept),field(2,~),sub(txn.now) if { var(txn.kept) -m found }",
        '  http-request set-var-fmt(txn.slot) "%[var(txn.rule)]/%[var(txn.generation)]/%[var(txn.kept),field(1,~)]"'
        " if { var(txn.left) -m int gt 0 }",
        f"  http-request set-var(txn.group) var(txn.slot),map_str({SLOTS_MAP}) if {{ var(txn.slot),map_str({SLOTS_MAP}) -m found }}",
        f"  {unavailable} if {{ var(txn.group),nbsrv eq 0 }}",
        "  use_backend %[var(txn.group)]",
        "  http-response set-var(txn.until) date,add(txn.sticky) if { var(txn.sticky) -m int gt 0 }",
        '  http-response set-var-fmt(txn.cookie) "%[var(txn.group)]~%[var(txn.until)]" if { var(txn.until) -m found }',
        *_cookie("AWSALBTG", "txn.cookie", "txn.until"),
        # what HAProxy itself answers when a target cannot be connected to, or does not accept in time
        "  http-after-response set-status 502 if { txn.sess_term_state -m beg SC } { status 503 }",
        "  http-after-response set-status 504 if { txn.sess_term_state -m beg sC } { status 503 }",
    ]
    return lines


def _tls(plan: Plan, front: Front, files: dict[str, str]) -> str:
    if front.tls is None:
        return ""
    files[f"{front.key}.crt-list"] = "".join(f"{HOME}/{name}\n" for name in front.tls.certificates)
    old = ":@SECLEVEL=0" if front.tls.oldest in ("TLSv1.0", "TLSv1.1") else ""
    before13 = ":".join(cipher for cipher in front.tls.ciphers if not cipher.startswith("TLS_"))
    ciphers = f" ciphers {before13}{old}" if before13 else ""
    protocols = "h2,http/1.1" if plan.http2 else "http/1.1"
    return (
        f" ssl crt-list {HOME}/{front.key}.crt-list ssl-min-ver {front.tls.oldest} ssl-max-ver {front.tls.newest}{ciphers} alpn {protocols}"
    )


def _headers(plan: Plan, front: Front, scheme: str) -> list[str]:
    """What the targets are told of the client and of the request."""
    client = "%[src]:%[src_port]" if plan.client_port else "%[src]"
    lines = [
        '  http-request set-var-fmt(txn.root) "1-%{+X}Ts-%[uuid,regsub(-,,g),bytes(0,24)]"',
        "  http-request set-var(txn.root) var(txn.root),lower",
        "  http-request set-var(txn.trace) req.hdr(x-amzn-trace-id)",
        '  http-request set-var-fmt(txn.trace) "Self=%[var(txn.root)];%[var(txn.trace)]" if { var(txn.trace) -m found }',
        '  http-request set-var-fmt(txn.trace) "Root=%[var(txn.root)]" if !{ var(txn.trace) -m found }',
        '  http-request set-header X-Amzn-Trace-Id "%[var(txn.trace)]"',
        f"  http-request set-header X-Forwarded-Proto {scheme}",
        f"  http-request set-header X-Forwarded-Port {front.port}",
    ]
    if plan.forwarded_for == "remove":
        lines.append("  http-request del-header X-Forwarded-For")
    elif plan.forwarded_for == "append":
        lines += [
            "  http-request set-var(txn.forwarded_for) req.fhdr(x-forwarded-for)",
            f'  http-request set-header X-Forwarded-For "%[var(txn.forwarded_for)], {client}" if {{ var(txn.forwarded_for) -m found }}',
            f'  http-request set-header X-Forwarded-For "{client}" if !{{ var(txn.forwarded_for) -m found }}',
        ]
    return lines


def _redirect(rule: Rule, action: Redirect, scheme: str, port: int) -> list[str]:
    values = {"protocol": scheme, "host": "%[var(txn.host),host_only]", "port": str(port), "path": "%[path,bytes(1)]", "query": "%[query]"}

    def filled(text: str) -> str:
        parts = re.split(r"#\{(protocol|host|port|path|query)\}", text)
        return "".join(values[part] if number % 2 else _literal(part) for number, part in enumerate(parts))

    protocol = filled(action.protocol).lower() if action.protocol != "#{protocol}" else scheme
    place = f"{protocol}://{filled(action.host)}:{filled(action.port)}{filled(action.path)}"
    chosen = f"{{ var(txn.rule) -m str {rule.key} }}"
    query = f"?{filled(action.query)}" if action.query else ""
    asked = " { query -m len gt 0 }" if action.query == "#{query}" else ""
    words = "Moved Permanently" if action.status == 301 else "Found"
    return [
        f"  http-request set-var-fmt(txn.redirect) '{place}' if {chosen}",
        f"  http-request set-var-fmt(txn.redirect) '{place}{query}' if {chosen}{asked}",
        f'  http-request return status {action.status} content-type text/html hdr Location "%[var(txn.redirect)]" hdr Server awselb/2.0'
        f" string '{_page(action.status, words, one_line=True)}' if {chosen}",
    ]


def _login(rule: Rule, login: Login) -> list[str]:
    chosen = f"{{ var(txn.rule) -m str {rule.key} }}"
    if login.otherwise == "allow":
        return []
    if login.otherwise == "deny":
        return [f"  http-request return status 401 hdr Server awselb/2.0 if {chosen}"]
    asked = urllib.parse.urlencode({"client_id": login.client, "response_type": "code", "scope": login.scope})
    place = f"{_literal(login.endpoint)}?{_literal(asked)}&redirect_uri=https%%3A%%2F%%2F%[var(txn.host)]%%2Foauth2%%2Fidpresponse"
    return [
        f"  http-request set-var-fmt(txn.redirect) '{place}' if {chosen}",
        f'  http-request return status 302 content-type text/html hdr Location "%[var(txn.redirect)]" hdr Server awselb/2.0'
        f" string '{_page(302, 'Found', one_line=True)}' if {chosen}",
    ]


def _literal(text: str) -> str:
    """Text that stands for itself in a format inside single quotes."""
    return text.replace("%", "%%").replace("'", "%%27").replace(" ", "%%20")


def _fixed(rule: Rule, action: Fixed, files: dict[str, str]) -> list[str]:
    body = ""
    if action.body:
        files[f"body-{rule.key}"] = action.body
        body = f" content-type {action.content_type} file {HOME}/body-{rule.key}"
    return [f"  http-request return status {action.status}{body} hdr Server awselb/2.0 if {{ var(txn.rule) -m str {rule.key} }}"]


def _backend(group: Group, servers: list[Server]) -> list[str]:
    check = group.check
    path = check.path.replace("'", "%27")
    lines = [
        f"backend {group.key}",
        f"  balance {group.algorithm}",
        "  option allbackups",
        "  option httpchk",
        f"  http-check send meth GET uri '{path}' ver HTTP/1.1 hdr Host %[srv_name] hdr User-Agent ELB-HealthChecker/2.0",
        f"  http-check expect status {check.codes}",
        f"  timeout check {check.timeout}s",
        "  http-request set-var(txn.forwarded) date(0,us)",
        "  http-response set-var(txn.answered) date(0,us)",
        "  http-response set-var(txn.target_status) status",
    ]
    if group.sticky is not None:
        cookie = "AWSALBAPP-0" if group.sticky.cookie else "AWSALB"
        given = f" {{ res.cook({group.sticky.cookie}) -m found }}" if group.sticky.cookie else ""
        lines += [
            f"  http-request set-var(txn.stuck) req.cook({cookie}),b64dec",
            "  http-request set-var(txn.stuck_left) var(txn.stuck),field(3,~),sub(txn.now) if { var(txn.stuck) -m found }",
            "  use-server %[var(txn.stuck),field(2,~)] if { var(txn.stuck_left) -m int gt 0 }"
            f" {{ var(txn.stuck),field(1,~) -m str {group.key} }}",
            f"  http-response set-var(txn.stuck_until) date,add({group.sticky.seconds}) if {{ always_true }}{given}",
            f'  http-response set-var-fmt(txn.stuck_cookie) "{group.key}~%[srv_name,regsub(^{OPEN},)]~%[var(txn.stuck_until)]"'
            " if { var(txn.stuck_until) -m found }",
            *_cookie(cookie, "txn.stuck_cookie", "txn.stuck_until"),
        ]
    for server in servers:
        lines.append(f"  server {server.name} {words(group, server)} weight 1")
        lines.append(f"  server {OPEN}{server.name} {twin_words(group, server)}")
    return lines


def _cookie(name: str, value: str, until: str) -> list[str]:
    """Rules that set a load balancer's cookie, and its twin for requests from other sites."""
    text = f'"%[var({value}),base64]; Expires=%[var({until}),http_date]; Path=/'
    condition = f"if {{ var({value}) -m found }}"
    return [
        f'  http-response add-header Set-Cookie {text.replace(chr(34), chr(34) + name + "=", 1)}" {condition}',
        f'  http-response add-header Set-Cookie {text.replace(chr(34), chr(34) + name + "CORS=", 1)}; SameSite=None; Secure" {condition}',
    ]


def words(group: Group, server: Server, *, interval: str = "") -> str:
    """Address and settings of a server, for the configuration and for `add server` alike; `interval` in place of the group's."""
    check = group.check
    text = f"{_place(group, server)} check inter {interval or f'{check.interval}s'} rise {check.rise} fall {check.fall}"
    text += f" port {check.port}" if check.port is not None else ""
    text += " check-ssl verify none" if check.secure else ""
    return text + (f" slowstart {group.slow_start}s" if group.slow_start else "")


def twin_words(group: Group, server: Server) -> str:
    """The same for its twin."""
    return f"{_place(group, server)} backup"


def _place(group: Group, server: Server) -> str:
    secure = " ssl verify none" if group.secure else ""
    return f"{server.address}:{server.port}{secure}{' proto h2' if group.http2 else ''}"


def _page(status: int, words: str, *, one_line: bool = False) -> str:
    end = "" if one_line else "\r\n"
    return (
        f"<html>{end}<head><title>{status} {words}</title></head>{end}<body>{end}<center><h1>{status} {words}</h1></center>{end}"
        f"</body>{end}</html>{end}"
    )
