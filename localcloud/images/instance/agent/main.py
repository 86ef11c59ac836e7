# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the Systems Manager agent of a local instance; everything it does is in the package ssm_agent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys

from ssm_agent.control import Agent
from ssm_agent.settings import Settings


async def run(settings: list[Settings]) -> None:
    """Run until SIGTERM or SIGINT; an agent for each of the settings, which is one in an instance and many in load tests."""
    agents = [Agent(one) for one in settings]
    work = asyncio.gather(*(agent.run() for agent in agents))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await asyncio.gather(*(agent.stop() for agent in agents))


def main() -> int:
    parser = argparse.ArgumentParser(description="Systems Manager agent of a local instance.")
    parser.add_argument("--config", nargs="+", default=["/etc/localcloud/agent.json"], help="the settings file of each agent")
    parser.add_argument("--verbose", action="store_true", help="say more in the log")
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for name in ("botocore", "urllib3", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        settings = [Settings.read(path) for path in options.config]
    except ValueError as error:
        print(f"ssm agent: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what ignores it when we start (nohup) would keep sessions' shells from trapping it
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
