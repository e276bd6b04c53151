#include "backend/memory/huge_pages.h"

#include <atomic>

#include "base/os/os_memory.h"
#include "base/text/options.h"

namespace hakmem {
namespace {

constinit std::atomic<size_t> refused_bytes{0};
constinit std::atomic<int> refusal{0};  // errno, or kTaken
constexpr int kTaken = -1;

// Values of the option huge_pages.
constexpr uint64_t kWhereDense = 1;
constexpr uint64_t kEverywhere = 2;

}  // namespace

void HugePages::AdviseIfAsked(uintptr_t address, size_t bytes) {
  if (options::Get(options::k_huge_pages) != kEverywhere) return;
  const int error = os::AdviseHugePages(address, bytes);
  if (error == 0 || refusal.load(std::memory_order_relaxed) != 0) return;
  // relaxed: if two are refused at once, the bytes of either will do.
  refused_bytes.store(bytes, std::memory_order_relaxed);
  int none = 0;
  // release: pairs with the acquire in TakeRefusal.
  refusal.compare_exchange_strong(none, error, std::memory_order_release,
                                  std::memory_order_relaxed);
}

void HugePages::AdviseFresh(uintptr_t address, size_t bytes) {
  AdviseIfAsked(address, bytes);
  if (options::Get(options::k_huge_pages) == kEverywhere) return;
  // A kernel without huge pages refuses, which is fine.
  (void)os::AdviseNoHugePages(address, bytes);
}

bool HugePages::AreWantedWhereDense() {
  return options::Get(options::k_huge_pages) == kWhereDense;
}

bool HugePages::AdviseDense(uintptr_t address, size_t bytes) {
  // The user did not ask for it, so a refusal is not recorded.
  return AreWantedWhereDense() && os::AdviseHugePages(address, bytes) == 0;
}

bool HugePages::AdviseSparse(uintptr_t address, size_t bytes) {
  return os::AdviseNoHugePages(address, bytes) == 0;
}

HugePages::Refusal HugePages::TakeRefusal() {
  int error = refusal.load(std::memory_order_relaxed);
  // acquire: pairs with the release in AdviseIfAsked.
  if (error == 0 || error == kTaken ||
      !refusal.compare_exchange_strong(error, kTaken, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
    return {};
  }
  return {error, refused_bytes.load(std::memory_order_relaxed)};
}

}  // namespace hakmem
