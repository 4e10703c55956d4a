// Asks the readers, and remembers.
#include "platform/lists/reader_directory.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {

ReaderDirectory::ReaderDirectory(std::vector<std::unique_ptr<RemoteReader>> readers,
                                 size_t ledgers_known_max)
    : readers_(std::move(readers)),
      ledgers_known_max_(ledgers_known_max),
      known_(readers_.size()) {}

ReaderDirectory::~ReaderDirectory() {
  for (const auto& reader : readers_) reader->stop();
}

bool ReaderDirectory::Listing::has(const std::string& ledger) const {
  return std::binary_search(ledgers.begin(), ledgers.end(), ledger);
}

void ReaderDirectory::list(const std::string& view, const std::string& prefix, const Call& call,
                           std::function<void(std::vector<Listing>)> done) {
  struct Asked {
    std::vector<Listing> listings;
    std::atomic<size_t> left;
  };
  const auto asked = std::make_shared<Asked>();
  asked->listings.resize(readers_.size());
  asked->left = readers_.size() + 1;
  const auto answered = [asked, done = std::move(done)] {
    if (asked->left.fetch_sub(1) == 1) done(std::move(asked->listings));
  };
  static const auto& method = *v1::ListLedgersRequest::descriptor()
                                   ->file()
                                   ->FindServiceByName("ListService")
                                   ->FindMethodByName("ListLedgers");
  v1::ListLedgersRequest request;
  request.set_view(view);
  request.set_ledger_prefix(prefix);
  for (size_t i = 0; i < readers_.size(); ++i) {
    readers_[i]->call(method, request, call,
                      [this, i, asked, answered, prefix, caller = call.caller](Answer answer) {
                        asked->listings[i] = take(i, std::move(answer), prefix, *caller);
                        answered();
                      });
  }
  answered();
}

ReaderDirectory::Listing ReaderDirectory::take(size_t reader, Answer answer,
                                               const std::string& prefix, const Caller& caller) {
  Listing listing;
  const std::lock_guard lock(mutex_);
  auto& known = known_[reader];
  if (auto* error = std::get_if<Error>(&answer)) {
    listing.error = std::move(*error);
    for (const auto& ledger : known) {
      if (ledger.starts_with(prefix) && caller.may_enter(ledger)) listing.ledgers.push_back(ledger);
    }
    return listing;
  }
  auto& said = static_cast<v1::ListLedgersResponse&>(*std::get<0>(answer));
  listing.ledgers.assign(said.ledgers().begin(), said.ledgers().end());
  std::sort(listing.ledgers.begin(), listing.ledgers.end());
  for (const auto& ledger : listing.ledgers) {
    if (known.size() >= ledgers_known_max_) break;
    known.insert(ledger);
  }
  return listing;
}

}  // namespace taizhang::lists
