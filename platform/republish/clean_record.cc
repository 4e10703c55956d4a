// The mapping of an event to a CloudEvent (Kafka protocol binding 1.0.2, binary mode).
#include "platform/republish/clean_record.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "platform/base/bytes.h"
#include "platform/projection/envelope.h"
#include "platform/projection/event_meta.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::republish {
namespace {

constexpr size_t kHeadersMax = 19;
constexpr std::string_view kOrdinalName = "ce_k";
constexpr std::string_view kMappingName = "taizhangmapping";
// `dataschema` must be an absolute URI; the path of the envelope alone is none.
constexpr std::string_view kSchemaScheme = "proto:";

// RFC 3339, UTC, always six decimals.
std::string time_text(int64_t time_us) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixMicros(time_us),
                          absl::UTCTimeZone());
}

const std::string* find(const CleanRecord& record, std::string_view name) {
  const auto found = std::find_if(record.headers.begin(), record.headers.end(),
                                  [name](const Header& header) { return header.name == name; });
  return found == record.headers.end() ? nullptr : &found->value;
}

void add_sized(Sha256& digest, std::string_view bytes) {
  std::string size;
  append_le(size, static_cast<uint64_t>(bytes.size()));
  digest.add(size);
  digest.add(bytes);
}

}  // namespace

absl::StatusOr<CleanRecord> map_event(const EventMeta& meta, int64_t k) {
  if (!meta.descriptor) {
    return absl::UnimplementedError(absl::StrCat("event ", meta.id(), " has the type ",
                                                 std::string(meta.type),
                                                 ", which this program does not know"));
  }
  if (!meta.event) {
    return absl::DataLossError(
        absl::StrCat("the payload of event ", meta.id(), " is no ", std::string(meta.type)));
  }
  ledger::v1::EventEnvelope envelope;
  fill_envelope(meta, envelope);

  CleanRecord record;
  record.key = envelope.ledger();
  record.value = meta.payload;
  // A CloudEvents attribute is present with a value or absent: none is empty.
  record.headers.reserve(kHeadersMax);
  const auto put = [&record](std::string_view name, std::string value) {
    if (!value.empty()) record.headers.push_back({std::string(name), std::move(value)});
  };
  put("content-type", "application/protobuf");
  put("ce_specversion", "1.0");
  put("ce_id", envelope.id());
  put("ce_source", envelope.source());
  put("ce_type", envelope.type());
  put("ce_subject", envelope.subject());
  put("ce_time", time_text(meta.recorded_time_us));
  put("ce_dataschema", absl::StrCat(std::string(kSchemaScheme), envelope.dataschema()));
  put("ce_ledger", envelope.ledger());
  put("ce_seq", absl::StrCat(envelope.seq()));
  put(kOrdinalName, absl::StrCat(k));
  put("ce_commitfirstseq", absl::StrCat(envelope.commit_first_seq()));
  put("ce_commitlastseq", absl::StrCat(envelope.commit_last_seq()));
  if (envelope.has_effective_date()) {
    const auto& date = envelope.effective_date();
    put("ce_effectivedate",
        absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day()));
  }
  put("ce_requestid", envelope.request_id());
  put("ce_correlation", envelope.correlation_id());
  put("ce_causation", envelope.causation());
  put("ce_command", envelope.command());
  put(kMappingName, std::string(kMapping));
  return record;
}

absl::StatusOr<std::optional<int64_t>> ordinal_of(const CleanRecord& record) {
  const std::string* mapping = find(record, kMappingName);
  const std::string* text = find(record, kOrdinalName);
  if (!mapping || !text) return std::nullopt;
  if (*mapping != kMapping) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the clean topic has records of mapping ", *mapping, ", this program makes mapping ",
        std::string(kMapping), ": republish into a new topic"));
  }
  int64_t k = 0;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, k);
  if (error != std::errc() || stopped != end || k < 1) return std::nullopt;
  return k;
}

Sha256Digest digest_of(const CleanRecord& record) {
  Sha256 digest;
  add_sized(digest, record.key);
  for (const Header& header : record.headers) {
    add_sized(digest, header.name);
    add_sized(digest, header.value);
  }
  add_sized(digest, record.value);
  return digest.digest();
}

int64_t bytes_of(const CleanRecord& record) {
  size_t bytes = record.key.size() + record.value.size();
  for (const Header& header : record.headers) bytes += header.name.size() + header.value.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace taizhang::republish
