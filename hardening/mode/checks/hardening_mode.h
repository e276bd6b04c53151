// Build variant --//hardening=checks: checks each free, and freed memory at
// reuse.
#ifndef HAKMEM_HARDENING_MODE_H_
#define HAKMEM_HARDENING_MODE_H_

namespace hakmem {
enum class HardeningMode { kOff, kChecks, kFull };
inline constexpr HardeningMode kHardeningMode = HardeningMode::kChecks;
inline constexpr const char* kHardeningModeName = "checks";
}  // namespace hakmem

#endif  // HAKMEM_HARDENING_MODE_H_
