# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog of one rollout: a process that puts the weights back when the rollout's process is gone without a word; see driver.

It reads lines of JSON on stdin: first ``{"environment", "account", "name", "port", "priority", "record", "log"}``, then ``{"back":
{group: percent}, "entry": {…, "own": [{group: percent}, …]}}`` before each shift, and ``{"done": true}`` at the end. The end of stdin
without that last line means that the other side was killed. It says "ready" when it can act, and keeps its clients open so that nothing has
to be imported when it acts.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time

# Started by path: the folder that holds ansible_collections, not this one, is where imports begin.
sys.path[0] = os.path.abspath(__file__).rsplit(os.sep + "ansible_collections" + os.sep, 1)[0]

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import elbv2  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.rollout_record import Record  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.weights import Weights  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.module_utils._traffic import WeightsChangedError  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary.account import Account  # noqa: E402

TRIES_FOR_S = 900.0
LONGEST_PAUSE_S = 5.0


def restore(weights: Weights, back: dict, own: list, say, *, clock=time.monotonic, sleep=time.sleep) -> float | None:
    """Put the weights back, trying again for TRIES_FOR_S; seconds that took, or None when it never worked.

    WeightsChangedError when none of ``own`` is in force: newer weights stay.
    """
    began, pause = clock(), 0.25
    while True:
        try:
            weights.write(back, own)
            return clock() - began
        except WeightsChangedError:
            raise
        except Exception as error:  # whatever it is, the traffic must go back: try again
            say(f"failed to put the weights back: {error}")
        if clock() - began > TRIES_FOR_S:
            return None
        sleep(pause)
        pause = min(LONGEST_PAUSE_S, 2 * pause)


def guard(lines, weights: Weights, record: Record, say) -> dict | None:
    """Read lines until they end; what was restored, or None when the rollout ended by its own word or had shifted nothing."""
    back, entry = None, {}
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            break  # cut off in the middle: the writer is gone
        if message.get("done"):
            return None
        back, entry = message["back"], message["entry"]
    if back is None:
        return None
    say(f"the rollout's process is gone; putting the weights back to {back}")
    in_force, why = back, "the rollout's process was killed; its watchdog acted"
    try:
        seconds = restore(weights, back, entry["own"], say)
        outcome = "stuck" if seconds is None else "rolled_back"
    except WeightsChangedError as changed:
        seconds, outcome, in_force, why = None, "taken_over", changed.found, f"the rollout's process was killed. {changed}"
        say(str(changed))
    with contextlib.suppress(Exception):  # the weights matter, the record can be mended by the next run
        record.write({**entry, "state": outcome, "weights": in_force, "why": why, "by": "watchdog"})
    return {"outcome": outcome, "weights": in_force, "seconds": seconds}


def main() -> int:
    settings = json.loads(sys.stdin.readline())
    os.environ.clear()
    os.environ.update(settings["environment"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the rollout, which says "done" when it has ended
    account = Account(**settings["account"])
    client = account.client("elbv2")
    weights = Weights(client, elbv2.find(client, settings["name"], settings["port"], settings["priority"]))
    record = Record(account.client("ssm"), settings["record"])

    def say(text):
        with open(settings["log"], "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")

    print("ready", flush=True)
    done = guard(sys.stdin, weights, record, say)
    if done is not None:
        say(f"{done['outcome']}: {json.dumps(done)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
