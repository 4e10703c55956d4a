#!/usr/bin/env bash
# From a checkout to a running book of record with a sample in it, and a tour of what it answers.
#   deploy/quickstart.sh [--dir FOLDER] [--port N] [--preset dev|release] [--build FOLDER] [--journal=segments|kafka]
#   deploy/quickstart.sh --stop  [--dir FOLDER]     ends what runs; the data stays
#   deploy/quickstart.sh --clean [--dir FOLDER] [--yes]   ends what runs and deletes FOLDER (default: .taizhang)
# --build FOLDER takes the binaries of a build that is there, and installs and builds nothing.
# --journal=kafka keeps the journal in a Kafka of its own: one broker, fetched from Maven Central the first time.
# Run again it changes nothing: every command is answered as a duplicate.
set -euo pipefail
from=$PWD
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

dir=$root/.taizhang
port=7610
preset=release
build=
journal=
action=start
yes=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    --port) port=${2:?--port needs a number}; shift 2 ;;
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    --build) build=${2:?--build needs a folder}; shift 2 ;;
    --journal) journal=${2:?--journal needs segments or kafka}; shift 2 ;;
    --journal=*) journal=${1#*=}; shift ;;
    --stop) action=stop; shift ;;
    --clean) action=clean; shift ;;
    --yes) yes=1; shift ;;
    -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown argument $1; see --help" >&2; exit 2 ;;
  esac
