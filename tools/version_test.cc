// The one version is that of version.bzl: what cannot read it repeats it.
//
// The build gives HAKMEM_TEST_VERSION, and from the folder the test starts in:
// HAKMEM_TEST_MODULE, HAKMEM_TEST_HEADER, HAKMEM_TEST_SEGMENT,
// HAKMEM_TEST_SUPERSLAB.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "hakmem/hakmem.h"

namespace hakmem_test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Version() { return Variable("HAKMEM_TEST_VERSION"); }

std::string Contents(const char* variable) {
  std::ifstream file(Variable(variable));
  EXPECT_TRUE(file.good()) << variable;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string VersionOf(const char* variable) {
  void* const library =
      dlopen(("./" + Variable(variable)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto version = reinterpret_cast<decltype(&hakmem_version)>(
      dlsym(library, "hakmem_version"));
  return version == nullptr ? "" : version();
}

TEST(VersionTest, IsOne) {
  EXPECT_THAT(Version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(VersionTest, TheModuleHasIt) {
  EXPECT_THAT(Contents("HAKMEM_TEST_MODULE"),
              HasSubstr("    name = \"hakmem\",\n    version = \"" + Version() +
                        "\","));
}

TEST(VersionTest, TheHeaderTellsOfIt) {
  EXPECT_THAT(
      Contents("HAKMEM_TEST_HEADER"),
      HasSubstr("\"" + Version() +
                " (segment, ace adaptive, hardening off, tracing on)\""));
}

TEST(VersionTest, TheLibrariesSayIt) {
  EXPECT_THAT(VersionOf("HAKMEM_TEST_SEGMENT"),
              StartsWith(Version() + " (segment, ace "));
  EXPECT_THAT(VersionOf("HAKMEM_TEST_SUPERSLAB"),
              StartsWith(Version() + " (superslab, ace "));
}

}  // namespace
}  // namespace hakmem_test
