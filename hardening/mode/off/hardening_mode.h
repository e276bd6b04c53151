// Build variant --//hardening=off: detects only bad frees that the metadata
// reveals anyway.
#ifndef HAKMEM_HARDENING_MODE_H_
#define HAKMEM_HARDENING_MODE_H_

namespace hakmem {
enum class HardeningMode { kOff, kChecks, kFull };
inline constexpr HardeningMode kHardeningMode = HardeningMode::kOff;
inline constexpr const char* kHardeningModeName = "off";
}  // namespace hakmem

#endif  // HAKMEM_HARDENING_MODE_H_
