// What a client asks of a Redis server and what the server must answer.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_REDIS_TRAFFIC_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_REDIS_TRAFFIC_H_

#include <stdint.h>

#include <deque>
#include <string>
#include <vector>

#include "benchmarks/worker/random.h"

namespace hakmem::bench {

// Random requests on strings, lists, hashes and growing strings, in the
// server's protocol. Knows what is in the database, which is empty first.
class RedisTraffic {
 public:
  explicit RedisTraffic(uint64_t seed);

  // Appends a request to one text and its reply to the other.
  void Next(std::string& requests, std::string& replies);

 private:
  // 0: there is none; otherwise one of the values (Value).
  using Version = uint32_t;

  void OnString(std::string& requests, std::string& replies);
  void OnList(std::string& requests, std::string& replies);
  void OnHash(std::string& requests, std::string& replies);
  void OnLog(std::string& requests, std::string& replies);

  uint32_t Draw(size_t bound);
  Version NewVersion() { return ++last_version_; }

  Random random_;
  Version last_version_ = 0;
  std::vector<Version> strings_;
  std::vector<std::deque<Version>> lists_;
  std::vector<std::vector<Version>> hashes_;
  std::vector<uint64_t> logs_;  // their lengths
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_REDIS_TRAFFIC_H_
