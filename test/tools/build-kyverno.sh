#!/usr/bin/env bash
# Builds the pinned Kyverno CLI into a cache outside the work tree and prints its path.
# The directory is named by the hash of go.mod and go.sum, so that a second run is instant and a new pin builds anew.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/kyverno" && pwd)"
version="$(sed -n 's|^\tgithub.com/kyverno/kyverno \(v[0-9.]*\).*|\1|p' "$here/go.mod")"
# git is everywhere; sha256sum is not on macOS.
hash="$(cat "$here/go.mod" "$here/go.sum" | git hash-object --stdin | cut -c1-16)"
directory="${RECTIFY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/rectify/tools}/$hash"
binary="$directory/kyverno"
if [ -x "$binary" ]; then
  echo "$binary"
  exit 0
fi
if ! command -v go > /dev/null; then
  echo "go was not found: install Go $(sed -n 's/^go //p' "$here/go.mod") or newer" >&2
  exit 1
fi
mkdir -p "$directory"
echo "building the Kyverno CLI $version (about 11 minutes on two cores, once)" >&2
# The version is stamped in, or the CLI calls itself "---" and the gate would refuse it.
(cd "$here" && go build -trimpath -o "$binary.partial.$$" \
  -ldflags "-s -w -X github.com/kyverno/kyverno/pkg/version.BuildVersion=$version" \
  github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno)
mv "$binary.partial.$$" "$binary"
echo "$binary"
