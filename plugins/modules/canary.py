#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module: the action plugin of the same name does the work on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: canary
short_description: Move traffic to a new version step by step, judge each step, and go back when it is worse
version_added: 0.1.0
description:
  - Goes through a plan of weights on a listener of an Application Load Balancer. After each step the judge compares the candidate
    with the live version over the same time; the plan goes on, waits for more requests, or everything goes back at once.
  - Probes, target health and tasks that end abort within seconds; metrics of CloudWatch and Prometheus must agree before a step is passed.
  - Before each shift the rollback weights are recorded. An interrupt, SIGTERM, an exception and a failed gate lead back at once; when the
    process is killed a watchdog leads back; when the whole machine is gone the next run does.
  - The first number of each step belongs to the colour that is live when the rollout begins, the second one to the candidate.
  - Shows what happens while it happens, and leaves a record as JSON, Markdown and one HTML page.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  required_tags:
    description: Tags that the load balancer must carry; without them nothing is touched.
    type: dict
    default: {}
  colours:
    description: "The two colours and their target groups, such as V({blue: chat-dev-blue, green: chat-dev-green})."
    type: dict
    required: true
  candidate:
    description: The colour that is to get the traffic. Left out, it is the one with less of it.
    type: str
  plan:
    description:
      - Steps, each V([live, candidate]) in percent, or a dictionary of C(weights) and fields of O(gate) that differ for this step.
    type: list
    elements: raw
    required: true
  gate:
    description: What every step waits for.
    type: dict
    default: {}
    suboptions:
      hold_s:
        description: Shortest time at these weights in seconds; 30 when left out.
        type: float
      timeout_s:
        description: Seconds after which a step that is still inconclusive ends the rollout; 300 when left out.
        type: float
      min_requests:
        description: Answers of the candidate that must have been judged in the step; 0 when left out.
        type: int
      metrics:
        description: Whether each metric source must have published a datapoint in the step; true when left out.
        type: bool
      pause:
        description: Wait for P(bluegreen.aws.canary_command#module) after the judge has said promote; false when left out.
        type: bool
  limits:
    description: What is tolerated; docs/canary.md has the arithmetic.
    type: dict
    default: {}
    suboptions:
      error_rate:
        description: Share of 5xx answers and broken connections that never counts against the candidate; 0.01 when left out.
        type: float
      client_error_rate:
        description: The same for 4xx answers; 0.05 when left out.
        type: float
      ratio:
        description: How many times the live version's rate is too many; 5 when left out.
        type: float
      latency_tolerance:
        description: An answer is slow when it takes this many times the live version's p95 before the switch; 1.5 when left out.
        type: float
      latency_floor_ms:
        description: An answer that takes less is never slow; 100 when left out.
        type: float
      alpha:
        description: Probability of aborting a rollout of a good candidate; 0.01 when left out.
        type: float
      beta:
        description: Probability of clearing a step of a candidate whose rate is O(limits.ratio) times the live one's; 0.05 when left out.
        type: float
  probe:
    description: Requests that are sent through the load balancer as a user would.
    type: dict
    suboptions:
      url:
        description: Where to. V({dns_name}) in it is replaced by the load balancer's name.
        type: str
        required: true
      header:
        description: Response header whose value is the colour.
        type: str
        default: X-App-Colour
      headers:
        description: Request headers to send.
        type: dict
        default: {}
      rate:
        description: Requests per second.
        type: float
        default: 20.0
      boost:
        description: How many times O(probe.rate) is asked while the latest answers lean against the candidate.
        type: float
        default: 5.0
      timeout_s:
        description: Seconds after which a request counts as unanswered.
        type: float
        default: 5.0
      ca_file:
        description: Certificates to trust besides the system's, for an HTTPS listener with a private one.
        type: path
  cloudwatch:
    description: Judge by the load balancer's metrics of both target groups, too.
    type: bool
    default: true
  history_s:
    description: Seconds of the live version's metrics before the rollout from which its usual rates are taken; 0 for none.
    type: int
    default: 3600
  prometheus:
    description: Judge by counters in Prometheus, too. V({colour}) in a query is replaced by the colour.
    type: dict
    suboptions:
      url:
        description: Address of Prometheus, such as V(http://10.0.1.5:9090).
        type: str
        required: true
      requests:
        description: A counter of requests.
        type: str
        required: true
      errors:
        description: A counter of 5xx answers.
        type: str
        required: true
      client_errors:
        description: A counter of 4xx answers.
        type: str
      p95_s:
        description: The p95 of the latency in seconds.
        type: str
      period_s:
        description: Seconds between two queries.
        type: float
        default: 10.0
  ecs:
    description: Watch the tasks of two ECS services; a task of the candidate that ends by itself leads back.
    type: dict
    suboptions:
      cluster:
        description: Name of the cluster.
        type: str
        required: true
      services:
        description: "The service of each colour, such as V({blue: chat-dev-blue, green: chat-dev-green})."
        type: dict
        required: true
  alarms:
    description: CloudWatch alarms that lead back when they begin to fire. One that fires before the first shift is noted only.
    type: list
    elements: str
    default: []
  lead_in_s:
    description: Seconds for which the live version is probed before the first shift.
    type: float
    default: 5.0
  deadline_s:
    description: Seconds after which a plan that is not through goes back; 0 for none.
    type: float
    default: 0.0
  on_inconclusive:
    description: What happens at O(gate.timeout_s).
    type: str
    choices: [rollback, pause]
    default: rollback
  record:
    description: Path in Parameter Store for the rollout's state and for commands, such as V(/bluegreen/chat/dev/rollout).
    type: str
    required: true
  evidence:
    description: Folder on the controller for the record of the rollout; left out, none is written.
    type: path
  watchdog:
    description: Start a process beside the rollout that leads back when the rollout is killed.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
  - bluegreen.aws.listener
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
notes:
  - Runs on the controller. One rollout at a time; hold M(bluegreen.aws.deployment_lock) around it.
  - "After C(kill -9) of the rollout the watchdog sets the weights back within 10 seconds; its time limit under throttling is 15 minutes."
  - >-
    Needs what M(bluegreen.aws.traffic_weights), C(ssm:GetParameter) and C(ssm:PutParameter) on O(record), C(cloudwatch:GetMetricData),
    and with O(ecs) and O(alarms) C(ecs:ListTasks), C(ecs:DescribeTasks) and C(cloudwatch:DescribeAlarms).
seealso:
  - module: bluegreen.aws.canary_command
  - module: bluegreen.aws.traffic_weights
"""

EXAMPLES = r"""
- name: Move the traffic to the new version
  bluegreen.aws.canary:
    load_balancer: chat-dev
    colours:
      blue: chat-dev-blue
      green: chat-dev-green
    plan: [[90, 10], [50, 50], [10, 90], [0, 100]]
    gate:
      hold_s: 45
    probe:
      url: "http://{dns_name}/api/info"
    ecs:
      cluster: chat-dev
      services:
        blue: chat-dev-blue
        green: chat-dev-green
    record: /bluegreen/chat/dev/rollout
    evidence: evidence

- name: Let a human look before half of the users get it
  bluegreen.aws.canary:
    load_balancer: chat-dev
    colours: {blue: chat-dev-blue, green: chat-dev-green}
    plan:
      - {weights: [90, 10], pause: true}
      - [50, 50]
      - {weights: [0, 100], metrics: false}
    probe:
      url: "http://{dns_name}/api/info"
    record: /bluegreen/chat/dev/rollout
"""

RETURN = r"""
canary:
  description: How the rollout ended. A rollout that was not completed fails the task and is returned all the same.
  returned: always, once the rollout has begun
  type: dict
  contains:
    id:
      description: When it began, as the name of its record.
      type: str
      sample: 20261121T101500Z
    outcome:
      description: V(done), V(rolled_back), V(taken_over) (other weights were set meanwhile), V(stuck) (the weights could not be put back).
      type: str
      sample: done
    why:
      description: The reason, in a sentence.
      type: str
      sample: blue 0 %, green 100 % is in force
    weights:
      description: The weights in force at the end, of the formerly live colour and the candidate.
      type: list
      elements: int
      sample: [0, 100]
    colours:
      description: The formerly live colour and the candidate.
      type: list
      elements: str
      sample: [blue, green]
    seconds:
      description: Duration.
      type: float
      sample: 203.4
    rollback:
      description: Times of the rollback in seconds since the start, and how long it took.
      type: dict
      sample: {"decided_at": 12.1, "first_bad_answer_to_restored_s": 6.2}
    totals:
      description: Requests and errors of each colour as each source counted them.
      type: list
      elements: dict
      sample: [{"source": "probes", "role": "candidate", "colour": "green", "requests": 1200, "errors": 0, "client_errors": 0}]
    verdict:
      description: The last verdict with its arithmetic.
      type: dict
      sample: {"action": "promote", "why": "green is no worse than blue"}
    evidence:
      description: Files of the record.
      type: list
      elements: str
      sample: [evidence/rollout-20261121T101500Z.json]
"""
