#!/usr/bin/env bash
# Removes what `make demo` and `make test` started: the local clouds, and Docker Engine when setup started it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -x .venv-localcloud/bin/localcloud ]; then
  for name in demo test ${LOCALCLOUD_NAMES:-}; do
    .venv-localcloud/bin/localcloud --name "$name" down
  done
fi
if [ -f .work/docker-started ]; then
  how=$(cat .work/docker-started)
  if [ "$how" = service ]; then
    systemctl stop docker docker.socket
    echo "stopped Docker Engine (service)"
  elif [ "$(cat "/proc/$how/comm" 2>/dev/null)" = dockerd ]; then
    kill "$how"
    for _ in $(seq 30); do
      [ -d "/proc/$how" ] || break
      sleep 1
    done
    echo "stopped Docker Engine (process $how)"
  fi
  rm -f .work/docker-started
fi
