// What a model of a layer is, and how it is run.
//
// A model drives one layer through its public interface and keeps books of its
// own, as simple as can be, of what the layer must hold now:
//
//   class XModel {
//    public:
//     explicit XModel(ByteSource& source);  // draws what this run is like
//     ~XModel();                            // gives all back; nothing is left
//     void Perform(ByteSource& source);     // one operation, on both
//     void CheckInvariants();               // whether the two agree
//   };
//
// What does not agree ends in one line and abort, whoever runs the model: the
// GoogleTest driver (model_test.cc) or libFuzzer (model_fuzz.cc). Both call
// RunLinkedModel, which the one model that is linked in defines.
#ifndef HAKMEM_TESTS_STATE_FUZZ_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

// Unless `holds`, says in one line what does not (printf's format), and aborts.
[[gnu::format(printf, 2, 3)]] void Check(bool holds, const char* what, ...);

// Runs the model that is linked in over `bytes`.
void RunLinkedModel(std::span<const uint8_t> bytes);

// Books that grow make checks that take longer: after so many operations not
// each of them is followed by one.
inline constexpr size_t kAlwaysChecked = 64;
inline constexpr size_t kCheckedEvery = 16;

template <typename Model>
void RunModel(std::span<const uint8_t> bytes) {
  ByteSource source(bytes);
  Model model(source);
  for (size_t operations = 0; !source.empty(); ++operations) {
    model.Perform(source);
    if (operations < kAlwaysChecked || operations % kCheckedEvery == 0) {
      model.CheckInvariants();
    }
  }
  model.CheckInvariants();
}

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_MODEL_H_
