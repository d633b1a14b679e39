#!/usr/bin/env bash
# A container engine for a Debian machine that has none, and the base images of the Dockerfiles where no registry is reached.
# `nox -s compose` uses it by itself when no engine answers; where one does, this script is not needed.
#
#   engine.sh up       install what is missing, start dockerd, get or make the base images
#   engine.sh stop     stop every container and the dockerd that `up` started
#   engine.sh purge    stop, then delete that engine's images, volumes and state
#
# Run as root. What is there already is kept. An image that cannot be pulled is made of this machine's own Debian, Python
# and Go, under the public image's name, with the machine's certificate authorities in it: fit for tests, never to be published.
#
# STATE  folder for the engine's data, log and pid (default /var/lib/docker-engine)
set -euo pipefail

STATE=${STATE:-/var/lib/docker-engine}
PYTHON_SERIES=3.12      # as the Dockerfiles have them
GO_SERIES=1.26
SUITE=bookworm          # what the images hold
ENGINE_SUITE=trixie     # whose engine and compose also run on bookworm; bookworm's own are too old
PID_FILE=$STATE/dockerd.pid
LOG=$STATE/dockerd.log
WORK=                   # scratch folder, made when needed
cleanup() { if [ -n "$WORK" ]; then rm -rf "$WORK"; fi; }
trap cleanup EXIT

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() { say "error: $*"; exit 1; }
answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
scratch() { if [ -z "$WORK" ]; then WORK=$(mktemp -d); chmod 755 "$WORK"; fi; }
as_root() { [ "$(id -u)" = 0 ] || die "run as root"; }

# The machine's Debian mirror and its key ring, read from its own sources.
read_sources() {
    SOURCES=/etc/apt/sources.list.d/debian.sources
    [ -r "$SOURCES" ] || SOURCES=/etc/apt/sources.list
    [ -r "$SOURCES" ] || die "no Debian apt sources found"
    MIRROR=$(awk '!/^#/ && match($0, /https?:[^ ]+/) {print substr($0, RSTART, RLENGTH); exit}' "$SOURCES")
    KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -n "$MIRROR" ] && [ -r "$KEYS" ] || die "no mirror or key ring in $SOURCES"
}

install_engine() {
    if command -v dockerd >/dev/null && docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1
    then return; fi
    as_root
    local packages=(docker{.io,-cli,-compose,-buildx} containerd)
    export DEBIAN_FRONTEND=noninteractive
    say "installing ${packages[*]} from $ENGINE_SUITE"
    read_sources
    scratch
    apt-get update -qq
    # A private apt configuration, so that the machine's own is left as it is.
    local apt=$WORK/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
    echo "deb [signed-by=$KEYS] $MIRROR $ENGINE_SUITE main" > "$apt/sources.list"
    local options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
        -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -qq)
    apt-get "${options[@]}" update
    (cd "$apt/debs" && apt-get "${options[@]}" download "${packages[@]/%//$ENGINE_SUITE}")
    apt-get install -y -qq --no-install-recommends "$apt"/debs/*.deb iptables > "$WORK/install.log" 2>&1 \
        || { tail -20 "$WORK/install.log" >&2; die "the engine's packages do not install"; }
}

start_engine() {
    if answers; then say "an engine answers already"; return; fi
    as_root
    mkdir -p "$STATE"
    # The uplink's packet size, so that large packets pass on bridges too.
    local uplink mtu=1500
    uplink=$(awk '$2 == "00000000" {print $1; exit}' /proc/net/route)
    if [ -r "/sys/class/net/$uplink/mtu" ]; then mtu=$(cat "/sys/class/net/$uplink/mtu"); fi
    say "starting dockerd (log: $LOG)"
    setsid nohup dockerd --storage-driver=overlay2 --data-root "$STATE/data" --exec-root "$STATE/exec" \
        --pidfile "$PID_FILE" --mtu "$mtu" --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" \
        > "$LOG" 2>&1 < /dev/null &
    local started=$!
    for _ in $(seq 120); do
        if answers; then return; fi
        kill -0 "$started" 2>/dev/null || break
        sleep 0.5
    done
    tail -20 "$LOG" >&2
    die "dockerd does not answer"
}

# have_image TAG: it is here, or a registry has it.
have_image() { docker image inspect "$1" >/dev/null 2>&1 || docker pull -q "$1" >/dev/null 2>&1; }

# build TAG ARGUMENT...: docker build with the Dockerfile on standard input, its output shown when it fails.
build() {
    scratch
    docker build --progress=plain -t "$@" > "$WORK/build.log" 2>&1 || { tail -30 "$WORK/build.log" >&2; die "$1 does not build"; }
}

make_debian() {
    if docker image inspect debian:$SUITE-slim >/dev/null 2>&1; then return; fi
    say "making debian:$SUITE-slim"
    command -v mmdebstrap >/dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null 2>&1; }
    read_sources
    scratch
    # In memory where there is room: dpkg syncs every file.
    local fast=/dev/shm
    if [ "$(df --output=avail -k $fast 2>/dev/null | tail -1)" -lt 2000000 ]; then fast=$WORK; fi
    cat > "$WORK/authorities" <<'HOOK'
#!/bin/sh
set -eu
mkdir -p "$1/usr/local/share/ca-certificates"
for authority in /usr/local/share/ca-certificates/*.crt; do
    if [ -r "$authority" ]; then cp "$authority" "$1/usr/local/share/ca-certificates/"; fi
done
chroot "$1" update-ca-certificates >/dev/null 2>&1
# pip and uv carry their own list of authorities: point them at the system's.
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' > "$1/etc/pip.conf"
mkdir -p "$1/etc/uv"
printf 'native-tls = true\n' > "$1/etc/uv/uv.toml"
HOOK
    chmod +x "$WORK/authorities"
    # The libraries are Python's: one root serves every image.
    TMPDIR=$fast mmdebstrap --quiet --variant=minbase \
        --include=ca-certificates,netbase,tzdata,libssl3,libsqlite3-0,libffi8,libreadline8,libbz2-1.0,liblzma5,libncursesw6,libuuid1,zlib1g,libnsl2,libgdbm6,libexpat1 \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
        --customize-hook="$WORK/authorities" \
        $SUITE "$WORK/debian.tar" "$SOURCES"
    docker import -c 'CMD ["bash"]' -c 'LABEL look-alike=true' "$WORK/debian.tar" debian:$SUITE-slim >/dev/null
    rm -f "$WORK/debian.tar"
}

find_python() {
    local version
    if command -v pyenv >/dev/null; then
        version=$(pyenv versions --bare | grep -E "^${PYTHON_SERIES//./\\.}\.[0-9]+$" | sort -V | tail -1 || true)
        if [ -n "$version" ]; then pyenv prefix "$version"; return; fi
    fi
    "python$PYTHON_SERIES" -c 'import sys; print(sys.base_prefix)' 2>/dev/null || true
}

make_python() {
    local image=python:$PYTHON_SERIES-slim-$SUITE prefix
    if have_image "$image"; then return; fi
    prefix=$(find_python)
    [ -n "$prefix" ] || die "$image cannot be pulled, and this machine has no Python $PYTHON_SERIES to make it of"
    [ "$prefix" != /usr ] || die "Python $PYTHON_SERIES is a Debian package here; the copy needs one with its own prefix"
    make_debian
    say "making $image"
    scratch
    mkdir -p "$WORK/python/local"
    tar -C "$prefix" -c --exclude=__pycache__ --exclude='*.a' --exclude='lib/python*/site-packages/*' --exclude='lib/python*/test' \
        --exclude='lib/python*/idlelib' --exclude='lib/python*/tkinter' --exclude='lib/python*/turtledemo' \
        --exclude='_tkinter*.so' bin include lib | tar -C "$WORK/python/local" -x
    # Keep the interpreter; pip comes back below from the copy bundled with it.
    find "$WORK/python/local/bin" -mindepth 1 ! -name "python*" -delete
    rm -f "$WORK/python/local/bin/"python*-config "$WORK/python/local/bin/"python*-gdb.py
    grep -rlI -- "$prefix" "$WORK/python/local/lib" "$WORK/python/local/include" | xargs -r sed -i "s#$prefix#/usr/local#g"
    build "$image" -f - "$WORK/python" <<EOF
