// What operators see of a node: its parts' own counters as metrics.
#pragma once

#include <string>

namespace taizhang {

class Metrics;
class ProcessJournal;
class Views;
class Writers;

namespace delivery {
class Delivery;
}

// Read at each scrape until metrics.stop(), which must come before what they read goes away.
void observe_journal(Metrics& metrics, ProcessJournal& journal);
void observe_writer(Metrics& metrics, const Writers& writer);
// After the views were added.
void observe_views(Metrics& metrics, const Views& views);
void observe_subscriptions(Metrics& metrics, const delivery::Delivery& delivery);
void observe_disk(Metrics& metrics, const std::string& data_dir);

}  // namespace taizhang
