#!/usr/bin/env bash
# Builds the gRPC-free unit, contract, fault and simulation tests with a sanitizer and runs them.
#   tests/sanitize.sh asan|tsan [test names]
# Debian's gRPC, Abseil, RocksDB and protobuf are not instrumented: tests that need gRPC stay out, and the thread sanitizer
# takes what has threads of its own and no map field (those of the uninstrumented protobuf crash under it).
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-}
case $preset in
  asan) tests=(base_test journal_test journal_segments_test contract_test segment_faults_test state_test domain_test rules_test
               registry_test assistance_test funds_test assets_test subscriptions_test admin_test integration_test
               writer_unit_test projection_test ledger_view_test delivery_test lists_test replay_test republish_test
               simulation_test) ;;
  tsan) tests=(base_test journal_test journal_segments_test contract_test writer_unit_test projection_test) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
shift
[ $# -eq 0 ] || tests=("$@")

deploy/install_packages.sh deploy/packages_kafka.txt
export CCACHE_DIR=${CCACHE_DIR:-$PWD/.cache/ccache}
cmake --preset "$preset" >/dev/null
ninja -C "build/$preset" --quiet "${tests[@]}"
failed=0
for name in "${tests[@]}"; do
  binary=$(find "build/$preset" -type f -perm -u+x -name "$name" | head -n 1)
  broker=()
  # librdkafka's threads are unknown to the thread sanitizer: there the contract has no Kafka.
  [ "$preset $name" != "asan contract_test" ] || broker=(python3 tests/support/kafka_broker.py run --)
  ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions=tests/support/tsan_suppressions.txt \
    ${broker[@]+"${broker[@]}"} "$binary" --gtest_brief=1 || { failed=$((failed + 1)); echo "FAILED: $name"; }
done
echo "$((${#tests[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