FROM debian:$SUITE-slim
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
COPY local/ /usr/local/
RUN ldconfig && ln -sf python$PYTHON_SERIES /usr/local/bin/python3 && ln -sf python3 /usr/local/bin/python \\
 && python3 -m ensurepip && ln -sf pip3 /usr/local/bin/pip && python3 -c 'import ssl, sqlite3, ctypes, lzma, bz2, readline'
CMD ["python3"]
EOF
    rm -rf "$WORK/python"
}

make_go() {
    local root image=golang:$GO_SERIES-$SUITE
    if have_image "$image"; then return; fi
    case $(go env GOVERSION 2>/dev/null || true) in
    "go$GO_SERIES" | "go$GO_SERIES."*) ;;
    *) die "$image cannot be pulled, and this machine has no Go $GO_SERIES to make it of" ;;
    esac
    root=$(go env GOROOT)
    make_debian
    say "making $image"
    build "$image" -f - "$root" <<EOF
FROM debian:$SUITE-slim
ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY bin /usr/local/go/bin
COPY pkg /usr/local/go/pkg
COPY src /usr/local/go/src
COPY lib /usr/local/go/lib
COPY go.env VERSION /usr/local/go/
WORKDIR /go
EOF
}

stop_engine() {
    if [ ! -r "$PID_FILE" ] || ! kill -0 "$(cat "$PID_FILE")" 2>/dev/null; then say "no dockerd of this script runs"; return; fi
    local pid containers
    pid=$(cat "$PID_FILE")
    containers=$(docker ps -q 2>/dev/null || true)
    if [ -n "$containers" ]; then echo "$containers" | xargs docker stop -t 5 >/dev/null; fi
    kill -TERM "$pid"
    for _ in $(seq 60); do
        if ! kill -0 "$pid" 2>/dev/null; then say "dockerd stopped"; return; fi
        sleep 0.5
    done
    die "dockerd ($pid) does not stop"
}

case ${1:-} in
up)
    install_engine
    start_engine
    make_python
    make_go
    say "engine $(docker version --format '{{.Server.Version}}') is ready; stop it with: $0 stop"
    ;;
stop) stop_engine ;;
purge)
    stop_engine
    rm -rf "$STATE"
    ;;
*) die "what to do? $0 up, stop or purge" ;;
esac
