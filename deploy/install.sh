#!/bin/sh
# Takes a bare Debian 12 to a working `understudy`. This is all that the images are made by; without --image it works as
# well on a machine that is used for other things. Root runs it once.
#
#   install.sh WHEEL [--image] [--extra NAME]... [--onnxruntime WHAT] [--model NAME --accept-licences]...
#
#   WHEEL              the package: understudy-*.whl, as `make wheel` writes it
#   --image            this system is for the program alone: Debian's packages are brought up to date, what only the
#                      installing needed is removed, and no program makes anybody root any more (nor `sudo`, nor `su`)
#   --extra NAME       an extra of the package besides `serve`, such as openvino; several times
#   --onnxruntime WHAT another ONNX Runtime in place of the one for processors, as pip takes it: 'onnxruntime-gpu[cuda,cudnn]',
#                      or a file
#   --model NAME       put a model of the catalogue inside, as an archive in /opt/understudy/models; several times
#   --accept-licences  the licences of those models are known and accepted
#
# Where packages come from is not said here: apt and pip are asked as they are set up (/etc/apt, /etc/pip.conf, PIP_*).
#
# It leaves: the program in /opt/understudy, and on the path; a list of all that is inside, /opt/understudy/sbom.cdx.json
# (CycloneDX). In an image also a user `understudy` (10001) who owns nothing of it, and /data, the only place that is
# written to.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=/opt/understudy
wheel='' image='' extras='' onnxruntime='' models='' accepted=''

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 2; }

while [ $# -gt 0 ]; do
  case $1 in
    --image) image=yes ;;
    --extra) extras="${extras:+$extras,}${2:?--extra takes a name}"; shift ;;
    --onnxruntime) onnxruntime=${2:?--onnxruntime says which}; shift ;;
    --model) models="$models ${2:?--model takes a name}"; shift ;;
    --accept-licences) accepted=yes ;;
    -*) fail "there is no option $1" ;;
    *) [ -z "$wheel" ] || fail "one wheel, not two: $wheel, $1"; wheel=$1 ;;
  esac
  shift
done
[ -f "$wheel" ] || fail "no such wheel: '$wheel'. \`make wheel\` writes one into dist/."
[ -z "$models" ] || [ -n "$accepted" ] || fail "models have licences, most forbid commercial use: --accept-licences"
[ "$(id -u)" = 0 ] || fail "root runs it"

echo "install.sh: Debian's packages"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
[ -z "$image" ] || apt-get -qq -y upgrade > /dev/null
apt-get -qq -y install --no-install-recommends ca-certificates python3 python3-venv > /dev/null

echo "install.sh: the program"
python3 -m venv "$root"
pip() { "$root/bin/python" -m pip --disable-pip-version-check --no-cache-dir "$@"; }
pip install --quiet "$wheel[serve${extras:+,$extras}]"
if [ -n "$onnxruntime" ]; then
  pip uninstall --quiet --yes onnxruntime
  pip install --quiet "$onnxruntime"
fi
ln -sf "$root/bin/understudy" /usr/local/bin/understudy

if [ -n "$models" ]; then
  echo "install.sh: models:$models"
  mkdir -p "$root/models"
  for model in $models; do
    store=$(mktemp -d)
    understudy models pull "$model" --accept-licence --home "$store/home"
    understudy models export "$model" --output "$root/models/$model.zip" --home "$store/home"
    rm -rf "$store"
  done
fi

if [ -n "$image" ]; then
  echo "install.sh: the user, and what an image does without"
  id understudy > /dev/null 2>&1 || useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin understudy
  mkdir -p /data
  # As /tmp is: whoever runs the image, under whatever number, may begin a private folder there.
  chmod 1777 /data

  # What was needed to install only.
  pip uninstall --quiet --yes setuptools pip 2> /dev/null || true
  apt-get -qq -y purge --auto-remove python3-venv > /dev/null
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
  # Nobody becomes root by a program that may.
  find / -xdev -type f -perm /6000 -exec chmod a-s {} +
fi

"$root/bin/python" "$here/sbom.py" "$root/sbom.cdx.json"
understudy --version
