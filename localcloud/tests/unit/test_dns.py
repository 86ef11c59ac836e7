# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's name server: answers as bytes, and real sockets with a second server behind it for names that are not the cloud's."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import dnslib
import pytest

from localcloud.dataplane import dns_answers
from localcloud.dataplane.dns import DnsServer, machine_servers
from localcloud.errors import LocalCloudError
from localcloud.names import Names


@pytest.fixture
def names():
    register = Names()
    register.set("Cache.localcloud.test.", ["10.0.1.4"], ["127.77.0.4"])
    register.set("two.localcloud.test", ["10.0.1.4", "10.0.2.4"])
    register.set("many.localcloud.test", [f"10.0.3.{number}" for number in range(1, 60)])
    return register


def query(label, kind="A", **header):
    record = dnslib.DNSRecord.question(label, kind)
    for name, value in header.items():
        setattr(record.header, name, value)
    return record


def asked(label, names, kind="A", *, udp=True):
    return dnslib.DNSRecord.parse(dns_answers.answer(query(label, kind).pack(), names, udp=udp))


def addresses(record):
    return [str(item.rdata) for item in record.rr]


def test_a_name_stands_for_its_private_addresses(names):
    reply = asked("cache.LOCALCLOUD.test", names)
    assert addresses(reply) == ["10.0.1.4"]
    assert reply.rr[0].ttl == 5
    assert (reply.header.qr, reply.header.ra, reply.header.rcode) == (1, 1, dnslib.RCODE.NOERROR)
    assert str(reply.rr[0].rname) == "cache.LOCALCLOUD.test.", "the question's own spelling comes back"
    assert addresses(asked("two.localcloud.test", names)) == ["10.0.1.4", "10.0.2.4"]


def test_there_are_no_ipv6_addresses_and_that_is_no_error(names):
    reply = asked("cache.localcloud.test", names, "AAAA")
    assert (addresses(reply), reply.header.rcode) == ([], dnslib.RCODE.NOERROR)


@pytest.mark.parametrize("label", ["absent.localcloud.test", "test", "absent.localhost"])
def test_reserved_names_do_not_exist_and_are_not_forwarded(names, label):
    assert asked(label, names).header.rcode == dnslib.RCODE.NXDOMAIN


@pytest.mark.parametrize("label", ["example.com", "latest", "test.example.com"])
def test_other_names_are_for_another_server(names, label):
    assert dns_answers.answer(query(label).pack(), names, udp=True) is None


def test_a_moved_name_moves_at_once(names):
    names.set("cache.localcloud.test", ["10.0.2.9"])
    assert addresses(asked("cache.localcloud.test", names)) == ["10.0.2.9"]
    names.remove("cache.localcloud.test")
    assert asked("cache.localcloud.test", names).header.rcode == dnslib.RCODE.NXDOMAIN


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(names):
    assert asked("many.localcloud.test", names).header.tc == 1
    assert len(asked("many.localcloud.test", names, udp=False).rr) == 59
    question = query("many.localcloud.test")
    question.add_ar(dnslib.EDNS0(udp_len=4096))
    assert len(dnslib.DNSRecord.parse(dns_answers.answer(question.pack(), names, udp=True)).rr) == 59


@pytest.mark.parametrize("message", [b"\x12\x34", b"\x12\x34\x01\x00\x00\x01", query("a.test", qr=1).pack(), b"\x12\x34" + b"\xff" * 40])
def test_what_is_no_query_gets_a_format_error(names, message):
    reply = dnslib.DNSRecord.parse(dns_answers.answer(message, names, udp=True))
    assert reply.header.rcode == dnslib.RCODE.FORMERR
    assert reply.header.id == int.from_bytes(message[:2], "big")


def test_less_than_an_id_cannot_be_answered(names):
    with pytest.raises(ValueError, match="too short"):
        dns_answers.answer(b"\x01", names, udp=True)


def test_servers_of_the_machine(tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text("# nameserver 192.0.2.1\nsearch example.com\nnameserver 192.0.2.2\n\nnameserver 192.0.2.3\n")
    assert machine_servers(conf) == [("192.0.2.2", 53), ("192.0.2.3", 53)]
    assert machine_servers(tmp_path / "absent") == []


# -- with sockets


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.asynccontextmanager
async def serving(names, upstreams):
    server, port = DnsServer(names, upstreams), free_port()
    await server.start(port)
    try:
        yield port
    finally:
        await server.stop()


async def ask(port, label, *, tcp):
    return await asyncio.to_thread(lambda: dnslib.DNSRecord.parse(query(label).send("127.0.0.1", port, tcp=tcp, timeout=8)))


@pytest.mark.parametrize("tcp", [False, True])
def test_own_names_and_forwarded_ones_over_both_transports(names, tcp):
    other = Names()
    other.set("www.example.com", ["192.0.2.7"])

    async def run():
        async with serving(other, []) as upstream, serving(names, [("127.0.0.1", upstream)]) as port:
            own, forwarded = await ask(port, "two.localcloud.test", tcp=tcp), await ask(port, "www.example.com", tcp=tcp)
            return addresses(own), addresses(forwarded), (await ask(port, "absent.example.com", tcp=tcp)).header.rcode

    own, forwarded, code = asyncio.run(run())
    assert (own, forwarded) == (["10.0.1.4", "10.0.2.4"], ["192.0.2.7"])
    assert code == dnslib.RCODE.SERVFAIL, "the second server has nobody to ask"


def test_a_dead_server_is_passed_over(names):
    other = Names()
    other.set("www.example.com", ["192.0.2.7"])

    async def run():
        async with serving(other, []) as upstream, serving(names, [("127.0.0.1", free_port()), ("127.0.0.1", upstream)]) as port:
            return addresses(await ask(port, "www.example.com", tcp=False))

    assert asyncio.run(run()) == ["192.0.2.7"]


def test_a_taken_port_is_said(names):
    async def run():
        async with serving(names, []) as port:
            with pytest.raises(
                LocalCloudError, match=rf"Failed to listen on 127.0.0.1:{port} for the cloud's DNS: .*`down` and `up` take another."
            ):
                await DnsServer(names).start(port)
            return addresses(await ask(port, "cache.localcloud.test", tcp=False))

    assert asyncio.run(run()) == ["10.0.1.4"]
