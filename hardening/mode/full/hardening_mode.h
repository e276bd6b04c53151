// Build variant --//hardening=full: as checks, and a memory layout that resists
// attacks.
#ifndef HAKMEM_HARDENING_MODE_H_
#define HAKMEM_HARDENING_MODE_H_

namespace hakmem {
enum class HardeningMode { kOff, kChecks, kFull };
inline constexpr HardeningMode kHardeningMode = HardeningMode::kFull;
inline constexpr const char* kHardeningModeName = "full";
}  // namespace hakmem

#endif  // HAKMEM_HARDENING_MODE_H_
