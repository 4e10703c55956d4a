// A book with rules, workers and paired households, for the tests of the view.
#pragma once

#include <string>

#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/duties/duties.h"
#include "taizhang/duties/v1/queries.pb.h"

namespace taizhang::duties {

// Household 1 of kVillage, LIFTED since 2016-12-31, paired with worker 1 (STAFF) from 2017-03-15.
class DutiesBook {
 public:
  DutiesBook() : book(duties_view()) {
    book.commit(20120101, events::frequency_defined(), events::channels_defined());
    book.commit(20120101, events::organisation_registered(1, "990101100"));
    book.commit(20120101, events::worker_registered(1, "STAFF"),
                events::worker_registered(2, "SECTION"));
    lift(1);
    pair(1, 20170315);
  }

  void lift(int household, const std::string& region = events::kVillage) {
    book.commit(20170101, events::household_registered(household, region));
    book.commit(20170101, events::status_loaded(household, {{"LIFTED", 20161231}}));
  }
  // Pairing n is of household n.
  void pair(int number, int32_t from, int worker = 1) {
    book.commit(from, events::pairing_started(number, from, events::worker(worker),
                                              events::household(number)));
  }
  void visit(int number, int32_t day, int household = 1,
             assistance::v1::VisitChannel channel = assistance::v1::VISIT_CHANNEL_HOME,
             int lead = 1) {
    book.commit(day,
                events::visit_recorded(number, day, events::household(household), lead, channel));
  }
  void quarterly_home_visits() {
    book.commit(20120101, events::frequency_set(1, 1, rules::v1::CALENDAR_PERIOD_QUARTER,
                                                {{"category", "LIFTED"}}));
    book.commit(20120101, events::channels_set(1, {"HOME"}));
  }
  v1::DueResponse due(int32_t day, v1::DueRequest request = {}) {
    return book.ask<v1::DueResponse>(events::on(day, std::move(request)));
  }
  v1::OverdueResponse overdue(int32_t day, int32_t since = 0, v1::OverdueRequest request = {}) {
    if (since != 0) *request.mutable_since() = date_of(since);
    return book.ask<v1::OverdueResponse>(events::on(day, std::move(request)));
  }

  ViewFixture book;
};

}  // namespace taizhang::duties
