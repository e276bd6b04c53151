#include "tests/state_fuzz/chunk_source_model.h"

#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "base/os/os_memory.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMaxChunks = 80;

}  // namespace

ChunkSourceModel::ChunkSourceModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      allocate_weight_(source.Between(2, 6)) {
  Check(ChunkSource::BytesReserved() == 0, "something is reserved already");
}

ChunkSourceModel::~ChunkSourceModel() {
  Faults::Disarm();
  while (!chunks_.empty()) {
    ByteSource none({});
    Free(none);
  }
  Purge(now_, /*force=*/true);
  CheckInvariants();
}

void ChunkSourceModel::Perform(ByteSource& source) {
  switch (source.Choose({allocate_weight_, 3, 1, 1, 1})) {
    case 0:
      return Allocate(source);
    case 1:
      return Free(source);
    case 2:
      if (!chunks_.empty()) {
        const LiveBlock chunk = chunks_.Pick(source);
        if (chunk.tag != 0) ChunkSource::BecomeSparse(chunk.address);
      }
      return;
    case 3:
      return Purge(now_, source.OneIn(4));
    case 4:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(600);
  }
}

void ChunkSourceModel::Allocate(ByteSource& source) {
  if (chunks_.size() == kMaxChunks) return;
  const auto use =
      source.OneIn(3) ? ChunkSource::Use::kDense : ChunkSource::Use::kSparse;
  const FaultWatch faults;
  const uint64_t fresh = ChunkSource::FreshChunks();
  const ChunkSource::Allocation chunk = ChunkSource::Allocate(use);
  if (chunk.address == 0) {
    Check(dirty_.empty(), "refused with a resident chunk at hand");
    return Check(faults.Happened(), "refused by nobody");
  }
  Check(chunk.address % kChunkBytes == 0, "chunk at %#zx", chunk.address);
  Check(chunk.is_zero == dirty_.empty(), "zeros: %d with %zu resident chunks",
        chunk.is_zero, dirty_.size());
  Check(chunk.is_zero || dirty_.erase(chunk.address) == 1,
        "%#zx was not known to be resident", chunk.address);
  Check(ChunkSource::FreshChunks() - fresh == chunk.is_zero,
        "fresh chunks not counted");
  Check(!chunk.is_dense || use == ChunkSource::Use::kDense || faults.Happened(),
        "dense unasked");
  if (chunk.is_zero) CheckZero(chunk.address, kChunkBytes);
  chunks_.Add(chunk.address, kChunkBytes, chunk.is_dense);
}

void ChunkSourceModel::Free(ByteSource& source) {
  if (chunks_.empty()) return;
  const LiveBlock chunk = chunks_.Remove(chunks_.Pick(source).address);
  // The source trusts the caller's number, so it must be correct.
  size_t dirty_bytes = source.Between(1, kChunkBytes / 4096) * 4096;
  if (source.OneIn(2)) {
    if (chunk.tag != 0) ChunkSource::BecomeSparse(chunk.address);
    if (os::Purge(chunk.address, kChunkBytes) == 0) dirty_bytes = 0;
  }
  ChunkSource::Free(chunk.address, dirty_bytes, now_);
  if (dirty_bytes != 0) dirty_[chunk.address] = {dirty_bytes, now_};
}

void ChunkSourceModel::Purge(uint64_t now, bool force) {
  const uint64_t decay = options::Get(options::k_decay);
  const FaultWatch faults;
  const size_t before = DirtyBytes();
  const size_t given_back = ChunkSource::Purge(now, force);
  const size_t left = DirtyBytes::Bytes();
  // What a refused purge leaves resident may be unmapped with its region
  // without being counted.
  Check(faults.Happened() ? given_back <= before - left
                          : given_back == before - left,
        "%zu bytes given back, %zu in the ledger", given_back, before - left);
  if (faults.Happened()) {
    // The source knows which chunks are still resident and reports it only when
    // it hands one out. So have them all purged.
    Faults::Disarm();
    ChunkSource::Purge(now, /*force=*/true);
    dirty_.clear();
    return;
  }
  for (auto it = dirty_.begin(); it != dirty_.end();) {
    const bool is_due = force || it->second.freed_at + decay <= now;
    it = is_due ? dirty_.erase(it) : std::next(it);
  }
  Check(left == DirtyBytes(), "%zu bytes resident after a purge, not %zu", left,
        DirtyBytes());
  // Only a forced purge must unmap address space.
  Check(!force || !chunks_.empty() || ChunkSource::BytesReserved() == 0,
        "%zu bytes reserved for nothing", ChunkSource::BytesReserved());
}

void ChunkSourceModel::CheckInvariants() {
  chunks_.CheckContents();
  Check(DirtyBytes::Bytes() == DirtyBytes(),
        "%zu bytes in the ledger, %zu resident and free", DirtyBytes::Bytes(),
        DirtyBytes());
  const size_t held = (chunks_.size() + dirty_.size()) * kChunkBytes;
  Check(ChunkSource::BytesReserved() >= held &&
            ChunkSource::BytesReserved() % kChunkBytes == 0,
        "%zu bytes reserved, at least %zu held", ChunkSource::BytesReserved(),
        held);
}

size_t ChunkSourceModel::DirtyBytes() const {
  size_t bytes = 0;
  for (const auto& [address, chunk] : dirty_) bytes += chunk.dirty_bytes;
  return bytes;
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<ChunkSourceModel>(bytes);
}

}  // namespace hakmem::fuzz
