"""How often the judge is wrong: whole rollouts are simulated with the judge that the canary uses; see README.md.

Every rollout has the live colour's lead-in, the four steps of the usual plan, and a look at each bad answer of the candidate (between
two of them the evidence against the candidate only falls, so that this is a look after every request). A step is left when the judge
clears it. Slow answers are looked at every half second, as the canary does.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins/module_utils"))
from _canary.judge import SPENT, Judge, Limits  # noqa: E402
from _canary.samples import CANDIDATE, FAST, LIVE, Sample  # noqa: E402

PLAN = (0.10, 0.50, 0.90, 1.00)
INTERVAL_REQUESTS = 60  # requests of both colours that come between two samples
LEAD_IN_REQUESTS = 600
LONGEST_STEP = 4000  # requests to the candidate after which a step is given up as inconclusive
CHUNK = 250


@dataclass(frozen=True)
class Scenario:
    """Rates of bad answers: the live colour's in the hour before (``history``, of ``known`` requests), the live colour's and the
    candidate's during the rollout."""

    name: str
    history: float
    live: float
    candidate: float
    known: int = 3600

    def rollout(self, chance):
        """("abort" | "promote" | "inconclusive", requests that the candidate got)."""
        return errors_rollout(chance, self)


@dataclass(frozen=True)
class Slow:
    """Rates of slow answers in intervals of half a second, with moments in which most answers are slow: of both colours at once
    (``together``, the chance that one begins in an interval; 2 s long in the mean) and of each alone (``alone``; 0.5 or 1 s)."""

    name: str
    live: float
    candidate: float
    together: float = 0.0
    alone: float = 0.0

    def rollout(self, chance):
        """As `Scenario.rollout`."""
        return slow_rollout(chance, self)


HEALTHY = [
    Scenario("both 0.2 %", 0.002, 0.002, 0.002),
    Scenario("both 1 %", 0.01, 0.01, 0.01),
    Scenario("both 1 %, nothing known", 0.01, 0.01, 0.01, known=0),
    Scenario("both 2 %", 0.02, 0.02, 0.02),
    Scenario("both 5 %", 0.05, 0.05, 0.05),
    Scenario("an outage of both: 20 %", 0.01, 0.20, 0.20),
    Slow("slow: both 2 %", 0.02, 0.02),
    Slow("slow: bursts of both", 0.02, 0.02, together=0.05),
    Slow("slow: stops of each alone", 0.02, 0.02, alone=0.01),
]
GUILTY = [
    Scenario("1 % and 5 %", 0.01, 0.01, 0.05),
    Scenario("0.2 % and 5 %", 0.002, 0.002, 0.05),
    Scenario("2 % and 10 %", 0.02, 0.02, 0.10),
    Scenario("0.2 % and 2 %", 0.002, 0.002, 0.02),
    Slow("slow: 2 % and 25 %", 0.02, 0.25),
]
SLOW_REQUESTS = 20  # of both colours in half a second
SLOW_INTERVALS = 20  # a step takes ten seconds at least
SLOW_SHARE = 0.6  # of the answers in such a moment
SLOW_MS, QUICK_MS = 400.0, 40.0


def bad(chance, requests, rate):
    """How many of so many requests are answered badly."""
    count, place = 0, 0
    while rate > 0:
        place += 1 + int(math.log(1 - chance.random()) / math.log1p(-rate))
        if place > requests:
            break
        count += 1
    return count


def ask(chance, judge, requests, rate):
    """The candidate answers one request after the other; returns how many until the judge said abort, or None."""
    left = requests
    while left > 0:
        gap = 1 + int(math.log(1 - chance.random()) / math.log1p(-rate))
        seen = min(gap, left)
        judge.observe([Sample(FAST, CANDIDATE, seen, int(gap <= left))])
        left -= seen
        if judge.guilty:
            return requests - left
    return None


