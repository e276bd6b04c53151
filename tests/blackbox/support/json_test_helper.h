// json_test_helper.h: reads JSON strictly, so that a test can say whether a
// text is JSON and what numbers it holds.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_

#include <map>
#include <optional>
#include <string>

namespace hakmem_test {

// Every number, string, true, false and null of the JSON object `text`, as it
// is written there (strings without their quotes), by its path: "a.b.0" is the
// first element of array b of object a. Nothing when `text` is not one JSON
// object (RFC 8259), or names a member twice.
std::optional<std::map<std::string, std::string>> ReadJsonObject(
    const std::string& text);

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_JSON_TEST_HELPER_H_
