#!/usr/bin/env bash
# Makes the throw-away certificates of this folder: good for a hundred years, by an authority whose key is deleted here.
set -euo pipefail
cd "$(dirname "$0")"
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
authority=$(mktemp -d)
trap 'rm -rf "$authority"' EXIT
openssl req -x509 "${curve[@]}" -keyout "$authority/ca.key" -out ca.crt -days 36500 -subj '/CN=countersign THROW-AWAY' 2> "$authority/log"
for name in identity-registry auth-exchange authorization-check; do
  mkdir -p "$name"
  names=""
  for host in "$name" "$name-headless"; do
    for suffix in "" .countersign.svc .countersign.svc.cluster.local; do names+="DNS:$host$suffix,"; done
  done
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n' "${names%,}" > "$authority/extensions"
  openssl req "${curve[@]}" -keyout "$name/tls.key" -out "$authority/request" -subj "/CN=$name THROW-AWAY" 2> "$authority/log"
  openssl x509 -req -in "$authority/request" -CA ca.crt -CAkey "$authority/ca.key" -days 36500 -extfile "$authority/extensions" -out "$name/tls.crt" 2> "$authority/log"
done
