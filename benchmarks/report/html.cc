#include "benchmarks/report/html.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hakmem::bench {
namespace {

constexpr char kPage[] =
#include "benchmarks/report/page/page.html.inc"
    ;

constexpr std::string_view kMarker = "/*RESULT*/";

}  // namespace

std::string HtmlReport(const std::string& result_json) {
  const std::string_view page(kPage, sizeof(kPage) - 1);
  const size_t at = page.find(kMarker);
  // A script element ends at the first "</script", in a string or not, and
  // "<!--" would begin a comment in it.
  return absl::StrCat(
      page.substr(0, at),
      absl::StrReplaceAll(result_json,
                          {{"</", "<\\/"}, {"<!--", "<\\u0021--"}}),
      page.substr(at + kMarker.size()));
}

}  // namespace hakmem::bench
