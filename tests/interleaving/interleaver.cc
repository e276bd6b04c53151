#include "tests/interleaving/interleaver.h"

#include "tests/interleaving/engine.h"

namespace interleaver {

std::string Site::Text() const {
  return file + " " + operation + (part == 1 ? " (failed)" : "") + " " +
         OrderName(order);
}

Result Explore(const std::function<Threads()>& make,
               const std::function<void()>& check, const Options& options) {
  return Engine(options).Explore(make, check);
}

void Require(bool holds, const char* what) {
  if (!holds && Engine::current != nullptr) Engine::current->FailThread(what);
}

void Touch(const void* shared) {
  if (internal::InThread()) Engine::current->Touch(shared);
}

void FutexWait(const void* word, uint32_t while_value) {
  Engine::current->Wait(word, while_value);
}

void FutexWake(const void* word, int count) {
  Engine::current->Wake(word, count);
}

void Name(const void* address, const char* name) {
  Engine::current->Name(address, name);
}

namespace internal {

bool InThread() {
  return Engine::current != nullptr && Engine::current->InThread();
}

uint64_t Load(const void* address, uint64_t initial, std::memory_order order,
              Place place) {
  if (Engine::current->IsQuiet(place)) return initial;
  return Engine::current->Load(address, initial, order, place);
}

uint64_t Store(const void* address, uint64_t initial, uint64_t value,
               std::memory_order order, Place place) {
  if (Engine::current->IsQuiet(place)) return value;
  return Engine::current->Store(address, initial, value, order, place);
}

uint64_t Update(const void* address, uint64_t initial, const char* operation,
                std::memory_order order, std::memory_order otherwise,
                const MemoryModel::Next& next, uint64_t* read, Place place) {
  if (Engine::current->IsQuiet(place)) {
    *read = initial;
    uint64_t after;
    return next(initial, &after) ? after : initial;
  }
  return Engine::current->Update(address, initial, operation, order, otherwise,
                                 next, read, place);
}

void Fence(std::memory_order order, Place place) {
  if (InThread()) Engine::current->Fence(order, place);
}

void Plain(const void* address, bool writes) {
  if (InThread()) Engine::current->Plain(address, writes);
}

void Lock(const void* mutex) {
  if (InThread()) Engine::current->Lock(mutex);
}

bool TryLock(const void* mutex) {
  return !InThread() || Engine::current->TryLock(mutex);
}

void Unlock(const void* mutex) {
  if (InThread()) Engine::current->Unlock(mutex);
}

}  // namespace internal
}  // namespace interleaver
