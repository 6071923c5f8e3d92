#!/bin/sh
# Provides what `./run` found missing, step by step, with a line for each on stderr: node, pnpm, the
# dependencies, the bundle, BuildKit, runc, what only tests need. Every step first looks whether its work is
# done, works in a folder of its own and appears by one rename, so that it may be killed anywhere. Two at a
# time wait for each other. Knows nothing of stx-make's commands.
#
# usage: setup.sh [NEED...]   needs: client (buildctl, buildkitd), daemon (those and runc), development
# (node_modules), test (the packages of test-packages.txt). Node and the bundle are always made ready.
# Ends with 0, or with 3 and one sentence on what is missing and what to install; 70 when the sources do not
# make a bundle.
set -u
umask 022
export LC_ALL=C # messages are looked at below
tools=$(CDPATH='' cd -P -- "${0%/*}/" && pwd -P) || exit 3
clone=${tools%/*}
own=$clone/.cache
logs=$own/log

say() { printf './run: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 3
}
has() { command -v "$1" >/dev/null 2>&1; }
needs() {
  case " $wanted " in *" $1 "*) return 0 ;; esac
  return 1
}
wanted="$*"

# --- where things go ---------------------------------------------------------------------------------

if ! mkdir -p "$logs" 2>/dev/null || [ ! -w "$own" ]; then
  fail "$clone can not be written to: node_modules, the bundle and .cache belong there. Make it writable for $(id -un 2>/dev/null || id -u), or use a clone of your own."
fi

# Node, pnpm and BuildKit are shared by all clones of a user. Relative paths in XDG_CACHE_HOME are to be
# ignored (XDG base directory specification).
choose_cache() {
  # A home folder that is not there is not made: /nonexistent is a common one.
  if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then HOME=''; fi
  case ${XDG_CACHE_HOME:-} in
    /*) cache=$XDG_CACHE_HOME/stx-make ;;
    *) cache=${HOME:+$HOME/.cache/stx-make} ;;
  esac
  if [ -z "$cache" ] || ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
    cache=$own/shared
    mkdir -p "$cache" || fail "no folder for downloads: $cache can not be made"
    [ -d "$cache/said" ] || say "no home folder that can be written to: node, pnpm and BuildKit go to $cache"
    mkdir -p "$cache/said"
  fi
  # The package managers and Go want a home of their own; where there is none they get one here.
  if [ -z "$HOME" ]; then
    HOME=$own/home
    mkdir -p "$HOME"
  fi
  export HOME
}

# Held until this process and whatever it started are gone; released by the kernel, also after kill -9.
lock() {
  has flock || fail "flock is missing: install util-linux"
  exec 8>"$own/lock" || exit 3
  if ! flock -n 8; then
    say "another ./run is setting up $clone; waiting for it"
    flock 8
  fi
  exec 9>"$cache/lock" || exit 3
  if ! flock -n 9; then
    say "another ./run is filling $cache; waiting for it"
    flock 9
  fi
  # Whatever lies there now was left by one that was killed.
  remove "$cache"/tmp.*
}

# Also what Go left without permission to write.
remove() {
  for path in "$@"; do
    [ -e "$path" ] || continue
    rm -rf "$path" 2>/dev/null || { chmod -R u+w "$path" && rm -rf "$path"; }
  done
}

tmp=''
work_folder() {
  tmp=$cache/tmp.$$.$1
  remove "$tmp"
  mkdir -p "$tmp" || fail "$tmp can not be made"
}
cleanup() {
  [ -n "$tmp" ] && remove "$tmp"
  [ -n "${policy:-}" ] && rm -f "$policy"
  tmp='' policy=''
}
trap cleanup EXIT
trap 'cleanup; trap - INT; kill -INT $$' INT
trap 'cleanup; trap - TERM; kill -TERM $$' TERM
trap 'cleanup; trap - HUP; kill -HUP $$' HUP

# Runs a step quietly, what it prints into a log. `explain LOG WHAT` afterwards says why it failed.
quietly() {
  log=$logs/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null
}
no_network='ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network is unreachable|no such host|dial tcp|i/o timeout|Temporary failure|Could not resolve|Could not connect|dns error|error sending request|client error \(Connect\)|tcp connect error'
explain() {
  if grep -Eiq "$no_network" "$log"; then
    fail "no network: $1 could not be downloaded. Connect this machine (or set HTTPS_PROXY), then run this again; what was said is in $log"
  fi
  if grep -Eiq 'ENOSPC|no space left' "$log"; then
    fail "no space left while getting $1; what was said is in $log"
  fi
  tail -n 15 "$log" >&2
  fail "$1 could not be made ready; all that was said is in $log"
}

# --- node ----------------------------------------------------------------------------------------------

# Prints the full path of a node that is new enough, through the starters of version managers.
usable_node() {
  node_version=$("$1" --version 2>/dev/null) || return 1
  major=${node_version#v}
  major=${major%%.*}
  case $major in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -ge 24 ] && "$1" -p process.execPath 2>/dev/null
}

# npm_install FOLDER WANTED: `npm ci` in a folder of its own; the lockfile beside package.json pins version and
# integrity. The packages for the processors are optional ones, and npm ends well without one that it could not
# get: its words about that are only in a verbose log, and whether the file is there is for us to see.
npm_install() {
  cp "$tools/$1/package.json" "$tools/$1/package-lock.json" "$tmp/" &&
    (cd "$tmp" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --cache "$tmp/npm" \
      --loglevel verbose --fetch-retries 1 --fetch-retry-mintimeout 1000 --fetch-timeout 120000) &&
    [ -x "$tmp/node_modules/$2" ]
}
pinned() { sed -n "s|^ *\"$2\": \"\([0-9.]*\)\".*|\1|p" "$tools/$1/package.json"; }

machine() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) arch=x64 ;;
    Linux-aarch64 | Linux-arm64) arch=arm64 ;;
    *) arch='' ;;
  esac
}

node_step() {
  has node && node=$(usable_node node) && return
  present=$(node --version 2>/dev/null) && present="this machine's is $present" || present='this machine has none'
  [ -n "$arch" ] || fail "Node 24 or newer is needed, $present: install it (there is no ready binary for $(uname -sm))"
  version=$(pinned node "node-linux-$arch")
  home=$cache/node-$version-linux-$arch
  node=$(usable_node "$home/bin/node") && return
  has npm || fail "Node 24 or newer is needed, $present: install Node 24 or newer, or npm (any version; apt-get install npm), which can bring it"
  say "Node: 24 or newer is needed, $present; getting $version"
  work_folder node
  quietly node npm_install node "node-linux-$arch/bin/node" || explain "Node $version"
  usable_node "$tmp/node_modules/node-linux-$arch/bin/node" >/dev/null ||
    fail "the ready binary of Node $version does not run on this machine (it needs glibc): install Node 24 or newer"
  appear "$tmp/node_modules/node-linux-$arch" "$home"
  node=$home/bin/node
}

# The finished folder takes its name in one step; a broken one that had it goes first.
appear() {
  remove "$2"
  mv "$1" "$2" || fail "$2 could not be made"
  cleanup
}

# --- pnpm and the dependencies -------------------------------------------------------------------------

# pnpm is one binary; its starters' install script is not needed.
pnpm_step() {
  if [ -z "$arch" ]; then
    pnpm=$(command -v pnpm) || fail "pnpm is needed: install it (there is no ready binary for $(uname -sm))"
    return
  fi
  version=$(pinned pnpm "@pnpm/exe.linux-$arch")
  home=$cache/pnpm-$version-linux-$arch
  pnpm=$home/pnpm
  [ -x "$pnpm" ] && return
  has npm || fail "pnpm $version is needed to install the dependencies: install npm (any version; apt-get install npm), which can bring it"
  say "pnpm: getting $version"
  work_folder pnpm
  quietly pnpm npm_install pnpm "@pnpm/exe.linux-$arch/pnpm" || explain "pnpm $version"
  "$tmp/node_modules/@pnpm/exe.linux-$arch/pnpm" --version >/dev/null 2>&1 ||
    fail "the ready binary of pnpm $version does not run on this machine (it needs glibc)"
  appear "$tmp/node_modules/@pnpm/exe.linux-$arch" "$home"
}

# Frozen: nothing but what the lockfile says. Install scripts run only for the packages that
# pnpm-workspace.yaml allows by name. pnpm itself finishes what a killed one left.
dependencies_step() {
  inputs=$(cat "$clone"/pnpm-lock.yaml "$clone"/pnpm-workspace.yaml "$clone"/package.json \
    "$clone"/packages/*/package.json | cksum)
  [ -x "$clone/node_modules/.bin/esbuild" ] && [ "$(cat "$own/dependencies" 2>/dev/null)" = "$inputs" ] && return
  pnpm_step
  say "dependencies: installing what pnpm-lock.yaml says"
  rm -f "$own/dependencies"
  quietly dependencies pnpm_install || {
    grep -q ERR_PNPM_OUTDATED_LOCKFILE "$log" &&
      fail "pnpm-lock.yaml does not fit package.json: run '$pnpm install' in $clone and commit the lockfile"
    explain 'the dependencies'
  }
  echo "$inputs" >"$own/dependencies"
}
pnpm_install() {
  (cd "$clone" && PATH=${node%/*}:$PATH CI=true "$pnpm" install --frozen-lockfile --config.fetch-retries=1 \
    --config.fetch-retry-mintimeout=1000 --config.confirm-modules-purge=false)
}

# --- the bundle ----------------------------------------------------------------------------------------

bundle_step() {
  # Older than anything read from now on: what is saved meanwhile counts as newer next time.
  : >"$own/ready.time" || exit 3
  [ -f "$clone/packages/cli/dist/stx-make.js" ] || say 'bundle: building packages/cli/dist'
  quietly bundle "$node" "$tools/bundle.ts" || {
    cat "$log" >&2
    say 'the sources do not make a bundle'
    exit 70
  }
}

# What run reads. The time of the file is that of the moment before bundling.
write_ready() {
  printf "node=%s\nbuildkit=%s\ngo=%s\n" "$(quote "$node")" "$(quote "$buildkit")" "$(quote "$go")" >"$own/ready.new" &&
    touch -r "$own/ready.time" "$own/ready.new" &&
    mv "$own/ready.new" "$own/ready" && return
  fail "$own/ready could not be written"
}
quote() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

# --- BuildKit ------------------------------------------------------------------------------------------

# The Go release is part of every digest that BuildKit gives: 1.27 has another gzip encoder. v0.32.2 needs
# 1.26.3 at least. So: this machine's Go where it is of that line, else this one, which any Go since 1.21
# can fetch.
go_pin=go1.26.8
go_line() {
  case $1 in
    go1.26.[3-9] | go1.26.[1-9][0-9]) return 0 ;;
  esac
  return 1
}

buildkit_step() {
  if [ -n "${STX_MAKE_BUILDKIT_BIN:-}" ]; then
    [ -x "$STX_MAKE_BUILDKIT_BIN/buildctl" ] && [ -x "$STX_MAKE_BUILDKIT_BIN/buildkitd" ] && return
    fail "STX_MAKE_BUILDKIT_BIN is $STX_MAKE_BUILDKIT_BIN, which has no buildctl and buildkitd: correct or unset it"
  fi
  version=$(sed -n 's|^.*github.com/moby/buildkit \(v[0-9.]*\).*|\1|p' "$tools/buildkit/go.mod")
  system=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
  release=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || release=''
  release=${release%% *}
  toolchain=local
  if ! go_line "$release"; then
    case $release in
      '' | go1 | go1.[0-9] | go1.[0-9].* | go1.1[0-9]* | go1.20*) toolchain='' ;;
      *) toolchain=$go_pin ;;
    esac
  fi
  go=$release
  [ "$toolchain" = local ] || go=$go_pin
  buildkit=$cache/buildkit-$version-$go-$system
  [ -x "$buildkit/buildctl" ] && [ -x "$buildkit/buildkitd" ] && return
  if [ -z "$toolchain" ]; then
    for buildkit in "$cache/buildkit-$version"-go1.26.*-"$system"; do
      if [ -x "$buildkit/buildctl" ] && [ -x "$buildkit/buildkitd" ]; then
        go=${buildkit#"$cache/buildkit-$version-"}
        go=${go%"-$system"}
        return
      fi
    done
    buildkit='' go=''
    [ -n "$release" ] && release="this machine's is $release" || release='there is no go in PATH'
    fail "Go is needed to compile BuildKit $version, $release: install Go 1.26 (1.26.3 or a later 1.26; any Go since 1.21 can fetch that by itself), or set STX_MAKE_BUILDKIT_BIN to a folder with buildctl and buildkitd $version compiled by Go 1.26"
  fi
  say "BuildKit: compiling $version with $go (once; two to four minutes)"
  work_folder buildkit
  quietly buildkit compile_buildkit || {
    grep -Eiq 'toolchain not available|download go1\.26' "$log" &&
      fail "BuildKit $version wants Go 1.26, this machine's is $release and $go could not be fetched: install Go 1.26 (1.26.3 or a later 1.26); what was said is in $log"
    explain "BuildKit $version"
  }
  "$tmp/bin/buildkitd" --version 2>/dev/null | grep -qF "$version" || fail "the compiled buildkitd is not $version; see $log"
  sync "$tmp"/bin/* 2>/dev/null
  appear "$tmp/bin" "$buildkit"
}

# Whatever could change the bytes is set here. Go's caches are those of the user where there are any, else
# they are gone afterwards: half a gigabyte that nobody asked for.
compile_buildkit() (
  export GOTOOLCHAIN="$toolchain" GOFLAGS='-mod=readonly -modcacherw' GOWORK=off GO111MODULE=on CGO_ENABLED=0
  unset GOOS GOARCH GOAMD64 GOARM64 GOEXPERIMENT GODEBUG
  cd "$tools/buildkit" || exit 1
  folder=$(GOTOOLCHAIN=local go env GOMODCACHE 2>/dev/null)
  [ -d "$folder" ] || export GOMODCACHE="$tmp/mod"
  folder=$(GOTOOLCHAIN=local go env GOCACHE 2>/dev/null)
  [ -d "$folder" ] || export GOCACHE="$tmp/build"
  mkdir -p "$tmp/bin" "$tmp/go" && export GOTMPDIR="$tmp/go" || exit 1
  go build -trimpath -ldflags "-s -w -X github.com/moby/buildkit/version.Version=$version" -o "$tmp/bin/" \
    github.com/moby/buildkit/cmd/buildctl github.com/moby/buildkit/cmd/buildkitd
)

# --- the distribution's packages -----------------------------------------------------------------------

# install_packages WHY PACKAGE...
install_packages() {
  why=$1
  shift
  has apt-get || fail "$* is missing ($why) and this machine has no apt-get: install it with the distribution's own package manager"
  [ "$(id -u)" = 0 ] || fail "$* is missing ($why) and only root may install it: run 'apt-get install $*' as root once"
  say "packages: installing $* ($why)"
  forbid_services
  quietly packages apt_install "$@" || quietly packages apt_update_and_install "$@" || explain "$*"
  cleanup
}
apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
}
# The lists may be missing or old. One source that fails to update need not be the one that is wanted.
apt_update_and_install() {
  apt-get -q -o DPkg::Lock::Timeout=300 update
  apt_install "$@"
}

# Packages may bring services; none is started. Debian asks this file first; one that is there already is
# somebody's decision and stays. One that we left when we were killed is ours.
policy=''
forbid_services() {
  file=/usr/sbin/policy-rc.d
  if [ -d /usr/sbin ] && { [ ! -e "$file" ] || grep -q 'of stx-make' "$file"; }; then
    policy=$file
    if ! printf '#!/bin/sh\n# of stx-make: while ./run installs packages no service is started\nexit 101\n' >"$file" ||
      ! chmod 755 "$file"; then
      fail "$file can not be written, and without it the packages' services would be started"
    fi
  fi
}

has_runc() { has runc || [ -x /usr/sbin/runc ]; }
runc_step() {
  has_runc && return
  install_packages 'BuildKit runs its steps with it; not needed with --worker or BUILDKIT_HOST' runc
  has_runc || fail 'runc was installed but is not in PATH: add its folder'
}

# Calls its arguments with each missing command and its package.
each_missing() {
  while read -r command package; do
    case $command in '' | '#'*) continue ;; esac
    has "$command" || "$@" "$command" "$package"
  done <"$tools/test-packages.txt"
}
test_step() {
  list=''
  add_package() { list="$list $2"; }
  each_missing add_package
  [ -n "$list" ] || return 0
  # shellcheck disable=SC2086 # a list of words
  install_packages 'for tests only' $list
  still_missing() { fail "$1 is not in PATH although the package $2 was installed: add its folder"; }
  each_missing still_missing
}

# --- all of it -----------------------------------------------------------------------------------------

node='' buildkit='' go=''
# shellcheck source=/dev/null
[ -f "$own/ready" ] && . "$own/ready"
[ -x "$buildkit/buildkitd" ] || { buildkit='' go=''; }

choose_cache
lock
machine
node_step
dependencies_step
bundle_step
write_ready
if needs client || needs daemon; then
  buildkit_step
  write_ready
fi
if needs daemon; then runc_step; fi
if needs test; then test_step; fi
