#include "tests/state_fuzz/span_source_model.h"

#include <algorithm>

#include "backend/large/large.h"
#include "backend/large/span_source.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/spans/page_heap.h"
#include "base/os/clock.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMostLive = size_t{64} << 20;
constexpr size_t kMostBlock = size_t{4} << 20;

}  // namespace

SpanSourceModel::SpanSourceModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      allocate_weight_(source.Between(2, 6)),
      now_(CoarseMilliseconds()) {}

SpanSourceModel::~SpanSourceModel() {
  Faults::Disarm();
  while (!blocks_.empty()) {
    ByteSource none({});
    Free(none);
  }
  Purge(/*force=*/true);
  CheckInvariants();
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
}

void SpanSourceModel::Perform(ByteSource& source) {
  switch (source.Choose({allocate_weight_, 3, 3, 1, 1})) {
    case 0:
      return Allocate(source);
    case 1:
      return Free(source);
    case 2:
      return Resize(source);
    case 3:
      return Purge(source.OneIn(3));
    case 4:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(400);
  }
}

void SpanSourceModel::Allocate(ByteSource& source) {
  const size_t bytes = source.OneIn(16) ? 0 : source.Doubling(1, kMostBlock);
  const size_t alignment =
      source.OneIn(4) ? source.PowerOfTwo(1, 4 * kChunkBytes) : 1;
  if (blocks_.bytes() + bytes > kMostLive) return;
  const FaultWatch faults;
  const SpanAllocation block = SpanSource::Allocate(bytes, alignment);
  if (!block) {
    return Check(faults.Happened(), "%zu bytes refused by nobody", bytes);
  }
  Check(block.address % std::max(alignment, kPageBytes) == 0,
        "block at %#zx not aligned to %zu", block.address, alignment);
  const size_t usable = SpanSource::BytesAt(block.address);
  Check(usable >= std::max<size_t>(bytes, 1), "%zu bytes asked for, %zu given",
        bytes, usable);
  if (block.is_zero) CheckZero(block.address, usable);
  blocks_.Add(block.address, usable);
}

void SpanSourceModel::Free(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Remove(blocks_.Pick(source).address);
  SpanSource::Free(block.address, now_);
  Check(SpanSource::BytesAt(block.address) == 0, "a block is at %#zx still",
        block.address);
}

void SpanSourceModel::Resize(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  const bool is_impossible = source.OneIn(16);
  const size_t bytes = is_impossible
                           ? SIZE_MAX - source.Doubling(1, SIZE_MAX / 2)
                           : source.Doubling(1, 2 * kMostBlock);
  if (!is_impossible && blocks_.bytes() + bytes > kMostLive) return;
  const uintptr_t address = SpanSource::Resize(block.address, bytes, now_);
  const size_t usable =
      SpanSource::BytesAt(address == 0 ? block.address : address);
  Check(!is_impossible || address == 0, "resized to %zu bytes", bytes);
  if (address == 0) {
    return Check(usable == block.bytes, "%zu bytes not resized, but %zu now",
                 block.bytes, usable);
  }
  Check(usable >= bytes, "resized to %zu bytes, asked for %zu", usable, bytes);
  blocks_.Move(block.address, address, usable);
}

void SpanSourceModel::Purge(bool force) {
  PageHeap::Purge(now_, force);
  Large::Purge(now_, force);
  ChunkSource::Purge(now_, force);
}

void SpanSourceModel::CheckInvariants() {
  blocks_.CheckContents();
  blocks_.ForEach([](const LiveBlock& block) {
    const size_t bytes = SpanSource::BytesAt(block.address);
    Check(bytes == block.bytes, "block of %zu bytes at %#zx has %zu now",
          block.bytes, block.address, bytes);
    Check(SpanSource::BytesAt(block.address + 16) == 0,
          "a block starts inside the one at %#zx", block.address);
  });
  Check(PageHeap::UsedBytes() + Large::BytesInUse() == blocks_.bytes(),
        "%zu bytes in spans and %zu in large blocks are not %zu",
        PageHeap::UsedBytes(), Large::BytesInUse(), blocks_.bytes());
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<SpanSourceModel>(bytes);
}

}  // namespace hakmem::fuzz
