#include "tests/interleaving/mutants.h"

#include <algorithm>

namespace interleaver {
namespace {

// The orders one degree weaker than `order` for `operation`.
std::vector<std::memory_order> WeakerThan(std::memory_order order) {
  switch (order) {
    case std::memory_order_seq_cst:
      return {std::memory_order_acq_rel};
    case std::memory_order_acq_rel:
      return {std::memory_order_acquire, std::memory_order_release};
    case std::memory_order_acquire:
    case std::memory_order_consume:
    case std::memory_order_release:
      return {std::memory_order_relaxed};
    case std::memory_order_relaxed:
      return {};
  }
  return {};
}

}  // namespace

Survivors WeakenEach(const std::string& file,
                     const std::function<Result(const Options&)>& explore,
                     const Options& options) {
  Survivors survivors;
  const Result as_it_is = explore(options);
  if (!as_it_is.passed) {
    survivors.texts.push_back("it fails as it is: " + as_it_is.failure);
    return survivors;
  }
  for (const Site& site : as_it_is.sites) {
    if (site.file != file) continue;
    for (const std::memory_order weaker : WeakerThan(site.order)) {
      Options mutant = options;
      mutant.weakened = &site;
      mutant.weakened_to = weaker;
      ++survivors.tried;
      if (!explore(mutant).passed) continue;
      Site as_weakened = site;
      as_weakened.order = weaker;
      survivors.texts.push_back(
          site.Text() + " -> " +
          as_weakened.Text().substr(as_weakened.Text().rfind(' ') + 1));
    }
  }
  std::sort(survivors.texts.begin(), survivors.texts.end());
  return survivors;
}

}  // namespace interleaver
