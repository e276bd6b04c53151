#include "tests/state_fuzz/pagemap_model.h"

#include "backend/memory/pagemap.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr uintptr_t kGranuleBytes = uintptr_t{1} << Pagemap::kGranuleShift;
constexpr uintptr_t kLeafBytes = uintptr_t{1} << Pagemap::kLeafShift;
constexpr uintptr_t kEndOfAddresses = uintptr_t{1} << Pagemap::kAddressBits;
// Where the kernel may place a process's first mapping.
constexpr uintptr_t kFirstChunk = kEndOfAddresses / 4 * 3;

}  // namespace

PagemapModel::PagemapModel(ByteSource&)
    : window_(Pagemap::PlaceWindow(kFirstChunk)) {}

PagemapModel::~PagemapModel() {
  while (!entered_.empty()) RemoveChunk(entered_.begin()->first);
}

void PagemapModel::Perform(ByteSource& source) {
  switch (source.Choose({4, 2, 4, 6})) {
    case 0: {
      const uintptr_t place = DrawPlace(source);
      if (entered_.contains(place)) return;
      Chunk* chunk = &chunks_[source.Below(kChunks)];
      Check(Pagemap::SetChunk(place, chunk), "%#zx not entered", place);
      entered_[place] = chunk;
      return;
    }
    case 1: {
      const uintptr_t place = DrawPlace(source);
      // Also where nothing is entered, which is no error.
      return RemoveChunk(place);
    }
    case 2: {
      const uintptr_t place = DrawPlace(source);
      if (!entered_.contains(place)) return;
      const uintptr_t granule = place + source.Below(32) * kGranuleBytes;
      const auto c = SizeClass{static_cast<uint8_t>(source.Below(kClassCount))};
      Pagemap::SetClass(granule, c);
      classes_[granule] = c;
      return;
    }
    case 3:
      CheckAt(source.OneIn(2)
                  ? source.Below(UINT64_MAX)
                  : DrawPlace(source) - 8 + source.Below(kChunkBytes + 16));
  }
}

void PagemapModel::CheckInvariants() {
  Check(&Pagemap::PlaceWindow(0) == &window_, "the window has moved");
  for (const auto& [place, chunk] : entered_) {
    for (const uintptr_t address :
         {place - 1, place, place + kChunkBytes / 2 + 1,
          place + kChunkBytes - 1, place + kChunkBytes,
          // Not valid addresses, but equal in the address bits.
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

uintptr_t PagemapModel::DrawPlace(ByteSource& source) const {
  const uintptr_t bytes = window_.granules << Pagemap::kGranuleShift;
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
  // The first or last chunks of a leaf, next to another leaf.
  const uintptr_t chunk = source.Below(4);
  return place + (chunk < 2 ? chunk * kChunkBytes
                            : kLeafBytes - (chunk - 1) * kChunkBytes);
}

void PagemapModel::RemoveChunk(uintptr_t place) {
  const auto first = classes_.lower_bound(place);
  const auto end = classes_.lower_bound(place + kChunkBytes);
  for (auto it = first; it != end; ++it) {
    Pagemap::SetClass(it->first, SizeClass::kNone);
  }
  classes_.erase(first, end);
  Check(Pagemap::SetChunk(place, nullptr), "%#zx not removed", place);
  entered_.erase(place);
}

void PagemapModel::CheckAt(uintptr_t address) const {
  const auto chunk = entered_.find(address & ~(kChunkBytes - 1));
  const Chunk* expected = chunk == entered_.end() ? nullptr : chunk->second;
  Check(Pagemap::ChunkAt(address) == expected,
        "the chunk at %#zx is %p, not %p", address,
        static_cast<void*>(Pagemap::ChunkAt(address)),
        static_cast<const void*>(expected));
  const auto found = classes_.find(address & ~(kGranuleBytes - 1));
  const SizeClass c =
      found == classes_.end() ? SizeClass::kNone : found->second;
  Check(Pagemap::ClassAt(address) == c, "the class at %#zx is %zu, not %zu",
        address, Index(Pagemap::ClassAt(address)), Index(c));
  const bool is_inside = address >= window_.base &&
                         address - window_.base < window_.granules
                                                      << Pagemap::kGranuleShift;
  Check(Pagemap::IsInWindow(window_, address) == is_inside,
        "%#zx in the window: not %d", address, is_inside);
  Check(!Pagemap::IsInWindow(Pagemap::Window{}, address), "%#zx in no window",
        address);
  if (is_inside) {
    Check(Pagemap::ClassInWindow(window_, address) == c,
          "the class at %#zx in the window is not %zu", address, Index(c));
  }
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<PagemapModel>(bytes);
}

}  // namespace hakmem::fuzz
