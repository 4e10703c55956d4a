// What the benchmark sends: a book with reference data and many households, and the mix over it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace taizhang::bench {

inline constexpr const char* kBenchLedger = "990101";
inline constexpr int kHouseholds = 50'000;

struct Prepared {
  std::string method;   // "/taizhang.funds.v1.FundsService/SpendDirectly"
  std::string profile;  // "operator" or "maker"
  std::string bytes;
};

// Opens the ledger, loads `reference_file`, makes village, organisation, workers and a fund line
// with money.
std::vector<Prepared> setting_up(const std::string& reference_file);

// Serialised RegisterHouseholdRequest number `index`; below kHouseholds: the ones that the visits
// go to.
std::string register_household(int64_t index);

// RecordVisit and RecordFundsArrival (on the line of set-up) number `index`.
std::string record_visit(int64_t index);
std::string record_arrival(int64_t index);
std::string fund_line_id();

// A visit beside a run of the mix, from `index` 0 on, and the seq that its answer tells.
std::string probe_visit(int64_t run, int64_t index);
int64_t seq_in(const std::string& record_visit_response);
// Visits to the household that probe_visit() goes to, from a view that holds `seq` at least.
std::string visits_at(int64_t index, int64_t seq);

// 80 % RecordVisit, 10 % SpendDirectly, 10 % RegisterHousehold; `run` keeps the ids of several runs
// apart, which may have kRunCommandsMax commands each.
inline constexpr int64_t kRunCommandsMax = 12 * kHouseholds;
const char* mixed_method(int64_t index);
std::string mixed_request(int64_t run, int64_t index);

// The same as one ExecuteRequest of `count` commands, numbers from `first` on.
std::string mixed_bulk(int64_t run, int64_t first, int count);
std::string household_bulk(int64_t first, int count);
// Refused commands of a serialised ExecuteResponse.
int64_t refused_in(const std::string& execute_response);

}  // namespace taizhang::bench