def errors_rollout(chance, scenario):
    """As `Scenario.rollout`."""
    judge = Judge(Limits(), [FAST])
    judge.history(Sample(FAST, LIVE, scenario.known, bad(chance, scenario.known, scenario.history)))
    for _interval in range(LEAD_IN_REQUESTS // INTERVAL_REQUESTS):
        judge.lead_in(Sample(FAST, LIVE, INTERVAL_REQUESTS, bad(chance, INTERVAL_REQUESTS, scenario.live)))
    total = 0
    for weight in PLAN:
        judge.begin_step()
        asked = 0
        while not asked or not judge.clear(FAST, "errors"):
            if asked > LONGEST_STEP:
                return "inconclusive", total
            to_candidate = sum(chance.random() < weight for _request in range(INTERVAL_REQUESTS))
            to_live = INTERVAL_REQUESTS - to_candidate
            judge.observe([Sample(FAST, LIVE, to_live, bad(chance, to_live, scenario.live))])
            stopped = ask(chance, judge, to_candidate, scenario.candidate)
            asked += to_candidate
            if stopped is not None:
                return "abort", total + stopped
            total += to_candidate
    return "promote", total


class Moments:
    """How many intervals it still takes until answers are quick again: of both colours and of each alone."""

    def __init__(self, chance, scenario):
        self._chance = chance
        self._begins = {"both": scenario.together, LIVE: scenario.alone, CANDIDATE: scenario.alone}
        self._left = dict.fromkeys(self._begins, 0)

    def next(self):
        for whose, begins in self._begins.items():
            if self._left[whose] > 0:
                self._left[whose] -= 1
            elif self._chance.random() < begins:
                self._left[whose] = 1 + int(self._chance.expovariate(1 / 3.5)) if whose == "both" else self._chance.randint(1, 2)

    def sample(self, colour, requests, rate):
        if self._left["both"] > 0 or self._left[colour] > 0:
            rate = max(rate, SLOW_SHARE)
        slow = bad(self._chance, requests, rate)
        return Sample(FAST, colour, requests, latencies_ms=(SLOW_MS,) * slow + (QUICK_MS,) * (requests - slow))


def slow_rollout(chance, scenario):
    """As `Scenario.rollout`; at 0/100 nobody answers beside the candidate, and slow answers are not judged."""
    judge, moments = Judge(Limits(), [FAST]), Moments(chance, scenario)
    judge.lead_in(Sample(FAST, LIVE, LEAD_IN_REQUESTS, latencies_ms=(QUICK_MS,) * LEAD_IN_REQUESTS))
    total = 0
    for weight in PLAN[:-1]:
        judge.begin_step()
        asked, intervals = 0, 0
        while intervals < SLOW_INTERVALS or not judge.clear(FAST, "slow"):
            if asked > LONGEST_STEP:
                return "inconclusive", total
            moments.next()
            intervals += 1
            requests = SLOW_REQUESTS * (5 if judge.suspicious else 1)
            to_candidate = sum(chance.random() < weight for _request in range(requests))
            asked, total = asked + to_candidate, total + to_candidate
            judge.observe(
                [moments.sample(LIVE, requests - to_candidate, scenario.live), moments.sample(CANDIDATE, to_candidate, scenario.candidate)]
            )
            if judge.guilty:
                return "abort", total
    return "promote", total


def chunk(job):
    scenario, number, seed = job
    chance = random.Random(f"{scenario.name}/{seed}")  # noqa: S311 - a simulation
    return [scenario.rollout(chance) for _rollout in range(number)]


def simulate(pool, scenario, number, seed):
    jobs = [(scenario, min(CHUNK, number - start), seed + start) for start in range(0, number, CHUNK)]
    return [result for results in pool.map(chunk, jobs) for result in results]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=10_000, help="of each scenario")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    limits = Limits()
    tested = f"alpha {limits.alpha:g} (errors: {SPENT['errors']:.0%} of it), beta {limits.beta:g}, {limits.ratio:g} times the rate"
    print(f"{options.rollouts} rollouts each; {tested}")
    print(f"  {'live and candidate':<28} {'aborted':>9} {'inconclusive':>13} {'requests to candidate until then (median, p90)':>44}")
    worst, power, median = 0.0, 0.0, 0
    began = time.monotonic()
    with multiprocessing.Pool() as pool:
        for scenario in HEALTHY + GUILTY:
            results = simulate(pool, scenario, options.rollouts, options.seed)
            aborted = sorted(requests for verdict, requests in results if verdict == "abort")
            share = len(aborted) / len(results)
            open_ones = sum(verdict == "inconclusive" for verdict, _requests in results) / len(results)
            until = f"{statistics.median(aborted):.0f}, {aborted[int(0.9 * len(aborted))]}" if aborted else "-"
            print(f"  {scenario.name:<28} {100 * share:>8.2f} % {100 * open_ones:>11.2f} % {until:>44}", flush=True)
            if scenario in HEALTHY:
                worst = max(worst, share)
            elif scenario is GUILTY[0]:
                power, median = share, statistics.median(aborted) if aborted else 0
    print(f"{time.monotonic() - began:.0f} s. false_abort: the worst scenario of two equal colours; power: at 1 % and 5 %.")
    print(f"result: false_abort={worst:.4f} power={power:.4f} median_requests={median:.0f}")


if __name__ == "__main__":
    main()
