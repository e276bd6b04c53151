// Reads the heap profile of this process, as the library writes it.
#ifndef HAKMEM_TESTS_BLACKBOX_PROFILE_PROFILE_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_PROFILE_PROFILE_TEST_HELPER_H_

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {

struct Weight {
  double count = 0;
  double bytes = 0;
};

struct ProfiledSite {
  Weight live;
  Weight peak;
  Weight allocated;
  std::vector<uintptr_t> frames;
};

struct ProfileText {
  bool is_whole = false;
  uint64_t pid = 0;
  Weight live;
  Weight peak;
  Weight allocated;
  Weight dropped;
  std::vector<ProfiledSite> sites;
  int maps_with_build_id = 0;
};

inline std::string TemporaryFile(const std::string& name) {
  const char* const folder = std::getenv("TEST_TMPDIR");
  return std::string(folder != nullptr ? folder : "/tmp") + "/" + name;
}

inline ProfileText ReadProfile(const std::string& path) {
  ProfileText profile;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    const auto read = [&words](Weight& weight) {
      words >> weight.count >> weight.bytes;
    };
    if (kind == "pid") words >> profile.pid;
    if (kind == "live") read(profile.live);
    if (kind == "peak") read(profile.peak);
    if (kind == "allocated") read(profile.allocated);
    if (kind == "dropped") read(profile.dropped);
    if (kind == "site") {
      ProfiledSite site;
      read(site.live);
      read(site.peak);
      read(site.allocated);
      std::string frame;
      while (words >> frame) {
        site.frames.push_back(std::stoull(frame, nullptr, 16));
      }
      profile.sites.push_back(site);
    }
    if (kind == "map") {
      std::string build_id;
      words >> kind >> kind >> kind >> build_id;
      if (build_id.size() == 40) ++profile.maps_with_build_id;
    }
    profile.is_whole = kind == "end";
  }
  return profile;
}

// What the preloaded library has sampled by now.
inline ProfileText ProfileNow() {
  const std::string path = TemporaryFile("profile_now");
  EXPECT_EQ(Hakmem().profile_write(path.c_str()), 0);
  ProfileText profile = ReadProfile(path);
  EXPECT_TRUE(profile.is_whole);
  unlink(path.c_str());
  return profile;
}

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_PROFILE_PROFILE_TEST_HELPER_H_
