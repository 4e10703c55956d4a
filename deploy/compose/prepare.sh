#!/usr/bin/env bash
# Before the first start of compose.yaml's writer and reader: tokens for callers, topics for the journal. Safe to repeat.
set -euo pipefail
/opt/taizhang/make_tokens.sh /etc/taizhang 990101
grep -q '^address:' /etc/taizhang/client.textproto || echo 'address: "127.0.0.1:7610"' >>/etc/taizhang/client.textproto
taizhang journal create --config /etc/taizhang/writer.textproto
