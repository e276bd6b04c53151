#include "tests/state_fuzz/large_model.h"

#include <algorithm>

#include "backend/large/large.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "base/os/clock.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMaxLive = size_t{160} << 20;
constexpr size_t kAlwaysCached = size_t{32} << 20;
constexpr size_t kMaxBlock = size_t{40} << 20;

}  // namespace

LargeModel::LargeModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      allocate_weight_(source.Between(2, 6)),
      most_bytes_(source.Doubling(kChunkBytes, kMaxBlock)),
      now_(CoarseMilliseconds()) {
  Check(Large::BytesInUse() == 0, "blocks are in use at the start");
}

LargeModel::~LargeModel() {
  Faults::Disarm();
  while (!blocks_.empty()) {
    ByteSource none({});
    GiveBack(none);
  }
  Purge(/*force=*/true);
  Check(Large::BytesInUse() == 0, "%zu bytes in use, and no block",
        Large::BytesInUse());
}

void LargeModel::Perform(ByteSource& source) {
  switch (source.Choose({allocate_weight_, 3, 3, 1, 1, 1, 1})) {
    case 0:
      return Allocate(source);
    case 1:
      return GiveBack(source);
    case 2:
      return Resize(source);
    case 3:
      return FreeWhatIsNone(source);
    case 4:
      return AskImpossible(source);
    case 5:
      return Purge(source.OneIn(3));
    case 6:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(400);
  }
}

void LargeModel::Allocate(ByteSource& source) {
  const size_t bytes = DrawBytes(source);
  const size_t alignment =
      source.OneIn(6) ? source.PowerOfTwo(1, size_t{32} << 20) : kPageBytes;
  if (blocks_.bytes() + bytes > kMaxLive) return;
  const bool from_cached = source.OneIn(2);
  const bool zeroed = !from_cached && source.OneIn(2);
  const size_t cached = Large::BytesCached();
  const FaultWatch faults;
  const SpanAllocation block =
      from_cached ? Large::Allocate(bytes, alignment, Large::Contents::kAny)
      : zeroed    ? Large::Allocate(bytes, alignment, Large::Contents::kZero)
                  : Large::AllocateFresh(bytes, alignment);
  if (!block) {
    return Check(faults.Happened(), "%zu bytes refused by nobody", bytes);
  }
  Check(block.is_zero || cached != 0 || Faults::IsPossible(),
        "a block that is not zeros, and none was cached");
  Check(block.address % std::max(alignment, kChunkBytes) == 0,
        "block at %#zx not aligned to %zu", block.address, alignment);
  const size_t usable = Large::BytesAt(PagemapEntry::At(block.address));
  // Rounded up to chunks; a cached block may be an eighth larger.
  const size_t rounded = bytes + bytes / 4 + kPageBytes;
  Check(usable >= bytes && usable <= rounded + rounded / 8,
        "%zu bytes asked for, %zu given", bytes, usable);
  if (block.is_zero) CheckZero(block.address, usable);
  blocks_.Add(block.address, usable);
}

void LargeModel::GiveBack(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Remove(blocks_.Pick(source).address);
  const size_t cached = Large::BytesCached();  // with tails, this block's too
  if (!source.OneIn(4) && Large::Cache(PagemapEntry::At(block.address), now_)) {
    // With so little cached, nothing may be evicted.
    Check(cached + block.bytes > kAlwaysCached ||
              Large::BytesCached() == cached + block.bytes,
          "%zu bytes cached to %zu make %zu", block.bytes, cached,
          Large::BytesCached());
  } else {
    Check(Large::Free(PagemapEntry::At(block.address)),
          "block at %#zx is not known", block.address);
  }
  Check(Large::BytesAt(PagemapEntry::At(block.address)) == 0,
        "a block is at %#zx still", block.address);
}

