"""Inputs of the programs: large, made by a rule, the same in every run."""

import random


def sql_script(rows):
    """A script that fills, indexes, changes and queries tables of `rows` rows."""
    lines = [
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, tag INT);",
        "CREATE TABLE sale(item INT, count INT, note TEXT);",
        "BEGIN;",
    ]
    choose = random.Random(1)
    for row in range(rows):
        name = "n" * (row % 40) + str(choose.randrange(10**9))
        lines.append(f"INSERT INTO item VALUES({row},'{name}',{row % 977}.5,{row % 100});")
        if row % 4 == 0:
            item = choose.randrange(rows)
            lines.append(f"INSERT INTO sale VALUES({item},{row % 7},'note {row}');")
    lines += [
        "COMMIT;",
        "CREATE INDEX by_name ON item(name);",
        "CREATE INDEX by_item ON sale(item);",
        "SELECT count(*), sum(price), max(name) FROM item;",
        "SELECT tag, count(*), avg(price), min(length(name)) FROM item GROUP BY tag;",
        "SELECT i.tag, sum(s.count), count(DISTINCT s.note) FROM item i JOIN sale s"
        " ON s.item = i.id GROUP BY i.tag ORDER BY 2, 1;",
        "UPDATE item SET name = name || '-' || tag WHERE id % 3 = 0;",
        "DELETE FROM item WHERE id % 5 = 0;",
        "SELECT name FROM item ORDER BY name DESC LIMIT 1000;",
        "SELECT length(group_concat(name, ',')) FROM item;",
        "VACUUM;",
        "PRAGMA integrity_check;",
    ]
    return "\n".join(lines) + "\n"


def cxx_source(functions):
    """A C++ file with many templates, containers and lambdas."""
    parts = [
        "#include <algorithm>",
        "#include <functional>",
        "#include <map>",
        "#include <memory>",
        "#include <regex>",
        "#include <string>",
        "#include <unordered_map>",
        "#include <vector>",
        "template <int n> struct Node {",
        "  std::map<std::string, std::vector<int>> values;",
        "  std::unique_ptr<Node<n - 1>> next = std::make_unique<Node<n - 1>>();",
        "  int Sum() const {",
        "    int sum = n;",
        "    for (const auto& [key, list] : values)",
        "      for (int value : list) sum += value + int(key.size());",
        "    return sum + next->Sum();",
        "  }",
        "};",
        "template <> struct Node<0> { int Sum() const { return 0; } };",
        "int Depth() { return Node<60>().Sum(); }",
        'bool Match(const std::string& s) { return std::regex_match(s, std::regex("a+b*")); }',
    ]
    for i in range(functions):
        parts.append(
            f"struct Type{i} {{ int field{i}; std::string name; }};\n"
            f"int Function{i}(const std::vector<Type{i}>& all) {{\n"
            f"  std::unordered_map<std::string, Type{i}> index;\n"
            f"  for (const auto& one : all) index[one.name] = one;\n"
            f"  std::vector<Type{i}> sorted(all);\n"
            f"  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {{\n"
            f"    return a.field{i} + {i} < b.field{i}; }});\n"
            f"  std::function<int(int)> count = [&](int n) {{\n"
            f"    return n <= 0 ? {i} : count(n - 1) + int(index.size()); }};\n"
            f"  return count(int(sorted.size()));\n"
            f"}}"
        )
    return "\n".join(parts) + "\n"


def git_history(commits):
    """A stream for git fast-import: `commits` commits to 400 growing files."""
    choose = random.Random(2)
    words = [f"word{choose.randrange(10**6)}" for _ in range(2000)]
    files = {}
    stream = []
    for number in range(commits):
        stream.append(
            f"commit refs/heads/main\nmark :{number + 1}\n"
            f"committer Tester <tester@example.com> {1700000000 + number} +0000\n"
            f"data <<END\nChange {number}\nEND\n"
        )
        for _ in range(5):
            name = f"directory{choose.randrange(20)}/file{choose.randrange(20)}"
            text = files.get(name, "") + " ".join(choose.choices(words, k=60)) + "\n"
            files[name] = text
            stream.append(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
        stream.append("\n")
    return "".join(stream).encode()


def compressible_text(size):
    """About `size` bytes of text that compresses to a quarter or so."""
    choose = random.Random(3)
    words = ["".join(choose.choices("etaoinshrdlu", k=choose.randrange(2, 9))) for _ in range(5000)]
    lines = []
    length = 0
    while length < size:
        line = " ".join(choose.choices(words, k=50)) + "\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()
