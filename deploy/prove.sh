#!/usr/bin/env bash
# Proves deploy/install.sh without pulling an image: debootstrap makes a bare Debian 12, the script is run in it, and what
# came of it is used as the image would be used: by a user who is not root, with one folder that can be written to, and
# without a network. The environment, the user and the health check are read from deploy/Dockerfile.
#
#   prove.sh WHEEL        root runs it
#
# How this machine gets packages is handed in for the installing alone, and written nowhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wheel=$(realpath "$1")

skip() { echo "containers: NOT PROVEN HERE: $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip "it takes root"
command -v debootstrap > /dev/null || skip "debootstrap is not installed"
unshare --mount --pid --net --fork true 2> /dev/null || skip "there can be no namespaces here"

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
export IMAGE="$work/image" HANDED="$work/handed" VOLUME="$work/volume"
mkdir "$HANDED" "$HANDED/wheels" "$VOLUME"

# Addresses of packages are nobody's business, in a log as well.
quiet() {
  local log="$work/log"
  "$@" > "$log" 2>&1 || { sed -E 's#(https?|ftp)://[^[:space:]"]*#(an address)#g' "$log" | tail -40; return 1; }
}

step() { printf 'containers: %-58s %4d s\n' "$*" "$SECONDS"; }

# shellcheck disable=SC2016 # apt fills that in
# A bare Debian 12, from where this machine's own packages come if it is one.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Created-By: Packages' \
  2> /dev/null | head -n 1)
quiet debootstrap --variant=minbase bookworm "$IMAGE" ${mirror:+"$mirror"} || { echo "containers: no Debian 12"; exit 1; }
step "a bare Debian 12"

# pip inside is given the packages themselves, and so needs neither an address nor a network.
quiet python3 -m pip download --python-version 3.11 --only-binary=:all: --dest "$HANDED/wheels" "$wheel[serve]"
cp "$here/install.sh" "$here/sbom.py" "$HANDED"
step "what pip is to install"

# apt is set up as here, by what is laid over its folders while the script runs, if here is Debian 12, too.
cat > "$work/installing" <<'INSIDE'
set -euo pipefail
mount -t proc proc "$IMAGE/proc"
mount -t devpts devpts "$IMAGE/dev/pts"
mkdir "$IMAGE/run/understudy"
mount --bind "$HANDED" "$IMAGE/run/understudy"
if grep -q VERSION_CODENAME=bookworm /etc/os-release; then
  for folder in /etc/apt /usr/share/keyrings; do
    mkdir -p "$HANDED$folder"
    cp -a "$folder/." "$HANDED$folder"
    mount --bind "$HANDED$folder" "$IMAGE$folder"
  done
fi
given=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [ -z "${!name:-}" ] || given+=("$name=${!name}")
done
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$HANDED/certificates"
  echo 'Acquire::https::CaInfo "/run/understudy/certificates";' > "$HANDED/apt.conf"
  given+=(APT_CONFIG=/run/understudy/apt.conf)
fi
exec chroot "$IMAGE" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "${given[@]}" \
  PIP_NO_INDEX=1 PIP_FIND_LINKS=/run/understudy/wheels sh /run/understudy/install.sh "/run/understudy/wheels/$1" --image
INSIDE
quiet unshare --mount --pid --fork --kill-child bash "$work/installing" "$(basename "$wheel")"
rmdir "$IMAGE/run/understudy"
step "deploy/install.sh"

# As a container has it: everything read-only but the volume, few devices, no network, no privileges.
cat > "$work/running" <<'INSIDE'
set -euo pipefail
mount --bind "$IMAGE" "$IMAGE"
cd "$IMAGE"
# The container's own loopback, which nothing from outside reaches: SIOCSIFFLAGS, IFF_UP | IFF_RUNNING (netdevice(7)).
python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'
mount --bind "$VOLUME" data
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
mount -o remount,ro tmpfs dev
mount -o remount,ro,bind .
readarray -t environment < <(sed -n 's/^ENV //p' "$DOCKERFILE")
user=$(sed -n 's/^USER //p' "$DOCKERFILE")
inside() {
  chroot . setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs --bounding-set=-all \
    env -i --chdir=/data PATH=/usr/local/bin:/usr/bin:/bin "${environment[@]}" "$@"
}
says() { printf '$ %s\n' "$*"; inside "$@"; }

test "$(inside id -u)" = 10001
test "$(inside cat /proc/net/route | wc -l)" -le 1
for place in / /opt/understudy /tmp /run /dev; do
  ! inside touch "$place/written" 2> /dev/null || { echo "$place can be written to"; exit 1; }
done
says understudy demo --seconds 2 --output-dir /data/demo
test -s data/demo/side-by-side.mp4
says understudy doctor
photo=$(inside /opt/understudy/bin/python -c 'from understudy.testing import portrait_path; print(portrait_path("hopper"))')
says understudy jobs add demo/sample.mp4 --source "$photo" --to /data/done --consent sample
says understudy jobs run
test -s data/done/sample.mp4
says understudy inspect done/sample.mp4
readarray -t health < <(python3 -c "import json, re, sys
print(*json.loads(re.search(r'^HEALTHCHECK .*CMD (.*)', open(sys.argv[1]).read(), re.M)[1]), sep='\n')" "$DOCKERFILE")
printf '$ %s\n' "${health[*]}"
inside "${health[@]}" | python3 -c 'import json, sys; assert json.load(sys.stdin)["counts"]["done"] == 1'
test "$(stat -c %a data/understudy)" = 700

# The server: healthy, and a request with a token is served.
token=$(inside understudy token add proof 2> /dev/null)
printf '$ understudy serve --runners 0\n'
inside understudy serve --runners 0 &
answer() { inside /opt/understudy/bin/python -c '
import sys, urllib.request
asked = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
print(urllib.request.urlopen(asked, timeout=10).read().decode())' "http://127.0.0.1:8770$1" "$token"; }
for _ in $(seq 60); do answer /ready > /dev/null 2>&1 && break; sleep 0.5; done
answer /ready
answer /api/v1/me | grep -q '"name":"proof"'
INSIDE
chown 10001:10001 "$VOLUME"
DOCKERFILE="$here/Dockerfile" unshare --mount --pid --net --ipc --uts --fork --kill-child bash "$work/running"
step "demo, doctor, a job, the health check, a served request"

python3 - "$IMAGE/opt/understudy/sbom.cdx.json" "$IMAGE/var/lib/dpkg/status" <<'CHECK'
import json, sys
listed = json.load(open(sys.argv[1]))["components"]
debian = {part["name"] for part in listed if part["purl"].startswith("pkg:deb/")}
python = {part["name"] for part in listed if part["purl"].startswith("pkg:pypi/")}
there = {line[9:-1] for line in open(sys.argv[2]) if line.startswith("Package: ")}
assert debian <= there and {"python3", "libc6", "ca-certificates"} <= debian, there ^ debian
assert {"understudy", "numpy", "av", "onnxruntime"} <= python, python
without = [part["name"] for part in listed if not part.get("licenses")]
print(f"inside: {len(debian)} packages of Debian, {len(python)} of Python; without a stated licence: {without or 'none'}")
CHECK
du -sh --exclude=proc "$IMAGE" | sed "s#$IMAGE#in all#"
step "proven"
