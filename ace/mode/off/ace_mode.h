// Build variant --//ace=off: no pool, sizes above tiny go straight to spans.
#ifndef HAKMEM_ACE_MODE_H_
#define HAKMEM_ACE_MODE_H_

namespace hakmem {
enum class AceMode { kAdaptive, kFixed, kOff };
inline constexpr AceMode kAceMode = AceMode::kOff;
inline constexpr const char* kAceModeName = "off";
}  // namespace hakmem

#endif  // HAKMEM_ACE_MODE_H_
