# Shared by the build scripts: where things are, and where Debian is fetched from.
# Sourced, not run. Every build script gets OUT, the empty folder that it fills.

set -euo pipefail
export LC_ALL=C

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CHECKOUT=$(cd "$VM_DIR/../.." && pwd)
CACHE=${LIVEOS_VM_CACHE:-$CHECKOUT/.cache/vm}

# The release inside the stick. Its Python is 3.11, the oldest that liveos-tui supports.
SUITE=bookworm

die() {
    echo "tests/vm: $1" >&2
    [ $# -lt 2 ] || echo "  $2" >&2
    exit 1
}

# Debian's mirror as this machine's own apt is configured, else the public one.
debian_mirror() {
    local uri=
    if command -v apt-get >/dev/null; then
        uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
            'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1 || true)
    fi
    printf '%s\n' "${uri:-http://deb.debian.org/debian/}"
}

# This machine's apt settings on proxies and on the age of indexes: the same network is asked.
apt_network_settings() {
    command -v apt-config >/dev/null || return 0
    apt-config dump | grep -iE '^Acquire::(Check-|https?::Proxy|Retries)' || true
}