void LargeModel::Resize(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  const size_t bytes = source.OneIn(3)
                           ? block.bytes + source.Below(3 * kPageBytes)
                           : DrawBytes(source);
  if (blocks_.bytes() + bytes > kMaxLive + block.bytes) return;
  const uintptr_t address =
      Large::Resize(PagemapEntry::At(block.address), bytes).address;
  // A block that pages were moved to cannot grow, so refusing is allowed.
  if (address == 0) {
    Check(Large::BytesAt(PagemapEntry::At(block.address)) == block.bytes,
          "%zu bytes at %#zx, refused more, are %zu now", block.bytes,
          block.address, Large::BytesAt(PagemapEntry::At(block.address)));
    return Check(bytes > block.bytes || Faults::IsPossible() ||
                     block.bytes - bytes > (size_t{16} << 20),
                 "%zu bytes shrunk to %zu refused", block.bytes, bytes);
  }
  const size_t usable = Large::BytesAt(PagemapEntry::At(address));
  Check(usable >= bytes && usable < bytes + kPageBytes,
        "resized to %zu bytes, asked for %zu", usable, bytes);
  if (address != block.address) {
    Check(Large::BytesAt(PagemapEntry::At(block.address)) == 0,
          "the block is at %#zx still", block.address);
  }
  blocks_.Move(block.address, address, usable);
}

void LargeModel::AskImpossible(ByteSource& source) {
  const size_t bytes = SIZE_MAX - source.Doubling(1, SIZE_MAX / 2);
  Check(!Large::AllocateFresh(bytes, kPageBytes), "%zu bytes given", bytes);
  for (const auto contents : {Large::Contents::kAny, Large::Contents::kZero}) {
    Check(!Large::Allocate(bytes, kPageBytes, contents), "%zu bytes given",
          bytes);
  }
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  Check(!Large::Resize(PagemapEntry::At(block.address), bytes),
        "resized to %zu", bytes);
  Check(Large::BytesAt(PagemapEntry::At(block.address)) == block.bytes,
        "and changed to %zu", Large::BytesAt(PagemapEntry::At(block.address)));
}

void LargeModel::FreeWhatIsNone(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  const uintptr_t inside = block.address + source.Below(block.bytes);
  Check(Large::BlockAround(inside) == block.address,
        "%#zx lies in the block at %#zx, found %#zx", inside, block.address,
        Large::BlockAround(inside));
  if (inside == block.address) return;
  Check(PagemapEntry::At(inside).kind() == PagemapEntryKind::kNone,
        "%#zx was found, inside the block at %#zx", inside, block.address);
  Check(!Large::Free(PagemapEntry::At(inside)), "freed what is inside a block");
  Check(!Large::Cache(PagemapEntry::At(inside), now_),
        "cached what is inside a block");
}

void LargeModel::Purge(bool force) {
  const FaultWatch faults;
  const size_t before = Large::BytesCached();
  const size_t given_back = Large::Purge(now_, force);
  Check(before - Large::BytesCached() == given_back,
        "%zu bytes given back, %zu less cached", given_back,
        before - Large::BytesCached());
  Check(!force || Large::BytesCached() == 0, "%zu bytes cached after a purge",
        Large::BytesCached());
}

void LargeModel::CheckInvariants() {
  blocks_.CheckContents();
  blocks_.ForEach([](const LiveBlock& block) {
    Check(Large::BytesAt(PagemapEntry::At(block.address)) == block.bytes,
          "block of %zu bytes at %#zx has %zu now", block.bytes, block.address,
          Large::BytesAt(PagemapEntry::At(block.address)));
  });
  Check(Large::BytesInUse() == blocks_.bytes(), "%zu bytes in use, not %zu",
        Large::BytesInUse(), blocks_.bytes());
  // Nothing else in this process is free and resident.
  Check(DirtyBytes::Bytes() == Large::BytesCached(),
        "%zu bytes in the ledger, %zu cached", DirtyBytes::Bytes(),
        Large::BytesCached());
}

// Often near a multiple of a chunk, where the layer's decisions change.
size_t LargeModel::DrawBytes(ByteSource& source) const {
  const size_t bytes = source.Doubling(kMaxSpanBytes / 2, most_bytes_);
  if (source.OneIn(2)) return bytes;
  const size_t chunks = (bytes + kChunkBytes - 1) & ~(kChunkBytes - 1);
  return chunks + source.Below(3) * kPageBytes - kPageBytes;
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<LargeModel>(bytes);
}

}  // namespace hakmem::fuzz
