# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Evidence against the candidate from what the live colour answered in the same interval, whatever happened to both of them in it.

Events that come in bursts, such as slow answers while the machine or the store is busy, have no rate that could be estimated from the
interval before. So how many there were in an interval is taken as given, and only whose they were is asked. When the candidate is no
worse than the live colour, they are spread like labels drawn from an urn (hypergeometric): the candidate's share of the requests. When
the odds of an event are ``ratio`` times as high with the candidate, its share is larger. The likelihood ratio below is the one of
independent draws; a convex function has no larger mean under draws without replacement (W. Hoeffding, Probability Inequalities for Sums
of Bounded Random Variables, 1963), so that its mean is at most 1 while the candidate is no worse, as the sequential test needs it.

The candidate alone can also have its moment: a process that stands still for half a second makes every request slow that waits for it.
They are one event, not many. So no interval is worth more than MOST, and what does not last for several of them aborts nothing. A
smaller ratio has no larger mean.
"""

from __future__ import annotations

import math

from .baseline import Counts

MOST = 2.0  # nats; the judge's limit for slow answers is 7.4, which takes four intervals: two seconds of probes


def llr(candidate: Counts, live: Counts, ratio: float) -> float:
    """Log likelihood ratio (nats, at most MOST) of whose events they were: 0 when one of the two answered nothing, or nothing happened."""
    if not candidate.requests or not live.requests:
        return 0.0
    fair = candidate.requests / (candidate.requests + live.requests)
    guilty = ratio * candidate.requests / (ratio * candidate.requests + live.requests)
    return min(MOST, candidate.events * math.log(guilty / fair) + live.events * math.log((1 - guilty) / (1 - fair)))
