#include "frontend/guard/guarded_report.h"

#include <cstdlib>

#include "backend/errors/error_reporting.h"
#include "base/os/signal_stack.h"
#include "base/text/log.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {
namespace {

// Stack space needed to walk and print stacks.
constexpr size_t kStackBytes = 8192;

const char* NameOf(Access access) {
  switch (access) {
    case Access::kRead:
      return "read";
    case Access::kWrite:
      return "write";
    case Access::kExecute:
      return "execution";
    case Access::kUnknown:
      break;
  }
  return "access";
}

void WriteBytes(size_t bytes, LogLine& line) {
  line.Decimal(bytes).Text(bytes == 1 ? " byte" : " bytes");
}

// "a block of 64 bytes at 0x7f10a3c05fc0"
void WriteBlock(const GuardedBlock& block, bool tell_free, LogLine& line) {
  line.Text(tell_free && block.is_free ? "a freed block of " : "a block of ");
  WriteBytes(block.bytes, line);
  line.Text(" at ").Hex(block.address);
}

// "past the end (1 byte behind) of a block of 64 bytes at 0x7f10a3c05fc0"
void WriteWhere(const NearestAllocation& finding, LogLine& line) {
  const bool after_free =
      finding.block.is_free && finding.place == Place::kInside;
  switch (finding.place) {
    case Place::kBefore:
      line.Text("before the start (");
      WriteBytes(finding.distance, line);
      line.Text(" before) of ");
      break;
    case Place::kBehind:
      line.Text("past the end (");
      WriteBytes(finding.distance, line);
      line.Text(" behind) of ");
      break;
    case Place::kInside:
      line.Text(after_free ? "after free (" : "inside (");
      WriteBytes(finding.distance, line);
      line.Text(" in) of ");
      break;
  }
  WriteBlock(finding.block, /*tell_free=*/!after_free, line);
}

[[gnu::noinline]] void PrintHeading(const char* what, uint32_t thread) {
  LogLine()
      .Text("  ")
      .Text(what)
      .Text(" by thread ")
      .Decimal(thread)
      .Text(" at:")
      .Send();
}

void PrintCallSite(const char* what, const CallSite& site) {
  PrintHeading(what, site.thread);
  PrintNotedStack(site.stack);
}

void PrintHistory(const GuardedBlock& block) {
  PrintCallSite("allocated", block.allocated);
  if (block.is_free) PrintCallSite("freed", block.freed);
}

[[gnu::noinline]] uint32_t PrintFaultLine(const Fault& fault,
                                          const NearestAllocation& finding) {
  const auto thread = ThisThread();
  LogLine line;
  line.Text("guarded block: ").Text(NameOf(fault.access)).Text(" ");
  WriteWhere(finding, line);
  line.Text(" by thread ").Decimal(thread).Send();
  return thread;
}

[[gnu::noinline]] void PrintMisuseLine(GuardedPool::Answer answer,
                                       uintptr_t address,
                                       const NearestAllocation& finding,
                                       BlockCall function, uint32_t thread) {
  LogLine line;
  line.Text("guarded block: ");
  switch (answer) {
    case GuardedPool::Answer::kOverwritten:
      line.Text("write ");
      WriteWhere(finding, line);
      line.Text(", found as it was freed");
      break;
    case GuardedPool::Answer::kNotInUse:
      if (FreesBlock(function)) {
        line.Text("double free ");
        if (function != BlockCall::kFree) {
          line.Text("by ").Text(NameOf(function)).Text(" ");
        }
        line.Text("of ");
      } else {
        line.Text(NameOf(function)).Text(" after free of ");
      }
      WriteBlock(finding.block, /*tell_free=*/false, line);
      break;
    default:
      line.Text(NameOf(function)).Text(" of ").Hex(address).Text(", ");
      WriteBytes(finding.distance, line);
      line.Text(finding.place == Place::kBefore   ? " before "
                : finding.place == Place::kInside ? " into "
                                                  : " behind ");
      WriteBlock(finding.block, /*tell_free=*/true, line);
      break;
  }
  line.Text(" by thread ").Decimal(thread).Send();
}

}  // namespace

void ReportFault(const Fault& fault, const NearestAllocation& finding) {
  const uint32_t thread = PrintFaultLine(fault, finding);
  if (SignalStackBytesLeft() < kStackBytes) return;
  PrintHistory(finding.block);
  // Last: if the fault has damaged the stack, walking it may crash.
  PrintHeading("accessed", thread);
  StackTrace stack;
  NoteStack(reinterpret_cast<const void*>(fault.instruction), &stack);
  PrintNotedStack(stack);
}

void ReportStrayFault(const Fault& fault) {
  LogLine()
      .Text("guarded block: ")
      .Text(NameOf(fault.access))
      .Text(" at ")
      .Hex(fault.address)
      .Text(", near no block, by thread ")
      .Decimal(ThisThread())
      .Send();
}

void AbortOnMisuse(GuardedPool::Answer answer, uintptr_t address,
                   const NearestAllocation& finding, BlockCall function,
                   const CallSite& now) {
  if (answer == GuardedPool::Answer::kNoBlock) {
    BlockCallScope::Note(function, address);
    AbortOnForeignFree(address);
  }
  PrintMisuseLine(answer, address, finding, function, now.thread);
  PrintHistory(finding.block);
  PrintCallSite("called", now);
  abort();
}

}  // namespace hakmem
