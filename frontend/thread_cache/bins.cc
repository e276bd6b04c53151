#include "frontend/thread_cache/bins.h"

#include <utility>

namespace hakmem {
namespace {

// Every bin's top and limit lie just above the one null at the bottom.
struct NoBins : BinTable {
  void* bottom;
};

constexpr uint32_t kAboveBottom =
    static_cast<uint32_t>(sizeof(BinTable) + sizeof(void*));
static_assert(sizeof(NoBins) == kAboveBottom);

template <size_t... c>
constexpr NoBins MakeNoBins(std::index_sequence<c...>) {
  return {{{{kAboveBottom, (static_cast<void>(c), kAboveBottom)}...},
           Pagemap::Window{},
           BinChecks::None(),
           internal::kClassTables.of_units},
          nullptr};
}

constinit const NoBins no_bins =
    MakeNoBins(std::make_index_sequence<kClassCount>());

}  // namespace

constinit BinTable* const kEmptyBins =
    const_cast<BinTable*>(static_cast<const BinTable*>(&no_bins));

constinit thread_local ThreadTables thread_tables{
    const_cast<BinTable*>(static_cast<const BinTable*>(&no_bins))};

}  // namespace hakmem
