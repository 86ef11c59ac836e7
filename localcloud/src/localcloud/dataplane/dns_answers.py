# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers a DNS message (RFC 1035) from the register of names, or says that another server has to; pure."""

from __future__ import annotations

import dnslib

from ..names import Names

TTL_SECONDS = 5
"""How long an answer may be kept: a name that moves (a failover) is followed within this time, as with ElastiCache and ELB."""

RESERVED = (".test", ".localhost", ".invalid")
"""Top-level domains that the public DNS never has (RFC 6761); a name in one of them is never asked for elsewhere."""


def answer(message: bytes, names: Names, *, udp: bool) -> bytes | None:
    """The answer to a query; None when the name is not one of the register and has to be asked for elsewhere.

    An answer over UDP that is larger than the client takes is cut and marked, so that the client asks again over TCP.
    A message that cannot be read gets FORMERR when it has an id, and raises ValueError when it has not even that.
    """
    try:
        query = dnslib.DNSRecord.parse(message)
    except (dnslib.DNSError, ValueError, IndexError) as error:
        if len(message) < 2:
            raise ValueError("the message is too short for an id") from error
        return _failure(message, dnslib.RCODE.FORMERR)
    if query.header.qr or len(query.questions) != 1:
        return _failure(message, dnslib.RCODE.FORMERR)
    label = str(query.q.qname)
    name = names.get(label)
    if name is None:
        return _reply(query, dnslib.RCODE.NXDOMAIN).pack() if _is_reserved(label) else None
    reply = _reply(query, dnslib.RCODE.NOERROR)
    if query.q.qtype in (dnslib.QTYPE.A, dnslib.QTYPE.ANY):
        for address in name.private:
            reply.add_answer(dnslib.RR(query.q.qname, dnslib.QTYPE.A, ttl=TTL_SECONDS, rdata=dnslib.A(address)))
    packed = reply.pack()
    if udp and len(packed) > _largest(query):
        return reply.truncate().pack()
    return packed


def server_failure(message: bytes) -> bytes:
    """The answer when the server that had to be asked did not answer."""
    return _failure(message, dnslib.RCODE.SERVFAIL)


def _reply(query: dnslib.DNSRecord, code: int) -> dnslib.DNSRecord:
    reply = query.reply(ra=1, aa=1)
    reply.header.rcode = code
    return reply


def _failure(message: bytes, code: int) -> bytes:
    header = dnslib.DNSHeader(id=int.from_bytes(message[:2], "big"), qr=1, ra=1, rcode=code)
    return dnslib.DNSRecord(header).pack()


def _largest(query: dnslib.DNSRecord) -> int:
    """Octets of a UDP answer that the client takes: 512, or what its EDNS record says (RFC 6891)."""
    return max([512, *(record.rclass for record in query.ar if record.rtype == dnslib.QTYPE.OPT)])


def _is_reserved(label: str) -> bool:
    return f".{label.lower().rstrip('.')}".endswith(RESERVED)
