#!/usr/bin/env bash
# Puts Debian's vsftpd, Pure-FTPd and ProFTPD under .tools/ftp for the tests, and nothing on a second start. Each is
# unpacked into a folder of its own, with those libraries that this machine lacks: installed, each conflicts with the
# others. Needs root, as the servers do. On a machine without apt-get it says so, and the tests skip these servers.
set -euo pipefail
cd "$(dirname "$0")/.."
ftp=.tools/ftp

if ! command -v apt-get >/dev/null; then
  echo "No apt-get here: the tests run without vsftpd, Pure-FTPd and ProFTPD."
  exit 0
fi

updated=
apt() {
  if [ -z "$updated" ]; then
    apt-get update -qq
    updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The tests make passwords' hashes and certificates with it.
if ! command -v openssl >/dev/null; then
  echo "openssl: installing"
  apt openssl
fi

# fetch KIND PROGRAM PACKAGE…
fetch() {
  local kind=$1 program=$2 work deb
  shift 2
  if [ -x "$ftp/$kind/$program" ]; then
    echo "$kind: there"
    return
  fi
  rm -rf "${ftp:?}/$kind"
  mkdir -p "$ftp"
  work=$(mktemp -d "$ftp/fetch-XXXXXX")
  mkdir -p "$work/packages/partial"
  # Downloading only: apt picks what is missing here, and nothing is installed or removed.
  apt --download-only --reinstall -o "Dir::Cache::archives=$PWD/$work/packages" -o APT::Sandbox::User=root "$@"
  for deb in "$work"/packages/*.deb; do dpkg -x "$deb" "$work/$kind"; done
  mv "$work/$kind" "$ftp/$kind"
  rm -rf "$work"
  echo "$kind: fetched"
}

fetch vsftpd usr/sbin/vsftpd vsftpd libnss-wrapper
fetch pure-ftpd usr/sbin/pure-ftpd pure-ftpd libnss-wrapper
fetch proftpd usr/sbin/proftpd proftpd-core proftpd-mod-crypto
