// What only a journal in Kafka has: a reader of its own process, a takeover with a tail, and a bare
// consumer to be compared with.
//
// The topic is one partition, of one broker where nothing else is said, and syncs every record;
// "page cache" is the same topic with that setting taken away while the server runs, which the
// server would refuse at its start.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "platform/journal/kafka/settings.h"
#include "tests/bench/book_server.h"

namespace taizhang::bench {

// A new topic of so many replicas, of which two must stand where there are more than one, for
// servers that gather records so long, and its heartbeat topic on the brokers of TAIZHANG_KAFKA.
// Ends the process when there is no broker or it refuses.
journal::kafka::KafkaSettings make_topic(int linger_ms, int replicas);
// The part of a server's settings file that names it; its keys stand in `keys` beside its folder.
std::string settings_text(const journal::kafka::KafkaSettings& topic);
// Ends the process when the broker refuses.
void set_flush(const journal::kafka::KafkaSettings& topic, bool synced);

// From the receipt of a command at the writer to the answer of a reader process that holds it, with
// `per_second` commands of the mix beside it; page cache.
void visible_at_reader(BookServer& writer, const journal::kafka::KafkaSettings& topic,
                       double per_second, double seconds, nlohmann::json& out);

// Time from exec to the first acknowledged command after kill -9, 0, tail_max / 10 and tail_max
// commands after the last stop in order; and the same with the tables of that stop, which have all
// of them to fold. The server must run; it is ended.
void takeovers(BookServer& server, const journal::kafka::KafkaSettings& topic, int64_t tail_max,
               nlohmann::json& out);

// The topic read by a bare consumer, by the journal's cursor, and into a view that is built anew.
void rebuild_from_kafka(const journal::kafka::KafkaSettings& topic, const std::string& folder,
                        nlohmann::json& out);

}  // namespace taizhang::bench
