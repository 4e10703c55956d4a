// Exports: every row once, at one moment, going on behind any message.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "platform/lists/export_stream.h"
#include "platform/lists/lists_fixture.h"
#include "platform/lists/rows_digest.h"
#include "platform/projection/test_damage.h"

namespace taizhang::lists {
namespace {

using ledger::v1::ReadEventsRequest;
using v1::ExportRequest;
using v1::ExportResponse;

class Export : public testing::ListsTest {
 protected:
  static ExportRequest of(const ReadEventsRequest& query, int32_t rows_per_message = 0) {
    ExportRequest request;
    request.mutable_query()->PackFrom(query);
    request.set_rows_per_message(rows_per_message);
    return request;
  }
  static std::string rows_of(const std::vector<ExportResponse>& messages) {
    std::string rows;
    for (const auto& message : messages) {
      for (const auto& row : message.rows().rows()) rows += text(row) + " ";
    }
    return rows;
  }
  static std::string digest_of(const std::vector<ExportResponse>& messages) {
    RowsDigest digest;
    for (const auto& message : messages) {
      for (const auto& row : message.rows().rows()) digest.add(row.value());
    }
    return digest.text();
  }
};

TEST_F(Export, HasAHeaderTheRowsAndATrailer) {
  add("a", 1);
  add("b", 2);
  add("c", 7);  // not on the list
  start();
  const auto messages = all<ExportResponse>(of(question()));
  ASSERT_EQ(messages.size(), 3U);
  const auto& header = messages[0].header();
  EXPECT_EQ(header.method(), "taizhang.ledger.v1.LedgerService.ReadEvents");
  EXPECT_EQ(header.row_type(), "taizhang.ledger.v1.EventEnvelope");
  EXPECT_EQ(header.freshness().seq(), 3);
  EXPECT_EQ(header.rows_before(), 0);
  EXPECT_EQ(rows_of(messages), "a=1 b=2 ");
  const auto& trailer = messages[2].trailer();
  EXPECT_EQ(trailer.rows(), 2);
  EXPECT_EQ(trailer.seq(), 3);
  EXPECT_EQ(trailer.digest(), digest_of(messages));
}

TEST_F(Export, OfNoRowsIsAHeaderAndATrailer) {
  add("a", 7);
  start();
  const auto messages = all<ExportResponse>(of(question()));
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_TRUE(messages[1].has_rows());
  EXPECT_TRUE(messages[1].rows().rows().empty());
  EXPECT_EQ(messages[2].trailer().rows(), 0);
  EXPECT_EQ(messages[2].trailer().digest(), std::string(64, '0'));
}

TEST_F(Export, IsOfOneMomentWhateverIsWrittenMeanwhile) {
  for (char key = 'a'; key <= 'j'; ++key) add({key}, 1);
  start();
  auto opened = open(of(question(), 3));
  auto& stream = *std::get<0>(opened);
  std::string rows;
  for (char key = 'a'; key <= 'j'; ++key) {
    auto answer = next(stream);
    ASSERT_NE(std::get_if<0>(&answer), nullptr);
    if (!std::get<0>(answer)) break;
    const auto& message = static_cast<const ExportResponse&>(*std::get<0>(answer));
    for (const auto& row : message.rows().rows()) rows += text(row) + " ";
    if (message.has_trailer()) {
      EXPECT_EQ(message.trailer().seq(), 10);
    }
    add({key}, 100);
    catch_up();
  }
  EXPECT_EQ(rows, "a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 ");
}

TEST_F(Export, GoesOnBehindEveryMessageWithTheSameRowsAndDigest) {
  for (int i = 0; i < 25; ++i) add("k" + std::to_string(100 + i), 1);
  start();
  const auto request = of(question(), 4);
  const auto whole = all<ExportResponse>(request);
  add("k100", 5);  // behind the moment of the export
  catch_up();
  for (size_t broken = 1; broken + 1 < whole.size(); ++broken) {
    auto rest = request;
    rest.set_resume_token(whole[broken].rows().resume_token());
    std::vector<ExportResponse> messages(whole.begin(),
                                         whole.begin() + static_cast<ptrdiff_t>(broken) + 1);
    const auto before = rows_of(messages);
    const auto resumed = all<ExportResponse>(rest);
    EXPECT_EQ(resumed[0].header().freshness().seq(), 25);
    EXPECT_EQ(before + rows_of(resumed), rows_of(whole));
    EXPECT_EQ(resumed.back().trailer().digest(), whole.back().trailer().digest());
    EXPECT_EQ(resumed.back().trailer().rows(), 25);
    EXPECT_EQ(resumed.back().trailer().seq(), 25);
  }
}

TEST_F(Export, ThatMeetsDamagedFilesSaysSoAndTheViewIsBuiltAnew) {
  for (unsigned i = 0; i < 40; ++i)
    add("k" + std::to_string(100 + i), 1, testing::incompressible_text(i, 10'000));
  start();
  const auto right = rows_of(all<ExportResponse>(of(question())));
  views_.reset();
  testing::flip_a_byte(folder_.path());
  start();
  auto opened = open(of(question()));
  auto& stream = *std::get<0>(opened);
  Answer answer = next(stream);
  while (answer.index() == 0 && std::get<0>(answer)) answer = next(stream);
  ASSERT_NE(std::get_if<Error>(&answer), nullptr);
  EXPECT_EQ(std::get<Error>(answer).code, kDataLoss) << std::get<Error>(answer).message;
  catch_up();
  EXPECT_NE(views_->status()[0].rebuilt_why, "");
  EXPECT_EQ(rows_of(all<ExportResponse>(of(question()))), right);
}

TEST_F(Export, GoesOnAfterARestart) {
  for (int i = 0; i < 10; ++i) add("k" + std::to_string(i), 1);
  start();
  auto request = of(question(), 3);
  const auto whole = all<ExportResponse>(request);
  request.set_resume_token(whole[2].rows().resume_token());
  start();
  const auto resumed = all<ExportResponse>(request);
  EXPECT_EQ(resumed[0].header().rows_before(), 6);
  EXPECT_EQ(resumed.back().trailer().digest(), whole.back().trailer().digest());
}

TEST_F(Export, EndsWithAClearErrorWhenTheViewIsBuiltAnewMeanwhile) {
  for (int i = 0; i < 10; ++i) add("k" + std::to_string(i), 1);
  start();
  auto request = of(question(), 3);
  const auto whole = all<ExportResponse>(request);
  auto opened = open(request);
  auto& stream = *std::get<0>(opened);
  std::string token;
  for (int message = 0; message < 3; ++message) {
    const auto told = next(stream);
    ASSERT_EQ(told.index(), 0U);
    token = static_cast<const ExportResponse&>(*std::get<0>(told)).rows().resume_token();
  }
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  const auto ended = next(stream);
  ASSERT_EQ(ended.index(), 1U);
  const auto& error = std::get<Error>(ended);
  EXPECT_EQ(error.code, kAborted);
  EXPECT_EQ(error.reason, "VIEW_REBUILT");
  EXPECT_FALSE(error.zh.empty());
  const std::vector<std::pair<std::string, std::string>> metadata = {{"view", "sums"},
                                                                     {"seq", "10"}};
  EXPECT_EQ(error.metadata, metadata);
  request.set_resume_token(token);
  const auto refused = error_of(request);
  EXPECT_EQ(refused.reason, "RESUME_TOKEN_INVALID");
  EXPECT_NE(refused.violations.at(0).description.find("built anew"), std::string::npos);
  // What the error says to do: the same rows of the same seq.
  add("k0", 1);
  catch_up();
  auto again = question();
  again.mutable_read()->set_seq(10);
  EXPECT_EQ(all<ExportResponse>(of(again, 3)).back().trailer().digest(),
            whole.back().trailer().digest());
}

TEST_F(Export, ATokenIsOfOneQueryAndCannotBeAltered) {
  for (int i = 0; i < 10; ++i) add("k" + std::to_string(i), 1);
  start();
  auto request = of(question(), 3);
  const auto token = all<ExportResponse>(request)[1].rows().resume_token();
  request.set_resume_token(token.substr(0, token.size() - 2) + "AA");
  EXPECT_EQ(error_of(request).reason, "RESUME_TOKEN_INVALID");
  auto other = question();
  other.mutable_read()->set_seq(5);
  request = of(other, 3);
  request.set_resume_token(token);
  EXPECT_EQ(error_of(request).reason, "RESUME_TOKEN_INVALID");
}

TEST_F(Export, AMessageIsSmallerThanItsBound) {
  const std::string name(30'000, 'n');
  for (int i = 0; i < 100; ++i) add("k" + std::to_string(100 + i), 1, name);
  start();
  const auto messages = all<ExportResponse>(of(question()));
  EXPECT_GT(messages.size(), 4U);
  for (const auto& message : messages) EXPECT_LT(message.ByteSizeLong(), kMessageBytesMax + 1'000);
  EXPECT_EQ(messages.back().trailer().rows(), 100);
}

// Bytes of this process in memory.
int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0;
  statm >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// TAIZHANG_EXPORT_ROWS=1000000 is the long run.
TEST_F(Export, HoldsAPageHoweverLongTheListIs) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  const char* asked = getenv("TAIZHANG_EXPORT_ROWS");
  const int rows = asked ? atoi(asked) : 200'000;
  constexpr int64_t kGrowthBytesMax = int64_t{24} << 20;
  constexpr int kEventsPerCommit = 1'000;
  const std::string name(200, 'n');
  for (int first = 0; first < rows; first += kEventsPerCommit) {
    std::vector<ledger::v1::LedgerPlaced> events;
    for (int i = first; i < std::min(rows, first + kEventsPerCommit); ++i)
      events.push_back(testing::placed("k" + std::to_string(10'000'000 + i), 1, name));
    std::vector<const google::protobuf::Message*> commit;
    for (const auto& event : events) commit.push_back(&event);
    journal_.commit(kLedger, commit);
  }
  start();
  auto opened = open(of(question()));
  auto& stream = *std::get<0>(opened);
  RowsDigest digest;
  int64_t bytes = 0;
  int64_t before = 0;
  int64_t peak = 0;
  for (int messages = 0;; ++messages) {
    auto answer = next(stream);
    ASSERT_NE(std::get_if<0>(&answer), nullptr) << std::get<Error>(answer).message;
    if (!std::get<0>(answer)) break;
    const auto& message = static_cast<const ExportResponse&>(*std::get<0>(answer));
    for (const auto& row : message.rows().rows()) {
      digest.add(row.value());
      bytes += static_cast<int64_t>(row.value().size());
    }
    if (message.has_trailer()) {
      EXPECT_EQ(message.trailer().rows(), rows);
      EXPECT_EQ(message.trailer().digest(), digest.text());
    }
    // The first messages fill caches, which are bounded.
    constexpr int kWarm = 20;
    if (messages == kWarm) before = resident_bytes();
    if (messages > kWarm) peak = std::max(peak, resident_bytes());
  }
  EXPECT_GT(bytes, kGrowthBytesMax);  // the list itself would not fit
  EXPECT_LT(peak - before, kGrowthBytesMax);
}

TEST_F(Export, RefusesWhatIsNoListOfThisServer) {
  start();
  ExportRequest request;
  request.mutable_query()->set_type_url("type.googleapis.com/taizhang.no.v1.SuchRequest");
  EXPECT_EQ(error_of(request).violations.at(0).field, "query");
  request.mutable_query()->set_type_url("");
  EXPECT_EQ(error_of(request).code, kInvalidArgument);
  auto paged = question();
  paged.mutable_page()->set_page_size(3);
  EXPECT_EQ(error_of(of(paged)).violations.at(0).field, "query.page");
  request = of(question());
  request.mutable_query()->set_value("\xff\xff");
  EXPECT_EQ(error_of(request).violations.at(0).field, "query");
}

TEST_F(Export, IsForWhoMayAskTheQuery) {
  add("a", 1);
  start();
  caller_.regions = {"110101"};
  EXPECT_EQ(error_of(of(question())).code, kPermissionDenied);
  caller_.regions = {""};
  caller_.roles = {};
  EXPECT_EQ(error_of(of(question())).code, kPermissionDenied);
}

TEST_F(Export, RunsAsOftenAsTheLimitSays) {
  add("a", 1);
  start();
  auto first = open(of(question()));
  auto second = open(of(question()));
  const auto error = error_of(of(question()));
  EXPECT_EQ(error.code, kResourceExhausted);
  EXPECT_EQ(error.reason, "LISTS_BUSY");
  first = Error();
  EXPECT_EQ(all<ExportResponse>(of(question())).size(), 3U);
}

TEST_F(Export, EndsWhenTheCallerIsGone) {
  add("a", 1);
  start();
  auto query = question();
  query.mutable_read()->set_seq(50);  // not there yet: the page waits
  auto opened = open(of(query));
  auto& stream = *std::get<0>(opened);
  std::promise<Answer> told;
  stream.next([&](Answer answer) { told.set_value(std::move(answer)); });
  stream.cancel();
  EXPECT_EQ(std::get<Error>(told.get_future().get()).code, kCancelled);
}

}  // namespace
}  // namespace taizhang::lists
