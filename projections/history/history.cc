// The view history, put together.
#include "projections/history/history.h"

#include "projections/history/parts.h"

namespace taizhang {

View history_view() {
  View view("history", 1);
  history::add_folds(view);
  view.query(history::subject_history)
      .query(history::late_entries)
      .query(history::by_request)
      .query(history::by_document);
  return view;
}

}  // namespace taizhang
