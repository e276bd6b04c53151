#include "benchmarks/report/html.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hakmem::bench {
namespace {

constexpr std::string_view kPage =
#include "benchmarks/report/page/page.html.inc"
    ;

constexpr std::string_view kMarker = "/*RESULT*/";

}  // namespace

std::string HtmlReport(const std::string& result_json) {
  const size_t at = kPage.find(kMarker);
  // A script element ends at the first "</script", in a string or not, and
  // "<!--" would begin a comment in it.
  return absl::StrCat(
      kPage.substr(0, at),
      absl::StrReplaceAll(result_json,
                          {{"</", "<\\/"}, {"<!--", "<\\u0021--"}}),
      kPage.substr(at + kMarker.size()));
}

}  // namespace hakmem::bench
