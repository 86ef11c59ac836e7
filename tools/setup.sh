#!/usr/bin/env bash
# Sets up what the repository's verbs need, once: virtual environments, the collection's symlink, Docker Engine.
# Prints one line per step that did something. Safe to run again at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a command quietly, with a dot every few seconds, and shows its output only when it fails.
quietly() {
  local what=$1 log started
  shift
  log=$(mktemp)
  started=$SECONDS
  printf '%s ' "$what"
  "$@" >"$log" 2>&1 &
  local pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    (((SECONDS - started) % 5 == 0)) && printf '.'
  done
  if ! wait "$pid"; then
    printf ' failed\n'
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  printf ' %ss\n' "$((SECONDS - started))"
}

root() { [ "$(id -u)" = 0 ]; }
debian() { [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

install_packages() {
  if ! debian || ! root; then
    die "this machine lacks $* and is not a Debian or Ubuntu where I am root: install them ($*), then run again."
  fi
  quietly "apt-get update" apt-get update -qq
  quietly "installing $*" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

python=${PYTHON3:-}
for candidate in python3.13 python3.12 python3.11 python3; do
  [ -n "$python" ] && break
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
  fi
done
[ -n "$python" ] || die "Python 3.11 or later is needed and was not found: install python3 (Debian 12: apt-get install python3), then run again."

make_venv() { # folder, fingerprint of what it holds, pip arguments…
  local folder=$1 stamp=$2
  shift 2
  [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ] && return
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    install_packages python3-venv
  fi
  [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
  quietly "installing Python packages into $folder" "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  printf '%s' "$stamp" >"$folder/.stamp"
}

fingerprint() { cat "$@" | sha256sum | cut -c1-16; }

make_venv .venv "$(fingerprint requirements.txt requirements-dev.txt)-$("$python" -V)" -r requirements-dev.txt
make_venv .venv-localcloud "$(fingerprint localcloud/requirements.txt localcloud/pyproject.toml)-$("$python" -V)" \
  -r localcloud/requirements.txt -e 'localcloud[test]'

# The collection is found where Ansible looks: .work/ansible_collections/bluegreen/aws -> this repository.
mkdir -p .work/ansible_collections/bluegreen
ln -sfn ../../.. .work/ansible_collections/bluegreen/aws

# Docker Engine: a running one is used; else Debian's is installed and started, and `make down` stops it again.
engine_answers() { timeout 10 .venv/bin/python -c 'import docker; docker.from_env().ping()' >/dev/null 2>&1; }

if ! engine_answers; then
  command -v dockerd >/dev/null || install_packages docker.io iptables
  root || die "the Docker Engine does not answer and I am not root: start it (systemctl start docker) or join the group docker, then run again."
  if ! engine_answers; then
    say "starting Docker Engine"
    if [ -d /run/systemd/system ]; then
      systemctl start docker
      echo service >.work/docker-started
    else
      mkdir -p .work
      nohup dockerd >.work/dockerd.log 2>&1 </dev/null &
      echo $! >.work/docker-started
    fi
    for _ in $(seq 60); do
      engine_answers && break
      sleep 1
    done
    engine_answers || die "Docker Engine was started and does not answer after a minute: see .work/dockerd.log or 'journalctl -u docker'."
  fi
fi

# What the local cloud's network and images are made with.
missing=()
command -v iptables >/dev/null || missing+=(iptables)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v ip >/dev/null || missing+=(iproute2)
if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
