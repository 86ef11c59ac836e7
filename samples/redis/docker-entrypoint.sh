#!/bin/sh
# Becomes the Redis server as its own user, reachable from other containers as the official image is; other commands run as they are.
set -eu

case "${1:-}" in
    -*) set -- redis-server "$@" ;;
    redis-server) ;;
    *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
    find /data \! -user redis -exec chown redis:redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
exec "$@" --protected-mode no
