// Who calls: the profile behind a token.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace taizhang {

struct Caller {
  std::string profile;               // name of the profile: "maker"
  std::string subject;               // who it is: goes on every event
  std::string worker_id;             // empty: none
  std::string org_id;                // empty: none
  std::vector<int> roles;            // common.v1.Role
  std::vector<std::string> rights;   // "SELF_APPROVE"
  std::vector<std::string> regions;  // region code prefixes; "" = everywhere

  bool has_role(int role) const;
  bool has_right(const std::string& right) const;
  // `region` lies inside one of the caller's.
  bool covers(const std::string& region) const;
  // `ledger` lies inside one of the caller's regions, or one of them inside it.
  bool may_enter(const std::string& ledger) const;
};

// One call, as the transport hands it over.
struct Call {
  const Caller* caller = nullptr;  // lives longer than the call
  int64_t deadline_boot_us = 0;    // on the boot-time clock; nothing is decided after it
  bool bulk = false;  // of the bulk stream: gets at most its share of what is in flight
  // What the caller showed, for those who ask another server on its behalf; only of streams.
  std::shared_ptr<const std::string> token = nullptr;
};

}  // namespace taizhang
