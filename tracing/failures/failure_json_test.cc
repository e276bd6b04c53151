// A failure as JSON is accepted by a strict parser and is complete.
#include "tracing/failures/failure_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <set>
#include <string>

#include "nlohmann/json.hpp"
#include "tracing/failures/failure_names.h"
#include "tracing/failures/failure_text.h"

namespace hakmem {
namespace {

std::string Text(const hakmem_failure_t& failure) {
  char buffer[kFailureJsonBytes];
  TextBuffer out(buffer, sizeof(buffer));
  // Like in the log.
  out.Text("{\"kind\":\"failure\",\"pid\":4294967295,");
  out.Text("\"dropped\":18446744073709551615,");
  WriteFailureJsonFields(failure, out);
  out.Text("}");
  EXPECT_LE(out.length(), sizeof(buffer));
  return std::string(buffer, std::min(out.length(), sizeof(buffer)));
}

nlohmann::json Parsed(const hakmem_failure_t& failure) {
  return nlohmann::json::parse(Text(failure));
}

hakmem_failure_t Different() {
  return {.struct_size = sizeof(hakmem_failure_t),
          .thread = 1,
          .sequence = 2,
          .time_ns = 3,
          .entry = HAKMEM_ENTRY_CALLOC,
          .layer = HAKMEM_LAYER_LARGE,
          .cause = HAKMEM_CAUSE_MAPFAIL,
          .subcause = HAKMEM_SUBCAUSE_RLIMIT_AS,
          .os_request = HAKMEM_OS_REQUEST_MAP_LARGE,
          .error = ENOMEM,
          .size = SIZE_MAX,
          .alignment = 5,
          .class_bytes = 6,
          .live_bytes = 7,
          .cached_bytes = 8,
          .limit_bytes = 9,
          .os_bytes = 10,
          .evidence_used = 11,
          .evidence_limit = 12};
}

TEST(FailureJson, HoldsEveryFieldUnderItsName) {
  const nlohmann::json json = Parsed(Different());
  EXPECT_EQ(json["thread"], 1);
  EXPECT_EQ(json["sequence"], 2);
  EXPECT_EQ(json["time_ns"], 3);
  EXPECT_EQ(json["entry"], "calloc");
  EXPECT_EQ(json["layer"], "large");
  EXPECT_EQ(json["cause"], "MapFail");
  EXPECT_EQ(json["subcause"], "RLIMIT_AS");
  EXPECT_EQ(json["os_request"], "map_large");
  EXPECT_EQ(json["error"], ENOMEM);
  EXPECT_EQ(json["error_name"], "ENOMEM");
  EXPECT_EQ(json["size"], uint64_t{SIZE_MAX});
  EXPECT_EQ(json["alignment"], 5);
  EXPECT_EQ(json["class_bytes"], 6);
  EXPECT_EQ(json["live_bytes"], 7);
  EXPECT_EQ(json["cached_bytes"], 8);
  EXPECT_EQ(json["limit_bytes"], 9);
  EXPECT_EQ(json["os_bytes"], 10);
  EXPECT_EQ(json["evidence_used"], 11);
  EXPECT_EQ(json["evidence_limit"], 12);
  // The fields above, "kind", "pid", "dropped", "text" and "explanation".
  EXPECT_EQ(json.size(), 24u);
}

TEST(FailureJson, HoldsTheSentenceAndItsEnd) {
  const hakmem_failure_t failure = Different();
  char buffer[kFailureTextBytes];
  TextBuffer text(buffer, sizeof(buffer));
  WriteFailureText(failure, text);
  const nlohmann::json json = Parsed(failure);
  EXPECT_EQ(json["text"], std::string(buffer, text.length()));
  const auto explanation = json["explanation"].get<std::string>();
  EXPECT_EQ(explanation.rfind("the system refused 10 bytes for a large", 0),
            0u);
  EXPECT_NE(json["text"].get<std::string>().find(": " + explanation),
            std::string::npos);
}

TEST(FailureJson, AnErrnoWithoutANameHasNone) {
  hakmem_failure_t failure = Different();
  failure.error = 523;
  EXPECT_EQ(Parsed(failure)["error"], 523);
  EXPECT_FALSE(Parsed(failure).contains("error_name"));
  failure.error = INT32_MIN;
  EXPECT_EQ(Parsed(failure)["error"], INT32_MIN);
}

// With any codes, even unknown ones, and the longest numbers, it is one object,
// and fits. (Text() verifies that.)
TEST(FailureJson, EveryFailureFitsAndIsJson) {
  hakmem_failure_t failure = Different();
  failure.thread = UINT32_MAX;
  failure.sequence = failure.time_ns = failure.alignment = UINT64_MAX - 1;
  failure.size = UINT64_MAX - 1;
  failure.class_bytes = failure.live_bytes = failure.cached_bytes =
      failure.limit_bytes = failure.os_bytes = failure.evidence_used =
          failure.evidence_limit = UINT64_MAX - 1;
  size_t longest = 0;
  for (int cause = 0; cause <= HAKMEM_CAUSE_MAPFAIL + 1; ++cause) {
    for (int subcause = 0; subcause <= HAKMEM_SUBCAUSE_UNKNOWN + 1;
         ++subcause) {
      for (int entry = 0; entry <= HAKMEM_ENTRY_NEW_ALIGNED + 1; ++entry) {
        for (const int error : {0, ENOMEM, EINVAL, 523}) {
          failure.cause = static_cast<hakmem_failure_cause_t>(cause);
          failure.subcause = static_cast<hakmem_failure_subcause_t>(subcause);
          failure.entry = static_cast<hakmem_failure_entry_t>(entry);
          failure.layer = static_cast<hakmem_failure_layer_t>(entry % 5);
          failure.os_request =
              static_cast<hakmem_failure_os_request_t>(entry % 8);
          failure.error = error;
          const std::string text = Text(failure);
          longest = std::max(longest, text.size());
          ASSERT_TRUE(nlohmann::json::accept(text)) << text;
          ASSERT_EQ(text.find('\n'), std::string::npos);
        }
      }
    }
  }
  EXPECT_LT(longest, kFailureJsonBytes - 100);
}

}  // namespace
}  // namespace hakmem
