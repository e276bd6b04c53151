#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/draw.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kItems = 100'000;
constexpr uint64_t kItemsPerSale = 2;
constexpr uint32_t kShelves = 50;

struct Item {
  uint64_t price;
  uint32_t shelf;
};

// Writes the script and returns what it must print.
std::string WriteScript(Draw draw, uint64_t count) {
  FileWriter script("script.sql");
  script.Write(
      "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price INT,"
      " shelf INT);\n"
      "CREATE TABLE sale(item INT, number INT);\n"
      "BEGIN;\n");
  std::vector<Item> items;
  uint64_t names = 0;  // their length in all, with the shelf behind
  for (uint64_t id = 0; id < count; ++id) {
    const Item item = {draw.Below(1000), draw.Below(kShelves)};
    const std::string name = "thing " + std::to_string(draw.Below(1'000'000)) +
                             std::string(id % 30, 'g');
    script.Printf("INSERT INTO item VALUES(%zu,'%s',%zu,%u);\n",
                  static_cast<size_t>(id), name.c_str(),
                  static_cast<size_t>(item.price), item.shelf);
    names += name.size() + std::to_string(item.shelf).size();
    items.push_back(item);
  }
  uint64_t earned = 0;
  for (uint64_t sale = 0; sale < count / kItemsPerSale; ++sale) {
    const uint32_t item = draw.Below(static_cast<uint32_t>(count));
    const uint32_t number = draw.Below(9);
    script.Printf("INSERT INTO sale VALUES(%u,%u);\n", item, number);
    earned += items[item].price * number;
  }
  script.Write(
      "COMMIT;\n"
      "CREATE INDEX by_name ON item(name);\n"
      "CREATE INDEX by_item ON sale(item);\n"
      "SELECT total(s.number * i.price) FROM sale s JOIN item i"
      " ON i.id = s.item;\n"
      "SELECT sum(length(label)) FROM (SELECT name || shelf AS label FROM item"
      " ORDER BY label DESC LIMIT -1);\n"
      "UPDATE item SET price = price + 1, name = 'more ' || name"
      " WHERE shelf < 25;\n"
      "DELETE FROM item WHERE id % 5 = 0;\n"
      "SELECT shelf, sum(price) FROM item GROUP BY shelf"
      " ORDER BY 2 DESC, 1 LIMIT 1;\n"
      "SELECT count(*), sum(price) FROM item WHERE name LIKE 'more%';\n"
      "PRAGMA integrity_check;\n");

  std::array<uint64_t, kShelves> shelves = {};
  uint64_t more = 0;
  uint64_t more_price = 0;
  for (size_t id = 0; id < items.size(); ++id) {
    if (id % 5 == 0) continue;
    const bool is_more = items[id].shelf < 25;
    const uint64_t price = items[id].price + (is_more ? 1 : 0);
    shelves[items[id].shelf] += price;
    if (is_more) {
      ++more;
      more_price += price;
    }
  }
  const auto* const dearest = std::max_element(shelves.begin(), shelves.end());
  return std::to_string(earned) + ".0\n" + std::to_string(names) + "\n" +
         std::to_string(dearest - shelves.begin()) + "|" +
         std::to_string(*dearest) + "\n" + std::to_string(more) + "|" +
         std::to_string(more_price) + "\nok\n";
}

}  // namespace

void Sqlite(Run& run) {
  const std::string sqlite = NeedProgram("sqlite", "sqlite3");
  const Folder folder;
  // Enough that each shelf and each kind of item is there.
  const uint64_t items = std::max<uint64_t>(run.Scaled(kItems), 1000);
  const std::string expected = WriteScript(Draw(run.seed()), items);
  std::string result;
  run.FinishWith(RunCommand({.program = sqlite,
                             .arguments = {"-batch", "-bail", ":memory:"},
                             .input = "script.sql"},
                            &result));
  ExpectResult(sqlite, result, expected);
  run.Count(items + items / kItemsPerSale);
}

}  // namespace hakmem::bench