done
case $dir in /*) ;; *) dir=$from/$dir ;; esac
case $build in /*|"") ;; *) build=$from/$build ;; esac
case $port in ''|*[!0-9]*) echo "--port: expected a number, got $port" >&2; exit 2 ;; esac
# The folder remembers what it was made with.
marker=$dir/made-by-quickstart
made_with=
if [ -f "$marker" ]; then made_with=$(cat "$marker") && made_with=${made_with:-segments}; fi
journal=${journal:-${made_with:-segments}}
case $journal in segments|kafka) ;; *) echo "--journal: expected segments or kafka, got $journal" >&2; exit 2 ;; esac
if [ -n "$made_with" ] && [ "$made_with" != "$journal" ]; then
  echo "$dir has its journal in $made_with, and a journal does not move; name another folder with --dir" >&2
  exit 1
fi

ledger=990101
prebuilt=$build
build=${build:-$root/build/$preset}
server=$build/apps/taizhangd/taizhangd
cli=$build/apps/taizhang/taizhang
pid_file=$dir/taizhangd.pid
log=$dir/taizhangd.log
export TAIZHANG_CONFIG=$dir/client.textproto

# The process of the pid file, if it is still our server.
running_pid() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$dir/taizhangd.textproto" || return 1
  echo "$pid"
}

broker() { python3 tests/support/kafka_broker.py "$@" --folder "$dir/kafka"; }

stop_all() {
  stop_server
  if [ -d "$dir/kafka" ]; then broker stop; fi
}

stop_server() {
  local pid
  if ! pid=$(running_pid); then
    echo "no server of $dir is running"
    return
  fi
  kill -TERM "$pid"
  for _ in $(seq 300); do
    [ -d "/proc/$pid" ] || { rm -f "$pid_file"; echo "stopped (process $pid)"; return; }
    sleep 0.1
  done
  echo "process $pid did not end in 30 s; its log: $log" >&2
  exit 1
}

if [ "$action" = stop ]; then
  stop_all
  exit 0
fi
if [ "$action" = clean ]; then
  if [ ! -e "$dir" ]; then echo "nothing to delete: $dir is not there"; exit 0; fi
  if [ ! -f "$marker" ]; then
    echo "$dir was not made by this script (no file made-by-quickstart in it); nothing is deleted" >&2
    exit 1
  fi
  echo "This deletes $dir: journal, state, views, tokens, settings, logs ($(du -sh "$dir" | cut -f1))."
  echo "It cannot be undone. The build in build/$preset and installed packages stay."
  if [ -z "$yes" ]; then
    read -r -p "Type the name of the folder ($(basename "$dir")) to go on: " answer || answer=
    [ "$answer" = "$(basename "$dir")" ] || { echo "nothing was deleted"; exit 1; }
  fi
  stop_all
  rm -rf "$dir"
  echo "deleted $dir"
  exit 0
fi

build_binaries() {
  export CCACHE_DIR=${CCACHE_DIR:-$root/.cache/ccache}
  local started=$SECONDS builder
  mkdir -p "$build"
  cmake --preset "$preset" >"$build/configure.log" 2>&1 || { tail -30 "$build/configure.log" >&2; exit 1; }
  if [ -t 1 ]; then
    NINJA_STATUS='[%f/%t, %es] ' ninja -C "$build" taizhangd taizhang
  else
    # No terminal: a line every so often instead of one that rewrites itself.
    NINJA_STATUS='[%f/%t, %es] ' ninja -C "$build" taizhangd taizhang >"$build/build.log" 2>&1 &
    builder=$!
    while kill -0 $builder 2>/dev/null; do
      for _ in $(seq 30); do kill -0 $builder 2>/dev/null || break; sleep 1; done
      tail -1 "$build/build.log" | cut -c1-100
    done
    wait $builder || { grep -A20 FAILED "$build/build.log" | head -60 >&2; exit 1; }
  fi
  echo "built in $((SECONDS - started)) s"
}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }
# Shows a command as it could be typed, then runs it.
show() {
  printf '$ taizhang'
  local word
  for word in "$@"; do
    case $word in *[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  echo
  "$cli" "$@"
}

lists=()
broker_too=
if [ "$journal" = kafka ]; then
  lists=(deploy/packages_kafka.txt)
  broker_too=", a Kafka broker (50 MB from Maven Central the first time)"
fi
if [ -z "$prebuilt" ]; then
  first="install missing Debian packages (some 100 MB to fetch when none is there; needs root or passwordless sudo)"
  second="build taizhangd and taizhang (preset $preset: about 8 minutes on 2 cores the first time, seconds after that)"
else
  first="install nothing"
  second="build nothing: the binaries of $build are taken"
fi
cat <<TEXT
Taizhang quickstart. This will
  1. $first
  2. $second
  3. make $dir with settings, random tokens and data (mode 0700)$broker_too, and start the server on 127.0.0.1:$port
  4. open the sample ledger $ledger, apply the reference data and the sample book, and show what it answers
Nothing else on this machine is touched. --stop ends it, --clean deletes the folder.
TEXT

say "1. Packages"
if [ -z "$prebuilt" ]; then deploy/install_packages.sh ${lists[@]+"${lists[@]}"}; fi
echo "all there"

say "2. Build"
if [ -z "$prebuilt" ]; then build_binaries; fi
for binary in "$server" "$cli"; do
  [ -x "$binary" ] || { echo "$binary is not there" >&2; exit 1; }
done

say "3. Server"
made=
if [ ! -f "$marker" ]; then
  if [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
    echo "$dir is there, is not empty, and was not made by this script; name another one with --dir" >&2
    exit 1
  fi
  mkdir -p "$dir"
  chmod 700 "$dir"
  echo "$journal" >"$marker"
  made=1
fi
umask 077

deploy/make_tokens.sh "$dir" "$ledger"

# Starts the broker if it does not run, and sets journal_settings, the part of the server's settings that names it.
start_broker() {
  local bootstrap
  bootstrap=$(broker start)
  echo "broker: $bootstrap, data and log in $dir/kafka"
  # A trial on one broker: one copy, which the topic's settings have on disk before it counts.
  journal_settings="journal { kafka {
  bootstrap_servers: \"$bootstrap\" topic: \"taizhang.journal\" partitions: 1
  replication_factor: 1 min_insync_replicas: 1
} }"
}

journal_settings=
if pid=$(running_pid); then
  port=$(sed 's/.*://' "$dir/data/address")
  if [ "$journal" = kafka ]; then start_broker; fi
  echo "already running: process $pid, 127.0.0.1:$port"
else
  for wanted in "$port" "$((port + 2))"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$wanted") 2>/dev/null; then
      echo "port $wanted is taken by another program: stop it, or run $0 --port N (N and N + 2 are used)" >&2
      [ -z "$made" ] || rm -rf "$dir"
      exit 1
    fi
  done
  if [ "$journal" = kafka ]; then start_broker; fi
  cat >"$dir/taizhangd.textproto" <<TEXT
data_dir: "data"
listen: "127.0.0.1:$port"
admin_listen: "127.0.0.1:$((port + 2))"
token_file: "tokens.textproto"
metrics_port: 0
$journal_settings
TEXT
  if [ "$journal" = kafka ]; then "$cli" journal create --config "$dir/taizhangd.textproto"; fi
  rm -f "$dir/data/address"
  setsid "$server" --config "$dir/taizhangd.textproto" --role=all >>"$log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$pid_file"
  for _ in $(seq 600); do
    [ -s "$dir/data/address" ] && break
    [ -d "/proc/$pid" ] || break
    sleep 0.1
  done
  if [ ! -s "$dir/data/address" ] || [ ! -d "/proc/$pid" ]; then
    echo "the server did not start; the end of its log ($log):" >&2
    tail -5 "$log" >&2
    exit 1
  fi
  echo "started: process $pid, 127.0.0.1:$port, log $log"
fi
sed -i '/^address:/d' "$TAIZHANG_CONFIG"
sed -i "1i address: \"127.0.0.1:$port\"" "$TAIZHANG_CONFIG"
# On Kafka it answers before it decides: first it reads its own claim.
for _ in $(seq 300); do
  "$cli" ledger status --json | grep -q '"serving":true' && break
  sleep 0.1
done

say "4. Ledger $ledger, reference data, sample book"
show ledger open $ledger --kind COUNTY --name 示例县 --on 2012-01-01 --request-id 5d2c6c4e-3f0a-4c53-9d0b-6a2a0c9901a1
reference=$(show apply deploy/reference.jsonl) || { echo "$reference"; exit 1; }
echo "$reference"
sample=$(show apply deploy/sample.jsonl) || { echo "$sample"; exit 1; }
echo "$sample"
last=${sample##*last seq }
case "$reference $sample" in *": 0 accepted"*": 0 accepted"*)
  echo "Nothing was changed: every command had been answered before." ;;
esac

# Ids of the sample book.
household=$("$cli" household list --limit 1 --json --at-least-seq "$last" | sed -n 's/.*"household_id":"\([^"]*\)".*/\1/p')
line=6a13651f-9ec1-5b30-9c59-d34ab44645bd
asset=$("$cli" asset list --limit 1 --state HANDED_OVER --json --at-least-seq "$last" | sed -n 's/.*"asset_id":"\([^"]*\)".*/\1/p')
on=2017-12-31

