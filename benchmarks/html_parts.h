// What the reports as HTML pages have in common. Text that is passed in is
// escaped here.
#ifndef HAKMEM_BENCHMARKS_HTML_PARTS_H_
#define HAKMEM_BENCHMARKS_HTML_PARTS_H_

#include <string>
#include <vector>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// Everything up to the first heading, and what ends the page.
std::string PageHead(const std::string& title);
inline constexpr char kPageEnd[] = "</body>\n</html>\n";

// Of bars and rows: "floor", "ours" or "peer".
const char* CssClass(Contender::Kind kind);

// A table cell's class and text.
struct HtmlCell {
  std::string text;
  std::string css_class = {};
};

class HtmlTable {
 public:
  explicit HtmlTable(const std::vector<std::string>& header);
  void AddRow(const std::string& css_class, const std::vector<HtmlCell>& cells);
  std::string Render() const { return html_ + "</table></div>\n"; }

 private:
  std::string html_;
};

// What was asked and what was reached; empty when nobody was judged.
std::string VerdictSection(const Results& results, const Judgement& judgement);

// The machine, the command, and who took part.
std::string ProvenanceSection(const Results& results, const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HTML_PARTS_H_
