// A strict JSON reader, to test that a text is JSON and which values it holds.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_

#include <map>
#include <optional>
#include <string>

namespace hakmem_test {

// Maps the path of every number, string, true, false and null in the JSON
// object `text` to its text (strings without quotes): path "a.b.0" is the first
// element of array b of object a. Nothing if `text` is not one JSON object (RFC
// 8259) or has a duplicate member.
std::optional<std::map<std::string, std::string>> ReadJsonObject(
    const std::string& text);

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_
