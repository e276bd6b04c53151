// The build flags as constants, for `if constexpr`. The macros are defined by
// //base:build_config and read only here. (The back-end is not a constant: it
// is chosen by linking, backend/backend.h.)
#ifndef HAKMEM_BASE_BUILD_CONFIG_H_
#define HAKMEM_BASE_BUILD_CONFIG_H_

namespace hakmem {

// --//tracing: whether counters count, and events and failures are recorded.
inline constexpr bool kTracing = HAKMEM_TRACING;

// --//ace: whether capacity and classes follow demand (adaptive), stay as they
// are at start (fixed), or nothing above tiny is cached (off).
enum class AceMode { kAdaptive, kFixed, kOff };
inline constexpr AceMode kAceMode = AceMode::HAKMEM_ACE;
inline constexpr const char* kAceModeName =
    kAceMode == AceMode::kAdaptive ? "adaptive"
    : kAceMode == AceMode::kFixed  ? "fixed"
                                   : "off";

// --//hardening; hardening/levels.h says what each level does.
enum class HardeningMode { kOff, kChecks, kFull };
inline constexpr HardeningMode kHardeningMode = HardeningMode::HAKMEM_HARDENING;
inline constexpr const char* kHardeningModeName =
    kHardeningMode == HardeningMode::kOff      ? "off"
    : kHardeningMode == HardeningMode::kChecks ? "checks"
                                               : "full";

}  // namespace hakmem

#endif  // HAKMEM_BASE_BUILD_CONFIG_H_
