// The command files of deploy/: every line is accepted in its order, and the sample book's state is
// as slice-1 §8 says.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "services/contexts.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "tests/support/scenario.h"

namespace taizhang {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using test::Scenario;

constexpr const char* kDeploy = TAIZHANG_SOURCE_DIR "/deploy/";
// The village committee that takes the assets over: the checker of the sample book acts for it.
constexpr const char* kCommittee = "6e9cbb94-5d91-51c2-b356-daf718c338b2";

std::unique_ptr<Message> request_of(const nlohmann::json& line) {
  const std::string method = line.at("method");
  const size_t dot = method.find('.');
  const std::string type =
      "taizhang." + method.substr(0, dot) + ".v1." + method.substr(dot + 1) + "Request";
  const auto* descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (!descriptor) return nullptr;
  std::unique_ptr<Message> request(
      MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  std::string body = line.at("request").dump();
  const std::string placeholder = "${LEDGER}";
  body.replace(body.find(placeholder), placeholder.size(), test::kLedger);
  const auto status = google::protobuf::util::JsonStringToMessage(body, request.get());
  EXPECT_TRUE(status.ok()) << type << ": " << status.ToString();
  return request;
}

void act_as(Scenario& book, const std::string& profile) {
  book.as(profile, "", profile == "checker" ? kCommittee : "")
      .with_regions({std::string(test::kLedger)});
  if (profile == "operator") book.with_roles({common::v1::ROLE_OPERATOR});
  if (profile == "maker") book.with_roles({common::v1::ROLE_MAKER});
  if (profile == "checker") book.with_roles({common::v1::ROLE_CHECKER});
}

// Number of commands.
int apply(Scenario& book, const std::string& file) {
  std::ifstream lines(kDeploy + file);
  std::string line;
  int count = 0;
  std::set<std::string> request_ids;
  while (std::getline(lines, line)) {
    const auto json = nlohmann::json::parse(line);
    const auto request = request_of(json);
    if (!request) {
      ADD_FAILURE() << file << ": no such method: " << json.at("method");
      return count;
    }
    EXPECT_TRUE(request_ids.insert(json.at("request").at("context").at("request_id")).second);
    act_as(book, json.at("as"));
    SCOPED_TRACE(file + " line " + std::to_string(++count));
    book.when_exactly(*request).accepted();
    if (testing::Test::HasFailure()) return count;
  }
  return count;
}

template <class Row, class Visit>
int64_t sum_rows(Scenario& book, const Visit& visit) {
  int64_t sum = 0;
  book.scan<Row>([&](const Row& row) { sum += visit(row); });
  return sum;
}

TEST(ReferenceFile, IsAcceptedLineByLine) {
  Scenario book(register_contexts);
  EXPECT_EQ(apply(book, "reference.jsonl"), 58);
  EXPECT_EQ(sum_rows<rules::state::v1::CodeList>(book, [](const auto&) { return 1; }), 19);
  EXPECT_EQ(sum_rows<rules::state::v1::Parameter>(book, [](const auto&) { return 1; }), 12);
  EXPECT_EQ(sum_rows<rules::state::v1::Parameter>(
                book, [](const auto& row) { return row.settings_size(); }),
            27);
  EXPECT_EQ(book.row<rules::state::v1::CodeList>("ethnic_group").versions(0).entries_size(), 58);
  EXPECT_EQ(book.row<rules::state::v1::CodeList>("citizen_region").versions(0).entries_size(), 34);
}

class SampleFile : public testing::Test {
 protected:
  SampleFile() : book_(register_contexts) {
    apply(book_, "reference.jsonl");
    apply(book_, "sample.jsonl");
  }
  Scenario book_;
};

TEST_F(SampleFile, HasItsHouseholdsAndPairings) {
  using assistance::state::v1::Pairing;
  using registry::state::v1::Household;
  EXPECT_EQ(sum_rows<Household>(book_, [](const auto&) { return 1; }), 38);
  EXPECT_EQ(sum_rows<Household>(book_, [](const auto& row) { return row.members_size(); }), 95);
  EXPECT_EQ(sum_rows<Pairing>(book_, [](const auto& row) { return row.to_day() == 0; }), 39);
  EXPECT_EQ(sum_rows<assistance::state::v1::IssueOpen>(book_,
                                                       [](const auto& row) { return row.count(); }),
            0);
  EXPECT_EQ(sum_rows<assistance::state::v1::VisitKey>(book_, [](const auto&) { return 1; }), 76);
}

TEST_F(SampleFile, HasItsMoney) {
  using funds::state::v1::FundLine;
  const auto of = [&](funds::v1::SourceKind kind, const auto& figure) {
    return sum_rows<FundLine>(
        book_, [&](const auto& row) { return row.source_kind() == kind ? figure(row) : 0; });
  };
  const auto arrived = [](const FundLine& row) { return row.arrived_fen(); };
  const auto paid = [](const FundLine& row) { return row.paid_fen(); };
  EXPECT_EQ(of(funds::v1::SOURCE_KIND_SPECIAL_HELP_FUND, arrived), 100'000'000);
  EXPECT_EQ(of(funds::v1::SOURCE_KIND_SPECIAL_HELP_FUND, paid), 0);
  EXPECT_EQ(of(funds::v1::SOURCE_KIND_SELF_RAISED, arrived), 22'550'000);
  EXPECT_EQ(of(funds::v1::SOURCE_KIND_SELF_RAISED, paid), 22'550'000);
  const auto of_village = [&](const std::string& village) {
    return sum_rows<funds::state::v1::BalanceByUnitVillage>(
        book_, [&](const auto& row) { return row.village() == village ? row.paid_fen() : 0; });
  };
  EXPECT_EQ(of_village("990101100201"), 16'890'000);
  EXPECT_EQ(of_village("990101100202"), 5'660'000);
}

TEST_F(SampleFile, HasItsAssetsHandedOverWithAManager) {
  using assets::state::v1::Asset;
  int handed_over = 0;
  book_.scan<Asset>([&](const Asset& asset) {
    handed_over += asset.state() == assets::state::v1::ASSET_STATE_HANDED_OVER;
    EXPECT_TRUE(asset.has_manager());
    EXPECT_EQ(asset.holder().id(), "990101100202");
  });
  EXPECT_EQ(handed_over, 3);
  EXPECT_EQ(sum_rows<Asset>(book_, [](const auto& row) { return row.value().fen(); }), 4'000'000);
}

}  // namespace
}  // namespace taizhang
