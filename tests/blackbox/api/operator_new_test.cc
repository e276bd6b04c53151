// Every form of operator new and operator delete.
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

using std::align_val_t;
using std::nothrow;

const size_t kSizes[] = {0,    1,         16,    100,      1040,
                         4096, 20 * kKiB, 70000, 3 * kMiB, 8 * kMiB + 1};
constexpr size_t kImpossible = size_t{1} << 62;

// One form of operator new, and each form of delete that may follow it.
struct Form {
  const char* name;
  bool aligned;
  bool throws;
  std::function<void*(size_t size, size_t alignment)> allocate;
  std::vector<std::function<void(void*, size_t size, size_t alignment)>> free;
};

std::vector<Form> EveryForm() {
  return {
      {"new",
       false,
       true,
       [](size_t n, size_t) { return ::operator new(n); },
       {[](void* p, size_t, size_t) { ::operator delete(p); },
        [](void* p, size_t n, size_t) { ::operator delete(p, n); },
        [](void* p, size_t, size_t) { ::operator delete(p, nothrow); }}},
      {"new[]",
       false,
       true,
       [](size_t n, size_t) { return ::operator new[](n); },
       {[](void* p, size_t, size_t) { ::operator delete[](p); },
        [](void* p, size_t n, size_t) { ::operator delete[](p, n); },
        [](void* p, size_t, size_t) { ::operator delete[](p, nothrow); }}},
      {"new nothrow",
       false,
       false,
       [](size_t n, size_t) { return ::operator new(n, nothrow); },
       {[](void* p, size_t, size_t) { ::operator delete(p, nothrow); },
        [](void* p, size_t, size_t) { ::operator delete(p); }}},
      {"new[] nothrow",
       false,
       false,
       [](size_t n, size_t) { return ::operator new[](n, nothrow); },
       {[](void* p, size_t, size_t) { ::operator delete[](p, nothrow); },
        [](void* p, size_t, size_t) { ::operator delete[](p); }}},
      {"new aligned",
       true,
       true,
       [](size_t n, size_t a) { return ::operator new(n, align_val_t(a)); },
       {[](void* p, size_t, size_t a) { ::operator delete(p, align_val_t(a)); },
        [](void* p, size_t n, size_t a) {
          ::operator delete(p, n, align_val_t(a));
        },
        [](void* p, size_t, size_t a) {
          ::operator delete(p, align_val_t(a), nothrow);
        }}},
      {"new[] aligned",
       true,
       true,
       [](size_t n, size_t a) { return ::operator new[](n, align_val_t(a)); },
       {[](void* p, size_t, size_t a) {
          ::operator delete[](p, align_val_t(a));
        },
        [](void* p, size_t n, size_t a) {
          ::operator delete[](p, n, align_val_t(a));
        },
        [](void* p, size_t, size_t a) {
          ::operator delete[](p, align_val_t(a), nothrow);
        }}},
      {"new aligned nothrow",
       true,
       false,
       [](size_t n, size_t a) {
         return ::operator new(n, align_val_t(a), nothrow);
       },
       {[](void* p, size_t, size_t a) {
         ::operator delete(p, align_val_t(a), nothrow);
       }}},
      {"new[] aligned nothrow",
       true,
       false,
       [](size_t n, size_t a) {
         return ::operator new[](n, align_val_t(a), nothrow);
       },
       {[](void* p, size_t, size_t a) {
         ::operator delete[](p, align_val_t(a), nothrow);
       }}},
  };
}

TEST(OperatorNewTest, EveryFormIsThisLibrarysAndIsGivenBack) {
  for (const Form& form : EveryForm()) {
    for (const auto& free : form.free) {
      const uint64_t before = Stats().live_bytes;
      for (const size_t size : kSizes) {
        for (const size_t alignment : {16u, 64u, 4096u, 1u << 20}) {
          void* block = Opaque(form.allocate(size, alignment));
          ASSERT_NE(block, nullptr) << form.name;
          EXPECT_TRUE(IsAligned(block, form.aligned ? alignment : 16))
              << form.name << " " << size;
          EXPECT_GE(malloc_usable_size(block), size) << form.name;
          EXPECT_GT(Stats().live_bytes, before) << form.name;
          Fill(block, size, 1);
          free(block, size, alignment);
        }
      }
      EXPECT_EQ(Stats().live_bytes, before) << form.name;
    }
  }
}

