// Where something stands among the regions, as key parts: rows of a township or a village are
// neighbours, so that a query for one of them reads no others.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "platform/projection/snapshot.h"

namespace taizhang {

// Region codes; empty: above that level, or not known.
struct Place {
  std::string township;
  std::string village;

  bool operator==(const Place&) const = default;
  // `region` is empty (everywhere), or the place is known to be inside it. Nothing is known to be
  // inside a group.
  bool is_within(std::string_view region) const;
};

Place place_of(std::string_view region);

// Calls read(key parts…) with the longest key prefix that holds all places inside `region`; rows of
// other places may be among them, see Place::is_within().
template <class Read>
void with_place_prefix(std::string_view region, const Read& read) {
  const Place place = place_of(region);
  if (!place.village.empty()) {
    read(place.township, place.village);
  } else if (!place.township.empty()) {
    read(place.township);
  } else {
    read();
  }
}

}  // namespace taizhang
