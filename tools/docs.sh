#!/usr/bin/env bash
# Writes the reference of modules, plugins and roles, as their own documentation says it, to .work/docs, one text file each.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.work/docs
rm -rf "$out"
mkdir -p "$out"
for type in module connection lookup filter test callback role; do
  .venv/bin/ansible-doc -t "$type" -l bluegreen.aws 2>/dev/null | awk '/^bluegreen\.aws\./ {sub(":", "", $1); print $1}' | while read -r name; do
    case "$type" in role) options=(-t role) ;; *) options=(-t "$type") ;; esac
    NO_COLOR=1 .venv/bin/ansible-doc "${options[@]}" "$name" >"$out/$type.${name#bluegreen.aws.}.txt"
    echo "$out/$type.${name#bluegreen.aws.}.txt"
  done
done
