"""Switches of the chat system on the local cloud, measured from outside; needs `make demo SYSTEM=chat` first. See README.md.

canary.py good       the whole plan while 100 users chat; the ledger says what they noticed
canary.py bad        a version with 5 % errors: from its first bad answer to 100/0 verified
canary.py rollback   the rollback playbook, many times: from the command to verified
canary.py kill       kill -9 in each step: how long until the rollback weights are in force
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ending

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import cloud  # noqa: E402

NAME = os.environ.get("LOCALCLOUD_NAME", "demo")
BIN = ROOT / ".venv/bin"
PLAYBOOK = [str(BIN / "ansible-playbook"), "-i", "inventories/chat"]
BALANCER, COLOURS = "chat-dev", {"blue": "chat-dev-blue", "green": "chat-dev-green"}
RECORD = "/bluegreen/chat/dev/rollout/state"
EVIDENCE = ROOT / "evidence/chat-dev"
LIMIT_S = 10.0  # docs/canary.md: how long the watchdog may take


class Chat:
    """The environment on the local cloud, read past Ansible so that nothing of it is in the measured time."""

    def __init__(self):
        self.env = cloud.environment(NAME)
        self._elb, self._ssm = (cloud.client(self.env, name) for name in ("elbv2", "ssm"))
        try:
            balancer = self._elb.describe_load_balancers(Names=[BALANCER])["LoadBalancers"][0]
        except Exception as error:
            sys.exit(f"There is no load balancer {BALANCER} ({error}); run `make demo SYSTEM=chat` first.")
        self.url = f"http://{balancer['DNSName']}"
        listeners = self._elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        self._listener = next(item["ListenerArn"] for item in listeners if item["Port"] == 80)
        groups = self._elb.describe_target_groups(Names=list(COLOURS.values()))["TargetGroups"]
        self._arns = {item["TargetGroupName"]: item["TargetGroupArn"] for item in groups}

    def weights(self):
        """{colour: weight}."""
        actions = self._elb.describe_listeners(ListenerArns=[self._listener])["Listeners"][0]["DefaultActions"]
        found = {item["TargetGroupArn"]: item["Weight"] for item in actions[-1]["ForwardConfig"]["TargetGroups"]}
        return {colour: found.get(self._arns[group], 0) for colour, group in COLOURS.items()}

    def set(self, weights):
        groups = [{"TargetGroupArn": self._arns[COLOURS[colour]], "Weight": weight} for colour, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self._elb.modify_listener(ListenerArn=self._listener, DefaultActions=[action])

    def live(self):
        found = self.weights()
        return max(found, key=found.get)

    def rollout(self):
        """The rollout's record, or {}."""
        try:
            return json.loads(self._ssm.get_parameter(Name=RECORD)["Parameter"]["Value"])
        except self._ssm.exceptions.ParameterNotFound:
            return {}

    def run(self, playbook, *arguments, quiet=False, **env):
        output = subprocess.DEVNULL if quiet else None
        words = [*PLAYBOOK, f"playbooks/{playbook}", *arguments]
        return subprocess.run(words, cwd=ROOT, env={**self.env, **env}, stdout=output, check=False).returncode

    def release(self, version, faults=""):
        """Everything to the live colour, then the version to the other one."""
        live = self.live()
        self.set({colour: 100 if colour == live else 0 for colour in COLOURS})
        if self.run("deploy.yml", CHAT_VERSION=version, CHAT_FAULTS=faults):
            sys.exit(f"Version {version} could not be deployed, see above.")
        return live