say "A household's page"
show household show "$household" --on $on
say "A fund line with its balance"
show fund show $line --on $on --at-least-seq "$last"
say "An asset handed over"
show asset show "$asset" --on $on
say "The history of one figure: who, when, why, from which document"
show fund history $line --figure paid
say "A refusal"
refused='{"context": {"source": {"kind": "KIND_FORM"}}, "payment_id": "00000000-0000-4000-8000-000000000001",
 "fund_line_id": "'$line'", "purpose": "TERRACE", "region": "990101100201", "amount_fen": "100000",
 "payee": {"label": {"text": "××合作社", "masked": true}}, "paid_date": {"year": 2017, "month": 9, "day": 1},
 "evidence": [{"document_id": "00000000-0000-4000-8000-000000000002", "kind": "RECEIPT", "title": "收据"}],
 "approved_by": "0e0f4259-d071-5c3e-95b9-40a8943ce833"}'
show call funds.SpendDirectly "$refused" && { echo "it should have been refused" >&2; exit 1; }
say "A repeated request: the first answer again, nothing written"
first=$(grep -m1 '"funds.SpendDirectly"' deploy/sample.jsonl | sed "s/.*\"request\": //; s/}\$//; s/\${LEDGER}/$ledger/")
echo '$ taizhang call funds.SpendDirectly (the first payment of deploy/sample.jsonl, again) --json'
again=$("$cli" call funds.SpendDirectly "$first" --json)
echo "$again" | cut -c1-400
paid_seq=$(echo "$again" | sed -n 's/.*"last_seq":"\([0-9]*\)".*/\1/p')
say "The state as of an earlier moment: after the first payment, before the second was recorded"
show fund show $line --on $on --as-of-seq "$paid_seq"

token=$(sed -n 's/.*name: "maker" token: "\([^"]*\)".*/\1/p' "$TAIZHANG_CONFIG")
say "Next"
cat <<TEXT
  export PATH=$build/apps/taizhang:\$PATH TAIZHANG_CONFIG=$TAIZHANG_CONFIG
  taizhang --help
  taizhang household list --status LIFTED --on $on
  taizhang visit list --overdue --on 2017-10-01
  taizhang fund list --on $on
  taizhang events follow --after $((last - 3))
  taizhang doctor --server-config $dir/taizhangd.textproto

With grpcurl (the token is the maker's; everybody's stand in $TAIZHANG_CONFIG):
  grpcurl -plaintext 127.0.0.1:$port list
  grpcurl -plaintext -max-time 10 -H 'authorization: Bearer $token' \\
    -d '{"ledger": "$ledger", "fund_line_ids": ["$line"]}' \\
    127.0.0.1:$port taizhang.fund_execution.v1.FundExecutionService/Progress

  deploy/quickstart.sh --stop      deploy/quickstart.sh --clean
TEXT
