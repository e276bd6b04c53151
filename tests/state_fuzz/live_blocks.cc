#include "tests/state_fuzz/live_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "backend/memory/chunk.h"
#include "base/os/os_memory.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kPage = 4096;
// Blocks up to this size are filled completely; larger ones get one word per
// page, or per 64 KiB.
constexpr size_t kWhollyWritten = 512;
constexpr size_t kPagewise = size_t{1} << 20;
constexpr size_t kLongStep = 65536;

uint64_t WordFor(uint64_t id, size_t offset) {
  return (id * 0x9E3779B97F4A7C15 + offset) | 1;  // never zero
}

// Calls visit(offset) for the words of a block of `bytes` that are filled:
// always including the first and the last, which a neighbour's overrun hits
// first.
template <typename Visit>
void ForEachWritten(uint64_t id, size_t bytes, Visit&& visit) {
  if (bytes <= kWhollyWritten) {
    for (size_t at = 0; at + kWord <= bytes; at += kWord) visit(at);
    return;
  }
  visit(size_t{0});
  const bool is_long = bytes > kPagewise;
  for (size_t at = 0; at < bytes; at += is_long ? kLongStep : kPage) {
    // At offsets that vary between blocks; in a long block, where CheckZero
    // looks.
    const size_t word =
        is_long ? at : at + (id + at / kPage) * 40 % kPage / kWord * kWord;
    if (word + kWord <= bytes) visit(word);
  }
  visit((bytes - kWord) & ~(kWord - 1));
}

void Write(uintptr_t address, size_t bytes, uint64_t id) {
  ForEachWritten(id, bytes, [&](size_t offset) {
    *reinterpret_cast<uint64_t*>(address + offset) = WordFor(id, offset);
  });
}

// The first `kept` bytes of a block of `bytes`, now at `address`, must be
// intact.
void CheckWritten(uintptr_t address, size_t bytes, size_t kept, uint64_t id) {
  ForEachWritten(id, bytes, [&](size_t offset) {
    if (offset + kWord > kept) return;
    const uint64_t found = *reinterpret_cast<uint64_t*>(address + offset);
    Check(found == WordFor(id, offset),
          "block of %zu bytes at %#zx: %#zx at offset %zu, %#zx was written",
          bytes, address, size_t{found}, offset, size_t{WordFor(id, offset)});
  });
}

uintptr_t ChunkOf(uintptr_t address) { return address & ~(kChunkBytes - 1); }

std::set<uintptr_t> ChunksOf(const LiveBlocks& blocks,
                             bool (*counts)(const LiveBlock&)) {
  std::set<uintptr_t> chunks;
  blocks.ForEach([&](const LiveBlock& block) {
    if (counts(block)) chunks.insert(ChunkOf(block.address));
  });
  return chunks;
}

}  // namespace

void LiveBlocks::Add(uintptr_t address, size_t bytes, uint64_t tag) {
  Check(!Overlaps(address, bytes),
        "%zu bytes at %#zx handed out while a part of them is in use", bytes,
        address);
  const uint64_t id = next_id_++;
  blocks_[address] = {{address, bytes, tag}, id, order_.size()};
  order_.push_back(address);
  bytes_ += bytes;
  Write(address, bytes, id);
}

LiveBlock LiveBlocks::Remove(uintptr_t address) {
  const Entry entry = EntryAt(address);
  CheckWritten(address, entry.block.bytes, entry.block.bytes, entry.id);
  blocks_.at(order_.back()).place = entry.place;
  order_[entry.place] = order_.back();
  order_.pop_back();
  bytes_ -= entry.block.bytes;
  blocks_.erase(address);
  return entry.block;
}

void LiveBlocks::Move(uintptr_t old_address, uintptr_t address, size_t bytes,
                      size_t kept) {
  const Entry old = EntryAt(old_address);
  CheckWritten(address, old.block.bytes, std::min(kept, old.block.bytes),
               old.id);
  // Refilled at its new address, so that Remove finds what it expects.
  blocks_.erase(old_address);
  Check(!Overlaps(address, bytes),
        "%zu bytes resized to %zu at %#zx over a block in use", old.block.bytes,
        bytes, address);
  bytes_ += bytes - old.block.bytes;
  order_[old.place] = address;
  blocks_[address] = {{address, bytes, old.block.tag}, old.id, old.place};
  Write(address, bytes, old.id);
}

void LiveBlocks::SetTag(uintptr_t address, uint64_t tag) {
  blocks_.at(address).block.tag = tag;
}

LiveBlock LiveBlocks::Pick(ByteSource& source) const {
  return EntryAt(order_[source.Below(order_.size())]).block;
}

bool LiveBlocks::Overlaps(uintptr_t address, size_t bytes) const {
  const auto next = blocks_.lower_bound(address);
  if (next != blocks_.end() && next->first < address + bytes) return true;
  if (next == blocks_.begin()) return false;
  const auto previous = std::prev(next);
  return address < previous->first + previous->second.block.bytes;
}

void LiveBlocks::CheckContents() const {
  for (const auto& [address, entry] : blocks_) {
    CheckWritten(address, entry.block.bytes, entry.block.bytes, entry.id);
  }
}

const LiveBlocks::Entry& LiveBlocks::EntryAt(uintptr_t address) const {
  const auto found = blocks_.find(address);
  Check(found != blocks_.end(), "the model has no block at %#zx", address);
  return found->second;
}

void CheckZero(uintptr_t address, size_t bytes) {
  const size_t step = bytes <= kPagewise ? kWord : kLongStep;
  for (size_t at = 0; at + kWord <= bytes; at += step) {
    Check(*reinterpret_cast<uint64_t*>(address + at) == 0,
          "%zu bytes at %#zx said to be zeros are not at offset %zu", bytes,
          address, at);
  }
}

bool KernelMakesHugePagesUnasked() {
  static const bool does = [] {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string text;
    std::getline(file, text);
    return text.find("[always]") != std::string::npos;
  }();
  return does;
}

size_t KernelResidentBytes(uintptr_t address, size_t bytes) {
  const size_t page = os::PageBytes();
  std::vector<unsigned char> pages(bytes / page);
  if (mincore(reinterpret_cast<void*>(address), bytes, pages.data()) != 0) {
    return 0;
  }
  return page * static_cast<size_t>(std::count_if(
                    pages.begin(), pages.end(),
                    [](unsigned char p) { return (p & 1) != 0; }));
}

// Pages of a chunk that os::IsMostlyTouched may have found untouched: its reads
// map the kernel's zero page, which mincore counts.
constexpr size_t kSampled = 5 * kPage;

size_t ResidentInChunksOf(const LiveBlocks& blocks,
                          bool (*counts)(const LiveBlock&)) {
  if (KernelMakesHugePagesUnasked()) return 0;
  size_t bytes = 0;
  for (const uintptr_t chunk : ChunksOf(blocks, counts)) {
    const size_t resident = KernelResidentBytes(chunk, kChunkBytes);
    bytes += resident - std::min(resident, kSampled);
  }
  return bytes;
}

size_t CountChunksOf(const LiveBlocks& blocks) {
  return ChunksOf(blocks, [](const LiveBlock&) { return true; }).size();
}

}  // namespace hakmem::fuzz
