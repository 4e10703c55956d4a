#!/usr/bin/env bash
# Who may do what with the topics of a journal. Safe to repeat. Run once by a super user (a node's certificate), after
# `taizhang journal create`:
#   deploy/kafka/acls.sh --bootstrap HOST:PORT --command-config FILE --topic JOURNAL
#       [--clean TOPIC] [--writer NAME] [--reader NAME] [--admin NAME]
# FILE: client properties of the super user. Names are the CN of the certificates; defaults taizhang-writer,
# taizhang-reader, kafka-admin. kafka-acls.sh of a Kafka installation must be in PATH.
set -euo pipefail

bootstrap='' command_config='' topic='' clean='' writer=taizhang-writer reader=taizhang-reader admin=kafka-admin
while [ $# -gt 0 ]; do
  case $1 in
    --bootstrap) bootstrap=${2:?}; shift 2 ;;
    --command-config) command_config=${2:?}; shift 2 ;;
    --topic) topic=${2:?}; shift 2 ;;
    --clean) clean=${2:?}; shift 2 ;;
    --writer) writer=${2:?}; shift 2 ;;
    --reader) reader=${2:?}; shift 2 ;;
    --admin) admin=${2:?}; shift 2 ;;
    -h|--help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown argument $1; see --help" >&2; exit 2 ;;
  esac
done
for needed in bootstrap command_config topic; do
  [ -n "${!needed}" ] || { echo "--${needed//_/-} is missing; see --help" >&2; exit 2; }
done

add() { kafka-acls.sh --bootstrap-server "$bootstrap" --command-config "$command_config" --add "$@"; }

# The journal: the writer writes, both read it and its settings, which are checked at every start and every hour.
add --topic "$topic" --topic "$topic.heartbeat" --allow-principal "User:$writer" --operation Read --operation Write \
  --operation DescribeConfigs
add --topic "$topic" --topic "$topic.heartbeat" --allow-principal "User:$reader" --operation Read \
  --operation DescribeConfigs

# The clean topic: a reader's process publishes it; every client with a certificate may read it, in any group.
if [ -n "$clean" ]; then
  add --topic "$clean" --allow-principal "User:$reader" --operation Read --operation Write --operation DescribeConfigs
  add --topic "$clean" --group '*' --allow-principal 'User:*' --operation Read --operation Describe
fi

# The administrator looks after the cluster and makes topics …
add --cluster --allow-principal "User:$admin" --operation All
add --topic '*' --allow-principal "User:$admin" --operation Create --operation Describe --operation DescribeConfigs \
  --operation Alter --operation AlterConfigs
# … but a denial beats every permission: nobody deletes the journal or records of it (Delete), gives it retention or
# another setting (AlterConfigs) or more partitions (Alter). Who must, removes this first: two steps, both in the log.
add --topic "$topic" --deny-principal 'User:*' --operation Delete --operation AlterConfigs --operation Alter
