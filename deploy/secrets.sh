#!/usr/bin/env bash
# bash deploy/secrets.sh: makes what is missing in secrets/, and nothing twice. Values that stand in .env are
# taken over; strike them there afterwards. A new password: delete its file, run this, docker compose up -d.
# The keys of the database's contents (token_keys) change as docs/operations.md says, not so.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets # also one that was there before
cd secrets
said() { [ ! -f ../.env ] || sed -n "s/^$1=//p" ../.env | head -n 1; }
keep() { # FILE NAME-IN-.env COMMAND…
  [ -s "$1" ] || { value=$(said "$2"); printf '%s' "${value:-$("${@:3}")}" > "$1"; }
}
keep secret_key SECRET_KEY openssl rand -base64 48
keep token_keys TOKEN_KEYS sh -c "openssl rand -base64 32 | tr '+/' '-_'"
keep postgres_password POSTGRES_PASSWORD openssl rand -hex 24
keep app_password - openssl rand -hex 24
keep redis_password - openssl rand -hex 24
# Certificates between our own; ten years for the authority, one for each server. Renew: delete *_cert.
[ -s inner_ca ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
  -subj "/CN=Botschaft inside" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
  -keyout inner_ca_key -out inner_ca 2> /dev/null
for name in web postgres redis; do
  [ -s "${name}_cert" ] || {
    rm -f "${name}_key"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "${name}_key" 2> /dev/null |
      openssl x509 -req -days 398 -CA inner_ca -CAkey inner_ca_key -out "${name}_cert" 2> /dev/null \
        -extfile <(printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:%s,IP:127.0.0.1\n' "$name")
  }
done
# The containers' users read them; the folder lets nobody else on this machine in. inner_ca_key is given to none.
find . -type f ! -name inner_ca_key -exec chmod 444 {} +
for name in site_cert site_key; do
  [ -s "$name" ] || echo "Put the certificate of your address into secrets/: $name is missing."
done
