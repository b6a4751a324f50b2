# Sourced by scripts/try and scripts/test: installs what a bare Debian 12 lacks, once, and builds.
# Everything goes to apt's packages, .venv/ and build/ of this checkout; nothing else is touched.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
VENV="$ROOT/.venv"
TORCH_VERSION=2.13.0
OFFLINE=0
TORCH_FOLDER=""

# What building and running needs, and beside it what only the tests do.
BUILD_PACKAGES="g++ cmake ninja-build ccache lld pkg-config python3-venv libdcmtk-dev libopenjp2-7-dev libtiff-dev
  libpng-dev libjpeg62-turbo-dev nlohmann-json3-dev libcli11-dev libfmt-dev libssl-dev zlib1g-dev libicu-dev
  libyaml-cpp-dev libtomlplusplus-dev"
TEST_PACKAGES="libgtest-dev clang clang-format libclang-rt-14-dev git dicom3tools"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_network() { [ "$OFFLINE" = 0 ] || die "$1 is missing and --offline forbids fetching it. Run once without --offline."; }

# install_packages NAME...: those of the packages that are not installed yet.
install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  need_network "package ${missing[0]}"
  local run=""
  [ "$(id -u)" = 0 ] || run=sudo
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  $run apt-get update -q >&2
  $run env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# install_wheels STAMP ARGUMENT...: `pip install ARGUMENT...` into .venv, unless the same was done before.
install_wheels() {
  local stamp="$VENV/.$1.done" want
  shift
  want="$* $(cat "${@: -1}" 2>/dev/null || true)"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
  need_network "$*"
  say "Installing Python wheels: $*"
  "$VENV/bin/pip" install --disable-pip-version-check -q "$@" >&2
  printf '%s' "$want" > "$stamp"
}

make_venv() {
  [ -x "$VENV/bin/pip" ] && return
  need_network "the virtual environment"
  python3 -m venv "$VENV"
}

# LibTorch: the user's own, or the one inside the torch wheel. torch is pinned before anything that depends on it.
install_torch() {
  if [ -n "$TORCH_FOLDER" ]; then
    [ -f "$TORCH_FOLDER/include/ATen/ATen.h" ] || die "$TORCH_FOLDER is no LibTorch: include/ATen/ATen.h is not there."
    return
  fi
  make_venv
  install_wheels torch "torch==$TORCH_VERSION" numpy
}

# build PRESET TARGET... [-- CMAKE_OPTION...]
build() {
  local preset="$1" targets=() options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do targets+=("$1"); shift; done
  [ $# -gt 0 ] && { shift; options=("$@"); }
  cmake --preset "$preset" -DVESALIUS_TORCH="$TORCH_FOLDER" "${options[@]}" > "$ROOT/build/configure.log" 2>&1 ||
    { cat "$ROOT/build/configure.log" >&2; die "configuring failed"; }
  say "Building ($preset)"
  cmake --build --preset "$preset" --target "${targets[@]}" >&2
}
mkdir -p "$ROOT/build"
