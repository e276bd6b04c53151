#include "backend/verify/heap_verifier.h"

#include "base/text/log.h"

namespace hakmem {
namespace {

LogLine& Begin(LogLine& line, const char* fault, uintptr_t where) {
  line.Text("heap check: ").Text(fault);
  if (where != 0) line.Text(", at ").Hex(where);
  return line;
}

}  // namespace

constinit uintptr_t HeapVerifier::sorted_[kRoom] = {};

void HeapVerifier::Report(const char* fault, uintptr_t where) {
  if (++errors_ > kMaxLines) return;
  LogLine line;
  Begin(line, fault, where).Send();
}

void HeapVerifier::Report(const char* fault, uintptr_t where, uint64_t found,
                          uint64_t expected) {
  if (++errors_ > kMaxLines) return;
  LogLine line;
  Begin(line, fault, where)
      .Text(": ")
      .Decimal(found)
      .Text(", not ")
      .Decimal(expected)
      .Send();
}

int HeapVerifier::Finish() {
  if (errors_ > kMaxLines) {
    LogLine()
        .Text("heap check: ")
        .Decimal(static_cast<uint64_t>(errors_ - kMaxLines))
        .Text(" more errors")
        .Send();
  }
  return errors_;
}

}  // namespace hakmem
