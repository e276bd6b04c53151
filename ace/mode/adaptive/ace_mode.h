// Build variant --//ace=adaptive: capacity and classes follow demand.
#ifndef HAKMEM_ACE_MODE_H_
#define HAKMEM_ACE_MODE_H_

namespace hakmem {
enum class AceMode { kAdaptive, kFixed, kOff };
inline constexpr AceMode kAceMode = AceMode::kAdaptive;
inline constexpr const char* kAceModeName = "adaptive";
}  // namespace hakmem

#endif  // HAKMEM_ACE_MODE_H_
