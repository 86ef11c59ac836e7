# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a shell on the instance becomes the multiplexer: the loader's text, and the machine that waits for it; no IO.

The loader is constant but for a nonce and the interpreter's name, because AWS logs the parameters of StartSession. It makes the
terminal raw, says that it is ready with a token that its own echo cannot contain, reads the multiplexer's source and runs it. An
instance without Python gets a serial loop in sh instead, enough for `raw`.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
import zlib

from .errors import ProtocolError

PYTHONS = ("python3", "/usr/libexec/platform-python", "/usr/bin/python3", "python")
NOISE_KEPT = 4096
SHELL_LINE = re.compile(rb"^(O|E) (.*)$|^EXIT (\d+)$")

# Exit codes before the multiplexer runs, 1 and 97, mean "try the next Python"; the multiplexer itself never uses them.
_PYTHON_LOADER = (
    "import sys,os;sys.version_info<(3,6)and sys.exit(97);import tty,zlib;tty.setraw(0);"
    'os.write(1,(sys.argv[1]+sys.argv[2]+" py\\n").encode());r=sys.stdin.buffer.read;'
    'exec(compile(zlib.decompress(r(int(r(8)))),"mux","exec"),dict(__name__="__main__"))'
)

# One request: a line "E <bytes of command> <bytes of stdin>", then both. Its answer: lines "O <armoured>" and "E <armoured>", then
# "EXIT <code>". What the command leaves of its stdin is read away, so that the next line is a request again.
# It reads through cat, because bash reads ahead from a terminal, but not from a pipe.
_SHELL_LOOP = (
    "command -v head >/dev/null&&command -v sed >/dev/null||exit 96;"
    "if command -v base64 >/dev/null;then e=base64;else e='od -An -v -tx1';fi;"
    'z(){ $e|sed "s/^/$1 /";};exec 5>&1;'
    "printf '%s%s sh %s\\n' FIRST SECOND \"${e%% *}\";"
    'cat|while read -r k n m;do [ "$k" = E ]||exit 0;c=$(head -c "$n";echo x);c=${c%x};'
    'r=$({ { { head -c "$m"|{ sh -c "$c" 3>&- 4>&- 5>&-;echo $?>&4;cat>/dev/null;};} 2>&3 3>&-|z O>&5;} 3>&1|z E>&5;} 4>&1);'
    "printf 'EXIT %s\\n' \"$r\";done"
)


def loader(nonce: str, interpreter: str | None = None, shell_only: bool = False) -> str:
    """Return the one line of sh that starts the loader; `nonce` has an even number of letters and digits."""
    half = len(nonce) // 2
    first, second = nonce[:half], nonce[half:]
    pythons = ([interpreter] if interpreter else []) + [name for name in PYTHONS if name != interpreter]
    loop = _SHELL_LOOP.replace("FIRST SECOND", first + " " + second)
    search = ""
    if not shell_only:
        search = "for p in {0};do \"$p\" -c '{1}' {2} {3} 2>/dev/null;case $? in 1|97|126|127) ;;*) exit;;esac;done;".format(
            " ".join(shlex.quote(name) for name in pythons), _PYTHON_LOADER, first, second
        )
    return "cd 2>/dev/null||cd /;set +m;stty raw -echo 2>/dev/null;{0}{1}".format(search, loop)


def typed(line: str) -> bytes:
    """Return a loader line as it is typed into an interactive shell: out of its history, ended with Enter."""
    data = b" " + line.encode("utf-8") + b"\n"
    if len(data) >= 4096:  # a terminal's canonical line
        raise ProtocolError("The loader is too long to be typed.")
    return data


def payload(source: str) -> bytes:
    """Return what the Python loader reads: eight digits of length, then the deflated source of the multiplexer."""
    kept = []
    for line in source.splitlines():
        if line.startswith("from __future__") or line.lstrip().startswith("#"):
            continue  # annotations came with Python 3.7
        indent = len(line) - len(line.lstrip())
        kept.append(" " * (indent // 4) + line.lstrip())
    packed = zlib.compress("\n".join(kept).encode("utf-8"), 9)
    return b"%08d" % len(packed) + packed


class Bringup:
    """Waits for the token in a session's output and ignores everything before it: banners, prompts, echo, profiles."""

    def __init__(self, nonce: str):
        self._token = re.compile(re.escape(nonce.encode("ascii")) + rb" (?:(py)|sh (base64|od))\r?\n")
        self._seen = b""
        self.mode: str | None = None
        self.armour: str | None = None

    def feed(self, data: bytes) -> bytes | None:
        """Take output; once the token has come set `mode` to "py" or "sh" and return what followed it, until then None."""
        self._seen += data
        found = self._token.search(self._seen)
        if found is None:
            self._seen = self._seen[-NOISE_KEPT:]
            return None
        self.mode = "py" if found.group(1) else "sh"
        self.armour = (found.group(2) or b"").decode("ascii") or None
        rest, self._seen = self._seen[found.end() :], b""
        return rest

    @property
    def noise(self) -> str:
        """The last line of text that came instead of the token, for an error message."""
        lines = [line.strip() for line in self._seen.decode("utf-8", "replace").splitlines() if line.strip()]
        printable = "".join(character for character in lines[-1] if character.isprintable()) if lines else ""
        return printable[:200]


def shell_request(command: bytes, stdin: bytes) -> bytes:
    """Return one request to the serial loop in sh. A command cannot hold a NUL byte."""
    if b"\0" in command:
        raise ProtocolError("A command cannot hold a NUL byte.")
    return b"E %d %d\n" % (len(command), len(stdin)) + command + stdin


class ShellReply:
    """Collects one answer of the serial loop. `code` is None until it is complete."""

    def __init__(self, armour: str):
        self._decode = _decode_base64 if armour == "base64" else _decode_od
        self._buffer = b""
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.code: int | None = None

    def feed(self, data: bytes) -> None:
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            found = SHELL_LINE.match(line.rstrip(b"\r"))
            if found is None or self.code is not None:
                raise ProtocolError("The shell on the instance answered {0!r}.".format(line[:60]))
            if found.group(1):
                (self.stdout if found.group(1) == b"O" else self.stderr).extend(self._decode(found.group(2)))
            else:
                self.code = int(found.group(3)[:9])


def _decode_base64(text):
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProtocolError("The shell on the instance answered with damaged base64.") from error


def _decode_od(text):
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise ProtocolError("The shell on the instance answered with damaged octets.") from error
