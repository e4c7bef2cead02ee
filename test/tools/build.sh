#!/usr/bin/env bash
# Usage: build.sh NAME…            prints the path of each program
#        build.sh --where NAME…    the same, and builds nothing
#        build.sh                  builds all but ollama and prints name, version and path
# Builds pinned Go programs, each from the module beside this script, into a cache outside the work tree. A directory of
# the cache is named by the hash of its go.mod and go.sum: a second run is instant, and a new pin builds anew.
set -euo pipefail
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${RECTIFY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/rectify/tools}"
all="kyverno kustomize helm kube-apiserver kube-controller-manager kube-scheduler kwok loki kustomize-controller argocd"

# Which module builds a program, from which package, and at which variables the program looks for its version.
# Kustomize and the Flux controller know theirs without.
describe() {
  stamp="" cgo=0 prepare=true
  case "$1" in
    kyverno)
      module=kyverno origin=github.com/kyverno/kyverno package=$origin/cmd/cli/kubectl-kyverno
      # Without it the CLI calls itself "---" and the gate would refuse it.
      stamp="$origin/pkg/version.BuildVersion=VERSION"
      ;;
    kustomize) module=kustomize origin=sigs.k8s.io/kustomize/kustomize/v5 package=$origin ;;
    helm)
      module=helm origin=helm.sh/helm/v3 package=$origin/cmd/helm
      stamp="$origin/internal/version.version=VERSION"
      ;;
    kube-apiserver | kube-controller-manager | kube-scheduler)
      module=kubernetes origin=k8s.io/kubernetes package=$origin/cmd/$1
      stamp="k8s.io/component-base/version.gitVersion=VERSION k8s.io/component-base/version.gitMajor=MAJOR"
      stamp="$stamp k8s.io/component-base/version.gitMinor=MINOR k8s.io/client-go/pkg/version.gitVersion=VERSION"
      ;;
    kwok) module=kwok origin=sigs.k8s.io/kwok package=$origin/cmd/kwok ;;
    loki)
      module=loki origin=github.com/grafana/loki/v3 package=$origin/cmd/loki
      stamp="$origin/pkg/util/build.Version=NUMBER"
      ;;
    kustomize-controller) module=flux origin=github.com/fluxcd/kustomize-controller package=$origin ;;
    argocd)
      module=argocd origin=github.com/argoproj/argo-cd/v3 package=$origin/cmd
      stamp="$origin/common.version=NUMBER"
      ;;
    ollama)
      # It is C++ to a good part: this one needs gcc and g++.
      module=ollama origin=github.com/ollama/ollama package=$origin cgo=1 prepare=ollama_headers
      stamp="$origin/version.Version=NUMBER"
      ;;
    *)
      echo "$1 is not among: $all ollama" >&2
      exit 2
      ;;
  esac
  version="$(sed -n "s|^[[:space:]]*\(require \)\{0,1\}$origin \(v[0-9][^ ]*\).*|\2|p" "$tools/$module/go.mod" | head -n 1)"
}

# git is everywhere; sha256sum is not on macOS.
path_of() {
  local hash
  hash="$(cat "$tools/$module/go.mod" "$tools/$module/go.sum" | git hash-object --stdin | cut -c1-16)"
  echo "$cache/$hash/$1"
}

linker_flags() {
  local number="${version#v}" flags="-s -w" variable
  local major="${number%%.*}" rest="${number#*.}"
  for variable in $stamp; do
    variable="${variable/=VERSION/=$version}"
    variable="${variable/=NUMBER/=$number}"
    variable="${variable/=MAJOR/=$major}"
    flags="$flags -X ${variable/=MINOR/=${rest%%.*}}"
  done
  echo "$flags"
}

# A Go module leaves out what stands in a directory called vendor, and there Ollama keeps the headers of others. Its own
# older version has two of them elsewhere, a Go binding has the third.
ollama_headers() {
  local include="$1/include" models sound
  models="$(cd "$tools/ollama/headers" && go mod download github.com/ollama/ollama && go list -m -f '{{.Dir}}' github.com/ollama/ollama)"
  sound="$(cd "$tools/ollama/headers" && go mod download github.com/gen2brain/malgo && go list -m -f '{{.Dir}}' github.com/gen2brain/malgo)"
  mkdir -p "$include/nlohmann" "$include/stb" "$include/miniaudio"
  cp "$models/llama/llama.cpp/common/json.hpp" "$include/nlohmann/"
  echo '#include <nlohmann/json.hpp>' > "$include/nlohmann/json_fwd.hpp"
  cp "$models/llama/llama.cpp/common/stb_image.h" "$include/stb/"
  cp "$sound/miniaudio.h" "$include/miniaudio/"
  export CGO_CPPFLAGS="-I$include"
}

build() {
  local binary="$2"
  if ! command -v go > /dev/null; then
    echo "go was not found: install Go $(sed -n 's/^go //p' "$tools/$module/go.mod") or newer" >&2
    exit 1
  fi
  mkdir -p "$(dirname "$binary")"
  echo "building $1 $version (minutes, once)" >&2
  "$prepare" "$(dirname "$binary")"
  (cd "$tools/$module" && CGO_ENABLED=$cgo go build -trimpath -o "$binary.partial.$$" -ldflags "$(linker_flags)" "$package" >&2)
  mv "$binary.partial.$$" "$binary"
}

if [ "${1:-}" = --where ]; then
  shift
  for name in "$@"; do describe "$name" && path_of "$name"; done
  exit 0
fi
for name in ${*:-$all}; do
  describe "$name"
  binary="$(path_of "$name")"
  [ -x "$binary" ] || build "$name" "$binary"
  if [ $# = 0 ]; then printf '%s\t%s\t%s\n' "$name" "$version" "$binary"; else echo "$binary"; fi
done
