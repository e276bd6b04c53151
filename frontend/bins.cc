#include "frontend/bins.h"

#include <utility>

namespace hakmem {
namespace {

constexpr uint32_t kAboveBottom =
    static_cast<uint32_t>(offsetof(NoBins, bottom) + sizeof(void*));

template <size_t... c>
constexpr NoBins MakeNoBins(std::index_sequence<c...>) {
  return {{{kAboveBottom, (static_cast<void>(c), kAboveBottom)}...}, nullptr};
}

}  // namespace

constinit const NoBins kNoBins =
    MakeNoBins(std::make_index_sequence<kClassCount>());

// Never written through while it points at kNoBins: nothing pushes beyond a
// limit or pops below a bottom.
constinit thread_local ThreadBins* thread_bins =
    reinterpret_cast<ThreadBins*>(const_cast<NoBins*>(&kNoBins));

}  // namespace hakmem