@contextlib.contextmanager
def users(chat, number, folder):
    """So many users chat meanwhile; their ledger is in the dictionary after the block."""
    ledger: dict = {}
    path = Path(folder, "ledger.json")
    words = [str(BIN / "python"), "benchmarks/chat_users.py", chat.url, "--users", str(number), "--json", str(path), "--seconds", "900"]
    process = subprocess.Popen(words, cwd=ROOT, env=chat.env, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        if "connected" not in said:
            sys.exit(f"The users could not connect: {said}{process.stdout.read()}")
        print(said.strip(), flush=True)
        yield ledger
    finally:
        process.send_signal(signal.SIGINT)
        print(process.communicate(timeout=60)[0].strip(), flush=True)
    ledger.update(json.loads(path.read_text()))


def latest():
    """The evidence of the latest rollout."""
    return json.loads(max(EVIDENCE.glob("rollout-*.json"), key=lambda path: path.stat().st_mtime).read_text())


def version(kind):
    return f"{kind}-{int(time.time()):x}"


def good(options):
    chat = Chat()
    chat.release(version("good"))
    with tempfile.TemporaryDirectory() as folder, users(chat, options.users, folder) as ledger:
        code = chat.run("switch.yml")
    found = latest()
    print(f"evidence: {EVIDENCE}/rollout-{found['id']}.html")
    if code or found["outcome"] != "done":
        print(f"The good version was not promoted: {found['why']}")
        code = 1
    names = ("dropped", "lost", "duplicated", "failed")
    print(f"result: users={options.users} " + " ".join(f"{name}={ledger[name]}" for name in names) + f" seconds={found['seconds']:.0f}")
    return code or int(any(ledger[name] for name in names) or found["seconds"] > 240)


def bad(options):
    chat = Chat()
    live = chat.release(version("bad"), faults="error_rate=0.05")
    with tempfile.TemporaryDirectory() as folder, users(chat, options.users, folder) as ledger:
        code = chat.run("switch.yml")
        weights = chat.weights()
    found = latest()
    print(f"evidence: {EVIDENCE}/rollout-{found['id']}.html")
    if not code or found["outcome"] != "rolled_back" or weights[live] != 100:
        print(f"The bad version was not rolled back: {found['outcome']}, {found['why']}, weights {weights}")
        return 1
    # The first bad answer is the probes' or a user's, whichever came first.
    back = found["rollback"]
    seen = [found["began"] + at for at in (back["first_bad_answer_at"],) if at is not None]
    seen += [failure["at"] for failure in ledger["failures"] if failure["at"] >= found["began"]]
    abort_s = found["began"] + back["restored_at"] - min(seen, default=found["began"] + back["decided_at"])
    hurt = len({failure["user"] for failure in ledger["failures"]})
    print(f"why: {found['why']}")
    print(f"result: abort_s={abort_s:.1f} users_with_errors={hurt}")
    return int(abort_s > 30)


def rollback(options):
    chat = Chat()
    live = chat.live()
    other = next(colour for colour in COLOURS if colour != live)
    seconds = []
    for number in range(options.repeat):
        chat.set({live: 50, other: 50})
        began = time.monotonic()
        if chat.run("rollback.yml", "-e", f"canary_rollback_to={live}", "--tags", "all", quiet=True):
            sys.exit("The rollback failed; run it by hand to see why.")
        seconds.append(time.monotonic() - began)
        if chat.weights() != {live: 100, other: 0}:
            sys.exit(f"The rollback said it worked, and the weights are {chat.weights()}.")
        print(f"  {number + 1}/{options.repeat}: {seconds[-1]:.2f} s", flush=True)
    ordered = sorted(seconds)
    p99 = ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
    print(f"result: n={len(ordered)} p50_s={statistics.median(ordered):.2f} p99_s={p99:.2f} max_s={ordered[-1]:.2f}")
    return int(p99 > 10)


def descendants(pid):
    """Process ids in this one's session: the playbook and its workers, not the watchdog, which has a session of its own."""
    session = os.getsid(pid)
    found = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session:
                found.append(int(entry.name))
    return found


def kill_in(chat, live, step, everything):
    """kill -9 while this step is judged; seconds until everything is with the live colour again. `everything`: the workers too."""
    quick = {"hold_s": 6, "metrics": False}
    words = [*PLAYBOOK, "playbooks/switch.yml", "-e", json.dumps({"canary_gate": quick, "canary_cloudwatch": False})]
    before = chat.rollout().get("id")
    process = subprocess.Popen(words, cwd=ROOT, env=chat.env, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while True:
        state = chat.rollout()
        if state.get("id") != before and state.get("state") == "judging" and state.get("step") == step:
            break
        if time.monotonic() > deadline or process.poll() is not None:
            sys.exit(f"The switch never judged step {step}: {state}")
        time.sleep(0.1)
    time.sleep(1.0)
    killed = descendants(process.pid) if everything else [process.pid]
    began = time.monotonic()
    for pid in killed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    while chat.weights()[live] != 100:
        if time.monotonic() - began > 60:
            sys.exit(f"60 s after kill -9 in step {step} the weights are {chat.weights()}.")
        time.sleep(0.05)
    return time.monotonic() - began


def kill(options):
    chat = Chat()
    live = chat.release(version("kill"))
    seconds = []
    for step in range(1, 5):
        for everything in (False, True):
            seconds.append(kill_in(chat, live, step, everything))
            what = "the playbook and its workers" if everything else "the playbook"
            print(f"  step {step}, {what}: back after {seconds[-1]:.2f} s", flush=True)
            deadline = time.monotonic() + 30
            while chat.rollout().get("state") != "rolled_back" and time.monotonic() < deadline:
                time.sleep(0.1)
    print(f"result: n={len(seconds)} worst_s={max(seconds):.2f}")
    return int(max(seconds) > LIMIT_S)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["good", "bad", "rollback", "kill"])
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=50, help="rollbacks")
    options = parser.parse_args()
    sys.exit({"good": good, "bad": bad, "rollback": rollback, "kill": kill}[options.verb](options))


if __name__ == "__main__":
    ending.guard()
    main()
