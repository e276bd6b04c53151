#include "frontend/guard/guarded_pool.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "backend/memory/metadata.h"
#include "base/os/os_memory.h"
#include "base/os/system_call.h"
#include "base/size_classes.h"

namespace hakmem {
namespace {

// The pattern beside a block: no letter or number that programs often write.
constexpr unsigned char kPattern = 0xc9;

unsigned char* At(uintptr_t address) {
  return reinterpret_cast<unsigned char*>(address);
}

void FillPattern(uintptr_t from, uintptr_t to) {
  memset(At(from), kPattern, to - from);
}

bool IsPattern(uintptr_t from, uintptr_t to) {
  // Each byte equals the next one.
  return from == to || (*At(from) == kPattern &&
                        memcmp(At(from), At(from + 1), to - from - 1) == 0);
}

NearestAllocation AllocationNear(const GuardedBlock& block, uintptr_t address) {
  NearestAllocation finding;
  finding.block = block;
  const uintptr_t end = block.address + block.bytes;
  if (address < block.address) {
    finding.place = Place::kBefore;
    finding.distance = block.address - address;
  } else if (address < end) {
    finding.place = Place::kInside;
    finding.distance = address - block.address;
  } else {
    finding.place = Place::kBehind;
    finding.distance = address - end + 1;
  }
  return finding;
}

// The distance of `address` from the bytes of `block`.
size_t DistanceTo(const GuardedBlock& block, uintptr_t address) {
  if (address < block.address) return block.address - address;
  const uintptr_t end = block.address + block.bytes;
  return address < end ? 0 : address - end + 1;
}

}  // namespace

struct GuardedPool::Slot : ListNode<Slot> {
  GuardedBlock block;  // the one in use, or the last one
};

struct GuardedPool::Layout {
  uintptr_t start;  // of the block, to `end`
  uintptr_t end;
  uintptr_t pages;  // of the block, to `pages_end`
  uintptr_t pages_end;

