#include "benchmarks/harness/json.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(JsonParse, ReadsAllKindsOfValues) {
  const auto json = Json::Parse(
      R"( {"a": 1.5e2, "b": [true, false, null, "x"], "c": {"d": -7}} )");
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["a"].number(), 150);
  ASSERT_EQ((*json)["b"].items().size(), 4u);
  EXPECT_EQ((*json)["b"].items()[0].Dump(), "true");
  EXPECT_TRUE((*json)["b"].items()[2].is_null());
  EXPECT_EQ((*json)["b"].items()[3].text(), "x");
  EXPECT_EQ((*json)["c"]["d"].number(), -7);
  EXPECT_EQ(Json::Parse("[]")->items().size(), 0u);
  EXPECT_EQ(Json::Parse("{}")->Dump(), "{}");
}

TEST(JsonParse, MissingMembersAreNull) {
  const auto json = Json::Parse(R"({"a": 1})");
  ASSERT_TRUE(json.has_value());
  EXPECT_TRUE((*json)["b"].is_null());
  EXPECT_TRUE((*json)["b"]["c"].is_null());
  EXPECT_FALSE((*json)["b"].number().has_value());
  EXPECT_EQ((*json)["a"].text(), "");
  EXPECT_TRUE((*json)["a"].items().empty());
}

TEST(JsonParse, RefusesWhatIsNotJson) {
  for (const char* const bad : {"",
                                " ",
                                "{",
                                "}",
                                "[1,]",
                                "{\"a\":}",
                                "{\"a\" 1}",
                                "{a: 1}",
                                "[1 2]",
                                "tru",
                                "nan",
                                "inf",
                                "-",
                                "1e999",
                                "\"",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\ud800\"",
                                "\"\\ud800\\u0041\"",
                                "\"\\udc00\"",
                                "\"a\nb\"",
                                "{} {}",
                                "1 2",
                                "+1"}) {
    EXPECT_FALSE(Json::Parse(bad).has_value()) << bad;
  }
  EXPECT_FALSE(Json::Parse(std::string(100'000, '[')).has_value());
}

TEST(JsonParse, ReadsEscapes) {
  EXPECT_EQ(Json::Parse(R"("\"\\\/\b\f\n\r\t")")->text(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Json::Parse(R"("\u0041\u00e9\u20ac\ud83d\ude00")")->text(),
            "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(JsonDump, EscapesWhatMustBe) {
  EXPECT_EQ(JsonQuote("a\"b\\c\nd\te\x01 \xc3\xa9/"),
            "\"a\\\"b\\\\c\\nd\\te\\u0001 \xc3\xa9/\"");
  // Also as the name of a member.
  Json json;
  json.Set("a\"b", "c\\d");
  EXPECT_EQ(json.Dump(), R"({"a\"b": "c\\d"})");
  EXPECT_EQ((*Json::Parse(json.Dump()))["a\"b"].text(), "c\\d");
}

TEST(JsonDump, NumbersComeBackAsTheyWere) {
  for (const double number :
       {0.0, -1.0, 0.1, 1e-9, 123456789012345.0, 9007199254740991.0, 1e300}) {
    EXPECT_EQ(Json::Parse(Json(number).Dump())->number(), number);
  }
  EXPECT_EQ(Json(20'000'000).Dump(), "20000000");
  // JSON has no word for these.
  EXPECT_EQ(Json(std::nan("")).Dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).Dump(), "null");
}

TEST(JsonDump, IndentsOnRequest) {
  Json json;
  json.Set("a", Json::Array{1, true});
  json.Set("b", Json::Array{});
  EXPECT_EQ(json.Dump(), R"({"a": [1, true], "b": []})");
  EXPECT_EQ(json.Dump(1), "{\n \"a\": [\n  1,\n  true\n ],\n \"b\": []\n}");
}

TEST(Json, RemoveTakesAMemberAway) {
  Json json;
  json.Set("a", 1);
  json.Set("b", 2);
  json.Remove("a");
  json.Remove("c");
  EXPECT_EQ(json.Dump(), R"({"b": 2})");
}

TEST(Json, ListsDeepDownMayStandOnOneLine) {
  const auto json = Json::Parse(R"({"a": [{"b": [1, 2]}, {}], "c": 3})");
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->Dump(1, 2),
            "{\n \"a\": [\n  {\"b\": [1, 2]},\n  {}\n ],\n \"c\": 3\n}");
  EXPECT_EQ(json->Dump(1, 0), json->Dump());
}

}  // namespace
}  // namespace hakmem::bench
