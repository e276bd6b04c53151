#include "ace/limit.h"

#include <atomic>

#include "base/options.h"

namespace hakmem {
namespace {

// relaxed throughout: a sum that orders nothing.
constinit std::atomic<size_t> held{0};

}  // namespace

bool AceLimit::Reserve(size_t bytes) {
  const size_t now = held.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (now <= Bytes()) [[likely]]
    return true;
  held.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void AceLimit::Release(size_t bytes) {
  held.fetch_sub(bytes, std::memory_order_relaxed);
}

size_t AceLimit::Held() { return held.load(std::memory_order_relaxed); }

size_t AceLimit::Bytes() {
  const size_t megabytes = options::Get(options::k_ace_limit_mb);
  return megabytes == 0 ? SIZE_MAX : megabytes << 20;
}

}  // namespace hakmem