  bool IsIntact(uintptr_t* changed) const {
    if (IsPattern(pages, start) && IsPattern(end, pages_end)) return true;
    // The bytes nearest to the block first: a report gives the distance.
    for (uintptr_t a = end; a < pages_end; ++a) {
      if (*At(a) != kPattern) return *changed = a, false;
    }
    for (uintptr_t a = start; a-- > pages;) {
      if (*At(a) != kPattern) return *changed = a, false;
    }
    return true;
  }
};

int GuardedPool::Begin(size_t slots) {
  page_ = os::PageBytes();
  slot_bytes_ = (kMaxBytes + page_ - 1) & ~(page_ - 1);
  const size_t length = slots * (page_ + slot_bytes_) + page_;
  const os::Mapping mapping = os::Map(length, page_, os::Access::kNone);
  if (!mapping) return mapping.error;
  slots_ = static_cast<Slot*>(
      Metadata::Allocate(slots * sizeof(Slot), alignof(Slot)));
  if (slots_ == nullptr) {
    os::Release(mapping.address, length);
    return ENOMEM;
  }
  slot_count_ = slots;
  begin_ = mapping.address;
  length_ = length;
  return 0;
}

uintptr_t GuardedPool::StartOf(const Slot& slot) const {
  const auto index = static_cast<size_t>(&slot - slots_);
  return begin_ + index * (page_ + slot_bytes_) + page_;
}

// Null for a guard page.
GuardedPool::Slot* GuardedPool::SlotAt(uintptr_t address) const {
  const size_t offset = address - begin_;
  const size_t index = offset / (page_ + slot_bytes_);
  const bool is_guard = offset % (page_ + slot_bytes_) < page_;
  return is_guard ? nullptr : &slots_[index];
}

GuardedPool::Layout GuardedPool::LayoutOf(const GuardedBlock& block) const {
  Layout layout;
  layout.start = block.address;
  layout.end = block.address + block.bytes;
  layout.pages = layout.start & ~(page_ - 1);
  // A block of 0 bytes has a page too, as its address must be unique.
  const size_t room = std::max<size_t>(block.bytes, 1);
  layout.pages_end = (layout.start + room + page_ - 1) & ~(page_ - 1);
  return layout;
}

GuardedPool::Layout GuardedPool::LayOut(const Slot& slot, size_t bytes,
                                        size_t alignment, End end) const {
  GuardedBlock block = {};
  block.address = StartOf(slot);
  block.bytes = bytes;
  if (end == End::kRight) {
    const uintptr_t highest =
        block.address + slot_bytes_ - std::max<size_t>(bytes, 1);
    block.address = highest & ~(alignment - 1);
  }
  return LayoutOf(block);
}

// The slot freed longest ago; null when all are in use.
GuardedPool::Slot* GuardedPool::TakeSlot() {
  MutexLock lock(mutex_);
  if (begun_ < slot_count_) return &slots_[begun_++];
  return free_.PopFront();
}

bool GuardedPool::HasRoom() {
  MutexLock lock(mutex_);
  return begun_ < slot_count_ || !free_.empty();
}

void GuardedPool::GiveBack(Slot* slot) {
  MutexLock lock(mutex_);
  free_.PushBack(slot);
}

uintptr_t GuardedPool::Allocate(size_t bytes, size_t alignment, End end,
                                const CallSite& site) {
  alignment = std::max(alignment, kBlockAlignment);
  if (bytes > kMaxBytes || alignment > page_) return 0;
  Slot* slot = TakeSlot();
  if (slot == nullptr) return 0;
  // Until the metadata is written, the slot belongs to its last block, so that
  // use after free of that block is still reported.
  const Layout layout = LayOut(*slot, bytes, alignment, end);
  const size_t committed = layout.pages_end - layout.pages;
  if (os::Commit(layout.pages, committed) != 0) {
    GiveBack(slot);
    return 0;
  }
  FillPattern(layout.pages, layout.start);
  FillPattern(layout.end, layout.pages_end);
  MutexLock lock(mutex_);
  slot->block.address = layout.start;
  slot->block.bytes = bytes;
  slot->block.is_free = false;
  slot->block.origin = Origin::kUnknown;
  slot->block.allocated = site;
  ++totals_.sampled;
  ++totals_.live;
  totals_.live_bytes += bytes;
  totals_.committed_bytes += committed;
  return layout.start;
}

GuardedPool::Answer GuardedPool::Check(uintptr_t address,
                                       NearestAllocation* finding) const {
  const Slot* slot = SlotAt(address);
  if (slot != nullptr && slot->block.address == address) {
    if (!slot->block.is_free) return Answer::kGood;
    *finding = AllocationNear(slot->block, address);
    return Answer::kNotInUse;
  }
  const GuardedBlock* nearest = NearestTo(address);
  if (nearest == nullptr) return Answer::kNoBlock;
  *finding = AllocationNear(*nearest, address);
  return Answer::kNotAStart;
}

GuardedPool::Answer GuardedPool::Free(uintptr_t address, const CallSite& site,
                                      NearestAllocation* finding) {
  Slot* slot = SlotAt(address);
  Layout layout;
  {
    MutexLock lock(mutex_);
    const Answer answer = Check(address, finding);
    if (answer != Answer::kGood) return answer;
    layout = LayoutOf(slot->block);
    uintptr_t changed;
    if (!layout.IsIntact(&changed)) {
      *finding = AllocationNear(slot->block, changed);
      return Answer::kOverwritten;
    }
    slot->block.is_free = true;
    slot->block.freed = site;
    --totals_.live;
    totals_.live_bytes -= slot->block.bytes;
    totals_.committed_bytes -= layout.pages_end - layout.pages;
  }
  // If the OS refuses, only later misuse goes undetected.
  (void)os::Uncommit(layout.pages, layout.pages_end - layout.pages);
  GiveBack(slot);
  return Answer::kGood;
}

GuardedPool::Answer GuardedPool::BytesAt(uintptr_t address, size_t* bytes,
                                         NearestAllocation* finding) {
  MutexLock lock(mutex_);
  const Answer answer = Check(address, finding);
  if (answer == Answer::kGood) *bytes = SlotAt(address)->block.bytes;
  return answer;
}

Origin GuardedPool::OriginAt(uintptr_t address) {
  MutexLock lock(mutex_);
  NearestAllocation ignored;
  return Check(address, &ignored) == Answer::kGood
             ? SlotAt(address)->block.origin
             : Origin::kUnknown;
}

void GuardedPool::SetOrigin(uintptr_t address, Origin origin) {
  MutexLock lock(mutex_);
  NearestAllocation ignored;
  if (Check(address, &ignored) == Answer::kGood) {
    SlotAt(address)->block.origin = origin;
  }
}

// The block of the slot that `address` lies in, else the nearest block in the
// neighbouring slots.
const GuardedBlock* GuardedPool::NearestTo(uintptr_t address) const {
  const Slot* here = SlotAt(address);
  if (here != nullptr && here->block.address != 0) return &here->block;
  const size_t stride = page_ + slot_bytes_;
  const size_t index = (address - begin_) / stride;
  const GuardedBlock* nearest = nullptr;
  for (size_t i = index == 0 ? 0 : index - 1; i < slot_count_ && i <= index + 1;
       ++i) {
    const GuardedBlock& block = slots_[i].block;
    if (block.address == 0) continue;
    if (nearest == nullptr ||
        DistanceTo(block, address) < DistanceTo(*nearest, address)) {
      nearest = &block;
    }
  }
  return nearest;
}

bool GuardedPool::Find(uintptr_t address, NearestAllocation* finding)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The lock's holder may never run again: stopped by a signal, or by what ends
  // the process.
  bool locked = false;
  for (int i = 0; i < 1000 && !locked; ++i) {
    locked = mutex_.TryLock();
    if (!locked) SystemCall(SYS_sched_yield);
  }
  const GuardedBlock* nearest = NearestTo(address);
  if (nearest != nullptr) *finding = AllocationNear(*nearest, address);
  if (locked) mutex_.Unlock();
  return nearest != nullptr;
}

GuardedPool::Totals GuardedPool::Sum() {
  MutexLock lock(mutex_);
  return totals_;
}

void GuardedPool::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex_.Lock();
}

void GuardedPool::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex_.Unlock();
}

}  // namespace hakmem
