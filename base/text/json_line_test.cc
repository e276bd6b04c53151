// Whatever text is put into a line of JSON, a parser reads it back.
#include "base/text/json_line.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "nlohmann/json.hpp"

namespace hakmem {
namespace {

std::string Quoted(const std::string& text) {
  char buffer[1024];
  TextBuffer out(buffer, sizeof(buffer));
  WriteJsonString(text.c_str(), out);
  return std::string(buffer, std::min(out.length(), sizeof(buffer)));
}

// What a strict parser makes of it.
std::string ReadBack(const std::string& text) {
  return nlohmann::json::parse(Quoted(text)).get<std::string>();
}

TEST(JsonLine, BeginsWithItsKindAndProcess) {
  char buffer[128];
  TextBuffer out(buffer, sizeof(buffer));
  BeginJsonLine("frame", out);
  out.Text("}");
  const auto line = nlohmann::json::parse(std::string(buffer, out.length()));
  EXPECT_EQ(line["kind"], "frame");
  EXPECT_EQ(line["pid"], getpid());
  EXPECT_EQ(line.size(), 2u);
}

TEST(JsonLine, TextIsReadBackAsItWas) {
  std::string ascii;
  for (char c = 1; c < 127; ++c) ascii += c;
  for (const std::string& text :
       {std::string(), ascii, std::string("\x7f"),
        std::string("gr\xc3\xb6\xc3\x9f"
                    "e \xe2\x82\xac \xf0\x9f\x98\x80"),
        std::string("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf")}) {
    EXPECT_EQ(ReadBack(text), text);
  }
}

TEST(JsonLine, WhatIsNoUtf8IsReplaced) {
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(ReadBack("a\xff"
                     "b"),
            "a" + mark + "b");
  EXPECT_EQ(ReadBack("\xc3"), mark);             // cut short
  EXPECT_EQ(ReadBack("\xe2\x82"), mark + mark);  // cut short
  EXPECT_EQ(ReadBack("\xf0\x9f\x98"), mark + mark + mark);
  EXPECT_EQ(ReadBack("\xc0\xaf"), mark + mark);  // overlong
  EXPECT_EQ(ReadBack("\xe0\x80\xaf"), mark + mark + mark);
  EXPECT_EQ(ReadBack("\xf0\x80\x80\xaf"), mark + mark + mark + mark);
  EXPECT_EQ(ReadBack("\xed\xa0\x80"), mark + mark + mark);  // a surrogate
  EXPECT_EQ(ReadBack("\xf4\x90\x80\x80"), mark + mark + mark + mark);
}

TEST(JsonLine, LongTextIsCutBetweenCharacters) {
  char buffer[64];
  TextBuffer out(buffer, sizeof(buffer));
  WriteJsonString(
      "abc\xe2\x82\xac"
      "def",
      out, 4);
  EXPECT_EQ(std::string(buffer, out.length()), "\"abc\xe2\x82\xac\"");
}

}  // namespace
}  // namespace hakmem
