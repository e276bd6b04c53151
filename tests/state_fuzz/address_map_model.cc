#include "tests/state_fuzz/address_map_model.h"

#include "backend/memory/address_map.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr uintptr_t kGranuleBytes = uintptr_t{1} << AddressMap::kGranuleShift;
constexpr uintptr_t kLeafBytes = uintptr_t{1} << AddressMap::kLeafShift;
constexpr uintptr_t kEndOfAddresses = uintptr_t{1} << AddressMap::kAddressBits;
// Where the first mapping of a process may lie.
constexpr uintptr_t kFirstChunk = kEndOfAddresses / 4 * 3;

}  // namespace

AddressMapModel::AddressMapModel(ByteSource&)
    : window_(AddressMap::PlaceWindow(kFirstChunk)) {}

AddressMapModel::~AddressMapModel() {
  while (!entered_.empty()) RemoveChunk(entered_.begin()->first);
}

void AddressMapModel::Perform(ByteSource& source) {
  switch (source.Choose({4, 2, 4, 6})) {
    case 0: {
      const uintptr_t place = DrawPlace(source);
      if (entered_.contains(place)) return;
      Chunk* chunk = &chunks_[source.Below(kChunks)];
      Check(AddressMap::SetChunk(place, chunk), "%#zx not entered", place);
      entered_[place] = chunk;
      return;
    }
    case 1: {
      const uintptr_t place = DrawPlace(source);
      // Also where nothing is: that is no error.
      return RemoveChunk(place);
    }
    case 2: {
      const uintptr_t place = DrawPlace(source);
      if (!entered_.contains(place)) return;
      const uintptr_t granule = place + source.Below(32) * kGranuleBytes;
      const auto c = SizeClass{static_cast<uint8_t>(source.Below(kClassCount))};
      AddressMap::SetClass(granule, c);
      classes_[granule] = c;
      return;
    }
    case 3:
      CheckAt(source.OneIn(2)
                  ? source.Below(UINT64_MAX)
                  : DrawPlace(source) - 8 + source.Below(kChunkBytes + 16));
  }
}

void AddressMapModel::CheckInvariants() {
  Check(&AddressMap::PlaceWindow(0) == &window_, "the window has moved");
  for (const auto& [place, chunk] : entered_) {
    for (const uintptr_t address :
         {place - 1, place, place + kChunkBytes / 2 + 1,
          place + kChunkBytes - 1, place + kChunkBytes,
          // Not an address, but alike below the bits that addresses have.
          place | kEndOfAddresses, place | uintptr_t{1} << 63}) {
      CheckAt(address);
    }
  }
  for (const auto& [granule, c] : classes_) {
    for (const uintptr_t address :
         {granule - 1, granule, granule + kGranuleBytes - 1,
          granule + kGranuleBytes, granule | uintptr_t{1} << 63}) {
      CheckAt(address);
    }
  }
}

uintptr_t AddressMapModel::DrawPlace(ByteSource& source) const {
  const uintptr_t bytes = window_.granules << AddressMap::kGranuleShift;
  const uintptr_t window_end = window_.base + bytes;
  const uintptr_t places[] = {
      0,
      kLeafBytes,
      window_.base - kLeafBytes,
      window_.base,
      window_.base + bytes / 2 / kLeafBytes * kLeafBytes,
      window_end - kLeafBytes,
      window_end,
      kEndOfAddresses / 2,
      kEndOfAddresses - kLeafBytes,
  };
  uintptr_t place = places[source.Below(std::size(places))];
  if (place >= kEndOfAddresses) place = kEndOfAddresses - kLeafBytes;
  // The leaf's first or last chunks, where it meets the next one.
  const uintptr_t chunk = source.Below(4);
  return place + (chunk < 2 ? chunk * kChunkBytes
                            : kLeafBytes - (chunk - 1) * kChunkBytes);
}

void AddressMapModel::RemoveChunk(uintptr_t place) {
  const auto first = classes_.lower_bound(place);
  const auto end = classes_.lower_bound(place + kChunkBytes);
  for (auto it = first; it != end; ++it) {
    AddressMap::SetClass(it->first, SizeClass::kNone);
  }
  classes_.erase(first, end);
  Check(AddressMap::SetChunk(place, nullptr), "%#zx not removed", place);
  entered_.erase(place);
}

void AddressMapModel::CheckAt(uintptr_t address) const {
  const auto chunk = entered_.find(address & ~(kChunkBytes - 1));
  const Chunk* expected = chunk == entered_.end() ? nullptr : chunk->second;
  Check(AddressMap::ChunkAt(address) == expected,
        "the chunk at %#zx is %p, not %p", address,
        static_cast<void*>(AddressMap::ChunkAt(address)),
        static_cast<const void*>(expected));
  const auto found = classes_.find(address & ~(kGranuleBytes - 1));
  const SizeClass c =
      found == classes_.end() ? SizeClass::kNone : found->second;
  Check(AddressMap::ClassAt(address) == c, "the class at %#zx is %zu, not %zu",
        address, Index(AddressMap::ClassAt(address)), Index(c));
  const bool is_inside =
      address >= window_.base &&
      address - window_.base < window_.granules << AddressMap::kGranuleShift;
  Check(AddressMap::IsInWindow(window_, address) == is_inside,
        "%#zx in the window: not %d", address, is_inside);
  Check(!AddressMap::IsInWindow(AddressMap::Window{}, address),
        "%#zx in no window", address);
  if (is_inside) {
    Check(AddressMap::ClassInWindow(window_, address) == c,
          "the class at %#zx in the window is not %zu", address, Index(c));
  }
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<AddressMapModel>(bytes);
}

}  // namespace hakmem::fuzz
