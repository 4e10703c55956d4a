#!/usr/bin/env bash
# Tokens for a trial: FOLDER/tokens.textproto for the server (hashed) and FOLDER/client.textproto for `taizhang` (plain),
# both of mode 0600. With both there already it does nothing.
#   deploy/make_tokens.sh FOLDER LEDGER
set -euo pipefail
dir=${1:?a folder}
ledger=${2:?a ledger code}
if [ -f "$dir/tokens.textproto" ] && [ -f "$dir/client.textproto" ]; then exit 0; fi
umask 077

# Profile: name, role, organisation. The checker acts for the village committee that takes the sample's assets over.
profiles='operator ROLE_OPERATOR -
maker ROLE_MAKER -
checker ROLE_CHECKER 6e9cbb94-5d91-51c2-b356-daf718c338b2
reader ROLE_READER -'
{
  echo "ledger: \"$ledger\""
  echo 'default_profile: "maker"'
} >"$dir/client.textproto.part"
: >"$dir/tokens.textproto"
while read -r name role org; do
  token=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n')
  echo "profiles { name: \"$name\" token: \"$token\" }" >>"$dir/client.textproto.part"
  {
    echo "profiles {"
    echo "  name: \"$name\" subject: \"$name\" roles: $role everywhere: true"
    [ "$org" = - ] || echo "  org_id: \"$org\""
    echo "  token_sha256: \"$(printf %s "$token" | sha256sum | cut -d' ' -f1)\""
    echo "}"
  } >>"$dir/tokens.textproto"
done <<<"$profiles"
mv "$dir/client.textproto.part" "$dir/client.textproto"
