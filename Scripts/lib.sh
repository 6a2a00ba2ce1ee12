# Shared by the scripts: where things are, and what a fresh machine lacks.
set -euo pipefail
# A crashing Swift program would otherwise wait for ever for its backtracer on some machines.
export SWIFT_BACKTRACE=enable=no
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '\n==> %s\n' "$*"; }

# Installs libprotobuf-c-dev with apt if pkg-config does not find it.
need_protobuf_c() {
    command -v swift >/dev/null || { echo "Swift 6.2 or newer is needed: https://swift.org/install" >&2; exit 1; }
    if pkg-config --exists libprotobuf-c 2>/dev/null || [ -f /usr/include/protobuf-c/protobuf-c.h ]; then return; fi
    say "Installing libprotobuf-c-dev (the one system library this needs)"
    local sudo=""
    if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq libprotobuf-c-dev pkg-config
}
