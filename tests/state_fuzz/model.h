// Models of layers, and how they are run.
//
// A model drives one layer through its public interface and keeps its own, very
// simple record of what the layer must hold:
//
//   class XModel {
//    public:
//     explicit XModel(ByteSource& source);  // draws the run's parameters
//     ~XModel();                            // frees all; nothing is left
//     void Perform(ByteSource& source);     // one operation, on both
//     void CheckInvariants();               // compares the two
//   };
//
// A difference prints one line and aborts, in either driver: GoogleTest
// (model_test.cc) or libFuzzer (model_fuzz.cc). Both call RunLinkedModel, which
// the single linked model defines.
#ifndef HAKMEM_TESTS_STATE_FUZZ_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

// If `holds` is false, prints the message (printf's format) and aborts.
[[gnu::format(printf, 2, 3)]] void Check(bool holds, const char* what, ...);

// Runs the linked model over `bytes`.
void RunLinkedModel(std::span<const uint8_t> bytes);

// Checks take longer as the state grows: after this many operations, only some
// operations are followed by one.
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