TEST(OperatorNewTest, ExpressionsWork) {
  struct alignas(256) Wide {
    char bytes[300] = {};
  };
  struct Counted {
    std::vector<int> ints = std::vector<int>(100, 7);
  };
  Wide* wide = Opaque(new Wide);
  EXPECT_TRUE(IsAligned(wide, 256));
  delete wide;
  Wide* wides = Opaque(new Wide[10]);
  EXPECT_TRUE(IsAligned(wides, 256));
  delete[] wides;
  Counted* counted = Opaque(new Counted[50]);
  EXPECT_EQ(counted[49].ints[99], 7);
  delete[] counted;
}

TEST(OperatorNewTest, DeletingNullDoesNothing) {
  for (const Form& form : EveryForm()) {
    for (const auto& free : form.free) free(Opaque<void*>(nullptr), 16, 16);
  }
}

int handler_calls = 0;

TEST(OperatorNewTest, WithoutAHandlerFailureThrowsOrReturnsNull) {
  ASSERT_EQ(std::get_new_handler(), nullptr);
  for (const Form& form : EveryForm()) {
    for (const size_t size : {kImpossible, ~size_t{0}, ~size_t{0} / 2 + 1}) {
      if (form.throws) {
        EXPECT_THROW(form.allocate(Opaque(size), 64), std::bad_alloc)
            << form.name;
      } else {
        EXPECT_EQ(form.allocate(Opaque(size), 64), nullptr) << form.name;
      }
    }
  }
}

TEST(OperatorNewTest, HandlerIsCalledUntilItGivesUp) {
  for (const Form& form : EveryForm()) {
    handler_calls = 0;
    std::set_new_handler([] {
      if (++handler_calls == 3) std::set_new_handler(nullptr);
    });
    if (form.throws) {
      EXPECT_THROW(form.allocate(Opaque(kImpossible), 64), std::bad_alloc)
          << form.name;
    } else {
      EXPECT_EQ(form.allocate(Opaque(kImpossible), 64), nullptr) << form.name;
    }
    EXPECT_EQ(handler_calls, 3) << form.name;
    std::set_new_handler(nullptr);
  }
}

struct ThrownByHandler : std::bad_alloc {};

TEST(OperatorNewTest, WhatTheHandlerThrowsComesThrough) {
  std::set_new_handler([] { throw ThrownByHandler(); });
  for (const Form& form : EveryForm()) {
    if (form.throws) {
      EXPECT_THROW(form.allocate(Opaque(kImpossible), 64), ThrownByHandler)
          << form.name;
    } else {
      EXPECT_EQ(form.allocate(Opaque(kImpossible), 64), nullptr) << form.name;
    }
  }
  std::set_new_handler(nullptr);
}

// Memory that a handler can free, one piece per call.
BlockChain reserve;

TEST(OperatorNewTest, SucceedsOnceTheHandlerHasGivenEnoughBack) {
  const ChildResult child = RunForked([] {
    constexpr size_t kPiece = 32 * kMiB;
    LimitAddressSpace(8 * kPiece);
    for (const Form& form : EveryForm()) {
      while (void* piece = malloc(kPiece)) reserve.Push(piece);
      ASSERT_GE(reserve.count(), 4u);
      handler_calls = 0;
      std::set_new_handler([] {
        ++handler_calls;
        void* piece = reserve.Pop();
        if (piece == nullptr) std::set_new_handler(nullptr);
        free(piece);
      });
      void* block = form.allocate(Opaque(3 * kPiece - kMiB), 64);
      EXPECT_NE(block, nullptr) << form.name;
      EXPECT_GE(handler_calls, 2) << form.name;
      EXPECT_GT(reserve.count(), 0u) << form.name;
      std::set_new_handler(nullptr);
      free(block);
      while (void* piece = reserve.Pop()) free(piece);
    }
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
