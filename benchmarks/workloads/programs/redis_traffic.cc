#include "benchmarks/workloads/programs/redis_traffic.h"

#include <initializer_list>

namespace hakmem::bench {
namespace {

constexpr size_t kStrings = 60'000;
constexpr size_t kLists = 2000;
constexpr size_t kHashes = 2000;
constexpr size_t kFields = 40;
constexpr size_t kLogs = 2000;
constexpr uint64_t kLogLimit = 4000;  // bytes

std::string Named(const char* kind, uint32_t number) {
  return std::string(kind) + ":" + std::to_string(number);
}

// No two versions have the same value; 10 to some 400 bytes.
std::string Value(uint32_t version) {
  return "value " + std::to_string(version) +
         std::string(4 + version * uint64_t{7919} % 390, '.');
}

void AddBulk(const std::string& text, std::string& to) {
  to += '$' + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// A value, or that there is none.
void AddValue(uint32_t version, std::string& to) {
  if (version == 0) {
    to += "$-1\r\n";
  } else {
    AddBulk(Value(version), to);
  }
}

void AddNumber(uint64_t number, std::string& to) {
  to += ':' + std::to_string(number) + "\r\n";
}

void AddRequest(std::initializer_list<std::string> words, std::string& to) {
  to += '*' + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) AddBulk(word, to);
}

}  // namespace

RedisTraffic::RedisTraffic(uint64_t seed)
    : random_(seed),
      strings_(kStrings),
      lists_(kLists),
      hashes_(kHashes, std::vector<Version>(kFields)),
      logs_(kLogs) {}

uint32_t RedisTraffic::Draw(size_t bound) {
  return static_cast<uint32_t>(random_.Below(bound));
}

void RedisTraffic::Next(std::string& requests, std::string& replies) {
  switch (Draw(8)) {
    case 0:
    case 1:
      return OnList(requests, replies);
    case 2:
    case 3:
      return OnHash(requests, replies);
    case 4:
      return OnLog(requests, replies);
    default:
      return OnString(requests, replies);
  }
}

// Two in three are set.
void RedisTraffic::OnString(std::string& requests, std::string& replies) {
  const uint32_t number = Draw(strings_.size());
  const std::string key = Named("string", number);
  if (Draw(3) == 0) {
    AddRequest({"GET", key}, requests);
    AddValue(strings_[number], replies);
  } else {
    strings_[number] = NewVersion();
    AddRequest({"SET", key, Value(strings_[number])}, requests);
    replies += "+OK\r\n";
  }
}

// Pushed at one end more often than popped from the other.
void RedisTraffic::OnList(std::string& requests, std::string& replies) {
  const uint32_t number = Draw(lists_.size());
  const std::string key = Named("list", number);
  std::deque<Version>& list = lists_[number];
  if (Draw(5) < 2) {
    AddRequest({"RPOP", key}, requests);
    AddValue(list.empty() ? 0 : list.back(), replies);
    if (!list.empty()) list.pop_back();
  } else {
    list.push_front(NewVersion());
    AddRequest({"LPUSH", key, Value(list.front())}, requests);
    AddNumber(list.size(), replies);
  }
}

void RedisTraffic::OnHash(std::string& requests, std::string& replies) {
  const uint32_t number = Draw(hashes_.size());
  const uint32_t field = Draw(kFields);
  const std::string key = Named("hash", number);
  Version& version = hashes_[number][field];
  if (Draw(3) == 0) {
    AddRequest({"HGET", key, Named("field", field)}, requests);
    AddValue(version, replies);
  } else {
    AddNumber(version == 0 ? 1 : 0, replies);
    version = NewVersion();
    AddRequest({"HSET", key, Named("field", field), Value(version)}, requests);
  }
}

// Strings that grow until they are deleted.
void RedisTraffic::OnLog(std::string& requests, std::string& replies) {
  const uint32_t number = Draw(logs_.size());
  const std::string key = Named("log", number);
  uint64_t& length = logs_[number];
  if (length > kLogLimit) {
    AddRequest({"DEL", key}, requests);
    AddNumber(1, replies);
    length = 0;
  } else {
    const std::string line = Value(NewVersion());
    length += line.size();
    AddRequest({"APPEND", key, line}, requests);
    AddNumber(length, replies);
  }
}

}  // namespace hakmem::bench
