// Build variant --//ace=fixed: the same pool, adaptation frozen.
#ifndef HAKMEM_ACE_MODE_H_
#define HAKMEM_ACE_MODE_H_

namespace hakmem {
enum class AceMode { kAdaptive, kFixed, kOff };
inline constexpr AceMode kAceMode = AceMode::kFixed;
inline constexpr const char* kAceModeName = "fixed";
}  // namespace hakmem

#endif  // HAKMEM_ACE_MODE_H_
