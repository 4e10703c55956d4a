// What the strict reader takes, and what it refuses with which place.
#include "client/strict_json.h"

#include <gtest/gtest.h>

#include "client/command_line.h"
#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/funds/v1/commands.pb.h"
#include "taizhang/history/v1/service.pb.h"
#include "taizhang/rules/v1/commands.pb.h"

namespace taizhang::client {
namespace {

using funds::v1::SpendDirectlyRequest;

std::string error_of(const std::string& text) {
  SpendDirectlyRequest request;
  const auto read = read_json(text, request);
  EXPECT_FALSE(read.ok()) << text;
  EXPECT_EQ(read.code(), absl::StatusCode::kInvalidArgument);
  return std::string(read.message());
}

// The error stands at `place` and says `what`.
void refused(const std::string& text, const std::string& place, const std::string& what) {
  const std::string error = error_of(text);
  EXPECT_TRUE(error.starts_with(place + ": ")) << error << "\nof " << text;
  EXPECT_NE(error.find(what), std::string::npos) << error;
}

TEST(StrictJson, TakesProtobufsForm) {
  SpendDirectlyRequest request;
  const auto read = read_json(
      R"({"context": {"requestId": "r", "source": {"kind": "KIND_FORM"}}, "ledger": "990101", "amount_fen": "9007199254740993",
          "price": {"quantity": {"milli": 300000, "unit": 3}}, "evidence": [{"title": "收\"据\\"}, {}]})",
      request);
  ASSERT_TRUE(read.ok()) << read;
  EXPECT_EQ(request.context().request_id(), "r");
  EXPECT_EQ(request.amount_fen(), 9'007'199'254'740'993);
  EXPECT_EQ(request.price().quantity().unit(), common::v1::UNIT_MU);
  EXPECT_EQ(request.evidence_size(), 2);
  EXPECT_EQ(request.evidence(0).title(), "收\"据\\");
}

TEST(StrictJson, TakesMapsAndTimes) {
  rules::v1::SetParameterRequest parameter;
  ASSERT_TRUE(read_json(R"({"scope": {"kind": "BRANCH_VILLAGE", "item": "X"}})", parameter).ok());
  EXPECT_EQ(parameter.scope().size(), 2u);
  history::v1::LateEntriesRequest late;
  ASSERT_TRUE(read_json(R"({"read": {"recorded_time": "2017-08-15T00:00:00Z"}})", late).ok());
  EXPECT_EQ(late.read().recorded_time().seconds(), 1'502'755'200);
}

TEST(StrictJson, RefusesAKeyThatStandsTwice) {
  refused("{\"ledger\": \"a\",\n  \"ledger\": \"b\"}", "line 2, column 3",
          "the field ledger stands twice");
  refused(R"({"evidence": [{"title": "收", "title": "x"}]})", "line 1, column 30", "stands twice");
}

TEST(StrictJson, RefusesBothSpellings) {
  refused(R"({"amount_fen": "1", "amountFen": "1"})", "line 1, column 21",
          "both spellings: amount_fen and amountFen");
}

TEST(StrictJson, RefusesTwoMembersOfAOneof) {
  refused(R"({"payee": {"label": {"text": "x"}, "subject": {}}})", "line 1, column 36",
          "only one of label and subject");
}

TEST(StrictJson, RefusesFractionsAndExponents) {
  refused(R"({"amount_fen": 1.0})", "line 1, column 16", "fraction or exponent");
  refused(R"({"amount_fen": 9007199254740993.0 })", "line 1, column 16", "fraction or exponent");
  refused(R"({"amount_fen": 1e3})", "line 1, column 16", "fraction or exponent");
  refused(R"({"amount_fen": "1.5"})", "line 1, column 16", "whole number of 64 bits");
  refused(R"({"amount_fen": "1e3"})", "line 1, column 16", "whole number");
  refused(R"({"amount_fen": " 1"})", "line 1, column 16", "whole number");
  refused(R"({"amount_fen": "+1"})", "line 1, column 16", "whole number");
}

TEST(StrictJson, RefusesNumbersThatDoNotFit) {
  refused(R"({"amount_fen": 9223372036854775808})", "line 1, column 16", "whole number of 64 bits");
  refused(R"({"amount_fen": 92233720368547758080000})", "line 1, column 16",
          "whole number of 64 bits");
  refused(R"({"paid_date": {"year": 2147483648}})", "line 1, column 24", "whole number of 32 bits");
}

TEST(StrictJson, RefusesUnknownEnumValues) {
  refused(R"({"context": {"source": {"kind": "KIND_LETTER"}}})", "line 1, column 33",
          "KIND_FORM, KIND_DEPARTMENT");
  refused(R"({"context": {"source": {"kind": 99}}})", "line 1, column 33",
          "unknown value 99 of kind");
  refused(R"({"context": {"source": {"kind": "kind_form"}}})", "line 1, column 33",
          "unknown value");
}

TEST(StrictJson, RefusesUnknownFields) {
  refused("{\n \"ledgr\": \"a\"}", "line 2, column 2",
          "unknown field \"ledgr\" of taizhang.funds.v1.SpendDirectlyRequest");
  refused(R"({"paid_date": {"yaer": 2017}})", "line 1, column 16", "its fields: year, month, day");
}

TEST(StrictJson, RefusesTheWrongKindOfValue) {
  refused(R"({"ledger": 990101})", "line 1, column 12", "ledger: expected a string");
  refused(R"({"ledger": null})", "line 1, column 12", "null is no value");
  refused(R"({"paid_date": "2017-07-31"})", "line 1, column 15", "expected an object of Date");
  refused(R"({"evidence": {"title": "x"}})", "line 1, column 14", "expected a list");
  refused(R"({"evidence": [[]]})", "line 1, column 15",
          "expected a list; each item an object of DocumentRef");
  refused(R"({"evidence": ["x"]})", "line 1, column 15", "DocumentRef");
  refused(R"({"context": {"validate_only": "true"}})", "line 1, column 31",
          "expected true or false");
  refused("[]", "line 1, column 1", "expected an object");
  refused("7", "line 1, column 1", "expected an object");
}

TEST(StrictJson, RefusesRelaxedSyntax) {
  refused(R"({"ledger": "a",})", "line 1, column 16", "syntax error");
  refused(R"({ledger: "a"})", "line 1, column 2", "syntax error");
  refused(R"({'ledger': "a"})", "line 1, column 2", "syntax error");
  refused("{\"ledger\": \"a\"} x", "line 1, column 17", "syntax error");
  refused("{\"ledger\": // why\n \"a\"}", "line 1, column 12", "syntax error");
  refused(R"({"amount_fen": 007})", "line 1, column 18", "syntax error");
  refused(R"({"amount_fen": NaN})", "line 1, column 16", "syntax error");
  refused("{\"ledger\": \"\xff\"}", "line 1, column 13", "ill-formed UTF-8");
  error_of("");
  error_of("{\"ledger\": \"a\"");
}

TEST(StrictJson, RefusesAKeyOfAMapThatStandsTwice) {
  rules::v1::SetParameterRequest request;
  const auto read = read_json(R"({"scope": {"kind": "A", "kind": "B"}})", request);
  EXPECT_NE(read.message().find("line 1, column 25: the key \"kind\" stands twice"),
            std::string::npos)
      << read;
  EXPECT_FALSE(read_json(R"({"scope": {"kind": 1}})", request).ok());
  EXPECT_FALSE(read_json(R"({"scope": "x"})", request).ok());
  EXPECT_FALSE(read_json(R"({"scope": [{}]})", request).ok());
}

TEST(StrictJson, RefusesDepth) {
  std::string text = "[";
  for (int i = 0; i < 100'000; ++i) text += "[";
  EXPECT_NE(error_of("{\"evidence\": " + text).find("expected a list"), std::string::npos);
}

TEST(StrictJson, CountsFromWhereTheTextBegins) {
  SpendDirectlyRequest request;
  const auto read = read_json(R"({"ledgr": 1})", request, {.line = 7, .column = 50});
  EXPECT_TRUE(std::string(read.message()).starts_with("line 7, column 51: ")) << read;
}

TEST(StrictJson, WritesWhatItReads) {
  SpendDirectlyRequest request;
  ASSERT_TRUE(
      read_json(R"({"amount_fen": "5", "price": {"quantity": {"unit": "UNIT_MU"}}})", request)
          .ok());
  EXPECT_EQ(write_json(request, false),
            R"({"amount_fen":"5","price":{"quantity":{"unit":"UNIT_MU"}}})");
  SpendDirectlyRequest again;
  ASSERT_TRUE(read_json(write_json(request, true), again).ok());
  EXPECT_EQ(again.SerializeAsString(), request.SerializeAsString());
}

TEST(CommandLine, IsReadWithThePlaceOfItsRequest) {
  const auto line = read_command_line(
      R"({"as": "maker", "request": {"a": [{"as": 1}]}, "method": "funds.X"})", 3);
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->as, "maker");
  EXPECT_EQ(line->method, "funds.X");
  EXPECT_EQ(line->request, R"({"a": [{"as": 1}]})");
  EXPECT_EQ(line->request_at.line, 3);
  EXPECT_EQ(line->request_at.column, 28);
}

TEST(CommandLine, IsRefusedWhenItIsNone) {
  const auto error = [](const std::string& text) {
    return std::string(read_command_line(text, 3).status().message());
  };
  EXPECT_NE(
      error(R"({"as": "maker", "as": "x"})").find("line 3, column 17: the field as stands twice"),
      std::string::npos);
  EXPECT_NE(error(R"({"who": "maker"})").find("expected as, method, request"), std::string::npos);
  EXPECT_NE(error(R"({"as": 1})").find("as: expected a string"), std::string::npos);
  EXPECT_NE(error(R"({"request": "x"})").find("request: expected an object"), std::string::npos);
  EXPECT_NE(error(R"({"as": "a", "method": "m"})").find("the field request is missing"),
            std::string::npos);
  EXPECT_NE(error(R"({"method": "m", "request": {}})").find("the field as is missing"),
            std::string::npos);
  EXPECT_NE(error(R"({"as": "a", "request": {}})").find("the field method is missing"),
            std::string::npos);
  EXPECT_NE(error("[]").find("expected an object"), std::string::npos);
  EXPECT_NE(error("").find("syntax error"), std::string::npos);
}

}  // namespace
}  // namespace taizhang::client
