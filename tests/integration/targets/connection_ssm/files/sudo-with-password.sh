#!/bin/sh
# Talks like sudo where the caller needs a password: -n refuses, -p is the prompt, three tries.
prompt="Password: "
while [ $# -gt 0 ]; do
    case "$1" in
        -n) echo "sudo: a password is required" >&2; exit 1 ;;
        -p) prompt="$2"; shift 2 ;;
        -u) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
for _try in 1 2 3; do
    printf '%s' "$prompt" >&2
    IFS= read -r given || exit 1
    if [ "$given" = "$(cat "$(dirname "$0")/sudo-password")" ]; then
        exec env ESCALATED=yes "$@"
    fi
    echo "Sorry, try again." >&2
done
exit 1
