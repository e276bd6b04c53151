// Remote frees: how a block freed by one thread reaches the page's owner.
//
// Freeing thread (any number at once):        Owner, holding its heap's lock:
//   0  finds the page's link and owner
//   1  bits |= block                            4  take the whole stack
//   2  if (waiting.exchange(true)) done         5  waiting.exchange(false)
//   3  push the link on its owner's stack       6  taken = bits.exchange(0)
//
// Nothing is lost: the exchanges on `waiting` are totally ordered. If 2 comes
// before 5, then 5 reads what 2 (or a later 2) wrote and so sees the bits of 1,
// and 6 takes them. If 2 comes after 5 it finds false and pushes the link
// again.
//
// A page may be emptied, given back and begun anew by another owner between 1
// and 3 (another thread's push made the owner collect the bits). Then the link
// is on a stack that is not its page's owner's any more: the collector, after
// 5, reads the owner of now and delivers it there by 2 and 3. If there is no
// owner at that moment nothing waits in the page: bits are only set while one
// of its blocks is in use, and an owner is set before that.
//
// So the page's own books are used up to step 1 only, while a block of it is in
// use, and by its owner: between two lives of the page they may be purged, with
// deliveries under way. What is used later, the link, lasts: it is never
// purged. It may be given to another page meanwhile, which is as if the page
// had been begun anew by another owner.
//
// The protocol is a template over the link so that a test can run the same
// source under a scheduler that goes through every interleaving
// (remote_frees_test.cc). A link has:
//   std::atomic<bool> waiting;  Link* next_waiting;
//   std::atomic<Owner*> owner;  where Owner has std::atomic<Link*>
//   waiting_links
#ifndef HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_
#define HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_

#include <atomic>
#include <cstdint>

namespace hakmem {

// Steps 2 and 3.
template <typename Link, typename Owner>
void DeliverRemoteLink(Link* link, Owner* owner) {
  // acq_rel: release so that whoever reads this in step 5 sees the bits of
  // step 1; acquire only orders the push behind it.
  if (link->waiting.exchange(true, std::memory_order_acq_rel)) return;
  Link* head = owner->waiting_links.load(std::memory_order_relaxed);
  do {
    link->next_waiting = head;
    // release: pairs with the acquire in CollectRemoteLinks; publishes
    // next_waiting.
  } while (!owner->waiting_links.compare_exchange_weak(
      head, link, std::memory_order_release, std::memory_order_relaxed));
}

// Steps 4 to 6: calls harvest(link) for each page of `owner` that waits, after
// which the page's remote bits must have been taken. Only by the owner.
template <typename Link, typename Owner, typename Harvest>
void CollectRemoteLinks(Owner* owner, Harvest&& harvest) {
  // acquire: pairs with the release in DeliverRemoteLink.
  Link* link =
      owner->waiting_links.exchange(nullptr, std::memory_order_acquire);
  while (link != nullptr) {
    Link* const next = link->next_waiting;  // before others may push the link
    // acq_rel: acquire pairs with the release in DeliverRemoteLink.
    link->waiting.exchange(false, std::memory_order_acq_rel);
    // acquire: pairs with the release when an owner begins the page.
    auto* const owner_now = link->owner.load(std::memory_order_acquire);
    if (owner_now == owner) {
      harvest(link);
    } else if (owner_now != nullptr) {
      DeliverRemoteLink(link, owner_now);
    }
    link = next;
  }
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_
