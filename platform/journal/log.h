// The port of a journal engine: one partition, an ordered, durable, append-only list of opaque
// records.
//
// An engine knows nothing of claims, ledgers or events; what makes a record valid is fold.h, and
// when a writer may answer is owner.h. Engines: memory/ (tests), segments/ (files of one machine),
// kafka/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace taizhang::journal {

// A durable record. `bytes` is valid until the cursor moves or dies.
struct LogRecord {
  int64_t offset = 0;
  // When the engine stored it, microseconds since 1970; 0: the engine does not know.
  int64_t stored_time_us = 0;
  std::string_view bytes;
};

// Reads forward. Not thread-safe; several cursors of one log may run on several threads, beside the
// writer.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // The next durable record at or after the position; nullopt: none yet. DATA_LOSS: damage at a
  // named place, or the position lies beyond the log's end or before its start. A read error is
  // INTERNAL. Errors are final.
  virtual absl::StatusOr<std::optional<LogRecord>> next() = 0;
};

// What became of one produced record: its offset, or why it is unknown whether it was stored.
struct AppendReport {
  uint64_t tag = 0;
  absl::StatusOr<int64_t> offset;
};

// Called in the order of produce(), from whatever thread the engine reports on (also from inside
// produce() or flush()); must not call back into the log.
using ReportSink = std::function<void(AppendReport)>;

class Log {
 public:
  virtual ~Log() = default;

  // Queues one record. OK: exactly one report will follow. RESOURCE_EXHAUSTED: no room, nothing was
  // queued. One thread at a time.
  virtual absl::Status produce(std::string bytes, uint64_t tag) = 0;

  // Asks the engine to make what was produced durable and to report it. `inline_ok`: the caller has
  // nothing else to do and lends its thread, which saves a hand-over; otherwise the engine's own
  // thread does it and this returns at once.
  virtual void flush(bool inline_ok) = 0;

  virtual void set_report_sink(ReportSink sink) = 0;

  // Reads from `offset` on (0 = first record).
  virtual std::unique_ptr<Cursor> read(int64_t offset) = 0;

  // Offset after the last record that readers may see. Thread-safe.
  virtual int64_t end() const = 0;

  // Waits until end() > offset or the timeout; returns end(). Thread-safe.
  virtual int64_t wait_beyond(int64_t offset, absl::Duration timeout) = 0;

  // OK: produce() has room for a record of kRecordBytesMax. RESOURCE_EXHAUSTED: no disk space; ask
  // before deciding, so that nothing is decided in vain. Thread-safe.
  virtual absl::Status room() const { return absl::OkStatus(); }

  // DATA_LOSS: the log is not what it was (cut, replaced), found without anybody reading it. Final.
  // Thread-safe, cheap.
  virtual absl::Status damage() const { return absl::OkStatus(); }

  // The 16 bytes the engine's own store was made with, which the Genesis takes over; empty: it has
  // none.
  virtual std::string uuid() const { return {}; }

  // True: an exclusive lock keeps every other writer out while this object lives, so that a refusal
  // needs no confirmed append of its own (design §3.2 (a)).
  virtual bool exclusive() const = 0;
};

}  // namespace taizhang::journal
