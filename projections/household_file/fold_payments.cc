// Payments that name a household as their payee.
#include "projections/household_file/parts.h"
#include "projections/household_file/timeline.h"
#include "taizhang/funds/v1/events.pb.h"

namespace taizhang::household_file {
namespace {

void fold(Ledger& rows, const EventMeta& meta, const funds::v1::FundsDisbursed& event) {
  const auto& payee = event.payee().subject();
  if (payee.kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) return;
  auto& payment = *enter_timeline(rows, meta, payee.id()).mutable_payment();
  payment.set_payment_id(event.payment_id());
  payment.set_fund_line_id(event.fund_line_id());
  payment.set_purpose(event.purpose());
  payment.set_amount_fen(event.amount_fen());
}

}  // namespace

void take_payments(View& view) { view.on<funds::v1::FundsDisbursed>(fold); }

}  // namespace taizhang::household_file
